"""The network of a translator, which reads a source and writes a target."""

from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from sklearn_rnn._nn.layers import RecurrentStack, drop, look_up, reverse
from sklearn_rnn._nn.pooling import select_last_steps
from sklearn_rnn._nn.sequence import Inputs
from sklearn_rnn._nn.states import State, nest_state


class Memory(NamedTuple):
    """Outputs (B, S, M) of the encoder, which the decoder reads.

    Attention compares the decoder's outputs with the ``keys`` (B, S, H). ``lengths``
    (B,) contains the numbers of valid steps, and is None if all steps are valid.
    """

    outputs: Tensor
    lengths: Tensor | None
    keys: Tensor | None

    def of(self, rows: Tensor) -> "Memory":
        """Return the memory of the sources in ``rows``, which may be repeated."""
        lengths = None if self.lengths is None else self.lengths[rows]
        keys = None if self.keys is None else self.keys[rows]
        return Memory(self.outputs[rows], lengths, keys)


class Attention(nn.Module):
    """Attention of each step of the decoder to the steps of the source.

    With "dot", the scores are :math:`h^T W m / \\sqrt{H}` (Luong et al., 2015,
    "general"; scaled as in Vaswani et al., 2017, since training is much slower
    otherwise). With "additive", they are :math:`v^T \\tanh(W m + U h)` (Bahdanau et
    al., 2015). The weights are the softmax of the scores over the steps of the source.
    The head reads :math:`\\tanh(C [h; c])`, where the context c is the weighted mean of
    the memory m.
    """

    def __init__(self, kind: str, of_memory: nn.Linear, combine: nn.Linear) -> None:
        super().__init__()
        self.kind, self.of_memory, self.combine = kind, of_memory, combine
        if kind == "additive":
            H = of_memory.out_features
            self.of_hidden = nn.Parameter(torch.empty(H, H))
            self.v = nn.Parameter(torch.empty(H))

    def initialize(self, generator: torch.Generator) -> None:
        """Draw Glorot weights for additive scores; the layers have theirs already."""
        if self.kind == "additive":
            nn.init.xavier_uniform_(self.of_hidden, generator=generator)
            nn.init.xavier_uniform_(self.v.unsqueeze(0), generator=generator)

    def forward(self, hidden: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Return combined outputs (T, B, H) and weights (B, T, S).

        ``hidden`` (T, B, H) are the decoder's outputs.
        """
        queries, keys = hidden.transpose(0, 1), cast(Tensor, memory.keys)
        if self.kind == "dot":
            scores = queries @ keys.transpose(1, 2)  # (B, T, S)
            scores = scores * keys.shape[2] ** -0.5
        else:
            both = keys.unsqueeze(1) + (queries @ self.of_hidden).unsqueeze(2)
            scores = torch.tanh(both) @ self.v  # (B, T, S)
        if memory.lengths is not None:
            steps = torch.arange(keys.shape[1], device=keys.device)
            padding = steps >= memory.lengths.unsqueeze(1)  # (B, S)
            scores = scores.masked_fill(padding.unsqueeze(1), float("-inf"))
        weights = torch.softmax(scores, dim=2)
        joined = torch.cat([queries, weights @ memory.outputs], dim=2)
        return torch.tanh(self.combine(joined)).transpose(0, 1), weights


class TranslationNetwork(nn.Module):
    """An encoder, a decoder and, unless it is None, the attention between them."""

    def __init__(
        self,
        encoder: RecurrentStack,
        decoder: RecurrentStack,
        bridge: nn.Linear,
        head: nn.Linear,
        *,
        source_embedding: nn.Embedding | None,
        target_embedding: nn.Embedding,
        attention: Attention | None,
        reverse_source: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.stack, self.decoder = encoder, decoder
        self.bridge, self.head = bridge, head
        self.source_embedding = source_embedding
        self.target_embedding = target_embedding
        self.attention = attention
        self.reverse_source = reverse_source
        self.dropout = dropout

    def set_dropout(self, p: float) -> None:
        """Set the dropout rate in, before and after the encoder and the decoder."""
        self.dropout = self.stack.dropout = self.decoder.dropout = p

    def forward(
        self, inputs: Inputs, codes: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """Compute logits (T, B, V) of the code after each target code (T, B)."""
        memory, states = self.encode(inputs, generator)
        return self.decode(codes, states, memory, generator)[0]

    def encode(
        self, inputs: Inputs, generator: torch.Generator | None = None
    ) -> tuple[Memory, list[list[State]]]:
        """Return the memory of the sources, and the initial states of the decoder."""
        x, lengths = inputs
        if self.reverse_source:
            x = reverse(x, lengths)
        if self.source_embedding is not None:
            x = look_up(x, self.source_embedding.weight)
            x = drop(x, self.dropout, self.training, generator)
        outputs, _ = self.stack(x, lengths, generator=generator)  # (S, B, M)
        summary = select_last_steps(outputs, lengths, self.stack.bidirectional)
        outputs = outputs.transpose(0, 1)
        keys = self.attention.of_memory(outputs) if self.attention else None
        memory = Memory(outputs, lengths, keys)
        return memory, self._make_first_states(torch.tanh(self.bridge(summary)))

    def _make_first_states(self, bridged: Tensor) -> list[list[State]]:
        """Split (B, states * layers * H) into the states of the decoder's layers."""
        layers = cast(Any, self.decoder.layers)
        n = len(layers)
        parts = bridged.chunk(n * len(layers[0][0].state_names), dim=1)
        parts = tuple(part.contiguous() for part in parts)
        return [[nest_state(parts[k::n])] for k in range(n)]

    def decode(
        self,
        codes: Tensor,
        states: list[list[State]],
        memory: Memory,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, list[list[State]], Tensor | None]:
        """Return logits (T, B, V), the last states, and attention (B, T, S) or None."""
        x = look_up(codes, self.target_embedding.weight)
        x = drop(x, self.dropout, self.training, generator)
        outputs, states = self.decoder(x, None, states, generator)
        weights = None
        if self.attention is not None:
            outputs, weights = self.attention(outputs, memory)
            if self.reverse_source:  # in the order of the source
                steps = reverse(weights.permute(2, 0, 1), memory.lengths)
                weights = steps.permute(1, 2, 0)
        outputs = drop(outputs, self.dropout, self.training, generator)
        return self.head(outputs), states, weights
