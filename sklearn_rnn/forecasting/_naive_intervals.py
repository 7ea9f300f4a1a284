"""Conformal intervals of the seasonal naive forecast.

They rest on all errors in the series given to fit: nothing was learned from these.
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

CALIBRATED_LEADS = 400  # errors are measured so many steps ahead, or as asked for


def calibrate_naive(
    values: list[np.ndarray], season: int, horizon: int
) -> ConformalIntervals:
    """Intervals from the errors of seasonal naive forecasts in series (T_i, C)."""
    longest = max(map(len, values))
    if longest == season:
        reason = (
            f"the series given to fit hold no errors of forecasts: they have {longest} "
            f"steps, and season={season}. Fit longer series."
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
    """Sizes of the errors after n pasts of series that need not be those of fit.

    They rest on the errors of the past, and on its scale (n, C) if these are few.
    Pasts have the sizes of fit if there was a single series.
    """
    if len(calibration.own.rows) == 1:
        return calibration.own.take(np.zeros(len(pasts), dtype=int))
    levels = pasts.levels / calibration.law[:season].mean(axis=0)
    return calibration.estimate(levels, pasts.error_counts, scales)
