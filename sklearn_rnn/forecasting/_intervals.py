"""Prediction intervals and sampled values around forecasts.

Shapes: n series, C channels, Q quantile levels (1 for a point forecast).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Bounds = tuple[np.ndarray, np.ndarray]
Sampler = Callable[[np.ndarray], np.ndarray]


def check_quantiles(
    quantiles, horizon: int, differencing: int | None
) -> tuple[float, ...]:
    """Return quantile levels if they rise and have the median in their middle.

    Forecasts must not be sums of quantiles, as they are for a ``horizon`` longer than
    the lag of ``differencing``.
    """
    levels = tuple(float(q) for q in np.ravel(quantiles))
    rising = all(np.diff(levels) > 0) and 0 < levels[0] and levels[-1] < 1
    if not rising or len(levels) % 2 == 0 or levels[len(levels) // 2] != 0.5:
        raise ValueError(
            f"quantiles must be an odd number of rising numbers in (0, 1) with 0.5 in "
            f"the middle, such as (0.025, 0.5, 0.975), got {quantiles!r}."
        )
    if differencing is not None and horizon > differencing:
        raise ValueError(
            f"horizon={horizon} with differencing={differencing} adds up forecast "
            "differences, and a sum of quantiles is no quantile of the sum. Set "
            f"horizon={differencing} (later steps are sampled), "
            'differencing=None, or intervals="conformal".'
        )
    return levels


def interpolate_quantiles(
    quantiles: np.ndarray, levels: np.ndarray, wanted: np.ndarray
) -> np.ndarray:
    """Values (...) at ``wanted`` levels, from quantiles (..., Q) at ``levels``."""
    high = np.clip(np.searchsorted(levels, wanted), 1, len(levels) - 1)
    share = (wanted - levels[high - 1]) / (levels[high] - levels[high - 1])
    below, above = (
        np.take_along_axis(quantiles, place[..., None], axis=-1)[..., 0]
        for place in (high - 1, high)
    )
    return below + share * (above - below)


def compute_conformal_radii(errors: np.ndarray, coverage: float) -> np.ndarray:
    """Half widths (n_leads, C) of intervals that cover a share of ``errors``.

    A half width is the split-conformal quantile of absolute errors (n_origins, n_leads,
    C), the ceil((n + 1) coverage)-th smallest of n. A lead with too few origins for it
    is pooled with the leads before it.
    """
    n_leads, C = errors.shape[1:]
    radii = np.empty((n_leads, C))
    for channel, lead in np.ndindex(C, n_leads):
        scores = np.abs(errors[:, : lead + 1, channel])
        radii[lead, channel] = _conformal_radius(scores, coverage)
    return radii


def _conformal_radius(scores: np.ndarray, coverage: float) -> float:
    """Half width for the last lead of scores (n_origins, n_leads)."""
    pooled = np.empty(0)
    for column in scores.T[::-1]:
        pooled = np.concatenate([pooled, column[~np.isnan(column)]])
        rank = int(np.ceil((len(pooled) + 1) * coverage))
        if rank <= len(pooled):
            return np.partition(pooled, rank - 1)[rank - 1]
    raise ValueError(
        f"coverage={coverage} needs more than {len(pooled)} past errors. Give a longer "
        "series, a larger calibration_fraction, or a lower coverage."
    )


@dataclass(frozen=True)
class ConformalIntervals:
    """Intervals and samples from the errors of past forecasts.

    Errors are None if the series was too short to measure them; ``reason`` says so.
    """

    errors: np.ndarray | None  # (n_origins, n_leads, C)
    reason: str = ""

    def compute_bounds(self, forecasts: np.ndarray, coverage: float) -> Bounds:
        """Bounds (n, horizon, C), lower and upper, of forecasts (n, horizon, C, 1)."""
        errors, horizon = self._require_errors(), forecasts.shape[1]
        if horizon > errors.shape[1]:
            raise ValueError(
                f"horizon={horizon}, but errors are known for {errors.shape[1]} steps "
                "ahead. Fit a longer series or set a larger calibration_fraction."
            )
        radii = compute_conformal_radii(errors[:, :horizon], coverage)
        return forecasts[..., 0] - radii, forecasts[..., 0] + radii

    def make_sampler(self, horizon: int, rng: np.random.Generator) -> Sampler:
        """A function from forecasts (n, horizon, C, 1) to samples (n, horizon, C)."""
        errors = self._require_errors()[:, :horizon]
        errors = errors[~np.isnan(errors).any(axis=(1, 2))]

        def sample(forecasts):
            origins = rng.integers(len(errors), size=len(forecasts))
            return forecasts[..., 0] + errors[origins]

        return sample

    def _require_errors(self) -> np.ndarray:
        if self.errors is None:
            raise ValueError(self.reason)
        return self.errors


@dataclass(frozen=True)
class QuantileIntervals:
    """Intervals and samples from learned quantiles of ``horizon`` steps at once."""

    levels: tuple[float, ...]
    horizon: int

    def compute_bounds(self, forecasts: np.ndarray, coverage: float) -> Bounds | None:
        """Two of the quantiles (n, horizon, C, Q); None if they lie further ahead."""
        if forecasts.shape[1] > self.horizon:
            return None
        tails = np.array([(1 - coverage) / 2, (1 + coverage) / 2])
        distances = np.abs(np.array(self.levels)[:, None] - tails)
        if distances.min(axis=0).max() > 1e-6:
            raise ValueError(
                f"coverage={coverage} lies between the quantiles "
                f"{tails.round(6).tolist()}, but the network learned "
                f"{list(self.levels)}. Add them to quantiles= and fit again."
            )
        low, high = distances.argmin(axis=0)
        return forecasts[..., low], forecasts[..., high]

    def make_sampler(self, horizon: int, rng: np.random.Generator) -> Sampler:
        """A function from quantiles (n, horizon, C, Q) to samples (n, horizon, C)."""
        levels = np.array(self.levels)

        def sample(forecasts):
            wanted = rng.uniform(levels[0], levels[-1], size=forecasts.shape[:-1])
            return interpolate_quantiles(forecasts, levels, wanted)

        return sample


Intervals = ConformalIntervals | QuantileIntervals
