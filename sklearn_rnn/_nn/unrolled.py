"""The recurrent cells unrolled over time, with backpropagation by hand.

Each function takes the input's share of every step at once, ``P[t] = W x[t] + b``, and
so does not care whether it came from a matrix product or, for a one-hot input, from
looking up rows of ``W``. The backward pass keeps what can be said of all steps together
out of the loop: the local derivatives before it, the gradient of the recurrent weights
``U`` after it, as one product. On a CPU that beats the step-by-step graph that torch
records for its GRU and simple cells.

Shapes: T steps, B sequences, H units; the gates stand side by side in the last axis, G
wide together.
"""

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class UnrolledSimple(torch.autograd.Function):
    """h[t] = f(P[t] + U h[t-1]), f = tanh or relu (Elman, 1990)."""

    @staticmethod
    def forward(ctx, projected: Tensor, weight: Tensor, h: Tensor, activation: str):
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
    def backward(ctx, d_outputs: Tensor):
        hidden, weight = ctx.saved_tensors
        h = hidden[1:]
        slope = 1 - h * h if ctx.activation == "tanh" else (h > 0).to(h.dtype)
        d_projected = torch.empty_like(h)
        D, k, d_out = d_projected.unbind(0), slope.unbind(0), d_outputs.unbind(0)
        d_h = torch.zeros_like(hidden[0])
        for t in range(len(d_out) - 1, -1, -1):
            torch.mul(d_out[t] + d_h, k[t], out=D[t])
            d_h = D[t] @ weight
        return d_projected, _outer(d_projected, hidden), d_h, None


class UnrolledGRU(torch.autograd.Function):
    """Gates r, z, n (Cho et al., 2014, with the reset gate after the product).

    r, z = sigmoid(P[t] + U h[t-1]),  n = tanh(P_n[t] + r * (U_n h[t-1] + b_n)),
    h[t] = (1 - z) * n + z * h[t-1].
    """

    @staticmethod
    def forward(ctx, projected: Tensor, weight: Tensor, bias_n: Tensor, h: Tensor):
        T, B, G = projected.shape
        H = G // 3
        bias = torch.cat([bias_n.new_zeros(2 * H), bias_n])
        rz, n, q = (projected.new_empty(T, B, k * H) for k in (2, 1, 1))
        hidden = projected.new_empty(T + 1, B, H)
        hidden[0] = h
        recurrent = projected.new_empty(B, G)
        recurrent_rz, recurrent_n = recurrent[:, : 2 * H], recurrent[:, 2 * H :]
        P_rz, P_n = (
            projected[:, :, : 2 * H].unbind(0),
            projected[:, :, 2 * H :].unbind(0),
        )
        rz_at, n_at, q_at, h_at = (
            rz.unbind(0),
            n.unbind(0),
            q.unbind(0),
            hidden.unbind(0),
        )
        U = weight.t()
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
    def backward(ctx, d_outputs: Tensor):
        rz, n, q, hidden, weight = ctx.saved_tensors
        r, z = rz.chunk(2, 2)
        k_n = (1 - z) * (1 - n * n)
        k_z = (hidden[:-1] - n) * z * (1 - z)
        k_r = q * r * (1 - r)
        d_recurrent, d_n = (
            n.new_empty(*n.shape[:2], weight.shape[0]),
            torch.empty_like(n),
        )
        d_r, d_z, d_q = (part.unbind(0) for part in d_recurrent.chunk(3, 2))
        D, d_n_at, d_out = d_recurrent.unbind(0), d_n.unbind(0), d_outputs.unbind(0)
        k_n, k_z, k_r = k_n.unbind(0), k_z.unbind(0), k_r.unbind(0)
        r_at, z_at = r.unbind(0), z.unbind(0)
        d_h = torch.zeros_like(hidden[0])
        for t in range(len(d_out) - 1, -1, -1):
            d_h = d_h + d_out[t]
            torch.mul(d_h, k_n[t], out=d_n_at[t])
            torch.mul(d_n_at[t], k_r[t], out=d_r[t])
            torch.mul(d_h, k_z[t], out=d_z[t])
            torch.mul(d_n_at[t], r_at[t], out=d_q[t])
            d_h = torch.addmm(d_h * z_at[t], D[t], weight)
        H = n.shape[2]
        d_projected = torch.cat([d_recurrent[:, :, : 2 * H], d_n], 2)
        d_bias_n = d_recurrent[:, :, 2 * H :].sum((0, 1))
        return d_projected, _outer(d_recurrent, hidden), d_bias_n, d_h


class UnrolledLSTM(torch.autograd.Function):
    """Gates i, f, g, o (Hochreiter and Schmidhuber, 1997; forget gate: Gers, 2000).

    i, f, o = sigmoid(P[t] + U h[t-1]), g = tanh(P_g[t] + U_g h[t-1]),
    c[t] = f * c[t-1] + i * g, h[t] = o * tanh(c[t]).
    """

    @staticmethod
    def forward(ctx, projected: Tensor, weight: Tensor, h: Tensor, c: Tensor):
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
    def backward(ctx, d_outputs: Tensor, d_c: Tensor):
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
        return d_projected, _outer(d_projected, hidden), d_h, d_c


def _outer(d_gates: Tensor, hidden: Tensor) -> Tensor:
    """Gradient of the recurrent weights: every step and sequence in one product."""
    return d_gates.flatten(0, 1).t() @ hidden[:-1].flatten(0, 1)  # (G, H)
