"""Export of RNNClassifier and RNNRegressor to torch and ONNX."""

from typing import Any

import numpy as np
import torch
from torch import nn

from sklearn_rnn._core.container import find_target
from sklearn_rnn._core.device import ignore_torch_modes
from sklearn_rnn._nn.onnx_graph import Graph
from sklearn_rnn._nn.onnx_layers import (
    add_network,
    add_step,
    add_unstandardize,
)
from sklearn_rnn._nn.standard import (
    Standardize,
    StandardNetwork,
    Unstandardize,
    make_standard_network,
)
from sklearn_rnn.supervised._stream_adapter import SequenceStreamAdapter
from sklearn_rnn.supervised._targets import LabelTargets
from sklearn_rnn.text._metadata import describe_codes, list_names

ROWS, STEPS = "n_sequences", "n_timesteps"  # names of dynamic axes


@ignore_torch_modes()
def export_torch(model: Any) -> StandardNetwork:
    """Copy the network of a fitted model, with its scaling, to standard layers."""
    inputs, targets = model._inputs, model._targets
    output: nn.Module
    if isinstance(targets, LabelTargets):
        output = nn.Sigmoid() if targets.multilabel else nn.Softmax(dim=-1)
    else:
        dtype = torch.float32 if targets.dtype == np.float32 else torch.float64
        output = Unstandardize(targets.mean, targets.scale, dtype, targets.one_output)
    scaling = None
    if inputs.scaling is not None:
        scaling = Standardize(inputs.scaling.mean, inputs.scaling.scale)
    return make_standard_network(
        model.module_, output, scaling=scaling, patch_size=inputs.patch_size
    )


def export_onnx(model: Any, path: Any, stream: bool, vectorizer: Any) -> None:
    """Write the network of a fitted model, or one step of it, as an ONNX graph."""
    find_target(path)
    if not isinstance(stream, bool | np.bool_):
        raise TypeError(f"stream={stream!r} is given; expected True or False.")
    if stream:
        SequenceStreamAdapter(model)  # raises an error if the model has no streams
    facts = describe_model(model, vectorizer)
    network, graph = export_torch(model), Graph()
    reads_codes = network.embedding is not None
    dtype = np.int64 if reads_codes else np.float64
    features: list[str | int] = [] if reads_codes else [model.input_size_]
    if stream:
        axes: list[str | int] = [ROWS]
        x = graph.input("X", dtype, [ROWS, *features])
        logits, states = add_step(graph, network, x, ROWS)
        facts["states"] = states.names
    else:
        n_steps = model.input_length or STEPS
        axes = [ROWS] if network.pooling else [ROWS, n_steps]
        x = graph.input("X", dtype, [ROWS, n_steps, *features])
        lengths = graph.input("lengths", np.int64, [ROWS])
        logits = add_network(graph, network, x, lengths)
    if isinstance(model._targets, LabelTargets):
        _add_labels(graph, model._targets, logits, axes)
    else:
        _add_numbers(graph, network, model._targets, logits, axes)
    if stream:
        states.add_outputs()
    graph.save(path, type(model).__name__, facts)


def _add_labels(
    graph: Graph, targets: LabelTargets, logits: str, axes: list[str | int]
) -> None:
    """Add the outputs "label" and "probabilities", as sklearn-onnx names them."""
    n_labels = targets.n_outputs
    if targets.multilabel:
        proba = graph.add("Sigmoid", logits)
        likely = graph.add("Greater", proba, graph.constant(np.float32(0.5)))
        label, dtype = graph.cast(likely, np.int64), np.dtype(np.int64)
        label_axes = [*axes, n_labels]
    else:
        proba = graph.add("Softmax", logits, axis=-1)
        label = graph.add("ArgMax", logits, axis=-1, keepdims=0)
        classes, label_axes = convert_labels(targets.classes), axes
        label = graph.add("Gather", graph.constant(classes), label)
        dtype = classes.dtype
    graph.output("label", label, dtype, label_axes)
    graph.output("probabilities", proba, np.float32, [*axes, n_labels])


def convert_labels(classes: np.ndarray) -> np.ndarray:
    """Convert classes to a type of ONNX; other labels become strings."""
    if classes.dtype in (np.bool_, np.float16, np.float32):
        return classes
    for kinds, dtype in (("iu", np.int64), ("f", np.float64)):
        converted = classes.astype(dtype) if classes.dtype.kind in kinds else None
        if converted is not None and (converted == classes).all():
            return converted
    return np.array([str(label) for label in classes], dtype=object)


def _add_numbers(
    graph: Graph,
    network: StandardNetwork,
    targets: Any,
    outputs: str,
    axes: list[str | int],
) -> None:
    """Add the output "variable", as sklearn-onnx names it."""
    output = network.output
    assert isinstance(output, Unstandardize), "a regressor has numbers as targets"
    numbers = add_unstandardize(graph, output, outputs, targets.dtype)
    columns = [] if targets.one_output else [targets.n_outputs]
    graph.output("variable", numbers, targets.dtype, [*axes, *columns])


def describe_model(model: Any, vectorizer: Any) -> dict[str, Any]:
    """Return the metadata of an ONNX file, by name."""
    scaling, targets = model._inputs.scaling, model._targets
    facts: dict[str, Any] = {"class": type(model).__name__}
    if isinstance(targets, LabelTargets):
        facts["classes"] = convert_labels(targets.classes).tolist()
    else:
        facts["target_scaling"] = {
            "mean": targets.mean.tolist(),
            "scale": targets.scale.tolist(),
        }
    size = model._vocabulary_size
    if size is not None:
        names = list_names(vectorizer, size)
        return facts | describe_codes(size, names, vectorizer)
    if vectorizer is not None:
        raise ValueError(
            "vectorizer is given, but the model was fitted on numbers, not on codes of "
            "a vectorizer. Leave it out."
        )
    facts["n_features"] = model.input_size_
    names = getattr(model, "feature_names_in_", None)
    if names is not None:
        facts["feature_names"] = names.tolist()
    if scaling is not None:
        facts["scaling"] = {
            "mean": scaling.mean.tolist(),
            "scale": scaling.scale.tolist(),
        }
    facts["patch_size"] = model._inputs.patch_size
    return facts
