"""Training and validation losses over the epochs."""

from collections import Counter

import numpy as np

from sklearn_rnn.display._axes import (
    HEIGHTS,
    WIDTHS,
    axes_for,
    draw_line,
    number_places,
)
from sklearn_rnn.inspection._models import find_last_step

REGRESSION_LOSSES = {
    "squared_error": "mean squared error (scaled values)",
    "absolute_error": "mean absolute error (scaled values)",
    "huber": "Huber loss (scaled values)",
}

KEPT = "weights kept"
MANY_CURVES = 4  # the legend of more curves stands to the right of the axes


class LossDisplay:
    """Training and validation losses of one or several models over the epochs.

    Create it with :meth:`from_estimator` or :meth:`from_estimators`.

    Parameters
    ----------
    losses : list of array-like of shape (n_epochs,)
        Training loss of each epoch, for each model.
    validation_losses : list of array-like of shape (n_epochs,) or None, default=None
        Validation loss after each epoch, for each model; None for models without one.
        NaN marks epochs without a validation loss.
    best_epochs : list of int or None, default=None
        Epoch whose weights each model kept, counted from 1; None for models that kept
        those of the last epoch. It is marked on the validation curve.
    names : list of str or None, default=None
        Names of the models for the legend.
    ylabel : str, default="loss"
        Label of the y axis.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the curves.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    lines_ : list of matplotlib Line2D
        Training curve of each model.
    validation_lines_ : list of matplotlib Line2D or None
        Validation curve of each model; None for models without one.
    best_epoch_lines_ : list of matplotlib Line2D or None
        Marker at the epoch whose weights each model kept; None for models that kept
        those of the last epoch.

    See Also
    --------
    sklearn_rnn.RNNClassifier : Has the curves as fitted attributes.
    sklearn_rnn.BoltzmannMachine : Describes the loss that it monitors.

    Notes
    -----
    The training loss of a network is the mean over the batches of an epoch, during
    which the weights change and dropout is active. The validation loss is measured
    after the epoch, with averaged weights if ``average=True``. It may therefore be the
    lower one, above all in the first epochs.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNClassifier
    >>> from sklearn_rnn.display import LossDisplay
    >>> X = np.random.default_rng(0).normal(size=(40, 9))
    >>> y = X.sum(axis=1) > 0
    >>> models = {
    ...     cell: RNNClassifier(
    ...         cell, 4, max_epochs=5, early_stopping=True, random_state=0
    ...     ).fit(X, y)
    ...     for cell in ("gru", "lstm")
    ... }
    >>> display = LossDisplay.from_estimator(models["gru"])
    >>> display = LossDisplay.from_estimators(models)
    """

    def __init__(
        self,
        losses,
        *,
        validation_losses=None,
        best_epochs=None,
        names=None,
        ylabel="loss",
    ):
        self.losses = losses
        self.validation_losses = validation_losses
        self.best_epochs = best_epochs
        self.names = names
        self.ylabel = ylabel

    @classmethod
    def from_estimator(cls, estimator, *, name=None, ax=None, **line_kw):
        """Draw the losses of one fitted model.

        Parameters
        ----------
        estimator : estimator
            Fitted network or BoltzmannMachine, a Pipeline that ends in one, or a search
            over one, whose ``best_estimator_`` is drawn. Other estimators with a
            ``loss_curve_``, such as scikit-learn's MLPClassifier, are drawn as well.
        name : str or None, default=None
            Name of the model for the legend; None leaves it out.
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None makes a new figure.
        **line_kw : dict
            Passed to matplotlib's ``plot`` of both curves.

        Returns
        -------
        display : LossDisplay
            The display.

        Raises
        ------
        TypeError
            If the estimator records no losses.
        """
        if isinstance(estimator, (dict, list, tuple)):
            raise TypeError(
                f"estimator must be a fitted estimator, got {type(estimator).__name__}."
                " Use from_estimators for several models."
            )
        curves, ylabel = _collect([estimator])
        names = None if name is None else [name]
        return cls(**curves, names=names, ylabel=ylabel).plot(ax=ax, **line_kw)

    @classmethod
    def from_estimators(cls, estimators, *, ax=None, **line_kw):
        """Draw the losses of several fitted models in one figure.

        Parameters
        ----------
        estimators : dict of str to estimator, or list of estimators
            Fitted models, as in :meth:`from_estimator`. The keys of a dict are their
            names in the legend; the models of a list, such as the one that
            ``cross_validate`` returns with ``return_estimator=True``, are named after
            their classes.
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None makes a new figure.
        **line_kw : dict
            Passed to matplotlib's ``plot`` of all curves.

        Returns
        -------
        display : LossDisplay
            The display.

        Raises
        ------
        TypeError
            If ``estimators`` is neither a dict nor a list, or if one of them records no
            losses.
        ValueError
            If ``estimators`` is empty.
        """
        if isinstance(estimators, dict):
            names, models = [str(key) for key in estimators], list(estimators.values())
        elif isinstance(estimators, (list, tuple, np.ndarray)):
            names, models = None, list(estimators)
        else:
            raise TypeError(
                "estimators must be a dict from names to fitted estimators or a list "
                f"of them, got {type(estimators).__name__}. Use from_estimator for a "
                "single one."
            )
        if not models:
            raise ValueError("estimators is empty. Pass at least one fitted estimator.")
        curves, ylabel = _collect(models)
        names = _name_models(models) if names is None else names
        return cls(**curves, names=names, ylabel=ylabel).plot(ax=ax, **line_kw)

    def plot(self, *, ax=None, **line_kw):
        """Draw the training losses as solid and the validation losses as dashed lines.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None makes a new figure.
        **line_kw : dict
            Passed to matplotlib's ``plot`` of all curves.

        Returns
        -------
        display : LossDisplay
            The display.

        Raises
        ------
        ValueError
            If ``losses`` is not a list of lists, if the numbers of losses, names or
            best epochs differ, or if a best epoch has no validation loss.
        """
        models = self._list_models()
        n_curves = len(models) + sum(model[2] is not None for model in models)
        outside = ax is None and n_curves > MANY_CURVES
        size = _fit_legend(self.names or (), n_curves) if outside else None
        self.ax_, self.figure_ = axes_for(self, ax, figsize=size)
        self.lines_, self.validation_lines_, self.best_epoch_lines_ = [], [], []
        several = self.names is not None
        for name, losses, validation, best in models:
            prefix = f"{name}, " if several else ""
            epochs = np.arange(1, len(losses) + 1)
            kw = {"label": f"{prefix}training"} | line_kw
            line = draw_line(self.ax_, epochs, losses, **kw)
            self.lines_.append(line)
            drawn = marker = None
            if validation is not None:
                kw = {"color": line.get_color(), "linestyle": "--"} | line_kw
                kw["label"] = f"{prefix}validation"
                epochs = np.arange(1, len(validation) + 1)
                drawn = draw_line(self.ax_, epochs, validation, **kw)
                if best is not None:
                    marker = self._mark(best, validation[best - 1], line.get_color())
            self.validation_lines_.append(drawn)
            self.best_epoch_lines_.append(marker)
        number_places(self.ax_.xaxis)
        is_other = self.ax_.get_ylabel() not in ("", self.ylabel)  # of other curves
        self.ax_.set(xlabel="epoch", ylabel="loss" if is_other else self.ylabel)
        self._draw_legend(outside)
        return self

    def _draw_legend(self, outside):
        """Draw the legend, which names the markers last."""
        handles, labels = self.ax_.get_legend_handles_labels()
        order = sorted(range(len(labels)), key=lambda k: labels[k] == KEPT)
        place = {"loc": "center left", "bbox_to_anchor": (1, 0.5)} if outside else {}
        legend = self.ax_.legend(
            [handles[k] for k in order], [labels[k] for k in order], **place
        )
        for text in legend.get_texts():
            text.set_parse_math(False)

    def _mark(self, epoch, loss, color):
        """Mark the epoch whose weights were kept, with one entry in the legend."""
        label = KEPT if not any(self.best_epoch_lines_) else None
        (marker,) = self.ax_.plot(
            epoch, loss, "o", color=color, markeredgecolor="black", label=label
        )
        return marker

    def _list_models(self):
        """Return name, losses, validation losses and best epoch of each model."""
        n_models = len(self.losses)
        if not n_models or any(np.ndim(losses) != 1 for losses in self.losses):
            raise ValueError(
                "losses must contain one list of numbers per model, such as "
                f"[[0.7, 0.5]] for a single model; got {self.losses!r}."
            )
        parts = {
            "names": self.names,
            "losses": self.losses,
            "validation_losses": self.validation_losses,
            "best_epochs": self.best_epochs,
        }
        for key, part in parts.items():
            if part is not None and len(part) != n_models:
                raise ValueError(
                    f"{key} has {len(part)} entries, but there are {n_models} models."
                )
        columns = [[None] * n_models if p is None else p for p in parts.values()]
        models = list(zip(*columns, strict=True))
        for _, _, validation, best in models:
            if validation is None or best is None:
                continue
            if not (1 <= best <= len(validation) and np.isfinite(validation[best - 1])):
                raise ValueError(
                    f"the best epoch {best} has no validation loss; the validation "
                    f"losses are {validation!r}, and epochs are counted from 1."
                )
        return models


