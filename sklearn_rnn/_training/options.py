"""The options of the training loop."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_rnn._core.callbacks import Current


def ignore_epoch(current: Current) -> bool:
    """Do nothing at the beginning or end of an epoch, and let the training continue."""
    return False


@dataclass(frozen=True)
class TrainingOptions:
    """How long and how to train.

    ``epoch_begins`` and ``epoch_ends`` are called with a function that returns the net
    as if its training ended now. ``epoch_ends`` returns whether to stop.
    """

    epochs: int
    batch_size: int
    seed: int
    schedule: str | Callable[[int], float] = "constant"
    gradient_clip: float | None = None
    patience: float = np.inf  # epochs without improvement after which to stop
    tol: float = 0.0
    verbose: int = 0
    score: Callable[..., float | None] | None = None  # of outputs, targets and weights
    epoch_begins: Callable[[Current], Any] = ignore_epoch
    epoch_ends: Callable[[Current], bool] = ignore_epoch
