"""Forecasts compared with simpler ones, on steps held out of training."""

from dataclasses import replace

import numpy as np

from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn.forecasting._encoding import take_median
from sklearn_rnn.forecasting._naive import forecast_seasonal_naive
from sklearn_rnn.forecasting._rollout import SeriesNetwork, group_by_length, take_ahead
from sklearn_rnn.forecasting._theta import TINY
from sklearn_rnn.forecasting._windows import HeldOut

Arrays = list[np.ndarray]  # one per series


class ForecastSkillWarning(UserWarning):
    """Warning that a simpler forecast had smaller errors on the held-out steps."""


# ---------------------------------------------------------------- the baseline


def set_shrinkage(network: SeriesNetwork, shrinkage: float) -> SeriesNetwork:
    """Return the network with another shrinkage of its corrections, if it has any."""
    encoding = network.encoding
    if encoding.baseline.shrinkage is None:
        return network
    baseline = replace(encoding.baseline, shrinkage=shrinkage)
    return replace(network, encoding=replace(encoding, baseline=baseline))


def measure_shrinkage(
    network: SeriesNetwork, values: Arrays, exog: Arrays | None, held_out: HeldOut
) -> float:
    """Measure the factor in [0, 1] of the corrections that minimizes squared errors.

    Least squares yields one factor for the earlier half of the steps ``held_out`` and
    one for the later half, and the smaller one is returned: errors of neighboring steps
    are correlated, so corrections may fit one half by chance. Without a baseline the
    factor is 1.
    """
    if network.encoding.baseline.shrinkage is None:
        return 1.0
    network = set_shrinkage(network, 1.0)
    held_values = [values[i] for i in held_out.series]
    held_exog = None if exog is None else [exog[i] for i in held_out.series]
    products = np.zeros((2, 2))  # per half: corrections times errors, and squared
    for places, group, group_exog in group_by_length(held_values, held_exog):
        first = int(held_out.first_steps[places[0]]) - 1
        products += _multiply_corrections(network, group, group_exog, first)
    cross_products, squares = products.T
    if not squares.all():
        return 0.0
    return float(np.clip(cross_products / squares, 0, 1).min())


def _multiply_corrections(network, values, exog, first):
    """Sum the products of corrections over the origins from ``first`` on.

    Returns an array (2 halves, 2): corrections times errors, and corrections squared.
    """
    stepper, h = network.new_stepper(len(values)), network.encoding.horizon
    reference = network.encoding.baseline
    T = values.shape[1]
    truth = np.pad(values, [(0, 0), (0, h), (0, 0)], constant_values=np.nan)
    stop = T - 1 if exog is None else T - h
    products = np.zeros((2, 2))
    for t in range(stop):
        forecasts = take_median(stepper.feed(values[:, t], take_ahead(exog, t, h)))
        if t < first:
            continue
        baseline, scale = reference.forecast(stepper.baseline_state)
        pair = np.stack([forecasts, truth[:, t + 1 : t + 1 + h]])
        pair = np.log(np.maximum(pair, TINY)) if reference.logarithm else pair
        with np.errstate(divide="ignore", invalid="ignore"):
            corrections, errors = (pair - baseline) / scale[:, None]
        known = np.isfinite(errors) & np.isfinite(corrections)
        c, e = corrections[known], errors[known]
        products[int(2 * (t - first) >= stop - first)] += c @ e, c @ c
    return products


# ---------------------------------------------------------------- the naive forecast


def compare_with_naive(
    errors: np.ndarray, values: np.ndarray, origins: np.ndarray, season: int
) -> float:
    """Divide the mean absolute error by that of the seasonal naive forecast.

    ``errors`` are (origins, leads, C). The ratio is NaN if the error of the seasonal
    naive forecast is 0 or unknown.
    """
    n_leads, T = errors.shape[1], len(values)
    places = origins[:, None] + np.arange(1, n_leads + 1)
    truth = np.where(places[..., None] < T, values[np.minimum(places, T - 1)], np.nan)
    naive = truth - forecast_seasonal_naive(values, season, n_leads, origins)
    known = np.isfinite(errors) & np.isfinite(naive)
    with np.errstate(divide="ignore", invalid="ignore"):
        total = np.abs(naive[known]).sum()
        return float(np.abs(errors[known]).sum() / total) if total else np.nan


def summarize_skill(ratios: np.ndarray) -> float | None:
    """Return 1 minus the geometric mean of the finite ratios; None without any."""
    ratios = ratios[np.isfinite(ratios)]
    if not len(ratios):
        return None
    return 1 - float(np.exp(np.log(np.maximum(ratios, TINY)).mean()))


def warn_of_negative_skill(skill: float | None, season: int) -> None:
    """Warn if the seasonal naive forecast had smaller errors on the held-out steps."""
    if skill is not None and skill < 0:
        warn_user(
            f"the seasonal naive forecast (season={season}) had a smaller error on the "
            f"steps held out for calibration (skill_={skill:.2g}). Check season and "
            "window, pass a longer series or exogenous variables, or use "
            "SeasonalNaiveForecaster.",
            ForecastSkillWarning,
        )
