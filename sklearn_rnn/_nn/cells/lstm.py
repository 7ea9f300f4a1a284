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
from scipy.special import expit
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
    sigmoid,
    squash,
    to_arrays,
)
from sklearn_rnn._nn.states import State


class UnrolledLSTM(torch.autograd.Function):
    """All steps of the LSTM, computed from P[t] = W x[t] + b."""

    @staticmethod
    def forward(
        ctx: Any,
        projected: Tensor,
        weight: Tensor,
        h: Tensor,
        c: Tensor,
        lengths: Tensor,
    ) -> tuple[Tensor, Tensor]:
        outputs, c, saved = run_lstm(projected, weight, h, c, lengths)
        ctx.save_for_backward(*saved, weight, lengths)
        return outputs, c

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor, d_c: Tensor) -> tuple[Tensor | None, ...]:
        gates, squashed, hidden, cell, weight, lengths = ctx.saved_tensors
        d_projected, d_h = torch.empty_like(gates), torch.zeros_like(hidden[0])
        d_c = d_c.clone(memory_format=torch.contiguous_format)
        saved, results = (gates, squashed, hidden, cell), (d_projected, d_h, d_c)
        arguments = d_outputs, weight, *saved, *results
        if can_train(gates):
            backward_kernel(*to_arrays(*arguments, lengths))
        else:
            backward_in_torch(*arguments)
        d_weight = compute_recurrent_gradient(d_projected, hidden)
        return d_projected, d_weight, d_h, d_c, None


def run_lstm(
    projected: Tensor,
    weight: Tensor,
    h: Tensor,
    c: Tensor,
    lengths: Tensor,
    keep: bool = True,
) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
    """Compute the outputs (T, B, H), the last c, and what the backward pass needs.

    These are the gates (T, B, 4 H), tanh(c), and the states h and c before and after
    all steps. Without ``keep``, only h is that of all steps.
    """
    T, B, G = projected.shape
    H, n_kept = G // 4, T if keep else 1
    gates, squashed = (projected.new_empty(n_kept, B, k * H) for k in (4, 1))
    hidden, cell = (projected.new_empty(n + 1, B, H) for n in (T, n_kept))
    hidden[0], cell[0] = h, c
    arguments = projected, weight.t().contiguous(), gates, squashed, hidden, cell
    if can_train(projected) if keep else can_predict(projected, H):
        forward_kernel(*to_arrays(*arguments, lengths), not keep)
    else:
        forward_in_torch(*arguments)
    return hidden[1:], cell[T % len(cell)], (gates, squashed, hidden, cell)


def forward_in_torch(
    projected: Tensor,
    recurrent_weight: Tensor,  # (H, G)
    gates: Tensor,
    squashed: Tensor,
    hidden: Tensor,
    cell: Tensor,
) -> None:
    """Compute all steps into the last four tensors; see :func:`run_lstm`."""
    H = hidden.shape[2]
    P, gates_at, s_at = projected.unbind(0), gates.unbind(0), squashed.unbind(0)
    h_at, c_at = hidden.unbind(0), cell.unbind(0)
    for t in range(len(P)):
        k, before, after = t % len(gates_at), t % len(c_at), (t + 1) % len(c_at)
        gate = torch.addmm(P[t], h_at[t], recurrent_weight, out=gates_at[k])
        gate[:, : 2 * H].sigmoid_()
        gate[:, 2 * H : 3 * H].tanh_()
        gate[:, 3 * H :].sigmoid_()
        i, f, g, o = gate.chunk(4, 1)
        torch.mul(f, c_at[before], out=c_at[after]).addcmul_(i, g)
        torch.tanh(c_at[after], out=s_at[k])
        torch.mul(o, s_at[k], out=h_at[t + 1])


