"""The scaled error of forecasts, by hand."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_rnn.metrics import mean_absolute_scaled_error


def test_scaled_errors_by_hand():
    train = [1.0, 2.0, 4.0, 3.0]
    assert_allclose(
        mean_absolute_scaled_error([5, 7], [5, 6], y_train=train), 0.5 / (4 / 3)
    )
    assert_allclose(
        mean_absolute_scaled_error([5, 7], [5, 6], y_train=train, season=2), 0.5 / 2
    )
    two = np.column_stack([train, np.array(train) * 10])
    assert_allclose(
        mean_absolute_scaled_error([[5, 50], [7, 70]], [[5, 50], [6, 60]], y_train=two),
        0.375,
    )
    assert_allclose(
        mean_absolute_scaled_error([5, np.nan], [4, 6], y_train=[1, 2, np.nan, 3]), 1.0
    )
    weighted = mean_absolute_scaled_error(
        [5, 7], [5, 6], y_train=train, sample_weight=[1, 3]
    )
    assert_allclose(weighted, 0.75 / (4 / 3))


def test_each_series_is_scaled_by_its_own_past():
    true, pred = [[5.0], [70.0, 80.0]], [[4.0], [75.0, 80.0]]
    past = [[1.0, 2.0, 4.0, 3.0], [10.0, 20.0]]
    expected = np.mean([1 / (4 / 3), 5 / 10, 0])
    assert_allclose(mean_absolute_scaled_error(true, pred, y_train=past), expected)
    three_d = np.reshape([[1.0, 2.0], [10.0, 20.0]], (2, 2, 1))
    true, pred = np.reshape([[5, 6], [70, 80]], (2, 2, 1)), np.zeros((2, 2, 1))
    assert_allclose(
        mean_absolute_scaled_error(true, pred, y_train=three_d), (5 + 6 + 7 + 8) / 4
    )


def test_forecasts_from_many_origins_share_one_past():
    train = np.array([1.0, 2.0, 4.0, 3.0])
    true, pred = np.array([[5.0, 7.0], [7.0, 8.0]]), np.array([[5.0, 6.0], [7.0, 5.0]])
    assert_allclose(mean_absolute_scaled_error(true, pred, y_train=train), 0.75)
    weighted = mean_absolute_scaled_error(
        true, pred, y_train=train, sample_weight=[3, 1]
    )
    assert_allclose(weighted, (3 * 0.5 + 1.5) / 4 * 0.75)
    channels = np.column_stack([train, 10 * train])
    both = mean_absolute_scaled_error(
        np.stack([true, 10 * true], axis=2),
        np.stack([pred, 10 * true], axis=2),
        y_train=channels,
    )
    assert_allclose(both, 0.375)


def test_a_y_train_that_cannot_scale_raises_an_error():
    with pytest.raises(ValueError, match=r"shape \(1,\) .* of y_pred .* \(2,\)"):
        mean_absolute_scaled_error([1], [1, 2], y_train=[1, 2])
    with pytest.raises(ValueError, match="has 3 steps"):
        mean_absolute_scaled_error([1], [1], y_train=[1, 2, 3], season=3)
    with pytest.raises(ValueError, match="cannot scale the errors"):
        mean_absolute_scaled_error([1], [1], y_train=[2, 2, 2])
    with pytest.raises(ValueError, match="without any two observed"):
        mean_absolute_scaled_error([1], [1], y_train=[2, np.nan, 2])
    with pytest.raises(ValueError, match="season must be an integer of at least 1"):
        mean_absolute_scaled_error([1], [1], y_train=[1, 2], season=0)
    with pytest.raises(ValueError, match="Pass the same channels"):
        mean_absolute_scaled_error([[1]], [[1]], y_train=[[[1, 2], [2, 3]]])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        mean_absolute_scaled_error([[1]], [[1]], y_train=[[1, 2], [2, 3]])


def test_a_forecast_of_nan_raises_an_error():
    with pytest.raises(ValueError, match="contains NaN"):
        mean_absolute_scaled_error([1.0, 2.0], [1.0, np.nan], y_train=[1, 2])
