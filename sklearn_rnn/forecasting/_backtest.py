"""Backtests: forecasts from many origins inside series, compared with the true values.

Shapes: T_i steps of series i, k_i origins in it, H steps forecast from each, C
channels.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from sklearn_rnn._core.randomness import draw_seed
from sklearn_rnn._core.scalars import check_integer, check_number, is_integer
from sklearn_rnn._core.sklearn_private import InvalidParameterError
from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn._data.series import SeriesSet, unwrap_panel
from sklearn_rnn.forecasting._exog import learn_exog, read_exog
from sklearn_rnn.metrics._forecast_errors import compute_crps


@dataclass(frozen=True)
class Plan:
    """Origins and horizon of a backtest, and the scores that it needs.

    The known steps at an origin are those that the forecast may use.
    """

    first: np.ndarray  # (n_series,) known steps of each series at the first origin
    stride: int
    horizon: int
    coverage: float | None
    n_paths: int | None  # sampled from each origin, for the CRPS
    seed: int  # of the paths
    n_known: list[np.ndarray]  # (k_i,) known steps at the origins of each series

    @property
    def is_point(self) -> bool:
        """Whether neither intervals nor paths are needed."""
        return self.coverage is None and self.n_paths is None

    @property
    def n_origins(self) -> int:
        """Largest number of origins in a series."""
        return max(map(len, self.n_known))

    def take_truth(self, values: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Take the H values after each of ``known`` steps (k,): (k, H, ...)."""
        return values[known[:, None] + np.arange(self.horizon)]


@dataclass(frozen=True)
class RollingForecasts:
    """Forecasts of one series from its origins: arrays (k_i, H, C)."""

    forecast: np.ndarray
    lower: np.ndarray | None = None
    upper: np.ndarray | None = None
    crps: np.ndarray | None = None  # of sampled paths


# A function that forecasts the series of X, with exog, from the origins of a plan.
Forecast = Callable[[SeriesSet, Any, Plan], list[RollingForecasts]]


