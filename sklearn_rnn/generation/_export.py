"""Export of SequenceGenerator to ONNX."""

from typing import Any

import numpy as np

from sklearn_rnn._core.container import find_target
from sklearn_rnn._data.tokens import END, RESERVED
from sklearn_rnn._nn.onnx_graph import Graph
from sklearn_rnn._nn.onnx_layers import (
    StreamStates,
    add_head,
    add_lookup,
    add_recurrence,
)
from sklearn_rnn._nn.standard import make_standard_language_network
from sklearn_rnn.generation._language_model import LanguageModel
from sklearn_rnn.text._metadata import describe_codes

ROWS, STEPS = "n_sequences", "n_timesteps"  # names of dynamic axes


def export_onnx(model: LanguageModel, path: Any) -> None:
    """Write the network of a language model as an ONNX graph, from states to states."""
    find_target(path)
    network, graph = make_standard_language_network(model.module), Graph()
    codes = graph.input("X", np.int64, [ROWS, STEPS])
    streams = StreamStates(graph, ROWS)
    before = streams.read_layers(network.recurrence)
    x = graph.transpose(add_lookup(graph, network.embedding, codes), 1, 0, 2)
    outputs, after = add_recurrence(graph, network.recurrence, x, states=before)
    outputs = graph.transpose(outputs, 1, 0, 2)  # (B, T, H)
    logits = add_head(graph, network.head, outputs)
    ends = (graph.constant([k]) for k in (END, np.iinfo(np.int64).max, 2))
    proba = graph.add("Softmax", graph.add("Slice", logits, *ends), axis=-1)
    n_classes = len(model.classes)
    graph.output("probabilities", proba, np.float32, [ROWS, STEPS, n_classes])
    streams.advance_layers(after)
    streams.add_outputs()
    codec = model.codec
    names = [*RESERVED, *codec.names]
    facts: dict[str, Any] = {
        "class": "SequenceGenerator",
        "classes": [str(name) for name in model.classes],
        **describe_codes(len(names), names, codec.vectorizer),
        "states": streams.names,
    }
    graph.save(path, "SequenceGenerator", facts)
