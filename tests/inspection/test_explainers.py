"""One sequence is explained at a time."""

import numpy as np
import pytest
import torch

from sklearn_rnn import RNNClassifier
from sklearn_rnn.inspection._explainers import Explainer, make_output

X = np.random.default_rng(0).normal(size=(12, 5, 2))


@pytest.fixture(scope="module")
def output():
    model = RNNClassifier(hidden_size=3, max_epochs=1, random_state=0)
    return make_output(model.fit(X, X[:, 0, 0] > 0), "auto")


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_the_modes_of_the_user_are_ignored(output, mode):
    explain = Explainer(output, "integrated_gradients", 1, 1e-3, 1000)
    expected = explain(X[0], None, -1, None, "sequence 0")
    with mode():
        found = explain(X[0], None, -1, None, "sequence 0")
    np.testing.assert_array_equal(found.attributions, expected.attributions)
    assert found.gap < 1e-3 and found.attributions.shape == (5, 2)
    rise = found.output - found.baseline_output
    assert abs(found.attributions.sum() - rise) == pytest.approx(found.gap)


def test_an_empty_text_cannot_be_explained(output):
    explain = Explainer(output, "occlusion", 1, 1e-3, 1000)
    with pytest.raises(ValueError, match="sequence 2 of X has no tokens"):
        explain(X[0][:0], None, -1, None, "sequence 2")


def test_an_output_that_is_not_finite_is_an_error(output):
    explain = Explainer(output, "occlusion", 1, 1e-3, 1000)
    with pytest.raises(ValueError, match=r"output of sequence 7 .* is not finite"):
        explain(X[0] * np.nan, True, -1, None, "sequence 7")
