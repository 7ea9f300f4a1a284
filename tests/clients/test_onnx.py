"""ONNX: the module of a classifier, exported by torch for any number of steps."""

import numpy as np
import onnxruntime
import pytest
import torch
from torch.nn.utils.rnn import pad_sequence

from sklearn_rnn import RNNClassifier

DYNAMIC = torch.export.Dim.DYNAMIC


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])
def test_an_exported_module_predicts_the_same(cell, ragged, y, tmp_path):
    model = RNNClassifier(
        cell, hidden_size=8, max_epochs=3, bidirectional=True, random_state=0
    ).fit(ragged, y)
    torch.onnx.export(
        model.to_torch(),
        pad(ragged[:5]),
        tmp_path / "model.onnx",
        input_names=["X", "lengths"],
        dynamic_shapes=({0: DYNAMIC, 1: DYNAMIC}, {0: DYNAMIC}),
        dynamo=True,
    )
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    for sequences in (ragged, ragged[:2]):
        x, lengths = pad(sequences)
        (proba,) = session.run(None, {"X": x.numpy(), "lengths": lengths.numpy()})
        expected = model.predict_proba(sequences)
        np.testing.assert_allclose(proba, expected, atol=1e-5)


def pad(sequences):
    """Return a padded batch and the lengths of its sequences."""
    x = pad_sequence([torch.tensor(x) for x in sequences], batch_first=True)
    return x, torch.tensor([len(x) for x in sequences])
