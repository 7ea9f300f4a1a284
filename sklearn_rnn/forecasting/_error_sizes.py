"""Sizes of the errors of forecasts: per series, channel and lead.

The half width of an interval is the size of the errors times a quantile of the errors
divided by their sizes (normalized, or locally weighted, conformal prediction). Sizes
are mean absolute errors. Where few errors of a lead are independent, its size is shrunk
towards a smooth curve over the leads, the "law", and quantiles of Student's t widen
the interval for the uncertainty of the size.

Shapes: n series, N origins of calibration, L leads, C channels.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

Arrays = list[np.ndarray]

# Chosen on simulated errors of ideal forecasts, see benchmarks/bench_intervals.py.
SMOOTHING = 1.5  # bandwidth of the law, in units of log(lead)
LAW_WEIGHT = 20.0  # weight of the law, in independent errors of a lead
SCALE_WEIGHT = 0.5  # weight of the scale of a series, in errors
PRIOR_COUNT = 2.0  # degrees of freedom that the law adds to those of a lead
LOG_VARIANCE = np.pi / 2 - 1  # variance of log(mean of |errors|), times their number
POOLED_COUNT = 20.0  # leads with fewer independent errors are pooled with shorter ones
POOLED_LEADS = 8  # maximum number of leads that are pooled


@dataclass(frozen=True)
class ErrorSizes:
    """Mean absolute errors of forecasts of n series, and their degrees of freedom."""

    sizes: np.ndarray  # (n, L, C)
    counts: np.ndarray  # (n, L, C) degrees of freedom of the sizes
    rows: np.ndarray  # (n,) positions among the series in fit; -1 for others

    def take(self, rows: np.ndarray) -> "ErrorSizes":
        """Return the sizes of some of the series."""
        return ErrorSizes(self.sizes[rows], self.counts[rows], self.rows[rows])


@dataclass(frozen=True)
class CalibrationErrors:
    """Errors of the calibrating forecasts, with the sizes of the errors of each series.

    ``law`` describes how errors grow with the lead, relative to the level of a series.
    ``level`` is the median of the levels, and ``typical`` is the median of their ratios
    to the scale of a series (see ``measure_scales``). ``inflation`` is the ratio of the
    levels to those of the network on its training data.
    """

    errors: np.ndarray  # (N, L, C), float32
    owners: np.ndarray  # (N,) the series of each origin
    own: ErrorSizes
    law: np.ndarray  # (L, C)
    counts: np.ndarray  # (L, C) effective numbers of errors of all series
    agreement: np.ndarray  # (L, C) weight of the common law, as a number of errors
    level: np.ndarray  # (C,)
    typical: np.ndarray  # (C,)
    inflation: np.ndarray  # (C,)

    @property
    def n_leads(self) -> int:
        """Number of leads up to the last one with an error of each channel."""
        known = ~np.isnan(self.errors).all(axis=0)
        leads = np.arange(1, len(known) + 1)[:, None]
        return int((leads * known).max(axis=0).min())

    def normalize(self, n_leads: int) -> np.ndarray:
        """Divide errors (N, n_leads, C) by the sizes of their series."""
        sizes = self.own.sizes[self.owners, :n_leads]
        return self.errors[:, :n_leads] / np.where(sizes > 0, sizes, 1)

    def estimate(
        self, levels: np.ndarray, counts: np.ndarray, scales: np.ndarray
    ) -> ErrorSizes:
        """Estimate sizes of other series, from ``levels`` (n, C) of ``counts`` errors.

        Levels are measured on the training data of the network or on similar data, so
        they are multiplied by ``inflation``.
        """
        levels = shrink_levels(
            levels * self.inflation, counts, scales * self.typical, self.level
        )
        growth = np.minimum(self.counts, self.agreement)
        counts = _count_freedom(counts, growth[None])
        return ErrorSizes(levels[:, None] * self.law, counts, np.full(len(levels), -1))

    def compute_radii(
        self, n_leads: int, coverage: float, sizes: ErrorSizes
    ) -> np.ndarray:
        """Compute half widths (n, n_leads, C) of intervals, for errors of ``sizes``.

        The quantile of n normalized errors is the ceil((n + 1) coverage)-th smallest. A
        lead with few independent errors is pooled with shorter leads.
        """
        scores = np.abs(self.normalize(n_leads))
        quantiles = np.empty(scores.shape[1:])
        n_scores = np.empty(scores.shape[1:])
        for channel in range(scores.shape[2]):
            for lead in range(n_leads):
                quantiles[lead, channel], n_scores[lead, channel] = _pooled_quantile(
                    scores[..., channel], self.counts[:, channel], lead, coverage
                )
        tail = (1 + coverage) / 2
        widening = stdtrit(sizes.counts[:, :n_leads], tail) / stdtrit(n_scores, tail)
        widening = np.maximum(widening, 1)
        return sizes.sizes[:, :n_leads] * quantiles * widening


def _pooled_quantile(scores, counts, lead, coverage):
    """Return the conformal quantile of scores (N, L) at a lead, and their number."""
    enough = np.flatnonzero(counts[: lead + 1] >= POOLED_COUNT)
    first = enough[-1] if len(enough) else 0
    while True:
        n = np.count_nonzero(~np.isnan(scores[:, first]))
        rank = np.ceil((n + 1) * coverage)
        if rank <= n:
            break
        if first == 0:
            raise ValueError(
                f"coverage={coverage} needs more than the {n} available errors of past "
                "forecasts. Fit a longer series, hold out a larger part of it for "
                "calibration, or set a lower coverage."
            )
        first -= 1
    leads = np.unique(np.linspace(first, lead, POOLED_LEADS).round().astype(int))
    pooled = [column[~np.isnan(column)] for column in scores[:, leads].T]
    weights = [
        np.full(len(part), counts[k] / max(len(part), 1))
        for k, part in zip(leads, pooled, strict=True)
    ]
    values = np.concatenate(pooled)
    order = np.argsort(values)
    shares = np.cumsum(np.concatenate(weights)[order])
    place = np.searchsorted(shares, (rank / n - 1e-9) * shares[-1])
    return values[order[min(place, len(values) - 1)]], n


# ---------------------------------------------------------------- learning sizes


def learn_sizes(
    errors: np.ndarray,
    owners: np.ndarray,
    scales: np.ndarray,
    stride: int = 1,
) -> CalibrationErrors:
    """Estimate sizes from errors (N, L, C) of series ``owners``, in time order.

    ``scales`` (n, C) are the scales of all series; ``stride`` is the number of steps
    from one origin to the next.
    """
    n, (_, L, C) = len(scales), errors.shape
    means, n_known = _average_by_owner(np.abs(errors), owners, n)
    leads = np.arange(1, L + 1)[:, None]
    steps = n_known * stride
    blocks = np.where(n_known > 0, (steps + leads - 1) / leads, 0)
    levels, growth = _separate(means, blocks / leads)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where((scales > 0) & (levels > 0), levels / scales, np.nan)
    law = np.empty((L, C))
    counts = np.empty((n, L, C))
    agreement = np.empty((L, C))
    level, typical = np.zeros(C), np.ones(C)
    for c in range(C):
        law[:, c] = smooth_growth(growth[:, c], (blocks / leads)[..., c].sum(axis=0))
        counts[..., c] = np.minimum(
            count_independent(law[:, c], steps[..., c]), n_known[..., c]
        )
        if not np.isnan(levels[:, c]).all():
            level[c] = np.nanmedian(levels[:, c])
        if not np.isnan(ratios[:, c]).all():
            typical[c] = np.nanmedian(ratios[:, c])
    total = counts.sum(axis=0)
    law = _blend(growth, total, law)
    levels = shrink_levels(levels, counts[:, 0], scales * typical, level)
    expected = levels[:, None] * law
    for c in range(C):
        own_law = smooth_growth(means[..., c], (blocks / leads)[..., c])
        expected[..., c], agreement[:, c] = _combine_laws(
            own_law, expected[..., c], counts[..., c]
        )
    own = ErrorSizes(
        _to_single(_blend(means, counts, expected)),
        _count_freedom(counts[:, 0], np.minimum(counts + agreement, total)).astype(
            np.float32
        ),
        np.arange(n),
    )
    kept, no_inflation = _to_single(errors), np.ones(C)
    return CalibrationErrors(
        kept, owners, own, law, total, agreement, level, typical, no_inflation
    )


def _to_single(values):
    """Convert ``values`` to float32, unless some are too large for it."""
    largest = np.abs(values).max(initial=0, where=np.isfinite(values))
    return values.astype(np.float32) if largest < np.finfo(np.float32).max else values


def _combine_laws(own, common, counts):
    """Combine the laws of single series with the common law into sizes (n, L).

    How much the series differ is the variance of log(own / common) minus the variance
    that estimates from ``counts`` errors have anyway, minus one standard error of the
    difference. The weight (L,) of the common law, which is returned too, is the number
    of errors whose estimate would have this variance.
    """
    freedom = counts + PRIOR_COUNT
    known = (counts > 0) & (common > 0)
    logs = np.log(np.where(known, own, 1) / np.where(known, common, 1))
    n_known = np.maximum(known.sum(axis=0), 1)
    noise = np.where(known, LOG_VARIANCE / freedom, 0)
    excess = (np.where(known, logs**2, 0) - noise).sum(axis=0) / n_known
    error = noise.sum(axis=0) / n_known * np.sqrt(2 / n_known)  # of the excess
    with np.errstate(divide="ignore"):
        agreement = LOG_VARIANCE / np.maximum(excess - error, 0)
    share = np.where(len(own) > 1, freedom / (freedom + agreement), 0)
    return common * np.exp(share * logs), np.where(len(own) > 1, agreement, np.inf)


def shrink_levels(
    levels: np.ndarray, counts: np.ndarray, typical: np.ndarray, default: np.ndarray
) -> np.ndarray:
    """Shrink levels (n, C) of errors towards ``typical`` ones where ``counts`` are few.

    A series without a scale keeps its level; a series with neither has the ``default``.
    """
    prior = np.where(typical > 0, SCALE_WEIGHT, 0.0)
    with np.errstate(invalid="ignore"):
        shrunk = (np.nan_to_num(levels) * counts + typical * prior) / (counts + prior)
    return np.where(np.isnan(shrunk), default, shrunk)


def _count_freedom(own, growth):
    """Count degrees of freedom (n, L, C) of sizes.

    The level of a series is estimated from ``own`` errors (n, C), and its growth from
    ``growth`` errors (n, L, C) at a lead and from the law.
    """
    return np.minimum(np.maximum(own[:, None], PRIOR_COUNT), growth + PRIOR_COUNT)


def _average_by_owner(scores, owners, n):
    """Average the scores (N, L, C) of each series that are not NaN; count them."""
    sums, numbers = np.zeros((2, n, *scores.shape[1:]))
    np.add.at(sums, owners, np.nan_to_num(scores))
    np.add.at(numbers, owners, ~np.isnan(scores))
    return sums / np.maximum(numbers, 1), numbers


def _separate(means, weights):
    """Separate means (n, L, C) into levels (n, C) of series times growth (L, C).

    The growth is NaN for leads without errors, and the level for series without errors.
    """
    growth = np.ones(means.shape[1:])
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(3):
            levels = (weights * means / growth).sum(axis=1) / weights.sum(axis=1)
            used = weights * (levels > 0)[:, None]
            relative = np.where(used > 0, means / levels[:, None], 0)
            growth = (used * relative).sum(axis=0) / used.sum(axis=0)
            growth = np.where(growth > 0, growth, 1.0)
    return levels, np.where(used.sum(axis=0) > 0, growth, np.nan)


def _blend(own, counts, law):
    """Return geometric means of own sizes, weighted by ``counts``, and a law."""
    with np.errstate(divide="ignore", invalid="ignore"):
        usable = (counts > 0) & ~np.isnan(own)
        own = np.where(usable, np.maximum(own, 1e-3 * law), law)
        share = counts / (counts + LAW_WEIGHT)
        return np.where(law > 0, own**share * law ** (1 - share), law)


def smooth_growth(growth: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Smooth sizes (..., L) with weights into a law (..., L) that does not decrease.

    Around each lead, a line in log(size) over log(lead) is fitted with a Gaussian
    kernel. Its slope is limited to [0, 1]: 0 is white noise, 0.5 a random walk.
    """
    known = (weights > 0) & (growth > 0)
    w, y = np.where(known, weights, 0), np.log(np.where(known, growth, 1))
    places = np.log(np.arange(1, growth.shape[-1] + 1))
    x = places - places[:, None]  # (lead of the law, lead)
    kernel = np.exp(-0.5 * (x / SMOOTHING) ** 2)
    total = np.maximum(w @ kernel.T, 1e-300)
    mean_x, mean_y = w @ (kernel * x).T / total, (w * y) @ kernel.T / total
    spread = w @ (kernel * x**2).T / total - mean_x**2
    slope = (w * y) @ (kernel * x).T / total - mean_x * mean_y
    slope = np.clip(slope / np.maximum(spread, 1e-12), 0, 1)
    return np.exp(mean_y - slope * mean_x)


