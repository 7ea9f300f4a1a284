"""Encoding of sequences for the network: standardization and patches."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn._data.patches import choose_patch_size, join_steps
from sklearn_rnn._data.ragged import split_ranges
from sklearn_rnn._data.scaling import LARGEST_DEVIATION, FeatureScaling
from sklearn_rnn._data.sequences import (
    Sequences,
    cast,
    refuse_overflow,
    warn_of_rounding,
)
from sklearn_rnn._training.examples import Examples

# The range of features is compared with that of the first fit on about this many steps.
MOST_STEPS_COMPARED = 2**16


@dataclass(frozen=True)
class InputEncoding:
    """Encoding of sequences as input of a network; codes are not changed."""

    dtype: np.dtype
    scaling: FeatureScaling | None = None
    patch_size: int = 1

    @classmethod
    def fit(
        cls, examples: Examples, dtype: np.dtype, scaling: bool, patch_size: int | str
    ) -> Self:
        """Learn from the training examples; their sequences are not encoded yet."""
        sequences, rows = examples.sequences, examples.rows
        if patch_size == "auto":
            whole = sequences.vocabulary_size is None and examples.first is None
            patch_size = choose_patch_size(sequences.lengths[rows]) if whole else 1
        learned = None
        if scaling and sequences.vocabulary_size is None:
            learned = FeatureScaling.fit(
                sequences, rows, examples.compute_step_weights()
            )
        return cls(dtype, learned, int(patch_size))

    def standardize(self, sequences: Sequences) -> Sequences:
        """Convert numbers to the network's type; standardize them if it is set."""
        if self.scaling is None:
            return cast(sequences, self.dtype)
        warn_of_rounding(sequences.values, np.float64)
        return refuse_overflow(self.scaling.apply(sequences, self.dtype))

    def standardize_steps(self, steps: np.ndarray) -> np.ndarray:
        """Standardize steps (n, F) of streams as :meth:`standardize` does."""
        if self.scaling is not None:
            return self.scaling.apply_to_steps(steps, self.dtype)
        with np.errstate(over="ignore"):
            return steps.astype(self.dtype, copy=False)

    def encode(self, sequences: Sequences) -> Sequences:
        """Convert sequences to the input of the network."""
        return join_steps(self.standardize(sequences), self.patch_size)

    def warn_of_other_range(self, sequences: Sequences, rows: np.ndarray) -> None:
        """Warn if features differ much from the first fit when training continues."""
        if self.scaling is None:
            return
        every = 1 + int(sequences.lengths[rows].sum()) // MOST_STEPS_COMPARED
        parts = split_ranges(sequences.starts[rows], sequences.lengths[rows], 2**15)
        places = np.concatenate([part[::every] for part in parts])
        # The median, because a few large values do not justify a warning.
        steps = self.scaling.apply_to_steps(sequences.values[places])
        with np.errstate(over="ignore"):
            typical = np.median(np.abs(steps), axis=0)
        far = np.flatnonzero(typical > LARGEST_DEVIATION)
        if len(far):
            feature = far[0]
            warn_user(
                f"feature {feature} of X differs much from the first fit: half of its "
                f"values are more than {LARGEST_DEVIATION:g} standard deviations from "
                "the mean in that fit, and scaling still uses that mean. Fit a new "
                "model, or begin partial_fit with typical sequences."
            )

    def fingerprint(self) -> bytes:
        """Return bytes that distinguish this encoding from others."""
        parts = [f"{self.dtype} {self.patch_size}".encode()]
        if self.scaling is not None:
            parts += [self.scaling.mean.tobytes(), self.scaling.scale.tobytes()]
        return b" ".join(parts)
