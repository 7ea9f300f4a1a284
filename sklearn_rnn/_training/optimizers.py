"""Optimizers by name, and schedules of the learning rate."""

import inspect
from collections.abc import Callable
from typing import Any

import torch

# With an eps of 1e-6, a gradient that is zero except for rounding errors is not scaled
# up to a full step. So a row of weight 2 trains like two rows, to seven digits.
ADAM = {"fused": True, "eps": 1e-6}

Optimizer = type[torch.optim.Optimizer]

OPTIMIZERS: dict[str, tuple[Optimizer, dict[str, Any]]] = {
    "adam": (torch.optim.Adam, ADAM),
    "adamw": (torch.optim.AdamW, ADAM),
    "rmsprop": (torch.optim.RMSprop, {}),
    "sgd": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
}

SCHEDULES = ("constant", "plateau", "cosine")


def find_optimizer(
    optimizer: str | Optimizer, weight_decay: float
) -> tuple[Optimizer, dict[str, Any]]:
    """The class of the optimizer and its options, including the weight decay."""
    if isinstance(optimizer, str):
        optimizer_class, options = OPTIMIZERS[optimizer]
    else:
        optimizer_class, options = optimizer, {}
    if not issubclass(optimizer_class, torch.optim.Optimizer):
        raise TypeError(
            f"optimizer={optimizer!r} is not a torch.optim.Optimizer. Give one of "
            f"{sorted(OPTIMIZERS)} or a class derived from it."
        )
    if not weight_decay:
        return optimizer_class, options
    if "weight_decay" not in inspect.signature(optimizer_class).parameters:
        raise ValueError(
            f"{optimizer_class.__name__} does not support weight_decay, but "
            f"weight_decay={weight_decay}. Set weight_decay=0 with this optimizer."
        )
    return optimizer_class, {**options, "weight_decay": weight_decay}


def make_schedule(
    optimizer: torch.optim.Optimizer,
    schedule: str | Callable[[int], float],
    n_epochs: int,
) -> Any:
    """The scheduler of the learning rate, or None if the rate stays constant."""
    schedulers = torch.optim.lr_scheduler
    if schedule == "constant":
        return None
    if schedule == "plateau":
        return schedulers.ReduceLROnPlateau(
            optimizer, factor=0.5, patience=3, threshold=1e-3
        )
    if schedule == "cosine":
        return schedulers.CosineAnnealingLR(optimizer, n_epochs)
    assert callable(schedule)
    return schedulers.LambdaLR(optimizer, schedule)


def step_schedule(scheduler: Any, loss: float) -> None:
    """Set the learning rate of the next epoch after an epoch with this ``loss``."""
    if isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau):
        scheduler.step(loss)
    elif scheduler is not None:
        scheduler.step()
