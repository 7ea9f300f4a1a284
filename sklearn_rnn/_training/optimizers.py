"""Optimizers by name, and schedules of the learning rate."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from sklearn_rnn._nn.cells.custom import CustomLayer
from sklearn_rnn._training.averaging import WeightAverage
from sklearn_rnn._training.flat import FlatWeights, has_plain_steps

# With an eps of 1e-6, a gradient that is zero except for rounding errors is not scaled
# up to a full step. A row of weight 2 then has the same effect as two rows, to seven
# digits.
ADAM = {"fused": True, "eps": 1e-6}

Optimizer = type[torch.optim.Optimizer]


class WithoutCompiler(torch.optim.Optimizer):
    """An optimizer whose methods do not import torch's compiler.

    Torch decorates the methods for ``torch.compile``. Their first call in a process
    imports 800 modules, which takes a second or more, even if nothing is compiled. This
    class uses the undecorated functions, which compute the same results.

    While the weights are in the vectors ``flat``, the training loop calls their
    ``step`` instead.
    """

    flat: FlatWeights | None = None

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

# Attributes of every optimizer of torch, and those that torch's schedulers add.
OF_OPTIMIZERS = {*vars(SGD([torch.zeros(1)])), "step", "_opt_called"}

# Learning rate and weight decay for "auto". A step of SGD is proportional to the
# gradient, so it needs a larger learning rate and therefore a smaller weight decay.
AUTO_RATES = (0.01, 0.1)
SGD_RATES = (0.1, 0.01)

# With few batches per epoch, the "auto" weight decay is increased, by up to a factor of
# 10, so that the weights shrink by the same factor per epoch (Wang and Aitchison, 2024,
# "How to set AdamW's weight decay as you scale model and dataset size").
BATCHES_PER_EPOCH = 50
LARGEST_FACTOR = 10

SCHEDULES = ("constant", "plateau", "cosine")


def resolve_rates(
    optimizer: str | Optimizer,
    learning_rate: float | str,
    weight_decay: float | str,
    n_batches: int = BATCHES_PER_EPOCH,
) -> tuple[float, float]:
    """Return learning rate and weight decay as numbers.

    "auto" depends on the optimizer. The "auto" weight decay also depends on the number
    of batches per epoch. If the learning rate is larger than its "auto" value, the
    weight decay is smaller in proportion, so that the weights shrink by the same factor
    per step instead of vanishing.
    """
    own_rate, decay = SGD_RATES if optimizer == "sgd" else AUTO_RATES
    rate = own_rate if isinstance(learning_rate, str) else float(learning_rate)
    if not isinstance(weight_decay, str):
        return rate, float(weight_decay)
    factor = min(max(BATCHES_PER_EPOCH / n_batches, 1.0), LARGEST_FACTOR)
    return rate, decay * factor * min(own_rate / rate, 1.0)


def find_optimizer(optimizer: str | Optimizer) -> tuple[Optimizer, dict[str, Any]]:
    """Return the class of the optimizer and its options.

    The optimizer's own weight decay is set to 0, because the training loop decays the
    weights. Most optimizers would add the decay to the gradient, which has a different
    effect: Adam divides this gradient by its own size, and with a decay of 0.1 the
    network would not learn.
    """
    if isinstance(optimizer, str):
        optimizer_class, options = OPTIMIZERS[optimizer]
    else:
        optimizer_class, options = optimizer, {}
    if not issubclass(optimizer_class, torch.optim.Optimizer):
        raise TypeError(
            f"optimizer={optimizer!r} is not a torch.optim.Optimizer. Set it to one of "
            f"{sorted(OPTIMIZERS)} or to a subclass of torch.optim.Optimizer."
        )
    if "weight_decay" in inspect.signature(optimizer_class).parameters:
        options = {**options, "weight_decay": 0.0}
    return optimizer_class, options


def list_own_attributes(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Return the attributes that the class of an optimizer has added to torch's."""
    return {k: v for k, v in vars(optimizer).items() if k not in OF_OPTIMIZERS}


@contextmanager
def flat_weights(
    optimizer: torch.optim.Optimizer,
    module: torch.nn.Module,
    average: WeightAverage | None,
    weight_decay: float,
    embedding: torch.nn.Parameter | None = None,
) -> Iterator[None]:
    """Let steps of Adam change all weights of ``module`` and their average at once.

    Steps of ``embedding`` are delayed for rows that batches do not read. Other
    optimizers may compute norms of each weight, and a user's cell may have weights that
    it does not use. They are left as they are.
    """
    if not can_flatten(optimizer, module):
        yield
        return
    assert isinstance(optimizer, WithoutCompiler)
    optimizer.flat = FlatWeights(optimizer, average, weight_decay, embedding)
    try:
        yield
    finally:
        separate_weights(optimizer)


def can_flatten(optimizer: torch.optim.Optimizer, module: torch.nn.Module) -> bool:
    """Return whether the weights and the state of an optimizer can be vectors."""
    weights = list(module.parameters())
    states = [optimizer.state.get(weight, {}) for weight in weights]
    return (
        type(optimizer) in (Adam, AdamW)
        and has_plain_steps(optimizer, weights)
        and not any(isinstance(layer, CustomLayer) for layer in module.modules())
        and all(weight.requires_grad for weight in weights)
        and len({(weight.dtype, weight.device) for weight in weights}) == 1
        and len({float(state.get("step", 0)) for state in states}) == 1
    )


def find_flat(optimizer: torch.optim.Optimizer) -> FlatWeights | None:
    """Return the vectors of the weights of an optimizer, if it uses them."""
    return getattr(optimizer, "flat", None)


def separate_weights(optimizer: torch.optim.Optimizer) -> None:
    """Make all weights of an optimizer tensors of their own again."""
    flat = find_flat(optimizer)
    if flat is not None:
        del vars(optimizer)["flat"]
        flat.separate()


def decay_weights(optimizer: torch.optim.Optimizer, weight_decay: float) -> None:
    """Multiply all weights that have a gradient by 1 - learning rate * decay.

    Biases, which are vectors, are not changed.
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
    """Make the scheduler of the learning rate; None if the rate stays constant."""
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
