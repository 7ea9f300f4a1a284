"""Scores of texts: bits of their tokens, and of the text that tokens do not contain.

Both are counted, so that generators with different vectorizers can be compared.
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
    "character refer to the unchanged text: set lowercase=False, strip_accents=None "
    "and no preprocessor. perplexity() scores the tokens alone."
)
UNKNOWN_CODES = (
    "X has {} unknown codes. The generator does not know their text, so a smaller "
    "vocabulary would always have a better score. To score the whole text, use "
    "SequenceGenerator(vectorizer=...) instead of a vectorizer in front of it; to "
    "compare networks with the same codes, use perplexity()."
)
UNSCORED = (
    "the vectorizer changes text ({}), so the generator cannot score texts. Set "
    "lowercase=False, strip_accents=None and no preprocessor, or change the texts "
    "before fit."
)
UNLEARNED_UNKNOWN = (
    "the vectorizer keeps all words, including the {} that occur only once, so the "
    "generator cannot learn where unknown words occur and gives them bad scores. Set "
    "min_count=2 or more in the vectorizer: rare words are then read as unknown words."
)
UNSEEN_UNKNOWN = (
    "X has unknown tokens, but the training text had none, so the generator has not "
    "learned where unknown tokens occur and gives them bad scores. Set min_count=2 or "
    "more in the vectorizer: rare tokens are then read as unknown tokens."
)
UNKNOWN_TOKENS = (
    "X has {} token(s) that the model does not know. Each is scored as any unknown "
    "token, and the score does not include which one it is."
)


@dataclass(frozen=True, eq=False)
class TokenScores:
    """Log-probabilities of the tokens of a document, given those before them.

    :meth:`SequenceGenerator.score_tokens` returns one object per document.

    Parameters
    ----------
    tokens : list of length n_tokens + 1
        Tokens as the network reads them, and the end of the document. Unknown tokens
        are "<unk>", and the end is "<end>". For a TokenArray these are codes: 1 is an
        unknown token, 3 the end.
    log_proba : ndarray of shape (n_tokens + 1,)
        Log-probability in nats of each token, given those before it. For an unknown
        token, it is the log-probability of any unknown token.
    is_known : ndarray of bool of shape (n_tokens + 1,)
        Whether each token is in the vocabulary.
    """

    tokens: list[Hashable]
    log_proba: np.ndarray
    is_known: np.ndarray

    @property
    def total(self) -> float:
        """Log-probability of the document in nats, including its end."""
        return float(self.log_proba.sum())


def bits_per_character(model: LanguageModel, documents: Iterable[Any]) -> float:
    """Compute the bits per character of texts, or per token of other documents.

    They include the text that tokens do not contain.
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
        raise ValueError("X has no characters to score. Pass at least one text.")
    bits = _token_bits(model, lengths, flat)
    if hidden is not None:
        bits += hidden.bits(lengths)
    return float(bits / n_characters)


def perplexity(model: LanguageModel, documents: Iterable[Any]) -> float:
    """Compute 2 ** (mean bits per token), including the end of each document."""
    lengths, flat = _encode(model, documents)
    return float(2 ** (_token_bits(model, lengths, flat) / (lengths + 1).sum()))


def score_tokens(model: LanguageModel, documents: Iterable[Any]) -> list[TokenScores]:
    """Compute log-probabilities of the tokens and the end of each document."""
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
                log_proba[end - n : end].copy(),  # a view would keep the whole array
                codes != UNKNOWN,
            )
        )
    return scores


def _encode(model, documents, watch=None):
    """Return the lengths of the documents and their codes."""
    lengths, flat = model.codec.encode(documents, watch)
    if not len(lengths):
        raise ValueError("X contains no document. Pass at least one.")
    return lengths, flat


def _token_bits(model, lengths, flat):
    """Compute the bits of all tokens and ends of documents."""
    return model.token_losses(make_corpus(lengths, flat)).sum() / np.log(2)


