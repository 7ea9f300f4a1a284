"""Graphs in the ONNX format, and their files."""

import json
import sys

import numpy as np
import pytest

from sklearn_rnn._nn.onnx_graph import Graph, import_onnx
from sklearn_rnn._version import __version__

onnx = pytest.importorskip(
    "onnx", reason="needs the extra onnx: pip install sklearn-rnn[onnx]"
)


def make_graph():
    graph = Graph()
    x = graph.input("X", np.float32, ["n_rows", 2])
    y = graph.add("Mul", x, graph.constant(np.float32(2)))
    graph.output("doubled", y, np.float32, ["n_rows", 2])
    return graph


def test_metadata_are_json(tmp_path):
    facts = {"classes": ["a", "b"], "n_features": 3, "when": np.datetime64("2020")}
    make_graph().save(tmp_path / "m.onnx", "m", facts)
    model = onnx.load(tmp_path / "m.onnx")
    found = {prop.key: json.loads(prop.value) for prop in model.metadata_props}
    assert found == {**facts, "when": "2020"}
    assert (model.producer_name, model.producer_version) == ("sklearn_rnn", __version__)


def test_a_file_is_replaced_completely_or_not_at_all(tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(b"old")
    graph = make_graph()
    graph.nodes.append(graph.onnx.helper.make_node("Unheard", ["X"], ["y"]))
    with pytest.raises(onnx.checker.ValidationError):
        graph.save(path, "m", {})
    assert path.read_bytes() == b"old"
    make_graph().save(path, "m", {})
    assert path.read_bytes() != b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_missing_package_is_named_with_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'sklearn-rnn\[onnx\]'"):
        import_onnx()
