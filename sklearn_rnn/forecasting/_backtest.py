"""Forecasts from many origins inside known series, in a frame with the truth.

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
    """From where and how far forecasts are made."""

    first: np.ndarray  # (n_series,) known steps of each series at the first origin
    stride: int
    horizon: int
    coverage: float | None
    n_paths: int | None  # to sample from each origin, for the CRPS
    seed: int  # of the paths
    n_known: list[np.ndarray]  # (k_i,) known steps at the origins of each series

    @property
    def is_point(self) -> bool:
        """Whether neither intervals nor paths are wanted."""
        return self.coverage is None and self.n_paths is None

    @property
    def n_origins(self) -> int:
        """Origins of the series that has most."""
        return max(map(len, self.n_known))

    def take_truth(self, values: np.ndarray, known: np.ndarray) -> np.ndarray:
        """True values (k, H, ...) of values (T, ...) after ``known`` steps (k,)."""
        return values[known[:, None] + np.arange(self.horizon)]


@dataclass(frozen=True)
class RollingForecasts:
    """What is forecast of one series from its origins: arrays (k_i, H, C)."""

    forecast: np.ndarray
    lower: np.ndarray | None = None
    upper: np.ndarray | None = None
    crps: np.ndarray | None = None  # of sampled paths


# Forecasts of each series of X, with exog, for a plan
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
    """The frame of forecasts and truth that ``backtest`` of a forecaster returns.

    ``forecast`` makes all forecasts of a fitted estimator; None fits a clone for each
    origin. ``first`` is the number of steps known at the first origin by default, and
    ``needed`` the least. After an origin, a multiple of ``rows_ahead`` steps is needed.
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
    """Steps known at the first origin of each series."""
    if start is None:
        return np.full(len(lengths), first)
    if not is_integer(start) or start == 0:
        raise InvalidParameterError(
            "start must be the number of steps known at the first origin, a negative "
            f"number of steps before the end, or None, got {start!r}."
        )
    starts = np.where(start > 0, start, lengths + start)
    if starts.min() < needed:
        series = starts.argmin()
        raise ValueError(
            f"start={start} leaves {max(starts[series], 0)} known steps of series "
            f"{series}, which has {lengths[series]}; this forecaster needs {needed}. "
            "Set a later start."
        )
    return starts


def _check_origins(
    n_known: list[np.ndarray], lengths: np.ndarray, starts: np.ndarray, ahead: int
) -> None:
    """Raise a ValueError without any origin; warn about series without one."""
    without = [i for i, known in enumerate(n_known) if not len(known)]
    if not without:
        return
    i = without[0]
    reason = (
        f"series {i} of X has {lengths[i]} steps, but {starts[i]} known steps and "
        f"{ahead} steps to forecast need {starts[i] + ahead}. Give longer series, an "
        "earlier start, or a smaller horizon."
    )
    if len(without) == len(n_known):
        raise ValueError(reason)
    warn_user(f"{len(without)} of {len(n_known)} series are not backtested: {reason}")


def _read_labels(series: SeriesSet) -> list[Any]:
    """The index of each series; the numbers of its steps where it has none."""
    import pandas as pd

    return [
        pd.RangeIndex(len(values)) if index is None else index
        for index, values in zip(series.indices, series.values, strict=True)
    ]


def _read_channels(series: SeriesSet) -> list[Any]:
    """The names of the channels; their numbers if they have no names."""
    names = series.names[0] if series.has_channels else None
    return list(range(series.n_channels) if names is None else names)


def _make_frame(
    series: SeriesSet,
    labels: list[Any],
    plan: Plan,
    results: list[RollingForecasts],
) -> Any:
    """One row per series, origin, lead and channel."""
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


# ---------------------------------------------------------------- a fit per origin


