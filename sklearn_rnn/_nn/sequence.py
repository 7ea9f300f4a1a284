"""The network of a classifier or regressor, which reads, pools and predicts."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from sklearn_rnn._nn.compiled import can_compile
from sklearn_rnn._nn.layers import RecurrentStack, drop, drop_tokens, look_up
from sklearn_rnn._nn.pooling import ConcatPooling
from sklearn_rnn._nn.states import State

# Vocabularies of more tokens than this are treated as words. For them, dropout removes
# whole tokens, because new texts contain unknown words. For characters it does not,
# because each character may matter.
LARGE_VOCABULARY = 256

# For predictions, a longer unpadded batch is read in chunks of this many steps, so that
# the memory for intermediate results does not grow with its length.
STEPS_PER_CHUNK = 2**13


class Inputs(NamedTuple):
    """A padded batch: values (T, B, F) or codes (T, B), and lengths (B,).

    ``lengths`` is None when every sequence fills all T steps.
    """

    values: Tensor
    lengths: Tensor | None


class SequenceNetwork(nn.Module):
    """A network that maps sequences to logits or standardized numbers.

    ``embedding`` is None for numbers, and for codes if the first layer looks them up.
    ``pooling`` reduces the outputs of the valid steps to the input of the head; without
    pooling, the head reads every valid step.
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
        """Compute outputs (B, n_outputs).

        In training, ``generator`` draws the dropout masks.

        Without pooling there is one output per valid step, (n_steps, n_outputs),
        ordered by time, then by row of the batch.
        """
        pooled = self.read_and_pool(inputs, self.pooling, generator)
        return self._apply_head(drop(pooled, self.dropout, self.training, generator))

    def read_and_pool(
        self,
        inputs: Inputs,
        pooling: str | None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Pool the outputs of the last layer: (B, n_pooled), in the type of the head.

        If ``pooling`` is None, they are the outputs of all valid steps (n_steps, H).
        """
        values, lengths = inputs
        if self._reads_in_chunks(inputs):
            pooled = pool_chunks(self._read_chunks(values), len(values), pooling)
        else:
            outputs, _ = self._read(values, lengths, generator=generator)  # (T, B, H)
            if pooling is None:
                pooled = select_valid_steps(outputs, lengths)
            else:
                pooled = pool(outputs, lengths, pooling, self.stack.bidirectional)
        return pooled.to(self.head.weight.dtype)

    def _reads_in_chunks(self, inputs: Inputs) -> bool:
        """Return whether reading in chunks is possible and saves memory."""
        return (
            inputs.lengths is None
            and len(inputs.values) > STEPS_PER_CHUNK
            and not torch.is_grad_enabled()
            and self.stack.is_causal
        )

    def _read_chunks(self, values: Tensor) -> Iterator[Tensor]:
        """Yield the outputs (t, B, H) of successive chunks of steps."""
        states = None
        for chunk in values.split(STEPS_PER_CHUNK):
            outputs, states = self._read(chunk, None, states)
            yield outputs

    def _read(
        self,
        x: Tensor,
        lengths: Tensor | None,
        states: list[list[State]] | None = None,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, list[list[State]]]:
        """Compute outputs (T, B, H) of the last layer, with padding, and the states.

        ``states`` are those before the first step.
        """
        if self.embedding is not None:
            x = look_up(x, self.embedding.weight)  # (T, B, E)
            large = self.embedding.num_embeddings > LARGE_VOCABULARY
            drop_input = drop_tokens if large else drop
            x = drop_input(x, self.dropout, self.training, generator)
        if self.compute_dtype is not None and x.is_floating_point():
            x = x.to(self.compute_dtype)
        return self.stack(x, lengths, states, generator)

    def _apply_head(self, pooled: Tensor) -> Tensor:
        """Apply the head so that no output depends on the row's place in the batch.

        With a single output, BLAS sums the last rows of a batch in a different order.
        """
        weight = self.head.weight
        if len(weight) > 1 or torch.is_grad_enabled():
            return self.head(pooled)
        return (pooled * weight).sum(1, keepdim=True) + self.head.bias


def select_valid_steps(outputs: Tensor, lengths: Tensor | None) -> Tensor:
    """Concatenate the valid steps of outputs (T, B, H) to (n_steps, H)."""
    flat = outputs.flatten(0, 1)
    if lengths is None:
        return flat
    steps = torch.arange(len(outputs), device=outputs.device).unsqueeze(1)
    return flat.index_select(0, torch.nonzero((steps < lengths).flatten())[:, 0])


def pool(outputs: Tensor, lengths: Tensor | None, how: str, both: bool) -> Tensor:
    """Reduce the valid steps to (B, H), or to (B, 3 H) with "concat"."""
    if how == "concat" and outputs.requires_grad and can_compile(outputs):
        T, B, H = outputs.shape
        every = (
            lengths
            if lengths is not None
            else torch.full((B,), T, device=outputs.device)
        )
        return ConcatPooling.apply(outputs, every, H // 2 if both else H)
    if how == "concat":  # Howard and Ruder (2018)
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


def pool_chunks(chunks: Iterator[Tensor], n_steps: int, how: str | None) -> Tensor:
    """Compute what :func:`pool` returns, from ``n_steps`` steps in chunks (t, B, H).

    No sequence is padded. If ``how`` is None, all steps are concatenated (n_steps, H).
    """
    if how is None:
        return torch.cat([chunk.flatten(0, 1) for chunk in chunks])
    chunk = next(chunks)
    total, highest = chunk.sum(0, dtype=torch.float64), chunk.amax(0)
    for chunk in chunks:
        total += chunk.sum(0, dtype=torch.float64)
        torch.maximum(highest, chunk.amax(0), out=highest)
    mean = total.div_(n_steps).to(chunk.dtype)
    pooled = {"last": chunk[-1], "mean": mean, "max": highest}
    return torch.cat(list(pooled.values()), 1) if how == "concat" else pooled[how]


def select_last_steps(outputs: Tensor, lengths: Tensor | None, both: bool) -> Tensor:
    """Select the last step that each direction reads: (B, H).

    For the backward direction, this is the first step.
    """
    if lengths is None:
        last = outputs[-1]
    else:
        columns = torch.arange(outputs.shape[1], device=outputs.device)
        last = outputs[lengths - 1, columns]
    if both:
        H = outputs.shape[2] // 2
        last = torch.cat([last[:, :H], outputs[0, :, H:]], 1)
    return last
