"""States and predictions of a network while it reads a sequence."""

import numpy as np

from sklearn_rnn._core.scalars import is_integer
from sklearn_rnn.display._axes import (
    axes_for,
    draw_line,
    fit_figure,
    label_rows,
    label_ticks,
    number_places,
)
from sklearn_rnn.inspection._steps import read_steps

FEW_LINES = 8  # more curves than these are drawn as a heat map
MOST_ENTRIES = 60  # a legend with more entries does not fit into a figure


class SequenceDisplay:
    """States or predictions of a network over the steps of one sequence.

    Create it with :meth:`from_estimator`.

    Parameters
    ----------
    values : ndarray of shape (n_timesteps, n_curves)
        Values to draw, one row per step.
    names : list of str or None, default=None
        Names of the curves, for the legend or the y axis of the heat map.
    labels : list of str or None, default=None
        Names of the steps. If the axes are too narrow for them, the steps are numbered.
    ylabel : str, default=""
        Quantity of the values, for the y axis or the color bar.
    curve_label : str, default=""
        Kind of the curves, such as "unit", for the y axis of the heat map.
    probabilities : bool, default=False
        Whether the values are probabilities. These have axes from 0 to 1 and a
        sequential color map. Other values of both signs have a diverging color map
        centered at 0.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the curves or the heat map.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    lines_ : list of matplotlib Line2D or None
        One line per curve; None for a heat map.
    image_ : matplotlib AxesImage or None
        Heat map with one row per curve and one column per step; None for lines.
    colorbar_ : matplotlib Colorbar or None
        Color bar of the heat map.

    See Also
    --------
    ForecastDisplay : Forecast of a series with its interval.
    AttentionDisplay : Attention of a translator.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNClassifier
    >>> from sklearn_rnn.display import SequenceDisplay
    >>> X = np.random.default_rng(0).normal(size=(20, 9))
    >>> model = RNNClassifier("lstm", 4, max_epochs=1, random_state=0)
    >>> model = model.fit(X, X.sum(axis=1) > 0)
    >>> display = SequenceDisplay.from_estimator(model, X[0], what="cell")
    """

    def __init__(
        self,
        values,
        *,
        names=None,
        labels=None,
        ylabel="",
        curve_label="",
        probabilities=False,
    ):
        self.values = values
        self.names = names
        self.labels = labels
        self.ylabel = ylabel
        self.curve_label = curve_label
        self.probabilities = probabilities

    @classmethod
    def from_estimator(
        cls,
        estimator,
        sequence,
        *,
        what="proba",
        layer=-1,
        units=None,
        labels=None,
        heatmap=None,
        ax=None,
        **kw,
    ):
        """Let a model read a sequence step by step, and draw its values.

        Parameters
        ----------
        estimator : estimator
            Fitted RNNClassifier, RNNRegressor, RNNForecaster or SequenceGenerator, a
            Pipeline that ends in one, or a search over one. The network must not be
            bidirectional.
        sequence : array-like of shape (n_timesteps,) or (n_timesteps, n_features), or \
str
            Sequence to read, or a container with one row, such as ``X[:1]`` or a row of
            a table. It is a text or a list of tokens if the Pipeline begins with a
            vectorizer, and integer codes if the model was fitted on tokens.
        what : {"proba", "prediction", "hidden", "cell"}, default="proba"
            Quantity to draw after each step: the probabilities of the classes, the
            predicted numbers, the hidden state, or the cell state of an LSTM. A network
            that reads patches of several steps (see ``patch_size``) has the states
            after the last complete patch, and zeros before the first.
        layer : int, default=-1
            Index of the layer whose state is drawn; -1 is the last layer.
        units : list of int or None, default=None
            Indices of the units of the state, or of the classes or outputs, to draw;
            None draws all.
        labels : list of str or None, default=None
            Names of the steps. None takes the tokens of a text, and numbers otherwise.
        heatmap : bool or None, default=None
            Whether to draw a heat map instead of lines; None draws one for more than 8
            curves.
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None makes a new figure, which is larger than usual if the
            labels need it.
        **kw : dict
            Passed to matplotlib's ``plot``, or to ``imshow`` for a heat map.

        Returns
        -------
        display : SequenceDisplay
            The display.

        Raises
        ------
        TypeError
            If the model cannot read step by step.
        ValueError
            If the model does not have the requested values, or if ``sequence`` is empty
            or holds several sequences.
        """
        if what not in ("proba", "prediction", "hidden", "cell"):
            raise ValueError(
                f'what={what!r}; expected "proba", "prediction", "hidden" or "cell".'
            )
        model, steps, tokens = read_steps(estimator, sequence)
        values = _compute_values(model, steps, what, layer)
        names = _name_curves(model, what, values.shape[1])
        if units is not None:
            chosen = check_units(units, len(names), what)
            values, names = values[:, chosen], [names[unit] for unit in chosen]
        quantity, curve = {
            "proba": ("probability", "class"),
            "prediction": ("prediction", "output"),
        }.get(what, (f"{what} state", "unit"))
        display = cls(
            values,
            names=names,
            labels=tokens if labels is None else labels,
            ylabel=quantity,
            curve_label=curve,
            probabilities=what == "proba",
        )
        return display.plot(heatmap=heatmap, ax=ax, **kw)

    def plot(self, *, heatmap=None, ax=None, **kw):
        """Draw lines or a heat map.

        Parameters
        ----------
        heatmap : bool or None, default=None
            Whether to draw a heat map instead of lines; None draws one for more than 8
            curves.
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None makes a new figure, which is larger than usual if the
            labels need it.
        **kw : dict
            Passed to matplotlib's ``plot``, or to ``imshow`` for a heat map.

        Returns
        -------
        display : SequenceDisplay
            The display.

        Raises
        ------
        ValueError
            If ``values`` is not a table, or if there are not as many labels as steps or
            names as curves.
        """
        values = np.asarray(self.values)
        if values.ndim != 2 or not values.size:
            raise ValueError(
                "values must have the shape (n_timesteps, n_curves) with one step and "
                f"one curve at least; got the shape {values.shape}."
            )
        labels = None if self.labels is None else [str(one) for one in self.labels]
        if labels is not None and len(labels) != len(values):
            raise ValueError(
                f"{len(labels)} labels for {len(values)} steps; give one for each step."
            )
        if heatmap is None:
            heatmap = values.shape[1] > FEW_LINES
        names = None if self.names is None else [str(name) for name in self.names]
        if names is not None and len(names) != values.shape[1]:
            raise ValueError(
                f"{len(names)} names for {values.shape[1]} curves; give one for each."
            )
        size = fit_figure(labels or (), row_labels=names or ()) if ax is None else None
        self.ax_, self.figure_ = axes_for(self, ax, figsize=size)
        self.lines_ = self.image_ = self.colorbar_ = None
        if heatmap:
            self._draw_heatmap(values, names, kw)
        else:
            self._draw_lines(values, names, kw, outside=ax is None)
        if labels is None or not label_ticks(self.ax_.xaxis, labels):
            number_places(self.ax_.xaxis)
            self.ax_.set_xlabel("step")
        return self

    def _draw_heatmap(self, values, names, kw):
        """Draw curves as rows of an image, with a color bar."""
        scale = self._choose_colors(values)
        if "norm" in kw:
            scale = {"cmap": scale["cmap"]}
        kw = {"aspect": "auto", "interpolation": "nearest"} | scale | kw
        self.image_ = self.ax_.imshow(values.T, **kw)
        self.colorbar_ = self.figure_.colorbar(
            self.image_, ax=self.ax_, label=self.ylabel
        )
        label_rows(self.ax_.yaxis, names)
        self.ax_.set_ylabel(self.curve_label)

    def _choose_colors(self, values):
        """Color map and limits of the heat map."""
        if self.probabilities:
            return {"cmap": "Blues", "vmin": 0, "vmax": 1}
        finite = values[np.isfinite(values)]
        if len(finite) and finite.min() < 0 < finite.max():
            limit = np.abs(finite).max()
            return {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
        return {"cmap": "viridis"}

    def _draw_lines(self, values, names, kw, *, outside):
        """Draw curves as lines; the legend of a new figure stands outside the axes."""
        steps = np.arange(len(values))
        self.lines_ = [draw_line(self.ax_, steps, curve, **kw) for curve in values.T]
        self.ax_.set_ylabel(self.ylabel)
        if self.probabilities:
            self.ax_.set_ylim(-0.03, 1.03)
        if names is not None and 1 < len(names) <= MOST_ENTRIES:
            place = {"loc": "center left", "bbox_to_anchor": (1, 0.5)}
            place = place if outside else {}
            legend = self.ax_.legend(self.lines_, names, **place)
            for text in legend.get_texts():
                text.set_parse_math(False)


def _compute_values(model, steps, what, layer):
    """The requested values after each step, (n_timesteps, n_curves)."""
    stream = model.stream()
    if what == "proba" and not hasattr(stream, "predict_proba"):
        raise ValueError(
            f"{type(model).__name__} predicts no probabilities. Set "
            'what="prediction", "hidden" or "cell".'
        )
    name, rows = None, []
    if what in ("hidden", "cell"):
        layers = [key for key in stream.state if key.startswith(f"{what}_")]
        try:
            name = layers[layer]
        except (IndexError, TypeError):
            raise ValueError(
                f"there is no {what} state of layer {layer}; the states are "
                f"{[key for key in stream.state if '_' in key and key != 'n_steps']}."
            ) from None
    predict = stream.predict_proba if what == "proba" else stream.predict
    for step in steps:
        predicted = predict(step)[0]
        rows.append(np.ravel(predicted if name is None else stream.state[name][0]))
    values = np.array(rows)
    if values.dtype.kind not in "biuf":
        raise ValueError(
            f"the predictions have the dtype {values.dtype} and cannot be drawn. Set "
            'what="proba".'
        )
    return values


def check_units(units, n_curves, what):
    """Validate indices of curves; return a list of integers."""
    if isinstance(units, (list, tuple, range, np.ndarray)) and len(units):
        if all(is_integer(unit, -n_curves, n_curves - 1) for unit in units):
            return [int(unit) % n_curves for unit in units]
    raise ValueError(
        f"units={units!r}; expected a list of integers below {n_curves}, the number of "
        f"curves of {what!r}."
    )


def _name_curves(model, what, n_curves):
    """Names of the classes; other curves are numbered from 0."""
    if what == "proba":
        return [str(label) for label in model.classes_]
    return [str(number) for number in range(n_curves)]
