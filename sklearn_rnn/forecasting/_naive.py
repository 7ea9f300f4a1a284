"""The seasonal naive forecast: the last observed value of the same season.

"Season" means both the period, in steps, and one of the positions within it. Shapes: T
steps, C channels, n pasts, each of which ends at an origin.
"""

from dataclasses import dataclass

import numpy as np

from sklearn_rnn.forecasting._values import UNKNOWN, fill_forward, fill_from_season


@dataclass(frozen=True)
class SeasonalPasts:
    """Summary of n pasts that the seasonal naive forecast is made from."""

    seasons: np.ndarray  # (n, season, C), last observed value of each season; or NaN
    latest: np.ndarray  # (n, C), the last observed value; or NaN
    error_sums: np.ndarray  # (n, C) of absolute errors of the forecasts in each past
    error_counts: np.ndarray  # (n, C)

    def __len__(self) -> int:
        return len(self.latest)

    def take(self, rows: np.ndarray) -> "SeasonalPasts":
        """Return some of the pasts."""
        return SeasonalPasts(*(array[rows] for array in vars(self).values()))

    def forecast(self, horizon: int) -> np.ndarray:
        """Forecast (n, horizon, C); NaN for a channel without any observed value."""
        season = self.seasons.shape[1]
        forecasts = self.seasons[:, np.arange(horizon) % season]
        return np.where(np.isnan(forecasts), self.latest[:, None], forecasts)

    @property
    def levels(self) -> np.ndarray:
        """Mean absolute error of forecasts in each past, (n, C); NaN without any."""
        counts = np.where(self.error_counts, self.error_counts, np.nan)
        return self.error_sums / counts


def read_pasts(
    values: np.ndarray,
    season: int,
    n_known: np.ndarray,
    before: SeasonalPasts | None = None,
) -> SeasonalPasts:
    """Summarize the first ``n_known`` steps (n,) of values (T, C).

    The values follow the single past ``before``, if given.
    """
    T, C = values.shape
    if before is None:
        no_values = np.full((1, C), np.nan)
        zero = np.zeros((1, C))
        before = SeasonalPasts(np.full((1, season, C), np.nan), no_values, zero, zero)
    filled = fill_from_season(np.concatenate([before.seasons[0], values]), season)
    latest = fill_forward(np.concatenate([before.latest, values]), UNKNOWN)
    errors = np.abs(values - filled[:T])  # filled begins one season before values
    known = ~np.isnan(errors)
    sums = np.cumsum(np.where(known, errors, 0.0), axis=0)
    sums, counts = (
        np.concatenate([start, start + total])
        for start, total in (
            (before.error_sums, sums),
            (before.error_counts, np.cumsum(known, axis=0)),
        )
    )
    places = n_known[:, None] + np.arange(season)
    return SeasonalPasts(
        filled[places], latest[n_known], sums[n_known], counts[n_known]
    )


def concatenate_pasts(parts: list[SeasonalPasts]) -> SeasonalPasts:
    """Concatenate pasts."""
    arrays = zip(*(vars(part).values() for part in parts), strict=True)
    return SeasonalPasts(*map(np.concatenate, arrays))


def forecast_seasonal_naive(
    values: np.ndarray, season: int, horizon: int, origins: np.ndarray
) -> np.ndarray:
    """Make seasonal naive forecasts (n, horizon, C) of steps after ``origins`` (n,).

    An origin is the last step of values (T, C) that the forecast uses. A missing value
    (NaN) is replaced by the last observed value of the same season, or else by the last
    observed value. The forecast is NaN before the first observed value.
    """
    return read_pasts(values, season, np.asarray(origins) + 1).forecast(horizon)


def compute_naive_errors(
    values: np.ndarray, season: int, horizon: int, stride: int = 1
) -> np.ndarray:
    """Compute truth minus forecast, (n, horizon, C), from origins in values (T, C).

    Every ``stride``-th step from the end of the first season to the second-to-last step
    is an origin. Errors after the last step are NaN.
    """
    T = len(values)
    origins = np.arange(season - 1, T - 1, stride)
    places = origins[:, None] + np.arange(1, horizon + 1)
    truth = np.where(places[..., None] < T, values[np.minimum(places, T - 1)], np.nan)
    return truth - forecast_seasonal_naive(values, season, horizon, origins)
