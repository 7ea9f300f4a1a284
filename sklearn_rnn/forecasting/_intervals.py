"""Prediction intervals and sampled values around forecasts.

Shapes: n series, C channels, Q quantile levels (1 for a point forecast), N origins, h
steps that are forecast at once. A block is an array (h, C) of the errors, or ranks, of
the forecasts made at one origin.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn.forecasting._error_sizes import CalibrationErrors, ErrorSizes

Bounds = tuple[np.ndarray, np.ndarray]
Sampler = Callable[[np.ndarray], np.ndarray]

ENOUGH_BLOCKS = 20  # with fewer blocks of a kind, others are drawn from as well
FEW_ERRORS = 3  # fewer independent errors cause a warning


def check_quantiles(
    quantiles, horizon: int, differencing: int | None
) -> tuple[float, ...]:
    """Check that quantile levels increase and have the median in the middle.

    A ``horizon`` longer than the lag of ``differencing`` is an error, because forecasts
    would then be sums of quantiles. Returns the levels as a tuple.
    """
    levels = tuple(float(q) for q in np.ravel(quantiles))
    rising = all(np.diff(levels) > 0) and 0 < levels[0] and levels[-1] < 1
    if not rising or len(levels) % 2 == 0 or levels[len(levels) // 2] != 0.5:
        raise ValueError(
            f"quantiles must be an odd number of increasing numbers in (0, 1) with 0.5 "
            f"in the middle, such as (0.025, 0.5, 0.975), got {quantiles!r}."
        )
    if differencing is not None and horizon > differencing:
        raise ValueError(
            f"horizon={horizon} with differencing={differencing} adds up forecast "
            "differences, and a sum of quantiles is not the quantile of the sum. Set "
            f"horizon={differencing} (later steps are then sampled), "
            'differencing=None, or intervals="conformal".'
        )
    return levels


def interpolate_line(x: np.ndarray, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """Interpolate linearly at x (...) between points (xs, ys) of shape (..., Q).

    ``xs`` must be increasing. Beyond the points, the first and the last segment are
    continued.
    """
    high = np.clip((xs < x[..., None]).sum(axis=-1), 1, xs.shape[-1] - 1)
    (x0, x1), (y0, y1) = (
        [
            np.take_along_axis(points, place[..., None], axis=-1)[..., 0]
            for place in (high - 1, high)
        ]
        for points in np.broadcast_arrays(xs, ys)
    )
    width = np.where(x1 > x0, x1 - x0, 1)
    return y0 + (x - x0) / width * (y1 - y0)


def fill_blocks(blocks: np.ndarray, owners: np.ndarray) -> np.ndarray:
    """Fill the gaps (NaN) of blocks (N, h, C) of series ``owners`` in time order.

    A gap takes the value that the nearest block in time has at this lead, in the same
    series if possible. It then follows the distribution of this lead; for a random
    walk it is also close to the missing error, because both share most of their
    shocks. A lead without any value takes the values of the lead before it, or else
    of the one after it.
    """
    filled = blocks.copy()
    for lead, channel in np.ndindex(*blocks.shape[1:]):
        column = blocks[:, lead, channel]
        known = np.flatnonzero(~np.isnan(column))
        gaps = np.flatnonzero(np.isnan(column))
        if len(known):
            after = np.searchsorted(known, gaps)
            neighbors = known[np.clip([after - 1, after], 0, len(known) - 1)]
            distances = np.abs(neighbors - gaps)
            distances += len(blocks) * (owners[neighbors] != owners[gaps])
            nearest = neighbors[distances.argmin(axis=0), np.arange(len(gaps))]
            filled[gaps, lead, channel] = column[nearest]
    for leads in (range(1, blocks.shape[1]), range(blocks.shape[1] - 2, -1, -1)):
        step = leads.step
        for lead in leads:
            gaps = np.isnan(filled[:, lead])
            filled[:, lead] = np.where(gaps, filled[:, lead - step], filled[:, lead])
    return filled


def take_blocks(
    blocks: np.ndarray, owners: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return blocks (N, h, C) without gaps, and the series that each belongs to.

    These are the complete blocks if there are enough of them, or else all blocks with
    any value, with their gaps filled.
    """
    missing = np.isnan(blocks)
    complete = ~missing.any(axis=(1, 2))
    if complete.sum() >= min(ENOUGH_BLOCKS, len(blocks)):
        return blocks[complete], owners[complete]
    usable = ~missing.all(axis=(1, 2))
    return fill_blocks(blocks[usable], owners[usable]), owners[usable]


