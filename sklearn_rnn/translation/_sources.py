"""Kinds of sources of a translator: texts, lists of tokens, numbers or codes."""

from typing import Any

import numpy as np

from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn._data.containers import (
    holds_only_numbers,
    unwrap,
    unwrap_documents,
)
from sklearn_rnn._data.tokens import END, UNKNOWN, TokenArray
from sklearn_rnn.text._codecs import is_single_text


def list_if_iterator(X: Any) -> Any:
    """Return X, or a list if X is an iterator, which could be read only once."""
    return list(X) if hasattr(X, "__next__") else X


def unwrap_sources(X: Any) -> Any:
    """Return X, or its only column if it contains texts; an iterator becomes a list."""
    X = list_if_iterator(X)
    if holds_only_numbers(X):
        return unwrap(X)
    documents = unwrap_documents(X)
    return documents if holds_texts(documents) else X


def holds_texts(X: Any) -> bool:
    """Return whether one of the sources is a text or a list of tokens.

    All sources are checked, so that a missing value among texts raises the error for a
    missing text, even if it comes first.
    """
    return _is_column(X) and any(_is_text(source) for source in X)


def _is_column(X: Any) -> bool:
    """Return whether X may consist of texts: it has one dimension and no codes."""
    if isinstance(X, TokenArray) or not hasattr(X, "__iter__"):
        return False
    return not hasattr(X, "columns") and len(getattr(X, "shape", ())) < 2


def _is_text(source: Any) -> bool:
    """Return whether a source is a text or a list of tokens."""
    if isinstance(source, np.ndarray) and source.ndim != 1:
        return False
    if isinstance(source, (list, tuple, np.ndarray)):
        return len(source) > 0 and isinstance(source[0], str)
    return isinstance(source, (str, bytes))


def list_sources(X: Any) -> list:
    """List texts or lists of tokens as documents; a single text is one source."""
    if not _is_column(X):
        raise ValueError(
            "SequenceTranslator was fitted on texts, but X is a "
            f"{type(X).__name__}. Pass the same kind of sources as in fit: a list of "
            "texts, or of lists of tokens."
        )
    sources = [X] if is_single_text(X) else list(X)
    if not sources:
        raise ValueError(
            "Found 0 sample(s) in X while a minimum of 1 is required. Pass at least "
            "one source."
        )
    documents = [list(x) if isinstance(x, np.ndarray) else x for x in sources]
    empty = [row for row, x in enumerate(documents) if _is_empty(x)]
    if empty:
        raise ValueError(
            f"source {empty[0]} is empty: {documents[empty[0]]!r} ({len(empty)} of "
            f"{len(documents)} sources are empty). Remove the empty sources, because "
            "they cannot be translated."
        )
    return documents


def _is_empty(source: Any) -> bool:
    """Return whether a source has no token, or consists of white space."""
    if isinstance(source, (str, bytes)):
        return not source.strip()
    return isinstance(source, (list, tuple)) and not source


def warn_of_unknown_tokens(tokens: TokenArray) -> None:
    """Warn if most tokens of source texts are unknown, for example foreign words."""
    codes = np.asarray(tokens)
    n_unknown, n_read = np.sum(codes == UNKNOWN), np.sum(codes > END)
    if n_unknown > n_read:
        warn_user(
            f"{n_unknown} of the {n_unknown + n_read} tokens of X are unknown, so the "
            "translations are unreliable. Pass sources of the same language, spelling "
            "and case as in fit."
        )


def find_unknown(codes: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Find the sequences with unknown tokens, given their ``starts`` in ``codes``."""
    places = np.flatnonzero(codes == UNKNOWN)
    return np.unique(np.searchsorted(starts, places, side="right") - 1)


def warn_of_new_tokens(name: str, rows: np.ndarray) -> None:
    """Warn that the sequences ``rows`` of X or y have tokens without a code."""
    if len(rows):
        warn_user(
            f"{len(rows)} sequences of {name}, the first of them {rows[0]}, have "
            "tokens that the first fit did not see. A warm start keeps the vocabulary "
            "of the first fit, so these tokens are read as unknown and never "
            "predicted. Use all tokens in the first fit, set vocabulary= in their "
            "vectorizer, or set warm_start=False."
        )
