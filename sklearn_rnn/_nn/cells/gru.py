"""The gated recurrent unit (GRU), with the gates r, z, n in torch's order.

    r, z = sigmoid(W x[t] + U h[t-1] + b), with separate weights for each gate
    n = tanh(W_n x[t] + b_n + r * (U_n h[t-1] + b'_n))
    h[t] = (1 - z) * n + z * h[t-1]

Source: K. Cho et al., "Learning phrase representations using RNN encoder-decoder for
statistical machine translation", EMNLP 2014. As in torch, the reset gate r is applied
after the recurrent product, so that one product computes all three gates. The candidate
n therefore has a second bias b'_n, ``bias_n``, to which the reset gate is applied.
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
    to_array,
)
from sklearn_rnn._nn.states import State


class UnrolledGRU(torch.autograd.Function):
    """All steps of the GRU, computed from P[t] = W x[t] + b."""

    @staticmethod
    def forward(
        ctx: Any, projected: Tensor, weight: Tensor, bias_n: Tensor, h: Tensor
    ) -> Tensor:
        T, B, G = projected.shape
        H = G // 3
        bias = torch.cat([bias_n.new_zeros(2 * H), bias_n])
        rz, n, q = (projected.new_empty(T, B, k * H) for k in (2, 1, 1))
        hidden = projected.new_empty(T + 1, B, H)
        hidden[0] = h
        recurrent = projected.new_empty(B, G)
        recurrent_rz, recurrent_n = recurrent[:, : 2 * H], recurrent[:, 2 * H :]
        P_rz = projected[:, :, : 2 * H].unbind(0)
        P_n = projected[:, :, 2 * H :].unbind(0)
        rz_at, n_at, q_at = rz.unbind(0), n.unbind(0), q.unbind(0)
        h_at, U = hidden.unbind(0), weight.t()
        for t in range(T):
            torch.addmm(bias, h_at[t], U, out=recurrent)
            torch.add(P_rz[t], recurrent_rz, out=rz_at[t]).sigmoid_()
            q_at[t].copy_(recurrent_n)
            torch.addcmul(P_n[t], rz_at[t][:, :H], q_at[t], out=n_at[t]).tanh_()
            torch.lerp(n_at[t], h_at[t], rz_at[t][:, H:], out=h_at[t + 1])
        ctx.save_for_backward(rz, n, q, hidden, weight)
        return hidden[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        rz, n, q, hidden, weight = ctx.saved_tensors
        T, B, H = n.shape
        r, z = rz.chunk(2, 2)
        k_n = ((1 - z) * (1 - n * n)).unbind(0)
        k_z = ((hidden[:-1] - n) * z * (1 - z)).unbind(0)
        k_r = (q * r * (1 - r)).unbind(0)
        d_recurrent, d_n = n.new_empty(T, B, 3 * H), torch.empty_like(n)
        d_r, d_z, d_q = (part.unbind(0) for part in d_recurrent.chunk(3, 2))
        D, d_n_at, d_out = d_recurrent.unbind(0), d_n.unbind(0), d_outputs.unbind(0)
        r_at, z_at = r.unbind(0), z.unbind(0)
        d_h = torch.zeros_like(hidden[0])
        for t in range(T - 1, -1, -1):
            d_h = d_h + d_out[t]
            torch.mul(d_h, k_n[t], out=d_n_at[t])
            torch.mul(d_n_at[t], k_r[t], out=d_r[t])
            torch.mul(d_h, k_z[t], out=d_z[t])
            torch.mul(d_n_at[t], r_at[t], out=d_q[t])
            d_h = torch.addmm(d_h * z_at[t], D[t], weight)
        d_projected = torch.cat([d_recurrent[:, :, : 2 * H], d_n], 2)
        d_bias_n = d_recurrent[:, :, 2 * H :].sum((0, 1))
        return (
            d_projected,
            compute_recurrent_gradient(d_recurrent, hidden),
            d_bias_n,
            d_h,
        )


class NumpyGRU(NumpyCell):
    """One step of the GRU."""

    n_sigmoids = 2

    def __init__(self, layer: RecurrentLayer, embedding: nn.Embedding | None) -> None:
        super().__init__(layer, embedding)
        self.bias_n = to_array(layer.get_parameter("bias_n"))

    def step(self, buffers: Buffers, state: list[np.ndarray]) -> list[np.ndarray]:
        (before,) = state
        _, recurrent, (r, z, n), sigmoids, spare = buffers
        H = before.shape[1]
        sigmoids += recurrent[:, : 2 * H]
        np.tanh(sigmoids, out=sigmoids)
        sigmoids *= 0.5
        sigmoids += 0.5
        np.add(recurrent[:, 2 * H :], self.bias_n, out=spare)
        spare *= r
        n += spare
        np.tanh(n, out=n)
        h = before - n
        h *= z
        h += n
        return [h]


class GRULayer(RecurrentLayer):
    """A layer of GRU cells."""

    name = "gru"
    n_gates = 3
    source = (
        'K. Cho et al., "Learning phrase representations using RNN encoder-decoder for '
        'statistical machine translation", EMNLP 2014'
    )
    equations = r"""
r_t &= \sigma(W_r x_t + U_r h_{t-1} + b_r) \\
z_t &= \sigma(W_z x_t + U_z h_{t-1} + b_z) \\
n_t &= \tanh(W_n x_t + b_n + r_t \odot (U_n h_{t-1} + b'_n)) \\
h_t &= (1 - z_t) \odot n_t + z_t \odot h_{t-1}
"""
    numpy_cell = NumpyGRU
    torch_layer = nn.GRU

    def __init__(self, input_size: int, hidden_size: int, **options: Any) -> None:
        super().__init__(input_size, hidden_size, **options)
        self.bias_n = nn.Parameter(torch.empty(hidden_size))

    def initialize(self, generator: torch.Generator) -> None:
        """Initialize as in the base class; both biases of the candidate are zero."""
        super().initialize(generator)
        nn.init.zeros_(self.bias_n)

    def find_bounds(self, n_steps: np.ndarray) -> dict[str, np.ndarray]:
        return {"hidden": np.minimum(n_steps, 1)}

    def unroll(self, projected: Tensor, state: State) -> tuple[Tensor, State]:
        dtype = projected.dtype
        weight, bias_n = self.weight_hh.to(dtype), self.bias_n.to(dtype)
        outputs = UnrolledGRU.apply(projected, weight, bias_n, state)
        return outputs, outputs[-1]

    def prefers_kernel(self, x: Tensor) -> bool:
        return x.is_cuda or not torch.is_grad_enabled()

    def run_kernel(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        arguments = self.kernel_arguments(x.dtype)
        outputs, h = torch.gru(x, state.unsqueeze(0), *arguments)
        return outputs, h[0]

    def torch_weights(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        weight_ih, weight_hh, bias_ih, zeros = super().torch_weights()
        bias_hh = torch.cat([zeros[: 2 * self.hidden_size], self.bias_n])
        return weight_ih, weight_hh, bias_ih, bias_hh
