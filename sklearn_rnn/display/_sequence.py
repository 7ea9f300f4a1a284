"""What goes on in a network while it reads a sequence."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn.display._axes import axes_for

FEW_LINES = 8  # more curves than these are drawn as a heat map


class SequenceDisplay:
    """States or answers of a network over the steps of one sequence.

    Made by :meth:`from_estimator`, as a rule.

    Parameters
    ----------
    values : ndarray of shape (n_timesteps, n_curves)
        What to draw, step by step.
    names : list of str or None, default=None
        Names of the curves, for a legend or the axis of a heat map.
    labels : list of str or None, default=None
        Names of the steps.
    ylabel : str, default=""
        What the values are.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the picture.
    figure_ : matplotlib Figure
        Their figure.
    lines_ : list of matplotlib Line2D or None
        A line a curve.
    image_ : matplotlib AxesImage or None
        The heat map: time to the right, curves downwards.

    See Also
    --------
    ForecastDisplay : What comes after a series.

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

    def __init__(self, values, *, names=None, labels=None, ylabel=""):
        self.values = values
        self.names = names
        self.labels = labels
        self.ylabel = ylabel

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
        """Let a model read a sequence step by step, and draw.

        Parameters
        ----------
        estimator : estimator
            A fitted model that :func:`open_stream` takes, or a Pipeline that ends in
            one: not a bidirectional one.
        sequence : array-like of shape (n_timesteps,) or (n_timesteps, n_features)
            What it reads; codes for a model of tokens, a text of characters or a list
            of tokens for a pipeline with a vectorizer.
        what : {"proba", "prediction", "hidden", "cell"}, default="proba"
            Probabilities of the classes or predicted numbers after each step, or the
            hidden state, or the cell state of an LSTM. A network that reads patches of
            several steps (see ``patch_size``) has the states after the last complete
            patch, and zeros before.
        layer : int, default=-1
            Whose state; the last one is at the top.
        units : list of int or None, default=None
            Which units of the state, or which classes or outputs; None is all.
        labels : list of str or None, default=None
            Names of the steps, such as letters or words.
        heatmap : bool or None, default=None
            Draw a heat map instead of lines; None does with more than 8 curves.
        ax : matplotlib Axes or None, default=None
            Where to draw; None is a new figure.
        **kw : dict
            Passed to matplotlib's ``plot``, or ``imshow`` of a heat map.

        Returns
        -------
        display : SequenceDisplay
            The picture.

        Raises
        ------
        TypeError
            If the model has no streams.
        ValueError
            If the model has not what is asked for, or the sequence is empty.
        """
        check_is_fitted(estimator)
        if what not in ("proba", "prediction", "hidden", "cell"):
            raise ValueError(
                f'what={what!r}; expected "proba", "prediction", "hidden" or "cell".'
            )
        values, names = _read(estimator, sequence, what, layer)
        if units is not None:
            try:
                values, names = values[:, units], [names[unit] for unit in units]
            except IndexError:
                raise ValueError(
                    f"units={units!r}; expected integers below {len(names)}, the "
                    f"number of curves of {what!r}."
                ) from None
        ylabel = {"proba": "probability", "prediction": "answer"}.get(
            what, f"{what} state"
        )
        display = cls(values, names=names, labels=labels, ylabel=ylabel)
        return display.plot(heatmap=heatmap, ax=ax, **kw)

    def plot(self, *, heatmap=None, ax=None, **kw):
        """Draw.

        Parameters
        ----------
        heatmap : bool or None, default=None
            Draw a heat map instead of lines; None does with more than 8 curves.
        ax : matplotlib Axes or None, default=None
            Where to draw; None is a new figure.
        **kw : dict
            Passed to matplotlib's ``plot``, or ``imshow`` of a heat map.

        Returns
        -------
        display : SequenceDisplay
            The picture.

        Raises
        ------
        ValueError
            If there are not as many labels as steps.
        """
        values = np.asarray(self.values)
        if self.labels is not None and len(self.labels) != len(values):
            raise ValueError(
                f"{len(self.labels)} labels for {len(values)} steps; give one for each."
            )
        self.ax_, self.figure_ = axes_for(self, ax)
        self.lines_ = self.image_ = None
        if heatmap or (heatmap is None and values.shape[1] > FEW_LINES):
            kw = {"aspect": "auto", "interpolation": "nearest", "cmap": "RdBu_r"} | kw
            self.image_ = self.ax_.imshow(values.T, **kw)
            self.figure_.colorbar(self.image_, ax=self.ax_, label=self.ylabel)
            if self.names is not None and len(self.names) <= 30:
                self.ax_.set_yticks(range(len(self.names)), self.names)
        else:
            self.lines_ = self.ax_.plot(values, **kw)
            self.ax_.set_ylabel(self.ylabel)
            if self.names is not None:
                self.ax_.legend(self.lines_, self.names)
        if self.labels is not None:
            self.ax_.set_xticks(range(len(self.labels)), self.labels)
        else:
            self.ax_.set_xlabel("step")
        return self


def _read(estimator, sequence, what, layer):
    """What is asked for after each step, (n_timesteps, n_curves), and its names."""
    from sklearn_rnn.streaming._open_stream import open_stream  # loads torch

    stream = open_stream(estimator)
    if what == "proba" and not hasattr(stream, "predict_proba"):
        raise ValueError(
            f"{type(estimator).__name__} has no probabilities. Ask for "
            'what="prediction".'
        )
    name, rows = None, []
    if what in ("hidden", "cell"):
        layers = [key for key in stream.state if key.startswith(f"{what}_")]
        try:
            name = layers[layer]
        except IndexError:
            raise ValueError(
                f"there is no {what} state of layer {layer}; the states are "
                f"{[key for key in stream.state if '_' in key and key != 'n_steps']}."
            ) from None
    if len(sequence) == 0:
        raise ValueError("the sequence is empty; expected one step or more.")
    if hasattr(sequence, "to_numpy"):  # a frame, whose iteration is over its columns
        sequence = sequence.to_numpy()
    answer = stream.predict_proba if what == "proba" else stream.predict
    for step in sequence:
        answered = answer(step)[0]
        rows.append(np.ravel(answered if name is None else stream.state[name][0]))
    values = np.array(rows)
    if values.dtype.kind not in "biuf":
        raise ValueError(
            f"the answers are {values.dtype}, which cannot be drawn. Ask for "
            'what="proba".'
        )
    if what == "proba":
        return values, [str(label) for label in estimator.classes_]
    return values, [str(unit) for unit in range(values.shape[1])]
