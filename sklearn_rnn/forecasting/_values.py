"""Encoding of values, or their differences, by standardization.

Shapes: n series, T steps, h steps that are forecast at once, C channels, Q quantiles (1
for a point forecast).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

Arrays = dict[str, np.ndarray]

# Steps at the beginning of a series whose scale is too uncertain for training.
UNSETTLED_STEPS = 6

UNKNOWN = np.array(np.nan)


@dataclass(frozen=True)
class StandardizedValues:
    """Conversion of values to features, and of outputs to values.

    Values are standardized by the mean and scale of all training steps, or by those of
    each series up to the current step (``scaling="series"``; ``mean`` and ``scale`` are
    then None).
    """

    horizon: int
    lag: int  # of differencing; 0 for none
    residual: bool
    scaling: str | None  # "global", "series" or None
    fill: np.ndarray  # (C,) replaces missing values before the first observed one
    mean: np.ndarray | None  # (C,) of the values or their differences
    scale: np.ndarray | None  # (C,)
    shrinkage: float | None = None  # factor of deviations from the mean; None for none

    features_per_channel = 1
    logarithm = False

    def begin(self) -> Arrays:
        """Return the state (1, ...) before the first step of a series."""
        state = {
            "recent_values": np.tile(self.fill, (1, self.lag + 1, 1)),
            "n_values": np.zeros(1, dtype=np.int64),
        }
        if self.mean is None:
            state["moments"] = np.zeros((1, 3, len(self.fill)))
        return state

    def advance(
        self, state: Arrays, values: np.ndarray, observed: bool = True
    ) -> tuple[Arrays, np.ndarray]:
        """Return the state after values (n, C), and the features (n, C) of the step.

        A missing value is read as the value ``lag`` steps before (or as the last
        value), so that its difference is 0. Forecasts that are fed back are passed with
        ``observed=False``: they do not change the mean and scale.
        """
        missing, recent = np.isnan(values), state["recent_values"]
        current = np.where(missing, recent[:, min(self.lag, 1)], values)
        recent = np.concatenate([recent[:, 1:], current[:, None]], axis=1)
        new = {"recent_values": recent, "n_values": state["n_values"] + 1}
        latest = recent[:, -1] - recent[:, 0] if self.lag else current
        if self.mean is None:
            counts = ~missing & observed & self.is_ready(new)[:, None]
            new["moments"] = update_moments(state["moments"], latest, counts)
        mean, scale = self._statistics(new)
        return new, (latest - mean) / scale

    def is_ready(self, state: Arrays) -> np.ndarray:
        """Return whether enough values were read to take a difference, (n,)."""
        return state["n_values"] > self.lag

    def decode(self, state: Arrays, outputs: np.ndarray) -> np.ndarray:
        """Turn outputs (n, h, C, Q) into forecasts in the unit of the series."""
        recent, (origin, scale) = state["recent_values"], self._statistics(state)
        if self.shrinkage is not None:
            outputs = shrink(outputs, self.shrinkage)
        if self.residual:
            origin = recent[:, -1] - recent[:, 0] if self.lag else recent[:, -1]
        origin, scale = np.atleast_2d(origin), np.atleast_2d(scale)
        values = outputs * scale[:, None, :, None] + origin[:, None, :, None]
        return self._undo_differencing(values, recent) if self.lag else values

    def forecast(self, state: Arrays) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean as a forecast (n, h, C), and the scale (n, C) of outputs."""
        n, C = len(state["n_values"]), len(self.fill)
        mean, scale = (np.broadcast_to(a, (n, C)) for a in self._statistics(state))
        return np.repeat(mean[:, None], self.horizon, axis=1), scale

    def encode(
        self, values: list[np.ndarray]
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield features (T - lag, C) and targets (T - lag - 1, h, C) of series (T, C).

        A target is NaN where the true value is missing or later than the end of the
        series.
        """
        for v in values:
            known = ~np.isnan(v)
            x = fill_from_season(v, max(self.lag, 1))
            x = np.where(np.isnan(x), self.fill, x)
            if self.lag:
                x = x[self.lag :] - x[: len(x) - self.lag]
            mean, scale = self._statistics_of(x, known[self.lag :])
            known = known[self.lag :] & known[: len(x)]  # both values of a difference
            targets = look_ahead(np.where(known, x, np.nan), self.horizon)
            origin = x if self.residual else mean
            targets = (targets - origin[:-1, None]) / scale[:-1, None]
            if self.mean is None:
                targets[:UNSETTLED_STEPS] = np.nan
            yield (x - mean) / scale, targets

    def _statistics(self, state: Arrays) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean and scale, (C,) or (n, C)."""
        if self.mean is not None and self.scale is not None:
            return self.mean, self.scale
        return read_moments(state["moments"])

    def _statistics_of(self, x, known):
        """Compute the mean and scale (T, C) at each step of values (T, C)."""
        if self.mean is not None and self.scale is not None:
            return np.broadcast_to(self.mean, x.shape), np.broadcast_to(
                self.scale, x.shape
            )
        moments, statistics = np.zeros((1, 3, x.shape[1])), []
        for row, counts in zip(x, known, strict=True):
            moments = update_moments(moments, row[None], counts[None])
            statistics.append(read_moments(moments))
        return tuple(np.concatenate(parts) for parts in zip(*statistics, strict=True))

    def _undo_differencing(self, differences, recent):
        """Sum up differences (n, h, C, Q) at ``lag`` to values."""
        n, h, *rest = differences.shape
        n_blocks = -(-h // self.lag)
        padded = np.zeros((n, n_blocks * self.lag, *rest))
        padded[:, :h] = differences
        blocks = padded.reshape(n, n_blocks, self.lag, *rest).cumsum(axis=1)
        blocks += recent[:, None, 1:, :, None]
        return blocks.reshape(n, -1, *rest)[:, :h]


def fit_values(
    values: list[np.ndarray],
    *,
    horizon: int,
    lag: int,
    residual: bool,
    scaling: str | None,
    shrinkage: float | None = None,
) -> StandardizedValues:
    """Learn fill values, means and scales of series (T_i, C).

    ``scaling`` is "global", "series" or None.
    """
    steps = np.concatenate(values)
    fill = np.asarray(np.nanmean(steps, axis=0, dtype=np.float64))
    mean, scale = np.zeros(len(fill)), np.ones(len(fill))
    baseline = StandardizedValues(
        horizon, lag, residual, scaling, fill, mean, scale, shrinkage
    )
    if scaling == "series":
        return replace(baseline, mean=None, scale=None)
    if scaling is None:
        return baseline
    observed = [
        features[~np.isnan(v[lag:]).all(axis=1)]
        for v, (features, _) in zip(values, baseline.encode(values), strict=True)
    ]
    mean, scale = measure_scale(np.concatenate(observed))
    return replace(baseline, mean=mean, scale=scale)


def shrink(outputs: np.ndarray, shrinkage: float) -> np.ndarray:
    """Shrink the median of outputs (..., Q), and shift the other quantiles with it."""
    return outputs - (1 - shrinkage) * outputs[..., outputs.shape[-1] // 2, None]


def measure_scale(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return means and standard deviations of columns; 1 for a constant column."""
    values = values.astype(np.float64)
    mean, scale = values.mean(axis=0), values.std(axis=0)
    return mean, np.where(scale > 1e-12 * np.abs(mean), scale, 1.0)


def update_moments(
    moments: np.ndarray, x: np.ndarray, counts: np.ndarray
) -> np.ndarray:
    """Update number, mean and sum of squared deviations (n, 3, C) with x (n, C).

    Only values with ``counts`` True are added (Welford, 1962).
    """
    number, mean, squares = np.moveaxis(moments, 1, 0)
    number = number + counts
    step = np.where(counts, x - mean, 0) / np.maximum(number, 1)
    squares = squares + np.where(counts, (x - mean) * (x - mean - step), 0)
    return np.stack([number, mean + step, squares], axis=1)


def read_moments(moments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation (n, C); a deviation of 0 is replaced by 1."""
    number, mean, squares = np.moveaxis(moments, 1, 0)
    scale = np.sqrt(squares / np.maximum(number, 1))
    return mean, np.where(scale > 1e-12 * np.abs(mean), scale, 1.0)


def look_ahead(values: np.ndarray, horizon: int) -> np.ndarray:
    """Return the next h values (T - 1, h, C) after each step but the last of (T, C).

    Values after the end are NaN.
    """
    if len(values) < 2:
        return np.empty((0, horizon, values.shape[1]))
    later = np.full((len(values) - 2 + horizon, values.shape[1]), np.nan)
    later[: len(values) - 1] = values[1:]
    runs = np.lib.stride_tricks.sliding_window_view(later, horizon, axis=0)
    return runs.transpose(0, 2, 1)


def fill_forward(values: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Fill gaps of values (T, C) with the value before, or else with ``first``."""
    missing = np.isnan(values)
    if not missing.any():
        return values
    last = np.where(missing, -1, np.arange(len(values))[:, None])
    last = np.maximum.accumulate(last, axis=0)
    return np.where(last < 0, first, np.take_along_axis(values, last, axis=0))


def fill_from_season(values: np.ndarray, season: int) -> np.ndarray:
    """Fill gaps of values (T, C) with the last observed value of the same season."""
    T, C = values.shape
    n_seasons = -(-T // season)
    padded = np.full((n_seasons * season, C), np.nan)
    padded[:T] = values
    filled = fill_forward(padded.reshape(n_seasons, season * C), UNKNOWN)
    return filled.reshape(-1, C)[:T]
