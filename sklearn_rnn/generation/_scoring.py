"""Scores of texts: the bits of their tokens, and of the text that tokens do not show.

With both, scores of generators with different vectorizers can be compared.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn._data.tokens import RESERVED, UNKNOWN
from sklearn_rnn._training.corpus import make_corpus
from sklearn_rnn.generation._language_model import LanguageModel
from sklearn_rnn.generation._spelling import (
    Spelling,
    TextCounts,
    dropping_bits,
    estimate_dropped_share,
    unseen_character_bits,
)
from sklearn_rnn.text import CharVectorizer
from sklearn_rnn.text._codecs import CodeCodec
from sklearn_rnn.text._vectorizer import TokenVectorizer

INCOMPARABLE = (
    "scores would not be comparable, since the vectorizer changes text ({}). Bits per "
    "character refer to the text as given: set lowercase=False, strip_accents=None and "
    "no preprocessor. perplexity() scores the tokens alone."
)
UNKNOWN_CODES = (
    "X has {} unknown codes, whose text the generator does not know, so that a smaller "
    "vocabulary would always have the better score. Set SequenceGenerator(vectorizer="
    "...) instead of a vectorizer in front of it, which scores the whole text, or "
    "compare networks over the same codes by perplexity()."
)
UNSCORED = (
    "the vectorizer changes text ({}), so that the generator cannot score texts. Set "
    "lowercase=False, strip_accents=None and no preprocessor, or change the texts "
    "before fit."
)
UNLEARNED_UNKNOWN = (
    "the vectorizer keeps all words, also the {} that occur only once, so that the "
    "generator cannot learn where unknown words occur and scores them badly. Set "
    "min_count=2, or more, in the vectorizer: rare words then stand for unknown ones."
)
UNSEEN_UNKNOWN = (
    "X has tokens that the vocabulary does not, while the training text had none, so "
    "that the generator has not learned where they occur, and they score badly. Set "
    "min_count=2, or more, in the vectorizer: rare tokens then stand for unknown ones."
)
UNKNOWN_TOKENS = (
    "X has {} token(s) that the model does not know. Each is scored as an unknown "
    "token; which one it is costs nothing."
)


@dataclass(frozen=True, eq=False)
class TokenScores:
    """How likely each token of a document is, given those before it.

    :meth:`SequenceGenerator.score_tokens` returns one for each document.

    Parameters
    ----------
    tokens : list of length n_tokens + 1
        The tokens as the network reads them, and the end at the end. Unknown tokens are
        "<unk>", the end is "<end>". Of a TokenArray, the codes: 1 is unknown, 3 the
        end.
    log_proba : ndarray of shape (n_tokens + 1,)
        Log-probability of each of them in nats, given those before it.
    is_known : ndarray of bool of shape (n_tokens + 1,)
        Whether the token is in the vocabulary. The log-probability of one that is not
        is that of any unknown token.
    """

    tokens: list[Hashable]
    log_proba: np.ndarray
    is_known: np.ndarray

    @property
    def total(self) -> float:
        """Log-probability of the document in nats, its end included."""
        return float(self.log_proba.sum())


def bits_per_character(model: LanguageModel, documents: Iterable[Any]) -> float:
    """Bits per character of texts, or else bits per token.

    They include what tokens do not show of a text.
    """
    hidden, vectorizer = None, model.codec.vectorizer
    if vectorizer is not None:
        hidden = HiddenTextCost(
            vectorizer, model.spelling, model.codec.code_of, model.dropped_share
        )
    lengths, flat = _encode(model, documents, hidden)
    if hidden is None:
        _check_unknown(model.codec, np.count_nonzero(flat == UNKNOWN))
    n_characters = int(lengths.sum()) if hidden is None else hidden.n_characters
    if not n_characters:
        raise ValueError("X has no characters, so there is nothing to score.")
    bits = _token_bits(model, lengths, flat)
    if hidden is not None:
        bits += hidden.bits(lengths)
    return float(bits / n_characters)


def perplexity(model: LanguageModel, documents: Iterable[Any]) -> float:
    """2 to the power of the mean bits per token, the end of each document included."""
    lengths, flat = _encode(model, documents)
    return float(2 ** (_token_bits(model, lengths, flat) / (lengths + 1).sum()))


def score_tokens(model: LanguageModel, documents: Iterable[Any]) -> list[TokenScores]:
    """Log-probabilities of the tokens and the end of each document."""
    corpus = make_corpus(*_encode(model, documents))
    log_proba = -model.token_losses(corpus)
    names = [*RESERVED, *model.codec.names]
    if isinstance(model.codec, CodeCodec):
        names = list(range(len(names)))
    scores = []
    ends = np.cumsum(corpus.lengths)
    for start, end, n in zip(corpus.starts, ends, corpus.lengths, strict=True):
        codes = corpus.codes[start + 1 : start + n + 1]
        scores.append(
            TokenScores(
                [names[code] for code in codes],
                log_proba[end - n : end].copy(),  # not a view that keeps all of them
                codes != UNKNOWN,
            )
        )
    return scores


def _encode(model, documents, watch=None):
    """The lengths of the documents and their codes."""
    lengths, flat = model.codec.encode(documents, watch)
    if not len(lengths):
        raise ValueError("X holds no document. Give at least one.")
    return lengths, flat


def _token_bits(model, lengths, flat):
    """Bits of all tokens and ends."""
    return model.token_losses(make_corpus(lengths, flat)).sum() / np.log(2)


def _check_unknown(codec, n_unknown):
    """Refuse or report unknown tokens of documents whose text is not known."""
    if not n_unknown:
        return
    if isinstance(codec, CodeCodec):
        raise ValueError(UNKNOWN_CODES.format(n_unknown))
    warn_user(UNKNOWN_TOKENS.format(n_unknown))


def warn_of_vectorizer(
    vectorizer: Any, spelling: Spelling | None, flat: np.ndarray
) -> None:
    """Warn of a vectorizer with which texts can be scored badly or not at all.

    ``flat`` are the codes that it made of the training documents.
    """
    if change := find_change(vectorizer, spelling):
        warn_user(UNSCORED.format(change))
    if (
        not isinstance(vectorizer, TokenVectorizer)
        or splits_characters(vectorizer)
        or vectorizer.handle_unknown != "unk"
        or vectorizer.vocabulary is not None
        or (flat == UNKNOWN).any()
    ):
        return
    n_single = np.count_nonzero(np.bincount(flat) == 1)
    if n_single:  # otherwise no word was rare, and new ones are not to be expected
        warn_user(UNLEARNED_UNKNOWN.format(n_single))


class SpellingRecorder:
    """Counts tokens and gaps of the training texts while a codec reads them.

    :meth:`fit_spelling` returns None if every character is a token, so that nothing is
    hidden, or if the vectorizer changes text, so that its tokens are not found in it.
    """

    def __init__(self, vectorizer):
        is_needless = splits_characters(vectorizer) or find_folding(vectorizer)
        self._counts = None if is_needless else TextCounts()
        self._drops, self._n_tokens = drops_unknown(vectorizer), 0

    def __call__(self, text, tokens):
        self._n_tokens += len(tokens)
        if self._counts is None or text is None:
            return
        try:
            self._counts.update(text, tokens)
        except ValueError:  # the user's tokenizer, say a stemmer, changes text
            self._counts = None

    def fit_spelling(self, known):
        """The spelling model for a vocabulary that holds the tokens ``known``."""
        return None if self._counts is None else Spelling(self._counts, known)

    def fit_dropped_share(self, lengths):
        """The share of tokens that were dropped from documents of these lengths.

        None if the vectorizer drops none.
        """
        if not self._drops:
            return None
        n_kept = int(lengths.sum())
        return estimate_dropped_share(n_kept + len(lengths), self._n_tokens - n_kept)


class HiddenTextCost:
    """Counts what the tokens of scored texts do not show; :meth:`bits` is its cost."""

    def __init__(self, vectorizer, spelling, known, dropped_share):
        if change := find_change(vectorizer, spelling):
            raise ValueError(INCOMPARABLE.format(change))
        self._spelling, self._known = spelling, known
        self._dropped_share = dropped_share
        self._counts, self._n_tokens = TextCounts(longest_gap=None), 0
        self._n_unknown = 0  # of characters, counted only where nothing is spelled
        self.n_characters = 0

    def __call__(self, text, tokens):
        if text is None:  # the user gave tokens, whose text is not known
            raise ValueError(INCOMPARABLE.format("documents are given as tokens"))
        self.n_characters += len(text)
        self._n_tokens += len(tokens)
        if self._spelling is None:
            self._n_unknown += sum(token not in self._known for token in tokens)
        else:
            self._counts.update(text, tokens)

    def bits(self, lengths):
        """Bits of what is hidden of the documents, of which so many tokens are read."""
        if self._spelling is None:
            n_known = sum(len(character) == 1 for character in self._known)
            bits = self._n_unknown * unseen_character_bits(n_known)
        else:
            bits = self._spelling.bits(self._counts, self._known)
            if not (
                self._spelling.saw_unknown
                or self._known.keys() >= self._counts.words.keys()
            ):
                warn_user(UNSEEN_UNKNOWN)
        if self._dropped_share is None:
            return bits
        n_kept = int(lengths.sum())
        n_dropped = self._n_tokens - n_kept
        return bits + dropping_bits(
            self._dropped_share, n_kept + len(lengths), n_dropped
        )


def splits_characters(vectorizer):
    """Whether the tokens are all the characters, one by one."""
    return isinstance(vectorizer, CharVectorizer) and vectorizer.tokenizer is None


def drops_unknown(vectorizer):
    """Whether the network does not read unknown tokens at all."""
    return (
        isinstance(vectorizer, TokenVectorizer)
        and vectorizer.handle_unknown == "ignore"
    )


def find_change(vectorizer, spelling):
    """How a vectorizer changes text, which then cannot be scored; None if it does not.

    ``spelling`` is what :class:`SpellingRecorder` fitted.
    """
    if spelling is None and not splits_characters(vectorizer):
        return find_folding(vectorizer) or "its tokens are not in it"
    return find_folding(vectorizer)


def find_folding(vectorizer):
    """The parameter by which a vectorizer changes text, as in a call, or None."""
    for name in ("lowercase", "strip_accents", "preprocessor"):
        value = getattr(vectorizer, name, None)
        if value:
            return f"{name}={value!r}"
    return None
