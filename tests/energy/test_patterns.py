"""Patterns are rows; the error for images names the transformer that flattens them."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from sklearn_rnn import BoltzmannMachine, HopfieldDenoiser, ImageFlattener


@pytest.mark.parametrize("cls", [HopfieldDenoiser, BoltzmannMachine])
def test_error_for_images_names_the_image_flattener(cls, rng):
    images = np.sign(rng.normal(size=(3, 8, 8)))
    message = rf"dim 3.*make_pipeline\(ImageFlattener\(\), {cls.__name__}\(\)\)"
    with pytest.raises(ValueError, match=message):
        cls().fit(images)
    rows = cls().fit(images.reshape(3, -1) > 0)
    with pytest.raises(ValueError, match=message):
        rows.transform(images)
    model = make_pipeline(ImageFlattener(), cls()).fit(images > 0)
    assert len(model.transform(images > 0)) == 3


def test_other_errors_are_unchanged():
    with pytest.raises(ValueError, match="contains NaN"):
        HopfieldDenoiser().fit([[np.nan, 1.0]])
