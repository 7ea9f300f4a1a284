"""How good forecasts are, beside simpler ones, on steps held out of training."""

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
    """Forecasts had larger errors than simpler ones on steps held out of training."""


# ---------------------------------------------------------------- the baseline


def set_shrinkage(network: SeriesNetwork, shrinkage: float) -> SeriesNetwork:
    """The same network, whose corrections of a baseline, if any, are shrunk."""
    encoding = network.encoding
    if encoding.baseline.shrinkage is None:
        return network
    baseline = replace(encoding.baseline, shrinkage=shrinkage)
    return replace(network, encoding=replace(encoding, baseline=baseline))


def measure_shrinkage(
    network: SeriesNetwork, values: Arrays, exog: Arrays | None, held_out: HeldOut
) -> float:
    """The factor in [0, 1] of the corrections with the smallest squared error.

    It is found by least squares, separately for the earlier and the later half of what
    is ``held_out``, and the smaller of the two counts: neighbouring steps err together,
    so that a correction may fit one time by chance. Without a baseline it is 1.
    """
    if network.encoding.baseline.shrinkage is None:
        return 1.0
    network = set_shrinkage(network, 1.0)
    taken = [values[i] for i in held_out.series]
    their_exog = None if exog is None else [exog[i] for i in held_out.series]
    products = np.zeros((2, 2))  # of corrections with errors and with themselves
    for places, group, group_exog in group_by_length(taken, their_exog):
        first = int(held_out.first_steps[places[0]]) - 1
        products += _multiply_corrections(network, group, group_exog, first)
    with_errors, with_themselves = products.T
    if not with_themselves.all():
        return 0.0
    return float(np.clip(with_errors / with_themselves, 0, 1).min())


def _multiply_corrections(network, values, exog, first):
    """Sums (2 halves, 2) of products over the origins from ``first`` on."""
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
        found = np.stack([forecasts, truth[:, t + 1 : t + 1 + h]])
        found = np.log(np.maximum(found, TINY)) if reference.logarithm else found
        with np.errstate(divide="ignore", invalid="ignore"):
            corrections, errors = (found - baseline) / scale[:, None]
        known = np.isfinite(errors) & np.isfinite(corrections)
        c, e = corrections[known], errors[known]
        products[int(2 * (t - first) >= stop - first)] += c @ e, c @ c
    return products


# ---------------------------------------------------------------- the naive forecast


def compare_with_naive(
    errors: np.ndarray, values: np.ndarray, origins: np.ndarray, season: int
) -> float:
    """Mean absolute error (origins, leads, C) over that of the seasonal naive forecast.

    NaN if the latter is 0 or unknown.
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
    """1 minus the geometric mean of the known ratios; None if there is none."""
    ratios = ratios[np.isfinite(ratios)]
    if not len(ratios):
        return None
    return 1 - float(np.exp(np.log(np.maximum(ratios, TINY)).mean()))


def warn_of_negative_skill(skill: float | None, season: int) -> None:
    """Warn if the seasonal naive forecast was better on the steps held out."""
    if skill is not None and skill < 0:
        warn_user(
            f"the seasonal naive forecast (season={season}) had a smaller error on the "
            f"steps held out for calibration (skill_={skill:.2g}). Check season and "
            "window, give a longer series or exogenous variables, or use "
            "SeasonalNaiveForecaster.",
            ForecastSkillWarning,
        )