@Kernel
def forward_kernel(
    projected: np.ndarray,
    recurrent_weight: np.ndarray,
    gates: np.ndarray,
    squashed: np.ndarray,
    hidden: np.ndarray,
    cell: np.ndarray,
    lengths: np.ndarray,
    by_row: bool,
) -> None:
    """Compute what :func:`forward_in_torch` computes, but zeros after the end."""
    T, B, G = projected.shape
    H = G // 4
    recurrent = np.empty((B, G), projected.dtype)
    for t in range(T):
        s, before, after = t % len(gates), t % len(cell), (t + 1) % len(cell)
        end = count_unfinished(lengths, t)
        multiply(hidden[t][:end], recurrent_weight, recurrent[:end], by_row)
        hidden[t + 1, end:] = cell[after, end:] = 0
        for b in range(end):
            for k in range(2 * H):
                gates[s, b, k] = sigmoid(projected[t, b, k] + recurrent[b, k])
            for k in range(2 * H, 3 * H):
                gates[s, b, k] = squash(projected[t, b, k] + recurrent[b, k])
            for k in range(3 * H, G):
                gates[s, b, k] = sigmoid(projected[t, b, k] + recurrent[b, k])
            for k in range(H):
                i, f, g = gates[s, b, k], gates[s, b, H + k], gates[s, b, 2 * H + k]
                c = f * cell[before, b, k] + i * g
                cell[after, b, k], squashed[s, b, k] = c, squash(c)
                hidden[t + 1, b, k] = gates[s, b, 3 * H + k] * squashed[s, b, k]


