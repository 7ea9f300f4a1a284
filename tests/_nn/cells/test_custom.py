"""Cells that users bring."""

import pytest
import torch
from small_networks import LENGTHS, UsersGRU, close, make_network, normal
from torch import nn

from sklearn_rnn._nn.cells.custom import CustomLayer
from sklearn_rnn._nn.sequence import Inputs


def test_callable_cell_reads_batches_first():
    network = make_network(UsersGRU)
    x = normal(5, 4, 3)
    gru = network.stack.layers[0][0].module.gru
    _, h = gru(x.transpose(0, 1))
    assert torch.equal(network(Inputs(x, None)), network.head(h[0]))


def test_callable_cell_may_be_a_torch_module_itself():
    network = make_network(lambda F, H: nn.LSTM(F, H, batch_first=True))
    x = normal(5, 4, 3)
    _, (h, _) = network.stack.layers[0][0].module(x.transpose(0, 1))
    assert torch.equal(network(Inputs(x, None)), network.head(h[0]))


@pytest.mark.parametrize("bidirectional", [False, True])
def test_callable_cell_ignores_padding(bidirectional):
    network = make_network(UsersGRU, num_layers=2, bidirectional=bidirectional)
    x = normal(5, 4, 3)
    with torch.inference_mode():
        together = network(Inputs(x, LENGTHS))
        for j, length in enumerate(LENGTHS):
            alone = network(Inputs(x[:length, j : j + 1], None))
            close(together[j : j + 1], alone)


class OnlyLast(UsersGRU):
    def forward(self, x, state=None):
        outputs, state = super().forward(x, state)
        return outputs[:, -1], state


@pytest.mark.parametrize(
    "cell, shape",
    [(OnlyLast, r"\(4, 7\)"), (lambda F, H: UsersGRU(F, 6), r"\(4, 5, 6\)")],
    ids=["last step only", "wrong width"],
)
def test_callable_cell_with_wrong_outputs_is_refused(cell, shape):
    layer = CustomLayer(cell, 3, 7).double()
    message = rf"outputs of shape {shape}; expected .* = \(4, 5, 7\)"
    with pytest.raises(ValueError, match=message):
        layer(normal(5, 4, 3))
