"""Layers and networks of torch's standard layers as parts of ONNX graphs.

The graphs use the recurrent operators of ONNX. In contrast to graphs that torch.onnx
makes, they therefore accept any number of steps, read ragged batches without loops, and
need neither onnxscript nor an example.

Shapes: T steps, B sequences, F features, H units, D directions.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor, nn

from sklearn_rnn._nn.onnx_graph import Graph, Shape
from sklearn_rnn._nn.standard import (
    Recurrence,
    Standardize,
    StandardNetwork,
    Unstandardize,
)

# The operator for each of torch's layers, and the places of its gates in torch's order:
# i, o, f, c of i, f, c, o; and z, r, h of r, z, h.
OPERATORS: dict[type[nn.Module], tuple[str, list[int]]] = {
    nn.LSTM: ("LSTM", [0, 3, 1, 2]),
    nn.GRU: ("GRU", [1, 0, 2]),
    nn.RNN: ("RNN", [0]),
}

STATE_NAMES = ("hidden", "cell")


# ------------------------------------------------------------------------ layers


def add_recurrence(
    graph: Graph,
    recurrence: Recurrence,
    x: str,
    lengths: str = "",
    states: Sequence[Sequence[str]] = (),
) -> tuple[str, list[list[str]]]:
    """Add recurrent layers, which read (T, B, F) in float32.

    ``lengths`` (B,) are int64, and ``states`` are those of each layer before the first
    step, (B, H) each. Returns outputs (T, B, D * H), and the last states of each layer,
    (B, D * H) each.
    """
    n_rows = graph.size(x, 1)
    missing = graph.add("Sub", graph.constant([1]), n_rows)
    missing = graph.add("Max", missing, graph.constant([0]))
    x = graph.pad(x, missing, axis=1, n_axes=3)  # operators need at least one row
    states = [[graph.pad(part, missing, 0, 2) for part in parts] for parts in states]
    if lengths:
        lengths = graph.cast(graph.pad(lengths, missing, 0, 1), np.int32)
    after: list[list[str]] = []
    for level in recurrence.levels:
        layers: list[Any] = list(level)  # type: ignore[call-overload]
        refuse_other_layers(layers)
        for k in range(layers[0].num_layers):
            before = states[len(after)] if states else ()
            x, last = _add_layer(graph, layers, k, x, lengths, before)
            after.append([graph.keep_first(part, n_rows, axis=0) for part in last])
    return graph.keep_first(x, n_rows, axis=1), after


def refuse_other_layers(layers: Sequence[nn.Module]) -> None:
    """Raise a ValueError if ONNX has no operator for a layer."""
    for layer in layers:
        if type(layer) not in OPERATORS:
            inner = getattr(layer, "layer", layer)
            raise ValueError(
                f"the cell {type(getattr(inner, 'module', inner)).__name__} has no "
                "operator in ONNX; only the built-in cells can be exported. Call "
                "to_torch(), and export the module with torch.onnx.export."
            )


def _add_layer(
    graph: Graph,
    layers: list[nn.RNNBase],
    k: int,
    x: str,
    lengths: str,
    before: Sequence[str],
) -> tuple[str, list[str]]:
    """Add level ``k`` of layers, one per direction."""
    operator, gates = OPERATORS[type(layers[0])]
    H = layers[0].hidden_size
    parts = [_order_gates(layer.all_weights[k], gates, H) for layer in layers]
    W, R, B = (graph.constant(np.stack(arrays)) for arrays in zip(*parts, strict=True))
    attributes: dict[str, Any] = {"hidden_size": H}
    if len(layers) == 2:
        attributes["direction"] = "bidirectional"
    if operator == "GRU":
        attributes["linear_before_reset"] = 1
    if getattr(layers[0], "nonlinearity", "tanh") == "relu":
        attributes["activations"] = ["Relu"] * len(layers)
    n_states = 2 if operator == "LSTM" else 1
    initial = [graph.add_axis(state, 0) for state in before]
    Y, *last = graph.add_several(
        operator, 1 + n_states, x, W, R, B, lengths, *initial, **attributes
    )
    D = len(layers)
    Y = graph.reshape(graph.transpose(Y, 0, 2, 1, 3), 0, 0, D * H)  # (T, B, D * H)
    joined = [
        graph.reshape(graph.transpose(state, 1, 0, 2), 0, D * H)  # (B, D * H)
        for state in last
    ]
    return Y, joined


def _order_gates(
    weights: Sequence[Tensor], gates: list[int], H: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return W (G, F), R (G, H) and B (2 G,) in float32, with gates in ONNX's order."""
    W, R, *biases = (to_float(weight) for weight in weights)
    order = np.arange(len(W)).reshape(-1, H)[gates].ravel()
    return W[order], R[order], np.concatenate([bias[order] for bias in biases])