def _refit(
    estimator: Any,
    X: Any,
    exog: Any,
    series: SeriesSet,
    labels: list[Any],
    plan: Plan,
    ahead: int,
) -> list[RollingForecasts]:
    """Forecasts of clones, each fitted to what is known at one origin."""
    if exog is not None:  # which fit and predict see in parts only
        read_exog(exog, learn_exog(exog, series, None), series)
    parts: list[list[Any]] = [[] for _ in series.values]
    for k in range(plan.n_origins):
        stops = np.minimum(series.lengths, plan.first + k * plan.stride)
        judged = [i for i, known in enumerate(plan.n_known) if k < len(known)]
        _check_same_time(series, labels, stops, judged)
        if exog is not None and len(judged) < len(stops):
            raise ValueError(
                "backtest with refit=True and exog needs series of one length, or a "
                f"negative start: series {min(set(range(len(stops))) - set(judged))} "
                f"ends earlier than series {judged[0]}."
            )
        known, rows = {}, None
        if exog is not None:
            known["exog"] = _take_steps(exog, series.single, 0 * stops, stops)
            rows = _take_steps(exog, series.single, stops, stops + ahead)
        try:
            model = clone(estimator)
            if plan.is_point and getattr(model, "intervals", None) == "conformal":
                model.set_params(intervals=None)  # saves their training
            model.fit(_take_steps(X, series.single, 0 * stops, stops), **known)
            found, paths = _predict(model, plan, rows, k)
        except ValueError as error:
            raise ValueError(
                f"the fit to the first {stops[judged[0]]} steps failed; a later start "
                f"leaves more of them. {error}"
            ) from error
        if paths is not None:
            shape = (plan.n_paths, len(stops), plan.horizon, series.n_channels)
            paths = paths.reshape(shape)
        for i in judged:
            arrays = {name: _to_array(part, i, series) for name, part in found.items()}
            if paths is not None:
                truth = plan.take_truth(series.values[i], stops[[i]])[0]
                arrays["crps"] = compute_crps(truth, paths[:, i])
            parts[i].append({name: array[None] for name, array in arrays.items()})
    return [join_parts(found) for found in parts]


def join_parts(parts: list[dict[str, np.ndarray]]) -> RollingForecasts:
    """The forecasts of one series, from arrays (k, H, C) of runs of its origins."""
    if not parts:
        return RollingForecasts(np.empty(0))
    return RollingForecasts(
        **{name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    )


def _predict(model: Any, plan: Plan, exog: Any, k: int) -> tuple[dict[str, Any], Any]:
    """The forecast of a fitted model, with bounds if asked for, and sampled paths.

    ``k`` is the number of the origin.
    """
    options = {"horizon": plan.horizon, "exog": exog}
    if plan.coverage is None:
        found = {"forecast": model.predict(**options)}
    else:
        interval = model.predict_interval(coverage=plan.coverage, **options)
        found = {
            "forecast": interval.prediction,
            "lower": interval.lower,
            "upper": interval.upper,
        }
    if plan.n_paths is None:
        return found, None
    seed = np.random.RandomState([plan.seed, k])
    paths = model.sample_paths(n_paths=plan.n_paths, random_state=seed, **options)
    return found, paths


def _to_array(prediction: Any, i: int, series: SeriesSet) -> np.ndarray:
    """The prediction (H, C) of series ``i``."""
    own = prediction if series.single else prediction[i]
    return np.asarray(own).reshape(-1, series.n_channels)


def _take_steps(X: Any, single: bool, begins: np.ndarray, stops: np.ndarray) -> Any:
    """Steps of each series of X, as the same kind of container."""
    parts = [
        x.iloc[begin:stop] if hasattr(x, "iloc") else np.asarray(x)[begin:stop]
        for x, begin, stop in zip([X] if single else X, begins, stops, strict=True)
    ]
    return parts[0] if single else parts


def _check_same_time(
    series: SeriesSet, labels: list[Any], stops: np.ndarray, judged: list[int]
) -> None:
    """Raise a ValueError if a fit would read what comes after another's origin."""
    if series.single or any(index is None for index in series.indices):
        return
    ends = [index[stop - 1] for index, stop in zip(labels, stops, strict=True)]
    origin = ends[judged[0]]
    for i, end in enumerate(ends):
        if end > origin or (i in judged and end != origin):
            raise ValueError(
                f"backtest with refit=True fits all series together, but at one origin "
                f"series {judged[0]} is known up to {origin} and series {i} up to "
                f"{end}. Give series that begin together, use a negative start for "
                "series that end together, or backtest them one by one."
            )
