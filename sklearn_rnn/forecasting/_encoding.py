"""Series as a network reads them, and its outputs as forecasts.

The network reads standardised values, or differences of them, and its outputs after a
step are the next ``horizon`` ones. Shapes: n series or streams, T steps, h steps that
are forecast at once, C channels, K exogenous variables, Q quantiles (1 for a point
forecast).
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class SeriesEncoding:
    """How series become inputs and targets, and outputs become forecasts."""

    window: int  # steps of a training window
    last_only: bool  # whether only the last step of a window was trained
    horizon: int
    lag: int  # of differencing; 0 is none
    residual: bool
    quantiles: tuple[float, ...]  # levels; (0.5,) for a point forecast
    fill: np.ndarray  # (C,) instead of values missing before the first one
    mean: np.ndarray  # (C,) of the values or their differences
    scale: np.ndarray  # (C,)
    exog_mean: np.ndarray | None  # (K,)
    exog_scale: np.ndarray | None
    tells_missing: bool  # whether inputs mark missing values

    @property
    def n_channels(self) -> int:
        """Channels of a series, C."""
        return len(self.fill)

    @property
    def n_exog(self) -> int:
        """Exogenous variables, K."""
        return 0 if self.exog_mean is None else len(self.exog_mean)

    @property
    def context(self) -> int:
        """Steps of a series that one training window covers."""
        return self.window + self.lag

    @property
    def n_inputs(self) -> int:
        """Features per step of the network's input."""
        return self.n_channels * (1 + self.tells_missing) + self.n_exog * self.horizon

    @property
    def forecast_shape(self) -> tuple[int, int, int]:
        """Shape of the forecasts after a step: (h, C, Q)."""
        return self.horizon, self.n_channels, len(self.quantiles)

    @property
    def n_outputs(self) -> int:
        """Outputs of the network per step."""
        return math.prod(self.forecast_shape)

    def standardize(self, values: np.ndarray) -> np.ndarray:
        """The network's view (..., T - lag, C) of values (..., T, C) without gaps."""
        if self.lag:
            values = values[..., self.lag :, :] - values[..., : -self.lag, :]
        return (values - self.mean) / self.scale

    def make_inputs(
        self, standardized: np.ndarray, missing: np.ndarray, exog: np.ndarray | None
    ) -> np.ndarray:
        """Features (..., F) of steps, from (..., C) twice and ``exog`` (..., h, K)."""
        parts = [standardized]
        if self.tells_missing:
            parts.append(missing)
        if exog is not None:
            exog = (exog - self.exog_mean) / self.exog_scale
            parts.append(exog.reshape(*exog.shape[:-2], -1))
        return np.concatenate(parts, axis=-1)

    def make_examples(
        self, values: np.ndarray, exog: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Inputs (n, F) and targets (n, h * C) of the steps whose targets are inside.

        ``values`` are (T, C); n is T - lag - h. A missing target is NaN.
        """
        h, n = self.horizon, len(values) - self.lag - self.horizon
        standardized = self.standardize(fill_forward(values, self.fill))
        missing = np.isnan(values[self.lag :])
        targets = _slide(np.where(missing, np.nan, standardized)[1:], h)  # (n, h, C)
        if self.residual:
            targets = targets - standardized[:n, None]
        if exog is not None:
            exog = _slide(exog[self.lag + 1 :], h)  # (n, h, K)
        inputs = self.make_inputs(standardized[:n], missing[:n], exog)
        return inputs, targets.reshape(n, -1)

    def decode(self, outputs: np.ndarray, recent: np.ndarray) -> np.ndarray:
        """Forecasts (n, h, C, Q) in the unit of the series.

        Outputs are (n, h * C * Q), and ``recent`` (n, lag + 1, C) are the last values.
        """
        values = outputs.astype(np.float64).reshape(-1, *self.forecast_shape)
        if self.residual:
            values = values + self.standardize(recent)[:, -1:, :, None]
        values = values * self.scale[:, None] + self.mean[:, None]
        values.sort(axis=-1)  # quantiles of two outputs may cross
        return self._undo_differencing(values, recent) if self.lag else values

    def _undo_differencing(self, differences, recent):
        """Values whose differences at ``lag`` are (n, h, C, Q)."""
        n, h, *rest = differences.shape
        n_blocks = -(-h // self.lag)
        padded = np.zeros((n, n_blocks * self.lag, *rest))
        padded[:, :h] = differences
        blocks = padded.reshape(n, n_blocks, self.lag, *rest).cumsum(axis=1)
        blocks += recent[:, None, 1:, :, None]
        return blocks.reshape(n, -1, *rest)[:, :h]


def _slide(rows: np.ndarray, h: int) -> np.ndarray:
    """All runs (n, h, C) of h successive rows (n + h - 1, C)."""
    runs = np.lib.stride_tricks.sliding_window_view(rows, h, axis=0)
    return runs.transpose(0, 2, 1)


def fit_encoding(
    values: list[np.ndarray],
    exog: list[np.ndarray] | None,
    *,
    scaling: bool,
    **settings: Any,
) -> SeriesEncoding:
    """Learn the fill values, means and scales of series (T_i, C).

    ``settings`` are the fields of SeriesEncoding from ``window`` to ``quantiles``.
    """
    steps = np.concatenate(values)
    if np.isnan(steps).all(axis=0).any():
        channel = int(np.isnan(steps).all(axis=0).argmax())
        raise ValueError(
            f"channel {channel} of X has no value that is not NaN. Leave it out."
        )
    fill = np.asarray(np.nanmean(steps, axis=0, dtype=np.float64))
    encoding = SeriesEncoding(
        **settings,
        fill=fill,
        mean=np.zeros(len(fill)),
        scale=np.ones(len(fill)),
        exog_mean=None,
        exog_scale=None,
        tells_missing=bool(np.isnan(steps).any()),
    )
    if scaling:
        observed = [
            encoding.standardize(fill_forward(v, fill))[
                ~np.isnan(v[encoding.lag :]).all(axis=1)
            ]
            for v in values
        ]
        mean, scale = measure_scale(np.concatenate(observed))
        encoding = replace(encoding, mean=mean, scale=scale)
    if exog is not None:
        mean, scale = measure_scale(np.concatenate(exog))
        encoding = replace(encoding, exog_mean=mean, exog_scale=scale)
    return encoding


def measure_scale(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations of columns; 1 for a column that does not vary."""
    values = values.astype(np.float64)
    mean, scale = values.mean(axis=0), values.std(axis=0)
    return mean, np.where(scale > 1e-12 * np.abs(mean), scale, 1.0)


def fill_forward(values: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Values (T, C) with gaps filled by the value before; the first by ``first``."""
    missing = np.isnan(values)
    if not missing.any():
        return values
    last = np.where(missing, -1, np.arange(len(values))[:, None])
    last = np.maximum.accumulate(last, axis=0)
    return np.where(last < 0, first, np.take_along_axis(values, last, axis=0))


def take_median(forecasts: np.ndarray) -> np.ndarray:
    """The median (...) of forecasts (..., Q), which is a point forecast itself."""
    return forecasts[..., forecasts.shape[-1] // 2]
