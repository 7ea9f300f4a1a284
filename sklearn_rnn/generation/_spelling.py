"""Bits of the text that tokens do not show, so that vectorizers can be compared.

A network over tokens predicts tokens. The text itself also consists of the letters of
tokens that the vocabulary lacks, and of the *gaps* between tokens: white space and
whatever else the tokenizer dropped.
"""

from collections import Counter
from collections.abc import Container, Iterable, Iterator
from math import log2

import numpy as np

from sklearn_rnn.generation._ngram import WittenBell

N_CODE_POINTS = 0x110000 - 0x800  # all but the surrogates, which no text can hold
EDGE = ""  # the symbol before and after the characters of a word or gap
DOCUMENT_EDGE = ""  # the kind of the neighbour at the start and the end of a document
WORD_ORDER, GAP_ORDER = 4, 2  # characters that predict the next one

Gap = tuple[str, str, str]  # kind of the token before, of the one after, and the text


def unseen_character_bits(n_known: int) -> float:
    """Bits that identify a character outside a vocabulary of ``n_known`` characters.

    Parameters
    ----------
    n_known : int
        How many characters (code points) the vocabulary holds.

    Returns
    -------
    float
        log2 of the number of other code points. Where every character is a token,
        nothing else is hidden.

    Examples
    --------
    >>> from sklearn_rnn.generation._spelling import unseen_character_bits
    >>> round(unseen_character_bits(83), 4)
    20.0847
    """
    return log2(max(1, N_CODE_POINTS - n_known))


