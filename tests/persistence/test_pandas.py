"""Indices and times of pandas are restored, and damaged ones are refused."""

import os
import zoneinfo
from datetime import timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from model_values import copy_value, decode, encode, same

from sklearn_rnn.persistence._errors import ModelFileError
from sklearn_rnn.persistence._pandas import describe_pandas, read_offset

MIXED = pd.DateOffset(months=1, days=1, hours=2)
NAMED = timezone(timedelta(hours=2), "Lab")
MONTHS = pd.date_range("2020", periods=5, freq="MS")
INDICES = {
    "months": MONTHS,
    "name": MONTHS.rename("time"),
    "time zone": pd.date_range("2020", periods=5, freq="D", tz="Europe/Berlin"),
    "UTC": pd.date_range("2020", periods=5, freq="h", tz="UTC"),
    "offset of UTC": pd.date_range("2020", periods=3, freq="h", tz="UTC+02:00"),
    "named offset": pd.date_range("2020", periods=3, freq="h", tz=NAMED),
    "zone of UTC": pd.date_range("2020", periods=3, freq="h", tz=ZoneInfo("UTC")),
    "seconds": MONTHS.as_unit("s"),
    "nanoseconds": MONTHS.as_unit("ns"),
    "no frequency": pd.DatetimeIndex(["2020-01-01", "2020-01-03"]),
    "one date": pd.DatetimeIndex(["2020-01-01"]),
    "minutes": pd.date_range("2020", periods=5, freq="15min"),
    "business": pd.date_range("2020", periods=5, freq="B"),
    "quarters": pd.date_range("2020", periods=5, freq="QS-OCT"),
    "two months": pd.date_range("2020", periods=5, freq="2ME"),
    "DateOffset": pd.date_range("2020", periods=3, freq=pd.DateOffset(months=2)),
    "mixed DateOffset": pd.date_range("2000-01-15", periods=80, freq=MIXED),
    "periods": pd.period_range("2020", periods=5, freq="M"),
    "weeks": pd.period_range("2020", periods=5, freq="W-SUN", name="week"),
    "durations": pd.timedelta_range("1h", periods=5, freq="30min"),
    "range": pd.RangeIndex(3, 20, 2, name="x"),
    "int64": pd.Index([1, 2, 4]),
    "float32": pd.Index(np.array([0.5, 1], np.float32), name=("a", 1)),
    "bool": pd.Index([True, False]),
    "text": pd.Index(["a", "b"]),
    "text objects": pd.Index(["a", 3, None], dtype=object),
    "string": pd.Index(["a", "b"], dtype="string"),
    "Int64": pd.Index([1, 2], dtype="Int64"),
    "categories": pd.CategoricalIndex(["a", "b", "a"], ["b", "a"], ordered=True),
    "levels": pd.MultiIndex.from_product([["a", "b"], [1, 2]], names=["x", None]),
}
VALUES = {
    "Timestamp": pd.Timestamp("2020-01-02 03:04:05.678"),
    "with time zone": pd.Timestamp("2020-06-01", tz="America/New_York"),
    "named offset": pd.Timestamp("2020", tz=NAMED),
    "Timedelta": pd.Timedelta("3h"),
    "Period": pd.Period("2020-03", "M"),
    "offset": pd.offsets.MonthBegin(3),
    "DateOffset": pd.DateOffset(months=2, days=1),
    "NaT": pd.NaT,
    "NA": None,
}


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
def test_indices_are_restored(index):
    restored = copy_value(index)
    assert same(restored, index), restored
    assert repr(restored) == repr(index)


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_times_are_restored(value):
    restored = copy_value([value])[0]
    assert restored is value or restored == value
    assert type(restored) is type(value) and repr(restored) == repr(value)
    assert copy_value([pd.NA])[0] is pd.NA


UNSUPPORTED = {
    "holidays": pd.offsets.CustomBusinessDay(holidays=["2020-01-01"]),
    "intervals": pd.interval_range(0, 3),
    "hours": pd.offsets.BusinessHour(start="10:00"),
    "frame": pd.DataFrame({"a": [1]}),
    "missing": pd.Index([1, None], dtype="Int64"),
}


@pytest.mark.parametrize("value", UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_other_objects_are_named(value):
    assert describe_pandas(value) is None
    with pytest.raises(
        ModelFileError, match=r"^\[0\] of type pandas.* cannot be saved"
    ):
        encode([value])


def test_zones_of_data_with_the_name_of_another_are_refused(tmp_path):
    with open(find_zone("Asia/Tokyo"), "rb") as file:
        zone = ZoneInfo.from_file(file, key="Europe/Berlin")
    with pytest.raises(ModelFileError, match="cannot be saved"):
        encode(pd.date_range("2020", periods=2, tz=zone))


def find_zone(name):
    """Return the path of the data of a time zone."""
    paths = [os.path.join(folder, name) for folder in zoneinfo.TZPATH]
    found = [path for path in paths if os.path.exists(path)]
    return found[0] if found else pytest.skip("there is no folder of time zones")


def test_time_zones_of_files_are_refused():
    tz = pytest.importorskip("dateutil.tz")
    index = pd.date_range("2020", periods=2, tz=tz.gettz("Europe/Berlin"))
    with pytest.raises(ModelFileError, match="cannot be saved"):
        encode(index)


def change(value, position, new):
    """Return the table of a value with another content of its last object."""
    objects, arrays, root = encode(value)
    objects[-1][position] = new
    return objects, arrays, root


FORGED = {
    "file as zone": (INDICES["UTC"], 3, "dateutil//etc/passwd"),
    "path as zone": (INDICES["UTC"], 3, "../../etc/passwd"),
    "zone of no country": (INDICES["UTC"], 3, "Europe/Nowhere"),
    "offset of UTC": (INDICES["UTC"], 3, "UTC+99:99"),
    "unit": (MONTHS, 2, "Y"),
    "frequency": (MONTHS, 4, "MS"),
    "values": (MONTHS, 1, "2020"),
    "period": (INDICES["periods"], 2, "no"),
    "ordinals": (INDICES["periods"], 1, 3),
    "range": (INDICES["range"], 2, 2**63),
    "no step": (INDICES["range"], 3, 0),
    "unknown type": (INDICES["Int64"], 2, "category"),
    "codes": (INDICES["categories"], 2, "ab"),
    "levels": (INDICES["levels"], 1, []),
    "moment": (VALUES["Timestamp"], 1, "now"),
    "duration": (VALUES["Timedelta"], 2, "years"),
    "ordinal": (VALUES["Period"], 1, None),
    "offset": (VALUES["offset"], 1, "999999MS"),
    "many": (VALUES["DateOffset"], 1, 10**9),
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_forged_contents_are_refused(forged):
    with pytest.raises((ValueError, TypeError, KeyError, OverflowError)):
        decode(*change(*forged))


def test_codes_of_levels_are_checked():
    index = pd.MultiIndex.from_product([["a", "b"], [1, 2]])
    objects, arrays, root = encode(index)
    codes = next(a for a in arrays.values() if a.dtype == np.int8)
    codes[:] = 7
    with pytest.raises(ValueError, match="code"):
        decode(objects, arrays, root)


def test_names_of_frequencies_are_checked():
    assert read_offset("2MS") == pd.offsets.MonthBegin(2)
    for name in (None, "", "MS;", "a" * 99, "x y", "1e9MS"):
        with pytest.raises(ValueError):
            read_offset(name)
