"""ImageFlattener: images to rows and back."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.pipeline import make_pipeline

from sklearn_rnn import HopfieldDenoiser, ImageFlattener
from sklearn_rnn.datasets import load_letters


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 2), (2, 3, 2, 2), (6,)], ids=str)
@pytest.mark.parametrize("dtype", [np.uint8, bool, np.float32, np.float64])
def test_images_become_rows_and_rows_images(shape, dtype, rng):
    images = rng.integers(0, 2, (5, *shape)).astype(dtype)
    flattener = ImageFlattener().fit(images)
    rows = flattener.transform(images)
    assert_array_equal(rows, images.reshape(5, -1))
    assert rows.dtype == dtype
    assert flattener.image_shape_ == shape
    assert flattener.n_features_in_ == rows.shape[1]
    assert_array_equal(flattener.inverse_transform(rows), images)


def test_results_are_copies(rng):
    for images in (rng.random((3, 2, 2)), rng.random((3, 4))):
        original = images.copy()
        flattener = ImageFlattener().fit(images)
        rows = flattener.transform(images)
        flattener.inverse_transform(rows)[:] = 9
        assert rows.max() < 9
        rows[:] = 9
        assert_array_equal(images, original)


def test_lists_of_images_are_read(rng):
    images = [rng.random((2, 3)) for _ in range(4)]
    assert_array_equal(
        ImageFlattener().fit_transform(images), np.reshape(images, (4, 6))
    )


def test_images_of_another_shape_raise_an_error(rng):
    flattener = ImageFlattener().fit(rng.random((3, 4, 2)))
    with pytest.raises(ValueError, match=r"shape \(2, 4\).*fitted with .*\(4, 2\)"):
        flattener.transform(rng.random((3, 2, 4)))
    with pytest.raises(ValueError, match=r"image 1 of X has the shape \(3, 2\)"):
        ImageFlattener().fit([rng.random((2, 2)), rng.random((3, 2))])
    with pytest.raises(ValueError, match=r"7 features.*\(4, 2\) has 8 pixels"):
        flattener.inverse_transform(rng.random((3, 7)))
    with pytest.raises(ValueError, match="NaN"):
        ImageFlattener().fit(np.full((2, 2, 2), np.nan))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (None, "Expected 2D array"),
        (7, "Expected 2D array"),
        ([], "Expected 2D array"),
        ({"image": [[1.0]]}, "X is a dict"),
        ([[[1.0, 2.0], [3.0]]], "X cannot be read as numbers"),
    ],
    ids=str,
)
def test_invalid_input_raises_the_errors_of_scikit_learn(X, message):
    with pytest.raises((TypeError, ValueError), match=message):
        ImageFlattener().fit(X)


def test_rows_and_images_of_the_same_size_are_distinguished(rng):
    flattener = ImageFlattener().fit(rng.random((3, 4, 2)))
    assert flattener.transform(rng.random((3, 8))).shape == (3, 8)
    with pytest.raises(ValueError, match="X has 7 features"):
        flattener.transform(rng.random((3, 7)))


def test_pixels_have_names(rng):
    flattener = ImageFlattener().fit(rng.random((3, 2, 2)))
    assert list(flattener.get_feature_names_out()) == [
        "pixel_0_0",
        "pixel_0_1",
        "pixel_1_0",
        "pixel_1_1",
    ]
    frame = pd.DataFrame(rng.random((3, 2)), columns=["a", "b"])
    assert list(ImageFlattener().fit(frame).get_feature_names_out()) == ["a", "b"]
    # images have no names, whatever was fitted before
    flattener.fit(frame).fit(rng.random((3, 2, 2)))
    assert not hasattr(flattener, "feature_names_in_")


def test_images_are_recalled_in_a_pipeline():
    images = load_letters().images[:3].astype(float)
    memory = make_pipeline(ImageFlattener(), HopfieldDenoiser("dense"))
    half = images.copy()
    half[:, 6:] = 0
    recalled = memory.fit(images).transform(half)
    assert_array_equal(memory[0].inverse_transform(recalled), images)


def test_text_raises_an_error(rng):
    flattener = ImageFlattener().fit(rng.normal(size=(3, 2, 2)))
    with pytest.raises(ValueError, match="X cannot be read as numbers"):
        flattener.inverse_transform(np.array([["a", "owl", "c", "d"]]))
