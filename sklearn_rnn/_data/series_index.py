"""The index of a series in pandas: what it has to be like, and how it continues."""

from typing import Any

import numpy as np


def check_index(index: Any, name: str) -> None:
    """Raise a ValueError unless an index is unique, sorted and regular."""
    if not index.is_unique:
        raise ValueError(
            f"the index of {name} holds {index[index.duplicated()][0]} more than once. "
            "Aggregate such rows first, or call reset_index(drop=True)."
        )
    if not index.is_monotonic_increasing:
        raise ValueError(
            f"the index of {name} is not sorted. Sort the rows by time with "
            "sort_index(), or call reset_index(drop=True) if they are sorted already."
        )
    if len(index) > 1 and find_step(index) is None:
        raise ValueError(
            f"the index of {name} is not regular, so the next entry is unknown. Set a "
            'frequency, for example with X.asfreq("D"), which fills gaps with NaN (NaN '
            "is accepted), or call reset_index(drop=True)."
        )


def check_follows(index: Any, before: Any, name: str) -> None:
    """Raise a ValueError unless an index begins one step after ``before`` ends."""
    expected = continue_index(before, 1)[0]
    if index[0] != expected and not holds_labels(before):
        raise ValueError(
            f"{name} begins at {index[0]}, but the known series ends at {before[-1]}, "
            f"so the next step is {expected}. Add the missing steps as rows of NaN."
        )


def holds_labels(index: Any) -> bool:
    """Whether the entries of an index are labels, which determine no next entry."""
    import pandas as pd

    times = (pd.PeriodIndex, pd.DatetimeIndex, pd.TimedeltaIndex)
    return not isinstance(index, times) and not pd.api.types.is_numeric_dtype(
        index.dtype
    )


def find_step(index: Any) -> Any:
    """The difference of successive entries, a number or offset; None if it varies."""
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
    return 1  # steps after labels are numbered


def continue_index(index: Any, n_steps: int) -> Any:
    """The ``n_steps`` entries after a regular index; after labels, a count from 1."""
    import pandas as pd

    step, name = find_step(index), index.name
    if step is None or holds_labels(index):  # a single date has no step
        return pd.RangeIndex(1, n_steps + 1, name=name)
    if isinstance(index, pd.PeriodIndex):
        return pd.period_range(index[-1] + 1, periods=n_steps, name=name)
    if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)):
        make = (
            pd.date_range if isinstance(index, pd.DatetimeIndex) else pd.timedelta_range
        )
        return make(index[-1], periods=n_steps + 1, freq=step, name=name)[1:]
    return pd.Index(index[-1] + step * np.arange(1, n_steps + 1), name=name)


def extend_index(index: Any, n_steps: int) -> Any:
    """An index that ends ``n_steps`` later; its beginning may be left out."""
    if holds_labels(index):
        return index
    further = continue_index(index, n_steps)
    has_frequency = getattr(further, "freq", None) is not None
    return further if has_frequency else index.append(further)
