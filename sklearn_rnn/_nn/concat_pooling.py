"""Pooling "concat" (last step, mean and maximum) with compiled kernels, for training.

Torch computes the three parts and their gradients with about twenty operations on all
steps. The kernels read them once.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from sklearn_rnn._nn.compiled import Kernel, to_arrays


class ConcatPooling(torch.autograd.Function):
    """Pool outputs (T, B, H) of sequences of ``lengths`` (B,) to (B, 3 H).

    The first ``n_forward`` units read forward in time, the others backward.
    """

    @staticmethod
    def forward(ctx: Any, outputs: Tensor, lengths: Tensor, n_forward: int) -> Tensor:
        _, B, H = outputs.shape
        outputs = outputs.contiguous()
        pooled, n_highest = outputs.new_empty(B, 3 * H), outputs.new_empty(B, H)
        arrays = to_arrays(outputs, lengths, pooled, n_highest)
        forward_kernel(*arrays, n_forward)
        ctx.save_for_backward(outputs, lengths, pooled, n_highest)
        ctx.n_forward = n_forward
        return pooled

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_pooled: Tensor) -> tuple[Tensor, None, None]:
        saved = ctx.saved_tensors
        d_outputs = torch.empty_like(saved[0])
        arrays = to_arrays(d_pooled.contiguous(), *saved, d_outputs)
        backward_kernel(*arrays, ctx.n_forward)
        return d_outputs, None, None


@Kernel
def forward_kernel(
    outputs: np.ndarray,
    lengths: np.ndarray,
    pooled: np.ndarray,
    n_highest: np.ndarray,
    n_forward: int,
) -> None:
    """Compute ``pooled``, and at how many steps each unit has its maximum."""
    H = outputs.shape[2]
    total = np.empty(H)  # float64, because the sum of many steps has large errors
    for b in range(len(lengths)):
        n = lengths[b]
        for k in range(H):
            pooled[b, k] = outputs[n - 1 if k < n_forward else 0, b, k]
            total[k] = n_highest[b, k] = 0
            pooled[b, 2 * H + k] = outputs[0, b, k]
        for t in range(n):
            for k in range(H):
                value, highest = outputs[t, b, k], pooled[b, 2 * H + k]
                total[k] += value
                is_higher = value > highest or value != value  # or NaN
                n_same = n_highest[b, k] + (value == highest)
                n_highest[b, k] = 1 if is_higher else n_same
                pooled[b, 2 * H + k] = value if is_higher else highest
        for k in range(H):
            pooled[b, H + k] = total[k] / n


@Kernel
def backward_kernel(
    d_pooled: np.ndarray,
    outputs: np.ndarray,
    lengths: np.ndarray,
    pooled: np.ndarray,
    n_highest: np.ndarray,
    d_outputs: np.ndarray,
    n_forward: int,
) -> None:
    """Compute the gradient of the outputs; steps of equal maxima share that of it."""
    T, _, H = outputs.shape
    zero = outputs.dtype.type(0)
    for b in range(len(lengths)):
        n = lengths[b]
        share = outputs.dtype.type(1) / outputs.dtype.type(n)
        for t in range(n):
            for k in range(H):
                is_highest = outputs[t, b, k] == pooled[b, 2 * H + k]
                d_highest = d_pooled[b, 2 * H + k] / n_highest[b, k]
                d_mean = d_pooled[b, H + k] * share
                d_outputs[t, b, k] = d_mean + (d_highest if is_highest else zero)
        for k in range(H):
            d_outputs[n - 1 if k < n_forward else 0, b, k] += d_pooled[b, k]
        for t in range(n, T):
            for k in range(H):
                d_outputs[t, b, k] = zero
