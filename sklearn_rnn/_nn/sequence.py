"""The network of a classifier or regressor, which reads, pools and predicts."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from sklearn_rnn._nn.layers import RecurrentStack, drop, drop_tokens, look_up
from sklearn_rnn._nn.masks import MaskGenerator, find_share
from sklearn_rnn._nn.pooling import Pooling, StepOutputs
from sklearn_rnn._nn.segments import Read, read_segments
from sklearn_rnn._nn.states import State, list_tensors

# Vocabularies of more tokens than this are treated as words. For them, dropout removes
# whole tokens, because new texts contain unknown words. For characters it does not,
# because each character may matter.
LARGE_VOCABULARY = 256

# Longer batches are predicted in segments of this many steps, so that the memory for
# intermediate results does not grow with their length.
STEPS_PER_PREDICTED_SEGMENT = 2**11

# A training step keeps the intermediate results of at most this many outputs of units,
# in float32 about 0.5 GiB. Larger batches are read in segments, which are computed once
# more in the backward pass. Large networks take up to a third longer, small ones less
# time than otherwise, because their segments fit into the caches of the processor.
MOST_OUTPUTS_KEPT = 2**23
STEPS_PER_SEGMENT = 2**8

States = list[list[State]]  # of all layers, by level and direction


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
        if self.pooling is None:
            return self.predict_steps(inputs, None, generator)[0]
        pooled = self.read_and_pool(inputs, self.pooling, generator)
        return self._predict(pooled, generator)

    def predict_steps(
        self,
        inputs: Inputs,
        states: States | None,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, States]:
        """Compute outputs (n_steps, n_outputs), and the states after the last step.

        ``states`` are those before the first step.
        """
        return self._read_and_reduce(
            inputs, StepOutputs(self._predict), states, generator
        )

    def read_and_pool(
        self,
        inputs: Inputs,
        pooling: str | None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Pool the outputs of the last layer: (B, n_pooled), in the type of the head.

        If ``pooling`` is None, they are the outputs of all valid steps (n_steps, H).
        """
        both = self.stack.bidirectional
        reduction = StepOutputs() if pooling is None else Pooling(pooling, both)
        pooled, _ = self._read_and_reduce(inputs, reduction, None, generator)
        return pooled.to(self.head.weight.dtype)

    def _read_and_reduce(
        self,
        inputs: Inputs,
        reduction: Pooling | StepOutputs,
        states: States | None,
        generator: torch.Generator | None,
    ) -> tuple[Tensor, States]:
        """Read a batch and reduce its outputs; return the states, too."""
        values, lengths = inputs
        share = find_share(generator)
        n_steps, n_sequences = values.shape[:2]
        if share is not None:  # all processes draw masks for the same segments
            n_steps, n_sequences = int(share.lengths.max()), len(share.lengths)
        size = self._choose_segment(n_steps, n_sequences)
        if n_steps <= size:
            outputs, states = self._read(values, lengths, states, generator)
            return reduction.pool(outputs, lengths, generator), states
        read = self._make_reader(inputs, size, reduction, generator)
        n_rows = values.shape[0] * values.shape[1]
        rows, tensors = read_segments(
            read,
            -(-len(values) // size),
            n_rows if lengths is None else int(lengths.sum()),
            list_tensors(states),
            list(self.parameters()),
        )
        every = len(values) if lengths is None else lengths
        parts, tensors = tensors[: reduction.n_parts], tensors[reduction.n_parts :]
        return reduction.join(rows, parts, every), self.stack.nest_states(tensors)

    def _choose_segment(self, n_steps: int, n_sequences: int) -> int:
        """Return the number of steps to read at a time."""
        if not self.stack.is_causal:
            return n_steps
        if not torch.is_grad_enabled():
            return STEPS_PER_PREDICTED_SEGMENT
        n_outputs = n_steps * n_sequences * self.stack.n_units
        return STEPS_PER_SEGMENT if n_outputs > MOST_OUTPUTS_KEPT else n_steps

    def _draw_seed(self, generator: torch.Generator | None) -> int | None:
        """Draw a seed for the masks of all segments; None if there is no dropout."""
        if not (self.training and self.dropout):
            return None
        device = None if generator is None else generator.device
        return int(torch.randint(2**31, (), generator=generator, device=device))

    def _make_reader(
        self,
        inputs: Inputs,
        size: int,
        reduction: Pooling | StepOutputs,
        generator: torch.Generator | None,
    ) -> Read:
        """Return a function that reads a segment of ``size`` steps, always alike.

        The states that it is given and returns are the reduced outputs of all segments
        so far, and those of the layers. Before the first segment, there is nothing to
        add to, and there may be no states.
        """
        seed, share = self._draw_seed(generator), find_share(generator)

        def read(k: int, tensors: Sequence[Tensor]) -> tuple[Tensor | None, list]:
            start, n_parts = k * size, reduction.n_parts if k else 0
            parts, tensors = tensors[:n_parts], tensors[n_parts:]
            values, n_valid, private = inputs.values[start : start + size], None, None
            if inputs.lengths is not None:
                n_valid = (inputs.lengths - start).clamp(0, len(values))
            if seed is not None:
                private = MaskGenerator(values.device)
                private.manual_seed(seed + k)
                private.share = share and share.cut(start, size)
            states = self.stack.nest_states(tensors) if tensors else None
            outputs, after = self._read(values, n_valid, states, private)
            rows, parts = reduction.reduce(outputs, n_valid, parts, private)
            return rows, [*parts, *list_tensors(after)]

        return read

    def _read(
        self,
        x: Tensor,
        lengths: Tensor | None,
        states: States | None = None,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, States]:
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

    def _predict(self, pooled: Tensor, generator: torch.Generator | None) -> Tensor:
        """Apply dropout and the head to pooled outputs, or to those of steps."""
        pooled = pooled.to(self.head.weight.dtype)
        return self._apply_head(drop(pooled, self.dropout, self.training, generator))

    def _apply_head(self, pooled: Tensor) -> Tensor:
        """Apply the head so that no output depends on the row's place in the batch.

        With a single output, BLAS sums the last rows of a batch in a different order.
        """
        weight = self.head.weight
        if len(weight) > 1 or torch.is_grad_enabled():
            return self.head(pooled)
        return (pooled * weight).sum(1, keepdim=True) + self.head.bias
