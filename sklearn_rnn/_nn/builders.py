"""Functions that build networks, with weights from a private generator."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from sklearn_rnn._nn.cells.custom import CustomLayer
from sklearn_rnn._nn.cells.registry import CELLS
from sklearn_rnn._nn.language import LanguageNetwork
from sklearn_rnn._nn.layers import RecurrentStack
from sklearn_rnn._nn.sequence import SequenceNetwork
from sklearn_rnn._nn.translation import Attention, TranslationNetwork

Cell = str | Callable[[int, int], nn.Module]

Codes = Sequence[int] | np.ndarray

AUTO_EMBEDDING = 64  # largest dimension of embedding="auto"

EMBEDDING_SCALE = 0.1  # standard deviation of random embedding vectors

# Weights are drawn in this type and then converted. They therefore do not depend on
# torch's default type and, except for rounding, on the precision of the network.
DRAWN = torch.float32


def build_network(
    cell: Cell,
    input_size: int,
    hidden_size: int,
    n_outputs: int,
    *,
    generator: torch.Generator,
    dtype: torch.dtype = torch.float32,
    compute_dtype: torch.dtype | None = None,
    num_layers: int = 1,
    activation: str = "tanh",
    bidirectional: bool = False,
    dropout: float = 0.0,
    pooling: str | None = "last",
    vocabulary_size: int | None = None,
    embedding: str | int | torch.Tensor = "auto",
    neutral_codes: Codes = (),
) -> SequenceNetwork:
    """Build and initialize the network of a classifier or regressor, on the CPU.

    The weights are drawn from ``generator``. The initial vectors of ``neutral_codes``
    are zero, so that codes which do not occur in training add no random input.
    """
    table, input_size, onehot = _make_input_layer(
        cell, input_size, vocabulary_size, embedding, generator
    )
    layers = _make_layers(
        cell,
        input_size,
        hidden_size,
        num_layers=num_layers,
        activation=activation,
        bidirectional=bidirectional,
        onehot=onehot,
        compute_dtype=compute_dtype,
        generator=generator,
    )
    _clear_codes(neutral_codes, embedding, table, layers)
    directions = 2 if bidirectional else 1
    pooled = hidden_size * directions * (3 if pooling == "concat" else 1)
    return SequenceNetwork(
        RecurrentStack(layers, dropout),
        _make_linear(pooled, n_outputs, generator),
        embedding=table,
        pooling=pooling,
        dropout=dropout,
        compute_dtype=compute_dtype,
    ).to(dtype)


def build_language_network(
    cell: Cell,
    vocabulary_size: int,
    hidden_size: int,
    *,
    generator: torch.Generator,
    dtype: torch.dtype = torch.float32,
    compute_dtype: torch.dtype | None = None,
    num_layers: int = 1,
    activation: str = "tanh",
    dropout: float = 0.0,
    embedding: str | int | torch.Tensor = "auto",
    tie_weights: bool = False,
    neutral_codes: Codes = (),
) -> LanguageNetwork:
    """Build and initialize the network of a generator, on the CPU.

    The initial vectors of ``neutral_codes`` are zero, as in :func:`build_network`.
    """
    table, input_size, onehot = _make_input_layer(
        cell, vocabulary_size, vocabulary_size, embedding, generator
    )
    layers = _make_layers(
        cell,
        input_size,
        hidden_size,
        num_layers=num_layers,
        activation=activation,
        onehot=onehot,
        compute_dtype=compute_dtype,
        generator=generator,
    )
    if tie_weights and table is None:
        raise ValueError(
            "tie_weights=True uses the embedding vectors in the output layer, but "
            'embedding="onehot" has none. Set embedding="auto" or a dimension.'
        )
    width = hidden_size
    project = None
    scale = 1.0  # of embedding vectors; a generator learns more from larger ones
    if tie_weights and table is not None:
        width = table.embedding_dim
        scale = width**-0.5  # initial logits then have about unit variance
        if width != hidden_size:
            project = _make_linear(hidden_size, width, generator)
    if table is not None and not isinstance(embedding, torch.Tensor):
        with torch.no_grad():
            table.weight.mul_(scale / EMBEDDING_SCALE)
    head = _make_linear(width, vocabulary_size, generator)
    _clear_codes(neutral_codes, embedding, table, layers)
    return LanguageNetwork(
        RecurrentStack(layers, dropout),
        head,
        embedding=table,
        project=project,
        tie_weights=tie_weights,
        dropout=dropout,
        compute_dtype=compute_dtype,
    ).to(dtype)


def build_translation_network(
    cell: str,
    input_size: int,
    hidden_size: int,
    n_codes: int,
    *,
    generator: torch.Generator,
    dtype: torch.dtype = torch.float32,
    compute_dtype: torch.dtype | None = None,
    num_layers: int = 1,
    bidirectional: bool = True,
    decoder_cell: str | None = None,
    decoder_size: int | None = None,
    decoder_layers: int | None = None,
    attention: str | None = "dot",
    activation: str = "tanh",
    dropout: float = 0.0,
    reverse_source: bool = False,
    source_vocabulary_size: int | None = None,
    embedding: int | str = "auto",
    neutral_codes: Codes = (),
    neutral_target_codes: Codes = (),
) -> TranslationNetwork:
    """Build and initialize the network of a translator, on the CPU.

    The initial vectors of ``neutral_codes`` of the source and of the target are zero,
    as in :func:`build_network`.
    """
    decoder_cell, H = decoder_cell or cell, decoder_size or hidden_size
    n_layers = decoder_layers or num_layers
    source, input_size, _ = _make_input_layer(
        cell, input_size, source_vocabulary_size, embedding, generator
    )
    shared: dict[str, Any] = {"activation": activation, "generator": generator}
    shared |= {"onehot": False, "compute_dtype": compute_dtype}
    encoder = _make_layers(
        cell,
        input_size,
        hidden_size,
        num_layers=num_layers,
        bidirectional=bidirectional,
        **shared,
    )
    target = _make_embedding(n_codes, embedding, generator)
    _clear_codes(neutral_codes, embedding, source, encoder)
    _clear_codes(neutral_target_codes, embedding, target, [])
    decoder = _make_layers(
        decoder_cell, target.embedding_dim, H, num_layers=n_layers, **shared
    )
    M = hidden_size * (2 if bidirectional else 1)
    n_states = n_layers * len(CELLS[decoder_cell].state_names)
    attention_layer = _make_attention(attention, H, M, generator)
    return TranslationNetwork(
        RecurrentStack(encoder, dropout),
        RecurrentStack(decoder, dropout),
        _make_linear(M, n_states * H, generator),
        _make_linear(H, n_codes, generator),
        source_embedding=source,
        target_embedding=target,
        attention=attention_layer,
        reverse_source=reverse_source,
        dropout=dropout,
    ).to(dtype)


def _make_input_layer(
    cell: Cell,
    input_size: int,
    vocabulary_size: int | None,
    embedding: str | int | torch.Tensor,
    generator: torch.Generator,
) -> tuple[nn.Embedding | None, int, bool]:
    """Return the embedding, the number of features, and whether codes are one-hot."""
    if vocabulary_size is None:
        return None, input_size, False
    if isinstance(embedding, str) and embedding == "onehot":
        if callable(cell):
            raise ValueError(
                'embedding="onehot" looks up rows of the input weights, which is not '
                "possible for a callable cell. Set embedding to a dimension instead."
            )
        return None, vocabulary_size, True
    table = _make_embedding(vocabulary_size, embedding, generator)
    return table, table.embedding_dim, False


def _clear_codes(
    codes: Codes,
    embedding: str | int | torch.Tensor,
    table: nn.Embedding | None,
    layers: list[list[nn.Module]],
) -> None:
    """Set the vectors of ``codes`` to zero, unless the user gave them."""
    if not len(codes) or isinstance(embedding, torch.Tensor):
        return
    # The input weights of the first layers are the tables of one-hot codes.
    tables = layers[0] if table is None else [table]
    with torch.no_grad():
        for owner in tables:
            weight = owner.weight_ih if table is None else owner.weight
            cast(Any, weight)[torch.as_tensor(codes)] = 0


def _make_layers(
    cell: Cell,
    input_size: int,
    hidden_size: int,
    *,
    num_layers: int,
    activation: str,
    bidirectional: bool = False,
    onehot: bool,
    compute_dtype: torch.dtype | None,
    generator: torch.Generator,
) -> list[list[nn.Module]]:
    """Make the forward and, if ``bidirectional``, the backward layer of each level."""
    directions = 2 if bidirectional else 1
    layers: list[list[nn.Module]] = []
    for k in range(num_layers):
        size = hidden_size * directions if k else input_size
        level: list[nn.Module] = []
        for _ in range(directions):
            if callable(cell):
                seed = torch.randint(2**31, (1,), generator=generator)
                level.append(CustomLayer(cell, size, hidden_size, int(seed)))
            else:
                layer = CELLS[cell](
                    size,
                    hidden_size,
                    activation=activation,
                    onehot=onehot and k == 0,
                    onehot_dtype=compute_dtype,
                ).to(DRAWN)
                layer.initialize(generator)
                level.append(layer)
        layers.append(level)
    return layers


class _UninitializedLinear(nn.Linear):
    """A dense layer whose constructor does not draw from the global generator.

    Torch's meta device would also avoid that, but takes a second to import.
    """

    def reset_parameters(self) -> None:
        """Do nothing; the caller initializes the weights."""


def make_empty_linear(n_inputs: int, n_outputs: int) -> nn.Linear:
    """Make a dense layer with a bias, whose weights have arbitrary values."""
    layer: nn.Linear = _UninitializedLinear(
        n_inputs, n_outputs, device="cpu", dtype=DRAWN
    )
    layer.__class__ = nn.Linear
    return layer


def _make_linear(
    n_inputs: int, n_outputs: int, generator: torch.Generator
) -> nn.Linear:
    """Make a dense layer with Glorot weights and a bias of zero."""
    layer = make_empty_linear(n_inputs, n_outputs)
    nn.init.xavier_uniform_(layer.weight, generator=generator)
    nn.init.zeros_(layer.bias)
    return layer


def _make_attention(
    kind: str | None, H: int, M: int, generator: torch.Generator
) -> Attention | None:
    """Make the attention of a decoder of H units to an encoder of M units, or None."""
    if kind is None:
        return None
    layer = Attention(
        kind, _make_linear(M, H, generator), _make_linear(H + M, H, generator)
    ).to(DRAWN)
    layer.initialize(generator)
    return layer


def _make_embedding(
    vocabulary_size: int,
    embedding: str | int | torch.Tensor,
    generator: torch.Generator,
) -> nn.Embedding:
    """Make a trainable table with one vector per code, random or pretrained."""
    if isinstance(embedding, torch.Tensor):
        weight = embedding.clone(memory_format=torch.contiguous_format)
        return nn.Embedding.from_pretrained(weight, freeze=False)
    size = embedding
    if isinstance(size, str):  # "auto"
        size = min(AUTO_EMBEDDING, vocabulary_size)
    weight = torch.empty(vocabulary_size, size, device="cpu", dtype=DRAWN)
    weight.normal_(std=EMBEDDING_SCALE, generator=generator)
    return nn.Embedding.from_pretrained(weight, freeze=False)
