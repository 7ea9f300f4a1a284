"""Indices and times of pandas, which forecasters and fitted transformers keep."""

import re
import sys
from collections.abc import Callable
from datetime import timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from sklearn_rnn.persistence._errors import require

UNITS = ("s", "ms", "us", "ns")
EXTENSION_TYPES = frozenset(
    {"str", "string", "boolean", "Float32", "Float64"}
    | {f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)}
)
FREQUENCY = re.compile(r"-?\w[\w-]{0,40}")
ZONE = re.compile(r"[A-Za-z][\w+-]*(/[\w+-]+){0,3}")
LARGEST_MULTIPLE = 10_000  # of an offset whose multiples pandas counts one by one


def is_pandas(value: Any) -> bool:
    """Return whether a value is an object of pandas."""
    return type(value).__module__.split(".")[0] == "pandas"


# ------------------------------------------------------------------------- saving


def describe_pandas(value: Any) -> list | None:
    """Return the kind and the contents of an object of pandas.

    None is returned for an object that a file cannot hold.
    """
    import pandas as pd

    if value is pd.NaT or value is pd.NA:
        return ["NaT" if value is pd.NaT else "NA"]
    if isinstance(value, pd.Index):
        return _describe_index(value)
    if type(value) is pd.Timestamp:
        moment = np.datetime64(value.asm8).astype(np.int64)
        return _with_zone(["Timestamp", int(moment), value.unit], value.tz)
    if type(value) is pd.Timedelta:
        return ["Timedelta", int(value.asm8.astype(np.int64)), value.unit]
    if type(value) is pd.Period:
        return ["Period", int(value.ordinal), value.freqstr]
    if type(value) is pd.DateOffset:
        return ["DateOffset", value.n, value.normalize, dict(value.kwds)]
    if isinstance(value, pd.offsets.BaseOffset):
        return ["offset", value.freqstr] if _has_name(value) else None
    return None


def _describe_index(index: Any) -> list | None:
    """Return the kind and the contents of an index."""
    import pandas as pd

    kind = type(index).__name__
    if isinstance(index, pd.MultiIndex):
        numbers = [np.array(one) for one in index.codes]
        return [kind, list(index.levels), numbers, list(index.names)]
    if isinstance(index, pd.CategoricalIndex):
        codes = np.array(index.codes)
        return [kind, index.categories, codes, bool(index.ordered), index.name]
    if isinstance(index, pd.RangeIndex):
        return [kind, index.start, index.stop, index.step, index.name]
    if isinstance(index, pd.PeriodIndex):
        return [kind, np.array(index.asi8), index.freqstr, index.name]
    if isinstance(index, pd.TimedeltaIndex):
        return [kind, np.array(index.asi8), index.unit, index.freq, index.name]
    if isinstance(index, pd.DatetimeIndex):
        contents = [np.array(index.asi8), index.unit, index.freq, index.name]
        return _with_zone([kind, *contents], index.tz)
    if type(index) is not pd.Index:
        return None
    if isinstance(index.dtype, np.dtype):
        return [kind, np.array(index.to_numpy()), None, index.name]
    if index.dtype.name in EXTENSION_TYPES and not index.hasnans:
        return [kind, index.tolist(), index.dtype.name, index.name]
    return None


def _with_zone(entry: list, zone: tzinfo | None) -> list | None:
    """Return the entry with a time zone after the unit; None if it cannot be restored.

    Fixed offsets are described by microseconds and name, others by their name.
    """
    if zone is None:
        return [*entry[:3], None, *entry[3:]]
    if isinstance(zone, timezone):
        offset = zone.utcoffset(None)
        name = zone.tzname(None)
        is_default = name == timezone(offset).tzname(None)
        numbers = offset // timedelta(microseconds=1), None if is_default else name
        return [*entry[:3], numbers, *entry[3:]]
    name = str(zone)
    try:
        restored = _read_zone(name)
        zone.__reduce__()  # not possible for the zone of a file
    except Exception:
        return None
    is_equal = str(restored) == name and _package(restored) == _package(zone)
    return [*entry[:3], name, *entry[3:]] if is_equal else None


