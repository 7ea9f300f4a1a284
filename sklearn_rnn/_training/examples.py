"""Training examples: sequences with their targets and weights."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from sklearn_rnn._data.ragged import concatenate_ranges
from sklearn_rnn._data.sequences import Sequences
from sklearn_rnn._training.batching import locate_steps


@dataclass(frozen=True)
class Examples:
    """Sequences with their targets and weights, of which ``rows`` are used.

    Targets per step are concatenated; those of sequence i begin at ``first[i]``. With a
    ``window``, training reads that many steps at a time.
    """

    sequences: Sequences
    targets: Tensor  # (n, ...), or (n_steps, ...)
    weights: Tensor | None  # (n,), or (n_steps,)
    rows: np.ndarray
    first: np.ndarray | None = None
    window: int | None = None

    @property
    def n_targets(self) -> int:
        """Number of targets of ``rows``."""
        if self.first is None:
            return len(self.rows)
        return int(self.sequences.lengths[self.rows].sum())

    @property
    def longest(self) -> int:
        """Number of steps of the longest sequence, or window, of ``rows``."""
        longest = int(self.sequences.lengths[self.rows].max())
        return longest if self.window is None else min(longest, self.window)

    def count_windows(self, rows: np.ndarray) -> np.ndarray:
        """Return the number of windows of each sequence of ``rows``."""
        if self.window is None:
            return np.ones(len(rows), dtype=np.int64)
        return -(-self.sequences.lengths[rows] // self.window)

    def split_windows(self, rows: np.ndarray) -> Iterator[tuple[np.ndarray, int, int]]:
        """Yield rows, first step and number of steps of each window of a batch.

        Longer sequences come first, so that each window continues the first sequences
        of the previous one, and kernels leave out padding. Without ``window``, whole
        sequences are one window.
        """
        lengths = self.sequences.lengths
        rows = rows[np.argsort(-lengths[rows], kind="stable")]
        if self.window is None:
            yield rows, 0, int(lengths[rows[0]])
            return
        for start in range(0, int(lengths[rows[0]]), self.window):
            yield rows[lengths[rows] > start], start, self.window

    def locate_targets(
        self, rows: np.ndarray, start: int = 0, n_steps: int | None = None
    ) -> Tensor:
        """Return the places of the targets of a batch, in the order of the outputs.

        Targets per step are those of ``n_steps`` steps from ``start`` on.
        """
        if self.first is not None:
            lengths = self.sequences.lengths[rows] - start
            if n_steps is not None:
                lengths = np.minimum(lengths, n_steps)
            rows = locate_steps(self.first[rows] + start, lengths)
        return torch.from_numpy(rows)

    def locate_all_targets(self) -> Tensor:
        """Return the places of the targets of ``self.rows``, row by row."""
        if self.first is None:
            return torch.from_numpy(self.rows)
        lengths = self.sequences.lengths[self.rows]
        return torch.from_numpy(concatenate_ranges(self.first[self.rows], lengths))

    def compute_step_weights(self) -> np.ndarray | None:
        """Return the weights of all steps of ``rows``, or None if all are equal."""
        if self.weights is None:
            return None
        weights = self.weights[self.locate_all_targets()].numpy()
        weights = weights / weights.max()
        if (weights == 1).all():
            return None
        if self.first is not None:
            return weights
        return np.repeat(weights, self.sequences.lengths[self.rows])

    def normalize_weights(self, dtype: torch.dtype) -> "Examples":
        """Return the same examples with weights whose mean over ``rows`` is 1."""
        if self.weights is None:
            return self
        places = self.locate_all_targets()
        weights = self.weights / self.weights[places].max()
        weights = weights / weights[places].mean()
        return replace(self, weights=weights.to(dtype))
