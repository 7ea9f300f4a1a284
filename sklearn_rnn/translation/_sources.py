"""What the sources of a translator are: texts, lists of tokens, numbers or codes."""

from typing import Any

import numpy as np

from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn._data.containers import (
    holds_only_numbers,
    unwrap,
    unwrap_documents,
)
from sklearn_rnn._data.tokens import END, UNKNOWN, TokenArray
from sklearn_rnn.text._codecs import is_bare_text


def list_if_iterator(X: Any) -> Any:
    """X, or a list of what an iterator yields, since that can be read only once."""
    return list(X) if hasattr(X, "__next__") else X


def unwrap_sources(X: Any) -> Any:
    """X, or its only column if that holds texts; an iterator is listed."""
    X = list_if_iterator(X)
    if holds_only_numbers(X):
        return unwrap(X)
    documents = unwrap_documents(X)
    return documents if holds_texts(documents) else X


def holds_texts(X: Any) -> bool:
    """Whether one of the sources is a text or a list of tokens.

    A missing value among texts is thus refused as such, wherever it stands.
    """
    return _is_column(X) and any(_is_text(source) for source in X)


def _is_column(X: Any) -> bool:
    """Whether X may hold texts: it has one dimension and is not made of codes."""
    if isinstance(X, TokenArray) or not hasattr(X, "__iter__"):
        return False
    return not hasattr(X, "columns") and len(getattr(X, "shape", ())) < 2


def _is_text(source: Any) -> bool:
    """Whether a source is a text or a list of tokens."""
    if isinstance(source, np.ndarray) and source.ndim != 1:
        return False
    if isinstance(source, (list, tuple, np.ndarray)):
        return len(source) > 0 and isinstance(source[0], str)
    return isinstance(source, (str, bytes))


def list_sources(X: Any) -> list:
    """Texts and lists of tokens as documents for a vectorizer; a text is one source."""
    if not _is_column(X):
        raise ValueError(
            "SequenceTranslator was fitted on texts, but X is a "
            f"{type(X).__name__}. Give predict the same kind of sources as fit: a list "
            "of texts, or of lists of tokens."
        )
    sources = [X] if is_bare_text(X) else list(X)
    if not sources:
        raise ValueError(
            "Found 0 sample(s) in X while a minimum of 1 is required. Give at least "
            "one source."
        )
    documents = [list(x) if isinstance(x, np.ndarray) else x for x in sources]
    empty = [row for row, x in enumerate(documents) if _is_empty(x)]
    if empty:
        raise ValueError(
            f"source {empty[0]} is empty: {documents[empty[0]]!r} ({len(empty)} such "
            f"of {len(documents)}). Nothing can be translated from it: remove the "
            "empty sources first."
        )
    return documents


def _is_empty(source: Any) -> bool:
    """Whether a source has no token, or none but white space."""
    if isinstance(source, (str, bytes)):
        return not source.strip()
    return isinstance(source, (list, tuple)) and not source


def warn_of_unknown_tokens(tokens: TokenArray) -> None:
    """Warn if most tokens of source texts are unknown, as in another language."""
    codes = np.asarray(tokens)
    n_unknown, n_read = np.sum(codes == UNKNOWN), np.sum(codes > END)
    if n_unknown > n_read:
        warn_user(
            f"X has {n_unknown} unknown tokens among {n_unknown + n_read}: most of "
            "these sources are not like those of fit, and their targets mean little. "
            "Give sources of the same language, spelling and case as in fit."
        )


def find_unknown(codes: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Rows that have an unknown token, of sequences that begin at ``starts``."""
    places = np.flatnonzero(codes == UNKNOWN)
    return np.unique(np.searchsorted(starts, places, side="right") - 1)


def warn_of_new_tokens(name: str, rows: np.ndarray) -> None:
    """Warn that the sequences ``rows`` of X or y have tokens that have no code."""
    if len(rows):
        warn_user(
            f"{len(rows)} sequences of {name}, the first of them {rows[0]}, have "
            "tokens that the first fit did not see. A warm start keeps the vocabulary "
            "of the first fit, so they are read as unknown and never predicted. Begin "
            "with data that have all tokens, give their vectorizer vocabulary=, or set "
            "warm_start=False."
        )