def estimate_dropped_share(n_kept: int, n_dropped: int) -> float:
    """The probability that the next token is dropped, as one outside the vocabulary.

    Where unknown tokens are dropped, the network predicts neither them nor their
    places. A separate model does: each token is dropped with the same probability, of
    which this is the estimate of Krichevsky and Trofimov. It is never 0 nor 1.

    Parameters
    ----------
    n_kept : int
        How many tokens of the training documents were kept, with the ends of documents,
        which are never dropped.
    n_dropped : int
        How many were dropped.

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
    """Bits that say for each token, and the end of each document, whether it is kept.

    Parameters
    ----------
    share : float
        The probability that a token is dropped.
    n_kept, n_dropped : int
        How many tokens, with the ends of documents, were kept, and how many dropped.

    Returns
    -------
    float
        Over all documents.

    Examples
    --------
    >>> from sklearn_rnn.generation._spelling import dropping_bits
    >>> dropping_bits(0.5, 6, 2)
    8.0
    """
    return -(n_kept * log2(1 - share) + n_dropped * log2(share))


def classify_token(token: str) -> str:
    """The kind of a token, on which gaps depend: number, word, or its first mark."""
    if token.isdecimal():
        return "number"
    return "word" if any(map(str.isalnum, token)) else token[:1]


def gaps_between(text: str, tokens: Iterable[str]) -> Iterator[Gap]:
    """The gap before each token and after the last one.

    Each token is located where it first occurs after the one before it.

    Raises
    ------
    ValueError
        If a token does not occur there.
    """
    end, left = 0, DOCUMENT_EDGE
    for row, token in enumerate(tokens):
        start = text.find(token, end)
        if start < 0:
            raise ValueError(
                f"the vectorizer changes text: token {row}, {token!r}, is not in the "
                f"rest of its document, {text[end : end + 30]!r}... Bits per character "
                "of such tokens say nothing about the text as given, and cannot be "
                "compared. Set lowercase=False and strip_accents=None, and use no "
                "preprocessor nor a tokenizer that changes characters."
            )
        right = classify_token(token)
        yield left, right, text[end:start]
        end, left = start + len(token), right
    yield left, DOCUMENT_EDGE, text[end:]


class TextCounts:
    """How often each token and each gap occurs in documents.

    Parameters
    ----------
    longest_gap : int or None, default=64
        Number of characters that are kept of a gap: the rest of a document that
        ``max_length`` cuts off may be long. None keeps all.

    Attributes
    ----------
    words : Counter of str
        The tokens.
    gaps : Counter of tuples
        Kind of the token before, kind of the token after, and the gap.
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
            All that the vectorizer made of it, in order.

        Raises
        ------
        ValueError
            If the tokens are not in the text: scores would not be comparable.
        """
        gaps = gaps_between(text, tokens)
        self.gaps.update((a, b, gap[: self.longest_gap]) for a, b, gap in gaps)
        self.words.update(tokens)


class Spelling:
    """A model of what known tokens do not show of a text.

    Parameters
    ----------
    counts : TextCounts
        Counts of the training documents. Neither they nor their words are kept.
    known : container of str
        The tokens that the vocabulary holds.

    Notes
    -----
    An unknown token is spelled character by character up to an end mark, by a
    Witten-Bell model of the training words that are not known; where all are known, of
    those seen once. Its symbols are all code points, so that every text has a cost.

    A gap is predicted from the kinds of its two neighbours: a word, a number, the edge
    of the document, or punctuation, each mark of its own kind, since white space is on
    one side of a comma, a bracket or a dash. Gaps not seen between such neighbours are
    spelled::

        p(gap | left, right) = (c + T p_spelled(gap)) / (C + T)

    with c the count of the gap there, C the count of all gaps, and T the number of
    different gaps.

    All probabilities of words, and of gaps between two kinds, sum to at most 1.

    Attributes
    ----------
    saw_unknown : bool
        Whether training documents had words that are not known.

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
        # each gap once per pair of kinds: gaps that are new to a pair are spelled
        self._gap_letters = _fit_letters(GAP_ORDER, [gap for *_, gap in self._gaps])

    def bits(self, counts: TextCounts, known: Container[str]) -> float:
        """Bits of the counted texts that their known tokens do not show.

        Parameters
        ----------
        counts : TextCounts
            Counts of the documents to score, with ``longest_gap=None``.
        known : container of str
            The tokens that the vocabulary holds.

        Returns
        -------
        float
            Over all documents.
        """
        unknown = {word: n for word, n in counts.words.items() if word not in known}
        words = np.dot(self.word_bits(unknown), list(unknown.values()))
        gaps = np.dot(self.gap_bits(counts.gaps), list(counts.gaps.values()))
        return float(words + gaps)

    def word_bits(self, words: Iterable[str]) -> np.ndarray:
        """Minus log2 of the probability of each word, (n_words,)."""
        return _spelling_bits(self._letters, words)

    def gap_bits(self, gaps: Iterable[Gap]) -> np.ndarray:
        """Minus log2 of the probability of each gap given its neighbours, (n_gaps,)."""
        gaps = list(gaps)
        pairs = [(left, right) for left, right, _ in gaps]
        seen = np.array([self._gaps.get(gap, 0) for gap in gaps])
        # between kinds that never met, 0 of 0 gaps and 1 type: the whole gap is spelled
        total = np.array([self._totals.get(pair, 0) for pair in pairs])
        types = np.array([self._types.get(pair, 1) for pair in pairs])
        spelled = _spelling_bits(self._gap_letters, [gap for *_, gap in gaps])
        with np.errstate(divide="ignore"):  # in logarithms: 2 ** -spelled may be 0
            return np.log2(total + types) - np.logaddexp2(
                np.log2(seen), np.log2(types) - spelled
            )


def _add_edges(text: str) -> tuple[str, ...]:
    """The characters of a text between two edges."""
    return (EDGE, *text, EDGE)


def _fit_letters(
    order: int, texts: Iterable[str], weights: Iterable[float] | None = None
) -> WittenBell:
    """A model of the characters of texts."""
    return WittenBell(order).fit(map(_add_edges, texts), N_CODE_POINTS + 1, weights)


def _spelling_bits(letters: WittenBell, texts: Iterable[str]) -> np.ndarray:
    """Bits (n_texts,) of each text; the edge at its beginning is given and free."""
    return letters.code_lengths(map(_add_edges, texts)) - letters.code_lengths([[EDGE]])
