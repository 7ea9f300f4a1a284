"""Axes, lines, bands and tick labels that several displays draw."""

import numpy as np

from sklearn_rnn._core.sklearn_private import check_matplotlib_support

POINTS_PER_INCH = 72
INCHES_PER_DATE = 0.6  # least distance of dates on an axis
FONT_SIZES = (10, 4.5)  # largest and smallest size of tick labels, in points
WIDTHS = (6.4, 18)  # least and greatest width of a new figure, in inches
HEIGHTS = (4.8, 14)


def axes_for(display, ax, figsize=None):
    """The axes given, or those of a new figure, and their figure."""
    check_matplotlib_support(f"{type(display).__name__}.plot")
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=figsize, layout="constrained")
    return ax, ax.figure


def draw_line(ax, times, values, **kw):
    """Draw a line; values whose neighbors are NaN are drawn as markers."""
    values = np.asarray(values, dtype=float)
    alone = find_isolated(values).tolist()
    if alone:
        kw = {"marker": "o", "markersize": 4, "markevery": alone} | kw
    (line,) = ax.plot(times, values, **kw)
    return line


def draw_band(ax, times, lower, upper, *, color, label=None):
    """Draw a band between bounds; steps between missing ones are vertical bars."""
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
    """Indices of values whose neighbors are NaN or do not exist."""
    known = np.concatenate([[False], ~np.isnan(values), [False]])
    return np.flatnonzero(known[1:-1] & ~known[:-2] & ~known[2:])


def format_times(ax, times):
    """Use short dates as tick labels of the x axis if the times are dates."""
    if np.asarray(times).dtype.kind != "M":
        return
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    width = ax.get_window_extent().width / ax.figure.dpi
    # A larger minimum, or a smaller maximum, has no interval for some ranges of time.
    n_dates = int(np.clip(width / INCHES_PER_DATE, 5, 9))
    locator = AutoDateLocator(minticks=(n_dates - 1) // 2, maxticks=n_dates)
    if width < 5 * INCHES_PER_DATE:
        ax.tick_params(axis="x", labelsize="x-small")
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def draw_legend(ax, *, above, title=""):
    """Draw the legend and title of lines; ``above`` puts it above the axes."""
    if above:
        place = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2}
        ax.legend(ncols=4, frameon=False, **place)
    else:
        ax.legend()
    if title:
        ax.set_title(title, pad=24 if above else None, parse_math=False)


def times_of(index):
    """An index as dates or numbers that can be drawn; None if it holds other labels."""
    if hasattr(index, "to_timestamp"):
        index = index.to_timestamp()
    if getattr(index, "tz", None) is not None:
        index = index.tz_localize(None)
    times = index.to_numpy()
    if times.dtype.kind == "m":
        return times / np.timedelta64(1, "D")
    return times if times.dtype.kind in "Mif" else None


def number_places(axis):
    """Use integers as tick labels of an axis."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def label_rows(axis, names):
    """Label the places 0, 1, ... of an axis, or as many as can be read.

    None numbers them.
    """
    if names is None:
        number_places(axis)
    elif not label_ticks(axis, names):
        number_places(axis)
        axis.set_major_formatter(
            lambda place, _: names[int(place)] if 0 <= place < len(names) else ""
        )


def fit_figure(labels, *, row_labels=()):
    """Width and height of a new figure in which all tick labels can be read.

    ``labels`` stand below the x axis and ``row_labels`` to the left of the y axis.
    """
    longest = max(map(len, row_labels), default=0)
    inches = 0.085 if is_short(labels) else 0.16
    width = max(inches * len(labels), 4.4) + 0.085 * longest + 1.2
    height = 0.19 * len(row_labels) + 1
    return float(np.clip(width, *WIDTHS)), float(np.clip(height, *HEIGHTS))


def is_short(labels):
    """Whether labels have at most two characters, so that they need no rotation."""
    return max(map(len, labels), default=0) <= 2


def label_ticks(axis, labels):
    """Label the places 0, 1, ... of an axis, in a font small enough for all of them.

    Returns whether they are labeled. If the axis is too short for all labels to be
    read, it keeps its numbers.
    """
    ax, is_x = axis.axes, axis.axis_name == "x"
    box = ax.get_window_extent()
    points = (box.width if is_x else box.height) / ax.figure.dpi * POINTS_PER_INCH
    upright = is_x and is_short(labels)
    widest = max(map(len, labels), default=1) if upright else 1.7
    size = min(FONT_SIZES[0], points / max(len(labels), 1) / (0.65 * widest))
    if size < FONT_SIZES[1]:
        return False
    labels = [show_whitespace(label) for label in labels]
    options = {"fontsize": size, "rotation": 90 if is_x and not upright else 0}
    axis.set_ticks(range(len(labels)), labels, parse_math=False, **options)
    return True


def show_whitespace(label):
    """A visible sign for a space, newline or tab; any other label as it is."""
    return {" ": "\u2423", "\n": "\u21b5", "\t": "\u21e5"}.get(label, str(label))
