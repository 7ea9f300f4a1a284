"""Conversion of series to the inputs of a network, and of its outputs to forecasts.

The network reads features of each step. Its outputs after a step are the next
``horizon`` values, relative to a baseline. Shapes: n series or streams, T steps, h
steps that are forecast at once, C channels, K exogenous variables, Q quantiles (1 for a
point forecast).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_rnn.forecasting._theta import ThetaBaseline
from sklearn_rnn.forecasting._values import (
    UNSETTLED_STEPS,
    Arrays,
    StandardizedValues,
    measure_scale,
)

# A baseline computes the features of values and the forecasts that outputs correct.
Baseline = StandardizedValues | ThetaBaseline


@dataclass(frozen=True)
class SeriesEncoding:
    """Conversion of series to inputs and targets, and of outputs to forecasts."""

    baseline: Baseline
    window: int  # steps of a training window
    last_only: bool  # whether only the last step of a window has targets
    quantiles: tuple[float, ...]  # levels; (0.5,) for a point forecast
    exog_mean: np.ndarray | None  # (K,)
    exog_scale: np.ndarray | None
    tells_missing: bool  # whether inputs mark missing values
    bounds: tuple[float, float] = (-math.inf, math.inf)  # of values
    found_season: int = 1  # steps, found in the series or their index

    @property
    def horizon(self) -> int:
        """Number of steps that are forecast at once, h."""
        return self.baseline.horizon

    @property
    def lag(self) -> int:
        """Number of steps at the start of a series that the network does not read."""
        return self.baseline.lag

    @property
    def theta(self) -> ThetaBaseline | None:
        """The Theta method, if outputs are corrections of it."""
        return self.baseline if isinstance(self.baseline, ThetaBaseline) else None

    @property
    def season(self) -> int:
        """Length of the shortest season, or else the lag of differences, or 1."""
        if self.theta is not None:
            return (*self.theta.seasons, 1)[0]
        return self.lag if self.lag > 1 else self.found_season

    @property
    def n_channels(self) -> int:
        """Number of channels of a series, C."""
        return len(self.baseline.fill)

    @property
    def n_exog(self) -> int:
        """Number of exogenous variables, K."""
        return 0 if self.exog_mean is None else len(self.exog_mean)

    @property
    def context(self) -> int:
        """Number of steps of a series that one training window covers."""
        return self.window + self.lag

    @property
    def shortest(self) -> int:
        """Number of steps of the shortest series that can be used for training."""
        return self.lag + self.horizon + UNSETTLED_STEPS + 1

    @property
    def n_inputs(self) -> int:
        """Number of features per step of the network's input."""
        per_channel = self.baseline.features_per_channel + self.tells_missing
        return self.n_channels * per_channel + self.n_exog * self.horizon

    @property
    def forecast_shape(self) -> tuple[int, int, int]:
        """Shape of the forecasts after a step: (h, C, Q)."""
        return self.horizon, self.n_channels, len(self.quantiles)

    @property
    def n_outputs(self) -> int:
        """Number of outputs of the network per step."""
        return math.prod(self.forecast_shape)

    def make_inputs(
        self, features: np.ndarray, missing: np.ndarray, exog: np.ndarray | None
    ) -> np.ndarray:
        """Concatenate features (..., F), ``missing`` (..., C) and exog (..., h, K).

        Returns inputs (..., n_inputs).
        """
        parts = [features]
        if self.tells_missing:
            parts.append(missing)
        if exog is not None:
            exog = (exog - self.exog_mean) / self.exog_scale
            parts.append(exog.reshape(*exog.shape[:-2], -1))
        return np.concatenate(parts, axis=-1)

    def make_examples(
        self, values: list[np.ndarray], exog: list[np.ndarray] | None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield inputs (n, F) and targets (n, h * C) of each series (T, C).

        Only steps whose targets lie inside the series are used: n is T - lag - h. A
        missing target is NaN.
        """
        h = self.horizon
        for i, (features, targets) in enumerate(self.baseline.encode(values)):
            n = len(values[i]) - self.lag - h
            ahead = None if exog is None else _slide(exog[i][self.lag + 1 :], h)
            missing = np.isnan(values[i][self.lag :])
            inputs = self.make_inputs(features[:n], missing[:n], ahead)
            yield inputs, targets[:n].reshape(n, -1)

    def decode(self, outputs: np.ndarray, state: Arrays) -> np.ndarray:
        """Turn outputs (n, h * C * Q) into forecasts (n, h, C, Q) in the series' unit.

        ``state`` is the state of the baseline.
        """
        outputs = outputs.astype(np.float64).reshape(-1, *self.forecast_shape)
        # the outputs for different quantiles may cross
        return self.clip(self.baseline.decode(state, np.sort(outputs, axis=-1)))

    def clip(self, values: np.ndarray) -> np.ndarray:
        """Clip values to the bounds."""
        return np.clip(values, *self.bounds)


def _slide(rows: np.ndarray, h: int) -> np.ndarray:
    """Return all runs (n, h, C) of h successive rows (n + h - 1, C)."""
    runs = np.lib.stride_tricks.sliding_window_view(rows, h, axis=0)
    return runs.transpose(0, 2, 1)


def fit_encoding(
    values: list[np.ndarray],
    exog: list[np.ndarray] | None,
    baseline: Baseline,
    **settings: Any,
) -> SeriesEncoding:
    """Fit the encoding of series (T_i, C), with the scales of exogenous variables.

    ``settings`` are other fields of SeriesEncoding, such as ``window`` and ``bounds``.
    """
    mean = scale = None
    if exog is not None:
        mean, scale = measure_scale(np.concatenate(exog))
    return SeriesEncoding(
        baseline,
        exog_mean=mean,
        exog_scale=scale,
        tells_missing=any(np.isnan(v).any() for v in values),
        **settings,
    )


def cast_numbers(numbers: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Cast numbers to the type of the network; raise a ValueError if it overflows."""
    with np.errstate(over="ignore"):
        numbers = numbers.astype(dtype, copy=False)
    if np.isinf(numbers).any():
        raise ValueError(
            f"values of X or exog are too large for {np.dtype(dtype)}. Pass them in "
            'the unit used in fit; in fit, scale them or set precision="float64".'
        )
    return numbers


def take_median(forecasts: np.ndarray) -> np.ndarray:
    """Take the median (...) of forecasts (..., Q); with Q = 1, the point forecast."""
    return forecasts[..., forecasts.shape[-1] // 2]
