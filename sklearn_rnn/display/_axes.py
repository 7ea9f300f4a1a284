"""Where a picture goes, and what several pictures draw on it."""

import numpy as np

from sklearn_rnn._core.sklearn_private import check_matplotlib_support


def axes_for(display, ax):
    """The axes given, or new ones, with their figure."""
    check_matplotlib_support(f"{type(display).__name__}.plot")
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots()
    return ax, ax.figure


def draw_line(ax, times, values, **kw):
    """A line of values; points without a known neighbour are markers."""
    values = np.asarray(values, dtype=float)
    alone = find_isolated(values).tolist()
    if alone:
        kw = {"marker": "o", "markersize": 4, "markevery": alone} | kw
    (line,) = ax.plot(times, values, **kw)
    return line


def draw_band(ax, times, lower, upper, *, color, label=None):
    """A band between bounds; around points without a known neighbour, vertical bars."""
    lower, upper = (np.asarray(bound, dtype=float) for bound in (lower, upper))
    style = {"color": color, "alpha": 0.2, "label": label}
    alone = find_isolated(lower + upper)
    if len(alone) < np.isfinite(lower + upper).sum():
        band = ax.fill_between(times, lower, upper, linewidth=0, **style)
        style["label"] = None
    if len(alone):
        bars = (np.asarray(times)[alone], lower[alone], upper[alone])
        bars = ax.vlines(*bars, linewidth=4, **style)
    return bars if len(alone) == np.isfinite(lower + upper).sum() else band


def find_isolated(values):
    """Places of known values between missing ones or the ends."""
    known = np.concatenate([[False], ~np.isnan(values), [False]])
    return np.flatnonzero(known[1:-1] & ~known[:-2] & ~known[2:])


def format_times(ax, times):
    """Short, readable dates on the axis of times, if they are dates."""
    if np.asarray(times).dtype.kind != "M":
        return
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator()
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def times_of(index):
    """An index as dates or numbers that can be drawn; None if it holds labels."""
    if hasattr(index, "to_timestamp"):
        index = index.to_timestamp()
    if getattr(index, "tz", None) is not None:
        index = index.tz_localize(None)
    times = index.to_numpy()
    if times.dtype.kind == "m":
        return times / np.timedelta64(1, "D")
    return times if times.dtype.kind in "Mif" else None
