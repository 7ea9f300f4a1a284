"""The last values of each series, kept for displays."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from sklearn_rnn._data.series import read_series
from sklearn_rnn.forecasting._recent import RECENT_STEPS, keep_recent

X = np.arange(260.0)
DATES = pd.date_range("2020-01-01", periods=260, freq="D")


@pytest.mark.parametrize("cut", [30, 200])
@pytest.mark.parametrize("with_index", [True, False])
def test_the_last_steps_are_kept_with_their_index(cut, with_index):
    series = pd.Series(X, DATES, name="x")
    later = series[cut:] if with_index else X[cut:]
    recent = keep_recent(read_series(series[:cut])).extend(read_series(later))
    assert recent.n_steps.tolist() == [260]
    pd.testing.assert_series_equal(
        recent.to_container(0), series[-RECENT_STEPS:], check_freq=False
    )


def test_frames_and_several_series():
    frame = pd.DataFrame({"a": X, "b": -X}, DATES)
    kept = keep_recent(read_series(frame)).to_container(0)
    pd.testing.assert_frame_equal(kept, frame[-RECENT_STEPS:], check_freq=False)
    recent = keep_recent(read_series([X, X[:20]]))
    recent = recent.extend(read_series([X[:5], X[:6]]))
    assert recent.n_steps.tolist() == [265, 26]
    assert_array_equal(recent.to_container(1), np.concatenate([X[:20], X[:6]]))
    assert len(recent.to_container(0)) == RECENT_STEPS


def test_labels_are_not_continued():
    labels = pd.Series(X, [f"{k:3}" for k in range(260)])
    assert_array_equal(keep_recent(read_series(labels)).to_container(0), X[-100:])


def test_the_values_are_copies():
    values = X.copy()
    recent = keep_recent(read_series(values))
    values[:] = 0
    assert_array_equal(recent.to_container(0), X[-100:])
