"""Gradients and initial biases of the GRU."""

import torch
from small_networks import normal, private

from sklearn_rnn._nn.cells.gru import GRULayer, UnrolledGRU


def test_gru_gradients_match_finite_differences():
    inputs = [normal(4, 3, 6), normal(6, 2, seed=1), normal(2, seed=2), normal(3, 2)]
    inputs = [tensor.requires_grad_() for tensor in inputs]

    def outputs_and_last(*arguments):
        outputs = UnrolledGRU.apply(*arguments, torch.full((3,), 4))
        return outputs, outputs[-1]

    assert torch.autograd.gradcheck(outputs_and_last, inputs)


def test_both_biases_start_at_zero():
    layer = GRULayer(3, 4)
    layer.initialize(private())
    assert layer.bias.tolist() == [0.0] * 12
    assert layer.bias_n.tolist() == [0.0] * 4
