"""The training text of a generator, and the parts of other texts that are copies of it.

The index of the training text is a suffix array of the reversed text, which sorts all
positions by the tokens before them. A binary search finds the longest end of a text
that occurs in the training text. Only 32 bytes of the tokens are sorted; where more
tokens agree, the candidates are compared one token after the other.

When a text grows by one token, its longest copied end grows by at most one token. While
this bound is not above the limit, the text needs no search. Natural texts are searched
about every tenth character.
"""

import hashlib
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Protocol, Self

import numpy as np

from sklearn_rnn._data.ragged import concatenate_ranges
from sklearn_rnn._data.tokens import END, PADDING, UNKNOWN
from sklearn_rnn._training.corpus import Corpus

SORTED_BYTES = 32  # of the tokens before a position
BLOCK = 2**20  # number of positions that are sorted at once


@dataclass(frozen=True)
class CopiedSpan:
    """Part of a text that occurs in the training text of a generator.

    :meth:`~sklearn_rnn.SequenceGenerator.copied_spans` returns one object per span.

    Parameters
    ----------
    text : str, list of tokens or TokenArray
        The tokens of the span, as the vectorizer joins them.
    start, stop : int
        Range of the span in the text, in tokens; ``stop`` is excluded.
    document : int
        Position in X of the training document in which the span occurs first. If the
        model was fitted several times, the documents are numbered in order.
    position : int
        Number of tokens of this document before the span.
    """

    text: Any
    start: int
    stop: int
    document: int
    position: int


class Text(Protocol):
    """A text that is continued; see :class:`Continuation`."""

    prompt: list[int]
    codes: list[int]
    copy_bound: int | None


