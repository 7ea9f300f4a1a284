"""Steps of Adam for the rows of an embedding, computed when they are next read.

A batch reads few rows of a large embedding, and the gradient of all others is zero.
Adam still changes them, and a step of the whole matrix would read and write five values
per weight. Instead, the numbers that determine each step are kept, and a row takes all
steps since it was last read at once, while it is in the cache of the processor. The
result is that of a step of all rows per batch.
"""

import numpy as np
import torch
from torch import Tensor

from sklearn_rnn._nn.compiled import Kernel, to_arrays

# Smaller matrices fit into the caches of most processors, and are changed as fast or
# faster by one step per batch.
LEAST_WEIGHTS = 2**18


class DelayedRows:
    """The rows of a matrix of weights, with their gradients, moments and averages.

    ``tensors`` (V, E) are the five arguments of ``take_step`` in this order.
    """

    def __init__(self, *tensors: Tensor) -> None:
        self._arrays = to_arrays(*tensors)
        self._gradient = tensors[1]
        self._steps = np.empty((64, 7), self._arrays[0].dtype)
        self._n_steps = 0
        self._n_done = np.zeros(len(tensors[0]), np.int64)
        self._rows = np.empty(0, np.int64)

    def read(self, codes: Tensor) -> None:
        """Let the rows of ``codes`` take all steps, before a batch reads them."""
        ordered = np.sort(codes.numpy(), axis=None).astype(np.int64)
        self._rows = ordered[np.diff(ordered, prepend=-1) > 0]
        self._take_steps(self._rows)

    def compute_norm(self) -> Tensor:
        """Return the norm of the gradient of the rows that were read last."""
        return torch.linalg.vector_norm(self._gradient[torch.from_numpy(self._rows)])

    def scale_gradient(self, factor: Tensor) -> None:
        """Multiply the gradient by a factor."""
        self._gradient[torch.from_numpy(self._rows)] *= factor

    def step(self, scalars: np.ndarray) -> None:
        """Take a step with the rows that were read last; it is delayed for others."""
        if self._n_steps == len(self._steps):
            self._steps = np.concatenate([self._steps, np.empty_like(self._steps)])
        self._steps[self._n_steps] = scalars
        self._n_steps += 1
        self._take_steps(self._rows)

    def finish(self) -> None:
        """Let all rows take all steps."""
        self._take_steps(np.arange(len(self._n_done)))
        self._n_done[:] = self._n_steps = 0

    def _take_steps(self, rows: np.ndarray) -> None:
        steps = self._steps[: self._n_steps]
        rows_kernel(*self._arrays, steps, self._n_done, rows)


@Kernel
def rows_kernel(
    weights: np.ndarray,
    gradient: np.ndarray,
    mean: np.ndarray,
    square: np.ndarray,
    average: np.ndarray,
    steps: np.ndarray,
    n_done: np.ndarray,
    rows: np.ndarray,
) -> None:
    """Let rows take the ``steps`` that they have not taken yet.

    The gradient belongs to the first of them and is zero for the others.
    """
    zero = weights.dtype.type(0)
    for r in rows:
        for s in range(n_done[r], len(steps)):
            rate, share_1, share_2, root, eps, keep, share = steps[s]
            for k in range(weights.shape[1]):
                g = gradient[r, k]
                m = mean[r, k] + (g - mean[r, k]) * share_1
                v = square[r, k] + (g * g - square[r, k]) * share_2
                mean[r, k], square[r, k], gradient[r, k] = m, v, zero
                change = rate * m / (np.sqrt(v) * root + eps)
                weight = (weights[r, k] - change) * keep
                weights[r, k] = weight
                average[r, k] += (weight - average[r, k]) * share
        n_done[r] = len(steps)
