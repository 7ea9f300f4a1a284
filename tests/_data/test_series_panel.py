"""SeriesPanel: alignment of series, and selection of time steps."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.model_selection import KFold, TimeSeriesSplit, train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import _num_samples

from sklearn_rnn._data.series import read_series
from sklearn_rnn._data.series_panel import SeriesPanel

ONE = np.arange(10.0)
DAYS = pd.date_range("2020", periods=14, freq="D")


def values_of(panel):
    return [np.asarray(x).tolist() for x in panel.series]


def test_series_are_aligned_by_their_last_steps():
    panel = SeriesPanel([ONE, ONE[6:], ONE[2:].tolist()])
    assert (len(panel), panel.shape, _num_samples(panel)) == (10, (10,), 10)
    assert values_of(panel[3:8]) == [[3, 4, 5, 6, 7], [6, 7], [3, 4, 5, 6, 7]]
    assert values_of(panel[:6]) == [[0, 1, 2, 3, 4, 5], [2, 3, 4, 5]]
    again = panel[2:9][1:6]
    assert values_of(again) == values_of(panel[3:8])
    assert len(again) == 5
    assert repr(again) == "SeriesPanel(3 series, 5 steps)"
    assert values_of(pickle.loads(pickle.dumps(again))) == values_of(again)


def test_numbered_series_are_aligned_like_arrays():
    numbered = [
        pd.Series(ONE),
        pd.DataFrame({"a": ONE[6:]}).reset_index(drop=True)["a"],
    ]
    assert values_of(SeriesPanel(numbered)[3:8]) == [[3, 4, 5, 6, 7], [6, 7]]
    labeled = [x.set_axis([f"{i:02}" for i in range(len(x))]) for x in numbered]
    assert values_of(SeriesPanel(labeled)[3:8]) == [[3, 4, 5, 6, 7], [6, 7]]


@pytest.mark.parametrize(
    "index",
    [
        DAYS,
        DAYS.tz_localize("Europe/Berlin"),
        pd.period_range("2020", periods=14, freq="M"),
        pd.date_range("2020", periods=14, freq="ME"),
        pd.RangeIndex(1990, 2004),
        pd.Index(np.arange(14) * 0.5),
    ],
    ids=str,
)
def test_series_are_aligned_by_their_index(index):
    early, late = pd.Series(ONE, index[:10]), pd.Series(ONE[:4], index[8:12])
    frame = pd.DataFrame({"a": ONE}, index[4:])
    panel = SeriesPanel([early, late])
    assert len(panel) == 12
    assert values_of(panel[7:10]) == [[7, 8, 9], [0, 1]]
    assert panel[7:10].series[1].index.equals(index[8:10])
    assert values_of(panel[10:]) == [[2, 3]]
    assert values_of(SeriesPanel([early, frame["a"]])[3:6]) == [[3, 4, 5], [0, 1]]


def test_padding_of_an_array_takes_no_steps():
    padded = np.full((2, 6, 1), np.nan)
    padded[0, :, 0], padded[1, :3, 0] = ONE[:6], ONE[:3]
    panel = SeriesPanel(padded)
    assert values_of(panel[2:5]) == [[[2], [3], [4]], [[0], [1]]]
    assert read_series(panel).lengths.tolist() == [6, 3]


def test_splitters_of_scikit_learn_select_steps():
    panel = SeriesPanel([ONE, ONE[4:]])
    early, late = train_test_split(panel, shuffle=False, test_size=3)
    assert values_of(early) == [ONE[:7].tolist(), ONE[4:7].tolist()]
    assert values_of(late) == [[7, 8, 9], [7, 8, 9]]
    train, test = next(TimeSeriesSplit(3).split(panel))
    assert values_of(panel[train]) == [[0, 1, 2, 3]]
    assert values_of(panel[test]) == [[4, 5], [4, 5]]


@pytest.mark.parametrize("rows", [[0, 2], [3, 2], [], [1, 1], 4, slice(0, 8, 2)])
def test_other_than_successive_steps_are_refused(rows):
    panel = SeriesPanel([ONE, ONE])
    rows = rows if isinstance(rows, int | slice) else np.array(rows, dtype=int)
    with pytest.raises(ValueError, match="only successive rows"):
        panel[rows]
    train, _ = list(KFold(3).split(panel))[1]
    with pytest.raises(ValueError, match="only successive rows"):
        panel[train]


@pytest.mark.parametrize(
    ("series", "message"),
    [
        (ONE, "accepts a list of series.* got ndarray"),
        (pd.DataFrame({"a": ONE}), "accepts a list of series.* got DataFrame"),
        ([], "accepts a list of series"),
        ([pd.Series(ONE, DAYS[9::-1])] * 2, "index of series 0 is not sorted"),
        (
            [pd.Series(ONE, DAYS[:10]), pd.Series(ONE[:7], DAYS[::2])],
            "the frequency of series 1 differs",
        ),
        ([np.zeros((3, 1)), np.zeros((0, 1))], "series 1 has no steps"),
    ],
)
def test_what_has_no_common_steps_is_refused(series, message):
    with pytest.raises(ValueError, match=message):
        SeriesPanel(series)


def test_a_panel_is_not_read_as_an_array():
    panel = SeriesPanel([ONE, ONE])
    for refuses in (np.asarray, StandardScaler().fit):
        with pytest.raises(TypeError, match="cannot be converted to an array"):
            refuses(panel)
    assert_array_equal(read_series(panel).lengths, [10, 10])