def count_independent(law: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Estimate numbers (n, L) of independent errors among ``steps`` (n, L) successive.

    Errors k steps ahead from origins that are j steps apart share k - j shocks. With
    the variance v(k) of errors k steps ahead, their correlation is at most the square
    root of v(k - j) (v(k) - v(j)) / v(k)². This bound is exact for the errors of an
    ideal forecast of white noise, a random walk or an autoregression of first order.
    The effective number follows from Bartlett's formula for the mean of squares.
    """
    L = len(law)
    v = np.maximum.accumulate(law) ** 2
    lags, leads = np.arange(1, L + 1), np.arange(1, L + 1)[:, None]
    shared = v[np.maximum(leads - lags, 1) - 1] * (v[:, None] - v) / v[:, None] ** 2
    squares = np.where(lags < leads, np.maximum(shared, 0), 0)
    sums = np.pad(np.cumsum(squares, axis=1), ((0, 0), (1, 0)))
    weighted = np.pad(np.cumsum(lags * squares, axis=1), ((0, 0), (1, 0)))
    places = np.clip(steps.astype(int) - 1, 0, L)
    row = np.arange(L)
    divisor = 1 + 2 * (sums[row, places] - weighted[row, places] / np.maximum(steps, 1))
    return steps / divisor


# ---------------------------------------------------------------- levels of series


def measure_scales(values: Arrays) -> np.ndarray:
    """Measure scales (n, C) of series (T_i, C): means of absolute differences."""
    scales = np.zeros((len(values), values[0].shape[1]))
    for i, series in enumerate(values):
        steps = np.abs(np.diff(series.astype(np.float64), axis=0))
        known = np.count_nonzero(~np.isnan(steps), axis=0)
        scales[i] = np.nansum(steps, axis=0) / np.maximum(known, 1)
    return scales


def measure_levels(
    errors: np.ndarray, law: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Measure levels (n, C) of errors (origins, n, h, C); count the origins (n, C).

    Only the leads of ``law`` (L, C) are used.
    """
    n_leads = min(errors.shape[2], len(law))
    scores = np.abs(errors[:, :, :n_leads]) / law[:n_leads]
    known = np.count_nonzero(~np.isnan(scores), axis=(0, 2))
    levels = np.nansum(scores, axis=(0, 2)) / np.maximum(known, 1)
    return levels, np.count_nonzero(~np.isnan(scores).all(axis=2), axis=0)
