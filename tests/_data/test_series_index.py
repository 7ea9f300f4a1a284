"""Indices of pandas: which are accepted, and how they continue."""

import numpy as np
import pandas as pd
import pytest

from sklearn_rnn._data.series_index import (
    check_follows,
    check_index,
    continue_index,
    extend_index,
    find_step,
    holds_labels,
)

DAYS = pd.date_range("2020", periods=20, freq="D", name="day")
LABELS = pd.Index([f"step {i:02}" for i in range(20)], name="step")
REGULAR = [
    pd.period_range("2000-01", periods=20, freq="M"),
    pd.date_range("2000", periods=20, freq="D", tz="Europe/Berlin"),
    pd.date_range("2020-01-31", periods=20, freq="ME", name="month"),
    pd.date_range("2000", periods=20, freq="B"),
    pd.DatetimeIndex(pd.date_range("2000", periods=20, freq="W").to_numpy()),
    pd.timedelta_range("0s", periods=20, freq="5s"),
    pd.RangeIndex(5, 25),
    pd.Index(np.arange(20) * 0.5, name="seconds"),
]


def described(index):
    return f"{type(index).__name__}-{index.dtype}"


@pytest.mark.parametrize("index", REGULAR, ids=described)
def test_every_regular_index_continues(index):
    check_index(index, "X")
    assert list(continue_index(index[:15], 5)) == list(index[15:])
    assert continue_index(index[:15], 5).name == index.name
    check_follows(index[15:], index[:15], "X")
    with pytest.raises(ValueError, match="X begins at"):
        check_follows(index[16:], index[:15], "X")


@pytest.mark.parametrize("index", REGULAR, ids=described)
def test_an_extended_index_continues_as_the_longer_one(index):
    extended = extend_index(extend_index(index[:12], 1), 4)
    assert extended[-1] == index[16]
    assert list(continue_index(extended, 3)) == list(index[17:])


def test_two_dates_have_a_step_and_one_has_none():
    index = pd.DatetimeIndex(["2020-01-01", "2020-01-04"])
    assert find_step(index) == pd.Timedelta("3D")
    assert continue_index(index, 1)[0] == pd.Timestamp("2020-01-07")
    assert find_step(index[:1]) is None
    check_index(index[:1], "X")
    assert list(continue_index(index[:1], 2)) == [1, 2]


def test_labels_are_followed_by_numbers():
    assert holds_labels(LABELS)
    assert not any(map(holds_labels, REGULAR))
    check_index(LABELS, "X")
    following = continue_index(LABELS, 3)
    assert (list(following), following.name) == ([1, 2, 3], "step")
    assert extend_index(LABELS, 3) is LABELS
    check_follows(pd.Index(["anything"]), LABELS, "X")


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (DAYS[::-1], "index of X is not sorted"),
        (DAYS[[*range(6), *range(5, 10)]], "holds 2020-01-06 00:00:00 more than once"),
        (DAYS.delete(7), r"index of X is not regular.*asfreq"),
        (pd.Index([0.0, 1.0, 2.5]), "not regular"),
        (pd.PeriodIndex(["2000-01", "2000-03"], freq="M"), "not regular"),
        (LABELS[::-1], "not sorted"),
    ],
)
def test_an_index_without_order_or_step_is_refused(index, message):
    with pytest.raises(ValueError, match=message):
        check_index(index, "X")


def test_a_gap_says_what_is_next():
    message = r"X begins at 2020-01-12 .* ends at 2020-01-10 .* step is 2020-01-11"
    with pytest.raises(ValueError, match=message):
        check_follows(DAYS[11:], DAYS[:10], "X")
