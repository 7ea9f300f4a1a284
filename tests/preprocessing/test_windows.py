"""sliding_windows: windows and the values that follow."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from sklearn_rnn import RNNRegressor
from sklearn_rnn.preprocessing import sliding_windows

SERIES = np.arange(10.0)
TWO = np.column_stack([SERIES, 10 * SERIES])


def test_one_number_follows_each_window():
    X, y = sliding_windows(SERIES, 4)
    assert X.shape == (6, 4, 1)
    for i in range(6):
        assert_array_equal(X[i, :, 0], SERIES[i : i + 4])
        assert y[i] == SERIES[i + 4]


def test_several_steps_of_several_channels_follow():
    X, y = sliding_windows(TWO, 4, 3)
    assert X.shape == (4, 4, 2)
    assert y.shape == (4, 6)
    assert_array_equal(X[1], TWO[1:5])
    assert_array_equal(y[1].reshape(3, 2), TWO[5:8])


def test_windows_may_be_further_apart():
    X, y = sliding_windows(SERIES, 4, 2, step=3)
    assert_array_equal(X[:, 0, 0], [0, 3])
    assert_array_equal(y, [[4, 5], [7, 8]])


@pytest.mark.parametrize("horizon", [1, 2])
def test_windows_share_memory_and_are_read_only_but_not_what_follows(horizon):
    X, y = sliding_windows(SERIES, 4, horizon)
    y -= y.mean()
    assert not np.shares_memory(y, SERIES)
    assert np.shares_memory(X, SERIES)
    with pytest.raises(ValueError, match="read-only"):
        X[0] = 1


def test_frames_and_lists_are_read():
    X, y = sliding_windows(pd.DataFrame(TWO, columns=["a", "b"]), 4)
    assert_array_equal(X, sliding_windows(TWO, 4)[0])
    assert y.shape == (6, 2)
    assert_array_equal(sliding_windows(pd.Series(SERIES), 4)[1], SERIES[4:])
    assert_array_equal(sliding_windows(list(range(10)), 4)[1], SERIES[4:])


def test_a_regressor_can_be_fitted_to_windows():
    X, y = sliding_windows(np.sin(np.arange(60) / 3), 8, 2)
    model = RNNRegressor("gru", 8, max_epochs=2, random_state=0).fit(X, y)
    assert model.predict(X).shape == (51, 2)


@pytest.mark.parametrize(
    "args, message",
    [
        ((SERIES, 10), "10 steps, fewer than window=10 plus horizon=1"),
        ((SERIES, 0), "window must be an integer of at least 1, got 0"),
        ((SERIES, 2, 0), "horizon must be an integer of at least 1, got 0"),
        ((SERIES, 2.5), "window must be an integer of at least 1, got 2.5"),
        ((np.r_[SERIES, np.nan], 2), "NaN at step 10"),
        (([SERIES, SERIES], 2), "expects a single series, got 2"),
        ((np.ones((2, 5, 1)), 2), "expects a single series, got 2"),
        ((np.r_[SERIES, np.inf], 2), "infinity at step 10"),
    ],
)
def test_invalid_arguments_raise_an_error(args, message):
    with pytest.raises(ValueError, match=message):
        sliding_windows(*args)
    with pytest.raises(
        ValueError, match="step must be an integer of at least 1, got 0"
    ):
        sliding_windows(SERIES, 2, step=0)
