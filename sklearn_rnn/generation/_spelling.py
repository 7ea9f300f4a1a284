"""Bits of the text that tokens do not contain, so that vectorizers can be compared.

The network predicts tokens only. A text also consists of the letters of tokens that are
not in the vocabulary, and of the *gaps* between tokens: white space and all other text
that the tokenizer dropped.
"""

from collections import Counter
from collections.abc import Container, Iterable, Iterator
from math import log2

import numpy as np

from sklearn_rnn.generation._ngram import WittenBell

N_CODE_POINTS = 0x110000 - 0x800  # without surrogates, which text cannot contain
EDGE = ""  # the symbol before and after the characters of a word or gap
DOCUMENT_EDGE = ""  # the kind of the neighbor at the start and the end of a document
WORD_ORDER, GAP_ORDER = 4, 2  # number of characters that predict the next one

Gap = tuple[str, str, str]  # kind of the token before, of the token after, and the text


def unseen_character_bits(n_known: int) -> float:
    """Compute the bits that identify a character outside the vocabulary.

    Parameters
    ----------
    n_known : int
        Number of characters (code points) in the vocabulary.

    Returns
    -------
    float
        log2 of the number of other code points.

    Examples
    --------
    >>> from sklearn_rnn.generation._spelling import unseen_character_bits
    >>> round(unseen_character_bits(83), 4)
    20.0847
    """
    return log2(max(1, N_CODE_POINTS - n_known))


def estimate_dropped_share(n_kept: int, n_dropped: int) -> float:
    """Estimate the probability that a token is dropped because it is unknown.

    If the vectorizer drops unknown tokens, the network predicts neither them nor their
    positions. A separate model drops each token with the same probability. This
    function returns its estimate by Krichevsky and Trofimov, which is never 0 or 1.

    Parameters
    ----------
    n_kept : int
        Number of tokens of the training documents that were kept, including the ends of
        documents, which are never dropped.
    n_dropped : int
        Number of tokens that were dropped.

    Returns
    -------
    float
        Between 0 and 1.

    Examples
    --------
    >>> from sklearn_rnn.generation._spelling import estimate_dropped_share
    >>> estimate_dropped_share(8, 1)
    0.15
    """
    return (n_dropped + 0.5) / (n_kept + n_dropped + 1)


def dropping_bits(share: float, n_kept: int, n_dropped: int) -> float:
    """Compute the bits that encode which tokens of documents are dropped.

    Parameters
    ----------
    share : float
        Probability that a token is dropped.
    n_kept, n_dropped : int
        Number of tokens that are kept, including the ends of documents, and number of
        tokens that are dropped.

    Returns
    -------
    float
        Bits of all documents together.

    Examples
    --------
    >>> from sklearn_rnn.generation._spelling import dropping_bits
    >>> dropping_bits(0.5, 6, 2)
    8.0
    """
    return -(n_kept * log2(1 - share) + n_dropped * log2(share))


def classify_token(token: str) -> str:
    """Return the kind of a token: "number", "word", or its first punctuation mark."""
    if token.isdecimal():
        return "number"
    return "word" if any(map(str.isalnum, token)) else token[:1]


def find_gaps(text: str, tokens: Iterable[str]) -> Iterator[Gap]:
    """Yield the gap before each token and after the last one.

    The position of a token is its first occurrence after the previous token.

    Raises
    ------
    ValueError
        If a token does not occur after the previous one.
    """
    end, left = 0, DOCUMENT_EDGE
    for row, token in enumerate(tokens):
        start = text.find(token, end)
        if start < 0:
            raise ValueError(
                f"the vectorizer changes text: token {row}, {token!r}, does not occur "
                f"in the rest of its document, {text[end : end + 30]!r}... Bits per "
                "character would refer to another text and could not be compared. Set "
                "lowercase=False and strip_accents=None, and do not use a preprocessor "
                "or a tokenizer that changes characters."
            )
        right = classify_token(token)
        yield left, right, text[end:start]
        end, left = start + len(token), right
    yield left, DOCUMENT_EDGE, text[end:]


class TextCounts:
    """Counts of the tokens and gaps in documents.

    Parameters
    ----------
    longest_gap : int or None, default=64
        Maximum number of characters of a gap that are kept, because the rest of a
        document that ``max_length`` cuts off may be long. None keeps all.

    Attributes
    ----------
    words : Counter of str
        Counts of the tokens.
    gaps : Counter of tuples
        Counts of (kind of the token before, kind of the token after, gap).
    """

    def __init__(self, longest_gap: int | None = 64):
        self.longest_gap = longest_gap
        self.words: Counter[str] = Counter()
        self.gaps: Counter[Gap] = Counter()

    def update(self, text: str, tokens: list[str]) -> None:
        """Count the tokens of a document and its gaps.

        Parameters
        ----------
        text : str
            A document, or a piece of one.
        tokens : list of str
            All of its tokens in order.

        Raises
        ------
        ValueError
            If the tokens do not occur in the text, because scores would not be
            comparable.
        """
        gaps = find_gaps(text, tokens)
        self.gaps.update((a, b, gap[: self.longest_gap]) for a, b, gap in gaps)
        self.words.update(tokens)


