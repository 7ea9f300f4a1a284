"""Search for the periods that may be seasons of series."""

from typing import Any

import numpy as np

LONGEST_SEASON = 400  # longest period, in steps, that autocorrelations are searched for
STRONG = 0.3  # minimum autocorrelation of a season found in this way
LASTING = 0.6  # minimum autocorrelation at twice the period, as a share of the first
ROUNDING = 1e-10  # smaller residuals of a line, as a share of the values, are rounding

DAY = 24 * 3600
YEARLY = {"W": 52, "SM": 24, "SMS": 24, "M": 12, "ME": 12, "MS": 12}
YEARLY |= {"Q": 4, "QE": 4, "QS": 4, "BQE": 4, "BQS": 4, "BME": 12, "BMS": 12}


def find_seasons(values: list[np.ndarray], step: Any) -> tuple[int, ...]:
    """Find the periods, in steps, that series (T_i, C) may have, in increasing order.

    ``step`` is the time step of their index. If it is a date offset, the periods are a
    day, a week and a year. Otherwise the period is the lag at which the values, without
    their linear trend, have the strongest autocorrelation.
    """
    longest = max(len(v) for v in values)
    periods = periods_of(step)
    if periods is not None:
        return tuple(m for m in periods if longest >= 2 * m + 2)
    return _search([x for v in values for x in _detrend(v)])


def periods_of(step: Any) -> tuple[int, ...] | None:
    """Return the periods that belong to a date offset; None for anything else."""
    import pandas as pd

    if not isinstance(step, pd.tseries.offsets.BaseOffset | pd.Timedelta):
        return None
    name, n = getattr(step, "rule_code", "").split("-")[0], getattr(step, "n", 1)
    if name in ("B", "C"):
        return (5,) if n == 1 else ()
    if name in YEARLY:
        period = YEARLY[name] // n
        return (period,) if period > 1 and YEARLY[name] % n == 0 else ()
    try:
        seconds = pd.Timedelta(step).total_seconds()
    except ValueError:  # an offset without a fixed length, such as a year
        return ()
    if seconds == 7 * DAY:
        return (YEARLY["W"],)
    periods = (DAY / seconds, 7 * DAY / seconds, 365 * DAY / seconds)
    longest = 365 if seconds >= DAY else 7 * DAY / 300
    return tuple(int(m) for m in periods if 2 <= m <= longest and m == int(m))


def _detrend(v: np.ndarray) -> list[np.ndarray]:
    """Remove the linear trend of each channel of (T, C).

    The residuals are scaled to a largest absolute value of 1. Channels that are a
    straight line are left out.
    """
    residuals = []
    for x in v.T:
        known = np.flatnonzero(~np.isnan(x))
        if len(known) > 2:
            rest = np.full(len(x), np.nan)
            line = np.polynomial.Polynomial.fit(known, x[known], 1)
            rest[known] = x[known] - line(known)
            size = np.abs(rest[known]).max()
            if size > ROUNDING * np.abs(x[known]).max():
                residuals.append(rest / size)
    return residuals


def _search(series: list[np.ndarray]) -> tuple[int, ...]:
    """Return the period with the strongest autocorrelation, if it is a season.

    It is one if the autocorrelation is strong, also at twice the period.
    """
    longest = min(max(map(len, series), default=0) // 3, LONGEST_SEASON)
    usable = [x for x in series if len(x) >= 3 * longest]
    if longest < 3 or not usable:
        return ()
    lags = np.arange(1, 2 * longest + 1)
    r = np.mean([_correlate(x, lags) for x in usable], axis=0)
    peaks = np.flatnonzero((r[1:-1] > r[:-2]) & (r[1:-1] >= r[2:])) + 2  # as lags
    peaks = peaks[(peaks <= longest) & (r[peaks - 1] >= STRONG)]
    if not len(peaks):
        return ()
    m = int(peaks[r[peaks - 1] >= 0.8 * r[peaks - 1].max()][0])
    return (m,) if r[2 * m - 1] >= LASTING * r[m - 1] else ()


def _correlate(x: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """Compute autocorrelations of x, whose mean is 0, from the pairs without NaN."""
    known = (~np.isnan(x)).astype(float)
    x, n = np.nan_to_num(x), len(x)
    products = np.array([x[lag:] @ x[: n - lag] for lag in lags])
    pairs = np.array([known[lag:] @ known[: n - lag] for lag in lags])
    return products / np.maximum(pairs, 1) / (x @ x / known.sum())
