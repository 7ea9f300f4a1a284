"""Choice of the baseline, the forecast that the network's outputs are relative to."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from sklearn_rnn._core.scalars import is_integer
from sklearn_rnn._core.sklearn_private import InvalidParameterError
from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn.forecasting._encoding import Baseline, SeriesEncoding, fit_encoding
from sklearn_rnn.forecasting._seasons import find_seasons
from sklearn_rnn.forecasting._theta import ThetaBaseline
from sklearn_rnn.forecasting._values import StandardizedValues, fit_values

# The choice is made on at most this many series, and on their last steps.
SERIES_JUDGED = 100
STEPS_JUDGED = 1000

SMALLEST_VALUE = 0.01  # minimum for logarithms, as a share of the mean of a series
SMALLEST_RATIO = 1e-9  # of errors, which may be 0
LOG_TOLERANCE = 1.02  # ratio of errors up to which logarithms are preferred


def fit_baseline(estimator: Any, values: list[np.ndarray], step: Any) -> Baseline:
    """Fit the baseline that a forecaster's parameters select to series (T_i, C).

    ``step`` is the time step of the index of the series, or None.
    """
    _check_channels(values)
    scaling = estimator.scaling
    if scaling == "auto":
        scaling = "series" if len(values) > 1 else "global"
    plain = fit_values(
        values,
        horizon=estimator.horizon,
        lag=estimator.differencing or 0,
        residual=estimator.residual,
        scaling={True: "global", False: None}.get(scaling, scaling),
    )
    of_mean = replace(plain, shrinkage=1.0)
    if not _wants_theta(estimator):
        return of_mean if estimator.baseline == "mean" else plain
    seasons, given = estimator.season, not is_auto(estimator.season)
    seasons = _check_seasons(seasons) if given else find_seasons(values, step)
    _warn_of_long_seasons(seasons, values)
    theta, error = _choose_theta(
        values, estimator.horizon, seasons, given, estimator.transform
    )
    if estimator.baseline == "theta" or (given and seasons):
        return theta
    # compare with the mean of the steps so far: the Theta method uses no others either
    running_mean = replace(plain, mean=None, scale=None)
    error_of_mean = measure_error(running_mean, _select(values), seasons)
    return of_mean if error_of_mean < error else theta


def find_season(season: Any, values: list[np.ndarray], step: Any) -> int:
    """Find the shortest season that series may have, in steps; 1 without any."""
    return (*(find_seasons(values, step) if is_auto(season) else ()), 1)[0]


def refit_encoding(
    encoding: SeriesEncoding, values: list[np.ndarray], exog: list[np.ndarray] | None
) -> SeriesEncoding:
    """Fit the means and scales of an encoding to other series."""
    baseline = encoding.baseline
    if isinstance(baseline, StandardizedValues):
        baseline = fit_values(
            values,
            horizon=baseline.horizon,
            lag=baseline.lag,
            residual=baseline.residual,
            scaling=baseline.scaling,
            shrinkage=baseline.shrinkage,
        )
    refitted = fit_encoding(
        values,
        exog,
        baseline,
        window=encoding.window,
        last_only=encoding.last_only,
        quantiles=encoding.quantiles,
        bounds=encoding.bounds,
        found_season=encoding.found_season,
    )
    return replace(refitted, tells_missing=encoding.tells_missing)


def describe_baseline(encoding: SeriesEncoding) -> dict[str, Any]:
    """Return the fitted attributes of a forecaster that describe the baseline."""
    theta, shrinkage = encoding.theta, encoding.baseline.shrinkage
    if theta is None:
        return {
            "baseline_": None if shrinkage is None else "mean",
            "seasons_": (),
            "transform_": None,
            "shrinkage_": shrinkage,
        }
    return {
        "baseline_": "theta",
        "seasons_": theta.seasons,
        "transform_": "log" if theta.logarithm else None,
        "shrinkage_": theta.shrinkage,
    }


def _wants_theta(estimator: Any) -> bool:
    """Return whether to use the Theta method; check that parameters do not conflict."""
    plain = {
        "differencing": estimator.differencing not in (None, 0),
        "residual": bool(estimator.residual),
        "scaling": not is_auto(estimator.scaling),
    }
    of_theta = {
        "baseline": estimator.baseline == "theta",
        "season": not is_auto(estimator.season) and estimator.season is not None,
        "transform": estimator.transform == "log",
    }
    excluded = [name for name, is_set in plain.items() if is_set]
    if estimator.baseline in (None, "mean"):
        excluded.insert(0, "baseline")
    wanted = [name for name, is_set in of_theta.items() if is_set]
    if estimator.baseline == "mean" and (plain["differencing"] or plain["residual"]):
        raise ValueError(
            'baseline="mean" cannot be combined with differencing or residual. Set '
            "baseline=None."
        )
    if estimator.baseline == "mean" and estimator.scaling in (None, False):
        raise ValueError(
            'baseline="mean" needs the mean of the series, which is not computed with '
            f'scaling={estimator.scaling}. Set scaling="global" or "series", or '
            "baseline=None."
        )
    if excluded and wanted:
        first, second = wanted[0], excluded[0]
        raise ValueError(
            f"{first}={getattr(estimator, first)!r} is a setting of the Theta method, "
            f"which is not used with {second}={getattr(estimator, second)!r}. Leave "
            "one of the two parameters at its default."
        )
    return not excluded


def is_auto(value: Any) -> bool:
    """Return whether a parameter is "auto"."""
    return isinstance(value, str) and value == "auto"


def _check_seasons(season: Any) -> tuple[int, ...]:
    """Check periods given as None, a number or a tuple of numbers, and sort them."""
    periods = () if season is None else np.ravel(season).tolist()
    if any(not is_integer(m) or m < 2 for m in periods) or len(set(periods)) < len(
        periods
    ):
        raise InvalidParameterError(
            "season must be 'auto', None, an integer >= 2, or a tuple of different "
            f"integers >= 2, got {season!r}."
        )
    return tuple(sorted(periods))


def _warn_of_long_seasons(seasons: tuple[int, ...], values: list[np.ndarray]) -> None:
    """Warn if no series (T_i, C) is long enough to estimate a given season."""
    longest = max(map(len, values))
    unknown = [m for m in seasons if longest < 2 * m]
    if unknown:
        warn_user(
            f"a season of {unknown[0]} steps can be estimated after two periods, but "
            f"the longest series of X has {longest} steps. Forecasts do not use this "
            "season until they have read enough steps. Check season, or pass longer "
            "series."
        )


def _choose_theta(
    values: list[np.ndarray],
    horizon: int,
    seasons: tuple[int, ...],
    given: bool,
    transform: str | None,
) -> tuple[ThetaBaseline, float]:
    """Choose the seasons and transform with the smallest error; return that error."""
    sample = _select(values)
    options = [seasons] if given else _list_options(seasons)
    candidates = [
        (measure_error(candidate, sample, seasons) * handicap, candidate)
        for periods in options
        for candidate, handicap in _list_thetas(values, horizon, periods, transform)
    ]
    error, theta = min(candidates, key=lambda pair: pair[0])
    return theta, error


def _list_options(seasons: tuple[int, ...]) -> list[tuple[int, ...]]:
    """List no season, each single season and all seasons.

    The order makes ``min`` prefer fewer seasons if errors are equal.
    """
    return list(dict.fromkeys([(), *((m,) for m in seasons), seasons]))


def _check_channels(values: list[np.ndarray]) -> None:
    missing = np.all([np.isnan(v).all(axis=0) for v in values], axis=0)
    if missing.any():
        raise ValueError(
            f"channel {missing.argmax()} of X has only missing values (NaN). Leave "
            "this channel out."
        )


def _list_thetas(
    values: list[np.ndarray], horizon: int, seasons: tuple[int, ...], transform
) -> Iterator[tuple[ThetaBaseline, float]]:
    """Yield the Theta method of values and of logarithms, with factors of errors."""
    if transform != "log":
        fill = np.nanmean(np.concatenate(values), axis=0)
        yield ThetaBaseline(horizon, seasons, False, fill), 1.0
    if transform == "log":
        _check_positive(values)
    if transform == "log" or (transform == "auto" and _are_positive(values)):
        fill = np.nanmean(np.log(np.concatenate(values)), axis=0)
        yield ThetaBaseline(horizon, seasons, True, fill), 1 / LOG_TOLERANCE


def _check_positive(values: list[np.ndarray]) -> None:
    for i, v in enumerate(values):
        if (v <= 0).any():
            step = int((v <= 0).any(axis=1).argmax())
            raise ValueError(
                f'transform="log" needs positive values, but series {i} of X contains '
                f"{np.nanmin(v[step]):g} at step {step}. Set transform=None."
            )


def _are_positive(values: list[np.ndarray]) -> bool:
    """Return whether all values are clearly above 0."""
    return all(
        (np.nanmin(x) > SMALLEST_VALUE * np.nanmean(x) and np.nanmin(x) > 0)
        for v in values
        for x in v.T
        if not np.isnan(x).all()
    )


def _select(values: list[np.ndarray]) -> list[np.ndarray]:
    """Select a sample of the series, and their last steps."""
    places = np.linspace(0, len(values) - 1, min(len(values), SERIES_JUDGED))
    return [values[int(i)][-STEPS_JUDGED:] for i in places]


def measure_error(
    baseline: Baseline, values: list[np.ndarray], seasons: tuple[int, ...] = ()
) -> float:
    """Measure the error of baseline forecasts in the second half of the series.

    If two periods of the longest of ``seasons`` are longer than half of a series,
    errors are measured after these two periods, or after three quarters of the series
    if this is earlier. The mean absolute error of each series over all leads is divided
    by the mean absolute difference of its successive values. The geometric mean of
    these ratios is returned.
    """
    T, C = max(len(v) for v in values), values[0].shape[1]
    padded = np.full((len(values), T + baseline.horizon, C), np.nan)
    for row, v in zip(padded, values, strict=True):
        row[: len(v)] = v
    state = {
        name: np.repeat(a, len(values), axis=0) for name, a in baseline.begin().items()
    }
    no_corrections = np.zeros((len(values), baseline.horizon, C, 1))
    total, number = np.zeros((2, len(values), C))
    two_seasons = 2 * max(seasons, default=0)
    first = np.array(
        [max(len(v) // 2, min(two_seasons, 3 * len(v) // 4)) for v in values]
    )
    for t in range(T - 1):
        state, _ = baseline.advance(state, padded[:, t])
        truth = padded[:, t + 1 : t + 1 + baseline.horizon]
        errors = np.abs(baseline.decode(state, no_corrections)[..., 0] - truth)
        errors[t < first] = np.nan
        total += np.nansum(errors, axis=1)
        number += (~np.isnan(errors)).sum(axis=1)
    steps = [np.abs(np.diff(v, axis=0)) for v in values]
    unit = np.array([_nanmean(s) for s in steps])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = total / number / unit
    finite = np.isfinite(ratios)
    logs = np.log(np.maximum(ratios[finite], SMALLEST_RATIO))
    return float(np.exp(logs.mean())) if finite.any() else np.inf


def _nanmean(steps: np.ndarray) -> np.ndarray:
    """Return means (C,) of (T, C), NaN without a warning where all are missing."""
    known = ~np.isnan(steps)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(known, steps, 0).sum(axis=0) / known.sum(axis=0)
