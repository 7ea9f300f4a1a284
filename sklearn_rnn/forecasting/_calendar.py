"""Inputs from the dates of a time index: hour, weekday and month."""

from typing import Any

import numpy as np

# The length of a cycle in days, and of the longest step that it makes sense for.
CYCLES = {"hour": (1, 0.5), "weekday": (7, 1.5), "month": (365, 31)}
N_VALUES = {"hour": 24, "month": 12}


def choose_calendar(indices: list[Any]) -> tuple[str, ...]:
    """The cycles of which the longest index shows two at least.

    A ValueError without an index of dates or periods for each series.
    """
    dates = [read_dates(index) for index in indices]
    longest = max(dates, key=len)
    if len(longest) < 2:
        return ()
    days = (longest[-1] - longest[0]).total_seconds() / (24 * 3600)
    step = days / (len(longest) - 1)
    return tuple(
        name
        for name, (length, longest_step) in CYCLES.items()
        if step <= longest_step and days >= 2 * length
    )


def read_dates(index: Any) -> Any:
    """An index of dates, from one of dates or periods; a ValueError for others."""
    import pandas as pd

    if isinstance(index, pd.PeriodIndex):
        return index.to_timestamp()
    if isinstance(index, pd.DatetimeIndex):
        return index
    found = "no index" if index is None else f"a {type(index).__name__}"
    raise ValueError(
        f'calendar="auto" needs dates, but X has {found}. Give a Series or frame with '
        "a DatetimeIndex or PeriodIndex, or set calendar=None."
    )


def make_calendar(index: Any, names: tuple[str, ...]) -> np.ndarray:
    """Inputs (T, K) of the dates of an index.

    A weekday is an indicator; hours and months are points on a circle.
    """
    dates = read_dates(index)
    columns = []
    for name in names:
        if name == "weekday":
            weekdays = np.asarray(dates.day_of_week)
            columns += [weekdays == day for day in range(7)]
        else:
            angle = np.asarray(getattr(dates, name)) * 2 * np.pi / N_VALUES[name]
            columns += [np.sin(angle), np.cos(angle)]
    return np.column_stack(columns).astype(np.float64)
