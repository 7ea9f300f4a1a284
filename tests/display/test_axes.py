"""Axes, bands and tick labels; matplotlib is imported by drawing only."""

import subprocess
import sys
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from numpy.testing import assert_array_equal

from sklearn_rnn.display._axes import (
    axes_for,
    draw_band,
    find_isolated,
    format_times,
    label_rows,
    label_ticks,
    times_of,
)


def test_axes_that_are_given_are_drawn_on():
    figure, (_, ax) = plt.subplots(1, 2)
    assert axes_for(object(), ax) == (ax, figure)
    assert plt.get_fignums() == [figure.number]


def test_without_axes_there_is_a_new_figure():
    old, _ = plt.subplots()
    ax, figure = axes_for(object(), None)
    assert figure is ax.figure and figure is not old
    assert figure.axes == [ax]


def test_matplotlib_is_only_imported_to_draw():
    code = (
        "import sys, sklearn_rnn.display as d; assert 'matplotlib' not in sys.modules;"
        "sys.modules['matplotlib'] = None\n"
        "try: d.EnergyDisplay([[1.0]]).plot()\n"
        "except ImportError as error: print(error)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "EnergyDisplay.plot requires matplotlib" in run.stdout


def test_isolated_values_have_no_known_neighbor():
    nan = np.nan
    assert_array_equal(find_isolated(np.array([1, nan, 2, 3, nan, 4, nan])), [0, 5])
    assert_array_equal(find_isolated(np.array([1.0])), [0])
    assert_array_equal(find_isolated(np.array([1.0, 2.0])), [])
    assert_array_equal(find_isolated(np.array([nan])), [])


def test_a_band_with_isolated_steps_has_one_label():
    _, ax = plt.subplots()
    lower = np.array([0.0, 0, np.nan, 0])
    band = draw_band(ax, np.arange(4), lower, lower + 1, color="C0", label="band")
    assert band in ax.collections and len(ax.collections) == 2
    assert ax.get_legend_handles_labels()[1] == ["band"]


def test_times_are_dates_or_numbers():
    assert times_of(pd.RangeIndex(3)).tolist() == [0, 1, 2]
    assert times_of(pd.Index(["a", "b"])) is None
    assert times_of(pd.period_range("2020", periods=1, freq="Y")).dtype.kind == "M"
    assert times_of(pd.timedelta_range("36h", periods=1)).tolist() == [1.5]


def test_dates_do_not_overlap():
    for width in (2.5, 6.4):
        for freq, n in (("s", 119), ("h", 47), ("MS", 23)):
            times = pd.date_range("2023-11-28", periods=n, freq=freq).to_numpy()
            figure, ax = plt.subplots(figsize=(width, 2), layout="constrained")
            ax.plot(times, range(n))
            format_times(ax, times)
            figure.canvas.draw()
            low, high = ax.get_window_extent().intervalx
            boxes = [
                box
                for label in ax.get_xticklabels()
                if low <= np.mean((box := label.get_window_extent()).intervalx) <= high
            ]
            assert len(boxes) >= 2
            for left, right in pairwise(boxes):
                assert left.x1 < right.x0, (width, freq, n)


def test_labels_shrink_until_they_cannot_be_read():
    _, ax = plt.subplots()
    assert label_ticks(ax.xaxis, list("abc"))
    large = ax.get_xticklabels()[0]
    assert (large.get_fontsize(), large.get_rotation()) == (10, 0)
    assert label_ticks(ax.xaxis, ["a"] * 90)
    assert ax.get_xticklabels()[0].get_fontsize() < 7
    assert label_ticks(ax.xaxis, ["word"] * 20)
    assert ax.get_xticklabels()[0].get_rotation() == 90
    assert not label_ticks(ax.xaxis, ["a"] * 200)
    assert not label_ticks(ax.yaxis, ["a"] * 100)


def test_rows_that_are_too_many_for_labels_are_labeled_sparsely():
    figure, ax = plt.subplots()
    ax.imshow(np.zeros((100, 2)), aspect="auto")
    label_rows(ax.yaxis, [str(unit) for unit in range(200, 300)])
    figure.canvas.draw()
    labels = [text.get_text() for text in ax.get_yticklabels()]
    assert len(labels) < 30 and {"200", "220"} < set(labels)
