"""Copying of words that are not in the vocabulary from sources into targets."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, cast

import numpy as np
from sklearn.base import clone

from sklearn_rnn._data.tokens import END, RESERVED, UNKNOWN
from sklearn_rnn.text._documents import read_tokens
from sklearn_rnn.text._vectorizer import TokenVectorizer
from sklearn_rnn.translation._beam_search import Hypothesis


def check_copying(source_vectorizer: Any, codec: Any, attention: str | None) -> None:
    """Raise an error unless words of sources can be copied into targets.

    ``source_vectorizer`` encodes the sources, and ``codec`` decodes the targets.
    """
    vectorizers = source_vectorizer, codec.vectorizer
    is_supported = all(isinstance(one, TokenVectorizer) for one in vectorizers)
    if attention is None or not is_supported:
        raise ValueError(
            "copy_unknown=True copies words of source texts into target texts by the "
            "attention. Pass texts as sources and targets, use a CharVectorizer or "
            'WordVectorizer for each, and set attention="additive" or "dot".'
        )
    if source_vectorizer.handle_unknown == "ignore":
        raise ValueError(
            "copy_unknown=True copies unknown words of the sources, but "
            'source_vectorizer leaves them out. Set its handle_unknown="unk".'
        )


class WordCopier:
    """Copier that replaces unknown words of targets by words of their sources.

    Each unknown word is replaced by the source word with the largest attention. If the
    source has unknown words, only these are considered. The word is preprocessed by the
    vectorizer of the targets, for example to lower case.
    """

    def __init__(
        self,
        sources: Sequence,
        source_vectorizer: TokenVectorizer,
        target_vectorizer: TokenVectorizer,
    ) -> None:
        codes = np.asarray(source_vectorizer.transform(sources))
        self.is_unknown = codes == UNKNOWN  # (n, S)
        self.words = list(read_words(sources, source_vectorizer))
        self.first = int(source_vectorizer.boundaries)  # step of the first word
        self.target_vectorizer = target_vectorizer
        self.names = [*RESERVED, *target_vectorizer.vocabulary_]
        self.preprocess = target_vectorizer._reader().build_preprocessor()

    def list_tokens(self, row: int, hypothesis: Hypothesis) -> list[str]:
        """List the tokens of a target of source ``row``, without its end."""
        words = self.words[row]
        steps = choose_steps(hypothesis, self.is_unknown[row]) - self.first
        copies = (words[step] for step in steps.clip(0, len(words) - 1))
        return [
            self.preprocess(next(copies)) if code == UNKNOWN else self.names[code]
            for code in hypothesis.codes
            if code != END
        ]

    def write(self, row: int, hypothesis: Hypothesis) -> str:
        """Return the text of a target of source ``row``."""
        return self.target_vectorizer._join(self.list_tokens(row, hypothesis))

    def compare(self, hypotheses: Sequence[Hypothesis], targets: Iterable) -> list:
        """Find the sources whose target has ended and consists of the true tokens."""
        documents = read_tokens(targets, self.target_vectorizer._reader())
        return [
            one.is_ended and self.list_tokens(row, one) == list(chain(*pieces))
            for row, (one, pieces) in enumerate(zip(hypotheses, documents, strict=True))
        ]


def read_words(sources: Sequence, vectorizer: TokenVectorizer) -> Iterator[list[str]]:
    """Yield the words that the codes of each source represent, in their own case."""
    reader = vectorizer._reader()
    stop_words = reader.get_stop_words() or frozenset()
    reader = clone(reader).set_params(stop_words=None)
    original = clone(reader).set_params(lowercase=False, strip_accents=None)
    documents = (read_tokens(sources, one) for one in (reader, original))
    for pieces, original_pieces in zip(*documents, strict=True):
        tokens, words = list(chain(*pieces)), list(chain(*original_pieces))
        if len(words) != len(tokens):  # preprocessing changed the tokenization
            words = tokens
        pairs = zip(words, tokens, strict=True)
        kept = [word for word, token in pairs if token not in stop_words]
        longest = vectorizer._max_tokens()
        is_cut = longest is not None and vectorizer.truncation == "left"
        yield kept[-longest:] if is_cut else kept


def choose_steps(hypothesis: Hypothesis, priority: np.ndarray) -> np.ndarray:
    """Choose the source step with the largest attention for each unknown code.

    Steps with ``priority`` (S,) are preferred to all others.
    """
    attention = cast(np.ndarray, hypothesis.attention)
    weights = attention[np.equal(hypothesis.codes, UNKNOWN)]  # (n_unknown, S)
    return (weights + priority[: attention.shape[1]]).argmax(axis=1)
