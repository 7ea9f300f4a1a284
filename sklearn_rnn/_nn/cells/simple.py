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
from sklearn_rnn._nn.compiled import (
    Kernel,
    can_predict,
    can_train,
    count_unfinished,
    multiply,
    squash,
    to_arrays,
)
from sklearn_rnn._nn.states import State


class UnrolledSimple(torch.autograd.Function):
    """All steps of the simple cell, computed from P[t] = W x[t] + b."""

    @staticmethod
    def forward(
        ctx: Any,
        projected: Tensor,
        weight: Tensor,
        h: Tensor,
        lengths: Tensor,
        activation: str,
    ) -> Tensor:
        hidden = run_simple(projected, weight, h, lengths, activation)
        ctx.save_for_backward(hidden, weight, lengths)
        ctx.activation = activation
        return hidden[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor) -> tuple[Tensor | None, ...]:
        hidden, weight, lengths = ctx.saved_tensors
        d_projected, d_h = torch.empty_like(hidden[1:]), torch.zeros_like(hidden[0])
        is_tanh = ctx.activation == "tanh"
        arguments = d_outputs, weight, hidden, d_projected, d_h
        if can_train(hidden):
            backward_kernel(*to_arrays(*arguments, lengths), is_tanh)
        else:
            backward_in_torch(*arguments, is_tanh)
        d_weight = compute_recurrent_gradient(d_projected, hidden)
        return d_projected, d_weight, d_h, None, None


def run_simple(
    projected: Tensor,
    weight: Tensor,
    h: Tensor,
    lengths: Tensor,
    activation: str,
    keep: bool = True,
) -> Tensor:
    """Compute the states (T + 1, B, H) before and after all steps.

    ``keep`` tells whether they are kept for a backward pass.
    """
    T, B, H = projected.shape
    hidden = projected.new_empty(T + 1, B, H)
    hidden[0] = h
    arguments = projected, weight.t().contiguous(), hidden
    if can_train(projected) if keep else can_predict(projected, H):
        forward_kernel(*to_arrays(*arguments, lengths), activation == "tanh", not keep)
    else:
        forward_in_torch(*arguments, activation == "tanh")
    return hidden


def forward_in_torch(
    projected: Tensor, recurrent_weight: Tensor, hidden: Tensor, is_tanh: bool
) -> None:
    """Compute all steps into ``hidden``; the weight is (H, H), transposed."""
    P, h_at = projected.unbind(0), hidden.unbind(0)
    activate = torch.tanh_ if is_tanh else torch.relu_
    for t in range(len(P)):
        torch.addmm(P[t], h_at[t], recurrent_weight, out=h_at[t + 1])
        activate(h_at[t + 1])


@Kernel
def forward_kernel(
    projected: np.ndarray,
    recurrent_weight: np.ndarray,
    hidden: np.ndarray,
    lengths: np.ndarray,
    is_tanh: bool,
    by_row: bool,
) -> None:
    """Compute what :func:`forward_in_torch` computes, but zeros after the end."""
    T, _, H = projected.shape
    zero = projected.dtype.type(0)
    for t in range(T):
        end = count_unfinished(lengths, t)
        multiply(hidden[t][:end], recurrent_weight, hidden[t + 1][:end], by_row)
        hidden[t + 1, end:] = 0
        for b in range(end):
            if is_tanh:
                for k in range(H):
                    value = projected[t, b, k] + hidden[t + 1, b, k]
                    hidden[t + 1, b, k] = squash(value)
            else:
                for k in range(H):
                    value = projected[t, b, k] + hidden[t + 1, b, k]
                    hidden[t + 1, b, k] = max(value, zero)


def backward_in_torch(
    d_outputs: Tensor,
    weight: Tensor,
    hidden: Tensor,
    d_projected: Tensor,
    d_hidden: Tensor,
    is_tanh: bool,
) -> None:
    """Compute gradients of all steps into ``d_projected`` and ``d_hidden``."""
    h = hidden[1:]
    slope = 1 - h * h if is_tanh else (h > 0).to(h.dtype)
    D, k, d_out = d_projected.unbind(0), slope.unbind(0), d_outputs.unbind(0)
    for t in range(len(d_out) - 1, -1, -1):
        torch.mul(d_hidden.add_(d_out[t]), k[t], out=D[t])
        torch.mm(D[t], weight, out=d_hidden)


@Kernel
def backward_kernel(
    d_outputs: np.ndarray,
    weight: np.ndarray,
    hidden: np.ndarray,
    d_projected: np.ndarray,
    d_hidden: np.ndarray,
    lengths: np.ndarray,
    is_tanh: bool,
) -> None:
    """Compute what :func:`backward_in_torch` computes, but zeros after the end."""
    T, _, H = d_outputs.shape
    one, zero = hidden.dtype.type(1), hidden.dtype.type(0)
    for t in range(T - 1, -1, -1):
        end = count_unfinished(lengths, t)
        d_projected[t, end:] = 0
        for b in range(end):
            for k in range(H):
                h = hidden[t + 1, b, k]
                slope = one - h * h if is_tanh else (one if h > zero else zero)
                d_projected[t, b, k] = (d_hidden[b, k] + d_outputs[t, b, k]) * slope
        multiply(d_projected[t][:end], weight, d_hidden[:end], False)


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
    gate_names = ("",)
    source = 'J. L. Elman, "Finding structure in time", Cognitive Science 14, 1990'
    equations = r"h_t = f(W x_t + U h_{t-1} + b), \quad f = \tanh \text{ or ReLU}"
    numpy_cell = NumpySimple
    torch_layer = nn.RNN

    def find_bounds(self, n_steps: np.ndarray) -> dict[str, np.ndarray]:
        is_bounded = self.activation == "tanh"
        return {"hidden": np.minimum(n_steps, 1)} if is_bounded else {}

    def add_results(
        self, terms: dict[str, np.ndarray], before: list[np.ndarray]
    ) -> None:
        total = terms["W x_t"] + terms["U h_{t-1}"] + terms["b"]
        is_tanh = self.activation == "tanh"
        terms["h_t"] = np.tanh(total) if is_tanh else np.maximum(total, 0)

    def write_equations(self) -> str:
        name = r"\tanh" if self.activation == "tanh" else r"\operatorname{ReLU}"
        return rf"h_t &= {name}(W x_t + U h_{{t-1}} + b)"

    def unroll(
        self, projected: Tensor, state: State, lengths: Tensor
    ) -> tuple[Tensor, State]:
        weight = self.weight_hh.to(projected.dtype)
        arguments = projected, weight, state, lengths, self.activation
        if torch.is_grad_enabled():
            outputs = UnrolledSimple.apply(*arguments)
        else:
            outputs = run_simple(*arguments, keep=False)[1:]
        return outputs, outputs[-1]

    def prefers_kernel(self, x: Tensor) -> bool:
        if torch.is_grad_enabled():
            return x.is_cuda
        return not can_predict(x, self.hidden_size)

    def run_kernel(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        kernel = torch.rnn_tanh if self.activation == "tanh" else torch.rnn_relu
        outputs, h = kernel(x, state.unsqueeze(0), *self.kernel_arguments(x.dtype))
        return outputs, h[0]

    @property
    def torch_options(self) -> dict[str, Any]:
        return {"nonlinearity": self.activation}
