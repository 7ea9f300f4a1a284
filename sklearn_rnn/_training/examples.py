"""Training examples: sequences with their targets and weights."""

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

    Targets per step are concatenated; those of sequence i begin at ``first[i]``.
    """

    sequences: Sequences
    targets: Tensor  # (n, ...), or (n_steps, ...)
    weights: Tensor | None  # (n,), or (n_steps,)
    rows: np.ndarray
    first: np.ndarray | None = None

    @property
    def n_targets(self) -> int:
        """Number of targets of ``rows``."""
        if self.first is None:
            return len(self.rows)
        return int(self.sequences.lengths[self.rows].sum())

    @property
    def longest(self) -> int:
        """Number of steps of the longest sequence of ``rows``."""
        return int(self.sequences.lengths[self.rows].max())

    def locate_targets(self, rows: np.ndarray) -> Tensor:
        """Return the places of the targets of a batch, in the order of the outputs."""
        if self.first is not None:
            rows = locate_steps(self.first[rows], self.sequences.lengths[rows])
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