@dataclass(frozen=True)
class ConformalIntervals:
    """Intervals and samples from the errors of past forecasts.

    ``calibration`` is None if the series was too short to measure errors; ``reason``
    is then the message of the error that later requests raise.
    """

    calibration: CalibrationErrors | None
    reason: str = ""

    def compute_bounds(
        self, forecasts: np.ndarray, coverage: float, sizes: ErrorSizes | None
    ) -> Bounds:
        """Compute lower and upper bounds (n, h, C) of forecasts (n, h, C, 1).

        ``sizes`` are the sizes of the errors of the n series.
        """
        calibration, horizon = self.require_errors(), forecasts.shape[1]
        self._check_leads(horizon)
        n_independent = calibration.counts[:horizon].min(axis=1)
        if n_independent[-1] < FEW_ERRORS:
            first = int(np.argmax(n_independent < FEW_ERRORS))
            warn_user(
                f"intervals from step {first + 1} on are based on errors of past "
                f"forecasts that correspond to {n_independent[-1]:.1f} independent "
                "ones. They are wider for this reason, but remain uncertain. Fit a "
                "longer series, or hold out a larger part of it for calibration."
            )
        assert sizes is not None
        radii = calibration.compute_radii(horizon, coverage, sizes)
        return forecasts[..., 0] - radii, forecasts[..., 0] + radii

    def make_sampler(
        self, horizon: int, rng: np.random.Generator, sizes: ErrorSizes | None
    ) -> Sampler:
        """Return a function from forecasts (m, h, C, 1) to samples (m, h, C).

        Row r of the m rows belongs to series r % n of the n series with ``sizes``. The
        samples of a series use its own errors if there are enough of them, otherwise
        those of all series, divided by their sizes.
        """
        calibration = self.require_errors()
        self._check_leads(horizon)
        assert sizes is not None
        own = sizes
        blocks, owners = take_blocks(calibration.normalize(horizon), calibration.owners)
        order = np.argsort(owners, kind="stable")
        blocks, owners = blocks[order], owners[order]
        first = np.searchsorted(owners, own.rows)
        n_blocks = np.searchsorted(owners, own.rows, side="right") - first
        few = n_blocks < ENOUGH_BLOCKS
        first, n_blocks = np.where(few, 0, first), np.where(few, len(blocks), n_blocks)

        def sample(forecasts):
            series = np.arange(len(forecasts)) % len(first)
            origins = first[series] + rng.integers(n_blocks[series])
            return forecasts[..., 0] + blocks[origins] * own.sizes[series, :horizon]

        return sample

    def require_errors(self) -> CalibrationErrors:
        """Return the errors of past forecasts; raise a ValueError if there are none."""
        if self.calibration is None:
            raise ValueError(self.reason)
        return self.calibration

    def _check_leads(self, horizon):
        n_leads = self.require_errors().n_leads
        if horizon > n_leads:
            raise ValueError(
                f"horizon={horizon}, but errors of past forecasts were measured for "
                f"{n_leads} steps ahead only. Fit a longer series, or hold out a "
                "larger part of it for calibration."
            )


@dataclass(frozen=True)
class QuantileIntervals:
    """Intervals and samples from learned quantiles of ``horizon`` steps at once.

    Between the quantiles and beyond the outermost ones, values are linear in the
    quantiles of the standard normal distribution. A normal distribution is therefore
    reproduced exactly, and the tails are Gaussian.

    ``ranks`` (N, horizon, C) in (0, 1) are the ranks, per lead, that the true values of
    the training series have in their forecast distributions. They are an empirical
    copula: samples take from it the dependence between the steps and channels of a
    block, as in the Schaake shuffle (Clark et al., Journal of Hydrometeorology, 2004).
    """

    levels: tuple[float, ...]
    horizon: int
    ranks: np.ndarray | None = None

    def compute_bounds(
        self, forecasts: np.ndarray, coverage: float, sizes: ErrorSizes | None = None
    ) -> Bounds | None:
        """Return two of the quantiles (n, horizon, C, Q) as lower and upper bounds.

        None if there are more steps than the network forecasts at once.
        """
        if forecasts.shape[1] > self.horizon:
            return None
        tails = np.array([(1 - coverage) / 2, (1 + coverage) / 2])
        distances = np.abs(np.array(self.levels)[:, None] - tails)
        if distances.min(axis=0).max() > 1e-6:
            raise ValueError(
                f"coverage={coverage} needs the quantiles {tails.round(6).tolist()}, "
                f"but the network learned {list(self.levels)}. Add them to quantiles= "
                "and fit again."
            )
        low, high = distances.argmin(axis=0)
        return forecasts[..., low], forecasts[..., high]

    def make_sampler(
        self, horizon: int, rng: np.random.Generator, sizes: ErrorSizes | None = None
    ) -> Sampler:
        """Return a function from quantiles (m, h, C, Q) to samples (m, h, C)."""
        ranks, scores = self._require_ranks(), ndtri(self.levels)

        def sample(forecasts):
            origins = rng.integers(len(ranks), size=len(forecasts))
            # a rank stands for an interval, from which a value is drawn
            spread = (rng.random(forecasts.shape[:-1]) - 0.5) / len(ranks)
            places = np.clip(ranks[origins] + spread, 1e-9, 1 - 1e-9)
            return interpolate_line(ndtri(places), scores, forecasts)

        return sample

    def _require_ranks(self) -> np.ndarray:
        if len(self.levels) == 1:
            raise ValueError(
                "quantiles=(0.5,) contains only the median, which does not describe "
                "how far values scatter. Set quantiles=(0.1, 0.5, 0.9), for example, "
                "and fit again."
            )
        assert self.ranks is not None
        return self.ranks


def rank_truth(
    forecasts: np.ndarray, truth: np.ndarray, owners: np.ndarray, levels
) -> np.ndarray:
    """Rank the truth (N, h, C) within forecasts (N, h, C, Q): (N, h, C) in (0, 1)."""
    places = interpolate_line(truth, forecasts, ndtri(levels))
    blocks, _ = take_blocks(places, owners)
    order = blocks.argsort(axis=0, kind="stable").argsort(axis=0)
    return ((order + 0.5) / len(blocks)).astype(np.float32)


Intervals = ConformalIntervals | QuantileIntervals
