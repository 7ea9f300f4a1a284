"""Fitted models, user-defined cells, and comparisons for tests of streams."""

import numpy as np
import torch

from sklearn_rnn import RNNClassifier

N, T, F, V = 4, 9, 3, 12
QUICK = {"hidden_size": 5, "max_epochs": 1, "batch_size": 2, "random_state": 0}


class UsersGRU(torch.nn.Module):
    """A cell with a state (n_layers, n, H); sequences are on its second axis."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.gru = torch.nn.GRU(input_size, hidden_size, 2, batch_first=True)

    def forward(self, x, state):
        return self.gru(x, state)


class UsersPlainGRU(UsersGRU):
    """The same cell with a state (n, H, n_layers)."""

    def forward(self, x, state):
        outputs, state = self.gru(x, None if state is None else state.permute(2, 0, 1))
        return outputs, state.permute(1, 2, 0)


class UsersDecay(torch.nn.Module):
    """A cell with a nested state of several types: ((n, H), [(n,) int, None])."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.weight = torch.nn.Linear(input_size, hidden_size)

    def forward(self, x, state):
        if state is None:
            first = x.new_ones(len(x), self.weight.out_features)
            state = first, [torch.zeros(len(x), dtype=torch.long), None]
        (h, (count, nothing)), outputs = state, []
        for step in x.unbind(1):
            count = count + 1
            h = 0.8 * h + torch.tanh(self.weight(step)) / count[:, None]
            outputs.append(h)
        return torch.stack(outputs, 1), (h, [count, nothing])


def fitted(X, kind=RNNClassifier, **settings):
    model = kind(**(QUICK | settings))
    shape = X.shape[:2] if model.return_sequences else len(X)
    y = np.random.default_rng(1).normal(size=shape)
    return model.fit(X, y > np.median(y) if kind is RNNClassifier else y)


def close(found, expected, rtol=1e-5):
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol / 10)


def same_state(one, other):
    assert one.keys() == other.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name], err_msg=name)
