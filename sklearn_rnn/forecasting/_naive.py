"""The seasonal naive forecast: the last known value of the same season.

Shapes: T steps, C channels, n pasts, each of which ends at an origin.
"""

from dataclasses import dataclass

import numpy as np

from sklearn_rnn.forecasting._values import UNKNOWN, fill_forward, fill_from_season


@dataclass(frozen=True)
class SeasonalPasts:
    """What the seasonal naive forecast needs to know of n pasts."""

    seasons: np.ndarray  # (n, season, C), the last known value of each season; or NaN
    latest: np.ndarray  # (n, C), the last known value; or NaN
    error_sums: np.ndarray  # (n, C) of absolute errors of the forecasts before
    error_counts: np.ndarray  # (n, C)

    def __len__(self) -> int:
        return len(self.latest)

    def take(self, rows: np.ndarray) -> "SeasonalPasts":
        """Some of the pasts."""
        return SeasonalPasts(*(array[rows] for array in vars(self).values()))

    def forecast(self, horizon: int) -> np.ndarray:
        """Forecasts (n, horizon, C); NaN for a channel without any known value."""
        season = self.seasons.shape[1]
        forecasts = self.seasons[:, np.arange(horizon) % season]
        return np.where(np.isnan(forecasts), self.latest[:, None], forecasts)

    @property
    def levels(self) -> np.ndarray:
        """Mean absolute error of the forecasts before, (n, C); NaN without any."""
        counts = np.where(self.error_counts, self.error_counts, np.nan)
        return self.error_sums / counts


def read_pasts(
    values: np.ndarray,
    season: int,
    n_known: np.ndarray,
    before: SeasonalPasts | None = None,
) -> SeasonalPasts:
    """The pasts that end after the first ``n_known`` steps (n,) of values (T, C).

    The values follow the single past ``before``.
    """
    T, C = values.shape
    if before is None:
        nothing = np.full((1, C), np.nan)
        zero = np.zeros((1, C))
        before = SeasonalPasts(np.full((1, season, C), np.nan), nothing, zero, zero)
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
    """All pasts of several parts."""
    arrays = zip(*(vars(part).values() for part in parts), strict=True)
    return SeasonalPasts(*map(np.concatenate, arrays))


def forecast_seasonal_naive(
    values: np.ndarray, season: int, horizon: int, origins: np.ndarray
) -> np.ndarray:
    """Seasonal naive forecasts (n, horizon, C) of the steps after ``origins`` (n,).

    An origin is the last known step of values (T, C). A missing value (NaN) is replaced
    by the last known one of the same season. If there is none, the forecast is the last
    known value, and NaN before any value is known.
    """
    return read_pasts(values, season, np.asarray(origins) + 1).forecast(horizon)


def compute_naive_errors(
    values: np.ndarray, season: int, horizon: int, stride: int = 1
) -> np.ndarray:
    """Truth minus forecast from rolling origins in values (T, C): (n, horizon, C).

    Origins are the steps from the end of the first season to the last but one, each
    ``stride`` after the one before. Errors after the last step are NaN.
    """
    T = len(values)
    origins = np.arange(season - 1, T - 1, stride)
    places = origins[:, None] + np.arange(1, horizon + 1)
    truth = np.where(places[..., None] < T, values[np.minimum(places, T - 1)], np.nan)
    return truth - forecast_seasonal_naive(values, season, horizon, origins)
