"""load_co2: weekly carbon dioxide with gaps."""

import sys

import numpy as np
import pytest

from sklearn_rnn.datasets import load_co2


def test_co2_is_weekly_with_gaps():
    co2 = load_co2()
    assert co2.data.shape == co2.dates.shape == (2284,)
    assert set(np.diff(co2.dates).astype(int)) == {7}
    assert np.isnan(co2.data).sum() == 59
    assert (np.nanmin(co2.data), np.nanmax(co2.data)) == (313.0, 373.9)
    assert np.isnan(co2.data[co2.dates == np.datetime64("1958-05-10")]).all()
    series = load_co2(as_frame=True).data
    assert series.index.freqstr == "W-SAT"
    assert series["1958-03-29"] == 316.1
    np.testing.assert_array_equal(series.to_numpy(), co2.data)


def test_co2_as_arrays_requires_no_pandas(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert load_co2().data.shape == (2284,)
    with pytest.raises(ImportError, match="pandas"):
        load_co2(as_frame=True)
