"""Standardization of the features of sequences."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import DTypeLike
from sklearn.preprocessing import StandardScaler

from sklearn_rnn._data.mapped import convert_mapped, is_in_files
from sklearn_rnn._data.ragged import split_ranges
from sklearn_rnn._data.sequences import Sequences

# A feature that is nearly always constant, such as a pixel near the edge of an image,
# would have values in the hundreds after scaling. Its scale is therefore increased
# until its largest deviation is this number, but at most to the root mean square of the
# standard deviations of all features.
LARGEST_DEVIATION = 10.0

# A feature is constant if its range is at most this multiple of the floating-point
# precision of its largest absolute value, because of rounding errors.
ROUNDING = 10

# Number of steps that are converted to float64 at a time.
STEPS_PER_CHUNK = 2**15


@dataclass(frozen=True)
class FeatureScaling:
    """Mean and scale of each feature, (F,) in float64."""

    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def fit(
        cls, sequences: Sequences, rows: np.ndarray, weights: np.ndarray | None = None
    ) -> Self:
        """Learn from the valid steps of ``rows``; ``weights`` has one per valid step.

        The scale is the standard deviation, with the lower bound described above. A
        feature that is constant, apart from rounding errors, gets the root mean square
        of the scales of the other features, or 1 if all are constant.
        """
        scaler = StandardScaler()
        low, high = [], []
        for values, weight in _iterate_steps(sequences, rows, weights):
            with np.errstate(over="ignore", invalid="ignore"):
                scaler.partial_fit(values, sample_weight=weight)
            low.append(values.min(axis=0))
            high.append(values.max(axis=0))
        lowest, highest = np.min(low, axis=0), np.max(high, axis=0)
        largest = np.maximum(np.abs(lowest), np.abs(highest))
        is_single = sequences.values.dtype == np.float32
        precision = np.finfo(np.float32 if is_single else np.float64).eps
        constant = highest - lowest <= ROUNDING * precision * largest
        mean = np.where(constant, lowest, scaler.mean_)
        spread = np.where(constant, 0.0, np.sqrt(scaler.var_))
        if not np.isfinite(spread).all():
            feature = int(np.argmin(np.isfinite(spread)))
            raise ValueError(
                f"the values of feature {feature} of X are too large to be "
                f"standardized: they lie between {lowest[feature]:g} and "
                f"{highest[feature]:g}. Scale X, or set scaling=False."
            )
        overall = np.sqrt(np.mean(spread[~constant] ** 2)) if spread.any() else 1.0
        largest = np.maximum(highest - mean, mean - lowest) / LARGEST_DEVIATION
        bound = np.where(constant, overall, np.minimum(largest, overall))
        return cls(mean, np.maximum(spread, bound))

    def apply(self, sequences: Sequences, dtype: DTypeLike) -> Sequences:
        """Return the sequences with standardized values of ``dtype``."""
        values = sequences.values
        if is_in_files(values):
            mapped = convert_mapped(values, self.apply_to_steps, dtype)
            return replace(sequences, values=mapped)
        scaled = np.empty(values.shape, dtype)
        for start in range(0, len(values), STEPS_PER_CHUNK):
            part = slice(start, start + STEPS_PER_CHUNK)
            with np.errstate(over="ignore"):
                scaled[part] = self.apply_to_steps(values[part])
        return replace(sequences, values=scaled)

    @np.errstate(over="ignore", invalid="ignore")
    def apply_to_steps(
        self, steps: np.ndarray, dtype: DTypeLike = np.float64
    ) -> np.ndarray:
        """Return standardized values (n, F), which are computed in float64."""
        # the order F is fast for few features
        standard = np.subtract(steps, self.mean, dtype=np.float64, order="F")
        standard /= self.scale
        return standard.astype(dtype, copy=False)


def _iterate_steps(
    sequences: Sequences, rows: np.ndarray, weights: np.ndarray | None
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """Yield the valid steps of ``rows`` in float64 and their weights, in chunks.

    Each feature is contiguous, so that reductions over the steps are fast.
    """
    starts, lengths = sequences.starts[rows], sequences.lengths[rows]
    n, weight = 0, None
    for places in split_ranges(starts, lengths, STEPS_PER_CHUNK):
        if weights is not None:
            weight = weights[n : n + len(places)]
            n += len(places)
            places, weight = places[weight > 0], weight[weight > 0]
        if len(places):
            yield sequences.values[places].astype(np.float64, order="F"), weight