def _package(zone: tzinfo) -> str:
    return type(zone).__module__.split(".")[0]


def _read_zone(described: Any) -> tzinfo:
    """Return the time zone that :func:`_with_zone` described."""
    import pandas as pd

    if type(described) is tuple:
        microseconds, name = described
        require(
            type(microseconds) is int and (name is None or type(name) is str),
            "a time zone is damaged.",
        )
        offset = timedelta(microseconds=microseconds)
        return timezone(offset) if name is None else timezone(offset, name)
    require(_is_zone(described), f"the time zone {described!r:.60} is unknown.")
    # "UTC" would be the same as a fixed offset of 0
    name = ZoneInfo(described) if described == "UTC" else described
    return pd.DatetimeTZDtype("ns", name).tz


def _is_zone(zone: Any) -> bool:
    """Return whether this is the name of a time zone, and not of a file."""
    return (
        isinstance(zone, str)
        and bool(ZONE.fullmatch(zone))
        and not zone.startswith(("dateutil", "tz", "UTC+", "UTC-"))
    )


def _has_name(offset: Any) -> bool:
    """Return whether an offset can be restored from its name."""
    try:
        return bool(read_offset(offset.freqstr) == offset)
    except ValueError:
        return False


# ------------------------------------------------------------------------ loading


def read_offset(name: Any) -> Any:
    """Return the offset with a name such as "MS"."""
    import pandas as pd

    require(
        isinstance(name, str) and FREQUENCY.fullmatch(name),
        f"the frequency {name!r:.60} is unknown.",
    )
    offset = pd.tseries.frequencies.to_offset(name)
    require(
        isinstance(offset, pd.offsets.Tick) or abs(offset.n) <= LARGEST_MULTIPLE,
        f"the frequency {name!r} is too long.",
    )
    return offset


def restore_pandas(kind: str, contents: list) -> Any:
    """Return the object that :func:`describe_pandas` described."""
    require(
        "pandas" in sys.modules or _can_import_pandas(),
        "it contains an index of pandas, which is not installed. Install pandas.",
    )
    return RESTORE[kind](*contents)


def _can_import_pandas() -> bool:
    try:
        import pandas  # noqa: F401
    except ImportError:
        return False
    return True


def _restore_constant(name: str) -> Any:
    import pandas as pd

    return getattr(pd, name)


def _read_times(values: Any, unit: Any, kind: str) -> np.ndarray:
    """Return integers as times of a unit."""
    require(
        type(values) is np.ndarray and values.dtype == np.int64 and values.ndim == 1,
        "the times of an index are damaged.",
    )
    require(unit in UNITS, f"the unit of time {unit!r:.60} is unknown.")
    return values.view(f"{kind}8[{unit}]")


def _restore_index(values: Any, dtype: Any, name: Any) -> Any:
    import pandas as pd

    require(
        (dtype is None and type(values) is np.ndarray and values.dtype.kind in "Obiuf")
        or (
            isinstance(dtype, str) and dtype in EXTENSION_TYPES and type(values) is list
        ),
        "the values of an index are damaged.",
    )
    index = pd.Index(values, dtype=values.dtype if dtype is None else dtype, name=name)
    require(type(index) is pd.Index, "the values of an index are damaged.")
    return index


def _restore_range_index(start: Any, stop: Any, step: Any, name: Any) -> Any:
    import pandas as pd

    require(
        all(type(n) is int and abs(n) < 2**62 for n in (start, stop, step)),
        "an index is damaged.",
    )
    return pd.RangeIndex(start, stop, step, name=name)


def _restore_dates(values: Any, unit: Any, zone: Any, freq: Any, name: Any) -> Any:
    import pandas as pd

    index = pd.DatetimeIndex(_read_times(values, unit, "M"), name=name)
    if zone is not None:
        index = index.tz_localize("UTC").tz_convert(_read_zone(zone))
    return _set_freq(index, freq)


