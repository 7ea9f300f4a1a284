"""Conformal intervals of the seasonal naive forecast.

All errors in the series given to ``fit`` calibrate them, because the forecasts
themselves are not learned from these series.
"""

import numpy as np

from sklearn_rnn.forecasting._calibration import choose_stride
from sklearn_rnn.forecasting._error_sizes import (
    CalibrationErrors,
    ErrorSizes,
    learn_sizes,
    measure_scales,
)
from sklearn_rnn.forecasting._intervals import ConformalIntervals
from sklearn_rnn.forecasting._naive import SeasonalPasts, compute_naive_errors

CALIBRATED_LEADS = 400  # errors are measured at least this many steps ahead


def calibrate_naive(
    values: list[np.ndarray], season: int, horizon: int
) -> ConformalIntervals:
    """Compute intervals from errors of seasonal naive forecasts of series (T_i, C)."""
    longest = max(map(len, values))
    if longest == season:
        reason = (
            "the series given to fit are too short to measure errors of forecasts: "
            f"they have {longest} steps, and season={season}. Fit longer series."
        )
        return ConformalIntervals(None, reason)
    n_leads = min(longest - season, max(horizon, CALIBRATED_LEADS))
    n_origins = sum(len(v) - season for v in values)
    stride = choose_stride(n_origins * n_leads * values[0].shape[1])
    errors = [compute_naive_errors(v, season, n_leads, stride) for v in values]
    owners = np.repeat(np.arange(len(values)), [len(part) for part in errors])
    scales = measure_scales(values)
    return ConformalIntervals(
        learn_sizes(np.concatenate(errors), owners, scales, stride)
    )


def estimate_naive_sizes(
    calibration: CalibrationErrors,
    pasts: SeasonalPasts,
    scales: np.ndarray,
    season: int,
) -> ErrorSizes:
    """Estimate the sizes of errors after n pasts, of series in fit or of others.

    The estimates use the errors within each past, and its scale (n, C) if these are
    few. If ``fit`` had a single series, its sizes are used for any past.
    """
    if len(calibration.own.rows) == 1:
        return calibration.own.take(np.zeros(len(pasts), dtype=int))
    levels = pasts.levels / calibration.law[:season].mean(axis=0)
    return calibration.estimate(levels, pasts.error_counts, scales)