def backtest(
    estimator: Any,
    X: Any,
    exog: Any,
    forecast: Forecast | None,
    *,
    series: SeriesSet,
    horizon: Any,
    stride: Any,
    start: Any,
    coverage: Any,
    n_paths: Any,
    random_state: Any,
    first: int,
    needed: int,
    rows_ahead: int = 1,
) -> Any:
    """Run a backtest; return the frame that ``backtest`` of a forecaster returns.

    ``forecast`` makes all forecasts of a fitted estimator; None fits a clone for each
    origin. ``first`` is the default number of known steps at the first origin, and
    ``needed`` the minimum. After each origin, a multiple of ``rows_ahead`` steps must
    follow.
    """
    horizon = check_integer("horizon", horizon, minimum=1)
    check_integer("stride", stride, minimum=1)
    if coverage is not None:
        check_number("coverage", coverage, above=0, below=1)
    if n_paths is not None:
        n_paths = check_integer("n_paths", n_paths, minimum=1, or_none="no paths")
    ahead = -(-horizon // rows_ahead) * rows_ahead
    starts = _resolve_start(start, series.lengths, first, needed)
    n_known = [
        np.arange(begin, length - ahead + 1, stride)
        for begin, length in zip(starts, series.lengths, strict=True)
    ]
    _check_origins(n_known, series.lengths, starts, ahead)
    seed = draw_seed(random_state)
    plan = Plan(starts, stride, horizon, coverage, n_paths, seed, n_known)
    X, exog, labels = unwrap_panel(X), unwrap_panel(exog), _read_labels(series)
    if forecast is None:
        results = _refit(estimator, X, exog, series, labels, plan, ahead)
    else:
        results = forecast(series, exog, plan)
    return _make_frame(series, labels, plan, results)


def _resolve_start(
    start: Any, lengths: np.ndarray, first: int, needed: int
) -> np.ndarray:
    """Return the number of known steps at the first origin of each series."""
    if start is None:
        return np.full(len(lengths), first)
    if not is_integer(start) or start == 0:
        raise InvalidParameterError(
            "start must be the number of known steps at the first origin, a negative "
            f"number, which counts from the end, or None, got {start!r}."
        )
    starts = np.where(start > 0, start, lengths + start)
    if starts.min() < needed:
        series = starts.argmin()
        raise ValueError(
            f"start={start} leaves {max(starts[series], 0)} known steps of series "
            f"{series}, which has {lengths[series]}; this forecaster needs at least "
            f"{needed}. Set a later start."
        )
    return starts


def _check_origins(
    n_known: list[np.ndarray], lengths: np.ndarray, starts: np.ndarray, ahead: int
) -> None:
    """Warn of series without an origin; raise a ValueError if there is none."""
    without = [i for i, known in enumerate(n_known) if not len(known)]
    if not without:
        return
    i = without[0]
    reason = (
        f"series {i} of X has {lengths[i]} steps, but {starts[i]} known steps and "
        f"{ahead} steps to forecast need {starts[i] + ahead}. Pass longer series, or "
        "set an earlier start or a smaller horizon."
    )
    if len(without) == len(n_known):
        raise ValueError(reason)
    warn_user(f"{len(without)} of {len(n_known)} series are not backtested: {reason}")


def _read_labels(series: SeriesSet) -> list[Any]:
    """Return the index of each series, or the numbers of its steps without one."""
    import pandas as pd

    return [
        pd.RangeIndex(len(values)) if index is None else index
        for index, values in zip(series.indices, series.values, strict=True)
    ]


def _read_channels(series: SeriesSet) -> list[Any]:
    """Return the names of the channels, or their numbers without names."""
    names = series.names[0] if series.has_channels else None
    return list(range(series.n_channels) if names is None else names)


def _make_frame(
    series: SeriesSet,
    labels: list[Any],
    plan: Plan,
    results: list[RollingForecasts],
) -> Any:
    """Make a frame with one row per series, origin, lead and channel."""
    import pandas as pd

    H, C, channels = plan.horizon, series.n_channels, _read_channels(series)
    parts = []
    for i, (known, result) in enumerate(zip(plan.n_known, results, strict=True)):
        if not len(known):
            continue
        steps = known[:, None] + np.arange(H)  # (k_i, H)
        columns = {
            "series": i,
            "origin": labels[i].take(np.repeat(known - 1, H * C)),
            "lead": np.tile(np.repeat(np.arange(1, H + 1), C), len(known)),
            "time": labels[i].take(np.repeat(steps.ravel(), C)),
        }
        if C > 1:
            columns["channel"] = channels * steps.size
        columns["truth"] = plan.take_truth(series.values[i], known).ravel()
        for name, values in vars(result).items():
            if values is not None:
                columns[name] = values.ravel()
        parts.append(pd.DataFrame(columns))
    frame = pd.concat(parts, ignore_index=True)
    if plan.coverage is not None:
        frame.attrs["coverage"] = float(plan.coverage)
    return frame


# ---------------------------------------------------------------- refitting


def _refit(
    estimator: Any,
    X: Any,
    exog: Any,
    series: SeriesSet,
    labels: list[Any],
    plan: Plan,
    ahead: int,
) -> list[RollingForecasts]:
    """Fit a clone to the known steps of each origin, and forecast with it."""
    if exog is not None:  # check it as a whole: fit and predict get parts of it
        read_exog(exog, learn_exog(exog, series, None), series)
    parts: list[list[Any]] = [[] for _ in series.values]
    for k in range(plan.n_origins):
        stops = np.minimum(series.lengths, plan.first + k * plan.stride)
        active = [i for i, known in enumerate(plan.n_known) if k < len(known)]
        _check_same_time(series, labels, stops, active)
        if exog is not None and len(active) < len(stops):
            shorter = min(set(range(len(stops))) - set(active))
            raise ValueError(
                "backtest with refit=True and exog needs series of the same length, or "
                f"a negative start: series {shorter} ends earlier than series "
                f"{active[0]}."
            )
        known, rows = {}, None
        if exog is not None:
            known["exog"] = _take_steps(exog, series.single, 0 * stops, stops)
            rows = _take_steps(exog, series.single, stops, stops + ahead)
        try:
            model = clone(estimator)
            if plan.is_point and getattr(model, "intervals", None) == "conformal":
                model.set_params(intervals=None)  # point forecasts do not need them
            model.fit(_take_steps(X, series.single, 0 * stops, stops), **known)
            predictions, paths = _predict(model, plan, rows, k)
        except ValueError as error:
            raise ValueError(
                f"the fit to the first {stops[active[0]]} steps failed. Set a later "
                f"start to fit to more steps. The error was: {error}"
            ) from error
        if paths is not None:
            shape = (plan.n_paths, len(stops), plan.horizon, series.n_channels)
            paths = paths.reshape(shape)
        for i in active:
            arrays = {
                name: _to_array(part, i, series) for name, part in predictions.items()
            }
            if paths is not None:
                truth = plan.take_truth(series.values[i], stops[[i]])[0]
                arrays["crps"] = compute_crps(truth, paths[:, i])
            parts[i].append({name: array[None] for name, array in arrays.items()})
    return [concatenate_parts(own) for own in parts]


def concatenate_parts(parts: list[dict[str, np.ndarray]]) -> RollingForecasts:
    """Concatenate the forecasts (k, H, C) of one series from batches of its origins."""
    if not parts:
        return RollingForecasts(np.empty(0))
    return RollingForecasts(
        **{name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    )


def _predict(model: Any, plan: Plan, exog: Any, k: int) -> tuple[dict[str, Any], Any]:
    """Forecast with a fitted model from origin number ``k``.

    Returns the forecast, with bounds if the plan has a coverage, and sampled paths.
    """
    options = {"horizon": plan.horizon, "exog": exog}
    if plan.coverage is None:
        predictions = {"forecast": model.predict(**options)}
    else:
        interval = model.predict_interval(coverage=plan.coverage, **options)
        predictions = {
            "forecast": interval.prediction,
            "lower": interval.lower,
            "upper": interval.upper,
        }
    if plan.n_paths is None:
        return predictions, None
    seed = np.random.RandomState([plan.seed, k])
    paths = model.sample_paths(n_paths=plan.n_paths, random_state=seed, **options)
    return predictions, paths


def _to_array(prediction: Any, i: int, series: SeriesSet) -> np.ndarray:
    """Convert the prediction of series ``i`` to an array (H, C)."""
    own = prediction if series.single else prediction[i]
    return np.asarray(own).reshape(-1, series.n_channels)


def _take_steps(X: Any, single: bool, begins: np.ndarray, stops: np.ndarray) -> Any:
    """Take steps of each series of X, in the same kind of container."""
    parts = [
        x.iloc[begin:stop] if hasattr(x, "iloc") else np.asarray(x)[begin:stop]
        for x, begin, stop in zip([X] if single else X, begins, stops, strict=True)
    ]
    return parts[0] if single else parts


def _check_same_time(
    series: SeriesSet, labels: list[Any], stops: np.ndarray, active: list[int]
) -> None:
    """Raise a ValueError if a fit would read steps after the origin of any series."""
    if series.single or any(index is None for index in series.indices):
        return
    ends = [index[stop - 1] for index, stop in zip(labels, stops, strict=True)]
    origin = ends[active[0]]
    for i, end in enumerate(ends):
        if end > origin or (i in active and end != origin):
            raise ValueError(
                f"backtest with refit=True fits all series together, but at one origin "
                f"series {active[0]} is known up to {origin} and series {i} up to "
                f"{end}. Pass series that begin at the same time, set a negative start "
                "for series that end at the same time, or backtest each series alone."
            )
