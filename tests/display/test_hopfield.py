"""HopfieldDisplay shows stored, corrupted and recalled patterns."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from sklearn_rnn import HopfieldDenoiser, ImageFlattener
from sklearn_rnn.display import HopfieldDisplay


def shown(axes):
    return np.asarray(axes.images[0].get_array())


def test_stored_corrupted_and_recalled_patterns_are_side_by_side(memory, letters):
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


def test_images_of_another_shape_with_clamped_units(memory, letters):
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


@pytest.mark.parametrize("image_shape", [(8, 7), (64,), 64, (8.0, 8.0), (-8, -8), None])
def test_a_shape_that_does_not_fit_is_refused(image_shape):
    n_features = 60 if image_shape is None else 64
    display = HopfieldDisplay(*np.zeros((3, 1, n_features)), image_shape=image_shape)
    with pytest.raises(ValueError, match=r"do not fill an image.*height, width"):
        display.plot()


def test_an_unfitted_memory_is_refused(letters):
    with pytest.raises(NotFittedError):
        HopfieldDisplay.from_estimator(HopfieldDenoiser(), letters)


def test_a_constant_pattern_of_units_that_are_on_is_dark():
    on, off = np.ones((1, 4)), np.zeros((1, 4))
    for corrupted, recalled in ((on, on), (off, off), (on, off)):
        axes = HopfieldDisplay(on, corrupted, recalled).plot().axes_[0]
        for ax, pattern in zip(axes, (on, corrupted, recalled), strict=True):
            image = ax.images[0]
            assert float(image.norm(pattern[0, 0])) == pattern[0, 0]


def test_images_of_a_pipeline_have_their_shape_and_recalled_ones_their_own_scale():
    rng = np.random.default_rng(0)
    images = rng.choice([0.0, 255.0], (1, 4, 9))
    memory = HopfieldDenoiser(binarize=100.0)
    pipeline = make_pipeline(ImageFlattener(), memory).fit(images)
    display = HopfieldDisplay.from_estimator(pipeline, images)
    _, corrupted, recalled = (axes.images[0] for axes in display.axes_[0])
    assert corrupted.get_clim() == (0, 255)
    assert recalled.get_clim() == (0, 1)
    assert_array_equal(recalled.get_array(), images[0] / 255)
