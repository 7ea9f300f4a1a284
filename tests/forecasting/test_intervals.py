"""Conformal and quantile intervals, and samples from them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_rnn.forecasting._intervals import (
    ConformalIntervals,
    QuantileIntervals,
    check_quantiles,
    compute_conformal_radii,
    interpolate_quantiles,
)

LEVELS = (0.1, 0.5, 0.9)


@pytest.mark.parametrize(
    "quantiles",
    [(0.1, 0.9), (0.5, 0.1, 0.9), (0, 0.5, 1), (0.1, 0.4, 0.9), (0.1, 0.1, 0.5)],
)
def test_quantiles_rise_around_the_median(quantiles):
    with pytest.raises(ValueError, match=r"with 0.5 in the middle.*, got \("):
        check_quantiles(quantiles, 1, None)


def test_good_quantiles_become_floats():
    assert check_quantiles(np.array(LEVELS), 3, None) == LEVELS
    assert check_quantiles([0.5], 3, 3) == (0.5,)


def test_sums_of_quantiles_are_refused():
    with pytest.raises(ValueError, match=r"no quantile of the sum. Set horizon=2"):
        check_quantiles(LEVELS, 3, 2)


def test_quantiles_are_interpolated():
    quantiles = np.array([[0.0, 4.0, 5.0], [1.0, 1.0, 9.0]])
    wanted = np.array([0.3, 0.9])
    assert_allclose(interpolate_quantiles(quantiles, np.array(LEVELS), wanted), [2, 9])
    wanted = np.array([0.1, 0.7])
    assert_allclose(interpolate_quantiles(quantiles, np.array(LEVELS), wanted), [0, 5])


# ---------------------------------------------------------------- conformal


def test_a_radius_is_the_split_conformal_quantile():
    errors = np.array([3.0, -1, 4, -2, 5, -7, 6, 9, -8])[:, None, None]
    for coverage, rank in ((0.5, 5), (0.8, 8), (0.9, 9), (0.41, 5)):
        assert_array_equal(compute_conformal_radii(errors, coverage), [[rank]])


def test_radii_belong_to_leads_and_channels():
    base = np.arange(1.0, 10)
    errors = np.empty((9, 2, 2))
    for lead in range(2):
        for channel in range(2):
            errors[:, lead, channel] = base * (1 + lead) * 10**channel
    assert_array_equal(compute_conformal_radii(errors, 0.5), [[5, 50], [10, 100]])


def test_a_lead_with_few_errors_is_pooled_with_those_before():
    errors = np.full((9, 3, 1), np.nan)
    errors[:, 0, 0] = np.arange(1, 10)
    errors[:2, 1, 0] = errors[:1, 2, 0] = 100
    radii = compute_conformal_radii(errors, 0.75)
    assert_array_equal(radii[:, 0], [8, 9, 100])


def test_too_few_errors_for_a_coverage_are_refused():
    errors = np.ones((4, 2, 1))
    with pytest.raises(ValueError, match=r"coverage=0.9 needs more than 4 past errors"):
        compute_conformal_radii(errors, 0.9)


def test_conformal_bounds_lie_around_the_forecast():
    intervals = ConformalIntervals(np.arange(1.0, 10)[:, None, None] * [[1], [2]])
    forecasts = np.array([[[[10.0]], [[20.0]]]])  # (1, 2, 1, 1)
    lower, upper = intervals.compute_bounds(forecasts, 0.5)
    assert_array_equal(lower[..., 0], [[5, 10]])
    assert_array_equal(upper[..., 0], [[15, 30]])
    lower, _ = intervals.compute_bounds(forecasts[:, :1], 0.5)
    assert_array_equal(lower[..., 0], [[5]])
    with pytest.raises(ValueError, match="horizon=3, but errors are known for 2"):
        intervals.compute_bounds(np.zeros((1, 3, 1, 1)), 0.5)


def test_errors_are_sampled_as_whole_blocks():
    errors = np.array([[1.0, 10], [2, 20], [3, np.nan], [4, 40]])[..., None]
    sample = ConformalIntervals(errors).make_sampler(2, np.random.default_rng(0))
    samples = sample(np.zeros((200, 2, 1, 1)))
    assert samples.shape == (200, 2, 1)
    assert_array_equal(samples[:, 1], 10 * samples[:, 0])
    assert set(samples[:, 0, 0]) == {1, 2, 4}
    assert_array_equal(sample(np.full((1, 2, 1, 1), 7.0)) - 7 > 0, [[[True], [True]]])


def test_intervals_without_errors_say_why():
    intervals = ConformalIntervals(None, "the series was too short")
    with pytest.raises(ValueError, match="too short"):
        intervals.compute_bounds(np.zeros((1, 1, 1, 1)), 0.5)
    with pytest.raises(ValueError, match="too short"):
        intervals.make_sampler(1, np.random.default_rng(0))


# ---------------------------------------------------------------- quantiles


def test_quantiles_are_bounds():
    quantiles = np.arange(6.0).reshape(1, 2, 1, 3)
    intervals = QuantileIntervals(LEVELS, horizon=2)
    lower, upper = intervals.compute_bounds(quantiles, 0.8)
    assert_array_equal(lower, quantiles[..., 0])
    assert_array_equal(upper, quantiles[..., 2])
    message = r"coverage=0.9 lies between the quantiles \[0.05, 0.95\]"
    with pytest.raises(ValueError, match=message):
        intervals.compute_bounds(quantiles, 0.9)


def test_quantiles_of_later_steps_are_not_bounds():
    intervals = QuantileIntervals(LEVELS, horizon=2)
    assert intervals.compute_bounds(np.zeros((1, 3, 1, 3)), 0.8) is None


def test_samples_lie_between_the_outermost_quantiles():
    sample = QuantileIntervals(LEVELS, 1).make_sampler(1, np.random.default_rng(0))
    samples = sample(np.tile([0.0, 1.0, 5.0], (4000, 1, 1, 1)))
    assert samples.shape == (4000, 1, 1)
    assert samples.min() >= 0
    assert samples.max() <= 5
    assert abs((samples < 1).mean() - 0.5) < 0.03