class Spelling:
    """A model of the text that known tokens do not contain.

    Parameters
    ----------
    counts : TextCounts
        Counts of the training documents. Neither they nor their words are kept.
    known : container of str
        Tokens of the vocabulary.

    Notes
    -----
    An unknown token is spelled character by character, up to an end mark, by a
    Witten-Bell model of the unknown training words; if all are known, of the words that
    occur once. Its symbols are all code points, so each text has a positive
    probability.

    A gap is predicted from the kinds of its two neighbors: word, number, edge of the
    document, or punctuation. Each punctuation mark is a kind, because commas, brackets
    and dashes have white space on different sides. Gaps that were not seen between two
    kinds are spelled::

        p(gap | left, right) = (c + T p_spelled(gap)) / (C + T)

    where c is the count of the gap between these kinds, C the count of all gaps there,
    and T the number of different gaps there.

    The probabilities of all words sum to at most 1, and so do those of all gaps between
    two kinds.

    Attributes
    ----------
    saw_unknown : bool
        Whether the training documents contain unknown words.

    Examples
    --------
    >>> from sklearn_rnn.generation._spelling import Spelling, TextCounts
    >>> counts = TextCounts()
    >>> counts.update("a cat, a dog, a cow", "a cat , a dog , a cow".split())
    >>> spelling = Spelling(counts, known={"a", ",", "cat"})
    >>> scored = TextCounts(longest_gap=None)
    >>> scored.update("a cat, a cod", "a cat , a cod".split())
    >>> round(spelling.bits(scored, known={"a", ",", "cat"}), 2)
    13.87
    """

    def __init__(self, counts: TextCounts, known: Container[str]):
        words = counts.words
        rare = {word: n for word, n in words.items() if word not in known}
        self.saw_unknown = bool(rare)
        rare = rare or {word: n for word, n in words.items() if n == 1} or words
        self._letters = _fit_letters(WORD_ORDER, rare, rare.values())
        self._gaps = dict(counts.gaps)
        self._totals: Counter[tuple[str, str]] = Counter()
        self._types: Counter[tuple[str, str]] = Counter()
        for (left, right, _), n in self._gaps.items():
            self._totals[left, right] += n
            self._types[left, right] += 1
        # each gap counts once per pair of kinds, because only new gaps are spelled
        self._gap_letters = _fit_letters(GAP_ORDER, [gap for *_, gap in self._gaps])

    def bits(self, counts: TextCounts, known: Container[str]) -> float:
        """Compute the bits of the text that known tokens do not contain.

        Parameters
        ----------
        counts : TextCounts
            Counts of the documents to score, with ``longest_gap=None``.
        known : container of str
            Tokens of the vocabulary.

        Returns
        -------
        float
            Bits of all documents together.
        """
        unknown = {word: n for word, n in counts.words.items() if word not in known}
        words = np.dot(self.word_bits(unknown), list(unknown.values()))
        gaps = np.dot(self.gap_bits(counts.gaps), list(counts.gaps.values()))
        return float(words + gaps)

    def word_bits(self, words: Iterable[str]) -> np.ndarray:
        """Compute minus log2 of the probability of each word, (n_words,)."""
        return _spelling_bits(self._letters, words)

    def gap_bits(self, gaps: Iterable[Gap]) -> np.ndarray:
        """Compute minus log2 p(gap | left, right) of each gap, (n_gaps,)."""
        gaps = list(gaps)
        pairs = [(left, right) for left, right, _ in gaps]
        seen = np.array([self._gaps.get(gap, 0) for gap in gaps])
        # for kinds that were never neighbors, C = 0 and T = 1: the gap is spelled
        total = np.array([self._totals.get(pair, 0) for pair in pairs])
        types = np.array([self._types.get(pair, 1) for pair in pairs])
        spelled = _spelling_bits(self._gap_letters, [gap for *_, gap in gaps])
        # in logarithms, since 2 ** -spelled may underflow to 0
        with np.errstate(divide="ignore"):
            return np.log2(total + types) - np.logaddexp2(
                np.log2(seen), np.log2(types) - spelled
            )


def _add_edges(text: str) -> tuple[str, ...]:
    """Put an edge before and after the characters of a text."""
    return (EDGE, *text, EDGE)


def _fit_letters(
    order: int, texts: Iterable[str], weights: Iterable[float] | None = None
) -> WittenBell:
    """Fit a model of the characters of texts."""
    return WittenBell(order).fit(map(_add_edges, texts), N_CODE_POINTS + 1, weights)


def _spelling_bits(letters: WittenBell, texts: Iterable[str]) -> np.ndarray:
    """Compute the bits (n_texts,) of each text, given the edge at its start."""
    return letters.code_lengths(map(_add_edges, texts)) - letters.code_lengths([[EDGE]])
