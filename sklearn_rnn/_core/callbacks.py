"""scikit-learn's callbacks: a fit is one task, an epoch of it a subtask.

They are set with ``set_callbacks``, on the estimator or on what it is part of, and are
not to be confused with skorch's, which are the constructor's ``callbacks``.
"""

import functools

from sklearn.callback import with_callbacks


class EpochTasks:
    """The tasks of one fit, told to the callbacks of ``estimator`` as they go by.

    ``state`` turns a trained net into the fitted attributes of the estimator, so that a
    callback which asks for the ``fitted_estimator`` gets one with a net of its own.
    """

    def __init__(self, estimator, X, y, sample_weight, n_epochs, state):
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self._about = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self._state = state
        self._fit = estimator._init_callback_context(max_subtasks=n_epochs)
        self._fit.call_on_fit_task_begin(**self._about)

    @property
    def hooks(self):
        """What the training loop calls, as options of the training."""
        return {"epoch_begins": self.begin_epoch, "epoch_ends": self.end_epoch}

    def begin_epoch(self, current):
        """Another epoch begins; ``current()`` is the net as trained until now."""
        self._epoch = self._fit.subcontext(task_name="epoch")
        self._epoch.call_on_fit_task_begin(
            **self._about, **self._reconstruction(current)
        )

    def end_epoch(self, current):
        """The epoch is over. Whether a callback wants it to be the last one."""
        return self._epoch.call_on_fit_task_end(
            **self._about, **self._reconstruction(current)
        )

    def end(self, current):
        """The fit is over."""
        self._fit.call_on_fit_task_end(**self._about, **self._reconstruction(current))

    def _reconstruction(self, current):
        return {"reconstruction_attributes": lambda: self._state(current())}


def one_task(fit):
    """Let a ``fit`` or ``fit_transform`` without epochs be one task of its own."""

    @with_callbacks
    @functools.wraps(fit)
    def wrapped_fit(self, X, y=None, **params):
        about = {"estimator": self, "X": X, "y": y}
        task = self._init_callback_context().call_on_fit_task_begin(**about)
        result = fit(self, X, y, **params)
        task.call_on_fit_task_end(**about)
        return result

    return wrapped_fit
