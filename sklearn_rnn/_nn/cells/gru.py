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
from scipy.special import expit
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sklearn_rnn._nn.cells.base import (
    Buffers,
    NumpyCell,
    RecurrentLayer,
    compute_recurrent_gradient,
    to_array,
)
from sklearn_rnn._nn.compiled import (
    Kernel,
    can_predict,
    can_train,
    count_unfinished,
    multiply,
    sigmoid,
    squash,
    to_arrays,
)
from sklearn_rnn._nn.states import State


class UnrolledGRU(torch.autograd.Function):
    """All steps of the GRU, computed from P[t] = W x[t] + b."""

    @staticmethod
    def forward(
        ctx: Any,
        projected: Tensor,
        weight: Tensor,
        bias_n: Tensor,
        h: Tensor,
        lengths: Tensor,
    ) -> Tensor:
        outputs, saved = run_gru(projected, weight, bias_n, h, lengths)
        ctx.save_for_backward(*saved, weight, lengths)
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor) -> tuple[Tensor | None, ...]:
        *saved, hidden, weight, lengths = ctx.saved_tensors
        H = hidden.shape[2]
        d_projected, d_recurrent = hidden.new_empty(2, *d_outputs.shape[:2], 3 * H)
        d_h = torch.zeros_like(hidden[0])
        arguments = d_outputs, weight, *saved, hidden, d_projected, d_recurrent, d_h
        if can_train(hidden):
            backward_kernel(*to_arrays(*arguments, lengths))
        else:
            backward_in_torch(*arguments)
        return (
            d_projected,
            compute_recurrent_gradient(d_recurrent, hidden),
            d_recurrent[:, :, 2 * H :].sum((0, 1)),
            d_h,
            None,
        )