def add_head(graph: Graph, head: nn.Module, x: str) -> str:
    """Add a dense layer, or several, which read (..., H)."""
    layers: list[Any] = list(head) if isinstance(head, nn.Sequential) else [head]
    for layer in layers:
        x = graph.add("MatMul", x, graph.constant(to_float(layer.weight).T.copy()))
        x = graph.add("Add", x, graph.constant(to_float(layer.bias)))
    return x


def add_lookup(graph: Graph, embedding: nn.Embedding, codes: str) -> str:
    """Look up the vectors of codes; codes outside the vocabulary are errors."""
    negative = graph.add("Less", codes, graph.constant(0))  # Gather counts from the end
    outside = graph.constant(embedding.num_embeddings)
    codes = graph.add("Where", negative, outside, codes)
    return graph.add("Gather", graph.constant(to_float(embedding.weight)), codes)


def add_standardize(graph: Graph, scaling: nn.Module | None, x: str) -> str:
    """Standardize numbers in float64, and convert them to float32."""
    if isinstance(scaling, Standardize):
        x = graph.cast(x, np.float64)
        x = graph.add("Sub", x, graph.constant(scaling.mean))
        x = graph.add("Div", x, graph.constant(scaling.scale))
    return graph.cast(x, np.float32)


def add_unstandardize(graph: Graph, output: Unstandardize, y: str, dtype: Any) -> str:
    """Convert outputs to the unit of y in float64, and then to ``dtype``."""
    y = graph.cast(y, np.float64)
    y = graph.add("Mul", y, graph.constant(output.scale))
    y = graph.add("Add", y, graph.constant(output.mean))
    y = graph.cast(y, dtype)
    return graph.drop_axis(y, -1) if output.squeeze else y


def add_mask(graph: Graph, x: str, lengths: str, *, axis: int) -> str:
    """Return which steps on an axis of x, 0 or 1, are valid: (T, B, 1) or (B, T, 1)."""
    zero, one = graph.constant(0), graph.constant(1)
    n_steps = graph.drop_axis(graph.size(x, axis), 0)
    steps = graph.add_axis(graph.add("Range", zero, n_steps, one), 1 - axis)
    mask = graph.add("Less", steps, graph.add_axis(lengths, axis))
    return graph.add_axis(mask, 2)


def add_nan(graph: Graph, condition: str, dtype: Any) -> str:
    """Return NaN where a condition is True, and 0 elsewhere."""
    values = (graph.constant(np.dtype(dtype).type(k)) for k in (np.nan, 0))
    return graph.add("Where", condition, *values)


def add_nan_of_numbers(graph: Graph, x: str, *axes: int) -> str:
    """Return NaN for rows of x with a number that is not finite, and 0 for others.

    Recurrent operators saturate NaN, so this is added to their results. The rows are
    the axes that are not in ``axes``.
    """
    zeros = graph.add("Sub", x, x)
    return graph.add("ReduceSum", zeros, graph.constant(list(axes)), keepdims=0)


def add_nan_of_lengths(
    graph: Graph, lengths: str, x: str, least: int, dtype: Any
) -> str:
    """Return NaN for lengths (B,) that x (B, T, ...) cannot have, and 0 for others."""
    short = graph.add("Less", lengths, graph.constant(least))
    long = graph.add("Greater", lengths, graph.size(x, 1))
    return add_nan(graph, graph.add("Or", short, long), dtype)


# --------------------------------------------------------------- whole sequences


def add_network(graph: Graph, network: StandardNetwork, x: str, lengths: str) -> str:
    """Add a network that reads numbers (B, T, F), or codes (B, T), with their lengths.

    Returns logits (B, n_outputs), or (B, T, n_outputs) without pooling. They are NaN
    if a number of the sequence is not finite, or if its length is impossible.
    """
    nan = add_nan_of_lengths(graph, lengths, x, 1, np.float32)
    if network.embedding is not None:
        x = add_lookup(graph, network.embedding, x)
    else:
        x = add_standardize(graph, network.scaling, x)
        mask = add_mask(graph, x, lengths, axis=1)
        x = graph.add("Where", mask, x, graph.constant(np.float32(0)))
        nan = graph.add("Add", nan, add_nan_of_numbers(graph, x, 1, 2))
        x, lengths = _add_patches(graph, network, x, lengths)
    x = graph.transpose(x, 1, 0, 2)
    outputs, states = add_recurrence(graph, network.recurrence, x, lengths)
    nan = graph.add_axis(nan, 1)
    if network.pooling is None:
        pooled, nan = graph.transpose(outputs, 1, 0, 2), graph.add_axis(nan, 2)
    else:
        last = states[-1][0]
        pooled = _add_pooling(graph, outputs, last, lengths, network.pooling)
    return graph.add("Add", add_head(graph, network.head, pooled), nan)


