"""The simple recurrent cell.

    h[t] = f(W x[t] + U h[t-1] + b),  f = tanh or relu

Source: J. L. Elman, "Finding structure in time", Cognitive Science 14, 1990.
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


class UnrolledSimple(torch.autograd.Function):
    """All steps of the simple cell, computed from P[t] = W x[t] + b."""

    @staticmethod
    def forward(
        ctx: Any, projected: Tensor, weight: Tensor, h: Tensor, activation: str
    ) -> Tensor:
        T, B, H = projected.shape
        hidden = projected.new_empty(T + 1, B, H)
        hidden[0] = h
        P, h_at, U = projected.unbind(0), hidden.unbind(0), weight.t()
        activate = torch.tanh_ if activation == "tanh" else torch.relu_
        for t in range(T):
            torch.addmm(P[t], h_at[t], U, out=h_at[t + 1])
            activate(h_at[t + 1])
        ctx.save_for_backward(hidden, weight)
        ctx.activation = activation
        return hidden[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        hidden, weight = ctx.saved_tensors
        h = hidden[1:]
        slope = 1 - h * h if ctx.activation == "tanh" else (h > 0).to(h.dtype)
        d_projected = torch.empty_like(h)
        D, k, d_out = d_projected.unbind(0), slope.unbind(0), d_outputs.unbind(0)
        d_h = torch.zeros_like(hidden[0])
        for t in range(len(d_out) - 1, -1, -1):
            torch.mul(d_out[t] + d_h, k[t], out=D[t])
            d_h = D[t] @ weight
        return d_projected, compute_recurrent_gradient(d_projected, hidden), d_h, None


class NumpySimple(NumpyCell):
    """One step of the simple cell."""

    def __init__(self, layer: RecurrentLayer, embedding: nn.Embedding | None) -> None:
        super().__init__(layer, embedding)
        self.activation = layer.activation

    def step(self, buffers: Buffers, state: list[np.ndarray]) -> list[np.ndarray]:
        gates = buffers.gates
        gates += buffers.recurrent
        if self.activation == "tanh":
            return [np.tanh(gates)]
        return [np.maximum(gates, 0)]


class SimpleLayer(RecurrentLayer):
    """A layer of simple cells; ``activation`` is "tanh" or "relu"."""

    name = "rnn"
    n_gates = 1
    source = 'J. L. Elman, "Finding structure in time", Cognitive Science 14, 1990'
    equations = r"h_t = f(W x_t + U h_{t-1} + b), \quad f = \tanh \text{ or ReLU}"
    numpy_cell = NumpySimple
    torch_layer = nn.RNN

    def find_bounds(self, n_steps: np.ndarray) -> dict[str, np.ndarray]:
        is_bounded = self.activation == "tanh"
        return {"hidden": np.minimum(n_steps, 1)} if is_bounded else {}

    def unroll(self, projected: Tensor, state: State) -> tuple[Tensor, State]:
        weight = self.weight_hh.to(projected.dtype)
        outputs = UnrolledSimple.apply(projected, weight, state, self.activation)
        return outputs, outputs[-1]

    def prefers_kernel(self, x: Tensor) -> bool:
        return x.is_cuda or not torch.is_grad_enabled()

    def run_kernel(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        kernel = torch.rnn_tanh if self.activation == "tanh" else torch.rnn_relu
        outputs, h = kernel(x, state.unsqueeze(0), *self.kernel_arguments(x.dtype))
        return outputs, h[0]

    @property
    def torch_options(self) -> dict[str, Any]:
        return {"nonlinearity": self.activation}
