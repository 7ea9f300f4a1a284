"""Weights of Hopfield networks and Boltzmann machines."""

import numpy as np
from sklearn.pipeline import Pipeline

from sklearn_rnn._core.sklearn_private import check_matplotlib_support
from sklearn_rnn.display._axes import label_rows, number_places
from sklearn_rnn.display._colors import merge_colors
from sklearn_rnn.display._hopfield import check_shape
from sklearn_rnn.display._sequence import check_units
from sklearn_rnn.inspection._models import find_best_estimator

MOST_IMAGES = 60  # of units with the largest weights, if none are selected
WHAT = {
    "between": "components_",
    "visible": "visible_weights_",
    "hidden": "hidden_weights_",
}


class WeightsDisplay:
    """Weights of a Hopfield network or Boltzmann machine, as a matrix or as images.

    Create it with :meth:`from_estimator`.

    Parameters
    ----------
    weights : ndarray of shape (n_units, n_features)
        Weights of each unit.
    units : list of int or None, default=None
        Numbers of the units; None counts them from 0.
    image_shape : tuple of 2 int or None, default=None
        Height and width of the image of each unit; None draws a matrix.
    xlabel, ylabel : str, default="unit"
        Names of columns and rows of the matrix.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        One Axes for the matrix, or one per image.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    images_ : list of matplotlib AxesImage
        The matrix or the images, which have the same colors.
    colorbar_ : matplotlib Colorbar
        Color bar of the weights.

    See Also
    --------
    HopfieldDisplay : Patterns before and after recall.

    Notes
    -----
    Positive weights are red, negative ones blue. The limits of the colors are plus and
    minus the 99.9 % quantile of the absolute weights, so that single weights do not
    hide the others.

    Examples
    --------
    >>> from sklearn_rnn import HopfieldDenoiser
    >>> from sklearn_rnn.datasets import load_letters
    >>> from sklearn_rnn.display import WeightsDisplay
    >>> memory = HopfieldDenoiser(random_state=0).fit(load_letters().data[:3])
    >>> display = WeightsDisplay.from_estimator(memory)
    """

    def __init__(
        self, weights, *, units=None, image_shape=None, xlabel="unit", ylabel="unit"
    ):
        self.weights = weights
        self.units = units
        self.image_shape = image_shape
        self.xlabel = xlabel
        self.ylabel = ylabel

    @classmethod
    def from_estimator(
        cls,
        estimator,
        *,
        kind="auto",
        what="between",
        units=None,
        image_shape=None,
        fig=None,
        **image_kw,
    ):
        """Draw the weights of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted HopfieldDenoiser or BoltzmannMachine, or a Pipeline that ends in one.
        kind : {"auto", "matrix", "images"}, default="auto"
            "matrix" draws one row per unit. "images" draws the weights of each unit as
            an image of the pattern: for a Boltzmann machine, what the unit responds to.
            "auto" draws images for a Boltzmann machine and a matrix otherwise.
        what : {"between", "visible", "hidden"}, default="between"
            Weights of a Boltzmann machine: between hidden and visible units or, with
            ``connections="full"``, between visible or between hidden units. A
            HopfieldDenoiser has one kind of weights.
        units : list of int or None, default=None
            Indices of the units to draw. None draws all rows of a matrix, and images of
            at most 60 units, those with the largest weights.
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
        display : WeightsDisplay
            The display.

        Raises
        ------
        TypeError
            If the estimator is not a HopfieldDenoiser or BoltzmannMachine.
        ValueError
            If the estimator does not have these weights, or if the number of features
            is not height times width of ``image_shape``.
        """
        model, own_shape = _find_model(estimator)
        is_machine = hasattr(model, "components_")
        if kind not in ("auto", "matrix", "images"):
            raise ValueError(f'kind={kind!r}; expected "auto", "matrix" or "images".')
        weights = _find_weights(model, what)
        if kind == "auto":
            kind = "images" if is_machine and what == "between" else "matrix"
        if units is not None:
            units = check_units(units, len(weights), "weights")
        elif kind == "images" and len(weights) > MOST_IMAGES:
            norms = np.linalg.norm(weights, axis=1)
            units = np.argsort(-norms, kind="stable")[:MOST_IMAGES].tolist()
        weights = weights if units is None else weights[units]
        if kind == "images":
            given = own_shape if image_shape is None else image_shape
            image_shape = check_shape(given, weights.shape[1])
        hidden_rows = is_machine and what != "visible"
        hidden_columns = is_machine and what == "hidden"
        display = cls(
            weights,
            units=units,
            image_shape=image_shape if kind == "images" else None,
            xlabel="hidden unit" if hidden_columns else "feature",
            ylabel="hidden unit" if hidden_rows else "feature",
        )
        return display.plot(fig=fig, **image_kw)

    def plot(self, *, fig=None, **image_kw):
        """Draw the weights with a color bar.

        Parameters
        ----------
        fig : matplotlib Figure or None, default=None
            Figure to draw on; None makes a new one.
        **image_kw : dict
            Passed to matplotlib's ``imshow``.

        Returns
        -------
        display : WeightsDisplay
            The display.

        Raises
        ------
        ValueError
            If ``weights`` is not a table of finite numbers, or if the number of
            features is not height times width of ``image_shape``.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        weights = np.asarray(self.weights)
        if weights.ndim != 2 or not weights.size:
            raise ValueError(
                "weights must have the shape (n_units, n_features); got "
                f"{weights.shape}."
            )
        if not np.isfinite(weights).all():
            raise ValueError("weights contain NaN or infinity.")
        limit = float(np.quantile(np.abs(weights), 0.999)) or 1.0
        colors = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
        kw = merge_colors(colors, image_kw)
        if self.image_shape is None:
            self._draw_matrix(weights, fig, kw)
        else:
            self._draw_images(weights, fig, kw)
        low, high = self.images_[0].get_clim()
        is_cut = weights.min() < low or weights.max() > high
        extend = "both" if is_cut else "neither"
        self.colorbar_ = self.figure_.colorbar(
            self.images_[0], ax=list(self.axes_), label="weight", extend=extend
        )
        return self

    def _make_figure(self, fig, size):
        if fig is None:
            import matplotlib.pyplot as plt

            fig = plt.figure(figsize=size, layout="constrained")
        self.figure_ = fig

    def _draw_matrix(self, weights, fig, kw):
        """Draw one row per unit."""
        self._make_figure(fig, (5.6, 4.6))
        ax = self.figure_.subplots()
        self.axes_ = np.array([ax])
        self.images_ = [ax.imshow(weights, **{"aspect": "auto"} | kw)]
        ax.set(xlabel=self.xlabel, ylabel=self.ylabel)
        label_rows(ax.yaxis, None if self.units is None else list(map(str, self.units)))
        number_places(ax.xaxis)

    def _draw_images(self, weights, fig, kw):
        """Draw one image per unit."""
        shape = check_shape(self.image_shape, weights.shape[1])
        n_columns = min(10, int(np.ceil(np.sqrt(1.6 * len(weights)))))
        n_rows = -(-len(weights) // n_columns)
        self._make_figure(fig, (0.85 * n_columns + 1, 0.98 * n_rows + 0.2))
        axes = self.figure_.subplots(n_rows, n_columns, squeeze=False).ravel()
        for ax in axes[len(weights) :]:
            ax.remove()
        self.axes_ = axes[: len(weights)]
        units = range(len(weights)) if self.units is None else self.units
        self.images_ = []
        for ax, row, unit in zip(self.axes_, weights, units, strict=True):
            self.images_.append(ax.imshow(row.reshape(shape), **kw))
            ax.set(xticks=[], yticks=[])
            ax.set_title(str(unit), fontsize=7, pad=2)


def _find_model(estimator):
    """A fitted memory or machine, and the shape of its images or None."""
    model, shape = find_best_estimator(estimator), None
    while isinstance(model, Pipeline):
        if len(model.steps) > 1:
            shape = getattr(model.steps[-2][1], "image_shape_", None)
        model = find_best_estimator(model.steps[-1][1])
    if not (hasattr(model, "recall") or hasattr(model, "components_")):
        raise TypeError(
            f"{type(model).__name__} has no symmetric weights; expected a fitted "
            "HopfieldDenoiser or BoltzmannMachine, or a Pipeline that ends in one."
        )
    return model, shape if shape is None or len(shape) == 2 else None


def _find_weights(model, what):
    """The weights of a memory or machine."""
    if what not in WHAT:
        raise ValueError(f"what={what!r}; expected one of {list(WHAT)}.")
    if hasattr(model, "components_"):
        weights = getattr(model, WHAT[what], None)
        if weights is None:
            raise ValueError(
                f"the BoltzmannMachine has no {what} weights. Set what='between', or "
                'fit one with connections="full".'
            )
        return weights
    weights = getattr(model, "weights_", None)
    if weights is None:
        raise ValueError(
            f"the HopfieldDenoiser with rule={model.rule!r} has no weights between "
            'pairs of units. Draw the stored patterns, or fit one with rule="hebb".'
        )
    return weights
