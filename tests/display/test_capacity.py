"""CapacityDisplay shows measured overlaps and the theory of Hebb's rule."""

import numpy as np
from numpy.testing import assert_allclose

from sklearn_rnn import HopfieldDenoiser
from sklearn_rnn.display import CapacityDisplay
from sklearn_rnn.energy import capacity_curve, hebb_overlap


def test_the_capacity_of_hebb_is_drawn_with_its_theory():
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
    assert labels == ["hebb", "hebb, theory", "dense"]


def test_the_band_reaches_from_the_smallest_to_the_largest_repeat():
    overlaps = np.array([[0.9, 1.0, 0.8], [0.5, 0.1, 0.6]])
    display = CapacityDisplay([0.1, 0.2], overlaps).plot(color="red", marker="x")
    outline = display.fill_.get_paths()[0].vertices
    for load, row in zip([0.1, 0.2], overlaps, strict=True):
        at_load = outline[np.isclose(outline[:, 0], load), 1]
        assert_allclose([at_load.min(), at_load.max()], [row.min(), row.max()])
    assert_allclose(display.line_.get_ydata(), [0.9, 0.4])
    assert (display.line_.get_color(), display.line_.get_marker()) == ("red", "x")
    assert_allclose(display.fill_.get_facecolor(), [[1, 0, 0, 0.3]])
    assert display.line_.get_label() == "measured"
    assert display.theory_line_ is None


def test_flips_and_repeats_are_passed_to_capacity_curve():
    settings = {"n_features": 40, "loads": [0.1], "n_repeats": 5, "flipped": 0.4}
    settings["random_state"] = 0
    model = HopfieldDenoiser("dense", random_state=0)
    display = CapacityDisplay.from_estimator(model, **settings)
    curve = capacity_curve(model, **settings)
    assert display.overlaps.shape == (1, 5)
    assert_allclose(display.overlaps, curve.overlaps)
