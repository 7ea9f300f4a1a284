"""Networks as plain data: a description of the modules, and their arrays by name.

The description consists of dicts, lists, numbers and strings. Sizes are not part of it:
they follow from the shapes of the arrays, so that building a network allocates no more
memory than its arrays have.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_rnn._nn.builders import Cell, make_empty_linear
from sklearn_rnn._nn.cells.base import RecurrentLayer
from sklearn_rnn._nn.cells.custom import CustomLayer
from sklearn_rnn._nn.cells.registry import CELLS
from sklearn_rnn._nn.language import LanguageNetwork
from sklearn_rnn._nn.layers import RecurrentStack
from sklearn_rnn._nn.sequence import SequenceNetwork
from sklearn_rnn._nn.translation import Attention, TranslationNetwork

Arrays = Mapping[str, np.ndarray]
Network = SequenceNetwork | LanguageNetwork | TranslationNetwork

ACTIVATIONS = ("tanh", "relu")
POOLINGS = ("last", "mean", "max", "concat", None)
ATTENTIONS = ("dot", "additive", None)


def describe_network(network: nn.Module) -> dict[str, Any]:
    """Describe the modules of a network, without their weights."""
    description: dict[str, Any] = {"dropout": network.dropout}
    if isinstance(network, TranslationNetwork):
        attention = network.attention
        return description | {
            "network": "translation",
            "encoder": _describe_layers(network.stack),
            "decoder": _describe_layers(network.decoder),
            "attention": None if attention is None else attention.kind,
            "reverse_source": network.reverse_source,
        }
    assert isinstance(network, SequenceNetwork | LanguageNetwork)
    description["layers"] = _describe_layers(network.stack)
    dtype = network.compute_dtype
    description["compute_dtype"] = dtype and str(dtype).removeprefix("torch.")
    if isinstance(network, SequenceNetwork):
        return description | {"network": "sequence", "pooling": network.pooling}
    tied = network.embedding is not None and (
        network.head.weight is network.embedding.weight
    )
    return description | {"network": "language", "tie_weights": tied}


def build_described(
    description: Mapping[str, Any], arrays: Arrays, cell: Cell
) -> Network:
    """Build a network from its description and its arrays by name, on the CPU.

    ``cell`` is the parameter of that name; a callable builds the layers again.

    Raises
    ------
    ValueError, LookupError, TypeError
        If the description is not valid, or if the shapes of the arrays do not fit.
    """
    builders: dict[str, Callable[..., Network]] = {
        "sequence": _build_sequence_network,
        "language": _build_language_network,
        "translation": _build_translation_network,
    }
    network = builders[description["network"]](description, arrays, cell)
    network.set_dropout(float(description["dropout"]))
    kinds = {array.dtype for array in arrays.values() if array.dtype.kind == "f"}
    (dtype,) = kinds or {np.dtype(np.float32)}
    network.to(getattr(torch, dtype.name))
    set_arrays(network, arrays)
    network.eval()
    return network


def list_arrays(module: nn.Module) -> dict[str, np.ndarray]:
    """Return weights and buffers by name, as arrays that share their memory.

    A tensor that has several names, as the tied weights of a language network, is
    listed under the first one.
    """
    return {name: to_shared_array(tensor) for name, tensor in _list_tensors(module)}


def set_arrays(module: nn.Module, arrays: Arrays) -> None:
    """Set weights and buffers to the values that :func:`list_arrays` returned."""
    tensors = dict(_list_tensors(module))
    if tensors.keys() != arrays.keys():
        raise ValueError(
            f"the network has the weights {list(tensors)}, got {list(arrays)}."
        )
    with torch.no_grad():
        for name, tensor in tensors.items():
            _require_shape(name, arrays[name], *tensor.shape)
            tensor.copy_(torch.from_numpy(np.array(arrays[name])))


def to_shared_array(tensor: Tensor) -> np.ndarray:
    """Return a tensor as an array, which shares its memory if that is on the CPU."""
    return tensor.detach().cpu().numpy()


def _list_tensors(module: nn.Module) -> list[tuple[str, Tensor]]:
    found: dict[int, tuple[str, Tensor]] = {}
    for name, tensor in module.state_dict(keep_vars=True).items():
        found.setdefault(id(tensor), (name, tensor))
    return list(found.values())


# ---------------------------------------------------------------- layers


def _describe_layers(stack: RecurrentStack) -> list[list[dict[str, Any]]]:
    """Describe the layers of each level of a stack, one per direction."""
    levels = cast(list[list[nn.Module]], stack.layers)
    return [[_describe_layer(layer) for layer in level] for level in levels]


def _describe_layer(layer: nn.Module) -> dict[str, Any]:
    if isinstance(layer, CustomLayer):
        sizes = {"input_size": layer.input_size, "hidden_size": layer.hidden_size}
        return {"cell": None, **sizes, "seed": layer.seed, "axes": layer._axes}
    assert isinstance(layer, RecurrentLayer)
    dtype = layer.onehot_dtype
    return {
        "cell": layer.name,
        "activation": layer.activation,
        "onehot": layer.onehot,
        "onehot_dtype": dtype and str(dtype).removeprefix("torch."),
    }


def _build_stack(
    levels: list[list[dict[str, Any]]], arrays: Arrays, prefix: str, cell: Cell
) -> RecurrentStack:
    """Build the layers of a stack, whose arrays have the ``prefix``."""
    layers: list[list[nn.Module]] = []
    width: int | None = None  # number of outputs of the level below
    for k, level in enumerate(levels):
        if len(level) not in (1, 2) or len(level) != len(levels[0]):
            raise ValueError(f"level {k} has {len(level)} directions.")
        built = [
            _build_layer(described, arrays, f"{prefix}.layers.{k}.{direction}.", cell)
            for direction, described in enumerate(level)
        ]
        sizes = {(layer.input_size, layer.hidden_size) for layer in built}
        if len(sizes) > 1 or width not in (None, built[0].input_size):
            raise ValueError(f"the sizes of the layers of level {k} do not fit.")
        width = _count_outputs(built)
        layers.append(built)
    return RecurrentStack(layers)


def _build_layer(
    described: Mapping[str, Any], arrays: Arrays, prefix: str, cell: Cell
) -> Any:
    if described["cell"] is None:
        if not callable(cell):
            raise ValueError("the network has layers of a user's cell, which is None.")
        F, H, seed = (int(described[k]) for k in ("input_size", "hidden_size", "seed"))
        layer = CustomLayer(cell, F, H, seed)
        layer._axes = described["axes"]
        return layer
    kind = CELLS[described["cell"]]
    if described["activation"] not in ACTIVATIONS:
        raise ValueError(f"activation={described['activation']!r}.")
    onehot = bool(described["onehot"])
    inputs = _find_matrix(arrays, f"{prefix}weight_ih")
    recurrent = _find_matrix(arrays, f"{prefix}weight_hh")
    H = recurrent.shape[1]
    F = inputs.shape[0 if onehot else 1]
    G = kind.n_gates * H
    _require_shape("weight_hh", recurrent, G, H)
    _require_shape("weight_ih", inputs, *((F, G) if onehot else (G, F)))
    return kind(
        F,
        H,
        activation=described["activation"],
        onehot=onehot,
        onehot_dtype=_find_dtype(described["onehot_dtype"]),
    )


def _count_outputs(level: Any) -> int:
    return len(level) * level[0].hidden_size


def _find_dtype(name: str | None) -> torch.dtype | None:
    if name not in (None, "bfloat16", "float32", "float64"):
        raise ValueError(f"{name!r} is not a type of a network.")
    return None if name is None else getattr(torch, name)


def _find_matrix(arrays: Arrays, name: str) -> np.ndarray:
    if arrays[name].ndim != 2:
        raise ValueError(f"{name} has the shape {arrays[name].shape}.")
    return arrays[name]


def _require_shape(name: str, array: np.ndarray, *shape: int) -> None:
    if array.shape != shape:
        raise ValueError(f"{name} has the shape {array.shape}, expected {shape}.")


def _build_linear(
    arrays: Arrays, name: str, n_inputs: int, n_outputs: int | None = None
) -> nn.Linear:
    """Build a dense layer; ``n_outputs`` is found from its weights if None."""
    weight = _find_matrix(arrays, f"{name}.weight")
    n_outputs = weight.shape[0] if n_outputs is None else n_outputs
    _require_shape(f"{name}.weight", weight, n_outputs, n_inputs)
    _require_shape(f"{name}.bias", arrays[f"{name}.bias"], n_outputs)
    return make_empty_linear(n_inputs, n_outputs)


def _build_embedding(arrays: Arrays, name: str) -> nn.Embedding | None:
    if f"{name}.weight" not in arrays:
        return None
    shape = _find_matrix(arrays, f"{name}.weight").shape
    return nn.Embedding.from_pretrained(torch.empty(shape), freeze=False)


def _find_input_size(embedding: nn.Embedding | None, stack: RecurrentStack) -> int:
    """Return the number of features that the first layer reads, after a check."""
    first: Any = stack.layers[0][0]  # type: ignore[index]
    if embedding is not None and embedding.embedding_dim != first.input_size:
        raise ValueError("the embedding does not fit the first layer.")
    return int(first.input_size)


# ---------------------------------------------------------------- networks


def _build_sequence_network(
    description: Mapping[str, Any], arrays: Arrays, cell: Cell
) -> SequenceNetwork:
    pooling = description["pooling"]
    if pooling not in POOLINGS:
        raise ValueError(f"pooling={pooling!r}.")
    stack = _build_stack(description["layers"], arrays, "stack", cell)
    embedding = _build_embedding(arrays, "embedding")
    _find_input_size(embedding, stack)
    width = _count_outputs(stack.layers[-1]) * (3 if pooling == "concat" else 1)
    return SequenceNetwork(
        stack,
        _build_linear(arrays, "head", width),
        embedding=embedding,
        pooling=pooling,
        compute_dtype=_find_dtype(description["compute_dtype"]),
    )


def _build_language_network(
    description: Mapping[str, Any], arrays: Arrays, cell: Cell
) -> LanguageNetwork:
    stack = _build_stack(description["layers"], arrays, "stack", cell)
    embedding = _build_embedding(arrays, "embedding")
    _find_input_size(embedding, stack)
    width = _count_outputs(stack.layers[-1])
    project, tied = None, bool(description["tie_weights"])
    if "project.weight" in arrays:
        project = _build_linear(arrays, "project", width)
        width = project.out_features
    if tied and embedding is not None:
        _require_shape("head", arrays["embedding.weight"], len(embedding.weight), width)
        head = make_empty_linear(width, len(embedding.weight))
    else:
        head = _build_linear(arrays, "head", width)
    return LanguageNetwork(
        stack,
        head,
        embedding=embedding,
        project=project,
        tie_weights=tied,
        compute_dtype=_find_dtype(description["compute_dtype"]),
    )


def _build_translation_network(
    description: Mapping[str, Any], arrays: Arrays, cell: Cell
) -> TranslationNetwork:
    encoder = _build_stack(description["encoder"], arrays, "stack", cell)
    decoder = _build_stack(description["decoder"], arrays, "decoder", cell)
    source = _build_embedding(arrays, "source_embedding")
    target = _build_embedding(arrays, "target_embedding")
    _find_input_size(source, encoder)
    if target is None:
        raise ValueError("the decoder has no embedding.")
    _find_input_size(target, decoder)
    M = _count_outputs(encoder.layers[-1])
    H = _count_outputs(decoder.layers[-1])
    first: Any = decoder.layers[0][0]  # type: ignore[index]
    n_states = len(decoder.layers) * len(first.state_names)
    kind = description["attention"]
    if kind not in ATTENTIONS or decoder.bidirectional:
        raise ValueError(f"attention={kind!r}, decoder.bidirectional.")
    attention = kind and Attention(
        kind,
        _build_linear(arrays, "attention.of_memory", M, H),
        _build_linear(arrays, "attention.combine", H + M, H),
    )
    return TranslationNetwork(
        encoder,
        decoder,
        _build_linear(arrays, "bridge", M, n_states * H),
        _build_linear(arrays, "head", H),
        source_embedding=source,
        target_embedding=target,
        attention=attention,
        reverse_source=bool(description["reverse_source"]),
    )
