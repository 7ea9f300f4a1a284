"""Copying words that are unknown to the vocabulary from sources into targets."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np

from sklearn_rnn._data.tokens import UNKNOWN, TokenArray
from sklearn_rnn.text._codecs import TextCodec
from sklearn_rnn.text._documents import read_tokens
from sklearn_rnn.text._vectorizer import TokenVectorizer
from sklearn_rnn.translation._beam_search import Hypothesis

PLACEHOLDER = "\ufffd"  # what vectorizers write for the unknown token


def check_copying(X: Any, vectorizer: Any, codec: Any, attention: str | None) -> None:
    """Raise an error unless words of X can be copied into targets.

    ``vectorizer`` reads the sources, ``codec`` writes the targets.
    """
    reads_texts = isinstance(vectorizer, TokenVectorizer) and not isinstance(
        X, TokenArray
    )
    if attention is None or not reads_texts or type(codec) is not TextCodec:
        raise ValueError(
            "copy_unknown=True copies words of source texts into target texts by the "
            "attention. Give texts on both sides, read the sources with a "
            "CharVectorizer or WordVectorizer, and set attention="
            '"additive" or "dot".'
        )


def copy_unknown_words(
    targets: Sequence[str],
    hypotheses: Sequence[Hypothesis],
    sources: Sequence[str],
    vectorizer: TokenVectorizer,
) -> np.ndarray:
    """Targets in which words of the sources replace the unknown ones.

    Each unknown word becomes the word of the source with the largest attention, among
    those that are unknown themselves if there are any.
    """
    is_unknown = np.asarray(vectorizer.transform(sources)) == UNKNOWN  # (n, S)
    documents = read_tokens(sources, vectorizer._reader())
    texts = []
    for target, hypothesis, pieces, priority in zip(
        targets, hypotheses, documents, is_unknown, strict=True
    ):
        words = [word for piece in pieces for word in piece]
        steps = choose_steps(hypothesis, priority) - vectorizer.boundaries
        copies = [words[step] for step in steps.clip(0, len(words) - 1)]
        texts.append(fill_placeholders(str(target), copies))
    return np.array(texts)


def choose_steps(hypothesis: Hypothesis, priority: np.ndarray) -> np.ndarray:
    """Step of the source with the largest attention for each unknown code.

    Steps (S,) with ``priority`` come before the others.
    """
    attention = cast(np.ndarray, hypothesis.attention)
    weights = attention[np.equal(hypothesis.codes, UNKNOWN)]  # (n_unknown, S)
    return (weights + priority[: attention.shape[1]]).argmax(axis=1)


def fill_placeholders(text: str, words: Iterable[str]) -> str:
    """Text whose placeholders are replaced by words, in their order."""
    remaining = iter(words)
    return re.sub(PLACEHOLDER, lambda _: next(remaining, PLACEHOLDER), text)
