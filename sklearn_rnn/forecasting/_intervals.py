"""Prediction intervals and sampled values around forecasts.

Shapes: n series, C channels, Q quantile levels (1 for a point forecast), N origins at
which blocks of h forecasts were compared with the truth.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn.forecasting._error_sizes import CalibrationErrors, ErrorSizes

Bounds = tuple[np.ndarray, np.ndarray]
Sampler = Callable[[np.ndarray], np.ndarray]

ENOUGH_BLOCKS = 20  # as many of a kind are drawn from without taking in others
FEW_ERRORS = 3  # with fewer independent errors, intervals come with a warning


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


def interpolate_line(x: np.ndarray, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """Values (...) at x (...) of polygons through points (..., Q) that rise in xs.

    The first and last line are continued beyond the points.
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
    """Blocks (N, h, C) without gaps, from blocks of series ``owners`` in time order.

    A gap takes the value of the nearest block in time, of the same series if there is
    one, that knows this lead. It has the distribution of this lead, and of a process
    that wanders almost the same errors in sum. A lead that no block knows takes the
    value of the lead before it, or else after it.
    """
    filled = blocks.copy()
    for lead, channel in np.ndindex(*blocks.shape[1:]):
        column = blocks[:, lead, channel]
        known = np.flatnonzero(~np.isnan(column))
        gaps = np.flatnonzero(np.isnan(column))
        if len(known):
            after = np.searchsorted(known, gaps)
            beside = known[np.clip([after - 1, after], 0, len(known) - 1)]
            distances = np.abs(beside - gaps)
            distances += len(blocks) * (owners[beside] != owners[gaps])
            nearest = distances.argmin(axis=0)
            filled[gaps, lead, channel] = column[beside[nearest, np.arange(len(gaps))]]
    for leads in (range(1, blocks.shape[1]), range(blocks.shape[1] - 2, -1, -1)):
        step = leads.step
        for lead in leads:
            gaps = np.isnan(filled[:, lead])
            filled[:, lead] = np.where(gaps, filled[:, lead - step], filled[:, lead])
    return filled


