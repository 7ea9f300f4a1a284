"""Stacks of recurrent layers in one or two directions, reversal and dropout."""

from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sklearn_rnn._core.randomness import borrow_global_generator
from sklearn_rnn._nn.cells.base import RecurrentLayer
from sklearn_rnn._nn.cells.custom import CustomLayer
from sklearn_rnn._nn.masks import draw_mask
from sklearn_rnn._nn.states import State, nest_state


class RecurrentStack(nn.Module):
    """Stacked layers, which read in one direction or in both.

    ``layers[k]`` contains the forward layer and, if bidirectional, the backward layer
    of level ``k``. The backward layer reads the valid part of each sequence from its
    end, so that it never reads padding before the sequence.
    """

    def __init__(self, layers: list[list[nn.Module]], dropout: float = 0.0) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.ModuleList(level) for level in layers)
        self.bidirectional = len(layers[-1]) == 2
        self.dropout = dropout

    @property
    def is_causal(self) -> bool:
        """Whether reading can be split into chunks that continue from the states.

        This is not assumed of a user's cell.
        """
        custom = any(isinstance(layer, CustomLayer) for layer in self.modules())
        return not (self.bidirectional or custom)

    @property
    def n_units(self) -> int:
        """Number of units of all layers."""
        layers = (
            layer for level in self.layers for layer in cast(nn.ModuleList, level)
        )
        return sum(cast(int, layer.hidden_size) for layer in layers)

    def forward(
        self,
        x: Tensor,
        lengths: Tensor | None = None,
        states: list[list[State]] | None = None,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, list[list[State]]]:
        """Compute outputs (T, B, H * directions) in time order, and the last states.

        ``lengths`` (B,) is None if no sequence is padded. The last states are those
        after step T, so they are meaningful only if no sequence is padded.
        """
        last_states = []
        for k, level in enumerate(cast(list[list[nn.Module]], self.layers)):
            if k:
                x = drop(x, self.dropout, self.training, generator)
            outputs, last = [], []
            for direction, layer in enumerate(level):
                source = reverse(x, lengths) if direction else x
                state = states[k][direction] if states else None
                y, state = self._run_layer(layer, source, state, lengths, generator)
                outputs.append(reverse(y, lengths) if direction else y)
                last.append(state)
            x = torch.cat(outputs, 2) if len(outputs) > 1 else outputs[0]
            last_states.append(last)
        return x, last_states

    def nest_states(self, tensors: Iterable[Tensor]) -> list[list[State]]:
        """Return the states of built-in cells that consist of these tensors."""
        parts = iter(tensors)
        return [
            [nest_state([next(parts) for _ in layer.state_names]) for layer in level]
            for level in cast(list[list[RecurrentLayer]], self.layers)
        ]

    def _run_layer(
        self,
        layer: nn.Module,
        x: Tensor,
        state: State | None,
        lengths: Tensor | None,
        generator: torch.Generator | None,
    ) -> tuple[Tensor, State]:
        """Run one layer; a user's cell draws from ``generator`` during training."""
        if not isinstance(layer, CustomLayer):
            return layer(x, state, lengths)
        if not self.training or generator is None:
            return layer(x, state)
        device = generator.device
        seed = torch.randint(2**31, (1,), generator=generator, device=device)
        with borrow_global_generator(seed):
            return layer(x, state)


def reverse(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Reverse the valid part of each sequence in time; padding stays in place."""
    if lengths is None:
        return x.flip(0)
    steps = torch.arange(x.shape[0], device=x.device).unsqueeze(1)  # (T, 1)
    source = torch.where(steps < lengths, lengths - 1 - steps, steps)  # (T, B)
    return x[source, torch.arange(x.shape[1], device=x.device)]


def look_up(codes: Tensor, weight: Tensor) -> Tensor:
    """Select rows of ``weight`` (V, E) for codes (T, B).

    If the weight already has a gradient, the gradient of this batch changes only the
    rows that were selected. Otherwise, the gradient is a new array of all rows, which
    hooks of users expect.
    """
    has_gradient = weight.is_leaf and weight.grad is not None
    is_sparse = has_gradient and not (weight.is_cuda or weight._backward_hooks)
    return F.embedding(codes, weight, sparse=is_sparse)


def drop(
    x: Tensor, p: float, training: bool, generator: torch.Generator | None
) -> Tensor:
    """Apply dropout with a mask drawn from ``generator``."""
    if not training or p == 0:
        return x
    return x * draw_mask(x, 1 - p, generator).div_(1 - p)


def drop_tokens(
    x: Tensor, p: float, training: bool, generator: torch.Generator | None
) -> Tensor:
    """Set the vectors of whole tokens in x (T, B, E) to zero during training.

    Unknown tokens have the same vector, so the network learns to predict without them
    (Iyyer et al., 2015, "Deep unordered composition rivals syntactic methods for text
    classification").
    """
    if not training or p == 0:
        return x
    return x * draw_mask(x[:, :, :1], 1 - p, generator)
