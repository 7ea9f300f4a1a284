"""Stored, corrupted and recalled patterns of a memory as images."""

import numpy as np

from sklearn_rnn._core.scalars import is_integer
from sklearn_rnn._core.sklearn_private import check_matplotlib_support
from sklearn_rnn.inspection._models import find_memory


class HopfieldDisplay:
    """Stored, corrupted and recalled patterns as images, side by side.

    Create it with :meth:`from_estimator`.

    Parameters
    ----------
    stored : ndarray of shape (n_samples, n_features)
        Stored pattern that is nearest to each recalled one.
    corrupted : ndarray of shape (n_samples, n_features)
        Patterns from which recall started.
    recalled : ndarray of shape (n_samples, n_features)
        Patterns in which recall ended.
    image_shape : tuple of 2 int or None, default=None
        Height and width of a pattern in pixels; None assumes a square.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes of shape (n_samples, 3)
        Axes of the images: one row per sample, with a column for each of ``stored``,
        ``corrupted`` and ``recalled``.
    figure_ : matplotlib Figure
        Figure that contains the axes.

    See Also
    --------
    EnergyDisplay : Energy of the network during recall.
    ImageFlattener : Flattens images to rows.

    Notes
    -----
    Units that are on are dark. Each column has its own scale, from its smallest to its
    largest value, because recalled patterns have two values whatever those of X are.

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
        """Recall the rows of X and draw them next to the nearest stored patterns.

        Parameters
        ----------
        estimator : estimator
            Fitted HopfieldDenoiser, or a Pipeline that ends in one.
        X : array-like of shape (n_samples, n_features)
            Corrupted patterns, or what the Pipeline turns into patterns. Each one takes
            a row of images, so pass a few.
        clamp : array-like of bool of shape (n_features,) or (n_samples, n_features), \
default=None
            Units that recall does not change, as in
            :meth:`~sklearn_rnn.HopfieldDenoiser.recall`.
        image_shape : tuple of 2 int or None, default=None
            Height and width of a pattern in pixels. None takes the shape that an
            ImageFlattener of the Pipeline was fitted on, and assumes a square without
            one.
        fig : matplotlib Figure or None, default=None
            Figure to draw on; None makes a new one.
        **image_kw : dict
            Passed to matplotlib's ``imshow``.

        Returns
        -------
        display : HopfieldDisplay
            The display.

        Raises
        ------
        TypeError
            If the estimator is not a HopfieldDenoiser.
        ValueError
            If the number of features is not height times width of ``image_shape``.
        """
        memory, X, own_shape = find_memory(estimator, X)
        recalled = memory.recall(X, clamp).patterns
        states = np.where(recalled > 0, 1, -1)
        nearest = (states @ memory.patterns_.T).argmax(axis=1)
        stored = memory.patterns_[nearest]
        image_shape = own_shape if image_shape is None else image_shape
        display = cls(stored, np.asarray(X), recalled, image_shape=image_shape)
        return display.plot(fig=fig, **image_kw)

    def plot(self, *, fig=None, **image_kw):
        """Draw one row of images per sample.

        Parameters
        ----------
        fig : matplotlib Figure or None, default=None
            Figure to draw on; None makes a new one.
        **image_kw : dict
            Passed to matplotlib's ``imshow``.

        Returns
        -------
        display : HopfieldDisplay
            The display.

        Raises
        ------
        ValueError
            If the number of features is not height times width of ``image_shape``.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        shape = check_shape(self.image_shape, np.shape(self.recalled)[1])
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
        for k, (title, patterns) in enumerate(columns.items()):
            self.axes_[0, k].set_title(title)
            kw = {"cmap": "gray_r", **_find_limits(patterns), **image_kw}
            for axes, pattern in zip(self.axes_[:, k], patterns, strict=True):
                axes.imshow(np.reshape(pattern, shape), **kw)
                axes.set(xticks=[], yticks=[])
        return self


def _find_limits(patterns):
    """Limits of the colors: those of the values, or of bits if all are equal."""
    low, high = float(np.min(patterns)), float(np.max(patterns))
    if low == high:
        low, high = min(low, 0.0), max(high, 1.0)
    return {"vmin": low, "vmax": high}


def check_shape(image_shape, n_features):
    """Height and width of an image; an error if the features do not fill it."""
    side = round(n_features**0.5)
    shape = (side, side) if image_shape is None else image_shape
    if (
        np.shape(shape) != (2,)
        or not all(is_integer(side, 1) for side in shape)
        or shape[0] * shape[1] != n_features
    ):
        raise ValueError(
            f"Patterns of {n_features} features do not fill an image of shape {shape}. "
            "Give image_shape=(height, width), with height * width features."
        )
    return shape