def take_blocks(
    blocks: np.ndarray, owners: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Blocks (N, h, C) without gaps, and their series.

    These are the complete ones if they are enough, or else all that know anything of
    the last lead of some channel, with their gaps filled.
    """
    missing = np.isnan(blocks)
    complete = ~missing.any(axis=(1, 2))
    if complete.sum() >= min(ENOUGH_BLOCKS, len(blocks)):
        return blocks[complete], owners[complete]
    begun = ~missing.all(axis=(1, 2))
    return fill_blocks(blocks[begun], owners[begun]), owners[begun]


@dataclass(frozen=True)
class ConformalIntervals:
    """Intervals and samples from the errors of past forecasts.

    Errors are None if the series was too short to measure them; ``reason`` says so.
    """

    calibration: CalibrationErrors | None
    reason: str = ""

    def compute_bounds(
        self, forecasts: np.ndarray, coverage: float, sizes: ErrorSizes | None
    ) -> Bounds:
        """Bounds (n, horizon, C), lower and upper, of forecasts (n, horizon, C, 1).

        ``sizes`` are those of the errors of the n series.
        """
        calibration, horizon = self.require_errors(), forecasts.shape[1]
        self._check_leads(horizon)
        n_independent = calibration.counts[:horizon].min(axis=1)
        if n_independent[-1] < FEW_ERRORS:
            first = int(np.argmax(n_independent < FEW_ERRORS))
            warn_user(
                f"intervals from step {first + 1} on rest on errors of past forecasts "
                f"that are worth {n_independent[-1]:.1f} independent ones. They are "
                "widened for it, but remain uncertain. Fit a longer series, or "
                "calibrate on more of it."
            )
        assert sizes is not None
        radii = calibration.compute_radii(horizon, coverage, sizes)
        return forecasts[..., 0] - radii, forecasts[..., 0] + radii

    def make_sampler(
        self, horizon: int, rng: np.random.Generator, sizes: ErrorSizes | None
    ) -> Sampler:
        """A function from forecasts (m, horizon, C, 1) to samples (m, horizon, C).

        Row r of the m rows belongs to series r % n of the n series with ``sizes``. A
        series draws from its own errors if they are enough, otherwise from those of all
        series, divided by their sizes.
        """
        calibration = self.require_errors()
        self._check_leads(horizon)
        assert sizes is not None
        known = sizes
        blocks, owners = take_blocks(calibration.normalize(horizon), calibration.owners)
        order = np.argsort(owners, kind="stable")
        blocks, owners = blocks[order], owners[order]
        first = np.searchsorted(owners, known.rows)
        n_blocks = np.searchsorted(owners, known.rows, side="right") - first
        few = n_blocks < ENOUGH_BLOCKS
        first, n_blocks = np.where(few, 0, first), np.where(few, len(blocks), n_blocks)

        def sample(forecasts):
            series = np.arange(len(forecasts)) % len(first)
            origins = first[series] + rng.integers(n_blocks[series])
            return forecasts[..., 0] + blocks[origins] * known.sizes[series, :horizon]

        return sample

    def require_errors(self) -> CalibrationErrors:
        """The errors of past forecasts, or a ValueError that says why not."""
        if self.calibration is None:
            raise ValueError(self.reason)
        return self.calibration

    def _check_leads(self, horizon):
        n_leads = self.require_errors().n_leads
        if horizon > n_leads:
            raise ValueError(
                f"horizon={horizon}, but errors are known for {n_leads} steps "
                "ahead. Fit a longer series, or calibrate on more of it."
            )


@dataclass(frozen=True)
class QuantileIntervals:
    """Intervals and samples from learned quantiles of ``horizon`` steps at once.

    Between quantiles and beyond the outermost ones, values are linear in the quantiles
    of the standard normal distribution: a normal distribution is met exactly, and the
    tails are Gaussian.

    ``ranks`` (N, horizon, C) in (0, 1) are where the truth lay among the forecasts of
    the training series, ranked for each lead: an empirical copula, from which samples
    take the dependence between the steps and channels of a block. The method is that of
    the Schaake shuffle (Clark et al., Journal of Hydrometeorology, 2004).
    """

    levels: tuple[float, ...]
    horizon: int
    ranks: np.ndarray | None = None

    def compute_bounds(
        self, forecasts: np.ndarray, coverage: float, sizes: ErrorSizes | None = None
    ) -> Bounds | None:
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

    def make_sampler(
        self, horizon: int, rng: np.random.Generator, sizes: ErrorSizes | None = None
    ) -> Sampler:
        """A function from quantiles (m, horizon, C, Q) to samples (m, horizon, C)."""
        ranks, scores = self._require_ranks(), ndtri(self.levels)

        def sample(forecasts):
            origins = rng.integers(len(ranks), size=len(forecasts))
            # any value of the interval that a rank stands for
            spread = (rng.random(forecasts.shape[:-1]) - 0.5) / len(ranks)
            places = np.clip(ranks[origins] + spread, 1e-9, 1 - 1e-9)
            return interpolate_line(ndtri(places), scores, forecasts)

        return sample

    def _require_ranks(self) -> np.ndarray:
        if len(self.levels) == 1:
            raise ValueError(
                "quantiles=(0.5,) has the median alone, which does not say how far "
                "values scatter. Set quantiles=(0.1, 0.5, 0.9), for example, and fit "
                "again."
            )
        assert self.ranks is not None
        return self.ranks


def rank_truth(
    forecasts: np.ndarray, truth: np.ndarray, owners: np.ndarray, levels
) -> np.ndarray:
    """Ranks (N, h, C) in (0, 1) of truth (N, h, C) in forecasts (N, h, C, Q)."""
    places = interpolate_line(truth, forecasts, ndtri(levels))
    blocks, _ = take_blocks(places, owners)
    order = blocks.argsort(axis=0, kind="stable").argsort(axis=0)
    return ((order + 0.5) / len(blocks)).astype(np.float32)


Intervals = ConformalIntervals | QuantileIntervals
