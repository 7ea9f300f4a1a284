"""Copies of translation networks as torch modules of standard layers.

Shapes: B sequences, S steps of the source, F features, T steps of the target, M outputs
of the encoder, H units and L layers of the decoder, V codes of the target.
"""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from sklearn_rnn._core.device import ignore_torch_modes
from sklearn_rnn._nn.standard import (
    Recurrence,
    check_lengths,
    check_sequences,
    convert_recurrence,
    finish,
    mask_padding,
    pool_steps,
    reverse_valid,
)
from sklearn_rnn._nn.states import State, nest_state
from sklearn_rnn._nn.translation import Attention, Memory, TranslationNetwork


class StandardTranslationNetwork(nn.Module):
    """An encoder, a decoder and, unless it is None, the attention between them.

    The state of the decoder is that of torch's layers.
    """

    def __init__(
        self,
        *,
        source_embedding: nn.Embedding | None,
        encoder: Recurrence,
        bridge: nn.Linear,
        target_embedding: nn.Embedding,
        decoder: Recurrence,
        attention: Attention | None,
        head: nn.Linear,
        n_layers: int,
        reverse_source: bool,
    ) -> None:
        super().__init__()
        self.source_embedding, self.encoder = source_embedding, encoder
        self.bridge = bridge
        self.target_embedding, self.decoder = target_embedding, decoder
        self.attention, self.head = attention, head
        self.n_layers, self.reverse_source = n_layers, reverse_source

    def forward(
        self, x: Tensor, codes: Tensor, lengths: Tensor | None = None
    ) -> Tensor:
        """Return logits (B, T, V) of the code after each target code (B, T).

        The sources are numbers (B, S, F), or codes (B, S), with ``lengths`` (B,).
        """
        memory, state = self.encode(x, lengths)
        return self.decode(codes, state, memory, lengths)[0]

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, State]:
        """Return the memory (B, S, M) of the sources, and the decoder's first state."""
        embedding = self.source_embedding
        check_sequences(x, self.encoder.input_size if embedding is None else None)
        lengths = check_lengths(x, lengths)
        if embedding is not None:
            x = embedding(x.long())
        x = mask_padding(x.to(self.bridge.weight.dtype), lengths, 0.0)
        x = x + (x - x)  # infinity, which layers saturate, becomes NaN
        if self.reverse_source:
            x = reverse_valid(x, lengths)
        memory, _ = self.encoder(x, lengths)
        last = pool_steps(memory, lengths, "last", self.encoder.bidirectional)
        n = self.n_layers
        n_parts = self.bridge.out_features // (n * self._hidden_size)
        parts = torch.tanh(self.bridge(last)).chunk(n * n_parts, 1)
        if self.decoder.is_one_layer:
            joined = [torch.stack(parts[k * n : k * n + n]) for k in range(n_parts)]
            return memory, nest_state(joined)
        return memory, [nest_state(parts[k::n]) for k in range(n)]

    def decode(
        self,
        codes: Tensor,
        state: State,
        memory: Tensor,
        lengths: Tensor | None = None,
    ) -> tuple[Tensor, State, Tensor | None]:
        """Return logits (B, T, V) after codes (B, T), the state after the last of them.

        The third part are the weights (B, T, S) of the attention to the steps of the
        source, or None.
        """
        check_sequences(codes, None, "codes")
        single = self.decoder.is_one_layer
        states = [state] if single else state
        outputs, states = self.decoder(
            self.target_embedding(codes.long()), None, states
        )
        weights = None
        if self.attention is not None:
            lengths = check_lengths(memory, lengths)
            keys = self.attention.of_memory(memory)
            outputs, weights = self.attention(
                outputs.transpose(0, 1), Memory(memory, lengths, keys)
            )
            outputs = outputs.transpose(0, 1)
            if self.reverse_source:  # in the order of the source
                weights = reverse_valid(weights.transpose(1, 2), lengths)
                weights = weights.transpose(1, 2)
        return self.head(outputs), states[0] if single else states, weights

    @property
    def _hidden_size(self) -> int:
        layer: Any = self.decoder.levels[0][0]  # type: ignore[index]
        return getattr(layer, "layer", layer).hidden_size


@ignore_torch_modes()
def make_standard_translation_network(
    module: TranslationNetwork,
) -> StandardTranslationNetwork:
    """Copy the network of a translator to standard layers."""
    module = copy.deepcopy(module)
    source_embedding, encoder = convert_recurrence(
        module.stack, module.source_embedding
    )
    _, decoder = convert_recurrence(module.decoder, module.target_embedding)
    network = StandardTranslationNetwork(
        source_embedding=source_embedding,
        encoder=encoder,
        bridge=module.bridge,
        target_embedding=module.target_embedding,
        decoder=decoder,
        attention=module.attention,
        head=module.head,
        n_layers=len(module.decoder.layers),
        reverse_source=module.reverse_source,
    )
    return finish(network, module)
