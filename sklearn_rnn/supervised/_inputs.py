"""What the network reads: features that are standardised and joined to patches."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from sklearn_rnn._data.patches import choose_patch_size, join_steps
from sklearn_rnn._data.scaling import FeatureScaling
from sklearn_rnn._data.sequences import (
    Sequences,
    cast,
    refuse_overflow,
    warn_of_rounding,
)
from sklearn_rnn._training.examples import Examples


@dataclass(frozen=True)
class InputEncoding:
    """How sequences become the input of a network; codes are left as they are."""

    dtype: np.dtype
    scaling: FeatureScaling | None = None
    patch_size: int = 1

    @classmethod
    def fit(
        cls, examples: Examples, dtype: np.dtype, scaling: bool, patch_size: int | str
    ) -> Self:
        """Learn from the training examples, whose sequences are not encoded yet."""
        sequences, rows = examples.sequences, examples.rows
        if patch_size == "auto":
            whole = sequences.vocabulary_size is None and examples.first is None
            patch_size = choose_patch_size(sequences.lengths[rows]) if whole else 1
        learned = None
        if scaling and sequences.vocabulary_size is None:
            learned = FeatureScaling.fit(sequences, rows, examples.step_weights())
        return cls(dtype, learned, int(patch_size))

    def standardize(self, sequences: Sequences) -> Sequences:
        """The sequences with numbers of the network's type, standardised if set."""
        if self.scaling is None:
            return cast(sequences, self.dtype)
        warn_of_rounding(sequences.values, np.float64)
        return refuse_overflow(self.scaling.apply(sequences, self.dtype))

    def standardize_steps(self, steps: np.ndarray) -> np.ndarray:
        """Steps (n, F) of streams, as :meth:`standardize` treats them."""
        if self.scaling is not None:
            steps = self.scaling.apply_to_steps(steps)
        with np.errstate(over="ignore"):
            return steps.astype(self.dtype, copy=False)

    def encode(self, sequences: Sequences) -> Sequences:
        """The sequences as the network reads them."""
        return join_steps(self.standardize(sequences), self.patch_size)

    def fingerprint(self) -> bytes:
        """What distinguishes this encoding from others."""
        parts = [f"{self.dtype} {self.patch_size}".encode()]
        if self.scaling is not None:
            parts += [self.scaling.mean.tobytes(), self.scaling.scale.tobytes()]
        return b" ".join(parts)
