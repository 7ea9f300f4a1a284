"""WeightsDisplay draws weights of memories and machines."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from sklearn_rnn import BoltzmannMachine, HopfieldDenoiser, ImageFlattener
from sklearn_rnn.display import WeightsDisplay

RNG = np.random.default_rng(0)
IMAGES = (RNG.random((20, 2, 3)) > 0.5).astype(float)


def machine(n_hidden=4, **params):
    return BoltzmannMachine(
        n_hidden, max_epochs=1, ais_steps=0, random_state=0, **params
    )


def test_a_memory_is_a_matrix(letters):
    memory = HopfieldDenoiser(random_state=0).fit(letters[:3])
    display = WeightsDisplay.from_estimator(memory)
    (image,) = display.images_
    assert_array_equal(image.get_array(), memory.weights_)
    low, high = image.get_clim()
    assert low == -high < 0
    (ax,) = display.axes_
    assert ax.get_xlabel() == ax.get_ylabel() == "feature"
    assert display.colorbar_.ax.get_ylabel() == "weight"
    images = WeightsDisplay.from_estimator(memory, kind="images", units=[3, 60])
    assert [ax.get_title() for ax in images.axes_] == ["3", "60"]
    assert images.images_[1].get_array().shape == (8, 8)


def test_a_machine_of_a_pipeline_is_images():
    model = make_pipeline(ImageFlattener(), machine()).fit(IMAGES)
    display = WeightsDisplay.from_estimator(model)
    assert len(display.axes_) == 4
    for image, row in zip(display.images_, model[-1].components_, strict=True):
        assert_array_equal(image.get_array(), row.reshape(2, 3))
    matrix = WeightsDisplay.from_estimator(model, kind="matrix")
    assert matrix.axes_[0].get_ylabel() == "hidden unit"
    matrix = WeightsDisplay.from_estimator(model, kind="matrix", units=[1, 3])
    labels = matrix.axes_[0].get_yticklabels()
    assert [label.get_text() for label in labels] == ["1", "3"]
    assert all(tick == round(tick) for tick in matrix.axes_[0].get_xticks())


def test_the_units_with_the_largest_weights_are_drawn():
    model = machine(64).fit(IMAGES.reshape(20, 6))
    display = WeightsDisplay.from_estimator(model, image_shape=(3, 2))
    norms = np.linalg.norm(model.components_, axis=1)
    assert len(display.axes_) == 60
    assert int(display.axes_[0].get_title()) == norms.argmax()


@pytest.mark.parametrize("what", ["visible", "hidden"])
def test_weights_of_a_full_machine(what):
    model = machine(connections="full").fit(IMAGES.reshape(20, 6))
    display = WeightsDisplay.from_estimator(model, what=what)
    expected = getattr(model, f"{what}_weights_")
    assert_allclose(display.images_[0].get_array(), expected)


def test_weights_that_do_not_exist_are_errors(memory):
    with pytest.raises(ValueError, match="rule='dense' has no weights between"):
        WeightsDisplay.from_estimator(memory)
    model = machine().fit(IMAGES.reshape(20, 6))
    with pytest.raises(ValueError, match="no hidden weights"):
        WeightsDisplay.from_estimator(model, what="hidden")
    with pytest.raises(ValueError, match="what='all'"):
        WeightsDisplay.from_estimator(model, what="all")
    with pytest.raises(ValueError, match="kind='rows'"):
        WeightsDisplay.from_estimator(model, kind="rows")
    with pytest.raises(ValueError, match="do not fill an image"):
        WeightsDisplay.from_estimator(model)
    with pytest.raises(TypeError, match="LinearRegression has no symmetric weights"):
        WeightsDisplay.from_estimator(LinearRegression().fit([[0], [1]], [0, 1]))
    with pytest.raises(ValueError, match="weights must have the shape"):
        WeightsDisplay(np.ones(3)).plot()
    with pytest.raises(ValueError, match="NaN or infinity"):
        WeightsDisplay([[np.nan, 1]]).plot()
