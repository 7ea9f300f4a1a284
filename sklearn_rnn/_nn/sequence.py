"""The network of a classifier or regressor, which reads, pools and predicts."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from sklearn_rnn._nn.layers import RecurrentStack, drop, drop_tokens

# Vocabularies of more tokens than this are those of words. Dropout leaves out whole
# words, because new texts have words that are unknown. Each single letter may matter.
LARGE_VOCABULARY = 256


class Inputs(NamedTuple):
    """A padded batch: values (T, B, F) or codes (T, B), and lengths (B,).

    ``lengths`` is None when every sequence fills all T steps.
    """

    values: Tensor
    lengths: Tensor | None


class SequenceNetwork(nn.Module):
    """A network that maps sequences to logits or standardised numbers.

    ``embedding`` is None for numbers, and for codes that the first layer looks up
    itself. ``pooling`` reduces the outputs of the valid steps to the input of the
    head; without pooling the head reads every valid step.
    """

    def __init__(
        self,
        stack: RecurrentStack,
        head: nn.Linear,
        *,
        embedding: nn.Embedding | None = None,
        pooling: str | None = "last",
        dropout: float = 0.0,
        compute_dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.embedding = embedding
        self.stack = stack
        self.head = head
        self.pooling, self.dropout = pooling, dropout
        self.compute_dtype = compute_dtype

    def set_dropout(self, p: float) -> None:
        """Set the dropout rate between, before and after the recurrent layers."""
        self.dropout = self.stack.dropout = p

    def forward(
        self, inputs: Inputs, generator: torch.Generator | None = None
    ) -> Tensor:
        """Outputs (B, n_outputs); ``generator`` draws the dropout masks in training.

        Without pooling there is one output per valid step, (n_steps, n_outputs), in
        the order of time and then of the batch.
        """
        outputs = self.read(inputs, generator)  # (T, B, H)
        pooled = self.pool(outputs, inputs.lengths, self.pooling)
        pooled = pooled.to(self.head.weight.dtype)
        return self._apply_head(drop(pooled, self.dropout, self.training, generator))

    def read(self, inputs: Inputs, generator: torch.Generator | None = None) -> Tensor:
        """Outputs (T, B, H) of the last layer at every step, padding included."""
        x, lengths = inputs
        if self.embedding is not None:
            x = self.embedding(x)  # (T, B, E)
            large = self.embedding.num_embeddings > LARGE_VOCABULARY
            drop_input = drop_tokens if large else drop
            x = drop_input(x, self.dropout, self.training, generator)
        if self.compute_dtype is not None and x.is_floating_point():
            x = x.to(self.compute_dtype)
        return self.stack(x, lengths, generator=generator)[0]

    def pool(
        self, outputs: Tensor, lengths: Tensor | None, pooling: str | None
    ) -> Tensor:
        """Pooled outputs (B, n_pooled), or all valid steps if ``pooling`` is None."""
        if pooling is None:
            return select_valid_steps(outputs, lengths)
        return pool(outputs, lengths, pooling, self.stack.bidirectional)

    def _apply_head(self, pooled: Tensor) -> Tensor:
        """Outputs of the head that do not depend on a row's place in the batch.

        With a single output, BLAS would sum the trailing rows in a different order.
        """
        weight = self.head.weight
        if len(weight) > 1 or torch.is_grad_enabled():
            return self.head(pooled)
        return (pooled * weight).sum(1, keepdim=True) + self.head.bias


def select_valid_steps(outputs: Tensor, lengths: Tensor | None) -> Tensor:
    """The valid steps of outputs (T, B, H), concatenated: (n_steps, H)."""
    flat = outputs.flatten(0, 1)
    if lengths is None:
        return flat
    steps = torch.arange(len(outputs), device=outputs.device).unsqueeze(1)
    return flat.index_select(0, torch.nonzero((steps < lengths).flatten())[:, 0])


def pool(outputs: Tensor, lengths: Tensor | None, how: str, both: bool) -> Tensor:
    """The valid steps reduced to (B, H), or to (B, 3 H) by "concat"."""
    if how == "concat":  # of Howard and Ruder (2018)
        parts = [pool(outputs, lengths, part, both) for part in ("last", "mean", "max")]
        return torch.cat(parts, 1)
    if how == "last":
        return select_last_steps(outputs, lengths, both)
    if lengths is None:
        return outputs.mean(0) if how == "mean" else outputs.amax(0)
    steps = torch.arange(len(outputs), device=outputs.device).unsqueeze(1)
    padding = (steps >= lengths).unsqueeze(2)  # (T, B, 1)
    if how == "mean":
        total = outputs.masked_fill(padding, 0).sum(0)
        return total / lengths.unsqueeze(1).to(total.dtype)
    return outputs.masked_fill(padding, float("-inf")).amax(0)


def select_last_steps(outputs: Tensor, lengths: Tensor | None, both: bool) -> Tensor:
    """The last step that each direction reads, (B, H); backward, it is the first."""
    if lengths is None:
        last = outputs[-1]
    else:
        columns = torch.arange(outputs.shape[1], device=outputs.device)
        last = outputs[lengths - 1, columns]
    if both:
        H = outputs.shape[2] // 2
        last = torch.cat([last[:, :H], outputs[0, :, H:]], 1)
    return last
