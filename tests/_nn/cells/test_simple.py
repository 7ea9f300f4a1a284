"""Gradients and initial bias of the simple cell."""

import pytest
import torch
from small_networks import normal, private

from sklearn_rnn._nn.cells.simple import SimpleLayer, UnrolledSimple


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_simple_gradients_match_finite_differences(activation):
    inputs = [normal(4, 3, 2), normal(2, 2, seed=1), normal(3, 2, seed=2)]
    inputs = [tensor.requires_grad_() for tensor in inputs]

    def outputs_and_last(projected, weight, h):
        outputs = UnrolledSimple.apply(
            projected, weight, h, torch.full((3,), 4), activation
        )
        return outputs, outputs[-1]

    assert torch.autograd.gradcheck(outputs_and_last, inputs)


def test_the_bias_starts_at_zero():
    layer = SimpleLayer(3, 4)
    layer.initialize(private())
    assert layer.bias.tolist() == [0.0] * 4
