"""Where pictures are drawn, and that only drawing needs matplotlib."""

import subprocess
import sys

import matplotlib.pyplot as plt

from sklearn_rnn.display._axes import axes_for


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
