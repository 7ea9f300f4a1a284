"""Forecasts made step by step with the state of a network, to any horizon.

Shapes: n series or streams, T steps, h steps that are forecast at once, C channels, K
exogenous variables, Q quantiles (1 for a point forecast).
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_rnn._nn.steppers import make_stepper
from sklearn_rnn.forecasting._encoding import SeriesEncoding, take_median
from sklearn_rnn.forecasting._intervals import Sampler

# So many states at most are rolled out side by side.
ROWS_AT_ONCE = 4096

Arrays = dict[str, np.ndarray]

OWN_STATE = "recent_values", "n_values"


class ForecastStepper:
    """A network that reads the values of series, in their own unit, step by step.

    It has the methods of the network's stepper ``inner``. Its ``state`` also holds the
    last values read, ``recent_values`` (n, lag + 1, C), and their number ``n_values``.
    """

    def __init__(self, encoding: SeriesEncoding, inner: Any, dtype: np.dtype) -> None:
        self.encoding, self.inner, self.dtype = encoding, inner, dtype
        self.beginning = {
            "recent_values": np.tile(encoding.fill, (1, encoding.lag + 1, 1)),
            "n_values": np.zeros(1, dtype=np.int64),
            **inner.beginning,
        }
        self._own = _own_part(self.beginning)
        self.resize(inner.n_streams)

    @property
    def state(self) -> Arrays:
        """The arrays of the present state, streams first."""
        return {**self._own, **self.inner.state}

    @property
    def n_streams(self) -> int:
        """Rows of the state."""
        return self.inner.n_streams

    def feed(self, values: np.ndarray, exog: np.ndarray | None = None) -> np.ndarray:
        """Forecasts (n, h, C, Q) after values (n, C), with ``exog`` (n, h, K) ahead.

        They are NaN until enough values are known to take a difference.
        """
        encoding, recent = self.encoding, self._own["recent_values"]
        missing = np.isnan(values)
        current = np.where(missing, recent[:, -1], values)
        recent = np.concatenate([recent[:, 1:], current[:, None]], axis=1)
        n_values = self._own["n_values"] + 1
        ready = n_values > encoding.lag
        forecasts = np.full((len(values), *encoding.forecast_shape), np.nan)
        if ready.any():
            latest = encoding.standardize(recent)[:, -1]
            inputs = encoding.make_inputs(latest, missing, exog)
            before = None if ready.all() else self.inner.save()
            outputs = self.inner.feed(inputs.astype(self.dtype, copy=False))
            forecasts[ready] = encoding.decode(outputs, recent)[ready]
            if before is not None:  # the network has read nothing of the others yet
                waiting = {name: array[~ready] for name, array in before.items()}
                self.inner.put(waiting, ~ready)
        self._own = {"recent_values": recent, "n_values": n_values}
        return forecasts

    def save(self) -> Arrays:
        """A copy of the state."""
        return {name: array.copy() for name, array in self.state.items()}

    def restore(self, saved: Arrays, rows: np.ndarray | None = None) -> None:
        """Continue from saved states, or from some of their rows."""
        rows = np.arange(len(saved["n_values"])) if rows is None else rows
        self._own = {name: saved[name][rows] for name in OWN_STATE}
        self.inner.restore(_inner_part(saved), rows)

    def put(self, saved: Arrays, rows: Any = slice(None)) -> None:
        """Replace some rows, or all, by a saved state of as many rows or of one."""
        self._own = {name: array.copy() for name, array in self._own.items()}
        for name in OWN_STATE:
            self._own[name][rows] = saved[name]
        self.inner.put(_inner_part(saved), rows)

    def resize(self, n_streams: int) -> None:
        """Keep the first rows; new rows have read nothing."""
        grown = {
            name: np.repeat(self.beginning[name], n_streams, axis=0)
            for name in OWN_STATE
        }
        for name, array in self._own.items():
            grown[name][: len(array)] = array[:n_streams]
        self._own = grown
        self.inner.resize(n_streams)

    def branch(self, rows: np.ndarray | None = None) -> "ForecastStepper":
        """A new stepper in the same states, or in some rows of them."""
        twin = copy.copy(self)
        twin.inner = self.inner.branch(rows)
        taken = slice(None) if rows is None else rows
        twin._own = {name: array[taken].copy() for name, array in self._own.items()}
        return twin

    def roll_out(
        self,
        values: np.ndarray,
        horizon: int,
        exog: np.ndarray | None = None,
        sampler: Sampler | None = None,
    ) -> np.ndarray:
        """Feed values (n, L, C), then the forecasts themselves: (n, horizon, C, Q).

        ``exog`` (n, L + horizon, K) belong to the values and to the steps forecast. A
        ``sampler`` replaces forecasts by samples (n, h, C): (n, horizon, C, 1).
        """
        h = self.encoding.horizon
        blocks: list[np.ndarray] = []
        n_fed = 0
        while len(blocks) * h < horizon:
            for row in np.moveaxis(values, 1, 0):
                forecasts = self.feed(row, take_ahead(exog, n_fed, h))
                n_fed += 1
            values = sampler(forecasts) if sampler else take_median(forecasts)
            blocks.append(values[..., None] if sampler else forecasts)
        return np.concatenate(blocks, axis=1)[:, :horizon]


def _own_part(state: Arrays) -> Arrays:
    return {name: state[name] for name in OWN_STATE}


def _inner_part(state: Arrays) -> Arrays:
    return {name: array for name, array in state.items() if name not in OWN_STATE}


def take_ahead(exog: np.ndarray | None, step: int, h: int) -> np.ndarray | None:
    """Rows (n, h, K) of ``exog`` (n, T, K) after ``step``, the last row repeated."""
    if exog is None:
        return None
    places = np.minimum(np.arange(step + 1, step + 1 + h), exog.shape[1] - 1)
    return exog[:, places]


@dataclass(frozen=True)
class SeriesState:
    """What a network knows of n series: its state, and the last values not yet fed.

    With exogenous variables the network reads those of the h steps ahead, so the last h
    values wait until these are known. Otherwise the last value waits.
    """

    fed: Arrays
    waiting: np.ndarray  # (n, L, C)
    exog: np.ndarray | None  # (n, L, K) of the values that wait

    def __len__(self) -> int:
        return len(self.waiting)

    def take(self, rows: np.ndarray) -> "SeriesState":
        """The state of some of the series."""
        return SeriesState(
            {name: array[rows] for name, array in self.fed.items()},
            self.waiting[rows],
            None if self.exog is None else self.exog[rows],
        )


def read_values(
    stepper: ForecastStepper,
    values: np.ndarray,
    exog: np.ndarray | None,
    before: SeriesState | None = None,
) -> SeriesState:
    """The state after values (n, T, C), which follow the state ``before``."""
    if before is not None:
        stepper.restore(before.fed)
        values = np.concatenate([before.waiting, values], axis=1)
        if exog is not None:
            exog = np.concatenate([before.exog, exog], axis=1)
    h = stepper.encoding.horizon
    n_fed = values.shape[1] - (1 if exog is None else h)
    for t in range(n_fed):
        stepper.feed(values[:, t], take_ahead(exog, t, h))
    waiting_exog = None if exog is None else exog[:, n_fed:]
    return SeriesState(stepper.save(), values[:, n_fed:], waiting_exog)


def concatenate_states(
    parts: list[SeriesState], places: list[np.ndarray]
) -> SeriesState:
    """The state of all series, from states of groups of them and their ``places``."""
    order = np.argsort(np.concatenate(places))

    def join(arrays):
        return np.concatenate(arrays)[order]

    return SeriesState(
        {name: join([p.fed[name] for p in parts]) for name in parts[0].fed},
        join([p.waiting for p in parts]),
        None if parts[0].exog is None else join([p.exog for p in parts]),
    )


def compute_rolling_errors(
    stepper: ForecastStepper,
    values: np.ndarray,
    exog: np.ndarray | None,
    first: int,
    horizon: int,
) -> np.ndarray:
    """Truth minus forecast of each lead from each origin: (origins, n, horizon, C).

    Origins are the steps of values (n, T, C) from ``first`` to the last but one. Errors
    after the last step are NaN. The stepper has to be new.
    """
    T, h = values.shape[1], stepper.encoding.horizon
    origins = np.arange(first, T - 1)
    blocks, states = [], []
    for t in range(T - 1):
        forecasts = stepper.feed(values[:, t], take_ahead(exog, t, h))
        if t >= first:
            blocks.append(take_median(forecasts))
            if horizon > h:
                states.append(stepper.save())
    forecasts = np.stack(blocks)  # (origins, n, h, C)
    if horizon > h:
        size = max(1, ROWS_AT_ONCE // len(values))
        parts = [slice(k, k + size) for k in range(0, len(origins), size)]
        further = [
            _roll_out_from(
                stepper, states[part], forecasts[part], exog, origins[part], horizon - h
            )
            for part in parts
        ]
        forecasts = np.concatenate([forecasts, np.concatenate(further)], axis=2)
    places = origins[:, None] + np.arange(1, horizon + 1)  # (origins, horizon)
    truth = np.moveaxis(values[:, np.minimum(places, T - 1)], 1, 0)
    truth = np.where(places[:, None, :, None] < T, truth, np.nan)
    return truth - forecasts[:, :, :horizon]


def _roll_out_from(stepper, states, forecasts, exog, origins, horizon):
    """Forecasts (origins, n, horizon, C) after the ``forecasts`` (origins, n, h, C)."""
    n, h, C = forecasts.shape[1:]
    stepper.restore({k: np.concatenate([s[k] for s in states]) for k in states[0]})
    if exog is not None:
        places = origins[:, None] + np.arange(1, h + horizon + 1)
        exog = exog[:, np.minimum(places, exog.shape[1] - 1)]  # (n, origins, rows, K)
        exog = np.moveaxis(exog, 1, 0).reshape(-1, h + horizon, exog.shape[-1])
    further = stepper.roll_out(forecasts.reshape(-1, h, C), horizon, exog)
    return take_median(further).reshape(-1, n, horizon, C)


@dataclass(frozen=True)
class SeriesNetwork:
    """A trained network together with the encoding of what it reads and answers."""

    encoding: SeriesEncoding
    module: Any
    dtype: np.dtype  # of what the module reads

    def new_stepper(self, n_streams: int) -> ForecastStepper:
        """A stepper of streams that have read nothing."""
        inner = make_stepper(self.module, n_streams=n_streams)
        return ForecastStepper(self.encoding, inner, self.dtype)

    def read(
        self,
        values: list[np.ndarray],
        exog: list[np.ndarray] | None,
        before: SeriesState | None = None,
    ) -> SeriesState:
        """The state after series (T_i, C), which follow the state ``before``."""
        parts, places = [], []
        for rows, group, group_exog in group_by_length(values, exog):
            past = None if before is None else before.take(rows)
            steps = self.new_stepper(len(rows))
            parts.append(read_values(steps, group, group_exog, past))
            places.append(rows)
        return concatenate_states(parts, places)

    def forecast(
        self,
        state: SeriesState,
        horizon: int,
        exog: np.ndarray | None = None,
        sampler: Sampler | None = None,
        repeats: int = 1,
    ) -> np.ndarray:
        """Forecasts (repeats * n, horizon, C, Q), or samples (..., 1) with a sampler.

        ``exog`` (n, horizon, K) belong to the steps forecast.
        """
        rows = np.tile(np.arange(len(state)), repeats)
        steps = self.new_stepper(len(rows))
        steps.restore(state.fed, rows)
        if exog is not None:
            exog = np.concatenate([state.exog, exog], axis=1)[rows]
        return steps.roll_out(state.waiting[rows], horizon, exog, sampler)

    def compute_rolling_errors(
        self,
        values: list[np.ndarray],
        exog: list[np.ndarray] | None,
        first: int,
        horizon: int,
    ) -> Iterator[np.ndarray]:
        """Errors (origins, n, horizon, C) of each group of n series of equal length."""
        for rows, group, group_exog in group_by_length(values, exog):
            steps = self.new_stepper(len(rows))
            yield compute_rolling_errors(steps, group, group_exog, first, horizon)

    def score(self, values: list[np.ndarray], exog: list[np.ndarray] | None) -> float:
        """Minus the mean absolute error of h forecasts from rolling origins."""
        first, h = self.encoding.context - 1, self.encoding.horizon
        errors = [
            part[: len(part) - h + 1]  # later origins lack the truth of some leads
            for part in self.compute_rolling_errors(values, exog, first, h)
        ]
        return -float(np.nanmean(np.abs(np.concatenate(errors, axis=None))))


def group_by_length(
    values: list[np.ndarray], exog: list[np.ndarray] | None
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray | None]]:
    """Places (n,), values (n, T, C) and exog (n, T, K) of the series of each length."""
    lengths = np.array([len(v) for v in values])
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        group_exog = None if exog is None else np.stack([exog[i] for i in rows])
        yield rows, np.stack([values[i] for i in rows]), group_exog
