"""Errors of forecasts, by hand and compared with scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as of_rows

from sklearn_rnn import metrics

RNG = np.random.default_rng(0)
TRUE, PRED = RNG.normal(size=(4, 5)), RNG.normal(size=(4, 5))
GAPS = np.where(np.arange(20).reshape(4, 5) % 7 == 3, np.nan, TRUE)
KNOWN = ~np.isnan(GAPS)
LOWER, UPPER = PRED - 0.7, PRED + 0.5

SCORES = {
    "mean_absolute_error": lambda y, f, **k: metrics.mean_absolute_error(y, f),
    "root_mean_squared_error": lambda y, f, **k: metrics.root_mean_squared_error(y, f),
    "symmetric_mean_absolute_percentage_error": lambda y, f, **k: (
        metrics.symmetric_mean_absolute_percentage_error(y, f)
    ),
    "mean_pinball_loss": lambda y, f, **k: metrics.mean_pinball_loss(y, f, alpha=0.8),
    "mean_interval_score": lambda y, f, **k: metrics.mean_interval_score(
        y, f, f + 1, coverage=0.8
    ),
    "interval_coverage": lambda y, f, **k: metrics.interval_coverage(y, f, f + 1),
    "continuous_ranked_probability_score": lambda y, f, **k: (
        metrics.continuous_ranked_probability_score(y, np.stack([f, f + 1, f - 2]))
    ),
}


@pytest.mark.parametrize("name", ["mean_absolute_error", "root_mean_squared_error"])
def test_point_errors_equal_those_of_scikit_learn(name):
    own, other = getattr(metrics, name), getattr(of_rows, name)
    assert own(TRUE, PRED) == pytest.approx(other(TRUE.ravel(), PRED.ravel()))
    assert own(GAPS, PRED) == pytest.approx(other(GAPS[KNOWN], PRED[KNOWN]))


@pytest.mark.parametrize("alpha", [0.1, 0.5, 0.9])
def test_the_pinball_loss_equals_that_of_scikit_learn(alpha):
    own = metrics.mean_pinball_loss(GAPS, PRED, alpha=alpha)
    other = of_rows.mean_pinball_loss(GAPS[KNOWN], PRED[KNOWN], alpha=alpha)
    assert own == pytest.approx(other)


def test_smape_by_hand():
    smape = metrics.symmetric_mean_absolute_percentage_error
    expected = np.mean([200 * 10 / 210, 200 * 30 / 170, 0, 200])
    assert smape([100, 70, 0, 5], [110, 100, 0, 0]) == pytest.approx(expected)


def test_the_interval_score_is_the_pinball_loss_of_its_bounds():
    score = metrics.mean_interval_score(GAPS, LOWER, UPPER, coverage=0.6)
    low = metrics.mean_pinball_loss(GAPS, LOWER, alpha=0.2)
    high = metrics.mean_pinball_loss(GAPS, UPPER, alpha=0.8)
    assert score == pytest.approx(2 / 0.4 * (low + high))
    by_hand = metrics.mean_interval_score([5.0], [1.0], [4.0], coverage=0.9)
    assert by_hand == pytest.approx(3 + 20 * 1)


def test_values_equal_to_a_bound_are_covered():
    assert metrics.interval_coverage([1, 2, 3, 4], [1, 0, 0, 5], [9, 2, 2, 9]) == 0.5
    expected = np.mean((LOWER <= TRUE)[KNOWN] & (TRUE <= UPPER)[KNOWN])
    assert metrics.interval_coverage(GAPS, LOWER, UPPER) == pytest.approx(expected)


def test_crps_equals_its_double_sum():
    paths = RNG.normal(size=(6, 4, 5))
    crps = metrics.continuous_ranked_probability_score(GAPS, paths)
    distances = np.abs(paths[:, None] - paths[None]).mean(axis=(0, 1))
    by_hand = np.abs(paths - TRUE).mean(axis=0) - distances / 2
    assert crps == pytest.approx(by_hand[KNOWN].mean())
    single = metrics.continuous_ranked_probability_score(GAPS, PRED[None])
    assert single == pytest.approx(metrics.mean_absolute_error(GAPS, PRED))


def test_crps_of_normal_samples_is_the_closed_form():
    samples = RNG.normal(size=(20000, 1))
    crps = metrics.continuous_ranked_probability_score([0.0], samples)
    assert crps == pytest.approx((np.sqrt(2) - 1) / np.sqrt(np.pi), abs=0.01)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize("name", SCORES)
def test_invalid_values_raise_an_error(name):
    score = SCORES[name]
    assert score(GAPS, PRED) == pytest.approx(score(GAPS[KNOWN], PRED[KNOWN]))
    with pytest.raises(ValueError, match="values of y_true are missing"):
        score(np.full(3, np.nan), np.zeros(3))
    with pytest.raises(ValueError, match="NaN where y_true has a value"):
        score(TRUE, np.where(KNOWN, PRED, np.nan))
    with pytest.raises(ValueError, match="contains infinity"):
        score(TRUE, PRED * np.inf)
    with pytest.raises(ValueError, match="shape"):
        score(TRUE, PRED[:, :-1])
    assert np.isfinite(score(GAPS, np.where(KNOWN, PRED, np.nan)))


def test_ragged_lists_raise_an_error():
    with pytest.raises(ValueError, match=r"y_true cannot be converted .*Concatenate"):
        metrics.mean_absolute_error([[1.0], [1.0, 2.0]], [[1.0], [1.0, 2.0]])


def test_series_with_other_indices_raise_an_error():
    true, pred = pd.Series([1.0, 2.0], [1, 2]), pd.Series([1.0, 2.0], [2, 3])
    with pytest.raises(ValueError, match=r"different indices. Align them"):
        metrics.mean_absolute_error(true, pred)
    assert metrics.mean_absolute_error(true, pred.to_numpy()) == 0


def test_swapped_bounds_and_bad_levels_raise_an_error():
    with pytest.raises(ValueError, match=r"lower is above upper: 2.0 > 1.0"):
        metrics.interval_coverage([1.0], [2.0], [1.0])
    with pytest.raises(ValueError, match="lower is above upper"):
        metrics.mean_interval_score([1.0], [2.0], [1.0], coverage=0.9)
    with pytest.raises(ValueError, match="coverage must be a number"):
        metrics.mean_interval_score([1.0], [1.0], [2.0], coverage=95)
    with pytest.raises(ValueError, match="alpha must be a number"):
        metrics.mean_pinball_loss([1.0], [1.0], alpha=1)
