"""ImageFlattener: conversion of images to rows, and back."""

import math

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._core.documentation import DocumentedEstimator
from sklearn_rnn._core.drafts import draft, on_snapshot
from sklearn_rnn._core.sklearn_private import _check_feature_names_in
from sklearn_rnn._data.cells import explain_errors, read_table, refuse_dates
from sklearn_rnn._data.containers import unwrap


class ImageFlattener(TransformerMixin, DocumentedEstimator):
    """Transformer that flattens images to rows and restores images from rows.

    It does what ``images.reshape(len(images), -1)`` does, as a step of a pipeline. It
    also checks that all images have the same shape, and can be inverted.

    Attributes
    ----------
    image_shape_ : tuple of int
        Shape of one image; the length of a row if X has rows instead of images.
    n_features_in_ : int
        Number of pixels of an image.
    feature_names_in_ : ndarray of str of shape (`n_features_in_`,)
        Names of the columns, when fitted on a frame of rows.

    See Also
    --------
    HopfieldDenoiser : Recalls stored images from corrupted ones.
    sklearn_rnn.display.HopfieldDisplay : Draws rows as images.

    Notes
    -----
    Pixels keep their data type. If X has rows instead of images, they are returned
    unchanged.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_rnn import HopfieldDenoiser, ImageFlattener
    >>> from sklearn_rnn.datasets import load_letters
    >>> images = load_letters().images[:3]
    >>> images.shape
    (3, 8, 8)
    >>> memory = make_pipeline(ImageFlattener(), HopfieldDenoiser()).fit(images)
    >>> memory[0].inverse_transform(memory.transform(images)).shape
    (3, 8, 8)
    """

    def fit(self, X, y=None):
        """Record the shape of an image.

        Parameters
        ----------
        X : array-like of shape (n_images, ...)
            Images with any number of axes, such as height, width and color channel.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError
            If images differ in shape or contain NaN.
        """
        X = unwrap(X, missing=False)
        with draft(self) as new:
            if _is_rows(X):
                X = read_table(new, X, dtype="numeric")
            else:
                X = _images(X)
                new.__dict__.pop("feature_names_in_", None)
                new.n_features_in_ = math.prod(X.shape[1:])
            new.image_shape_ = X.shape[1:]
        return self

    @on_snapshot
    def transform(self, X):
        """Flatten each image to a row.

        Parameters
        ----------
        X : array-like of shape (n_images, ...)
            Images of the same shape as in :meth:`fit`.

        Returns
        -------
        rows : ndarray of shape (n_images, n_features)
            Pixels in C order (the last axis changes fastest), as a copy.

        Raises
        ------
        ValueError
            If images have another shape than in :meth:`fit`.
        """
        check_is_fitted(self)
        X = unwrap(X, missing=False)
        if _is_rows(X):
            return read_table(self, X, reset=False, dtype="numeric", copy=True)
        X = _images(X)
        if X.shape[1:] != self.image_shape_:
            raise ValueError(
                f"X has images of shape {X.shape[1:]}, but {type(self).__name__} was "
                f"fitted with images of shape {self.image_shape_}. Pass images of that "
                "shape."
            )
        return X.reshape(len(X), -1).copy()

    @on_snapshot
    def inverse_transform(self, X):
        """Restore images from rows.

        Parameters
        ----------
        X : array-like of shape (n_images, n_features)
            Rows as :meth:`transform` returns them.

        Returns
        -------
        images : ndarray of shape (n_images, ...)
            Images, as a copy.

        Raises
        ------
        ValueError
            If a row has another number of pixels than an image in :meth:`fit`.
        """
        check_is_fitted(self)
        X = unwrap(X)
        with explain_errors(X):
            X = check_array(X, copy=True, input_name="X")
        if X.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {X.shape[1]} features, but an image of shape "
                f"{self.image_shape_} has {self.n_features_in_} pixels. Pass rows as "
                "transform returns them."
            )
        return X.reshape(len(X), *self.image_shape_)

    @on_snapshot
    def get_feature_names_out(self, input_features=None):
        """Return the names of the pixels.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns, if X has rows instead of images. None means the names
            seen in fit, or x0, x1 and so on.

        Returns
        -------
        names : ndarray of str of shape (n_features,)
            Names of the form ``pixel_<row>_<column>`` for images, and
            ``input_features`` for rows.
        """
        check_is_fitted(self)
        if len(self.image_shape_) == 1 or input_features is not None:
            return _check_feature_names_in(self, input_features)
        places = np.ndindex(self.image_shape_)
        names = ["pixel_" + "_".join(map(str, place)) for place in places]
        return np.array(names, dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _is_rows(X):
    """Return whether X is a table of rows, or invalid input for check_array."""
    return hasattr(X, "columns") or len(_shape(X)) <= 2


def _shape(X):
    """Return the shape of X without a copy; of a list, that of its first image."""
    if hasattr(X, "shape"):
        return tuple(X.shape)
    try:
        return (len(X), *np.shape(X[0]))
    except (TypeError, IndexError, KeyError, ValueError):
        return ()


def _images(X):
    """Convert X to an array of images of the same shape."""
    if isinstance(X, (list, tuple)):
        shapes = [np.shape(image) for image in X]
        odd = [k for k, shape in enumerate(shapes) if shape != shapes[0]]
        if odd:
            raise ValueError(
                f"image {odd[0]} of X has the shape {shapes[odd[0]]}, but image 0 has "
                f"the shape {shapes[0]}. Resize all images to the same shape."
            )
    with explain_errors(X):
        images = check_array(X, dtype="numeric", allow_nd=True, input_name="X")
        refuse_dates(images)
    return images