def _add_patches(
    graph: Graph, network: StandardNetwork, x: str, lengths: str
) -> tuple[str, str]:
    """Join successive steps of x (B, T, F), whose padding is zero, to patches."""
    patch_size = network.patch_size
    if patch_size == 1:
        return x, lengths
    size, less = graph.constant([patch_size]), graph.constant([patch_size - 1])
    n_steps = graph.size(x, 1)
    n_patches = graph.add("Div", graph.add("Add", n_steps, less), size)
    missing = graph.add("Sub", graph.add("Mul", n_patches, size), n_steps)
    x = graph.pad(x, missing, axis=1, n_axes=3)
    width = graph.constant([network.recurrence.input_size])
    shape = graph.add("Concat", graph.size(x, 0), n_patches, width, axis=0)
    # Max prevents onnxruntime from replacing n_patches by -1, which needs a sequence.
    shape = graph.add("Max", shape, graph.constant([0]))
    x = graph.add("Reshape", x, shape, allowzero=1)
    return x, graph.add("Div", graph.add("Add", lengths, less), size)


def _add_pooling(
    graph: Graph, outputs: str, last: str, lengths: str, pooling: str
) -> str:
    """Pool the valid steps of outputs (T, B, H); ``last`` (B, H) are the last ones."""
    if pooling == "last":
        return last
    if pooling == "concat":
        parts = [last] + [
            _add_pooling(graph, outputs, last, lengths, part)
            for part in ("mean", "max")
        ]
        return graph.add("Concat", *parts, axis=1)
    fill = np.float32(0 if pooling == "mean" else -np.inf)
    mask = add_mask(graph, outputs, lengths, axis=0)
    masked = graph.add("Where", mask, outputs, graph.constant(fill))
    if pooling == "max":
        return graph.add("ReduceMax", masked, axes=[0], keepdims=0)
    total = graph.add("ReduceSum", masked, graph.constant([0]), keepdims=0)
    count = graph.add_axis(graph.cast(lengths, np.float32), 1)
    return graph.add("Div", total, count)


# ------------------------------------------------------------------- single steps


class StreamStates:
    """Inputs and outputs of a graph for the state of B streams.

    They have the names of the arrays in a stream's state. The outputs are called
    ``next_hidden_0`` and so on. All are zero before the first step.
    """

    def __init__(self, graph: Graph, rows: str) -> None:
        self.graph, self.rows = graph, rows
        self.names: list[str] = []
        self.width = 0  # of the last layer
        self._types: dict[str, tuple[Any, Shape]] = {}
        self._after: dict[str, str] = {}

    def read(self, name: str, dtype: Any, *width: int) -> str:
        """Add an input (B, ...)."""
        self.names.append(name)
        self._types[name] = dtype, [self.rows, *width]
        return self.graph.input(name, *self._types[name])

    def read_layers(self, recurrence: Recurrence) -> list[list[str]]:
        """Add inputs for the states of each layer, (B, H) each."""
        states: list[list[str]] = []
        for level in recurrence.levels:
            layers: list[Any] = list(level)  # type: ignore[call-overload]
            refuse_other_layers(layers)
            (layer,) = layers
            parts = STATE_NAMES if isinstance(layer, nn.LSTM) else STATE_NAMES[:1]
            self.width = layer.hidden_size
            for _ in range(layer.num_layers):
                k = len(states)
                states.append(
                    [
                        self.read(f"{part}_{k}", np.float32, layer.hidden_size)
                        for part in parts
                    ]
                )
        return states

    def advance(self, name: str, value: str) -> None:
        """Set a state after the step."""
        self._after[name] = value

    def advance_layers(
        self,
        after: Sequence[Sequence[str]],
        before: Sequence[Sequence[str]] = (),
        advances: str = "",
    ) -> None:
        """Set the states of each layer after the step.

        If ``advances`` (B, 1) is given, rows where it is False keep the state before.
        """
        for k, parts in enumerate(after):
            for j, value in enumerate(parts):
                if advances:
                    value = self.graph.add("Where", advances, value, before[k][j])
                self.advance(f"{STATE_NAMES[j]}_{k}", value)

    def add_nan(self, nan: str, before: str, logits: str) -> str:
        """Add NaN (B,) to the logits and the first state, and keep it in later steps.

        ``before`` (B, H) is the first state before the step.
        """
        kept = add_nan_of_numbers(self.graph, before, 1)
        nan = self.graph.add_axis(self.graph.add("Add", nan, kept), 1)
        name = f"{STATE_NAMES[0]}_0"
        self._after[name] = self.graph.add("Add", self._after[name], nan)
        return self.graph.add("Add", logits, nan)

    def add_outputs(self) -> None:
        """Add the outputs, in the order of the inputs."""
        for name in self.names:
            self.graph.output(f"next_{name}", self._after[name], *self._types[name])


