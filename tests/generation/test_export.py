"""Generators as torch modules and ONNX graphs."""

import json

import numpy as np
import pytest
import torch
from small_networks import UsersGRU

from sklearn_rnn import SequenceGenerator

REASON = "needs the extra onnx: pip install sklearn-rnn[onnx]"
FAST = {"hidden_size": 5, "max_epochs": 1, "learning_rate": 0.1, "random_state": 0}
TEXT = "the cat sat on the mat. " * 4
START = 2


def encode(model, text):
    code_of = {token: 3 + k for k, token in enumerate(model.classes_)}
    return np.array([[START, *(code_of[token] for token in text)]])


@pytest.mark.parametrize("cell", ["lstm", UsersGRU])
def test_a_module_predicts_the_same_tokens(cell):
    model = SequenceGenerator(cell=cell, num_layers=2, **FAST).fit(TEXT)
    module, codes = model.to_torch(), torch.tensor(encode(model, "the c"))
    with torch.inference_mode():
        _, state = module(codes[:, :2])
        logits, _ = module(codes[:, 2:], state)
    proba = logits[:, -1, 3:].softmax(1).numpy()
    np.testing.assert_allclose(proba, model.predict_proba(["the c"]), atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [{"cell": "lstm", "num_layers": 2}, {"embedding": 3, "tie_weights": True}],
)
def test_a_graph_predicts_the_same_tokens_from_its_states(options, tmp_path):
    pytest.importorskip("onnx", reason=REASON)
    onnxruntime = pytest.importorskip("onnxruntime", reason=REASON)
    model = SequenceGenerator(**options, **FAST).fit(TEXT)
    model.to_onnx(tmp_path / "m.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    facts = session.get_modelmeta().custom_metadata_map
    vocabulary, states = (json.loads(facts[k]) for k in ("vocabulary", "states"))
    codes = np.array([[START, *map(vocabulary.index, "the c")]])
    state = {name: np.zeros((1, 5), dtype=np.float32) for name in states}
    for part in (codes[:, :2], codes[:, 2:]):
        proba, *after = session.run(None, {"X": part, **state})
        state = dict(zip(states, after, strict=True))
    expected = model.predict_proba(["the c"])
    np.testing.assert_allclose(proba[:, -1], expected, atol=1e-6)
    assert json.loads(facts["classes"]) == model.classes_.tolist()
    none = {name: part[:0] for name, part in state.items()}
    assert len(session.run(None, {"X": codes[:0], **none})[0]) == 0


def test_tokens_that_are_no_texts_are_described(tmp_path):
    onnx = pytest.importorskip("onnx", reason=REASON)
    model = SequenceGenerator(**FAST).fit([[3, 1, 2], [1, 1, 3]])
    model.to_onnx(tmp_path / "m.onnx")
    facts = {p.key: p.value for p in onnx.load(tmp_path / "m.onnx").metadata_props}
    assert json.loads(facts["vocabulary"])[4:] == ["1", "2", "3"]
    assert "vectorizer" not in facts
