"""Interpolated Witten-Bell n-gram models of hashable symbols."""

from array import array
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from itertools import count
from typing import NamedTuple, Self

import numpy as np

Symbols = Iterable[Hashable]


class Level(NamedTuple):
    """Counts of the symbols that followed the contexts of one length.

    A *gram* is a context and the symbol after it. The grams of one level are numbered
    in the order of their keys. They are the contexts of the next level, where each
    context is represented by its number.
    """

    keys: np.ndarray  # (n_grams,) sorted: context * number of symbols + symbol
    counts: np.ndarray  # (n_grams,) how often each gram was seen
    totals: np.ndarray  # (n_contexts,) how often any symbol followed the context
    types: np.ndarray  # (n_contexts,) number of different such symbols, at least 1


class WittenBell:
    """An interpolated n-gram model of hashable symbols.

    Parameters
    ----------
    order : int
        Number of symbols of the longest context: ``order=4`` counts 5-grams.

    Notes
    -----
    A context h was followed c(h) times by any symbol, and T(h) different symbols
    followed it. The probability of the symbol w after h is [1]_::

        p_k(w | h) = (c(h w) + T(h) p_{k-1}(w | h')) / (c(h) + T(h))

    where h' is h without its first symbol, and p_{-1} is the uniform distribution over
    ``n_symbols``. After a context that was never seen, p_k is p_{k-1}. At the start of
    a sequence, contexts are shorter.

    Counts are stored in sorted numpy arrays rather than in dicts: a model of order 4 of
    a book with a million characters is fitted in about a second and takes a few
    megabytes.

    References
    ----------
    .. [1] I. H. Witten and T. C. Bell, "The zero-frequency problem", IEEE Transactions
       on Information Theory 37(4), 1991.

    Examples
    --------
    >>> from sklearn_rnn.generation._ngram import WittenBell
    >>> model = WittenBell(order=1).fit(["abab"], n_symbols=3)
    >>> 2 ** model.log2_probabilities("ac")
    array([0.44444444, 0.03703704])
    """

    def __init__(self, order: int):
        if order < 0:
            raise ValueError(f"order must be at least 0, got {order}.")
        self.order = order

    def fit(
        self,
        sequences: Iterable[Symbols],
        n_symbols: int,
        weights: Iterable[float] | None = None,
    ) -> Self:
        """Count the grams of ``sequences``.

        Parameters
        ----------
        sequences : iterable of iterables of hashable symbols
            Texts, or lists of symbols.
        n_symbols : int
            Number of all symbols, including those that never occur.
        weights : iterable of float or None, default=None
            Number of times that each sequence is counted; None counts it once.

        Returns
        -------
        WittenBell
            The model itself.

        Raises
        ------
        ValueError
            If the sequences contain more than ``n_symbols`` different symbols.
        """
        codes: defaultdict[Hashable, int] = defaultdict(count().__next__)
        flat, lengths = _flatten(sequences, codes.__getitem__)
        if len(codes) > n_symbols:
            raise ValueError(
                f"n_symbols={n_symbols}, but the sequences contain {len(codes)} "
                "different symbols. Pass the size of the whole symbol set."
            )
        repeats = None if weights is None else np.repeat(list(weights), lengths)
        self.n_symbols_, self.codes_ = n_symbols, dict(codes)
        self.levels_: list[Level] = []
        n_before, contexts, n_contexts = _count_before(lengths), np.zeros_like(flat), 1
        for order in range(self.order + 1):
            rows = np.flatnonzero(n_before >= order)
            if not len(rows):
                break
            keys, grams = np.unique(
                contexts[rows] * len(codes) + flat[rows], return_inverse=True
            )
            counts = np.bincount(grams, None if repeats is None else repeats[rows])
            owners = keys // len(codes)
            totals = np.bincount(owners, counts, n_contexts)
            types = np.bincount(owners, minlength=n_contexts)
            types = np.maximum(types, 1)  # contexts only at ends: p_k = p_{k-1}
            self.levels_.append(Level(keys, counts, totals, types))
            contexts[rows] = grams
            contexts, n_contexts = np.roll(contexts, 1), len(keys)
        return self

    def log2_probabilities(self, sequence: Symbols) -> np.ndarray:
        """Compute log2 of the probability of each symbol, given those before it.

        Parameters
        ----------
        sequence : iterable of hashable symbols
            A text, or a list of symbols. Symbols that were never seen are equally
            likely.

        Returns
        -------
        ndarray of shape (n_symbols_of_the_sequence,), float64
            In bits, 0 or less.
        """
        return self._log2(*_flatten([sequence], self._code))

    def code_lengths(self, sequences: Iterable[Symbols]) -> np.ndarray:
        """Compute minus log2 of the probability of each sequence.

        Parameters
        ----------
        sequences : iterable of iterables of hashable symbols
            Texts, or lists of symbols.

        Returns
        -------
        ndarray of shape (n_sequences,), float64
            In bits.
        """
        flat, lengths = _flatten(sequences, self._code)
        row = np.repeat(np.arange(len(lengths)), lengths)
        return np.bincount(row, -self._log2(flat, lengths), len(lengths))

    def _code(self, symbol: Hashable) -> int:
        return self.codes_.get(symbol, -1)

    def _log2(self, flat: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Compute log2 of the probability (n,) of each code of all sequences."""
        n_before, contexts = _count_before(lengths), np.zeros_like(flat)
        p = np.full(len(flat), 1 / self.n_symbols_)
        for order, level in enumerate(self.levels_):
            rows = np.flatnonzero((contexts >= 0) & (n_before >= order))
            here, codes = contexts[rows], flat[rows]
            keys = np.where(codes < 0, -1, here * len(self.codes_) + codes)
            grams = np.searchsorted(level.keys, keys)
            grams[grams == len(level.keys)] = 0
            seen = level.keys[grams] == keys
            counts = np.where(seen, level.counts[grams], 0)
            totals, types = level.totals[here], level.types[here]
            p[rows] = (counts + types * p[rows]) / (totals + types)
            contexts = np.full_like(flat, -1)
            contexts[rows[seen]] = grams[seen]
            contexts = np.roll(contexts, 1)
        return np.log2(p)


def _flatten(
    sequences: Iterable[Symbols], code: Callable[[Hashable], int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the codes of all sequences, concatenated, and the sequences' lengths."""
    flat, lengths = array("i"), []
    for sequence in sequences:
        before = len(flat)
        flat.extend(map(code, sequence))
        lengths.append(len(flat) - before)
    return np.array(flat, dtype=np.int64), np.array(lengths, dtype=np.int64)


def _count_before(lengths: np.ndarray) -> np.ndarray:
    """Count the symbols before each symbol within its sequence."""
    ends = np.cumsum(lengths)
    return np.arange(lengths.sum()) - np.repeat(ends - lengths, lengths)
