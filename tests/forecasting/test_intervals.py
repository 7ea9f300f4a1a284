"""Conformal and quantile intervals, and samples from them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm

from sklearn_rnn.forecasting._error_sizes import learn_sizes
from sklearn_rnn.forecasting._intervals import (
    ConformalIntervals,
    QuantileIntervals,
    check_quantiles,
    fill_blocks,
    interpolate_line,
    rank_truth,
    take_blocks,
)

LEVELS = (0.1, 0.5, 0.9)


@pytest.mark.parametrize(
    "quantiles",
    [(0.1, 0.9), (0.5, 0.1, 0.9), (0, 0.5, 1), (0.1, 0.4, 0.9), (0.1, 0.1, 0.5)],
)
def test_quantiles_must_increase_around_the_median(quantiles):
    with pytest.raises(ValueError, match=r"with 0.5 in the middle.*, got \("):
        check_quantiles(quantiles, 1, None)


def test_valid_quantiles_become_floats():
    assert check_quantiles(np.array(LEVELS), 3, None) == LEVELS
    assert check_quantiles([0.5], 3, 3) == (0.5,)


def test_sums_of_quantiles_raise_an_error():
    with pytest.raises(ValueError, match=r"not the quantile of the sum. Set horizon=2"):
        check_quantiles(LEVELS, 3, 2)


def test_lines_between_points_are_continued_beyond_them():
    xs, ys = np.array([-1.0, 0, 2]), np.array([[0.0, 4, 5], [1, 1, 9]])
    x = np.array([[-0.5], [3]])
    assert_allclose(interpolate_line(x, xs, ys[:, None]), [[2], [13]])
    x = np.array([[-2.0], [-1]])
    assert_allclose(interpolate_line(x, xs, ys[:, None]), [[-4], [1]])
    assert_allclose(interpolate_line(np.array(2.0), ys[0], xs), -0.5)
    assert_allclose(interpolate_line(np.array(1.0), ys[1], xs), -1)  # equal points
    assert np.isnan(interpolate_line(np.array(np.nan), ys[0], xs))


# ---------------------------------------------------------------- blocks


def test_gaps_are_filled_by_the_nearest_block_in_time():
    nan = np.nan
    blocks = np.array([[1, nan], [2, 20], [nan, 30], [4, nan], [5, nan]])[..., None]
    filled = fill_blocks(blocks, np.zeros(5))[..., 0]
    assert_array_equal(filled, [[1, 20], [2, 20], [2, 30], [4, 30], [5, 30]])
    assert np.isnan(blocks).any()  # the argument has not changed
    filled = fill_blocks(blocks, np.array([0, 0, 1, 1, 1]))[..., 0]
    assert_array_equal(filled[:, 0], [1, 2, 4, 4, 5])
    filled = fill_blocks(blocks, np.array([0, 1, 2, 2, 3]))[..., 0]
    assert_array_equal(filled[:, 1], [20, 20, 30, 30, 30])  # from another series


def test_leads_without_values_repeat_a_neighboring_lead():
    nan = np.nan
    blocks = np.array([[nan, 1, nan, 3], [nan, 5, nan, 7]])[..., None]
    filled = fill_blocks(blocks, np.zeros(2))[..., 0]
    assert_array_equal(filled, [[1, 1, 1, 3], [5, 5, 5, 7]])


def test_complete_blocks_are_used_if_there_are_enough():
    blocks = np.ones((30, 2, 1))
    blocks[:9, 1] = np.nan
    owners = np.arange(30)
    taken, series = take_blocks(blocks, owners)
    assert_array_equal(series, owners[9:])
    assert not np.isnan(taken).any()
    blocks[:12, 1] = np.nan
    taken, series = take_blocks(blocks, owners)
    assert_array_equal(series, owners)
    assert not np.isnan(taken).any()


# ---------------------------------------------------------------- conformal


def conformal(errors, owners=None, n=1):
    owners = np.zeros(len(errors), dtype=int) if owners is None else owners
    scales = np.ones((n, errors.shape[2]))
    return ConformalIntervals(learn_sizes(errors, owners, scales))


def test_conformal_bounds_lie_around_the_forecast():
    errors = np.arange(1.0, 100)[:, None, None] * [[1], [2]]
    intervals = conformal(errors)
    sizes = intervals.calibration.own
    forecasts = np.array([[[[100.0]], [[200.0]]]])  # (1, 2, 1, 1)
    lower, upper = intervals.compute_bounds(forecasts, 0.5, sizes)
    assert_allclose(lower[0, :, 0], [50, 100], rtol=0.02)
    assert_allclose(upper[0, :, 0], [150, 300], rtol=0.02)
    with pytest.raises(ValueError, match=r"horizon=3, but .* for 2 steps"):
        intervals.compute_bounds(np.zeros((1, 3, 1, 1)), 0.5, sizes)
    with pytest.raises(ValueError, match=r"horizon=3, but .* for 2 steps"):
        intervals.make_sampler(3, np.random.default_rng(0), sizes)


def test_few_independent_errors_cause_a_warning():
    walk = np.random.default_rng(0).normal(size=41).cumsum()
    places = np.arange(40)[:, None] + np.arange(1, 31)
    known = places < 41
    errors = np.where(known, walk[np.minimum(places, 40)] - walk[:40, None], np.nan)
    intervals = conformal(errors[..., None])
    sizes = intervals.calibration.own
    intervals.compute_bounds(np.zeros((1, 3, 1, 1)), 0.8, sizes)
    first = int((intervals.calibration.counts[:, 0] < 3).argmax()) + 1
    n_independent = intervals.calibration.counts[-1, 0]
    message = f"from step {first} on .* correspond to {n_independent:.1f}"
    with pytest.warns(UserWarning, match=message):
        intervals.compute_bounds(np.zeros((1, 30, 1, 1)), 0.8, sizes)


def test_errors_are_sampled_as_whole_blocks():
    values = np.arange(1.0, 31)
    errors = np.stack([values, 10 * values], axis=1)[..., None]
    errors[2, 1] = np.nan
    intervals = conformal(errors)
    own = intervals.calibration.own
    sample = intervals.make_sampler(2, np.random.default_rng(0), own)
    samples = sample(np.zeros((400, 2, 1, 1)))
    assert samples.shape == (400, 2, 1)
    assert_allclose(samples[:, 1], 10 * samples[:, 0], rtol=1e-5)
    drawn = np.unique(samples[:, 0, 0].round(3))
    assert_allclose(drawn, np.delete(values, 2), rtol=1e-3)
    assert_array_equal(sample(np.full((1, 2, 1, 1), 7.0)) - 7 > 0, [[[True], [True]]])


def test_a_series_draws_from_its_own_errors_if_there_are_enough():
    owners = np.repeat([0, 1, 2], [30, 30, 3])
    signs = np.where(owners == 1, -1, 1)
    errors = (signs * np.where(owners == 2, 1e3, 1) * 1.0)[:, None, None]
    intervals = conformal(errors, owners, 3)
    own = intervals.calibration.own
    sample = intervals.make_sampler(1, np.random.default_rng(0), own)
    samples = sample(np.zeros((300, 1, 1, 1)))[:, 0, 0].reshape(-1, 3)
    assert (samples[:, 0] > 0).all()
    assert (samples[:, 1] < 0).all()
    assert 0 < (samples[:, 2] < 0).mean() < 1  # of the others, in its own size
    assert np.abs(samples[:, 2]).min() > 100
    other = own.take(np.array([0]))
    other.rows[:] = -1
    sample = intervals.make_sampler(1, np.random.default_rng(0), other)
    assert 0 < (sample(np.zeros((99, 1, 1, 1))) < 0).mean() < 1


def test_intervals_without_errors_raise_an_error_with_the_reason():
    intervals = ConformalIntervals(None, "the series was too short")
    with pytest.raises(ValueError, match="too short"):
        intervals.compute_bounds(np.zeros((1, 1, 1, 1)), 0.5, None)
    with pytest.raises(ValueError, match="too short"):
        intervals.make_sampler(1, np.random.default_rng(0), None)


# ---------------------------------------------------------------- quantiles


def test_quantiles_are_bounds():
    quantiles = np.arange(6.0).reshape(1, 2, 1, 3)
    intervals = QuantileIntervals(LEVELS, horizon=2)
    lower, upper = intervals.compute_bounds(quantiles, 0.8)
    assert_array_equal(lower, quantiles[..., 0])
    assert_array_equal(upper, quantiles[..., 2])
    message = r"coverage=0.9 needs the quantiles \[0.05, 0.95\]"
    with pytest.raises(ValueError, match=message):
        intervals.compute_bounds(quantiles, 0.9)


def test_quantiles_of_later_steps_are_not_bounds():
    intervals = QuantileIntervals(LEVELS, horizon=2)
    assert intervals.compute_bounds(np.zeros((1, 3, 1, 3)), 0.8) is None


def test_samples_have_the_quantiles_and_their_tails():
    ranks = np.random.default_rng(0).permutation(np.arange(500) + 0.5)[:, None, None]
    intervals = QuantileIntervals(LEVELS, 1, ranks / 500)
    sample = intervals.make_sampler(1, np.random.default_rng(0))
    normal = norm.ppf(LEVELS)
    samples = sample(np.tile(5 + 2 * normal, (20000, 1, 1, 1)))
    assert samples.shape == (20000, 1, 1)
    assert_allclose(samples.std(), 2, rtol=0.02)  # 1.3 between the outermost quantiles
    levels = [0.01, 0.1, 0.3, 0.5, 0.9, 0.99]
    found = np.quantile(samples, levels)
    assert_allclose(found, 5 + 2 * norm.ppf(levels), atol=0.15)


def test_samples_keep_the_dependence_between_steps():
    rng = np.random.default_rng(0)
    walks = rng.normal(size=(2000, 12, 1)).cumsum(axis=1)
    sizes = np.sqrt(np.arange(1, 13))[:, None, None]
    quantiles = np.broadcast_to(sizes * norm.ppf(LEVELS), (2000, 12, 1, 3))
    ranks = rank_truth(quantiles, walks, np.zeros(2000), LEVELS)
    assert_allclose(ranks.mean(axis=0), 0.5, rtol=1e-5)
    assert_allclose(np.sort(ranks[:, 3, 0]), (np.arange(2000) + 0.5) / 2000, rtol=1e-5)
    intervals = QuantileIntervals(LEVELS, 12, ranks)
    paths = intervals.make_sampler(12, rng)(quantiles[:2000])[..., 0]
    assert_allclose(np.diff(paths, axis=1).std(axis=0), 1, rtol=0.08)
    assert_allclose(np.corrcoef(paths[:, -1], paths[:, -2])[0, 1], 0.957, atol=0.01)
    assert_allclose(paths.mean(axis=1).std(), 2.12, rtol=0.06)


def test_samples_from_the_median_alone_raise_an_error():
    intervals = QuantileIntervals((0.5,), 1, np.full((1, 1, 1), 0.5))
    with pytest.raises(ValueError, match=r"quantiles=\(0.5,\) contains only the med"):
        intervals.make_sampler(1, np.random.default_rng(0))
