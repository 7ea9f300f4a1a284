"""AttributionDisplay draws a sequence and the attributions of its steps."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_rnn import RNNClassifier, SequenceGenerator
from sklearn_rnn.display import AttributionDisplay
from sklearn_rnn.inspection import attribute

X = np.random.default_rng(0).normal(size=(12, 7, 2))
Y = X[:, 0, 0] > 0


@pytest.fixture(scope="module")
def model():
    return RNNClassifier(hidden_size=3, max_epochs=1, random_state=0).fit(X, Y)


def test_features_are_rows_of_a_heat_map(model):
    display = AttributionDisplay.from_estimator(
        model, X[0], target=True, feature_names=["speed", "$x$"]
    )
    expected = attribute(model, X[:1], target=True).attributions[0]
    assert_allclose(display.image_.get_array(), expected.T)
    low, high = display.image_.get_clim()
    assert low == -high
    lines = display.axes_[0].get_lines()
    assert_allclose([line.get_ydata() for line in lines], X[0].T, rtol=1e-6)
    legend = display.axes_[0].get_legend().get_texts()
    assert [text.get_text() for text in legend] == ["speed", "$x$"]
    label = display.colorbar_.ax.get_ylabel()
    assert label == "attribution to\nlog-odds of True"
    assert display.bars_ is None


def test_steps_are_bars(model):
    fig = plt.figure()
    display = AttributionDisplay.from_estimator(
        model, X[0], method="occlusion", fig=fig
    )
    expected = attribute(model, X[:1], method="occlusion").attributions[0]
    assert_allclose([bar.get_height() for bar in display.bars_], expected)
    assert display.figure_ is fig and display.image_ is None


def test_tokens_label_the_bars():
    model = SequenceGenerator(hidden_size=3, max_epochs=1, random_state=0)
    model.fit(["anna", "otto"] * 6)
    display = AttributionDisplay.from_estimator(model, "otto", output="proba")
    (ax,) = display.axes_
    assert [text.get_text() for text in ax.get_xticklabels()] == list("otto")
    assert ax.get_ylabel().startswith("attribution to\nprobability of ")


def test_padding_is_not_drawn(model):
    padded = X[:2].copy()
    padded[1, 4:] = np.nan
    result = attribute(model, padded)
    display = AttributionDisplay.from_attributions(result, 1)
    assert display.image_.get_array().shape == (2, 4)


def test_many_features_are_an_image():
    values = np.arange(27.0).reshape(3, 9)
    display = AttributionDisplay(np.ones(3), values).plot()
    assert_array_equal(display.axes_[0].images[0].get_array(), values.T)


def test_values_that_do_not_fit_are_errors():
    with pytest.raises(ValueError, match=r"values have 3 steps, but .* have 2"):
        AttributionDisplay(np.ones(2), np.ones(3)).plot()
    with pytest.raises(ValueError, match="labels have 1 steps"):
        AttributionDisplay(np.ones(2), labels=["a"]).plot()
    with pytest.raises(ValueError, match="attributions must have the shape"):
        AttributionDisplay(np.ones((2, 2, 2))).plot()
    with pytest.raises(ValueError, match="NaN or infinity"):
        AttributionDisplay([1, np.nan]).plot()
    with pytest.raises(ValueError, match="1 feature_names for 2 features"):
        AttributionDisplay(np.ones((2, 2)), feature_names=["a"]).plot()
