"""EnergyDisplay shows the energies of a recall, update by update."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import NotFittedError

from sklearn_rnn import HopfieldDenoiser
from sklearn_rnn.display import EnergyDisplay


def test_the_energy_is_drawn_after_each_update(memory, letters):
    rng = np.random.default_rng(0)
    start = rng.integers(0, 2, (3, 64)).astype(float)
    _, ax = plt.subplots()
    display = EnergyDisplay.from_estimator(memory, start, ax=ax, color="red")
    assert display.ax_ is ax and display.figure_ is ax.figure
    trace = memory.recall(start, trace=True).energy_trace
    assert len(display.lines_) == 3
    for line, energies in zip(display.lines_, trace, strict=True):
        assert_allclose(line.get_ydata(), energies)
        assert line.get_color() == "red"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Update", "Energy")


def test_clamped_units_do_not_change_during_recall(memory, letters):
    start, clamp = 1 - letters[:1], np.arange(64) < 40
    display = EnergyDisplay.from_estimator(memory, start, clamp=clamp)
    trace = memory.recall(start, clamp, trace=True).energy_trace
    assert_allclose(display.lines_[0].get_ydata(), trace[0])
    free = memory.recall(start, trace=True).energy_trace
    assert not np.array_equal(trace[0], free[0])


def test_the_energy_is_constant_until_the_next_update():
    display = EnergyDisplay([[3.0, 1.0]]).plot()
    assert display.lines_[0].get_drawstyle() == "steps-post"


def test_an_unfitted_memory_is_refused(letters):
    with pytest.raises(NotFittedError):
        EnergyDisplay.from_estimator(HopfieldDenoiser(), letters)