def _fit_legend(names, n_curves):
    """Width and height, in inches, of a figure with a legend outside the axes."""
    longest = max((len(str(name)) for name in names), default=0)
    width, height = 7.6 + 0.085 * longest, 0.8 + 0.21 * n_curves
    return min(width, WIDTHS[1]), min(max(height, HEIGHTS[0]), HEIGHTS[1])


def _collect(estimators):
    """Return the curves of fitted models, and a label for their losses."""
    models = [find_last_step(estimator) for estimator in estimators]
    for model in models:
        if not hasattr(model, "loss_curve_"):
            raise TypeError(
                f"{type(model).__name__} records no losses (loss_curve_). Pass a "
                "fitted recurrent network or BoltzmannMachine, a Pipeline that ends "
                "in one, or a search over one."
            )
    curves = {
        "losses": [model.loss_curve_ for model in models],
        "validation_losses": [
            getattr(model, "validation_loss_curve_", None) for model in models
        ],
        "best_epochs": [getattr(model, "best_epoch_", None) for model in models],
    }
    labels = {_describe_loss(model) for model in models}
    return curves, labels.pop() if len(labels) == 1 else "loss"


def _name_models(estimators):
    """Return the names of the classes, numbered from 1 where they repeat."""
    names = [type(find_last_step(estimator)).__name__ for estimator in estimators]
    totals, counts = Counter(names), Counter[str]()
    for k, name in enumerate(names):
        if totals[name] > 1:
            counts[name] += 1
            names[k] = f"{name} {counts[name]}"
    return names


def _describe_loss(model):
    """Return the name of the loss that a model records, with its unit."""
    kinds = {kind.__name__ for kind in type(model).__mro__}
    if "RNNClassifier" in kinds:
        return "cross-entropy (nats)"
    if "SequenceGenerator" in kinds:
        return "cross-entropy (nats per token)"
    if "SequenceTranslator" in kinds:
        if model.early_stopping and model.stop_on == "accuracy":
            return "cross-entropy (nats per code), validation: error rate"
        return "cross-entropy (nats per code)"
    if kinds & {"RNNRegressor", "RNNForecaster"}:
        if getattr(model, "intervals", None) == "quantile":
            return "pinball loss (scaled values)"
        return REGRESSION_LOSSES[model.loss]
    if "BoltzmannMachine" in kinds:
        if hasattr(model, "scale_"):
            return "reconstruction error (standardized columns)"
        return "negative log pseudo-likelihood (nats per unit)"
    return "loss"
