"""Scores of texts: the bits of their tokens, and of the text that tokens do not show.

With both, scores of generators with different vectorizers can be compared.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from sklearn_rnn._training.corpus import make_corpus
from sklearn_rnn.generation._language_model import LanguageModel
from sklearn_rnn.generation._spelling import Spelling, TextCounts, unseen_character_bits
from sklearn_rnn.text import CharVectorizer

INCOMPARABLE = (
    "scores would not be comparable, since the vectorizer changes text ({}). Bits per "
    "character refer to the text as given: set lowercase=False, strip_accents=None and "
    "no preprocessor. perplexity() scores the tokens alone."
)


def bits_per_character(model: LanguageModel, documents: Iterable[Any]) -> float:
    """Bits per character of texts, or else bits per token.

    They include what tokens do not show of a text.
    """
    hidden, vectorizer = None, model.codec.vectorizer
    if vectorizer is not None:
        hidden = HiddenTextCost(vectorizer, model.spelling, model.codec.code_of)
    bits, lengths = _token_bits(model, documents, hidden)
    n_characters = int(lengths.sum())
    if hidden is not None:
        bits, n_characters = bits + hidden.bits, hidden.n_characters
    if not n_characters:
        raise ValueError("X has no characters, so there is nothing to score.")
    return bits / n_characters


def perplexity(model: LanguageModel, documents: Iterable[Any]) -> float:
    """2 to the power of the mean bits per token, the end of each document included."""
    bits, lengths = _token_bits(model, documents)
    return float(2 ** (bits / (lengths + 1).sum()))


def _token_bits(model, documents, watch=None):
    """Bits of all tokens and ends, and the number of tokens of each document."""
    lengths, flat = model.codec.encode(documents, watch)
    if not len(lengths):
        raise ValueError("X holds no document. Give at least one.")
    losses = model.token_losses(make_corpus(lengths, flat))
    return losses.sum() / np.log(2), lengths


class SpellingRecorder:
    """Counts tokens and gaps of the training texts while a codec reads them.

    :meth:`fit_spelling` returns None if every character is a token, so that nothing is
    hidden, or if the vectorizer changes text, so that its tokens are not found in it.
    """

    def __init__(self, vectorizer):
        is_needless = splits_characters(vectorizer) or find_folding(vectorizer)
        self._counts = None if is_needless else TextCounts()

    def __call__(self, text, tokens):
        if self._counts is None or text is None:
            return
        try:
            self._counts.update(text, tokens)
        except ValueError:  # the user's tokenizer, say a stemmer, changes text
            self._counts = None

    def fit_spelling(self, known):
        """The spelling model for a vocabulary that holds the tokens ``known``."""
        return None if self._counts is None else Spelling(self._counts, known)


class HiddenTextCost:
    """Counts what the tokens of scored texts do not show; ``bits`` is its cost."""

    def __init__(self, vectorizer, spelling, known):
        reason = find_folding(vectorizer)
        if reason or (spelling is None and not splits_characters(vectorizer)):
            raise ValueError(INCOMPARABLE.format(reason or "its tokens are not in it"))
        self._spelling, self._known = spelling, known
        self._counts, self._n_unknown = TextCounts(longest_gap=None), 0
        self.n_characters = 0

    def __call__(self, text, tokens):
        if text is None:  # the user gave tokens, whose text is not known
            raise ValueError(INCOMPARABLE.format("documents are given as tokens"))
        self.n_characters += len(text)
        if self._spelling is None:
            self._n_unknown += sum(token not in self._known for token in tokens)
        else:
            self._counts.update(text, tokens)

    @property
    def bits(self):
        """Bits of all hidden text that was counted."""
        if self._spelling is None:
            return self._n_unknown * unseen_character_bits(len(self._known))
        return self._spelling.bits(self._counts, self._known)


def splits_characters(vectorizer):
    """Whether the tokens are all the characters, one by one."""
    return isinstance(vectorizer, CharVectorizer) and vectorizer.tokenizer is None


def find_folding(vectorizer):
    """The parameter by which a vectorizer changes text, as in a call, or None."""
    for name in ("lowercase", "strip_accents", "preprocessor"):
        value = getattr(vectorizer, name, None)
        if value:
            return f"{name}={value!r}"
    return None
