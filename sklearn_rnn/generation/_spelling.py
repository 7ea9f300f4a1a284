"""What tokens hide of a text, in bits, so that any two vectorizers can be compared.

A network over tokens foretells tokens. To write the text itself one has to spell the
tokens that its vocabulary lacks, and to write the *gaps*: what stands between tokens,
white space and whatever else the tokenizer dropped.
"""

from collections import Counter
from collections.abc import Container, Iterable, Iterator
from math import log2

import numpy as np

from sklearn_rnn.generation._ngram import WittenBell

N_CODE_POINTS = 0x110000 - 0x800  # all that a text can hold: surrogates it cannot
EDGE = ""  # the symbol before and after the characters of a word or gap
DOCUMENT_EDGE = ""  # the kind of what stands before the first and after the last token
WORD_ORDER, GAP_ORDER = 4, 2  # characters that foretell the next one

Gap = tuple[str, str, str]  # kind of the token before, of the one after, and the text


def unseen_character_bits(n_known: int) -> float:
    """What it costs to name a character outside a vocabulary of ``n_known`` ones.

    Parameters
    ----------
    n_known : int
        How many characters (code points) the vocabulary holds.

    Returns
    -------
    float
        In bits: log2 of how many other code points there are. Where every character
        is a token, nothing else is hidden.

    Examples
    --------
    >>> from sklearn_rnn.generation._spelling import unseen_character_bits
    >>> round(unseen_character_bits(83), 4)
    20.0847
    """
    return log2(N_CODE_POINTS - n_known)


def kind(token: str) -> str:
    """What a token is to the gaps around it: a number, a word, or one kind of mark."""
    if token.isdecimal():
        return "number"
    return "word" if any(map(str.isalnum, token)) else token[:1]


def gaps_between(text: str, tokens: Iterable[str]) -> Iterator[Gap]:
    """The gap before each token and after the last one.

    Each token is taken where it first occurs after the one before it.

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
                f"rest of its document, {text[end : end + 30]!r}... Bits a character "
                "of such tokens say nothing about the text as given, and cannot be "
                "compared. Set lowercase=False and strip_accents=None, and use no "
                "preprocessor nor a tokenizer that changes characters."
            )
        right = kind(token)
        yield left, right, text[end:start]
        end, left = start + len(token), right
    yield left, DOCUMENT_EDGE, text[end:]


class Tally:
    """How often each token and each gap occurs in documents.

    Parameters
    ----------
    longest_gap : int or None, default=64
        Of longer gaps only so many characters are counted: a document cut off by
        ``max_length`` is not to be kept as a whole. None keeps all.

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
    """The price, in bits, of what known tokens do not show of a text.

    Parameters
    ----------
    tally : Tally
        What was counted of the training documents. It is not kept, nor its words.
    known : container of str
        The tokens that the vocabulary holds.

    Notes
    -----
    An unknown token is spelled character by character up to an end mark, by a
    Witten-Bell model of the training words that are not known; where all are known, of
    those seen once. Its symbols are all code points, so that every text has a price.

    A gap is foretold from the kinds of its two neighbours: a word, a number, the edge
    of the document, or punctuation, each mark of its own kind, since white space goes
    with one side of a comma, a bracket or a dash. Gaps not seen between such
    neighbours are spelled::

        p(gap | left, right) = (c + T p_spelled(gap)) / (C + T)

    with c how often the gap was seen there, C how often any was, and T how many
    different ones.

    All probabilities of words, and of gaps between two kinds, sum to at most 1.

    Examples
    --------
    >>> from sklearn_rnn.generation._spelling import Spelling, Tally
    >>> tally = Tally()
    >>> tally.update("a cat, a dog, a cow", "a cat , a dog , a cow".split())
    >>> spelling = Spelling(tally, known={"a", ",", "cat"})
    >>> document = "a cat, a cod", "a cat , a cod".split()
    >>> round(spelling.bits([document], known={"a", ",", "cat"}), 2)
    13.87
    """

    def __init__(self, tally: Tally, known: Container[str]):
        words = tally.words
        rare = {word: n for word, n in words.items() if word not in known}
        rare = rare or {word: n for word, n in words.items() if n == 1} or words
        self._letters = _learned(WORD_ORDER, rare, rare.values())
        self._gaps = dict(tally.gaps)
        self._totals: Counter[tuple[str, str]] = Counter()
        self._types: Counter[tuple[str, str]] = Counter()
        for (left, right, _), n in self._gaps.items():
            self._totals[left, right] += n
            self._types[left, right] += 1
        # once for each pair of kinds: what is spelled is what is new to a pair
        self._gap_letters = _learned(GAP_ORDER, [gap for *_, gap in self._gaps])

    def bits(
        self, documents: Iterable[tuple[str, list[str]]], known: Container[str]
    ) -> float:
        """What it costs to write all that the known tokens do not show.

        Parameters
        ----------
        documents : iterable of pairs (str, list of str)
            Each text, and all the tokens that the vectorizer made of it.
        known : container of str
            The tokens that the vocabulary holds.

        Returns
        -------
        float
            In bits, over all documents.

        Raises
        ------
        ValueError
            If the tokens are not in the text.
        """
        tally = Tally(longest_gap=None)
        for text, tokens in documents:
            tally.update(text, tokens)
        return self.bits_of(tally, known)

    def bits_of(self, tally: Tally, known: Container[str]) -> float:
        """What it costs to write all that was counted and that is not known."""
        unknown = {word: n for word, n in tally.words.items() if word not in known}
        words = np.dot(self.word_bits(unknown), list(unknown.values()))
        gaps = np.dot(self.gap_bits(tally.gaps), list(tally.gaps.values()))
        return float(words + gaps)

    def word_bits(self, words: Iterable[str]) -> np.ndarray:
        """Minus log2 of the probability of each word, (n_words,)."""
        return _spelled(self._letters, words)

    def gap_bits(self, gaps: Iterable[Gap]) -> np.ndarray:
        """Minus log2 of the probability of each gap given its neighbours, (n_gaps,)."""
        gaps = list(gaps)
        pairs = [(left, right) for left, right, _ in gaps]
        seen = np.array([self._gaps.get(gap, 0) for gap in gaps])
        # between kinds that never met, 0 of 0 gaps and 1 type: all is spelled
        total = np.array([self._totals.get(pair, 0) for pair in pairs])
        types = np.array([self._types.get(pair, 1) for pair in pairs])
        spelled = _spelled(self._gap_letters, [gap for *_, gap in gaps])
        with np.errstate(divide="ignore"):  # in logarithms: 2 ** -spelled may be 0
            return np.log2(total + types) - np.logaddexp2(
                np.log2(seen), np.log2(types) - spelled
            )


def _edged(text: str) -> tuple[str, ...]:
    return (EDGE, *text, EDGE)


def _learned(
    order: int, texts: Iterable[str], weights: Iterable[float] | None = None
) -> WittenBell:
    return WittenBell(order).fit(map(_edged, texts), N_CODE_POINTS + 1, weights)


def _spelled(letters: WittenBell, texts: Iterable[str]) -> np.ndarray:
    """Bits of each text; the edge it begins at is given, and costs nothing."""
    return letters.code_lengths(map(_edged, texts)) - letters.code_lengths([[EDGE]])
