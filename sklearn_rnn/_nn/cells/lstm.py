"""The long short-term memory (LSTM), with the gates i, f, g, o in torch's order.

    i, f, o = sigmoid(W x[t] + U h[t-1] + b), with separate weights for each gate
    g = tanh(W_g x[t] + U_g h[t-1] + b_g)
    c[t] = f * c[t-1] + i * g
    h[t] = o * tanh(c[t])

Sources: S. Hochreiter, J. Schmidhuber, "Long short-term memory", Neural Computation 9,
1997; for the forget gate f, F. A. Gers, J. Schmidhuber, F. Cummins, "Learning to
forget: continual prediction with LSTM", Neural Computation 12, 2000. The initial bias
of the forget gate is 1 (R. Jozefowicz, W. Zaremba, I. Sutskever, "An empirical
exploration of recurrent network architectures", ICML 2015).
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sklearn_rnn._nn.cells.base import (
    Buffers,
    NumpyCell,
    RecurrentLayer,
    compute_recurrent_gradient,
)
from sklearn_rnn._nn.states import State


class UnrolledLSTM(torch.autograd.Function):
    """All steps of the LSTM, computed from P[t] = W x[t] + b."""

    @staticmethod
    def forward(
        ctx: Any, projected: Tensor, weight: Tensor, h: Tensor, c: Tensor
    ) -> tuple[Tensor, Tensor]:
        T, B, G = projected.shape
        H = G // 4
        gates = torch.empty_like(projected)
        hidden, cell = (projected.new_empty(T + 1, B, H) for _ in range(2))
        squashed = projected.new_empty(T, B, H)  # tanh(c[t])
        hidden[0], cell[0] = h, c
        P, gates_at, s_at = projected.unbind(0), gates.unbind(0), squashed.unbind(0)
        h_at, c_at, U = hidden.unbind(0), cell.unbind(0), weight.t()
        for t in range(T):
            gate = torch.addmm(P[t], h_at[t], U, out=gates_at[t])
            gate[:, : 2 * H].sigmoid_()
            gate[:, 2 * H : 3 * H].tanh_()
            gate[:, 3 * H :].sigmoid_()
            i, f, g, o = gate.chunk(4, 1)
            torch.mul(f, c_at[t], out=c_at[t + 1]).addcmul_(i, g)
            torch.tanh(c_at[t + 1], out=s_at[t])
            torch.mul(o, s_at[t], out=h_at[t + 1])
        ctx.save_for_backward(gates, hidden, cell, squashed, weight)
        return hidden[1:], cell[-1]

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, d_outputs: Tensor, d_c: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        gates, hidden, cell, squashed, weight = ctx.saved_tensors
        T, B, G = gates.shape
        i, f, g, o = gates.chunk(4, 2)
        slope = torch.empty_like(gates)
        slope_i, slope_f, slope_g, slope_o = slope.chunk(4, 2)
        slope_i.copy_(g * i * (1 - i))
        slope_f.copy_(cell[:-1] * f * (1 - f))
        slope_g.copy_(i * (1 - g * g))
        slope_o.copy_(squashed * o * (1 - o))
        k_c = (o * (1 - squashed * squashed)).unbind(0)
        d_projected = torch.empty_like(gates)
        by_gate = d_projected.view(T, B, 4, G // 4).unbind(0)
        k = slope.view(T, B, 4, G // 4).unbind(0)
        D, f_at, d_out = d_projected.unbind(0), f.unbind(0), d_outputs.unbind(0)
        d_h, d_c = torch.zeros_like(hidden[0]), d_c.clone()
        for t in range(T - 1, -1, -1):
            d_h = d_h + d_out[t]
            d_c.addcmul_(d_h, k_c[t])
            torch.mul(k[t][:, :3], d_c.unsqueeze(1), out=by_gate[t][:, :3])
            torch.mul(k[t][:, 3], d_h, out=by_gate[t][:, 3])
            d_c.mul_(f_at[t])
            d_h = D[t] @ weight
        return d_projected, compute_recurrent_gradient(d_projected, hidden), d_h, d_c


class NumpyLSTM(NumpyCell):
    """One step of the LSTM, with the gates in the order i, f, o, g."""

    gate_order = (0, 1, 3, 2)
    n_sigmoids = 3

    def step(self, buffers: Buffers, state: list[np.ndarray]) -> list[np.ndarray]:
        gates, recurrent, (i, f, o, g), sigmoids, spare = buffers
        gates += recurrent
        np.tanh(gates, out=gates)
        sigmoids *= 0.5
        sigmoids += 0.5
        c = state[1] * f
        np.multiply(i, g, out=spare)
        c += spare
        np.tanh(c, out=spare)
        return [o * spare, c]


class LSTMLayer(RecurrentLayer):
    """A layer of LSTM cells."""

    name = "lstm"
    n_gates = 4
    source = (
        'S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural '
        "Computation 9, 1997"
    )
    state_names = ("hidden", "cell")
    equations = r"""
i_t &= \sigma(W_i x_t + U_i h_{t-1} + b_i) \\
f_t &= \sigma(W_f x_t + U_f h_{t-1} + b_f) \\
g_t &= \tanh(W_g x_t + U_g h_{t-1} + b_g) \\
o_t &= \sigma(W_o x_t + U_o h_{t-1} + b_o) \\
c_t &= f_t \odot c_{t-1} + i_t \odot g_t \\
h_t &= o_t \odot \tanh(c_t)
"""
    numpy_cell = NumpyLSTM
    torch_layer = nn.LSTM

    def initialize(self, generator: torch.Generator) -> None:
        """Initialize as in the base class, but with a bias of 1 for the forget gate."""
        super().initialize(generator)
        H = self.hidden_size
        nn.init.ones_(self.bias[H : 2 * H])

    def find_bounds(self, n_steps: np.ndarray) -> dict[str, np.ndarray]:
        return {"hidden": np.minimum(n_steps, 1), "cell": n_steps}

    def unroll(self, projected: Tensor, state: State) -> tuple[Tensor, State]:
        weight = self.weight_hh.to(projected.dtype)
        outputs, c = UnrolledLSTM.apply(projected, weight, *state)
        return outputs, (outputs[-1], c)

    def prefers_kernel(self, x: Tensor) -> bool:  # oneDNN trains it in float32
        fast = x.is_cuda or x.dtype != torch.float64
        return fast or not torch.is_grad_enabled()

    def run_kernel(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h, c = (part.unsqueeze(0) for part in state)
        outputs, h, c = torch.lstm(x, (h, c), *self.kernel_arguments(x.dtype))
        return outputs, (h[0], c[0])
