"""Forecasts made step by step with the state of a network, to any horizon.

Shapes: n series or streams, T steps, h steps that are forecast at once, C channels, K
exogenous variables, Q quantiles (1 for a point forecast).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from sklearn_rnn._core.memory import explain_prediction_memory
from sklearn_rnn._nn.steppers import (
    Stepper,
    make_stepper,
    resize_state,
    take_rows,
)
from sklearn_rnn.forecasting._encoding import SeriesEncoding, cast_numbers, take_median
from sklearn_rnn.forecasting._intervals import Sampler

# So many states at most are rolled out side by side.
ROWS_AT_ONCE = 4096

Arrays = dict[str, np.ndarray]


class ForecastStepper(Stepper):
    """A network that reads the values of series, in their own unit, step by step.

    Its ``state`` is that of the network's stepper ``inner`` together with that of the
    encoding's baseline.
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
        """Forecasts (n, h, C, Q) after values (n, C), with ``exog`` (n, h, K) ahead.

        They are NaN until enough values are known. Values that are not ``observed`` are
        forecasts.
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
            if not ready.all():  # the network has read nothing of the others yet
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
        """Feed values (n, L, C), then the forecasts themselves: (n, horizon, C, Q).

        ``exog`` (n, L + m, K) belong to the values and to the m steps forecast, where m
        is ``horizon`` rounded up to whole blocks. A ``sampler`` replaces forecasts by
        samples (n, h, C): (n, horizon, C, 1).
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
    """Rows (n, h, K) of ``exog`` (n, T, K) after ``step``."""
    return None if exog is None else exog[:, step + 1 : step + 1 + h]


def check_finite(forecasts: np.ndarray) -> None:
    """Raise a ValueError if a forecast is not a finite number."""
    if not np.isfinite(forecasts).all():
        raise ValueError(
            "a forecast is not a finite number, because values of X or exog are too "
            "large for a network that was trained on much smaller ones. Give them in "
            "the unit of fit."
        )


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

    @property
    def n_steps(self) -> np.ndarray:
        """Number of steps known of each series, (n,)."""
        n_values = self.fed["n_values"].reshape(len(self), -1)[:, 0]
        return n_values + self.waiting.shape[1]

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
    return SeriesState(stepper.state, values[:, n_fed:], waiting_exog)


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
    stride: int = 1,
) -> np.ndarray:
    """Truth minus forecast of each lead from each origin: (origins, n, horizon, C).

    Origins are the steps of values (n, T, C) from ``first`` to the last but one, each
    ``stride`` after the one before. Errors after the last step are NaN, and so are
    those of a block of forecasts for which not all ``exog`` is known. The stepper has
    to be new.
    """
    T, h = values.shape[1], stepper.encoding.horizon
    origins = np.arange(first, T - 1, stride)
    last_read = np.arange(1, horizon + 1)  # steps after an origin that a lead needs
    if exog is not None:
        last_read = -(-last_read // h) * h
        unknown = np.repeat(exog[:, -1:], horizon + h, axis=1)  # no error depends on it
        exog = np.concatenate([exog, unknown], axis=1)
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
    """Forecasts (origins, n, horizon, C) after the ``forecasts`` (origins, n, h, C)."""
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
        h = self.encoding.horizon
        if exog is not None and before is None and min(map(len, values)) < h:
            raise ValueError(
                f"a series of X has {min(map(len, values))} steps; with exog, "
                f"{h} (horizon) are needed at least. Leave it out."
            )
        with explain_prediction_memory(len(values), max(map(len, values))):
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

        ``exog`` (n, m, K) belong to the steps forecast, in whole blocks.
        """
        rows = np.tile(np.arange(len(state)), repeats)
        steps = self.new_stepper(len(rows))
        steps.restore(state.fed, rows)
        if exog is not None:
            exog = np.concatenate([state.exog, exog], axis=1)[rows]
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
        """Places and errors (origins, n, horizon, C) of n series of equal length.

        ``first`` is the first origin of all series, or that of each series; those of
        equal length have the same.
        """
        firsts = np.broadcast_to(first, len(values))
        for rows, group, group_exog in group_by_length(values, exog):
            steps, start = self.new_stepper(len(rows)), int(firsts[rows[0]])
            yield (
                rows,
                compute_rolling_errors(
                    steps, group, group_exog, start, horizon, stride
                ),
            )

    def score(self, values: list[np.ndarray], exog: list[np.ndarray] | None) -> float:
        """Minus the mean absolute error of h forecasts from rolling origins."""
        first, h = self.encoding.context - 1, self.encoding.horizon
        errors = [
            part[: len(part) - h + 1]  # later origins lack the truth of some leads
            for _, part in self.compute_rolling_errors(values, exog, first, h)
        ]
        absolute = np.abs(np.concatenate(errors, axis=None))
        if np.isnan(absolute).all():
            raise ValueError(
                "X has no known value (all are NaN) among the steps that are forecast "
                f"from rolling origins, which begin after step {first}, so nothing can "
                "be scored. Give series with known values there."
            )
        return -float(np.nanmean(absolute))


def group_by_length(
    values: list[np.ndarray], exog: list[np.ndarray] | None
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray | None]]:
    """Places (n,), values (n, T, C) and exog (n, T, K) of the series of each length."""
    lengths = np.array([len(v) for v in values])
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        group_exog = None if exog is None else np.stack([exog[i] for i in rows])
        yield rows, np.stack([values[i] for i in rows]), group_exog
