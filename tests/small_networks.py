"""Small torch modules with private weights, and parameters of tests."""

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_rnn._core.randomness import torch_generator
from sklearn_rnn._data.tokens import END
from sklearn_rnn._nn.builders import build_language_network, build_network
from sklearn_rnn._nn.cells.registry import CELLS
from sklearn_rnn._nn.functional import log_softmax
from sklearn_rnn._nn.layers import RecurrentStack
from sklearn_rnn._nn.states import nest_state
from sklearn_rnn._nn.steppers import make_stepper

KINDS = [*((name, "tanh") for name in CELLS), ("rnn", "relu")]
LENGTHS = torch.tensor([5, 2, 1, 4])

each_kind = pytest.mark.parametrize("cell, activation", KINDS)
each_cell = pytest.mark.parametrize("cell", list(CELLS))
each_mode = pytest.mark.parametrize(
    "mode", [torch.enable_grad, torch.inference_mode], ids=["grad", "inference"]
)


def private(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=private(seed), dtype=dtype)


def close(actual, expected, tolerance=1e-12):
    actual = actual.detach().double().numpy()
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance)


def make_layer(cell, F=3, H=4, *, seed=0, dtype=torch.float64, **options):
    layer = CELLS[cell](F, H, **options)
    generator = private(seed)
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.5, generator=generator)
    return layer.to(dtype)


def make_stack(cell, num_layers, directions, dropout=0.0):
    sizes = [3] + [4 * directions] * (num_layers - 1)
    levels = [
        [make_layer(cell, size, seed=10 * k + d) for d in range(directions)]
        for k, size in enumerate(sizes)
    ]
    return RecurrentStack(levels, dropout)


def make_network(cell="gru", seed=0, **options):
    options = {"dtype": torch.float64, **options}
    return build_network(cell, 3, 4, 2, generator=private(seed), **options)


def random_state(cell, B, H=4):
    return nest_state(list(normal(len(CELLS[cell].state_names), B, H, seed=9)))


class UsersGRU(nn.Module):
    """A user-defined cell."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.gru = nn.GRU(input_size, hidden_size, batch_first=True)

    def forward(self, x, state=None):
        return self.gru(x, state)


class SmallGenerator:
    """A tiny random network over the end code and three tokens."""

    def __init__(self, seed=0):
        self.module = build_language_network(
            "gru", 7, 5, generator=torch_generator(seed, 0)
        ).eval()
        with torch.no_grad():
            for p in self.module.parameters():
                p.mul_(2)

    def begin(self, n=1):
        with torch.inference_mode():
            logits, states = self.module(torch.full((1, n), 2))
        return make_stepper(self.module, states), logits[0].numpy().astype(float)

    def log_probability(self, codes):
        with torch.inference_mode():
            logits, _ = self.module(torch.tensor([[2], *[[c] for c in codes[:-1]]]))
        logp = log_softmax(np.where(np.arange(7) < END, -np.inf, logits[:, 0].numpy()))
        return sum(logp[t, code] for t, code in enumerate(codes))
