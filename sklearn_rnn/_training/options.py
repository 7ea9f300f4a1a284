"""The options of the training loop."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from sklearn_rnn._core.callbacks import Current


def ignore_epoch(current: Current | None) -> bool:
    """Do nothing at the beginning or end of an epoch, and let the training continue."""
    return False


@dataclass(frozen=True)
class TrainingOptions:
    """Options of a training, named like the parameters of the estimators.

    ``epoch_begins`` and ``epoch_ends`` are called with a function that returns the net
    as if its training ended now, or with None for an epoch of an earlier fit.
    ``epoch_ends`` returns whether to stop. ``label``
    names the fit at the beginning of each line that ``verbose`` prints.
    ``operations`` is the number of multiply-adds per step of one sequence.
    ``task_callbacks`` are the callbacks of scikit-learn that are called. The cells are
    needed for the keys of checkpoints only. Without ``warns_of_checkpoints``, no
    warning is issued if there are none.
    """

    max_epochs: int
    batch_size: int
    seed: int
    learning_rate_schedule: str | Callable[[int], float] = "constant"
    gradient_clip: float | None = None
    n_iter_no_change: float = np.inf
    tol: float = 0.0
    verbose: int = 0
    score: Callable[..., float | None] | None = None  # (outputs, targets, weights)
    epoch_begins: Callable[[Current | None], Any] = ignore_epoch
    epoch_ends: Callable[[Current | None], bool] = ignore_epoch
    label: str = ""
    operations: int = 0
    task_callbacks: Sequence[Any] = ()
    checkpoint: str | os.PathLike[str] | None = None
    checkpoint_every: float = 10.0
    warns_of_checkpoints: bool = True
    cell: Any = None
    decoder_cell: Any = None

    @classmethod
    def from_estimator(cls, estimator: Any, **given: Any) -> Self:
        """Take the options from the parameters of an estimator, except ``given``."""
        parameters = vars(estimator)  # also those that a subclass does not declare
        named = {
            field.name: parameters[field.name]
            for field in fields(cls)
            if field.name in parameters
        }
        return cls(**{**named, **given})


class NoCheckpoints:
    """What the training loop does to resume and save trainings: nothing."""

    def resume(self, progress: Any, scheduler: Any) -> bool:
        """Continue from a state, if there is one; return whether a callback stopped.

        ``progress`` is changed in place. ``scheduler`` is that of the learning rate.
        """
        return False

    def save(self, progress: Any, has_stopped: bool) -> None:
        """Store the state after an epoch, after which a callback may have stopped."""
