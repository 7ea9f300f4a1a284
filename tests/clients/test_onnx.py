"""ONNX: the network of a classifier, exported by torch."""

import numpy as np
import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator

from sklearn_rnn import RNNClassifier
from sklearn_rnn._nn.sequence import Inputs


class OfFullLength(torch.nn.Module):
    """Computes logits of sequences of equal length without padding."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return self.module(Inputs(x, None))


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])
def test_an_exported_network_predicts_the_same(cell, padded, y, tmp_path):
    model = RNNClassifier(
        cell, hidden_size=8, max_epochs=3, precision="float32", random_state=0
    ).fit(padded, y)
    X = torch.from_numpy(padded[:4].astype(np.float32))
    network = OfFullLength(model.module_).eval()
    with torch.no_grad():
        expected = network(X).numpy()
    torch.onnx.export(network, (X,), tmp_path / "model.onnx", dynamo=True)
    loaded = onnx.load(tmp_path / "model.onnx")
    (name,) = [one.name for one in loaded.graph.input]
    (result,) = ReferenceEvaluator(loaded).run(None, {name: X.numpy()})
    np.testing.assert_allclose(result, expected, atol=1e-5)
