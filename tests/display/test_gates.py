"""GateDisplay draws the gates of a layer below each other."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_rnn import RNNClassifier, SequenceGenerator
from sklearn_rnn.display import GateDisplay
from sklearn_rnn.inspection._gates import compute_gates

X = np.random.default_rng(0).normal(size=(12, 7, 2))


@pytest.fixture(scope="module")
def model():
    model = RNNClassifier("lstm", 6, max_epochs=1, random_state=0)
    return model.fit(X, X[:, 0, 0] > 0)


def test_all_gates_are_heat_maps(model):
    display = GateDisplay.from_estimator(model, X[0])
    expected = compute_gates(model, X[0]).values
    titles = [ax.get_title(loc="left") for ax in display.axes_]
    assert titles[1] == "forget gate f" and len(titles) == 6
    assert display.lines_ is None
    for image, values in zip(display.images_, expected.values(), strict=True):
        assert_allclose(image.get_array(), values.T)
    assert display.images_[1].get_clim() == (0, 1)
    low, high = display.images_[4].get_clim()
    assert low == -high < 0
    assert display.axes_[-1].get_xlabel() == "step"


def test_few_units_are_lines(model):
    display = GateDisplay.from_estimator(model, X[0], gates=["f", "c"], units=[5, 0])
    expected = compute_gates(model, X[0]).values["c"][:, [5, 0]]
    found = np.column_stack([line.get_ydata() for line in display.lines_[1]])
    assert_array_equal(found, expected)
    legend = display.axes_[0].get_legend().get_texts()
    assert [text.get_text() for text in legend] == ["unit 5", "unit 0"]
    assert display.images_ is None


def test_tokens_label_the_steps_and_units_the_rows():
    model = SequenceGenerator(hidden_size=6, max_epochs=1, random_state=0)
    model.fit(["anna", "otto"] * 5)
    fig = plt.figure()
    display = GateDisplay.from_estimator(
        model, "otto", gates=["f"], units=[4, 2], heatmap=True, fig=fig, cmap="Greys"
    )
    assert display.figure_ is fig
    (ax,) = display.axes_
    assert [text.get_text() for text in ax.get_xticklabels()] == list("otto")
    assert [text.get_text() for text in ax.get_yticklabels()] == ["4", "2"]
    assert display.images_[0].get_cmap().name == "Greys"


def test_values_that_do_not_fit_are_errors(model):
    with pytest.raises(ValueError, match="arrays of one shape"):
        GateDisplay({"f": np.ones((3, 2)), "c": np.ones((4, 2))}).plot()
    with pytest.raises(ValueError, match="2 labels for 3 steps"):
        GateDisplay({"f": np.ones((3, 2))}, labels="ab").plot()
    with pytest.raises(ValueError, match=r"units=\[6\]"):
        GateDisplay.from_estimator(model, X[0], units=[6])