def run_gru(
    projected: Tensor,
    weight: Tensor,
    bias_n: Tensor,
    h: Tensor,
    lengths: Tensor,
    keep: bool = True,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Compute the outputs (T, B, H), and what the backward pass needs.

    These are the gates r and z (T, B, 2 H), the candidates n, their recurrent products
    q, and the states before and after all steps. Without ``keep``, only the states are
    those of all steps.
    """
    T, B, G = projected.shape
    H = G // 3
    rz, n, q = (projected.new_empty(T if keep else 1, B, k * H) for k in (2, 1, 1))
    hidden = projected.new_empty(T + 1, B, H)
    hidden[0] = h
    arguments = projected, weight.t().contiguous(), bias_n, rz, n, q, hidden
    if can_train(projected) if keep else can_predict(projected, H):
        forward_kernel(*to_arrays(*arguments, lengths), not keep)
    else:
        forward_in_torch(*arguments)
    return hidden[1:], (rz, n, q, hidden)


def forward_in_torch(
    projected: Tensor,
    recurrent_weight: Tensor,  # (H, G)
    bias_n: Tensor,
    rz: Tensor,
    n: Tensor,
    q: Tensor,
    hidden: Tensor,
) -> None:
    """Compute all steps into the last four tensors; see :func:`run_gru`."""
    H = len(bias_n)
    bias = torch.cat([bias_n.new_zeros(2 * H), bias_n])
    recurrent = torch.empty_like(projected[0])
    recurrent_rz, recurrent_n = recurrent[:, : 2 * H], recurrent[:, 2 * H :]
    P_rz = projected[:, :, : 2 * H].unbind(0)
    P_n = projected[:, :, 2 * H :].unbind(0)
    rz_at, n_at, q_at, h_at = rz.unbind(0), n.unbind(0), q.unbind(0), hidden.unbind(0)
    for t in range(len(projected)):
        k = t % len(n)
        torch.addmm(bias, h_at[t], recurrent_weight, out=recurrent)
        torch.add(P_rz[t], recurrent_rz, out=rz_at[k]).sigmoid_()
        q_at[k].copy_(recurrent_n)
        torch.addcmul(P_n[t], rz_at[k][:, :H], q_at[k], out=n_at[k]).tanh_()
        torch.lerp(n_at[k], h_at[t], rz_at[k][:, H:], out=h_at[t + 1])


@Kernel
def forward_kernel(
    projected: np.ndarray,
    recurrent_weight: np.ndarray,
    bias_n: np.ndarray,
    rz: np.ndarray,
    n: np.ndarray,
    q: np.ndarray,
    hidden: np.ndarray,
    lengths: np.ndarray,
    by_row: bool,
) -> None:
    """Compute what :func:`forward_in_torch` computes, but zeros after the end."""
    T, B, G = projected.shape
    H = G // 3
    recurrent = np.empty((B, G), projected.dtype)
    for t in range(T):
        s, end = t % len(n), count_unfinished(lengths, t)
        multiply(hidden[t][:end], recurrent_weight, recurrent[:end], by_row)
        hidden[t + 1, end:] = 0
        for b in range(end):
            for k in range(2 * H):
                rz[s, b, k] = sigmoid(projected[t, b, k] + recurrent[b, k])
            for k in range(H):
                product = recurrent[b, 2 * H + k] + bias_n[k]
                new = squash(projected[t, b, 2 * H + k] + rz[s, b, k] * product)
                q[s, b, k], n[s, b, k] = product, new
                z = rz[s, b, H + k]
                hidden[t + 1, b, k] = new + z * (hidden[t, b, k] - new)


def backward_in_torch(
    d_outputs: Tensor,
    weight: Tensor,
    rz: Tensor,
    n: Tensor,
    q: Tensor,
    hidden: Tensor,
    d_projected: Tensor,
    d_recurrent: Tensor,
    d_hidden: Tensor,
) -> None:
    """Compute gradients of all steps into the last three tensors."""
    r, z = rz.chunk(2, 2)
    k_n = ((1 - z) * (1 - n * n)).unbind(0)
    k_z = ((hidden[:-1] - n) * z * (1 - z)).unbind(0)
    k_r = (q * r * (1 - r)).unbind(0)
    d_r, d_z, d_q = (part.unbind(0) for part in d_recurrent.chunk(3, 2))
    d_n = torch.empty_like(n)
    D, d_n_at, d_out = d_recurrent.unbind(0), d_n.unbind(0), d_outputs.unbind(0)
    r_at, z_at = r.unbind(0), z.unbind(0)
    for t in range(len(n) - 1, -1, -1):
        d_hidden += d_out[t]
        torch.mul(d_hidden, k_n[t], out=d_n_at[t])
        torch.mul(d_n_at[t], k_r[t], out=d_r[t])
        torch.mul(d_hidden, k_z[t], out=d_z[t])
        torch.mul(d_n_at[t], r_at[t], out=d_q[t])
        d_hidden.mul_(z_at[t]).addmm_(D[t], weight)
    H = n.shape[2]
    d_projected[:, :, : 2 * H] = d_recurrent[:, :, : 2 * H]
    d_projected[:, :, 2 * H :] = d_n


@Kernel
def backward_kernel(
    d_outputs: np.ndarray,
    weight: np.ndarray,
    rz: np.ndarray,
    n: np.ndarray,
    q: np.ndarray,
    hidden: np.ndarray,
    d_projected: np.ndarray,
    d_recurrent: np.ndarray,
    d_hidden: np.ndarray,
    lengths: np.ndarray,
) -> None:
    """Compute what :func:`backward_in_torch` computes, but zeros after the end."""
    T, B, H = n.shape
    one = n.dtype.type(1)
    product = np.empty((B, H), n.dtype)
    for t in range(T - 1, -1, -1):
        end = count_unfinished(lengths, t)
        d_projected[t, end:] = d_recurrent[t, end:] = 0
        for b in range(end):
            for k in range(H):
                r, z, new = rz[t, b, k], rz[t, b, H + k], n[t, b, k]
                d = d_hidden[b, k] + d_outputs[t, b, k]
                d_n = d * (one - z) * (one - new * new)
                d_r = d_n * q[t, b, k] * r * (one - r)
                d_z = d * (hidden[t, b, k] - new) * z * (one - z)
                d_projected[t, b, k] = d_recurrent[t, b, k] = d_r
                d_projected[t, b, H + k] = d_recurrent[t, b, H + k] = d_z
                d_projected[t, b, 2 * H + k] = d_n
                d_recurrent[t, b, 2 * H + k] = d_n * r
                d_hidden[b, k] = d * z
        multiply(d_recurrent[t][:end], weight, product[:end], False)
        for b in range(end):
            for k in range(H):
                d_hidden[b, k] += product[b, k]


@Kernel
def step_kernel(
    gates: np.ndarray,
    recurrent: np.ndarray,
    bias_n: np.ndarray,
    before: np.ndarray,
    after: np.ndarray,
) -> None:
    """Compute one step of all sequences into ``after``; ``gates`` is overwritten."""
    B, H = before.shape
    half = before.dtype.type(0.5)
    for b in range(B):
        for k in range(2 * H):
            gates[b, k] = half + half * squash(gates[b, k] + recurrent[b, k])
        for k in range(H):
            product = recurrent[b, 2 * H + k] + bias_n[k]
            new = squash(gates[b, 2 * H + k] + gates[b, k] * product)
            after[b, k] = new + gates[b, H + k] * (before[b, k] - new)


class NumpyGRU(NumpyCell):
    """One step of the GRU."""

    n_sigmoids = 2

    def __init__(self, layer: RecurrentLayer, embedding: nn.Embedding | None) -> None:
        super().__init__(layer, embedding)
        self.bias_n = to_array(layer.get_parameter("bias_n"))

    def step(self, buffers: Buffers, state: list[np.ndarray]) -> list[np.ndarray]:
        (before,) = state
        if self.is_compiled:
            after = np.empty_like(before)
            step_kernel(buffers.gates, buffers.recurrent, self.bias_n, before, after)
            return [after]
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
    gate_names = ("r", "z", "n")
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

    def add_results(
        self, terms: dict[str, np.ndarray], before: list[np.ndarray]
    ) -> None:
        terms["b'_n"] = np.broadcast_to(to_array(self.bias_n), before[0].shape)
        for gate in ("r", "z"):
            terms[f"{gate}_t"] = expit(
                terms[f"W_{gate} x_t"]
                + terms[f"U_{gate} h_{{t-1}}"]
                + terms[f"b_{gate}"]
            )
        r, z = terms["r_t"], terms["z_t"]
        recurrent = r * (terms["U_n h_{t-1}"] + terms["b'_n"])
        n = np.tanh(terms["W_n x_t"] + terms["b_n"] + recurrent)
        terms |= {"n_t": n, "h_t": (1 - z) * n + z * before[0]}

    def unroll(
        self, projected: Tensor, state: State, lengths: Tensor
    ) -> tuple[Tensor, State]:
        dtype = projected.dtype
        weight, bias_n = self.weight_hh.to(dtype), self.bias_n.to(dtype)
        if torch.is_grad_enabled():
            outputs = UnrolledGRU.apply(projected, weight, bias_n, state, lengths)
        else:
            outputs, _ = run_gru(projected, weight, bias_n, state, lengths, keep=False)
        return outputs, outputs[-1]

    def prefers_kernel(self, x: Tensor) -> bool:
        if torch.is_grad_enabled():
            return x.is_cuda
        return not can_predict(x, self.hidden_size)

    def run_kernel(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        arguments = self.kernel_arguments(x.dtype)
        outputs, h = torch.gru(x, state.unsqueeze(0), *arguments)
        return outputs, h[0]

    def torch_weights(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        weight_ih, weight_hh, bias_ih, zeros = super().torch_weights()
        bias_hh = torch.cat([zeros[: 2 * self.hidden_size], self.bias_n])
        return weight_ih, weight_hh, bias_ih, bias_hh
