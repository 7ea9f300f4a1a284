"""skorch's callbacks: which are accepted, and what the training loop reads of them."""

import copy
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from skorch.callbacks import Callback, EarlyStopping, InputShapeSetter, LRScheduler
from skorch.callbacks.scoring import ScoringBase

# Callbacks of skorch that neither affect the training nor read the weights.
WITHOUT_EFFECT = {"EpochTimer", "PrintLog", "ProgressBar"}


def is_one_of(value: Any, package: str, names: set[str]) -> bool:
    """Return whether the class of ``value`` is one of these of a package."""
    kind = type(value)
    return kind.__module__.startswith(f"{package}.") and kind.__name__ in names


@contextmanager
def resume_schedulers(
    optimizer: torch.optim.Optimizer, callbacks: Iterable[Any]
) -> Iterator[None]:
    """Let schedulers of skorch continue from the rate that they set last.

    Otherwise, torch's StepLR and MultiStepLR would decrease it a second time if the
    previous training ended in an epoch in which they decrease it.
    """
    rates = [group["lr"] for group in optimizer.param_groups]
    yield
    schedulers = [c.lr_scheduler_ for c in callbacks if isinstance(c, LRScheduler)]
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        if schedulers and rate != group.get("initial_lr", rate):
            group["lr"] = rate
            for scheduler in schedulers:
                scheduler.load_state_dict({**scheduler.state_dict(), "_last_lr": rates})


def copy_callbacks(callbacks: Sequence[Any] | None) -> list[Any]:
    """Copy the user's callbacks shallowly; objects that they refer to are shared.

    A callback can be an instance, a class, or a pair of a name and one of these.
    """
    own: list[Any] = []
    for item in callbacks or []:
        name, callback = item if _is_named(item) else (None, item)
        callback = callback() if isinstance(callback, type) else copy.copy(callback)
        if isinstance(callback, (ScoringBase, InputShapeSetter)):
            raise TypeError(
                f"{type(callback).__name__} needs skorch's own datasets, which the "
                "recurrent estimators do not use. Read losses and the validation score "
                "from net.history, or use GridSearchCV for other scores."
            )
        if not isinstance(callback, Callback):
            raise TypeError(
                "callbacks must contain skorch callbacks or pairs (name, callback), "
                f"got {callback!r} of type {type(callback).__name__}. Derive a "
                "callback from skorch.callbacks.Callback."
            )
        own.append(callback if name is None else (name, callback))
    return own


def _is_named(item: Any) -> bool:
    """Return whether an item of ``callbacks`` is a pair of a name and a callback."""
    return isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str)


def refuse_monitors_of_validation(callbacks: Iterable[tuple[str, Callback]]) -> None:
    """Raise an error for callbacks that monitor a validation loss without such rows."""
    for _, callback in callbacks:
        monitor = getattr(callback, "monitor", None)
        if isinstance(monitor, str) and monitor.startswith("valid_"):
            kind = type(callback).__name__
            other = "train_loss_best" if monitor.endswith("_best") else "train_loss"
            raise ValueError(
                f"the callback {kind} monitors {monitor!r}, but no validation data is "
                "held out. Set early_stopping=True on the estimator, or monitor the "
                f"training loss: {kind}(monitor={other!r})."
            )


def has_lost_patience(callback: Callback) -> bool:
    """Return whether an EarlyStopping of skorch has decided to stop the training."""
    return isinstance(callback, EarlyStopping) and callback.misses_ == callback.patience
