"""User-defined cells."""

import numpy as np
import pytest
import torch
from small_networks import LENGTHS, UsersGRU, close, make_network, normal
from torch import nn

from sklearn_rnn import RNNClassifier
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


class Sequential(nn.Module):
    """A cell that applies a function to (B, T, F)."""

    def __init__(self, input_size, hidden_size, function):
        super().__init__()
        self.project, self.function = nn.Linear(input_size, hidden_size), function

    def forward(self, x, state=None):
        return self.function(self, self.project(x)), state


def count_calls(module, x):
    module.n_calls = getattr(module, "n_calls", 0) + 1
    return x * module.n_calls


@pytest.mark.parametrize(
    "cell, message",
    [
        (lambda F, H: nn.GRU(F, H // 2, bidirectional=True, batch_first=True), "later"),
        (lambda F, H: Sequential(F, H, lambda m, x: x - x.mean(1, True)), "later"),
        (
            lambda F, H: Sequential(F, H, lambda m, x: x - x.mean(0, True)),
            "of its batch",
        ),
        (nn.GRU, "batch_first=True"),
        (lambda F, H: Sequential(F, H, count_calls), "not keep values between calls"),
        (
            lambda F, H: Sequential(F, H, lambda m, x: nn.functional.dropout(x)),
            "if self.training",
        ),
    ],
    ids="bidirectional mean batch time-first memory dropout".split(),
)
def test_a_cell_that_reads_other_sequences_or_later_steps_is_refused(cell, message):
    layer = CustomLayer(cell, 3, 4)
    with pytest.raises(ValueError, match=message):
        layer.check_independence(causal=True)
    assert layer.module.training


def test_sequences_of_one_length_may_be_read_backwards(rng):
    class BothWays(nn.Module):
        def __init__(self, input_size, hidden_size):
            super().__init__()
            self.gru = nn.GRU(input_size, hidden_size // 2, 1, True, True, 0, True)

        def forward(self, x, state=None):
            return self.gru(x, state)

    X, y = rng.normal(size=(20, 6)), np.arange(20) % 2
    model = RNNClassifier(BothWays, 4, max_epochs=2, input_length=6, random_state=0)
    model.fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X[:1]), model.predict_proba(X)[:1])
    with pytest.raises(ValueError, match="later steps"):
        model.set_params(input_length=None).fit(X, y)


def test_a_cell_with_dropout_and_batch_statistics_keeps_them_untouched():
    class Usual(UsersGRU):
        def __init__(self, input_size, hidden_size):
            super().__init__(input_size, hidden_size)
            self.norm, self.drop = nn.BatchNorm1d(hidden_size), nn.Dropout(0.5)

        def forward(self, x, state=None):
            outputs, state = self.gru(x, state)
            return self.drop(self.norm(outputs.transpose(1, 2)).transpose(1, 2)), state

    layer = CustomLayer(Usual, 3, 4)
    layer.check_independence(causal=True)
    norm = layer.module.norm
    assert norm.num_batches_tracked == 0 and norm.training
