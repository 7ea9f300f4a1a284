"""The weights of a network, and the state of Adam, in a few vectors.

Calling a torch operation takes some microseconds, which is longer than its computation
for a small weight. While Adam trains a network, its weights are therefore views of one
vector, and so are their gradients, the state of the optimizer and the average of the
weights. A norm is then one operation on a vector, and a step with weight decay and
average is one compiled loop or, without numba, three operations.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_rnn._nn.compiled import Kernel, can_compile, to_arrays
from sklearn_rnn._training.averaging import WeightAverage
from sklearn_rnn._training.delayed import DelayedRows

# Each weight begins at a multiple of this number of bytes, as any other tensor does.
ALIGNMENT = 64

MOMENTS = ("exp_avg", "exp_avg_sq")  # of the state of Adam


class FlatWeights:
    """The weights of an optimizer with one group, and their state, as vectors.

    The weights, their gradients, the tensors in ``optimizer.state`` and those of
    ``average`` become views of the vectors, and can be used as before. ``matrices``
    are all ``weights`` except biases.

    If ``embedding`` is one of the weights, each gradient may change only the rows that
    were passed to :meth:`read_rows`, and the steps of others are delayed.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        average: WeightAverage | None,
        weight_decay: float = 0.0,
        embedding: nn.Parameter | None = None,
    ) -> None:
        self._state, self._average = optimizer.state, average
        self.weight_decay = weight_decay
        self._parameters: list[nn.Parameter] = optimizer.param_groups[0]["params"]
        first = self._parameters[0]
        unit, n, n_matrices = ALIGNMENT // first.element_size(), 0, 0
        self._places: dict[nn.Parameter, slice] = {}
        ordered = sorted(
            self._parameters,
            key=lambda weight: 0 if weight is embedding else 1 + (weight.ndim < 2),
        )
        for weight in ordered:
            self._places[weight] = slice(n, n + weight.numel())
            n += -(-weight.numel() // unit) * unit
            n_matrices = n if weight.ndim > 1 else n_matrices
        self.weights, self.gradient, *self._moments = first.detach().new_zeros(4, n)
        self.matrices = self.weights[:n_matrices]
        self._gradients = [self._view(self.gradient, p) for p in self._parameters]
        self._n_steps = torch.zeros((), device=first.device)
        with torch.no_grad():
            for weight in self._parameters:
                self._connect(weight)
        self.average = torch.zeros_like(self.weights)
        if average is not None:
            views = [self._view(self.average, p) for p in self._parameters]
            torch._foreach_copy_(views, average.weights)
            average.weights = views
        vectors = [self.weights, self.gradient, *self._moments, self.average]
        self._rows, start = None, 0
        if embedding is not None:
            self._rows = DelayedRows(*[self._view(v, embedding) for v in vectors])
            start = -(-embedding.numel() // unit) * unit
        self._parts = [
            [v[start:n_matrices] for v in vectors],
            [v[n_matrices:] for v in vectors],
        ]
        self._dense_gradient = self.gradient[start:]
        self._addresses = [weight.data_ptr() for weight in self._parameters]

    def _view(self, vector: Tensor, weight: nn.Parameter) -> Tensor:
        """Return the part of a vector that belongs to a weight."""
        return vector[self._places[weight]].view_as(weight)

    def _connect(self, weight: nn.Parameter) -> None:
        """Make views of a weight and of its state."""
        state = self._state[weight]
        for name, vector in zip(MOMENTS, self._moments, strict=True):
            view = self._view(vector, weight)
            if name in state:
                view.copy_(state[name])
            state[name] = view
        if "step" in state:
            self._n_steps.copy_(state["step"])
        state["step"] = self._n_steps
        weight.data = self._view(self.weights, weight).copy_(weight)

    def clear_gradients(self) -> None:
        """Set all gradients to zero; those of delayed rows already are."""
        self._dense_gradient.zero_()
        for weight, gradient in zip(self._parameters, self._gradients, strict=True):
            weight.grad = gradient

    def read_rows(self, codes: Tensor | None) -> None:
        """Prepare the rows of the embedding that a batch reads."""
        if self._rows is not None:
            assert codes is not None
            self._rows.read(codes)

    def finish_rows(self) -> None:
        """Take the steps that are delayed."""
        if self._rows is not None:
            self._rows.finish()

    def is_intact(self) -> bool:
        """Return whether all weights are trained, and nothing was replaced."""
        return all(
            weight.requires_grad
            and weight.data_ptr() == address
            and self._state.get(weight, {}).get("step") is self._n_steps
            for weight, address in zip(self._parameters, self._addresses, strict=True)
        )

    def has_gradients(self) -> bool:
        """Return whether the gradients are still parts of the vector."""
        pairs = zip(self._parameters, self._gradients, strict=True)
        return all(weight.grad is gradient for weight, gradient in pairs)

    def clip(self, limit: float) -> Tensor:
        """Scale the gradient to a norm of at most ``limit``; return its norm before."""
        norm = torch.linalg.vector_norm(self._dense_gradient)
        if self._rows is not None:
            norm = torch.hypot(norm, self._rows.compute_norm())
        if norm.is_cuda:  # comparing it would wait for the GPU
            self.gradient.mul_((limit / (norm + 1e-6)).clamp(max=1.0))
        elif norm > limit:
            self._dense_gradient.mul_(limit / (norm + 1e-6))
            if self._rows is not None:
                self._rows.scale_gradient(limit / (norm + 1e-6))
        return norm

    def step(self, group: dict[str, Any]) -> None:
        """Take a step with the options of the optimizer's group; decay and average.

        The order is that of the training loop: first the step, then the decay of the
        matrices, then the average.
        """
        rate, (beta_1, beta_2) = float(group["lr"]), group["betas"]
        limits = torch.finfo(self.weights.dtype)
        if rate > limits.max:
            raise RuntimeError("the weights cannot change by lr without overflow.")
        self._n_steps += 1
        keep = 1 - rate * self.weight_decay
        share = 0.0 if self._average is None else self._average.count_step()
        if can_compile(self.weights):
            n_steps = self._n_steps.item()
            root = (1 - beta_2**n_steps) ** -0.5
            numbers = rate / (1 - beta_1**n_steps), beta_1, beta_2, root, group["eps"]
            for part, factor in zip(self._parts, (keep, 1.0), strict=True):
                arrays = to_arrays(*part)
                scalars = np.array([*numbers, factor, share], arrays[0].dtype)
                step_kernel(*arrays, scalars)
                if self._rows is not None and part is self._parts[0]:
                    self._rows.step(scalars)
            return
        mean, square = self._moments
        torch._fused_adamw_(
            [self.weights],
            [self.gradient],
            [mean],
            [square],
            [],
            [self._n_steps],
            lr=rate,
            beta1=beta_1,
            beta2=beta_2,
            weight_decay=0.0,
            eps=group["eps"],
            amsgrad=False,
            maximize=False,
        )
        self.matrices.mul_(keep)
        if share:
            self.average.lerp_(self.weights, share)

    @torch.no_grad()
    def separate(self) -> None:
        """Make all weights, gradients and states tensors of their own again."""
        self.finish_rows()
        for weight, gradient in zip(self._parameters, self._gradients, strict=True):
            weight.data = weight.detach().clone()
            if weight.grad is gradient:
                weight.grad = gradient.clone()
            state = self._state[weight]
            state.update({name: value.clone() for name, value in state.items()})
        if self._average is not None:
            self._average.weights = [part.clone() for part in self._average.weights]


@Kernel
def step_kernel(
    weights: np.ndarray,
    gradient: np.ndarray,
    mean: np.ndarray,
    square: np.ndarray,
    average: np.ndarray,
    scalars: np.ndarray,
) -> None:
    """Compute in one pass over the vectors what :meth:`FlatWeights.step` computes."""
    rate, beta_1, beta_2, root, eps, keep, share = scalars
    one = weights.dtype.type(1)
    for i in range(len(weights)):
        g = gradient[i]
        m = mean[i] + (g - mean[i]) * (one - beta_1)
        v = beta_2 * square[i] + (one - beta_2) * g * g
        mean[i], square[i] = m, v
        weight = (weights[i] - rate * m / (np.sqrt(v) * root + eps)) * keep
        weights[i] = weight
        average[i] += (weight - average[i]) * share
