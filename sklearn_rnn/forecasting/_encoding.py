"""Series as a network reads them, and forecasts made step by step with its state.

The network reads standardised values, differences of them if asked for, and says at
each step what the next ``horizon`` ones will be. Shapes: n series or streams, T steps,
C channels, K exogenous features, Q quantiles (1 of a point forecast).
"""

import copy
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sklearn_rnn._nn.steppers import stepper

# So many states at most are rolled out side by side.
ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class SeriesEncoding:
    """How a series becomes inputs and targets, and outputs forecasts in its unit."""

    window: int  # steps of a training window
    last_only: bool  # whether only its last step was trained
    horizon: int
    lag: int  # of differencing; 0 is none
    residual: bool
    fill: np.ndarray  # (C,) in place of what is missing before the first value
    mean: np.ndarray  # (C,) of the values or their differences
    scale: np.ndarray  # (C,)
    exog_mean: np.ndarray | None  # (K,)
    exog_scale: np.ndarray | None
    tells_missing: bool
    n_quantiles: int = 1

    @property
    def n_inputs(self) -> int:
        """Features a step of the network's input."""
        n_exog = 0 if self.exog_mean is None else len(self.exog_mean)
        return len(self.fill) * (1 + self.tells_missing) + n_exog * self.horizon

    @property
    def shape_of_answers(self) -> tuple[int, int, int]:
        """Of the forecasts after a step: (h, C, Q)."""
        return self.horizon, len(self.fill), self.n_quantiles

    @property
    def n_outputs(self) -> int:
        """Numbers that the network answers a step."""
        return math.prod(self.shape_of_answers)

    def standard(self, fill_forward: np.ndarray) -> np.ndarray:
        """What the network reads of values (..., T, C): (..., T - lag, C)."""
        if self.lag:
            fill_forward = (
                fill_forward[..., self.lag :, :] - fill_forward[..., : -self.lag, :]
            )
        return (fill_forward - self.mean) / self.scale

    def inputs(
        self, standard: np.ndarray, missing: np.ndarray, exog: np.ndarray | None
    ) -> np.ndarray:
        """Features (..., F) of steps, from (..., C) twice and (..., h, K) ahead."""
        parts = [standard]
        if self.tells_missing:
            parts.append(missing)
        if exog is not None:
            ahead = (exog - self.exog_mean) / self.exog_scale
            parts.append(ahead.reshape(*ahead.shape[:-2], -1))
        return np.concatenate(parts, axis=-1)

    def make_examples(self, values: np.ndarray, exog: np.ndarray | None):
        """Inputs (n, F) and targets (n, h * C) of the steps whose targets are inside.

        ``values`` are (T, C); n is T - lag - h. A missing target is NaN.
        """
        h, n = self.horizon, len(values) - self.lag - self.horizon
        standard = self.standard(fill_forward(values, self.fill))
        missing = np.isnan(values[self.lag :])
        known = np.where(missing, np.nan, standard)
        windows = np.lib.stride_tricks.sliding_window_view(known[1:], h, axis=0)
        targets = windows.transpose(0, 2, 1)  # (n, h, C)
        if self.residual:
            targets = targets - standard[:n, None]
        ahead = None
        if exog is not None:
            ahead = np.lib.stride_tricks.sliding_window_view(
                exog[self.lag + 1 :], h, axis=0
            ).transpose(0, 2, 1)  # (n, h, K)
        inputs = self.inputs(standard[:n], missing[:n], ahead)
        return inputs, targets.reshape(n, -1)

    def forecasts(self, outputs: np.ndarray, recent: np.ndarray) -> np.ndarray:
        """Outputs (n, h * C * Q) in the series' unit: (n, h, C, Q).

        ``recent`` (n, lag + 1, C) are the last values.
        """
        n, C = len(outputs), len(self.fill)
        values = outputs.astype(np.float64).reshape(n, self.horizon, C, -1)
        if self.residual:
            values = values + self.standard(recent)[:, -1:, :, None]
        values = values * self.scale[:, None] + self.mean[:, None]
        values.sort(axis=-1)  # quantiles of two outputs may cross
        return self._undo_differencing(values, recent) if self.lag else values

    def _undo_differencing(self, differences, recent):
        """Values of which (n, h, C, Q) are the differences at ``lag``."""
        n, h, *rest = differences.shape
        n_blocks = -(-h // self.lag)
        padded = np.zeros((n, n_blocks * self.lag, *rest))
        padded[:, :h] = differences
        blocks = padded.reshape(n, n_blocks, self.lag, *rest).cumsum(axis=1)
        blocks += recent[:, None, 1:, :, None]
        return blocks.reshape(n, -1, *rest)[:, :h]


def fit_encoding(
    values: list[np.ndarray],
    exog: list[np.ndarray] | None,
    *,
    window: int,
    last_only: bool,
    horizon: int,
    lag: int,
    residual: bool,
    scaling: bool,
    n_quantiles: int,
) -> SeriesEncoding:
    """The form of these series: their mean, spread and gaps."""
    steps = np.concatenate(values)
    if np.isnan(steps).all(axis=0).any():
        channel = int(np.isnan(steps).all(axis=0).argmax())
        raise ValueError(f"channel {channel} of X has no value that is not NaN.")
    fill = np.nanmean(steps, axis=0, dtype=np.float64)
    C = len(fill)
    form = SeriesEncoding(
        *(window, last_only, horizon, lag, residual),
        fill=fill,
        mean=np.zeros(C),
        scale=np.ones(C),
        exog_mean=None,
        exog_scale=None,
        tells_missing=any(np.isnan(v).any() for v in values),
        n_quantiles=n_quantiles,
    )
    if scaling:
        known = [
            form.standard(fill_forward(v, fill))[~np.isnan(v[lag:]).all(axis=1)]
            for v in values
        ]
        mean, scale = mean_and_spread(np.concatenate(known))
        form = replace(form, mean=mean, scale=scale)
    if exog is not None:
        mean, scale = mean_and_spread(np.concatenate(exog))
        form = replace(form, exog_mean=mean, exog_scale=scale)
    return form


def mean_and_spread(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of columns, the latter 1 where they do not vary."""
    values = values.astype(np.float64)
    mean, scale = values.mean(axis=0), values.std(axis=0)
    return mean, np.where(scale > 1e-12 * np.abs(mean), scale, 1.0)


def fill_forward(values: np.ndarray, first: np.ndarray) -> np.ndarray:
    """(T, C), each missing value replaced by the last one, at first by ``first``."""
    missing = np.isnan(values)
    if not missing.any():
        return values
    last = np.where(missing, -1, np.arange(len(values))[:, None])
    last = np.maximum.accumulate(last, axis=0)
    return np.where(last < 0, first, np.take_along_axis(values, last, axis=0))


OWN_STATE = "recent_values", "n_values"


def _without_own(state):
    return {name: array for name, array in state.items() if name not in OWN_STATE}


class ForecastStepper:
    """A network fed the values of series, in their own unit, one step at a time.

    A stepper like that of the network inside, whose ``state`` also holds the values
    last seen, ``recent_values`` (n, lag + 1, C), and how many were, ``n_values``.
    """

    def __init__(self, form: SeriesEncoding, inner: Any, number: np.dtype) -> None:
        self.form, self.inner, self.number = form, inner, number
        self.beginning = {
            "recent_values": np.tile(form.fill, (1, form.lag + 1, 1)),
            "n_values": np.zeros(1, dtype=np.int64),
            **inner.beginning,
        }
        self._own = {name: self.beginning[name] for name in OWN_STATE}
        self.resize(inner.n_streams)

    @property
    def state(self) -> dict[str, np.ndarray]:
        """The arrays of the present state, streams first."""
        return {**self._own, **self.inner.state}

    @property
    def n_streams(self) -> int:
        """Rows of the state."""
        return self.inner.n_streams

    def feed(self, values: np.ndarray, exog: np.ndarray | None = None) -> np.ndarray:
        """Forecasts (n, h, C, Q) after values (n, C), with (n, h, K) that will follow.

        NaN until there is a difference to be read.
        """
        form, recent = self.form, self._own["recent_values"]
        missing = np.isnan(values)
        current = np.where(missing, recent[:, -1], values)
        recent = np.concatenate([recent[:, 1:], current[:, None]], axis=1)
        n_values = self._own["n_values"] + 1
        ready = n_values > form.lag
        forecasts = np.full((len(values), *form.shape_of_answers), np.nan)
        if ready.any():
            inputs = form.inputs(form.standard(recent)[:, -1], missing, exog)
            before = None if ready.all() else self.inner.save()
            outputs = self.inner.feed(inputs.astype(self.number, copy=False))
            forecasts[ready] = form.forecasts(outputs, recent)[ready]
            if before is not None:  # the others have read nothing yet
                waiting = {name: array[~ready] for name, array in before.items()}
                self.inner.put(waiting, ~ready)
        self._own = {"recent_values": recent, "n_values": n_values}
        return forecasts

    def save(self) -> dict[str, np.ndarray]:
        """A copy of the state."""
        return {name: array.copy() for name, array in self.state.items()}

    def restore(self, saved: dict, rows: np.ndarray | None = None) -> None:
        """Go on from saved states, or from some of their rows."""
        rows = np.arange(len(saved["n_values"])) if rows is None else rows
        self._own = {name: saved[name][rows] for name in OWN_STATE}
        self.inner.restore(_without_own(saved), rows)

    def put(self, saved: dict, rows: Any = slice(None)) -> None:
        """Let some rows, or all, go on from a saved state of as many or of one."""
        self._own = {name: array.copy() for name, array in self._own.items()}
        for name in OWN_STATE:
            self._own[name][rows] = saved[name]
        self.inner.put(_without_own(saved), rows)

    def resize(self, n_streams: int) -> None:
        """Keep the first rows; new ones have read nothing."""
        grown = {
            name: np.repeat(self.beginning[name], n_streams, axis=0)
            for name in OWN_STATE
        }
        for name, array in self._own.items():
            grown[name][: len(array)] = array[:n_streams]
        self._own = grown
        self.inner.resize(n_streams)

    def branch(self, rows: np.ndarray | None = None) -> "ForecastStepper":
        """Another stepper in the same states, or in some, which goes its own way."""
        twin = copy.copy(self)
        twin.inner = self.inner.branch(rows)
        rows = slice(None) if rows is None else rows
        twin._own = {name: array[rows].copy() for name, array in self._own.items()}
        return twin

    def roll_out(
        self,
        rows: np.ndarray,
        horizon: int,
        exog: np.ndarray | None = None,
        noise: Any = None,
    ) -> np.ndarray:
        """Feed rows (n, L, C), then the forecasts themselves: (n, horizon, C, Q).

        ``exog`` are (n, L + horizon, K), of the rows and of the steps forecast.
        ``noise(forecasts)`` is what comes true in their place, (n, h, C).
        """
        h, Q = self.form.horizon, self.form.n_quantiles
        parts, step = [], 0
        while horizon > 0:
            for row in np.moveaxis(rows, 1, 0):
                forecasts = self.feed(row, _ahead(exog, step, h))
                step += 1
            rows = forecasts[..., Q // 2] if noise is None else noise(forecasts)
            parts.append(forecasts if noise is None else rows[..., None])
            horizon -= h
        answers = np.concatenate(parts, axis=1)
        return answers[:, : answers.shape[1] + horizon] if horizon < 0 else answers


def _ahead(exog, step, horizon):
    """The exogenous rows of the ``horizon`` steps after one, the last one repeated."""
    if exog is None:
        return None
    places = np.minimum(np.arange(step + 1, step + 1 + horizon), exog.shape[1] - 1)
    return exog[:, places]


@dataclass(frozen=True)
class SeriesState:
    """What is known of n series up to now: a state, and the last rows not yet fed.

    With exogenous variables the network reads those of the steps ahead, so the last
    rows wait until these are known.
    """

    state: dict[str, np.ndarray]
    rows: np.ndarray  # (n, L, C)
    exog: np.ndarray | None  # (n, L, K)

    def of(self, rows: np.ndarray) -> "SeriesState":
        """What is known of some of the series."""
        state = {name: array[rows] for name, array in self.state.items()}
        exog = None if self.exog is None else self.exog[rows]
        return SeriesState(state, self.rows[rows], exog)

    @classmethod
    def after(cls, begun: ForecastStepper, values: np.ndarray, exog, before=None):
        """After values (n, T, C), which follow what was known before."""
        if before is not None:
            begun.restore(before.state)
            values = np.concatenate([before.rows, values], axis=1)
            if exog is not None:
                exog = np.concatenate([before.exog, exog], axis=1)
        n_waiting = 1 if exog is None else begun.form.horizon
        n_fed = values.shape[1] - n_waiting
        for t in range(n_fed):
            begun.feed(values[:, t], _ahead(exog, t, begun.form.horizon))
        return cls(
            begun.save(), values[:, n_fed:], None if exog is None else exog[:, n_fed:]
        )


def concatenate_states(
    parts: list[SeriesState], places: list[np.ndarray]
) -> SeriesState:
    """What is known of all series, from what is known of groups of them."""
    order = np.argsort(np.concatenate(places))

    def join(arrays):
        return np.concatenate(arrays)[order]

    return SeriesState(
        {name: join([p.state[name] for p in parts]) for name in parts[0].state},
        join([p.rows for p in parts]),
        None if parts[0].exog is None else join([p.exog for p in parts]),
    )


def rolling_errors(
    begun: ForecastStepper,
    values: np.ndarray,
    exog: np.ndarray | None,
    first: int,
    horizon: int,
) -> np.ndarray:
    """Truth less forecast, of every lead from every origin: (origins, n, horizon, C).

    Origins are the steps of values (n, T, C) from ``first`` on. What lies beyond the
    last step is NaN. The network starts from nothing at the first value.
    """
    T, h, middle = values.shape[1], begun.form.horizon, begun.form.n_quantiles // 2
    origins = np.arange(first, T - 1)
    blocks, states = [], []
    for t in range(T - 1):
        forecasts = begun.feed(values[:, t], _ahead(exog, t, h))
        if t >= first:
            blocks.append(forecasts[..., middle])
            if horizon > h:
                states.append(begun.save())
    answers = np.stack(blocks)  # (origins, n, h, C)
    if horizon > h:
        size = max(1, ROWS_AT_ONCE // len(values))
        parts = np.split(np.arange(len(origins)), range(size, len(origins), size))
        further = [
            _roll_out_further(begun, states, answers, exog, origins, part, horizon - h)
            for part in parts
        ]
        answers = np.concatenate([answers, np.concatenate(further)], axis=2)
    answers = answers[:, :, :horizon]
    places = origins[:, None] + np.arange(1, horizon + 1)  # (origins, horizon)
    truth = np.moveaxis(values[:, np.minimum(places, T - 1)], 1, 0)
    return np.where(places[:, None, :, None] < T, truth, np.nan) - answers


def _roll_out_further(begun, states, answers, exog, origins, part, horizon):
    """Forecasts (origins, n, horizon, C) beyond the first block, from some origins."""
    n, h, C = answers.shape[1:]
    begun.restore(
        {name: np.concatenate([states[i][name] for i in part]) for name in states[0]}
    )
    if exog is not None:
        places = origins[part, None] + np.arange(1, h + horizon + 1)
        exog = exog[:, np.minimum(places, exog.shape[1] - 1)]  # (n, origins, rows, K)
        exog = np.moveaxis(exog, 1, 0).reshape(-1, h + horizon, exog.shape[-1])
    rows = answers[part].reshape(-1, h, C)
    forecasts = begun.roll_out(rows, horizon, exog)
    return forecasts[..., begun.form.n_quantiles // 2].reshape(-1, n, horizon, C)


@dataclass(frozen=True)
class SeriesNetwork:
    """A trained network together with the form of what it reads and answers."""

    form: SeriesEncoding
    module: Any
    number: np.dtype

    def stepper(self, n_streams: int) -> ForecastStepper:
        """Streams that have read nothing."""
        inner = stepper(self.module, n_streams=n_streams)
        return ForecastStepper(self.form, inner, self.number)

    def known(self, values, exog, before: SeriesState | None = None) -> SeriesState:
        """What is known after series (T_i, C), which follow what was before."""
        parts, places = [], []
        for rows, group, given in _by_length(values, exog):
            past = None if before is None else before.of(rows)
            begun = self.stepper(len(rows))
            parts.append(SeriesState.after(begun, group, given, past))
            places.append(rows)
        return concatenate_states(parts, places)

    def forecasts(self, known: SeriesState, horizon, exog=None, noise=None, repeats=1):
        """Forecasts (n * repeats, horizon, C, Q); ``exog`` (n, horizon, K) ahead."""
        rows = np.tile(np.arange(len(known.rows)), repeats)
        begun = self.stepper(len(rows))
        begun.restore(known.state, rows)
        if exog is not None:
            exog = np.concatenate([known.exog, exog], axis=1)[rows]
        return begun.roll_out(known.rows[rows], horizon, exog, noise)

    def rolling_errors(self, values, exog, first: int, horizon: int):
        """Errors (origins, n, horizon, C) of each group of n series of equal length."""
        for rows, group, given in _by_length(values, exog):
            yield rolling_errors(self.stepper(len(rows)), group, given, first, horizon)


def _by_length(values, exog):
    """Places, values (n, T, C) and exogenous rows of the series of each length."""
    lengths = np.array([len(v) for v in values])
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        given = None if exog is None else np.stack([exog[i] for i in rows])
        yield rows, np.stack([values[i] for i in rows]), given
