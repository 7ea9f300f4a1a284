"""load_sunspots: yearly numbers of sunspots."""

import sys

import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from sklearn_rnn.datasets import load_sunspots


def test_sunspots_are_counted_from_1700_to_2008():
    sunspots = load_sunspots()
    assert sunspots.years.tolist() == list(range(1700, 2009))
    assert sunspots.data[[0, 1, -2]].tolist() == [5.0, 11.0, 7.5]
    assert sunspots.years[sunspots.data.argmax()] == 1957
    assert sunspots.data.max() == 190.2


def test_sunspots_as_frame_are_a_series_by_year():
    series = load_sunspots(as_frame=True).data
    assert series.loc[1957] == 190.2 and series.loc[2008] == 2.9
    expected = pd.Index(range(1700, 2009), name="year")
    pd.testing.assert_index_equal(series.index, expected, exact="equiv")
    assert_array_equal(series, load_sunspots().data)


def test_sunspots_as_arrays_require_no_pandas(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert load_sunspots().data.shape == (309,)
    with pytest.raises(ImportError, match="pandas"):
        load_sunspots(as_frame=True)