def _restore_durations(values: Any, unit: Any, freq: Any, name: Any) -> Any:
    import pandas as pd

    index = pd.TimedeltaIndex(_read_times(values, unit, "m"), name=name)
    require(
        freq is None or isinstance(freq, (pd.offsets.Tick, pd.offsets.Day)),
        "the frequency of an index is damaged.",
    )
    return _set_freq(index, freq)


def _set_freq(index: Any, freq: Any) -> Any:
    """Set the frequency of an index, without comparing it with the entries.

    The comparison is slow, and fails for some indexes that date_range returns.
    """
    import pandas as pd

    require(
        freq is None or isinstance(freq, pd.offsets.BaseOffset),
        "the frequency of an index is damaged.",
    )
    holder = index if hasattr(index, "_freq") else index._data  # before pandas 3.1
    holder._freq = freq
    return index


def _restore_periods(ordinals: Any, freq: Any, name: Any) -> Any:
    import pandas as pd

    _read_times(ordinals, "s", "M")
    return pd.PeriodIndex.from_ordinals(ordinals, freq=_read_freq(freq), name=name)


def _read_freq(name: Any) -> Any:
    """Return the frequency of periods with a name such as "M"."""
    import pandas as pd

    require(
        isinstance(name, str) and FREQUENCY.fullmatch(name),
        f"the frequency {name!r:.60} is unknown.",
    )
    return pd.PeriodDtype(name).freq


def _restore_categories(categories: Any, codes: Any, ordered: Any, name: Any) -> Any:
    import pandas as pd

    require(
        isinstance(categories, pd.Index) and type(codes) is np.ndarray,
        "the categories of an index are damaged.",
    )
    values = pd.Categorical.from_codes(codes, categories, ordered=ordered is True)
    return pd.CategoricalIndex(values, name=name)


def _restore_levels(levels: Any, codes: Any, names: Any) -> Any:
    import pandas as pd

    require(
        type(levels) is list and all(isinstance(one, pd.Index) for one in levels),
        "the levels of an index are damaged.",
    )
    return pd.MultiIndex(levels, codes, names=names)  # checks the codes


def _restore_timestamp(value: Any, unit: Any, zone: Any) -> Any:
    import pandas as pd

    (moment,) = _read_times(np.array([value], np.int64), unit, "M")
    moment = pd.Timestamp(moment)
    if zone is None:
        return moment
    return moment.tz_localize("UTC").tz_convert(_read_zone(zone))


def _restore_timedelta(value: Any, unit: Any) -> Any:
    import pandas as pd

    return pd.Timedelta(_read_times(np.array([value], np.int64), unit, "m")[0])


def _restore_period(ordinal: Any, freq: Any) -> Any:
    import pandas as pd

    require(type(ordinal) is int, "a period is damaged.")
    return pd.Period(ordinal=ordinal, freq=_read_freq(freq))


def _restore_date_offset(n: Any, normalize: Any, kwds: Any) -> Any:
    import pandas as pd

    require(
        type(n) is int
        and abs(n) <= LARGEST_MULTIPLE
        and type(normalize) is bool
        and type(kwds) is dict
        and all(type(one) in (int, float) for one in kwds.values()),
        "a DateOffset is damaged.",
    )
    return pd.DateOffset(n, normalize, **kwds)


RESTORE: dict[str, Callable[..., Any]] = {
    "CategoricalIndex": _restore_categories,
    "DateOffset": _restore_date_offset,
    "DatetimeIndex": _restore_dates,
    "Index": _restore_index,
    "MultiIndex": _restore_levels,
    "NA": lambda: _restore_constant("NA"),
    "NaT": lambda: _restore_constant("NaT"),
    "Period": _restore_period,
    "PeriodIndex": _restore_periods,
    "RangeIndex": _restore_range_index,
    "Timedelta": _restore_timedelta,
    "TimedeltaIndex": _restore_durations,
    "Timestamp": _restore_timestamp,
    "offset": read_offset,
}
