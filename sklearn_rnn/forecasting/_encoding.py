"""Series as a network reads them, and its outputs as forecasts.

The network reads features of each step, and its outputs after a step are the next
``horizon`` values in relation to a baseline. Shapes: n series or streams, T steps, h
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

# What the outputs of a network are relative to, with the features of values.
Baseline = StandardizedValues | ThetaBaseline


@dataclass(frozen=True)
class SeriesEncoding:
    """How series become inputs and targets, and outputs become forecasts."""

    baseline: Baseline
    window: int  # steps of a training window
    last_only: bool  # whether only the last step of a window was trained
    quantiles: tuple[float, ...]  # levels; (0.5,) for a point forecast
    exog_mean: np.ndarray | None  # (K,)
    exog_scale: np.ndarray | None
    tells_missing: bool  # whether inputs mark missing values
    bounds: tuple[float, float] = (-math.inf, math.inf)  # of values
    found_season: int = 1  # steps, in the series or their index

    @property
    def horizon(self) -> int:
        """Steps that are forecast at once, h."""
        return self.baseline.horizon

    @property
    def lag(self) -> int:
        """Steps at the beginning of a series that the network does not read."""
        return self.baseline.lag

    @property
    def theta(self) -> ThetaBaseline | None:
        """The Theta method, if outputs are corrections of it."""
        return self.baseline if isinstance(self.baseline, ThetaBaseline) else None

    @property
    def season(self) -> int:
        """Steps of the shortest season, or the lag of differences; 1 without any."""
        if self.theta is not None:
            return (*self.theta.seasons, 1)[0]
        return self.lag if self.lag > 1 else self.found_season

    @property
    def n_channels(self) -> int:
        """Channels of a series, C."""
        return len(self.baseline.fill)

    @property
    def n_exog(self) -> int:
        """Exogenous variables, K."""
        return 0 if self.exog_mean is None else len(self.exog_mean)

    @property
    def context(self) -> int:
        """Steps of a series that one training window covers."""
        return self.window + self.lag

    @property
    def shortest(self) -> int:
        """Steps of the shortest series that can train."""
        return self.lag + self.horizon + UNSETTLED_STEPS + 1

    @property
    def n_inputs(self) -> int:
        """Features per step of the network's input."""
        per_channel = self.baseline.features_per_channel + self.tells_missing
        return self.n_channels * per_channel + self.n_exog * self.horizon

    @property
    def forecast_shape(self) -> tuple[int, int, int]:
        """Shape of the forecasts after a step: (h, C, Q)."""
        return self.horizon, self.n_channels, len(self.quantiles)

    @property
    def n_outputs(self) -> int:
        """Outputs of the network per step."""
        return math.prod(self.forecast_shape)

    def make_inputs(
        self, features: np.ndarray, missing: np.ndarray, exog: np.ndarray | None
    ) -> np.ndarray:
        """Inputs (..., n_inputs), from (..., F), (..., C) and ``exog`` (..., h, K)."""
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
        """Inputs (n, F) and targets (n, h * C) of the steps whose targets are inside.

        ``values`` are (T, C); n is T - lag - h. A missing target is NaN.
        """
        h = self.horizon
        for i, (features, targets) in enumerate(self.baseline.encode(values)):
            n = len(values[i]) - self.lag - h
            ahead = None if exog is None else _slide(exog[i][self.lag + 1 :], h)
            missing = np.isnan(values[i][self.lag :])
            inputs = self.make_inputs(features[:n], missing[:n], ahead)
            yield inputs, targets[:n].reshape(n, -1)

    def decode(self, outputs: np.ndarray, state: Arrays) -> np.ndarray:
        """Forecasts (n, h, C, Q) in the unit of the series.

        Outputs are (n, h * C * Q), and ``state`` is that of the baseline.
        """
        outputs = outputs.astype(np.float64).reshape(-1, *self.forecast_shape)
        # quantiles of two outputs may cross
        return self.clip(self.baseline.decode(state, np.sort(outputs, axis=-1)))

    def clip(self, values: np.ndarray) -> np.ndarray:
        """Values moved into the bounds."""
        return np.clip(values, *self.bounds)


def _slide(rows: np.ndarray, h: int) -> np.ndarray:
    """All runs (n, h, C) of h successive rows (n + h - 1, C)."""
    runs = np.lib.stride_tricks.sliding_window_view(rows, h, axis=0)
    return runs.transpose(0, 2, 1)


def fit_encoding(
    values: list[np.ndarray],
    exog: list[np.ndarray] | None,
    baseline: Baseline,
    **settings: Any,
) -> SeriesEncoding:
    """The encoding of series (T_i, C), with the scales of exogenous variables.

    ``settings`` are the fields of SeriesEncoding from ``window`` to ``quantiles``, and
    ``bounds``.
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
    """Numbers of the type of the network; a ValueError if one is too large for it."""
    with np.errstate(over="ignore"):
        numbers = numbers.astype(dtype, copy=False)
    if np.isinf(numbers).any():
        raise ValueError(
            f"values of X or exog are too large for {np.dtype(dtype)}. Give them in "
            'the unit of fit; in fit, scale them or set precision="float64".'
        )
    return numbers


def take_median(forecasts: np.ndarray) -> np.ndarray:
    """The median (...) of forecasts (..., Q), which is a point forecast itself."""
    return forecasts[..., forecasts.shape[-1] // 2]
