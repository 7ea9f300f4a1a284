"""A corpus as one stream of codes, and the windows that training reads from it.

A document of n tokens is stored in the stream as a start code, its tokens and an end
code. It has n + 1 *steps*: at each step, a code is read and the next code is the
target.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from operator import itemgetter

import numpy as np

from sklearn_rnn._data.ragged import concatenate_ranges
from sklearn_rnn._data.tokens import END, START, find_absent_codes
from sklearn_rnn._training.batching import training_batches

# Approximate minimum number of windows per lane. A short corpus has fewer lanes.
WINDOWS_PER_LANE = 8


@dataclass(frozen=True)
class Corpus:
    """Documents; number i has ``lengths[i]`` steps from ``starts[i]`` on."""

    codes: np.ndarray  # (n,), of the smallest unsigned type that is sufficient
    starts: np.ndarray  # (n_documents,)
    lengths: np.ndarray  # (n_documents,)

    @property
    def n_steps(self) -> int:
        """Number of codes that are predicted."""
        return int(self.lengths.sum())

    def absent_codes(self, rows: np.ndarray, vocabulary_size: int) -> np.ndarray:
        """Return the codes of a vocabulary that do not occur in ``rows``."""
        places = concatenate_ranges(self.starts[rows], self.lengths[rows])
        return find_absent_codes(self.codes[places], vocabulary_size)

    def without_ends(self) -> "Corpus":
        """Return the documents without their last step, which predicts the end."""
        return replace(self, lengths=self.lengths - 1)

    def part(self, rows: np.ndarray) -> "Corpus":
        """Select the documents in ``rows``, in the same stream."""
        return replace(self, starts=self.starts[rows], lengths=self.lengths[rows])

    def cut(self, n_last: int) -> tuple["Corpus", "Corpus"]:
        """Split a single document into its beginning and its last ``n_last`` steps."""
        (start,), (length,) = self.starts, self.lengths
        edge = length - n_last
        return (
            replace(self, lengths=np.array([edge])),
            replace(self, starts=np.array([start + edge]), lengths=np.array([n_last])),
        )


@dataclass(frozen=True)
class Window:
    """The columns that one training step reads in parallel.

    Column j continues column j of the previous window, unless it is ``fresh``: then it
    begins with a state of zeros.
    """

    starts: np.ndarray  # (B,), the first steps
    lengths: np.ndarray  # (B,)
    fresh: np.ndarray  # (B,), bool

    def select(self, columns: slice) -> "Window":
        """Select some of the columns."""
        return Window(self.starts[columns], self.lengths[columns], self.fresh[columns])


def make_corpus(lengths: np.ndarray, flat: np.ndarray) -> Corpus:
    """Make the corpus of documents whose tokens are concatenated in ``flat``."""
    codes = np.empty(len(flat) + 2 * len(lengths), dtype=flat.dtype)
    ends = np.cumsum(lengths + 2)
    starts = ends - lengths - 2
    for row, (start, end) in enumerate(zip(starts, ends, strict=True)):
        codes[start + 1 : end - 1] = flat[start - 2 * row : end - 2 * row - 2]
    codes[starts], codes[ends - 1] = START, END
    return Corpus(codes, starts, lengths + 1)


def tbptt_windows(
    corpus: Corpus, window: int, n_lanes: int, rng: np.random.Generator
) -> Iterator[Window]:
    """Yield windows for truncated backpropagation through time.

    Documents are distributed over lanes of about equal length, and a document that is
    longer than its lane is cut. Every step of every document is in one window. A short
    corpus has fewer lanes, because a network learns little from few training steps,
    however many columns they have.
    """
    if corpus.lengths.max() <= window:  # whole documents need no state between windows
        rows = np.arange(len(corpus.lengths))
        for batch in training_batches(rows, corpus.lengths, n_lanes, rng):
            yield _make_fresh_window(corpus.starts[batch], corpus.lengths[batch])
        return
    n_lanes = max(1, min(n_lanes, corpus.n_steps // (WINDOWS_PER_LANE * window)))
    queues = [
        _cut_windows(starts, lengths, window)
        for starts, lengths in _fill_lanes(corpus, n_lanes, rng)
    ]
    queues.sort(key=lambda queue: -len(queue[0]))  # the last lanes end first
    n_windows = np.array([len(queue[0]) for queue in queues])
    table = np.zeros((3, n_windows[0], len(queues)), dtype=np.int64)
    for lane, queue in enumerate(queues):
        table[:, : n_windows[lane], lane] = queue
    for k, (starts, lengths, fresh) in enumerate(table.swapaxes(0, 1)):
        width = np.count_nonzero(n_windows > k)
        yield Window(starts[:width], lengths[:width], fresh[:width].astype(bool))


def overlapping_windows(
    corpus: Corpus, window: int, step: int, batch_size: int, rng: np.random.Generator
) -> Iterator[Window]:
    """Yield batches of windows that begin every ``step`` steps of a document."""
    firsts = [
        np.arange(start, start + length, step)
        for start, length in zip(corpus.starts, corpus.lengths, strict=True)
    ]
    ends = np.repeat(corpus.starts + corpus.lengths, [len(part) for part in firsts])
    starts = np.concatenate(firsts)
    lengths = np.minimum(window, ends - starts)
    for batch in training_batches(np.arange(len(starts)), lengths, batch_size, rng):
        yield _make_fresh_window(starts[batch], lengths[batch])


def gather_window(
    corpus: Corpus, window: Window
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return inputs, targets and mask (T, B) of a window; None masks nothing."""
    widest = window.lengths.max()
    steps = np.arange(widest)[:, None]
    index = window.starts + np.minimum(steps, window.lengths - 1)
    inputs, targets = corpus.codes[index], corpus.codes[index + 1]
    valid = None if window.lengths.min() == widest else steps < window.lengths
    return inputs.astype(np.int64), targets.astype(np.int64), valid


