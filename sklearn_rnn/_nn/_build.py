"""A SequenceNetwork from plain settings, its weights from a private generator."""

from collections.abc import Callable

import torch
from torch import nn

from sklearn_rnn._nn._network import SequenceNetwork
from sklearn_rnn._nn._recurrent import CustomLayer, RecurrentLayer, RecurrentStack
from sklearn_rnn._random import borrowed_global_generator

AUTO_EMBEDDING = 64  # features that "auto" gives a token, or the vocabulary if smaller


def build_network(
    cell: str | Callable[[int, int], nn.Module],
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
    pooling: str = "last",
    vocabulary_size: int | None = None,
    embedding: str | int | torch.Tensor = "auto",
) -> SequenceNetwork:
    """Build and initialise the network, on the CPU.

    Modules are made without memory and filled from ``generator``, for torch's own
    initialisation draws from the global one.
    """
    table, onehot = None, False
    if vocabulary_size is not None:
        onehot = isinstance(embedding, str) and embedding == "onehot"
        if onehot and callable(cell):
            raise ValueError(
                'embedding="onehot" looks up rows of the input weights, which a '
                "callable cell keeps to itself. Give a dimension instead."
            )
        if onehot:
            input_size = vocabulary_size
        else:
            table = _embedding(vocabulary_size, embedding, generator)
            input_size = table.embedding_dim
    directions = 2 if bidirectional else 1
    layers: list[list[nn.Module]] = []
    for k in range(num_layers):
        size = hidden_size * directions if k else input_size
        level: list[nn.Module] = []
        for _ in range(directions):
            if callable(cell):
                seed = torch.randint(2**31, (1,), generator=generator)
                with borrowed_global_generator(seed):
                    level.append(CustomLayer(cell, size, hidden_size))
            else:
                layer = RecurrentLayer(
                    cell,
                    size,
                    hidden_size,
                    activation=activation,
                    onehot=onehot and k == 0,
                    onehot_dtype=compute_dtype,
                )
                layer.initialize(generator)
                level.append(layer)
        layers.append(level)
    pooled = hidden_size * directions * (3 if pooling == "concat" else 1)
    head = nn.Linear(pooled, n_outputs, device="meta")
    head = head.to_empty(device="cpu")
    nn.init.xavier_uniform_(head.weight, generator=generator)
    nn.init.zeros_(head.bias)
    return SequenceNetwork(
        RecurrentStack(layers, dropout),
        head,
        embedding=table,
        pooling=pooling,
        dropout=dropout,
        compute_dtype=compute_dtype,
    ).to(dtype)


def _embedding(vocabulary_size, embedding, generator):
    """A trainable table of one row a code, random or pretrained."""
    if isinstance(embedding, torch.Tensor):
        return nn.Embedding.from_pretrained(embedding.clone(), freeze=False)
    size = min(AUTO_EMBEDDING, vocabulary_size) if embedding == "auto" else embedding
    table = nn.Embedding(vocabulary_size, size, device="meta").to_empty(device="cpu")
    nn.init.normal_(table.weight, generator=generator)
    return table
