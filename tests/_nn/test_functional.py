"""Functions of arrays."""

import numpy as np
import pytest
import torch

from sklearn_rnn._nn.functional import check_outputs, log_softmax


def test_log_softmax_is_computed_in_float64_and_changes_nothing(rng):
    logits = rng.normal(size=(2, 3, 5)).astype(np.float32) * 1000
    before = logits.copy()
    found = log_softmax(logits)
    expected = torch.log_softmax(torch.from_numpy(logits).double(), -1)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_array_equal(logits, before)


def test_impossible_codes_keep_probability_zero():
    found = log_softmax(np.array([[0.0, -np.inf, 0.0]]))
    np.testing.assert_allclose(np.exp(found), [[0.5, 0, 0.5]])


def test_outputs_that_are_not_finite_are_an_error_that_names_the_sequence():
    outputs = np.zeros((4, 2), dtype=np.float32)
    check_outputs(outputs, np.arange(4))
    outputs[2, 1] = np.inf
    with pytest.raises(ValueError, match=r"for sequence 7 of X is not a finite number"):
        check_outputs(outputs, np.array([5, 5, 7, 7]))
    with pytest.raises(
        ValueError, match=r"network is not a finite number.*lower learn"
    ):
        check_outputs(outputs)