def _check_unknown(codec, n_unknown):
    """Raise an error or warn if documents without text have unknown tokens."""
    if not n_unknown:
        return
    if isinstance(codec, CodeCodec):
        raise ValueError(UNKNOWN_CODES.format(n_unknown))
    warn_user(UNKNOWN_TOKENS.format(n_unknown))


def warn_of_vectorizer(
    vectorizer: Any, spelling: Spelling | None, flat: np.ndarray
) -> None:
    """Warn if texts can be scored badly or not at all with a vectorizer.

    ``flat`` are the codes of the training documents.
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
    if n_single:  # otherwise no word is rare, and unknown words are unlikely
        warn_user(UNLEARNED_UNKNOWN.format(n_single))


class SpellingRecorder:
    """Counter of the tokens and gaps of training texts while a codec reads them.

    :meth:`fit_spelling` returns None if each character is a token, because the tokens
    then contain the whole text, or if the vectorizer changes text, because its tokens
    do not occur in the text then.
    """

    def __init__(self, vectorizer):
        is_skipped = splits_characters(vectorizer) or find_folding(vectorizer)
        self._counts = None if is_skipped else TextCounts()
        self._drops, self._n_tokens = drops_unknown(vectorizer), 0

    def __call__(self, text, tokens):
        self._n_tokens += len(tokens)
        if self._counts is None or text is None:
            return
        try:
            self._counts.update(text, tokens)
        except ValueError:  # the user's tokenizer, such as a stemmer, changes text
            self._counts = None

    def fit_spelling(self, known):
        """Fit the spelling model for a vocabulary of the tokens ``known``."""
        return None if self._counts is None else Spelling(self._counts, known)

    def fit_dropped_share(self, lengths):
        """Estimate the share of tokens that are dropped, given the documents' lengths.

        It is None if the vectorizer does not drop tokens.
        """
        if not self._drops:
            return None
        n_kept = int(lengths.sum())
        return estimate_dropped_share(n_kept + len(lengths), self._n_tokens - n_kept)


class HiddenTextCost:
    """Counter of the text that tokens do not contain, which computes its bits."""

    def __init__(self, vectorizer, spelling, known, dropped_share):
        if change := find_change(vectorizer, spelling):
            raise ValueError(INCOMPARABLE.format(change))
        self._spelling, self._known = spelling, known
        self._dropped_share = dropped_share
        self._counts, self._n_tokens = TextCounts(longest_gap=None), 0
        self._n_unknown = 0  # unknown characters, if each character is a token
        self.n_characters = 0

    def __call__(self, text, tokens):
        if text is None:  # the user gave tokens, whose text is not known
            raise ValueError(INCOMPARABLE.format("documents are passed as tokens"))
        self.n_characters += len(text)
        self._n_tokens += len(tokens)
        if self._spelling is None:
            self._n_unknown += sum(token not in self._known for token in tokens)
        else:
            self._counts.update(text, tokens)

    def bits(self, lengths):
        """Compute the bits of the counted text of documents that have these lengths."""
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
    """Return whether each character of a text is a token."""
    return isinstance(vectorizer, CharVectorizer) and vectorizer.tokenizer is None


def drops_unknown(vectorizer):
    """Return whether a vectorizer leaves out unknown tokens."""
    return (
        isinstance(vectorizer, TokenVectorizer)
        and vectorizer.handle_unknown == "ignore"
    )


def find_change(vectorizer, spelling):
    """Describe how a vectorizer changes text; return None if it does not.

    Changed texts cannot be scored. ``spelling`` is the model that
    :class:`SpellingRecorder` fitted.
    """
    if spelling is None and not splits_characters(vectorizer):
        return find_folding(vectorizer) or "its tokens do not occur in the text"
    return find_folding(vectorizer)


def find_folding(vectorizer):
    """Find the parameter by which a vectorizer changes text: "lowercase=True"."""
    for name in ("lowercase", "strip_accents", "preprocessor"):
        value = getattr(vectorizer, name, None)
        if value:
            return f"{name}={value!r}"
    return None
