"""The training text of a generator, and the parts of other texts that are copies of it.

The index of the training text is a suffix array of the reversed text, which sorts all
positions by the tokens before them. A binary search finds the longest end of a text
that occurs in the training text. Only 32 bytes of the tokens are sorted; where more
tokens agree, the candidates are compared one token after the other.

When a text grows by one token, its longest copied end grows by at most one token. Until
this bound reaches a limit, the text needs no search. Natural texts are searched about
every tenth character, and a kernel of numba searches several texts at once.
"""

import hashlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Protocol, Self

import numpy as np

from sklearn_rnn._data.tokens import END, PADDING, START, UNKNOWN
from sklearn_rnn._nn.compiled import Kernel, has_kernels
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
    copy_due: int


@dataclass(frozen=True, eq=False)
class TrainingText:
    """The codes that a generator was trained on, with starts and ends of documents."""

    codes: np.ndarray  # (n,), in reversed order
    documents: np.ndarray  # (n_trained,), numbers of the documents, in forward order
    n_documents: int  # number of documents including those that were held out
    digests: tuple[str, ...]  # of the documents of each fit

    @classmethod
    def join(cls, before: Self | None, whole: Corpus, trained: Corpus) -> Self:
        """Add the trained part of a whole corpus to the training text of earlier fits.

        Nothing is added for documents of an earlier fit.
        """
        ends = trained.starts + trained.lengths + 1
        parts = [
            whole.codes[start:end]
            for start, end in zip(trained.starts, ends, strict=True)
        ]
        codes = np.concatenate(parts)[::-1].copy()
        documents = np.searchsorted(whole.starts, trained.starts).astype(np.int32)
        digest = hashlib.sha256(codes.data).hexdigest()
        if before is None:
            return cls(codes, documents, len(whole.lengths), (digest,))
        if digest in before.digests:
            return before
        return cls(
            np.concatenate([codes, before.codes]),
            np.concatenate([before.documents, documents + before.n_documents]),
            before.n_documents + len(whole.lengths),
            (*before.digests, digest),
        )

    def __getstate__(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @cached_property
    def index(self) -> "CopyIndex":
        """The index, which is built when it is first needed and not stored in files."""
        index = CopyIndex(self.codes)
        object.__setattr__(self, "codes", index.codes)  # keep the text only once
        return index

    def locate(self, place: int, length: int) -> tuple[int, int]:
        """Return document and position of a span that ends at ``codes[place]``."""
        starts = np.flatnonzero(self.codes[place:] == START)
        document = self.documents[len(starts) - 1]
        return int(document), int(starts[0]) - length


class CopyIndex:
    """Index of reversed codes, which finds the longest common end of two texts.

    Parts of texts are compared as bytes: for single parts, Python's operations are
    faster than those of numpy.
    """

    def __init__(self, codes: np.ndarray) -> None:
        self._bytes, self.width = codes.tobytes(), codes.itemsize
        self.codes = np.frombuffer(self._bytes, codes.dtype)  # shares the memory
        self.order = sort_positions(codes)
        self._positions = self.order.data  # returns Python's integers
        self._code_type = codes.dtype.char
        self._data = np.frombuffer(self._bytes, np.uint8)
        self.n_sorted = SORTED_BYTES // self.width
        self._cut = self._make_cut(SORTED_BYTES)

    def _make_cut(self, size: int) -> Callable[[int], bytes]:
        """Make a fast function that returns the bytes from a position on."""
        data, width = self._bytes, self.width
        return lambda place: data[place * width : place * width + size]

    def encode(self, codes: list[int]) -> bytes:
        """Return codes as bytes."""
        return array(self._code_type, codes).tobytes()

    def find_longest(self, text: bytes, min_length: int) -> tuple[int, np.ndarray]:
        """Find the longest beginning of an encoded text in the index.

        Returns its length, and the positions where it occurs if it is not shorter than
        ``min_length``.
        """
        width, positions, head = self.width, self._positions, text[:SORTED_BYTES]
        place = bisect_left(positions, head, key=self._cut)
        near = positions[max(0, place - 1) : place + 1]
        length = max(count_common(head, self._cut(p)) for p in near) // width
        if length < min_length and length * width < len(head):
            return length, self.order[:0]
        return self._extend(text, length, place)

    def measure_beginnings(self, texts: list[list[int]]) -> list[int]:
        """Measure how many first codes of each text occur in the index.

        The texts have the same length, which is at most ``n_sorted``. Without numba,
        nothing is compared, and the results are only upper bounds.
        """
        if not has_kernels():
            return [len(text) for text in texts]
        codes = array(self._code_type)
        for text in texts:
            codes.fromlist(text)
        heads = np.frombuffer(codes, np.uint8).reshape(len(texts), -1)
        lengths = np.empty(len(texts), np.int64)
        compare_kernel(self._data, self.order, heads, lengths, self.width)
        return lengths.tolist()

    def _extend(self, text: bytes, length: int, place: int) -> tuple[int, np.ndarray]:
        """Find the positions of the first ``length`` codes, and extend them."""
        size = length * self.width
        part, positions, cut = text[:size], self._positions, self._make_cut(size)
        first = bisect_left(positions, part, hi=place, key=cut)
        last = bisect_right(positions, part, lo=first, key=cut)
        found = self.order[first:last]
        if size < SORTED_BYTES:
            return length, found
        codes = np.frombuffer(text, self.codes.dtype)
        while length < len(codes):  # codes that are not sorted
            going = found[found + length < len(self.codes)]
            going = going[self.codes[going + length] == codes[length]]
            if not len(going):
                break
            found, length = going, length + 1
        return length, found


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


@Kernel
def compare_kernel(
    data: np.ndarray,
    order: np.ndarray,
    heads: np.ndarray,
    lengths: np.ndarray,
    width: int,
) -> None:
    """Compute into ``lengths`` how many first codes of each head occur in the data.

    These are binary searches for the last position whose bytes are less than the head.
    They advance together, because the processor can then load the bytes of several of
    them from memory at the same time. This takes most of the time.
    """
    n_heads, size = heads.shape
    n_less, last = np.zeros(n_heads, np.int64), len(order) - 1
    starts, firsts = np.empty(n_heads, np.int64), np.empty(n_heads, np.uint8)
    lengths[:] = 0
    step = 1
    while 2 * step <= len(order):
        step *= 2
    while step > 0:
        for row in range(n_heads):
            starts[row] = width * order[min(n_less[row] + step - 1, last)]
        for row in range(n_heads):
            firsts[row] = data[starts[row]]
        for row in range(n_heads):
            start, count = starts[row], 0
            n = min(size, len(data) - start)
            if firsts[row] == heads[row, 0]:
                count = 1
                while count < n and data[start + count] == heads[row, count]:
                    count += 1
            if count == n or data[start + count] < heads[row, count]:
                n_less[row] = min(n_less[row] + step, len(order))
            lengths[row] = max(lengths[row], count // width)
        step //= 2


def count_common(a: bytes, b: bytes) -> int:
    """Count the first bytes that are equal."""
    n = min(len(a), len(b))
    different = int.from_bytes(a[:n]) ^ int.from_bytes(b[:n])
    return n - (different.bit_length() + 7) // 8


@dataclass(frozen=True, eq=False)
class CopyLimit:
    """Limit on the number of successive tokens that a text copies."""

    training: TrainingText
    n_tokens: int

    def find_forbidden(self, texts: Sequence[Text]) -> Iterator[tuple[int, list[int]]]:
        """Find the codes with which texts would copy more tokens than the limit.

        Yields the position of each such text and its forbidden codes. Texts that need
        no search yet are skipped. All texts have the same number of generated codes.
        """
        n = len(texts[0].codes)
        due = [(k, text) for k, text in enumerate(texts) if text.copy_due <= n]
        if not due:
            return
        limit, index = self.n_tokens, self.training.index
        n_compared = min(limit, index.n_sorted)
        tails = [reverse_tail(text, n_compared) for _, text in due]
        lengths = index.measure_beginnings(tails)
        for (k, text), length in zip(due, lengths, strict=True):
            if length == n_compared:
                tail = index.encode(reverse_tail(text, limit))
                length, places = index.find_longest(tail, limit)
                if length == limit:
                    following = index.codes[places[places > 0] - 1]
                    yield k, np.unique(following[following > END]).tolist()
            text.copy_due = n + limit - length


def reverse_tail(text: Text, n: int) -> list[int]:
    """Return the last ``n`` codes of a text, the last one first.

    Short texts are padded, but only to the number of codes that are sorted.
    """
    codes = text.codes
    if len(codes) < n:
        codes = [PADDING] * SORTED_BYTES + mask_unknown(text.prompt[-n:]) + codes
    return codes[: -n - 1 : -1]


def mask_unknown(codes: Iterable[int]) -> list[int]:
    """Replace the code of unknown tokens by one that the index does not contain."""
    return [PADDING if code == UNKNOWN else code for code in codes]


def find_copied_spans(
    training: TrainingText, codes: list[int], min_length: int
) -> list[tuple[int, int, int, int]]:
    """Find the longest spans of codes that occur in a training text.

    Returns start, stop, document and position of each. Spans within others are left
    out.
    """
    index, n = training.index, len(codes)
    text, spans, stop = index.encode(mask_unknown(codes)[::-1]), [], min_length
    reverse = np.frombuffer(text, index.codes.dtype)
    while stop <= n:
        rest = text[(n - stop) * index.width :]
        length, places = index.find_longest(rest, min_length)
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
