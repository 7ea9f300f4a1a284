"""Forecasts of a network from many origins, in one pass over each series."""

from functools import partial
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._data.series import SeriesSet, read_series
from sklearn_rnn.forecasting._backtest import (
    Plan,
    RollingForecasts,
    backtest,
    concatenate_parts,
)
from sklearn_rnn.forecasting._calibration import estimate_sizes
from sklearn_rnn.forecasting._encoding import take_median
from sklearn_rnn.forecasting._exog import read_exog
from sklearn_rnn.forecasting._intervals import ConformalIntervals, Intervals
from sklearn_rnn.forecasting._reading import ForecastRequest, count_needed
from sklearn_rnn.forecasting._rollout import (
    ROWS_AT_ONCE,
    SeriesNetwork,
    SeriesState,
    concatenate_states,
    group_by_length,
    read_values,
)
from sklearn_rnn.metrics._forecast_errors import compute_crps


def backtest_network(
    fitted: Any, X: Any, exog: Any, refit: bool, **options: Any
) -> Any:
    """Backtest a snapshot of an RNNForecaster; return the frame.

    The ``options`` are the other parameters of ``RNNForecaster.backtest``.
    """
    if refit:
        forecast, series, h = None, read_series(X), fitted.horizon
        first = needed = fitted.window + (fitted.differencing or 0) + h
    else:
        check_is_fitted(fitted)
        forecast, series = partial(_forecast_all, fitted), fitted._read_series(X)
        encoding, h = fitted._encoding, fitted._encoding.horizon
        needed = count_needed(encoding)
        first = max(encoding.context, needed)
    if options["horizon"] is None:
        options["horizon"] = h
    return backtest(
        fitted,
        X,
        exog,
        forecast,
        series=series,
        first=first,
        needed=needed,
        rows_ahead=1 if exog is None and fitted.calendar is None else h,
        **options,
    )


def _forecast_all(fitted, series, exog, plan):
    """Make the forecasts of a fitted RNNForecaster for a plan."""
    exog = read_exog(exog, fitted._exog_variables, series)
    intervals = None if plan.is_point else fitted._require_intervals()
    return forecast_from_origins(fitted._series_network, intervals, series, exog, plan)


def forecast_from_origins(
    network: SeriesNetwork,
    intervals: Intervals | None,
    series: SeriesSet,
    exog: list[np.ndarray] | None,
    plan: Plan,
) -> list[RollingForecasts]:
    """Forecast each series from its origins.

    The forecasts are those that ``predict`` makes for the steps up to an origin. The
    network reads each series once and its state at the origins is kept, so that many
    origins are rolled out in one batch. ``intervals`` are needed for bounds and paths
    only.
    """
    h = network.encoding.horizon
    n_rows = -(-plan.horizon // h) * h  # rows of exog: whole blocks are forecast
    rng = np.random.default_rng(plan.seed)
    results: list[list[dict[str, np.ndarray]]] = [[] for _ in range(len(series))]
    for rows, values, group_exog in group_by_length(series.values, exog):
        n_known = plan.n_known[rows[0]]  # the same for series of one length
        sizes = _measure_sizes(network, intervals, values, group_exog, n_known)
        n_done = 0
        stepper, state, n_read = network.new_stepper(len(rows)), None, 0
        for origins in _split(n_known, len(rows), h, plan, intervals):
            states = []
            for known in origins:
                part = slice(n_read, known)
                part_exog = None if group_exog is None else group_exog[:, part]
                state = read_values(stepper, values[:, part], part_exog, state)
                states.append(state)
                n_read = known
            ahead = None
            if group_exog is not None:
                steps = origins[:, None] + np.arange(n_rows)
                ahead = np.moveaxis(group_exog[:, steps], 1, 0)  # (k, n, n_rows, K)
                ahead = ahead.reshape(-1, *ahead.shape[2:])
            places = np.arange(n_done, n_done := n_done + len(states) * len(rows))
            request = ForecastRequest(
                network,
                series,
                _stack_states(states),
                plan.horizon,
                ahead,
                partial(_take_sizes, sizes, places),
            )
            arrays = _forecast(request, intervals, plan)
            if plan.n_paths is not None and intervals is not None:
                truth = plan.take_truth(np.moveaxis(values, 1, 0), origins)
                truth = np.moveaxis(truth, 2, 1).reshape(arrays["forecast"].shape)
                paths = request.sample(intervals, plan.n_paths, rng)
                arrays["crps"] = compute_crps(truth, paths)
            for name, array in arrays.items():
                arrays[name] = array.reshape(len(origins), len(rows), *array.shape[1:])
            for place, row in enumerate(rows):
                results[row].append({name: a[:, place] for name, a in arrays.items()})
    return [concatenate_parts(parts) for parts in results]


def _measure_sizes(network, intervals, values, exog, n_known):
    """Estimate the sizes of errors of n series at k origins, (k * n, L, C).

    Returns None unless the intervals are conformal.
    """
    if not isinstance(intervals, ConformalIntervals) or not len(n_known):
        return None
    members, calibration = list(values), intervals.require_errors()
    exog = None if exog is None else list(exog)
    return estimate_sizes(network, members, exog, calibration, n_known)


def _take_sizes(sizes, places, calibration):
    """Take the sizes of some rows, which were measured in advance."""
    return sizes.take(places)


def _split(n_known, n_series, h, plan, intervals):
    """Split the origins into batches.

    Bounds that come from sampled paths need one batch per origin, because a single
    forecast draws the same random numbers.
    """
    size = max(1, ROWS_AT_ONCE // (n_series * (plan.n_paths or 1)))
    if plan.coverage is not None and hasattr(intervals, "levels") and plan.horizon > h:
        size = 1
    return [n_known[k : k + size] for k in range(0, len(n_known), size)]


def _stack_states(states: list[SeriesState]) -> SeriesState:
    """Stack the states of n series at k origins to one state of k * n rows."""
    n = len(states[0])
    return concatenate_states(
        states, [np.arange(k * n, (k + 1) * n) for k in range(len(states))]
    )


def _forecast(request, intervals, plan):
    """Make forecasts (k * n, H, C), with bounds if the plan has a coverage."""
    forecasts = request.forecast()
    arrays = {"forecast": take_median(forecasts)}
    if plan.coverage is not None:
        bounds = request.compute_bounds(intervals, forecasts, plan.coverage)
        arrays["lower"], arrays["upper"] = bounds
    return arrays