def add_step(
    graph: Graph, network: StandardNetwork, x: str, rows: str
) -> tuple[str, StreamStates]:
    """Add one step of B streams that read numbers (B, F), or codes (B,).

    Returns logits (B, n_outputs) of the sequences that end with this step, and the
    states, whose outputs are not added yet. ``rows`` is the name of the first axis. A
    number that is not finite makes the logits of this step and of later ones NaN.
    """
    streams = StreamStates(graph, rows)
    pooling, size = network.pooling, network.patch_size
    counts = size > 1 or pooling not in ("last", None)
    n_steps = streams.read("n_steps", np.int64) if counts else ""
    n_read, patch, advances, nan = n_steps, "", "", ""
    if network.embedding is not None:
        x = add_lookup(graph, network.embedding, x)
    else:
        x = add_standardize(graph, network.scaling, x)
        nan = add_nan_of_numbers(graph, x, 1)
    if size > 1:
        width = network.recurrence.input_size
        before = streams.read("patch", np.float32, width)
        x = patch = _add_to_patch(graph, before, x, n_steps, size, width)
        n_read = graph.add("Div", n_steps, graph.constant([size]))
        last = graph.add("Mod", n_steps, graph.constant([size]))
        advances = graph.add("Equal", last, graph.constant([size - 1]))
        advances = graph.add_axis(advances, 1)
    states = streams.read_layers(network.recurrence)
    x = graph.add_axis(x, 0)  # (1, B, F)
    outputs, after = add_recurrence(graph, network.recurrence, x, states=states)
    h = graph.drop_axis(outputs, 0)
    pooled = _add_running_pooling(
        graph, streams, h, n_read, pooling or "last", advances
    )
    streams.advance_layers(after, states, advances)
    logits = add_head(graph, network.head, pooled)
    if nan:
        logits = streams.add_nan(nan, states[0][0], logits)
    if counts:
        streams.advance("n_steps", graph.add("Add", n_steps, graph.constant([1])))
    if patch:
        empty = graph.constant(np.float32(0))
        streams.advance("patch", graph.add("Where", advances, empty, patch))
    return logits, streams


def _add_to_patch(
    graph: Graph, patch: str, x: str, n_steps: str, size: int, width: int
) -> str:
    """Put the step x (B, F) at its place in the patches (B, size * F)."""
    place = graph.add("Mod", n_steps, graph.constant([size]))
    here = graph.add("Equal", graph.add_axis(place, 1), graph.constant(range(size)))
    steps = graph.reshape(patch, 0, size, width // size)
    steps = graph.add("Where", graph.add_axis(here, 2), graph.add_axis(x, 1), steps)
    return graph.reshape(steps, 0, width)


def _add_running_pooling(
    graph: Graph,
    streams: StreamStates,
    h: str,
    n_read: str,
    pooling: str,
    advances: str,
) -> str:
    """Pool the outputs (B, H) so far; ``n_read`` (B,) precede the outputs h."""
    width = streams.width
    if pooling == "last":
        return h
    if pooling == "concat":
        parts = [h] + [
            _add_running_pooling(graph, streams, h, n_read, part, advances)
            for part in ("mean", "max")
        ]
        return graph.add("Concat", *parts, axis=1)
    name, dtype = ("sum", np.float64) if pooling == "mean" else ("max", np.float32)
    before = streams.read(name, dtype, width)
    if pooling == "mean":
        after = graph.add("Add", before, graph.cast(h, dtype))
        count = graph.add("Add", n_read, graph.constant([1]))
        count = graph.add_axis(graph.cast(count, dtype), 1)
        pooled = graph.cast(graph.add("Div", after, count), np.float32)
    else:
        fresh = graph.add("Equal", n_read, graph.constant([0]))
        highest = graph.add("Max", before, h)
        pooled = after = graph.add("Where", graph.add_axis(fresh, 1), h, highest)
    if advances:
        after = graph.add("Where", advances, after, before)
    streams.advance(name, after)
    return pooled


def to_float(tensor: Tensor) -> np.ndarray:
    """Return a tensor as an array of float32 on the CPU."""
    return tensor.detach().float().cpu().numpy()
