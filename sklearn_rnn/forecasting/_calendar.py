"""Inputs made from the dates of a time index: hour, weekday and month."""

from typing import Any

import numpy as np

# Length of each cycle, and the longest time step for which it is used, in days.
CYCLES = {"hour": (1, 0.5), "weekday": (7, 1.5), "month": (365, 31)}
N_VALUES = {"hour": 24, "month": 12}


def choose_calendar(indices: list[Any]) -> tuple[str, ...]:
    """Choose the cycles that the longest index covers at least twice.

    Raises a ValueError if a series has no index of dates or periods.
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
    """Convert an index of dates or periods to dates; raise a ValueError for others."""
    import pandas as pd

    if isinstance(index, pd.PeriodIndex):
        return index.to_timestamp()
    if isinstance(index, pd.DatetimeIndex):
        return index
    found = "no index" if index is None else f"a {type(index).__name__}"
    raise ValueError(
        f'calendar="auto" needs dates, but X has {found}. Pass a Series or frame with '
        "a DatetimeIndex or PeriodIndex, or set calendar=None."
    )


def make_calendar(index: Any, names: tuple[str, ...]) -> np.ndarray:
    """Compute inputs (T, K) from the dates of an index.

    Weekdays are seven indicators; hours and months are points on a circle.
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


def name_columns(names: tuple[str, ...]) -> list[str]:
    """Name the inputs that :func:`make_calendar` computes."""
    columns = []
    for name in names:
        parts = range(7) if name == "weekday" else ("sin", "cos")
        columns += [f"{name}_{part}" for part in parts]
    return columns