def backward_in_torch(
    d_outputs: Tensor,
    weight: Tensor,
    gates: Tensor,
    squashed: Tensor,
    hidden: Tensor,
    cell: Tensor,
    d_projected: Tensor,
    d_hidden: Tensor,
    d_cell: Tensor,
) -> None:
    """Compute gradients of all steps into the last three tensors."""
    T, B, G = gates.shape
    i, f, g, o = gates.chunk(4, 2)
    slope = torch.empty_like(gates)
    slope_i, slope_f, slope_g, slope_o = slope.chunk(4, 2)
    slope_i.copy_(g * i * (1 - i))
    slope_f.copy_(cell[:-1] * f * (1 - f))
    slope_g.copy_(i * (1 - g * g))
    slope_o.copy_(squashed * o * (1 - o))
    k_c = (o * (1 - squashed * squashed)).unbind(0)
    by_gate = d_projected.view(T, B, 4, G // 4).unbind(0)
    k = slope.view(T, B, 4, G // 4).unbind(0)
    D, f_at, d_out = d_projected.unbind(0), f.unbind(0), d_outputs.unbind(0)
    for t in range(T - 1, -1, -1):
        d_hidden += d_out[t]
        d_cell.addcmul_(d_hidden, k_c[t])
        torch.mul(k[t][:, :3], d_cell.unsqueeze(1), out=by_gate[t][:, :3])
        torch.mul(k[t][:, 3], d_hidden, out=by_gate[t][:, 3])
        d_cell.mul_(f_at[t])
        torch.mm(D[t], weight, out=d_hidden)


@Kernel
def backward_kernel(
    d_outputs: np.ndarray,
    weight: np.ndarray,
    gates: np.ndarray,
    squashed: np.ndarray,
    hidden: np.ndarray,
    cell: np.ndarray,
    d_projected: np.ndarray,
    d_hidden: np.ndarray,
    d_cell: np.ndarray,
    lengths: np.ndarray,
) -> None:
    """Compute what :func:`backward_in_torch` computes, but zeros after the end."""
    T, _, G = gates.shape
    H = G // 4
    one = gates.dtype.type(1)
    for t in range(T - 1, -1, -1):
        end = count_unfinished(lengths, t)
        d_projected[t, end:] = 0
        for b in range(end):
            for k in range(H):
                i, f = gates[t, b, k], gates[t, b, H + k]
                g, o = gates[t, b, 2 * H + k], gates[t, b, 3 * H + k]
                s = squashed[t, b, k]
                d = d_hidden[b, k] + d_outputs[t, b, k]
                d_c = d_cell[b, k] + d * o * (one - s * s)
                d_projected[t, b, k] = d_c * g * i * (one - i)
                d_projected[t, b, H + k] = d_c * cell[t, b, k] * f * (one - f)
                d_projected[t, b, 2 * H + k] = d_c * i * (one - g * g)
                d_projected[t, b, 3 * H + k] = d * s * o * (one - o)
                d_cell[b, k] = d_c * f
        multiply(d_projected[t][:end], weight, d_hidden[:end], False)


@Kernel
def step_kernel(
    gates: np.ndarray,
    recurrent: np.ndarray,
    before: np.ndarray,
    hidden: np.ndarray,
    cell: np.ndarray,
) -> None:
    """Compute one step into ``hidden`` and ``cell``, with the gates i, f, o, g.

    ``before`` is the state of the cell, and ``gates`` is overwritten.
    """
    B, H = before.shape
    half = before.dtype.type(0.5)
    for b in range(B):
        for k in range(3 * H):
            gates[b, k] = half + half * squash(gates[b, k] + recurrent[b, k])
        for k in range(H):
            g = squash(gates[b, 3 * H + k] + recurrent[b, 3 * H + k])
            c = gates[b, H + k] * before[b, k] + gates[b, k] * g
            cell[b, k], hidden[b, k] = c, gates[b, 2 * H + k] * squash(c)


class NumpyLSTM(NumpyCell):
    """One step of the LSTM, with the gates in the order i, f, o, g."""

    gate_order = (0, 1, 3, 2)
    n_sigmoids = 3

    def step(self, buffers: Buffers, state: list[np.ndarray]) -> list[np.ndarray]:
        gates, recurrent, (i, f, o, g), sigmoids, spare = buffers
        if self.is_compiled:
            hidden, cell = np.empty_like(state[1]), np.empty_like(state[1])
            step_kernel(gates, recurrent, state[1], hidden, cell)
            return [hidden, cell]
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
    gate_names = ("i", "f", "g", "o")
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
    least_in_bfloat16 = 1  # oneDNN computes all sizes in bfloat16

    def initialize(self, generator: torch.Generator) -> None:
        """Initialize as in the base class, but with a bias of 1 for the forget gate."""
        super().initialize(generator)
        H = self.hidden_size
        nn.init.ones_(self.bias[H : 2 * H])

    def find_bounds(self, n_steps: np.ndarray) -> dict[str, np.ndarray]:
        return {"hidden": np.minimum(n_steps, 1), "cell": n_steps}

    def trace_states(self, x: Tensor) -> list[Tensor]:
        dtype = self.onehot_dtype or self.weight_hh.dtype if self.onehot else x.dtype
        zeros = x.new_zeros(x.shape[1], self.hidden_size, dtype=dtype)
        weight = self.weight_hh.to(dtype)
        lengths = torch.full((x.shape[1],), len(x))
        _, _, saved = run_lstm(self.project(x, dtype), weight, zeros, zeros, lengths)
        return list(saved[2:])  # h and c

    def add_results(
        self, terms: dict[str, np.ndarray], before: list[np.ndarray]
    ) -> None:
        terms["c_{t-1}"] = before[1]
        for gate in self.gate_names:
            activate = np.tanh if gate == "g" else expit
            terms[f"{gate}_t"] = activate(
                terms[f"W_{gate} x_t"]
                + terms[f"U_{gate} h_{{t-1}}"]
                + terms[f"b_{gate}"]
            )
        i, f, g, o = (terms[f"{gate}_t"] for gate in self.gate_names)
        terms["c_t"] = f * before[1] + i * g
        terms["h_t"] = o * np.tanh(terms["c_t"])

    def unroll(
        self, projected: Tensor, state: State, lengths: Tensor
    ) -> tuple[Tensor, State]:
        h, c = state
        arguments = projected, self.weight_hh.to(projected.dtype), h, c, lengths
        if torch.is_grad_enabled():
            outputs, c = UnrolledLSTM.apply(*arguments)
        else:
            outputs, c, _ = run_lstm(*arguments, keep=False)
        return outputs, (outputs[-1], c)

    def prefers_kernel(self, x: Tensor) -> bool:
        if x.is_cuda or x.dtype == torch.bfloat16:
            return True
        in_training = torch.is_grad_enabled()
        has_ours = can_train(x) if in_training else can_predict(x, self.hidden_size)
        if x.dtype == torch.float32:  # oneDNN, which is slow for a batch of one
            return x.shape[1] > 1 or not has_ours
        return not (in_training or has_ours)

    def run_kernel(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        h, c = (part.unsqueeze(0) for part in state)
        outputs, h, c = torch.lstm(x, (h, c), *self.kernel_arguments(x.dtype))
        return outputs, (h[0], c[0])
