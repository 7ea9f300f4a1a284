"""Pictures show the numbers they are made from."""

import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError

from sklearn_rnn import HopfieldDenoiser
from sklearn_rnn.datasets import load_letters
from sklearn_rnn.display import CapacityDisplay, EnergyDisplay, HopfieldDisplay
from sklearn_rnn.energy import capacity_curve, hebb_overlap


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture
def letters():
    return load_letters().data[:4].astype(float)


@pytest.fixture
def memory(letters):
    return HopfieldDenoiser("dense", random_state=0).fit(letters)


def shown(axes):
    return np.asarray(axes.images[0].get_array())


def test_stored_corrupted_and_recalled_stand_side_by_side(memory, letters):
    corrupted = letters[[2, 0]].copy()
    corrupted[:, 56:] = 1
    display = HopfieldDisplay.from_estimator(memory, corrupted)
    assert display.axes_.shape == (2, 3)
    titles = [axes.get_title() for axes in display.axes_[0]]
    assert titles == ["Stored", "Corrupted", "Recalled"]
    for row, letter in enumerate((2, 0)):
        stored, start, recalled = (shown(axes) for axes in display.axes_[row])
        assert_array_equal(stored > 0, letters[letter].reshape(8, 8) > 0)
        assert_array_equal(start, corrupted[row].reshape(8, 8))
        assert_array_equal(recalled, letters[letter].reshape(8, 8))


def test_images_may_have_another_shape_and_units_be_clamped(memory, letters):
    fig = plt.figure()
    display = HopfieldDisplay.from_estimator(
        memory,
        1 - letters[:1],
        clamp=np.ones(64, bool),
        image_shape=(4, 16),
        fig=fig,
        cmap="viridis",
    )
    assert display.figure_ is fig
    assert display.axes_[0, 2].images[0].get_cmap().name == "viridis"
    assert_array_equal(shown(display.axes_[0, 2]), 1 - letters[0].reshape(4, 16))


@pytest.mark.parametrize("image_shape", [(8, 7), (64,), None])
def test_a_shape_that_does_not_fit_is_refused(image_shape):
    n_features = 60 if image_shape is None else 64
    display = HopfieldDisplay(*np.zeros((3, 1, n_features)), image_shape=image_shape)
    with pytest.raises(ValueError, match=r"do not fill an image.*height, width"):
        display.plot()


def test_energy_is_drawn_update_by_update(memory, letters):
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


def test_capacity_is_drawn_with_the_theory_of_hebb():
    settings = {"n_features": 60, "loads": [0.05, 0.2], "random_state": 0}
    display = CapacityDisplay.from_estimator(
        HopfieldDenoiser(random_state=0), **settings
    )
    curve = capacity_curve(HopfieldDenoiser(random_state=0), **settings)
    assert_allclose(display.line_.get_xdata(), [0.05, 0.2])
    assert_allclose(display.line_.get_ydata(), curve.overlaps.mean(axis=1))
    x, y = display.theory_line_.get_data()
    assert_allclose(y, hebb_overlap(x))
    assert x.max() == 0.2
    other = CapacityDisplay.from_estimator(
        HopfieldDenoiser("dense"), ax=display.ax_, **settings
    )
    assert other.ax_ is display.ax_ and other.theory_line_ is None
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["hebb", "theory of hebb", "dense"]


def test_pictures_want_a_fitted_memory(letters):
    for display in (HopfieldDisplay, EnergyDisplay):
        with pytest.raises(NotFittedError):
            display.from_estimator(HopfieldDenoiser(), letters)


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
