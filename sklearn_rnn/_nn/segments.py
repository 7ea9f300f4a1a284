"""Reading of long sequences in segments of bounded memory, with gradients.

Training keeps the intermediate results of all steps for the backward pass. For long
sequences, it keeps only the states between segments, and the backward pass computes
each segment again (Chen, Xu, Zhang and Guestrin, "Training deep nets with sublinear
memory cost", 2016). The gradient is the same.

Everything that is kept is written to arrays that are allocated once. Small arrays
between the large ones that are freed would split the free memory, which would grow.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

# A function of the number of a segment and of the states before it. It returns rows
# with the outputs of the segment, possibly none, and the states after it.
Read = Callable[[int, Sequence[Tensor]], tuple[Tensor | None, Sequence[Tensor]]]


class Segments(torch.autograd.Function):
    """The rows and the last states of all segments, which are computed again.

    Unlike ``torch.utils.checkpoint``, it leaves the global random generators alone and
    does not import torch's compiler.
    """

    @staticmethod
    def forward(
        ctx: Any, read: Read, n_segments: int, n_rows: int, n_states: int, *tensors: Any
    ) -> tuple[Tensor | None, ...]:
        states, ctx.weights = tensors[:n_states], tensors[n_states:]
        kept: list[Tensor] = []
        rows, last = _run(read, n_segments, n_rows, states, kept)
        ctx.read, ctx.n_segments, ctx.n_states = read, n_segments, n_states
        ctx.save_for_backward(*states, *kept)
        return rows, *(state.clone() for state in last)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_rows: Tensor | None, *of_states: Tensor) -> tuple:
        saved = ctx.saved_tensors
        first, kept = saved[: ctx.n_states], saved[ctx.n_states :]
        trained = [weight for weight in ctx.weights if weight.requires_grad]
        totals = [torch.zeros_like(weight) for weight in trained]
        stop = 0 if of_rows is None else len(of_rows)
        for k in reversed(range(ctx.n_segments)):
            before = [array[k - 1] for array in kept] if k else first
            states = [state.detach().requires_grad_() for state in before]
            with torch.enable_grad():
                part, after = ctx.read(k, states)
            pairs = list(zip(after, of_states, strict=True))
            if part is not None and of_rows is not None:
                stop -= len(part)
                pairs.append((part, of_rows[stop : stop + len(part)]))
            of_states, of_weights = _differentiate(pairs, states, trained)
            for total, gradient in zip(totals, of_weights, strict=True):
                if gradient is not None:
                    total += gradient
        found = iter(totals)
        every = [next(found) if w.requires_grad else None for w in ctx.weights]
        return None, None, None, None, *of_states, *every


def _run(
    read: Read,
    n_segments: int,
    n_rows: int,
    states: Sequence[Tensor],
    kept: list[Tensor] | None = None,
) -> tuple[Tensor | None, Sequence[Tensor]]:
    """Return the rows and the last states of all segments.

    Arrays of the states between the segments are added to ``kept``.
    """
    rows, n = None, 0
    for k in range(n_segments):
        # With gradients, layers compute as in training, which is faster.
        with torch.set_grad_enabled(kept is not None):
            part, states = read(k, states)
        states = [state.detach() for state in states]
        if part is not None:
            part = part.detach()
            if rows is None:
                rows = part.new_empty(n_rows, *part.shape[1:])
            rows[n : n + len(part)] = part
            n += len(part)
        if kept is not None and k < n_segments - 1:
            if not k:
                kept += [s.new_empty(n_segments - 1, *s.shape) for s in states]
            for array, state in zip(kept, states, strict=True):
                array[k] = state
            states = [array[k] for array in kept]
    return rows, states


def _differentiate(
    pairs: Sequence[tuple[Tensor, Tensor]],
    states: Sequence[Tensor],
    weights: Sequence[Tensor],
) -> tuple[tuple[Tensor, ...], Sequence[Tensor | None]]:
    """Return the gradients of states and weights, from pairs of result and gradient."""
    pairs = [(result, of_it) for result, of_it in pairs if result.requires_grad]
    inputs, n = [*states, *weights], len(states)
    found: Sequence[Tensor | None] = [None] * len(inputs)
    if pairs:
        results, gradients = zip(*pairs, strict=True)
        found = torch.autograd.grad(results, inputs, gradients, allow_unused=True)
    of_states = tuple(
        torch.zeros_like(state) if gradient is None else gradient
        for state, gradient in zip(states, found[:n], strict=True)
    )
    return of_states, found[n:]


def read_segments(
    read: Read,
    n_segments: int,
    n_rows: int,
    states: Sequence[Tensor],
    weights: Sequence[Tensor],
) -> tuple[Tensor | None, Sequence[Tensor]]:
    """Return the rows and the last states of all segments.

    ``n_rows`` is the number of rows of all segments. ``read`` may use ``weights``, and
    returns the same results when it is called again for the backward pass.
    """
    if not torch.is_grad_enabled():
        return _run(read, n_segments, n_rows, states)
    numbers = n_segments, n_rows, len(states)
    rows, *last = Segments.apply(read, *numbers, *states, *weights)
    return rows, last
