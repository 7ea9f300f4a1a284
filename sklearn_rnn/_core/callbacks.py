"""Support of scikit-learn's callbacks: a fit is a task, and each epoch a subtask.

These callbacks are set with ``set_callbacks`` on the estimator or on a meta-estimator
that contains it. skorch's callbacks are passed as the parameter ``callbacks`` instead.
"""

import functools
import reprlib
from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy as np
from sklearn.callback import with_callbacks

# Parameters that are not named in lines about a fit.
NOT_NAMED = {"callbacks", "checkpoint", "checkpoint_every", "random_state", "verbose"}

Current = Callable[[], Any]  # returns the net as if its training ended now


class StopTraining(Exception):
    """Exception that ends the training of a network when a callback raises it.

    A skorch callback, passed as the parameter ``callbacks``, can raise it in any of its
    methods. Training then ends without an error, and the estimator is fitted with the
    weights after the last finished epoch, or with early stopping with those of the best
    epoch. If no epoch is finished yet, ``fit`` raises a ValueError.

    See Also
    --------
    RNNClassifier : Classifier whose parameter ``callbacks`` accepts such callbacks.

    Examples
    --------
    >>> import numpy as np
    >>> from skorch.callbacks import Callback
    >>> from sklearn_rnn import RNNClassifier, StopTraining
    >>> class StopAtLoss(Callback):
    ...     def __init__(self, loss):
    ...         self.loss = loss
    ...
    ...     def on_epoch_end(self, net, **kwargs):
    ...         if net.history[-1, "train_loss"] < self.loss:
    ...             raise StopTraining
    >>> X = np.random.default_rng(0).normal(size=(40, 5))
    >>> y = X.sum(axis=1) > 0
    >>> model = RNNClassifier(callbacks=[StopAtLoss(0.3)], random_state=0).fit(X, y)
    >>> model.loss_curve_[-1] < 0.3 <= model.loss_curve_[-2]
    True
    """


class EpochTasks:
    """The tasks of one fit, reported to the callbacks of ``estimator``.

    ``state`` converts a trained net to the fitted attributes of the estimator. A
    callback that asks for the ``fitted_estimator`` gets one with a copy of the net.
    """

    def __init__(
        self,
        estimator: Any,
        X: Any,
        y: Any,
        sample_weight: Any,
        n_epochs: int,
        state: Callable[[Any], dict[str, Any]],
    ) -> None:
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self._about = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self._state = state
        self._fit = estimator._init_callback_context(max_subtasks=n_epochs)
        self._fit.call_on_fit_task_begin(**self._about)

    @property
    def hooks(self) -> dict[str, Any]:
        """Training options that report the epochs to the callbacks and name the fit."""
        estimator = self._about["estimator"]
        return {
            "epoch_begins": self.begin_epoch,
            "epoch_ends": self.end_epoch,
            "label": describe_fit(self._fit, estimator) if estimator.verbose else "",
            "task_callbacks": tuple(self._fit._callbacks),
        }

    def begin_epoch(self, current: Current | None) -> None:
        """Begin the task of an epoch; ``current()`` returns the net trained so far.

        None stands for an epoch of an earlier fit, whose net is not known any more.
        """
        self._epoch = self._fit.subcontext(task_name="epoch")
        self._epoch.call_on_fit_task_begin(
            **self._about, **self._reconstruction(current)
        )

    def end_epoch(self, current: Current | None) -> bool:
        """End the task of the epoch, and return whether a callback asks to stop."""
        return self._epoch.call_on_fit_task_end(
            **self._about, **self._reconstruction(current)
        )

    def end(self, current: Current) -> None:
        """End the task of the fit."""
        self._fit.call_on_fit_task_end(**self._about, **self._reconstruction(current))

    def _reconstruction(self, current: Current | None) -> dict[str, Any]:
        """Return the option that lets a callback build the estimator fitted so far."""
        if current is None:
            return {}
        return {"reconstruction_attributes": lambda: self._state(current())}


def describe_fit(context: Any, estimator: Any) -> str:
    """Describe the fit of a search that a context belongs to; "" outside of searches.

    ``context`` is that of a fit, or the one that a search passed to an estimator
    without callbacks, as its attribute ``_parent_callback_ctx``.

    Scikit-learn numbers the fits candidate by candidate and, within a candidate, fold
    by fold. It does not tell a fit how many folds there are, so that only this number
    can be named, and the parameters of ``estimator`` that are not their defaults.
    """
    fits = []
    while context is not None:
        tasks = (context.task_name, context.source_task_name)
        if "candidate-split-evaluation" in tasks:
            total = getattr(context.parent, "max_subtasks", None)
            of = "" if total is None else f" of {total}"
            fits.append(f"fit {context.task_id + 1}{of}")
        elif "refit-with-best-params" in tasks:
            fits.append("refit")
        elif "halving-iteration" in tasks and fits:
            fits.append(f"iteration {context.task_id + 1}")
        context = context.parent
    return ", ".join([*reversed(fits), *list_changes(estimator)]) if fits else ""


def list_changes(estimator: Any) -> list[str]:
    """List the parameters that differ from their defaults, as "name=value"."""
    defaults = signature(type(estimator)).parameters
    values = {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in estimator.get_params(deep=False).items()
    }
    return [
        f"{name}={' '.join(reprlib.repr(value).split())}"
        for name, value in values.items()
        if name not in NOT_NAMED and repr(value) != repr(defaults[name].default)
    ]


def wrap_as_task(fit: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a ``fit`` or ``fit_transform`` without epochs as a single task."""

    @with_callbacks
    @functools.wraps(fit)
    def wrapped_fit(self: Any, X: Any, y: Any = None, **params: Any) -> Any:
        about = {"estimator": self, "X": X, "y": y}
        task = self._init_callback_context().call_on_fit_task_begin(**about)
        result = fit(self, X, y, **params)
        task.call_on_fit_task_end(**about)
        return result

    return wrapped_fit
