"""Attributions of a prediction over the steps of a sequence."""

import numpy as np

from sklearn_rnn._core.sklearn_private import check_matplotlib_support
from sklearn_rnn.display._axes import (
    draw_legend,
    draw_line,
    fit_figure,
    label_rows,
    label_ticks,
    number_places,
)
from sklearn_rnn.display._colors import choose_colors, merge_colors
from sklearn_rnn.display._text import describe_target
from sklearn_rnn.inspection._gates import attribute_one

RISE, FALL = "#b2182b", "#2166ac"  # the ends of the color map RdBu_r
MOST_LINES = 8  # more features are drawn as a heat map


class AttributionDisplay:
    """A sequence, and the attributions of a prediction to its steps.

    Create it with :meth:`from_estimator` or :meth:`from_attributions`.

    Parameters
    ----------
    attributions : ndarray of shape (n_timesteps,) or (n_timesteps, n_features)
        Attribution of each step, or of each feature of each step.
    values : ndarray of shape (n_timesteps, n_features) or None, default=None
        Values of the sequence, which are drawn above the attributions.
    labels : list of str or None, default=None
        Names of the steps, such as the tokens of a text.
    feature_names : list of str or None, default=None
        Names of the features; None numbers them.
    ylabel : str, default="attribution"
        Quantity of the attributions.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Axes of the values, if there are any, and of the attributions.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    bars_ : matplotlib BarContainer or None
        One bar per step; None if features are drawn as a heat map.
    image_ : matplotlib AxesImage or None
        Heat map with one row per feature.
    colorbar_ : matplotlib Colorbar or None
        Color bar of the heat map.

    See Also
    --------
    TextDisplay : Attributions as colors of a text.
    sklearn_rnn.inspection.attribute : Computes attributions.

    Notes
    -----
    Red steps increase the output that is explained, and blue ones decrease it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNClassifier
    >>> from sklearn_rnn.display import AttributionDisplay
    >>> X = np.random.default_rng(0).normal(size=(20, 9))
    >>> model = RNNClassifier("lstm", 4, max_epochs=1, random_state=0)
    >>> model = model.fit(X, X.sum(axis=1) > 0)
    >>> display = AttributionDisplay.from_estimator(model, X[0], target=True)
    """

    def __init__(
        self,
        attributions,
        values=None,
        *,
        labels=None,
        feature_names=None,
        ylabel="attribution",
    ):
        self.attributions = attributions
        self.values = values
        self.labels = labels
        self.feature_names = feature_names
        self.ylabel = ylabel

    @classmethod
    def from_estimator(
        cls,
        estimator,
        sequence,
        *,
        labels=None,
        feature_names=None,
        fig=None,
        **options,
    ):
        """Explain the prediction for one sequence, and draw the attributions.

        Parameters
        ----------
        estimator : estimator
            Fitted estimator, as in :func:`~sklearn_rnn.inspection.attribute`.
        sequence : array-like of shape (n_timesteps,) or (n_timesteps, n_features), or \
str
            Sequence to explain, or a container with one row, such as ``X[:1]``.
        labels : list of str or None, default=None
            Names of the steps. None takes the tokens of a text, and numbers otherwise.
        feature_names : list of str or None, default=None
            Names of the features; None numbers them.
        fig : matplotlib Figure or None, default=None
            Figure to draw on; None makes a new one.
        **options : dict
            Passed to :func:`~sklearn_rnn.inspection.attribute`, for example ``method``,
            ``target`` and ``output``.

        Returns
        -------
        display : AttributionDisplay
            The display.

        Raises
        ------
        TypeError
            If the estimator has no recurrent network of this kind.
        ValueError
            If an option is invalid, or if ``sequence`` holds several sequences.
        """
        result = attribute_one(estimator, sequence, **options)
        return cls.from_attributions(
            result, labels=labels, feature_names=feature_names, fig=fig
        )

    @classmethod
    def from_attributions(
        cls, result, index=0, *, labels=None, feature_names=None, fig=None
    ):
        """Draw one sequence of what ``attribute`` returned.

        Parameters
        ----------
        result : :class:`~sklearn.utils.Bunch`
            What :func:`~sklearn_rnn.inspection.attribute` returned.
        index : int, default=0
            Index of the sequence.
        labels : list of str or None, default=None
            Names of the steps. None takes the tokens of a text, and numbers otherwise.
        feature_names : list of str or None, default=None
            Names of the features; None numbers them.
        fig : matplotlib Figure or None, default=None
            Figure to draw on; None makes a new one.

        Returns
        -------
        display : AttributionDisplay
            The display.
        """
        values = None if result.tokens is not None else result.sequences[index]
        n_steps = len(result.sequences[index])
        if labels is None and result.tokens is not None:
            labels = result.tokens[index]
        display = cls(
            np.asarray(result.attributions[index], dtype=float)[:n_steps],
            values,
            labels=labels,
            feature_names=feature_names,
            ylabel=f"attribution to\n{describe_target(result, index)}",
        )
        return display.plot(fig=fig)

    def plot(self, *, fig=None, **kw):
        """Draw the values and, below them, the attributions.

        Parameters
        ----------
        fig : matplotlib Figure or None, default=None
            Figure to draw on; None makes a new one.
        **kw : dict
            Passed to matplotlib's ``bar``, or to ``imshow`` for several features.

        Returns
        -------
        display : AttributionDisplay
            The display.

        Raises
        ------
        ValueError
            If the numbers of steps of attributions, values and labels differ.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        attributions, values, labels = self._check()
        has_values = values is not None
        if fig is None:
            import matplotlib.pyplot as plt

            width, _ = fit_figure(labels or ())
            size = (width, 4.8 if has_values else 2.8)
            fig = plt.figure(figsize=size, layout="constrained")
        self.figure_ = fig
        self.axes_ = fig.subplots(1 + has_values, 1, sharex=True, squeeze=False)[:, 0]
        if has_values:
            self._draw_values(self.axes_[0], values)
        self.bars_ = self.image_ = self.colorbar_ = None
        last = self.axes_[-1]
        if attributions.ndim == 1:
            self._draw_bars(last, attributions, kw)
        else:
            self._draw_heatmap(last, attributions, kw)
        if labels is None or not label_ticks(last.xaxis, labels):
            number_places(last.xaxis)
            last.set_xlabel("step")
        return self

    def _check(self):
        """Validate the numbers of steps; a single feature has no axis."""
        attributions = np.asarray(self.attributions, dtype=float)
        if attributions.ndim not in (1, 2) or not attributions.size:
            raise ValueError(
                "attributions must have the shape (n_timesteps,) or (n_timesteps, "
                f"n_features); got {attributions.shape}."
            )
        if not np.isfinite(attributions).all():
            raise ValueError("attributions contain NaN or infinity.")
        if attributions.ndim == 2 and attributions.shape[1] == 1:
            attributions = attributions[:, 0]
        n_steps = len(attributions)
        values = None if self.values is None else np.asarray(self.values, dtype=float)
        if values is not None:
            values = values.reshape(len(values), -1)
        labels = None if self.labels is None else [str(one) for one in self.labels]
        for name, given in (("values", values), ("labels", labels)):
            if given is not None and len(given) != n_steps:
                raise ValueError(
                    f"{name} have {len(given)} steps, but attributions have {n_steps}."
                )
        return attributions, values, labels

    def _name_features(self, n_features):
        """Names of the features."""
        names = self.feature_names
        if names is None:
            return [str(k) for k in range(n_features)]
        if len(names) != n_features:
            raise ValueError(f"{len(names)} feature_names for {n_features} features.")
        return [str(name) for name in names]

    def _draw_values(self, ax, values):
        """Draw few features as lines, and many as a heat map."""
        n_features = values.shape[1]
        names = self._name_features(n_features)
        if n_features > MOST_LINES:
            options = {"aspect": "auto", "interpolation": "nearest"}
            image = ax.imshow(values.T, **options | choose_colors(values))
            self.figure_.colorbar(image, ax=ax, label="value", pad=0.01)
            label_rows(ax.yaxis, names)
            ax.set_ylabel("feature")
            return
        steps = np.arange(len(values))
        for name, column in zip(names, values.T, strict=True):
            draw_line(ax, steps, column, label=name)
        ax.set_ylabel("value")
        if n_features > 1:
            draw_legend(ax, above=True)
            for text in ax.get_legend().get_texts():
                text.set_parse_math(False)

    def _draw_bars(self, ax, attributions, kw):
        """Draw one bar per step."""
        colors = np.where(attributions > 0, RISE, FALL)
        kw = {"width": 0.8, "color": colors} | kw
        self.bars_ = ax.bar(np.arange(len(attributions)), attributions, **kw)
        ax.axhline(0, color="0.6", linewidth=0.8, zorder=0)
        ax.set_ylabel(self.ylabel, parse_math=False)

    def _draw_heatmap(self, ax, attributions, kw):
        """Draw one row per feature."""
        limit = np.abs(attributions).max() or 1.0
        colors = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
        options = {"aspect": "auto", "interpolation": "nearest"}
        self.image_ = ax.imshow(attributions.T, **options | merge_colors(colors, kw))
        self.colorbar_ = self.figure_.colorbar(self.image_, ax=ax, pad=0.01)
        self.colorbar_.set_label(self.ylabel, parse_math=False)
        label_rows(ax.yaxis, self._name_features(attributions.shape[1]))
        ax.set_ylabel("feature")
