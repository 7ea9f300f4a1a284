"""Gradients and initial bias of the LSTM."""

import torch
from small_networks import normal, private

from sklearn_rnn._nn.cells.lstm import LSTMLayer, UnrolledLSTM


def test_lstm_gradients_match_finite_differences():
    shapes = [(4, 3, 8), (8, 2), (3, 2), (3, 2)]
    inputs = [normal(*s, seed=k).requires_grad_() for k, s in enumerate(shapes)]

    def outputs_and_last(*arguments):
        outputs, c = UnrolledLSTM.apply(*arguments, torch.full((3,), 4))
        return outputs, outputs[-1], c, (outputs[-1] * c).sum()

    assert torch.autograd.gradcheck(outputs_and_last, inputs)


def test_the_bias_of_the_forget_gate_starts_at_one_and_every_other_at_zero():
    layer = LSTMLayer(3, 4)
    layer.initialize(private())
    assert layer.bias.tolist() == [0.0] * 4 + [1.0] * 4 + [0.0] * 8