def _fill_lanes(
    corpus: Corpus, n_lanes: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Distribute the documents over lanes of about equal length.

    Returns starts and lengths (2, n_pieces) of the pieces on each lane, in random
    order.

    The longest piece is placed first, and each piece is placed on the lane that is then
    the shortest.
    """
    longest = -(-corpus.n_steps // n_lanes)
    queues: list[tuple[int, int, list]] = [(0, lane, []) for lane in range(n_lanes)]
    order = rng.permutation(len(corpus.lengths))
    pieces: list[tuple[int, int]] = []
    for start, length in zip(corpus.starts[order], corpus.lengths[order], strict=True):
        edges = np.linspace(0, length, -(-length // longest) + 1).astype(np.int64)
        pieces += zip(start + edges[:-1], np.diff(edges), strict=True)
    for piece in sorted(pieces, key=itemgetter(1), reverse=True):
        total, lane, queue = heappop(queues)
        queue.append(piece)
        heappush(queues, (total + piece[1], lane, queue))
    return [
        np.array(queue)[rng.permutation(len(queue))].T
        for _, _, queue in sorted(queues)
        if queue
    ]


def _cut_windows(
    starts: np.ndarray, lengths: np.ndarray, window: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut pieces into windows: starts, lengths, and whether each begins a piece."""
    n_windows = -(-lengths // window)
    offsets = window * (
        np.arange(n_windows.sum())
        - np.repeat(n_windows.cumsum() - n_windows, n_windows)
    )
    left = np.repeat(lengths, n_windows) - offsets
    return (
        np.repeat(starts, n_windows) + offsets,
        np.minimum(window, left),
        offsets == 0,
    )


def _make_fresh_window(starts: np.ndarray, lengths: np.ndarray) -> Window:
    """Make a window whose columns all begin with a state of zeros."""
    return Window(starts, lengths, np.ones(len(starts), dtype=bool))
