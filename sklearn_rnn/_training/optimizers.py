"""Optimizers by name, and schedules of the learning rate."""

import inspect
from collections.abc import Callable
from typing import Any

import torch

# With an eps of 1e-6, a gradient that is zero except for rounding errors is not scaled
# up to a full step. So a row of weight 2 trains like two rows, to seven digits.
ADAM = {"fused": True, "eps": 1e-6}

Optimizer = type[torch.optim.Optimizer]


class WithoutCompiler(torch.optim.Optimizer):
    """An optimizer whose methods do not import the compiler of torch.

    Torch decorates them for ``torch.compile``. Their first call in a process imports
    800 modules, which takes a second or more, even if nothing is ever compiled. The
    functions below the decorators are the same, and so are the results.
    """

    add_param_group = inspect.unwrap(torch.optim.Optimizer.add_param_group)
    zero_grad = inspect.unwrap(torch.optim.Optimizer.zero_grad)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        step: Any = torch.no_grad()(inspect.unwrap(cls.step))
        cls.step = step  # type: ignore[method-assign]


class Adam(WithoutCompiler, torch.optim.Adam):
    """Adam (Kingma and Ba, 2015)."""


class AdamW(WithoutCompiler, torch.optim.AdamW):
    """AdamW (Loshchilov and Hutter, 2019)."""


class RMSprop(WithoutCompiler, torch.optim.RMSprop):
    """RMSprop (Tieleman and Hinton, 2012)."""


class SGD(WithoutCompiler, torch.optim.SGD):
    """Stochastic gradient descent with momentum."""


OPTIMIZERS: dict[str, tuple[Optimizer, dict[str, Any]]] = {
    "adam": (Adam, ADAM),
    "adamw": (AdamW, ADAM),
    "rmsprop": (RMSprop, {}),
    "sgd": (SGD, {"momentum": 0.9, "nesterov": True}),
}

# What "auto" stands for: learning rate and weight decay. The step of SGD is as long as
# the gradient, so that it needs a larger rate, and with it a smaller decay.
AUTO_RATES = (0.01, 0.1)
SGD_RATES = (0.1, 0.01)

# With few batches per epoch, a weight decay of "auto" is so much larger that the
# weights shrink by the same share per epoch (Wang and Aitchison, 2024, "How to set
# AdamW's weight decay as you scale model and dataset size"), but at most ten times.
BATCHES_PER_EPOCH = 50
LARGEST_FACTOR = 10

SCHEDULES = ("constant", "plateau", "cosine")


def resolve_rates(
    optimizer: str | Optimizer,
    learning_rate: float | str,
    weight_decay: float | str,
    n_batches: int = BATCHES_PER_EPOCH,
) -> tuple[float, float]:
    """Learning rate and weight decay as numbers.

    "auto" suits the optimizer, and a weight decay of "auto" also the number of batches
    per epoch. With a larger learning rate than that of "auto" it is so much smaller
    that weights shrink by the same share per step, instead of vanishing.
    """
    own_rate, decay = SGD_RATES if optimizer == "sgd" else AUTO_RATES
    rate = own_rate if isinstance(learning_rate, str) else float(learning_rate)
    if not isinstance(weight_decay, str):
        return rate, float(weight_decay)
    factor = min(max(BATCHES_PER_EPOCH / n_batches, 1.0), LARGEST_FACTOR)
    return rate, decay * factor * min(own_rate / rate, 1.0)


def find_optimizer(optimizer: str | Optimizer) -> tuple[Optimizer, dict[str, Any]]:
    """The class of the optimizer and its options.

    Its own weight decay is 0, because the loop decays the weights. Most classes would
    add the decay to the gradient, which is another thing: Adam divides such a gradient
    by its own size, and a decay of 0.1 ends the training.
    """
    if isinstance(optimizer, str):
        optimizer_class, options = OPTIMIZERS[optimizer]
    else:
        optimizer_class, options = optimizer, {}
    if not issubclass(optimizer_class, torch.optim.Optimizer):
        raise TypeError(
            f"optimizer={optimizer!r} is not a torch.optim.Optimizer. Give one of "
            f"{sorted(OPTIMIZERS)} or a class derived from it."
        )
    if "weight_decay" in inspect.signature(optimizer_class).parameters:
        options = {**options, "weight_decay": 0.0}
    return optimizer_class, options


def decay_weights(optimizer: torch.optim.Optimizer, weight_decay: float) -> None:
    """Multiply all weights that have a gradient by 1 - learning rate * decay.

    Biases, which are vectors, do not decay.
    """
    if not weight_decay:
        return
    with torch.no_grad():
        for group in optimizer.param_groups:
            weights = [p for p in group["params"] if p.ndim > 1 and p.grad is not None]
            if weights:
                torch._foreach_mul_(weights, 1 - group["lr"] * weight_decay)


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
