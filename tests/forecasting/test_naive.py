"""Seasonal naive forecasts, against a loop over steps."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_rnn.forecasting._naive import (
    compute_naive_errors,
    concatenate_pasts,
    fill_from_season,
    forecast_seasonal_naive,
    read_pasts,
)

RNG = np.random.default_rng(0)
VALUES = RNG.normal(size=(23, 2))
GAPS = np.where(RNG.uniform(size=(40, 2)) < 0.3, np.nan, RNG.normal(size=(40, 2)))


def forecast_by_hand(past, season, lead):
    """Forecast one channel: the last observed value of the season of the step ahead."""
    step = len(past) - 1 + lead
    same_season = [past[t] for t in range(len(past)) if (step - t) % season == 0]
    known = [x for x in same_season if not np.isnan(x)]
    if not known:
        known = [x for x in past if not np.isnan(x)]
    return known[-1] if known else np.nan


@pytest.mark.parametrize("season", [1, 4, 7])
@pytest.mark.parametrize("values", [VALUES, GAPS], ids=["known", "gaps"])
def test_forecasts_equal_a_loop(values, season):
    origins = np.array([season - 1, 11, len(values) - 1])
    forecasts = forecast_seasonal_naive(values, season, 9, origins)
    assert forecasts.shape == (3, 9, 2)
    for o, origin in enumerate(origins):
        for lead in range(1, 10):
            for c in range(2):
                expected = forecast_by_hand(values[: origin + 1, c], season, lead)
                assert_array_equal(forecasts[o, lead - 1, c], expected)


def test_a_season_without_values_is_forecast_by_the_last_value():
    values = np.array([[1.0], [np.nan], [3.0], [np.nan]])
    forecasts = forecast_seasonal_naive(values, 2, 4, np.array([3]))
    assert_array_equal(forecasts[0, :, 0], [3, 3, 3, 3])
    nothing = forecast_seasonal_naive(np.full((3, 1), np.nan), 2, 2, np.array([2]))
    assert np.isnan(nothing).all()


def test_gaps_are_filled_from_the_season_before():
    values = np.array([[1.0], [2], [3], [np.nan], [5], [np.nan], [np.nan]])
    assert_array_equal(fill_from_season(values, 3)[:, 0], [1, 2, 3, 1, 5, 3, 1])


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_reading_in_two_parts_equals_reading_at_once(cut):
    whole = read_pasts(GAPS, 4, np.array([40]))
    before = read_pasts(GAPS[:cut], 4, np.array([cut]))
    after = read_pasts(GAPS[cut:], 4, np.array([40 - cut]), before)
    for name, array in vars(whole).items():
        assert_allclose(vars(after)[name], array, rtol=1e-12)


def test_levels_are_mean_absolute_seasonal_differences():
    pasts = read_pasts(VALUES, 4, np.array([3, 4, 10, 23]))
    assert np.isnan(pasts.levels[:2]).all()
    for row, n_known in ((2, 10), (3, 23)):
        changes = np.abs(VALUES[4:n_known] - VALUES[: n_known - 4])
        assert_allclose(pasts.levels[row], changes.mean(axis=0))


def test_errors_of_rolling_origins():
    errors = compute_naive_errors(VALUES, 4, 6)
    assert errors.shape == (23 - 4, 6, 2)
    for o, origin in enumerate(range(3, 22)):
        truth = VALUES[origin + 1 : origin + 7]
        forecasts = forecast_seasonal_naive(VALUES, 4, 6, np.array([origin]))[0]
        assert_array_equal(errors[o, : len(truth)], truth - forecasts[: len(truth)])
        assert np.isnan(errors[o, len(truth) :]).all()


def test_pasts_are_taken_and_concatenated():
    pasts = read_pasts(VALUES, 4, np.array([8, 9, 20]))
    again = concatenate_pasts([pasts.take(np.array([k])) for k in range(3)])
    for name, array in vars(pasts).items():
        assert_array_equal(vars(again)[name], array)
    assert len(again) == 3
