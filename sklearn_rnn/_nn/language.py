"""The network of a generator, which predicts the next code at every step."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sklearn_rnn._nn.layers import RecurrentStack, drop, look_up


class LanguageNetwork(nn.Module):
    """A network that maps codes to logits of the next code at every step.

    ``embedding`` is None if the first layer looks up the codes. With ``tie_weights``,
    the head shares the weights of the embedding (Press and Wolf, 2017). If the outputs
    and the embedding differ in width, ``project`` maps the outputs to the width of the
    embedding.
    """

    def __init__(
        self,
        stack: RecurrentStack,
        head: nn.Linear,
        *,
        embedding: nn.Embedding | None = None,
        project: nn.Linear | None = None,
        tie_weights: bool = False,
        dropout: float = 0.0,
        compute_dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.embedding = embedding
        self.stack = stack
        self.project = project
        self.head = head
        if tie_weights:
            if embedding is None:
                raise ValueError("tie_weights needs an embedding of the codes.")
            self.head.weight = embedding.weight
        self.dropout = dropout
        self.compute_dtype = compute_dtype

    def set_dropout(self, p: float) -> None:
        """Set the dropout rate between, before and after the recurrent layers."""
        self.dropout = self.stack.dropout = p

    def forward(
        self,
        codes: Tensor,
        states: list[list[Any]] | None = None,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, list[list[Any]]]:
        """Compute logits (T, B, V) after each code (T, B), and the last states."""
        outputs, states = self.read(codes, states, generator)
        return self.logits(outputs, generator), states

    def read(
        self,
        codes: Tensor,
        states: list[list[Any]] | None = None,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, list[list[Any]]]:
        """Compute the outputs of the last layer (T, B, H), and the last states."""
        x = codes
        if self.embedding is not None:
            x = look_up(codes, self.embedding.weight)  # (T, B, E)
            x = drop(x, self.dropout, self.training, generator)
        if self.compute_dtype is not None and x.is_floating_point():
            x = x.to(self.compute_dtype)
        return self.stack(x, None, states, generator)

    def logits(
        self, outputs: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """Compute logits (..., V) from outputs (..., H)."""
        outputs = outputs.to(self.head.weight.dtype)
        outputs = drop(outputs, self.dropout, self.training, generator)
        if self.project is not None:
            outputs = self.project(outputs)
        return self.head(outputs)


def compute_step_losses(logits: Tensor, targets: Tensor) -> Tensor:
    """Compute the cross-entropy in nats of each step (T, B)."""
    losses = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    return losses.view_as(targets)
