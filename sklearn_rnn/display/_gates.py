"""Gates and states of a recurrent layer over the steps of a sequence."""

import numpy as np

from sklearn_rnn._core.sklearn_private import check_matplotlib_support
from sklearn_rnn.display._axes import label_rows, label_ticks, number_places
from sklearn_rnn.display._colors import choose_colors, merge_colors
from sklearn_rnn.display._sequence import check_units
from sklearn_rnn.inspection._gates import compute_gates

NAMES = {
    "i": "input gate i",
    "f": "forget gate f",
    "g": "candidate g",
    "o": "output gate o",
    "r": "reset gate r",
    "z": "update gate z",
    "n": "candidate n",
    "c": "cell state c",
    "h": "hidden state h",
}
FRACTIONS = ("i", "f", "o", "r", "z")  # values from 0 to 1
FEW_UNITS = 4  # more curves than these are drawn as a heat map


class GateDisplay:
    """Gates and states of a layer over the steps of one sequence.

    Create it with :meth:`from_estimator`.

    Parameters
    ----------
    gates : dict of str to ndarray of shape (n_timesteps, n_units)
        Values of gates and states after each step, by their letters in the equations:
        "i", "f", "g", "o", "c" and "h" of an LSTM, "r", "z", "n" and "h" of a GRU.
    labels : list of str or None, default=None
        Names of the steps. If the axes are too narrow for them, the steps are numbered.
    units : list of int or None, default=None
        Numbers of the units; None counts them from 0.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes of shape (n_gates,)
        One Axes per gate or state.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    images_ : list of matplotlib AxesImage or None
        Heat maps with one row per unit; None for lines.
    lines_ : list of list of matplotlib Line2D or None
        One line per unit for each gate; None for heat maps.

    See Also
    --------
    SequenceDisplay : States and predictions over the steps of a sequence.
    TextDisplay : One unit or gate over a text.
    sklearn_rnn.inspection.explain_step : Equations of the gates at one step.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNClassifier
    >>> from sklearn_rnn.display import GateDisplay
    >>> X = np.random.default_rng(0).normal(size=(20, 9))
    >>> model = RNNClassifier("lstm", 4, max_epochs=1, random_state=0)
    >>> model = model.fit(X, X.sum(axis=1) > 0)
    >>> display = GateDisplay.from_estimator(model, X[0], gates=["f", "c"])
    """

    def __init__(self, gates, *, labels=None, units=None):
        self.gates = gates
        self.labels = labels
        self.units = units

    @classmethod
    def from_estimator(
        cls,
        estimator,
        sequence,
        *,
        gates=None,
        layer=-1,
        direction="forward",
        units=None,
        labels=None,
        heatmap=None,
        fig=None,
        **kw,
    ):
        """Let a network read a sequence, and draw its gates and states.

        Parameters
        ----------
        estimator : estimator
            Fitted RNNClassifier, RNNRegressor, RNNForecaster or SequenceGenerator with
            a built-in cell, a Pipeline that ends in one, or a search over one.
        sequence : array-like of shape (n_timesteps,) or (n_timesteps, n_features), or \
str
            Sequence to read, or a container with one row, such as ``X[:1]``. It is a
            text or a list of tokens if the Pipeline begins with a vectorizer.
        gates : list of str or None, default=None
            Letters of the gates and states to draw, such as ``["f", "c"]``; None draws
            all.
        layer : int, default=-1
            Index of the layer; -1 is the last layer.
        direction : {"forward", "backward"}, default="forward"
            Direction of the layer in a bidirectional network.
        units : list of int or None, default=None
            Indices of the units to draw; None draws all.
        labels : list of str or None, default=None
            Names of the steps. None takes the tokens of a text, and numbers otherwise.
        heatmap : bool or None, default=None
            Whether to draw heat maps instead of lines; None draws them for more than 4
            units.
        fig : matplotlib Figure or None, default=None
            Figure to draw on; None makes a new one.
        **kw : dict
            Passed to matplotlib's ``plot``, or to ``imshow`` for heat maps.

        Returns
        -------
        display : GateDisplay
            The display.

        Raises
        ------
        TypeError
            If the cell is a callable, or if the estimator has no such network.
        ValueError
            If a gate, layer, direction or unit does not exist, or if ``sequence`` is
            empty or holds several sequences.
        """
        found = compute_gates(estimator, sequence, layer, direction)
        names = list(found.values) if gates is None else list(gates)
        values = {name: found.find(name) for name in names}
        n_units = next(iter(found.values.values())).shape[1]
        if units is not None:
            units = check_units(units, n_units, "gates")
            values = {name: array[:, units] for name, array in values.items()}
        labels = found.labels if labels is None else labels
        display = cls(values, labels=labels, units=units)
        return display.plot(heatmap=heatmap, fig=fig, **kw)

    def plot(self, *, heatmap=None, fig=None, **kw):
        """Draw one Axes per gate, below each other.

        Parameters
        ----------
        heatmap : bool or None, default=None
            Whether to draw heat maps instead of lines; None draws them for more than 4
            units.
        fig : matplotlib Figure or None, default=None
            Figure to draw on; None makes a new one.
        **kw : dict
            Passed to matplotlib's ``plot``, or to ``imshow`` for heat maps.

        Returns
        -------
        display : GateDisplay
            The display.

        Raises
        ------
        ValueError
            If the gates have different shapes, or if there are not as many labels as
            steps.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        shapes = {np.shape(values) for values in self.gates.values()}
        if len(shapes) != 1 or len(next(iter(shapes))) != 2:
            raise ValueError(
                "gates must be a dict of arrays of one shape (n_timesteps, n_units); "
                f"got the shapes {sorted(shapes)}."
            )
        ((n_steps, n_units),) = shapes
        labels = None if self.labels is None else [str(one) for one in self.labels]
        if labels is not None and len(labels) != n_steps:
            raise ValueError(
                f"{len(labels)} labels for {n_steps} steps; give one for each step."
            )
        if heatmap is None:
            heatmap = n_units > FEW_UNITS
        if fig is None:
            import matplotlib.pyplot as plt

            width = float(np.clip(0.1 * n_steps + 2.5, 6.4, 14))
            height = 1.25 if n_units <= 20 else 1.6
            size = (width, height * len(self.gates) + 0.6)
            fig = plt.figure(figsize=size, layout="constrained")
        self.figure_ = fig
        axes = fig.subplots(len(self.gates), 1, sharex=True, squeeze=False)
        self.axes_ = axes[:, 0]
        draw = self._draw_heatmap if heatmap else self._draw_lines
        artists = [
            draw(ax, name, np.asarray(values), kw)
            for ax, (name, values) in zip(self.axes_, self.gates.items(), strict=True)
        ]
        self.images_ = artists if heatmap else None
        self.lines_ = None if heatmap else artists
        for ax in self.axes_[:-1]:
            ax.tick_params(bottom=False)
        last = self.axes_[-1]
        if labels is None or not label_ticks(last.xaxis, labels):
            number_places(last.xaxis)
            last.set_xlabel("step")
        return self

    def _draw_heatmap(self, ax, name, values, kw):
        """Draw one row per unit, and a color bar."""
        kind = "fraction" if name in FRACTIONS else "auto"
        options = {"aspect": "auto", "interpolation": "nearest"}
        colors = choose_colors(values, kind=kind)
        image = ax.imshow(values.T, **options | merge_colors(colors, kw))
        self.figure_.colorbar(image, ax=ax, pad=0.01)
        ax.set_title(NAMES.get(name, name), fontsize="medium", loc="left")
        ax.set_ylabel("unit")
        label_rows(ax.yaxis, None if self.units is None else list(map(str, self.units)))
        return image

    def _draw_lines(self, ax, name, values, kw):
        """Draw one line per unit; the first Axes has the legend."""
        lines = ax.plot(np.arange(len(values)), values, **kw)
        ax.set_title(NAMES.get(name, name), fontsize="medium", loc="left")
        if name in FRACTIONS:
            ax.set_ylim(-0.05, 1.05)
        else:
            ax.axhline(0, color="0.8", linewidth=0.8, zorder=0)
        if ax is self.axes_[0] and len(lines) > 1:
            units = range(len(lines)) if self.units is None else self.units
            names = [f"unit {unit}" for unit in units]
            place = {"loc": "center left", "bbox_to_anchor": (1, 0.5)}
            ax.legend(lines, names, fontsize="small", **place)
        return lines
