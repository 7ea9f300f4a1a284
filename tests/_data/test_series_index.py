"""Pandas indices: checks and continuation."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_index_equal

from sklearn_rnn._data.series_index import (
    check_follows,
    check_index,
    continue_index,
    extend_index,
    find_difference,
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


FREQUENCIES = ["ME", "MS", "B", "QE", "W-MON", "5s", "YE"]


@pytest.mark.parametrize("n", [1, 2, 4])
@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_a_short_index_has_the_step_of_earlier_series(frequency, n):
    index = pd.date_range("2020-06-01", periods=20, freq=frequency)
    learned = check_index(index, "X")
    short = pd.DatetimeIndex(index[:n].to_numpy())  # Monday to Thursday, if "B"
    step = check_index(short, "X", learned)
    assert step == learned
    assert_index_equal(continue_index(short, 9, step), index[n : n + 9])
    longer = extend_index(short, 3, step)
    assert_index_equal(continue_index(longer, 2, step), index[n + 3 : n + 5])
    check_follows(index[n:], short, "X", step)


@pytest.mark.parametrize(
    ("index", "learned", "step"),
    [
        (pd.RangeIndex(7, 8), 5, 5),
        (pd.Index([0.5]), 0.5, 0.5),
        (pd.Index([0.5, 0.8]), 0.5, 0.3),
        (pd.timedelta_range("2s", periods=1, freq="5s"), pd.Timedelta("7s"), "5s"),
        (pd.TimedeltaIndex(["2s"]), pd.Timedelta("7s"), "7s"),
        (DAYS[:5], pd.offsets.BusinessDay(), DAYS.freq),
        (DAYS[:1], 5, DAYS.freq),
        (pd.RangeIndex(7, 8), pd.offsets.MonthEnd(), 1),
        (LABELS[:1], pd.offsets.MonthEnd(), 1),
        (pd.PeriodIndex(["2000-01"], freq="M"), pd.offsets.MonthEnd(), 1),
    ],
)
def test_an_explicit_frequency_of_an_index_is_kept(index, learned, step):
    found = check_index(index, "X", learned)
    if isinstance(step, float):
        assert found == pytest.approx(step)
    elif isinstance(step, str):
        assert pd.Timedelta(found) == pd.Timedelta(step)
    else:
        assert found == step


@pytest.mark.parametrize("learned", [pd.offsets.MonthEnd(), 5])
def test_a_date_outside_the_frequency_of_earlier_series_is_refused(learned):
    index = pd.DatetimeIndex(["2020-01-15"])
    with pytest.raises(
        ValueError, match=r"has the single entry 2020-01-15 .*frequency"
    ):
        check_index(index, "X", learned)
    assert check_index(index, "X") is None


def test_an_unusual_step_needs_no_other_frequency():
    holidays = pd.offsets.CustomBusinessDay(holidays=["2020-01-06"])
    index = pd.date_range("2020-01-01", periods=9, freq=holidays)
    plain = pd.DatetimeIndex(index.to_numpy())
    with pytest.raises(ValueError, match="not regular"):
        check_index(plain, "X")
    assert check_index(plain, "X", holidays) == holidays


def test_later_rows_have_to_follow_one_by_one():
    later = DAYS[[10, 15]]
    message = (
        "series 3 of X has 2020-01-16 .* after 2020-01-11 .* continues with 2020-0"
    )
    with pytest.raises(ValueError, match=message):
        check_follows(later, DAYS[:10], "series 3 of X")
    check_follows(pd.DatetimeIndex(["2030-01-01"]), DAYS[:1]._with_freq(None), "X")


@pytest.mark.parametrize(
    ("index", "expected", "place"),
    [
        (DAYS[:3], DAYS[:3], None),
        (DAYS[1:4], DAYS[:3], 0),
        (pd.Index([0.1, 0.2, 0.1 * 3]), pd.Index([0.1, 0.2, 0.3]), None),
        (pd.Index([0, 1, 3]), pd.RangeIndex(3), 2),
        (DAYS[:3].tz_localize("UTC"), DAYS[:3], 0),
        (pd.RangeIndex(3), DAYS[:3], 0),
        (LABELS[:3], DAYS[:3], 0),
        (pd.period_range("2020", periods=3, freq="D"), DAYS[:3], 0),
    ],
)
def test_the_first_difference_is_found(index, expected, place):
    assert find_difference(index, expected) == place


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (DAYS[::-1], "index of X is not sorted: 2020-01-19 .* follows 2020-01-20"),
        (
            DAYS[[*range(6), *range(5, 10)]],
            "contains 2020-01-06 00:00:00 more than once",
        ),
        (DAYS.delete(7), r"not regular: 2020-01-09 .* follows 2020-01-07 .*asfreq"),
        (
            pd.date_range("2020", periods=30, freq="ME").delete(20),
            "not regular: 2021-10-31 .* follows 2021-08-31",
        ),
        (pd.Index([0.0, 1.0, 2.5]), "not regular"),
        (pd.PeriodIndex(["2000-01", "2000-03"], freq="M"), "2000-03 follows 2000-01"),
        (LABELS[::-1], "not sorted"),
        (DAYS[:3].insert(2, pd.NaT), "index of X has a missing entry in row 2"),
        (pd.Index([0, np.nan]), "index of X has a missing entry in row 1"),
    ],
)
def test_an_index_without_order_or_step_is_refused(index, message):
    with pytest.raises(ValueError, match=message):
        check_index(index, "X")


def test_a_gap_says_what_is_next():
    message = r"X begins at 2020-01-12 .* ends at 2020-01-10 .* step is 2020-01-11"
    with pytest.raises(ValueError, match=message):
        check_follows(DAYS[11:], DAYS[:10], "X")
