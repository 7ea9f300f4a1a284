"""Calibration: forecasts of steps that the network was not trained on."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn._training.holdout import draw_holdout
from sklearn_rnn.forecasting._encoding import SeriesEncoding
from sklearn_rnn.forecasting._error_sizes import (
    CalibrationErrors,
    ErrorSizes,
    learn_sizes,
    measure_levels,
    measure_scales,
)
from sklearn_rnn.forecasting._intervals import (
    ConformalIntervals,
    QuantileIntervals,
    rank_truth,
)
from sklearn_rnn.forecasting._rollout import (
    SeriesNetwork,
    group_by_length,
    take_ahead,
)
from sklearn_rnn.forecasting._skill import (
    compare_with_naive,
    measure_shrinkage,
    set_shrinkage,
    summarize_skill,
)
from sklearn_rnn.forecasting._windows import HeldOut

Arrays = list[np.ndarray]  # one per series

CALIBRATED_WINDOWS = 10  # errors are measured at most this many windows ahead
KEPT_ERRORS = 2**20  # maximum number of errors (4 MiB)


def choose_stride(n_errors: int) -> int:
    """Choose the distance of origins, in steps, so that few enough errors are kept."""
    return max(1, int(np.ceil(n_errors / KEPT_ERRORS)))


@dataclass(frozen=True)
class Calibration:
    """Results of forecasting the steps held out of training."""

    intervals: ConformalIntervals | None = None
    skill: float | None = None  # 1 - error / error of the seasonal naive forecast
    shrinkage: float = 1.0  # factor of the corrections of the baseline


def calibrate(
    network: SeriesNetwork,
    values: Arrays,
    exog: Arrays | None,
    held_out: HeldOut,
    conformal: bool,
    measures_shrinkage: bool = True,
) -> Calibration:
    """Calibrate a network on the steps held out of its training.

    The shrinkage of its corrections is 1 unless ``measures_shrinkage``.
    """
    shrinkage = 1.0
    if measures_shrinkage:
        shrinkage = measure_shrinkage(network, values, exog, held_out)
    if not conformal:
        return Calibration(shrinkage=shrinkage)
    network = set_shrinkage(network, shrinkage)
    intervals, skill = measure_intervals(network, values, exog, held_out)
    return Calibration(intervals, skill, shrinkage)


def measure_intervals(
    network: SeriesNetwork, values: Arrays, exog: Arrays | None, held_out: HeldOut
) -> tuple[ConformalIntervals, float | None]:
    """Compute intervals from forecasts of the steps held out, and their skill."""
    encoding = network.encoding
    n_origins = np.array([len(values[i]) for i in held_out.series])
    n_origins = n_origins - held_out.first_steps
    rows, first_steps, n_origins = (
        array[n_origins > 0]
        for array in (held_out.series, held_out.first_steps, n_origins)
    )
    held_values, held_exog = _take(values, rows), exog and _take(exog, rows)
    furthest = max(encoding.horizon, CALIBRATED_WINDOWS * encoding.window)
    n_leads = min(n_origins.max(), furthest)
    if exog is not None:  # errors can be measured for whole blocks only
        n_leads = max(encoding.horizon, n_leads - n_leads % encoding.horizon)
    n_errors = n_origins.sum() * n_leads * encoding.n_channels
    stride = choose_stride(n_errors)
    errors, owners, ratios = [], [], []
    for places, part in network.compute_rolling_errors(
        held_values, held_exog, first_steps - 1, n_leads, stride
    ):
        origins = first_steps[places[0]] - 1 + stride * np.arange(len(part))
        for k, place in enumerate(places):
            own = part[:, k, : encoding.horizon]
            ratios.append(
                compare_with_naive(own, held_values[place], origins, encoding.season)
            )
        errors.append(np.moveaxis(part, 1, 0).reshape(-1, *part.shape[2:]))
        owners.append(np.repeat(rows[places], len(part)))
    calibration = learn_sizes(
        np.concatenate(errors), np.concatenate(owners), measure_scales(values), stride
    )
    if len(values) > 1:
        train = held_out.leave_out(values), exog and held_out.leave_out(exog)
        calibration = _compare_with_training(network, calibration, *train)
        calibration = _add_sizes_of_others(network, calibration, values, exog, rows)
    return ConformalIntervals(calibration), summarize_skill(np.array(ratios))


def estimate_sizes(
    network: SeriesNetwork,
    values: Arrays,
    exog: Arrays | None,
    calibration: CalibrationErrors,
    n_known: np.ndarray | None = None,
) -> ErrorSizes:
    """Estimate the sizes of errors after n series, those in fit or others.

    The estimates use the errors of the first ``horizon`` steps after each step of the
    past, and the scale of a series that is not longer than a window. If ``fit`` had a
    single series, its sizes are used for any series.

    With ``n_known`` (k,), the sizes are those after the first ``n_known`` steps of n
    series of equal length: (k * n, L, C), ordered by ``n_known``.
    """
    if n_known is None:
        n_known = np.array([max(map(len, values))])
    if len(calibration.own.rows) == 1:
        return calibration.own.take(np.zeros(len(n_known) * len(values), dtype=int))
    levels, counts = _measure_levels(network, values, exog, calibration.law, n_known)
    scales = [measure_scales([v[:n] for v in values]) for n in n_known]
    return calibration.estimate(levels, counts, np.concatenate(scales))


def _measure_levels(network, values, exog, law, n_known):
    """Measure levels (k * n, C) of errors in the first ``n_known`` (k,) steps.

    The numbers of errors (k * n, C) are returned too.
    """
    first, h = network.encoding.context - 1, network.encoding.horizon
    shape = len(n_known), len(values), network.encoding.n_channels
    levels, counts = np.zeros((2, *shape))
    last_read = np.arange(1, h + 1) if exog is None else np.full(h, h)
    enough = np.flatnonzero([len(v) > first + 1 for v in values])
    if len(enough):
        usable = _take(values, enough), exog and _take(exog, enough)
        for places, part in network.compute_rolling_errors(*usable, first, h):
            rows = enough[places]
            targets = first + np.arange(len(part))[:, None] + last_read
            for i, n in enumerate(n_known):
                known = np.where(targets[:, None, :, None] < n, part, np.nan)
                levels[i, rows], counts[i, rows] = measure_levels(known, law)
    return levels.reshape(-1, shape[2]), counts.reshape(-1, shape[2])


def _compare_with_training(network, calibration, values, exog):
    """Measure how much larger errors are than on the training data of the network."""
    longest = np.array([max(map(len, values))])
    levels, _ = _measure_levels(network, values, exog, calibration.law, longest)
    scales = measure_scales(values)
    known = (levels > 0) & (scales > 0)
    if not known.any(axis=0).all():
        return calibration
    ratios = np.divide(levels, scales, out=np.full(levels.shape, np.nan), where=known)
    inflation = np.maximum(calibration.typical / np.nanmedian(ratios, axis=0), 1)
    return replace(calibration, inflation=inflation)


def _add_sizes_of_others(network, calibration, values, exog, rows):
    """Estimate the sizes of series without their own errors."""
    others = np.setdiff1d(np.arange(len(values)), rows)
    if not len(others):
        return calibration
    other_series = _take(values, others), exog and _take(exog, others)
    estimated = estimate_sizes(network, *other_series, calibration)
    own = calibration.own
    own.sizes[others], own.counts[others] = estimated.sizes, estimated.counts
    return calibration


def calibrate_on_twin(
    train_twin: Callable[[Arrays, Arrays | None], SeriesNetwork],
    values: Arrays,
    exog: Arrays | None,
    encoding: SeriesEncoding,
    fraction: float,
    rng: np.random.Generator,
    conformal: bool,
    measures_shrinkage: bool = True,
) -> Calibration:
    """Train a second network without a ``fraction`` of the steps, and calibrate it.

    The ``encoding`` determines how long the series that remain for training must be.
    """
    needed = encoding.shortest
    held_out = hold_out(values, fraction, encoding.context, needed, rng)
    rest = held_out.leave_out(values)
    lengths = np.array([len(values[i]) for i in held_out.series])
    if (
        not (lengths > held_out.first_steps).any()
        or np.isnan(np.concatenate(rest)).all(axis=0).any()
    ):
        return _explain_too_short(
            fraction, needed, conformal, encoding, measures_shrinkage
        )
    twin = train_twin(rest, exog and held_out.leave_out(exog))
    return calibrate(twin, values, exog, held_out, conformal, measures_shrinkage)


def _explain_too_short(fraction, needed, conformal, encoding, measures_shrinkage):
    """Return the calibration of series that are too short for one, with a warning."""
    reason = (
        "the series given to fit was too short to set calibration_fraction="
        f"{fraction} of it aside and to train on the rest, which needs "
        f"{needed} steps. Fit a longer series, or set a smaller calibration_fraction."
    )
    shrinkage = 1.0
    if measures_shrinkage and encoding.baseline.shrinkage is not None:
        shrinkage = 0.0
        name = "those of the Theta method" if encoding.theta else "the mean"
        warn_user(
            f"Forecasts will be {name}, because it cannot be measured whether the "
            f"network improves them: {reason} Set baseline=None to forecast with the "
            "network alone."
        )
    if conformal:
        warn_user(
            f"There will be no prediction intervals or sampled paths: {reason} Set "
            "intervals=None to fit without them."
        )
    return Calibration(ConformalIntervals(None, reason), shrinkage=shrinkage)


def hold_out(
    values: Arrays,
    fraction: float,
    context: int,
    needed: int,
    rng: np.random.Generator,
) -> HeldOut:
    """Hold out the last steps of each series that has ``needed`` steps before them.

    If none of several series is long enough for that, some of the series that are long
    enough for training are held out whole. Nothing is held out if fewer than two are.
    """
    lengths = np.array([len(v) for v in values])
    first_steps = lengths - np.ceil(fraction * lengths).astype(int)
    long_enough = np.flatnonzero((first_steps >= needed) & (first_steps < lengths - 1))
    can_train = np.flatnonzero(lengths >= needed)
    if len(long_enough) or len(can_train) < 2:
        return HeldOut(long_enough, first_steps[long_enough])
    series = draw_holdout(
        can_train,
        fraction,
        rng,
        name="calibration_fraction",
        remedy="intervals=None",
    )
    return HeldOut(series, np.full(len(series), context), whole=True)


def learn_ranks(
    network: SeriesNetwork, values: Arrays, exog: Arrays | None
) -> QuantileIntervals:
    """Return intervals from quantiles, with the ranks of the true training values."""
    encoding = network.encoding
    h, C, Q = encoding.forecast_shape
    levels = encoding.quantiles
    if Q == 1 or h * C == 1:  # no distribution, or no dependence within a block
        return QuantileIntervals(levels, h, np.full((1, h, C), 0.5))
    long = np.flatnonzero([len(v) >= encoding.context + h for v in values])
    values, exog = _take(values, long), exog and _take(exog, long)
    n_steps = sum(len(v) for v in values)
    stride = choose_stride(n_steps * h * C * Q)
    parts, owners = [], []
    for rows, group, group_exog in group_by_length(values, exog):
        stepper, blocks = network.new_stepper(len(rows)), []
        for t in range(group.shape[1] - h):
            forecasts = stepper.feed(group[:, t], take_ahead(group_exog, t, h))
            if t >= encoding.context - 1 and (t + 1 - encoding.context) % stride == 0:
                blocks.append((forecasts, group[:, t + 1 : t + 1 + h]))
        parts += [tuple(np.concatenate(p) for p in zip(*blocks, strict=True))]
        owners.append(np.tile(rows, len(blocks)))
    forecasts, truth = (np.concatenate(p) for p in zip(*parts, strict=True))
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")  # series by series, in time order
    ranks = rank_truth(forecasts[order], truth[order], owner[order], levels)
    return QuantileIntervals(levels, h, ranks)


def _take(arrays: Arrays, rows: np.ndarray) -> Arrays:
    return [arrays[i] for i in rows]
