"""Functions of arrays."""

import numpy as np
import torch

from sklearn_rnn._nn.functional import log_softmax


def test_log_softmax_is_computed_in_float64_and_changes_nothing(rng):
    logits = rng.normal(size=(2, 3, 5)).astype(np.float32) * 1000
    before = logits.copy()
    found = log_softmax(logits)
    expected = torch.log_softmax(torch.from_numpy(logits).double(), -1)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_array_equal(logits, before)


def test_impossible_codes_stay_impossible():
    found = log_softmax(np.array([[0.0, -np.inf, 0.0]]))
    np.testing.assert_allclose(np.exp(found), [[0.5, 0, 0.5]])
