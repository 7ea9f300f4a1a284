"""Step-by-step forecasts to any horizon, with the state of a network.

Shapes: n series or streams, T steps, h steps that are forecast at once, C channels, K
exogenous variables, Q quantiles (1 for a point forecast).
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from sklearn_rnn._core.memory import explain_prediction_memory
from sklearn_rnn._core.threads import limit_step_threads
from sklearn_rnn._nn.steppers import (
    Stepper,
    make_stepper,
    resize_state,
    take_rows,
)
from sklearn_rnn.forecasting._encoding import SeriesEncoding, cast_numbers, take_median
from sklearn_rnn.forecasting._intervals import Sampler

ROWS_AT_ONCE = 4096  # maximum number of states that are rolled out in one batch

Arrays = dict[str, np.ndarray]


class ForecastStepper(Stepper):
    """Stepper of a network that reads values of series in their own unit.

    Its ``state`` combines the states of the network's stepper ``inner`` and of the
    baseline of the encoding.
    """

    def __init__(self, encoding: SeriesEncoding, inner: Any, dtype: np.dtype) -> None:
        self.encoding, self.inner, self.dtype = encoding, inner, dtype
        self.beginning = {**encoding.baseline.begin(), **inner.beginning}
        self.state = resize_state(inner.state, self.beginning, inner.n_streams)

    @property
    def baseline_state(self) -> Arrays:
        """The part of the state that belongs to the baseline."""
        names = self.beginning.keys() - self.inner.beginning.keys()
        return {name: self.state[name] for name in names}

    def feed(
        self,
        values: np.ndarray,
        exog: np.ndarray | None = None,
        observed: bool = True,
    ) -> np.ndarray:
        """Read values (n, C) and return the forecasts (n, h, C, Q) after them.

        ``exog`` (n, h, K) belongs to the h steps ahead. Forecasts are NaN until enough
        values were read. Forecasts that are fed back are passed with
        ``observed=False``.
        """
        encoding, baseline, inner = self.encoding, self.encoding.baseline, self.inner
        before = {name: self.state[name] for name in inner.beginning}
        own, features = baseline.advance(self.baseline_state, values, observed)
        ready = baseline.is_ready(own)
        forecasts = np.full((len(values), *encoding.forecast_shape), np.nan)
        inner.state = before
        if ready.any():
            inputs = encoding.make_inputs(features, np.isnan(values), exog)
            outputs = inner.feed(cast_numbers(inputs, self.dtype))
            forecasts[ready] = encoding.decode(outputs, own)[ready]
            if not ready.all():  # the network starts later to read the other rows
                inner.put(take_rows(before, ~ready), ~ready)
        self.state = {**own, **inner.state}
        return forecasts

    def branch(self, rows: np.ndarray | None = None) -> Self:
        twin = super().branch(rows)
        twin.inner = self.inner.branch()
        return twin

    def roll_out(
        self,
        values: np.ndarray,
        horizon: int,
        exog: np.ndarray | None = None,
        sampler: Sampler | None = None,
    ) -> np.ndarray:
        """Feed values (n, L, C) and then the forecasts; return (n, horizon, C, Q).

        ``exog`` (n, L + m, K) belongs to the values and to the m steps forecast, where
        m is ``horizon`` rounded up to whole blocks. A ``sampler`` replaces forecasts by
        samples (n, h, C); the result is then (n, horizon, C, 1).
        """
        h = self.encoding.horizon
        blocks: list[np.ndarray] = []
        n_fed = 0
        while len(blocks) * h < horizon:
            for row in np.moveaxis(values, 1, 0):
                forecasts = self.feed(
                    row, take_ahead(exog, n_fed, h), observed=not blocks
                )
                n_fed += 1
            values = sampler(forecasts) if sampler else take_median(forecasts)
            blocks.append(values[..., None] if sampler else forecasts)
        return np.concatenate(blocks, axis=1)[:, :horizon]


def take_ahead(exog: np.ndarray | None, step: int, h: int) -> np.ndarray | None:
    """Take the h rows (n, h, K) of ``exog`` (n, T, K) after ``step``."""
    return None if exog is None else exog[:, step + 1 : step + 1 + h]


def check_finite(forecasts: np.ndarray) -> None:
    """Raise a ValueError if a forecast is not a finite number."""
    if not np.isfinite(forecasts).all():
        raise ValueError(
            "a forecast is not a finite number, because values of X or exog are much "
            "larger than those that the network was trained on. Pass them in the unit "
            "used in fit."
        )


@dataclass(frozen=True)
class SeriesState:
    """State of a network after n series, and the last values that it has not read yet.

    The exogenous variables of h future steps are an input of each step, so the last h
    values wait until these are available. Without exogenous variables, only the last
    value waits.
    """

    fed: Arrays  # the state after the values that were read
    waiting: np.ndarray  # (n, L, C)
    exog: np.ndarray | None  # (n, L, K) of the waiting values

    def __len__(self) -> int:
        return len(self.waiting)

    @property
    def n_steps(self) -> np.ndarray:
        """Number of steps of each series so far, (n,)."""
        n_values = self.fed["n_values"].reshape(len(self), -1)[:, 0]
        return n_values + self.waiting.shape[1]

    def take(self, rows: np.ndarray) -> "SeriesState":
        """Return the state of some of the series."""
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
    """Read values (n, T, C), which follow the state ``before``; return the state."""
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
    return SeriesState(stepper.state, values[:, n_fed:], waiting_exog)


def concatenate_states(
    parts: list[SeriesState], places: list[np.ndarray]
) -> SeriesState:
    """Concatenate the states of groups of series, in the order of their ``places``."""
    order = np.argsort(np.concatenate(places))

    def concatenate(arrays):
        return np.concatenate(arrays)[order]

    return SeriesState(
        {name: concatenate([p.fed[name] for p in parts]) for name in parts[0].fed},
        concatenate([p.waiting for p in parts]),
        None if parts[0].exog is None else concatenate([p.exog for p in parts]),
    )


def compute_rolling_errors(
    stepper: ForecastStepper,
    values: np.ndarray,
    exog: np.ndarray | None,
    first: int,
    horizon: int,
    stride: int = 1,
) -> np.ndarray:
    """Compute truth minus forecast, (origins, n, horizon, C), from many origins.

    Every ``stride``-th step of values (n, T, C) from ``first`` to the second-to-last is
    an origin. Errors after the last step are NaN, and so are the errors of a block of
    forecasts for which some ``exog`` is missing. The stepper must be new.
    """
    T, h = values.shape[1], stepper.encoding.horizon
    origins = np.arange(first, T - 1, stride)
    last_read = np.arange(1, horizon + 1)  # steps after an origin that a lead needs
    if exog is not None:
        last_read = -(-last_read // h) * h
        # pad, so that the last steps can be fed; errors that depend on it become NaN
        padding = np.repeat(exog[:, -1:], horizon + h, axis=1)
        exog = np.concatenate([exog, padding], axis=1)
    blocks, states = [], []
    for t in range(T - 1):
        forecasts = stepper.feed(values[:, t], take_ahead(exog, t, h))
        if t >= first and (t - first) % stride == 0:
            blocks.append(take_median(forecasts))
            if horizon > h:
                states.append(stepper.state)
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
    check_finite(forecasts)
    places = origins[:, None] + np.arange(1, horizon + 1)  # (origins, horizon)
    truth = np.moveaxis(values[:, np.minimum(places, T - 1)], 1, 0)
    known = origins[:, None] + last_read < T
    truth = np.where(known[:, None, :, None], truth, np.nan)
    return truth - forecasts[:, :, :horizon]


def _roll_out_from(stepper, states, forecasts, exog, origins, horizon):
    """Feed ``forecasts`` (origins, n, h, C) back; return (origins, n, horizon, C)."""
    n, h, C = forecasts.shape[1:]
    stepper.restore({k: np.concatenate([s[k] for s in states]) for k in states[0]})
    if exog is not None:
        n_rows = h + -(-horizon // h) * h
        places = origins[:, None] + np.arange(1, n_rows + 1)
        exog = exog[:, places]  # (n, origins, rows, K)
        exog = np.moveaxis(exog, 1, 0).reshape(-1, n_rows, exog.shape[-1])
    further = stepper.roll_out(forecasts.reshape(-1, h, C), horizon, exog)
    return take_median(further).reshape(-1, n, horizon, C)


@dataclass(frozen=True)
class SeriesNetwork:
    """A trained network together with the encoding of its inputs and outputs."""

    encoding: SeriesEncoding
    module: Any
    dtype: np.dtype  # of the inputs of the module

    def new_stepper(self, n_streams: int) -> ForecastStepper:
        """Return a stepper of streams that have not read any step."""
        inner = make_stepper(self.module, n_streams=n_streams)
        return ForecastStepper(self.encoding, inner, self.dtype)

    def _limit_threads(self, n_streams: int) -> AbstractContextManager[None]:
        """Return the context with the number of threads for steps of the streams."""
        layers = [level[0] for level in self.module.stack.layers]
        work = max(4 * layer.hidden_size**2 for layer in layers)
        return limit_step_threads(n_streams * work)

    def read(
        self,
        values: list[np.ndarray],
        exog: list[np.ndarray] | None,
        before: SeriesState | None = None,
    ) -> SeriesState:
        """Read series (T_i, C), which follow the state ``before``; return the state."""
        parts, places = [], []
        h = self.encoding.horizon
        if exog is not None and before is None and min(map(len, values)) < h:
            raise ValueError(
                f"a series of X has {min(map(len, values))} steps; with exog, at "
                f"least {h} (horizon) are needed. Leave this series out."
            )
        with explain_prediction_memory(len(values), max(map(len, values))):
            for rows, group, group_exog in group_by_length(values, exog):
                past = None if before is None else before.take(rows)
                steps = self.new_stepper(len(rows))
                with self._limit_threads(len(rows)):
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
        """Forecast (repeats * n, horizon, C, Q), or sample (..., 1) with a sampler.

        ``exog`` (n, m, K) belongs to the steps forecast, in whole blocks.
        """
        rows = np.tile(np.arange(len(state)), repeats)
        steps = self.new_stepper(len(rows))
        steps.restore(state.fed, rows)
        if exog is not None:
            exog = np.concatenate([state.exog, exog], axis=1)[rows]
        with self._limit_threads(len(rows)):
            forecasts = steps.roll_out(state.waiting[rows], horizon, exog, sampler)
        check_finite(forecasts)
        return forecasts

    def compute_rolling_errors(
        self,
        values: list[np.ndarray],
        exog: list[np.ndarray] | None,
        first: int | np.ndarray,
        horizon: int,
        stride: int = 1,
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield positions and errors (origins, n, horizon, C) of groups of series.

        The series of a group have the same length, and must have the same first origin.
        ``first`` is the first origin of all series or of each series.
        """
        firsts = np.broadcast_to(first, len(values))
        for rows, group, group_exog in group_by_length(values, exog):
            steps, start = self.new_stepper(len(rows)), int(firsts[rows[0]])
            with self._limit_threads(len(rows)):
                errors = compute_rolling_errors(
                    steps, group, group_exog, start, horizon, stride
                )
            yield rows, errors

    def score(self, values: list[np.ndarray], exog: list[np.ndarray] | None) -> float:
        """Return minus the mean absolute error of h forecasts from rolling origins."""
        first, h = self.encoding.context - 1, self.encoding.horizon
        errors = [
            part[: len(part) - h + 1]  # later origins lack the truth of some leads
            for _, part in self.compute_rolling_errors(values, exog, first, h)
        ]
        absolute = np.abs(np.concatenate(errors, axis=None))
        if np.isnan(absolute).all():
            raise ValueError(
                "X cannot be scored, because all values that would be forecast, those "
                f"after step {first}, are missing (NaN). Pass series with observed "
                "values there."
            )
        return -float(np.nanmean(absolute))


def group_by_length(
    values: list[np.ndarray], exog: list[np.ndarray] | None
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray | None]]:
    """Group series by length.

    Yields positions (n,), values (n, T, C) and exog (n, T, K) of each group.
    """
    lengths = np.array([len(v) for v in values])
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        group_exog = None if exog is None else np.stack([exog[i] for i in rows])
        yield rows, np.stack([values[i] for i in rows]), group_exog
