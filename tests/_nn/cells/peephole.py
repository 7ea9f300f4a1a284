"""The LSTM with peephole connections, as an example of a new cell.

    i, f = sigmoid(W x[t] + U h[t-1] + p * c[t-1] + b), each with its own weights
    g = tanh(W_g x[t] + U_g h[t-1] + b_g)
    c[t] = f * c[t-1] + i * g
    o = sigmoid(W_o x[t] + U_o h[t-1] + p_o * c[t] + b_o)
    h[t] = o * tanh(c[t])

Source: F. A. Gers, J. Schmidhuber, "Recurrent nets that time and count", IJCNN 2000.
"""

import numpy as np
import torch
from torch import nn

from sklearn_rnn._nn.cells.base import NumpyCell, RecurrentLayer, to_array


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


class NumpyPeephole(NumpyCell):
    """One step of the LSTM with peepholes."""

    def __init__(self, layer, embedding):
        super().__init__(layer, embedding)
        self.peephole = to_array(layer.peephole)

    def step(self, buffers, state):
        _, c = state
        p_i, p_f, p_o = self.peephole
        i, f, g, o = np.split(buffers.gates + buffers.recurrent, 4, axis=1)
        c = sigmoid(f + p_f * c) * c + sigmoid(i + p_i * c) * np.tanh(g)
        return [sigmoid(o + p_o * c) * np.tanh(c), c]


class PeepholeLayer(RecurrentLayer):
    """A layer of LSTM cells whose gates also read the cell state."""

    name = "peephole"
    n_gates = 4
    source = (
        'F. A. Gers and J. Schmidhuber, "Recurrent nets that time and count", '
        "IJCNN 2000"
    )
    state_names = ("hidden", "cell")
    equations = r"""
i_t &= \sigma(W_i x_t + U_i h_{t-1} + p_i \odot c_{t-1} + b_i) \\
f_t &= \sigma(W_f x_t + U_f h_{t-1} + p_f \odot c_{t-1} + b_f) \\
g_t &= \tanh(W_g x_t + U_g h_{t-1} + b_g) \\
c_t &= f_t \odot c_{t-1} + i_t \odot g_t \\
o_t &= \sigma(W_o x_t + U_o h_{t-1} + p_o \odot c_t + b_o) \\
h_t &= o_t \odot \tanh(c_t)
"""
    numpy_cell = NumpyPeephole

    def __init__(self, input_size, hidden_size, **options):
        super().__init__(input_size, hidden_size, **options)
        self.peephole = nn.Parameter(torch.empty(3, hidden_size))

    def initialize(self, generator):
        super().initialize(generator)
        nn.init.normal_(self.peephole, std=0.1, generator=generator)

    def unroll(self, projected, state, lengths):
        (h, c), outputs = state, []
        U = self.weight_hh.t().to(projected.dtype)
        p_i, p_f, p_o = self.peephole.to(projected.dtype)
        for P in projected.unbind(0):
            i, f, g, o = (P + h @ U).chunk(4, 1)
            i, f = torch.sigmoid(i + p_i * c), torch.sigmoid(f + p_f * c)
            c = f * c + i * torch.tanh(g)
            h = torch.sigmoid(o + p_o * c) * torch.tanh(c)
            outputs.append(h)
        return torch.stack(outputs), (h, c)
