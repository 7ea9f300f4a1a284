"""Errors of forecasts of values that the network never saw, for conformal intervals."""

from collections.abc import Callable

import numpy as np

from sklearn_rnn._training.holdout import draw_holdout
from sklearn_rnn.forecasting._encoding import SeriesEncoding
from sklearn_rnn.forecasting._intervals import ConformalIntervals
from sklearn_rnn.forecasting._rollout import SeriesNetwork
from sklearn_rnn.forecasting._windows import HeldOut

Arrays = list[np.ndarray]  # one per series

CALIBRATED_WINDOWS = 10  # errors are measured at most so many windows ahead


def calibrate(
    network: SeriesNetwork, values: Arrays, exog: Arrays | None, held_out: HeldOut
) -> ConformalIntervals:
    """Intervals from the errors of a network that did not see what is held out."""
    encoding, first_step = network.encoding, held_out.first_step
    values = [values[i] for i in held_out.series]
    exog = exog and [exog[i] for i in held_out.series]
    furthest = max(encoding.horizon, CALIBRATED_WINDOWS * encoding.window)
    n_leads = min(max(len(v) for v in values) - first_step, furthest)
    errors = network.compute_rolling_errors(values, exog, first_step - 1, n_leads)
    return ConformalIntervals(
        np.concatenate([e.reshape(-1, *e.shape[2:]) for e in errors])
    )


def calibrate_on_twin(
    train_twin: Callable[[Arrays, Arrays | None], SeriesNetwork],
    values: Arrays,
    exog: Arrays | None,
    encoding: SeriesEncoding,
    fraction: float,
    rng: np.random.Generator,
) -> ConformalIntervals:
    """Intervals from the errors of a twin network, trained without a ``fraction``.

    The ``encoding`` says how long the series that train have to be.
    """
    held_out = hold_out(values, fraction, encoding.context, rng)
    needed = encoding.context + encoding.horizon
    rest = leave_out(values, held_out)
    too_short = len(values) == 1 and (
        len(rest[0]) < needed or len(rest[0]) >= len(values[0]) - 1
    )
    if too_short or np.isnan(np.concatenate(rest)).all(axis=0).any():
        return ConformalIntervals(
            None,
            "the series given to fit was too short to set calibration_fraction="
            f"{fraction} of it aside and to train on the rest, which needs "
            f"{needed} steps. Fit a longer series, or set a smaller window "
            "or calibration_fraction.",
        )
    twin = train_twin(rest, exog and leave_out(exog, held_out))
    return calibrate(twin, values, exog, held_out)


def hold_out(
    values: Arrays, fraction: float, context: int, rng: np.random.Generator
) -> HeldOut:
    """The last steps of a single series, or some of several series."""
    if len(values) > 1:
        series = draw_holdout(
            np.arange(len(values)),
            fraction,
            rng,
            name="calibration_fraction",
            way_out="intervals=None",
        )
        return HeldOut(series, context)
    n_steps = len(values[0])
    return HeldOut(np.array([0]), n_steps - int(np.ceil(fraction * n_steps)))


def leave_out(arrays: Arrays, held_out: HeldOut) -> Arrays:
    """Arrays (T_i, ...) of the series without what is held out."""
    if len(arrays) == 1:
        return [arrays[0][: held_out.first_step]]
    return [a for i, a in enumerate(arrays) if i not in held_out.series]
