"""What a memory makes of corrupted patterns."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._core.sklearn_private import check_matplotlib_support


class HopfieldDisplay:
    """Stored, corrupted and recalled patterns as images, side by side.

    Made by :meth:`from_estimator`, as a rule.

    Parameters
    ----------
    stored : ndarray of shape (n_samples, n_features)
        Patterns that should come back.
    corrupted : ndarray of shape (n_samples, n_features)
        What recall started from.
    recalled : ndarray of shape (n_samples, n_features)
        What it came to.
    image_shape : tuple of 2 int or None, default=None
        Height and width of a pattern; None is a square.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes of shape (n_samples, 3)
        An image each.
    figure_ : matplotlib Figure
        Their figure.

    See Also
    --------
    EnergyDisplay : Energy on the way.
    ImageFlattener : Images as rows.

    Examples
    --------
    >>> from sklearn_rnn import HopfieldDenoiser
    >>> from sklearn_rnn.datasets import load_letters
    >>> from sklearn_rnn.display import HopfieldDisplay
    >>> letters = load_letters().data[:3]
    >>> memory = HopfieldDenoiser(random_state=0).fit(letters)
    >>> half = letters.copy()
    >>> half[:, 32:] = 0
    >>> display = HopfieldDisplay.from_estimator(memory, half)
    """

    def __init__(self, stored, corrupted, recalled, *, image_shape=None):
        self.stored = stored
        self.corrupted = corrupted
        self.recalled = recalled
        self.image_shape = image_shape

    @classmethod
    def from_estimator(
        cls, estimator, X, *, clamp=None, image_shape=None, fig=None, **image_kw
    ):
        """Recall the rows of X and draw them beside the stored patterns they become.

        Parameters
        ----------
        estimator : HopfieldDenoiser
            A fitted memory.
        X : array-like of shape (n_samples, n_features)
            Corrupted patterns; a line of images each, so a few.
        clamp : array-like of bool, default=None
            Units that stay, as in :meth:`HopfieldDenoiser.recall`.
        image_shape : tuple of 2 int or None, default=None
            Height and width of a pattern; None is a square.
        fig : matplotlib Figure or None, default=None
            Where to draw; None is a new one.
        **image_kw : dict
            Passed to matplotlib's ``imshow``.

        Returns
        -------
        display : HopfieldDisplay
            The picture.
        """
        check_is_fitted(estimator)
        recalled = estimator.recall(X, clamp).patterns
        states = np.where(recalled > 0, 1, -1)
        nearest = (states @ estimator.patterns_.T).argmax(axis=1)
        stored = estimator.patterns_[nearest]
        display = cls(stored, np.asarray(X), recalled, image_shape=image_shape)
        return display.plot(fig=fig, **image_kw)

    def plot(self, *, fig=None, **image_kw):
        """Draw.

        Parameters
        ----------
        fig : matplotlib Figure or None, default=None
            Where to draw; None is a new one.
        **image_kw : dict
            Passed to matplotlib's ``imshow``.

        Returns
        -------
        display : HopfieldDisplay
            The picture.

        Raises
        ------
        ValueError
            If the patterns do not fill images of ``image_shape``.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        shape = _image_shape(self.image_shape, np.shape(self.recalled)[1])
        columns = {
            "Stored": self.stored,
            "Corrupted": self.corrupted,
            "Recalled": self.recalled,
        }
        n_rows = len(self.recalled)
        if fig is None:
            import matplotlib.pyplot as plt

            fig = plt.figure(figsize=(5, 1.7 * n_rows + 0.3), layout="constrained")
        self.figure_ = fig
        self.axes_ = fig.subplots(n_rows, 3, squeeze=False)
        image_kw = {"cmap": "gray_r"} | image_kw
        for k, (title, patterns) in enumerate(columns.items()):
            self.axes_[0, k].set_title(title)
            for axes, pattern in zip(self.axes_[:, k], patterns, strict=True):
                axes.imshow(np.reshape(pattern, shape), **image_kw)
                axes.set(xticks=[], yticks=[])
        return self


def _image_shape(image_shape, n_features):
    """Height and width of an image, checked."""
    side = round(n_features**0.5)
    shape = (side, side) if image_shape is None else tuple(image_shape)
    if len(shape) != 2 or shape[0] * shape[1] != n_features:
        raise ValueError(
            f"Patterns of {n_features} features do not fill an image of shape {shape}. "
            "Give image_shape=(height, width), with height * width features."
        )
    return shape
