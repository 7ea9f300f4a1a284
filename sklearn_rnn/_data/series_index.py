"""Checks and continuation of the pandas index of a series."""

from typing import Any

import numpy as np


def check_index(index: Any, name: str, learned: Any = None) -> Any:
    """Check that an index is unique, sorted and regular, and return its step.

    ``learned`` is the step of earlier series. It is used for an index that agrees with
    it and has no explicit frequency, because two entries do not determine whether the
    step is, for example, a month or 31 days.
    """
    if index.hasnans:
        raise ValueError(
            f"the index of {name} has a missing entry in row "
            f"{int(index.isna().argmax())}. Pass a complete index, or call "
            "reset_index(drop=True) if the rows are in order."
        )
    if not index.is_unique:
        raise ValueError(
            f"the index of {name} contains {index[index.duplicated()][0]} more than "
            "once. Aggregate such rows first, or call reset_index(drop=True)."
        )
    if not index.is_monotonic_increasing:
        raise ValueError(
            f"the index of {name} is not sorted: {_find_descent(index)}. Sort the rows "
            "by time with sort_index(), or call reset_index(drop=True) if they are "
            "sorted already."
        )
    step = find_step(index)
    if learned is not None and step != learned and _has_step(index, learned):
        return learned
    if len(index) > 1 and step is None:
        raise ValueError(
            f"the index of {name} is not regular: {_find_gap(index)}. Set a frequency, "
            'for example with X.asfreq("D"), which fills gaps with NaN (NaN is '
            "accepted as a missing value), or call reset_index(drop=True)."
        )
    if step is None and learned is not None:
        raise ValueError(
            f"the index of {name} has the single entry {index[0]}, which does not "
            f"agree with the frequency of the series in fit, {learned}, so the next "
            "entry is unknown. Set a frequency, or call reset_index(drop=True)."
        )
    return step


def _find_descent(index: Any) -> str:
    """Describe the first two successive entries of an index that descend."""
    k = next(k for k in range(1, len(index)) if index[k] < index[k - 1])
    return f"{index[k]} follows {index[k - 1]}"


def _find_gap(index: Any) -> str:
    """Describe the two successive entries with the most unusual difference."""
    steps = np.diff(index.asi8 if hasattr(index, "asi8") else index.to_numpy())
    k = int(np.abs(steps - np.median(steps)).argmax())
    return f"{index[k + 1]} follows {index[k]}"


def check_follows(index: Any, before: Any, name: str, step: Any = None) -> None:
    """Raise a ValueError unless an index continues ``before`` entry by entry.

    ``step`` is the step of ``before``; None finds it.
    """
    if holds_labels(before) or (step is None and find_step(before) is None):
        return
    expected = continue_index(before, len(index), step)
    k = find_difference(index, expected)
    if k == 0:
        raise ValueError(
            f"{name} begins at {index[0]}, but the known series ends at {before[-1]}, "
            f"so the next step is {expected[0]}. Add the missing steps as rows of NaN."
        )
    if k is not None:
        raise ValueError(
            f"{name} has {index[k]} after {index[k - 1]}, but the known series "
            f"continues with {expected[k]}. Add the missing steps as rows of NaN."
        )


def find_difference(index: Any, expected: Any) -> int | None:
    """Return the first place where two indices of equal length differ, or None."""
    import pandas as pd

    if all(pd.api.types.is_numeric_dtype(i.dtype) for i in (index, expected)):
        differs = ~np.isclose(index.to_numpy(), expected.to_numpy(), rtol=1e-9)
    else:
        differs = ~np.asarray(index == expected, dtype=bool)
    return int(differs.argmax()) if differs.any() else None


def holds_labels(index: Any) -> bool:
    """Return whether the index is made of labels, which have no next entry."""
    import pandas as pd

    times = (pd.PeriodIndex, pd.DatetimeIndex, pd.TimedeltaIndex)
    return not isinstance(index, times) and not pd.api.types.is_numeric_dtype(
        index.dtype
    )


def find_step(index: Any) -> Any:
    """Return the difference of successive entries, or None if it varies."""
    import pandas as pd

    if isinstance(index, pd.PeriodIndex):
        return 1 if len(index) == len(pd.period_range(index[0], index[-1])) else None
    if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)):
        if index.freq is not None:
            return index.freq
        if len(index) > 2:
            return type(index)(index, freq="infer").freq
        steps = np.unique(np.diff(index))
        return pd.Timedelta(steps[0]) if len(steps) == 1 else None
    if pd.api.types.is_numeric_dtype(index.dtype):
        steps = np.diff(index.to_numpy())
        regular = not len(steps) or np.allclose(steps, steps[0], rtol=1e-9)
        return (steps[0] if len(steps) else 1) if regular else None
    return 1  # steps after labels are counted


def _has_step(index: Any, step: Any) -> bool:
    """Return whether an index without an explicit frequency could have this step."""
    import pandas as pd

    timed = isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex))
    is_offset = isinstance(step, (pd.offsets.BaseOffset, pd.Timedelta))
    if timed != is_offset or holds_labels(index) or getattr(index, "freq", None):
        return False
    try:
        expected = _make_range(index, index[0], len(index), step)
    except (TypeError, ValueError):  # a time of day does not follow months
        return False
    return find_difference(index, expected) is None


def _make_range(like: Any, start: Any, n_steps: int, step: Any) -> Any:
    """Return the ``n_steps`` entries from ``start`` on, as an index of this kind."""
    import pandas as pd

    if isinstance(like, pd.PeriodIndex):
        return pd.period_range(start, periods=n_steps, name=like.name)
    if isinstance(like, pd.DatetimeIndex):
        return pd.date_range(start, periods=n_steps, freq=step, name=like.name)
    if isinstance(like, pd.TimedeltaIndex):
        return pd.timedelta_range(start, periods=n_steps, freq=step, name=like.name)
    return pd.Index(start + step * np.arange(n_steps), name=like.name)


def continue_index(index: Any, n_steps: int, step: Any = None) -> Any:
    """Return the ``n_steps`` entries after a regular index.

    After labels, the entries count from 1.

    ``step`` None finds the step of the index.
    """
    import pandas as pd

    step = find_step(index) if step is None else step
    if step is None or holds_labels(index):  # a single date has no step
        return pd.RangeIndex(1, n_steps + 1, name=index.name)
    return _make_range(index, index[-1], n_steps + 1, step)[1:]


def extend_index(index: Any, n_steps: int, step: Any = None) -> Any:
    """Return an index that ends ``n_steps`` later; its beginning may be left out."""
    if holds_labels(index):
        return index
    further = continue_index(index, n_steps, step)
    has_frequency = getattr(further, "freq", None) is not None
    return further if has_frequency else index.append(further)
