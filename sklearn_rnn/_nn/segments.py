"""Reading of long sequences in segments of bounded memory, with gradients.

Training keeps the intermediate results of all steps for the backward pass. For long
sequences, it keeps only the states between segments, and the backward pass computes
each segment again (Chen, Xu, Zhang and Guestrin, "Training deep nets with sublinear
memory cost", 2016). The gradient is the same.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

Segment = Callable[[Sequence[Tensor]], Sequence[Tensor]]


class Recomputed(torch.autograd.Function):
    """The results of a function, which is called again in the backward pass.

    Unlike ``torch.utils.checkpoint``, it leaves the global random generators alone and
    does not import torch's compiler.
    """

    @staticmethod
    def forward(
        ctx: Any, function: Segment, n_states: int, *tensors: Tensor
    ) -> tuple[Tensor, ...]:
        ctx.function, ctx.weights = function, tensors[n_states:]
        ctx.save_for_backward(*tensors[:n_states])
        # A view, such as the last of all states, would keep the whole array.
        return tuple(result.clone() for result in function(tensors[:n_states]))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        states = [state.detach().requires_grad_() for state in ctx.saved_tensors]
        trained = [weight for weight in ctx.weights if weight.requires_grad]
        with torch.enable_grad():
            results = ctx.function(states)
        found = iter(
            torch.autograd.grad(
                results, [*states, *trained], gradients, allow_unused=True
            )
        )
        of_states = [next(found) for _ in states]
        of_weights = [next(found) if w.requires_grad else None for w in ctx.weights]
        return None, None, *of_states, *of_weights


def recompute(
    function: Segment, states: Sequence[Tensor], weights: Sequence[Tensor]
) -> Sequence[Tensor]:
    """Return ``function(states)`` without keeping its intermediate results.

    The function may use ``weights``, and returns the same results when it is called
    again. Each result depends on the weights.
    """
    if not torch.is_grad_enabled():
        return function(states)
    return Recomputed.apply(function, len(states), *states, *weights)