@dataclass(frozen=True, eq=False)
class TrainingText:
    """The codes that a generator was trained on, with starts and ends of documents.

    ``codes`` are in reversed order. In the forward order, document number
    ``documents[i]`` begins with the start code at ``starts[i]``.
    """

    codes: np.ndarray  # (n,)
    starts: np.ndarray  # (n_documents,)
    documents: np.ndarray  # (n_documents,)
    n_documents: int  # number of documents including those that were held out
    digests: tuple[str, ...]  # of the documents of each fit

    @classmethod
    def join(cls, before: Self | None, whole: Corpus, trained: Corpus) -> Self:
        """Add the trained part of a whole corpus to the training text of earlier fits.

        Nothing is added for documents of an earlier fit.
        """
        places = concatenate_ranges(trained.starts, trained.lengths + 1)
        codes = whole.codes[places][::-1]
        starts = np.cumsum(trained.lengths + 1) - trained.lengths - 1
        documents = np.searchsorted(whole.starts, trained.starts)
        digest = hashlib.sha256(codes.tobytes()).hexdigest()
        if before is None:
            return cls(codes.copy(), starts, documents, len(whole.lengths), (digest,))
        if digest in before.digests:
            return before
        return cls(
            np.concatenate([codes, before.codes]),
            np.concatenate([before.starts, starts + len(before.codes)]),
            np.concatenate([before.documents, documents + before.n_documents]),
            before.n_documents + len(whole.lengths),
            (*before.digests, digest),
        )

    def __getstate__(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @cached_property
    def index(self) -> "CopyIndex":
        """The index, which is built when it is first needed and not stored in files."""
        return CopyIndex(self.codes)

    def locate(self, place: int, length: int) -> tuple[int, int]:
        """Return document and position of a span that ends at ``codes[place]``."""
        first = len(self.codes) - place - length
        row = int(np.searchsorted(self.starts, first, "right")) - 1
        return int(self.documents[row]), int(first - self.starts[row] - 1)


class CopyIndex:
    """Index of reversed codes, which finds the longest common end of two texts."""

    def __init__(self, codes: np.ndarray) -> None:
        self.codes, self.width = codes, codes.itemsize
        self._bytes = np.ascontiguousarray(codes).data.cast("B")
        self._order = sort_positions(codes)

    def find_longest(
        self, codes: np.ndarray, min_length: int
    ) -> tuple[int, np.ndarray]:
        """Find the longest beginning of reversed ``codes`` in the index.

        Returns its length, and the positions where it occurs if it is not shorter than
        ``min_length``.
        """
        codes, order = codes.astype(self.codes.dtype), self._order
        head = codes[: SORTED_BYTES // self.width].tobytes()
        place = bisect_left(order, head, key=lambda p: self._slice(p, len(head)))
        length = max(
            count_common(head, self._slice(p, len(head))) // self.width
            for p in order[max(0, place - 1) : place + 1]
        )
        size = length * self.width
        if length < min_length and size < len(head):
            return length, order[:0]
        part = head[:size]
        first = bisect_left(order, part, hi=place, key=lambda p: self._slice(p, size))
        last = bisect_right(order, part, lo=first, key=lambda p: self._slice(p, size))
        positions = order[first:last]
        while size == len(head) and length < len(codes):  # tokens that are not sorted
            going = positions[positions + length < len(self.codes)]
            going = going[self.codes[going + length] == codes[length]]
            if not len(going):
                break
            positions, length = going, length + 1
        return length, positions

    def _slice(self, place: int, size: int) -> bytes:
        start = place * self.width
        return self._bytes[start : start + size].tobytes()


def sort_positions(codes: np.ndarray) -> np.ndarray:
    """Sort the positions of codes by the bytes that follow them, as int32.

    Blocks of positions are sorted one after the other, so that this needs little more
    memory than its result.
    """
    n, width = len(codes), codes.itemsize
    padded = np.zeros(n * width + SORTED_BYTES, dtype=np.uint8)
    padded[: n * width] = np.ascontiguousarray(codes).view(np.uint8)
    words = [
        np.ndarray((n,), ">u8", padded.data, offset=offset, strides=(width,))
        for offset in range(0, SORTED_BYTES, 8)
    ]
    prefixes = np.ndarray((n,), ">u2", padded.data, strides=(width,))
    counts = np.zeros(2**16, dtype=np.int64)
    for start in range(0, n, BLOCK):
        counts += np.bincount(prefixes[start : start + BLOCK], minlength=len(counts))
    order, n_sorted, first = np.empty(n, dtype=np.int32), 0, 0
    while first < len(counts):
        sizes = counts[first:].cumsum()
        last = first + max(1, int(np.searchsorted(sizes, BLOCK, "right")))
        is_here = (prefixes >= first) & (prefixes <= last - 1)
        places = np.flatnonzero(is_here).astype(np.int32)
        keys = [word[places].astype(np.uint64) for word in reversed(words)]
        order[n_sorted : n_sorted + len(places)] = places[np.lexsort(keys)]
        n_sorted, first = n_sorted + len(places), last
    return order


def count_common(a: bytes, b: bytes) -> int:
    """Count the first bytes that are equal."""
    for k, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return k
    return min(len(a), len(b))


@dataclass(frozen=True, eq=False)
class CopyLimit:
    """Limit on the number of successive tokens that a text copies."""

    training: TrainingText
    n_tokens: int

    def find_forbidden(self, text: Text) -> np.ndarray:
        """Find the codes with which a text would copy more tokens than the limit.

        ``text.copy_bound`` becomes the length of its longest copied end, minus the
        number of its codes, so that the bound grows with the text.
        """
        n = len(text.codes)
        if text.copy_bound is not None and text.copy_bound + n < self.n_tokens:
            return np.empty(0, dtype=int)
        tail = text.codes[-self.n_tokens :]
        if n < self.n_tokens:
            tail = [*text.prompt, *tail][-self.n_tokens :]
        index = self.training.index
        length, places = index.find_longest(reverse_known(tail), self.n_tokens)
        text.copy_bound = length - n
        if length < self.n_tokens:
            return np.empty(0, dtype=int)
        following = index.codes[places[places > 0] - 1].astype(int)
        return np.unique(following[following > END])


def reverse_known(codes: Any) -> np.ndarray:
    """Reverse codes; an unknown token becomes a code that the index does not have."""
    reverse = np.array(codes, dtype=np.int64)[::-1]
    return np.where(reverse == UNKNOWN, PADDING, reverse)


def find_copied_spans(
    training: TrainingText, codes: list[int], min_length: int
) -> list[tuple[int, int, int, int]]:
    """Find the longest spans of codes that occur in a training text.

    Returns start, stop, document and position of each. Spans within others are left
    out.
    """
    index, reverse, n = training.index, reverse_known(codes), len(codes)
    spans, stop = [], min_length
    while stop <= n:
        length, places = index.find_longest(reverse[n - stop :], min_length)
        if length < min_length:
            stop += min_length - length  # a span that ends before is too short
            continue
        start = stop - length
        while stop < n:
            longer = places[places > 0] - 1
            longer = longer[index.codes[longer] == reverse[n - stop - 1]]
            if not len(longer):
                break
            places, stop = longer, stop + 1
        where = training.locate(int(places.max()), stop - start)
        spans.append((start, stop, *where))
        stop += 1
    return spans
