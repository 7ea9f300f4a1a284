"""The weights of a network, and the state of Adam, in a few vectors.

Calling a torch operation takes some microseconds, which is longer than its computation
for a small weight. While Adam trains a network, its weights are therefore views of one
vector, and so are their gradients, the state of the optimizer and the average of the
weights. A norm, a training step or an average is then one operation on a vector.
"""

import torch
from torch import Tensor, nn

from sklearn_rnn._training.averaging import WeightAverage

# Each weight begins at a multiple of this number of bytes, as any other tensor does.
ALIGNMENT = 64

MOMENTS = ("exp_avg", "exp_avg_sq")  # of the state of Adam


class FlatWeights:
    """The weights of an optimizer with one group, and their state, as vectors.

    The weights, their gradients, the tensors in ``optimizer.state`` and those of
    ``average`` become views of the vectors, and can be used as before. ``matrices``
    are all ``weights`` except biases.
    """

    def __init__(
        self, optimizer: torch.optim.Optimizer, average: WeightAverage | None
    ) -> None:
        self._state, self._average = optimizer.state, average
        self._parameters: list[nn.Parameter] = optimizer.param_groups[0]["params"]
        first = self._parameters[0]
        unit, n, n_matrices = ALIGNMENT // first.element_size(), 0, 0
        self._places: dict[nn.Parameter, slice] = {}
        for weight in sorted(self._parameters, key=lambda weight: weight.ndim < 2):
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
        if average is not None:
            self.average = torch.zeros_like(self.weights)
            views = [self._view(self.average, p) for p in self._parameters]
            torch._foreach_copy_(views, average.weights)
            average.weights = views
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
        """Set all gradients to zero."""
        self.gradient.zero_()
        for weight, gradient in zip(self._parameters, self._gradients, strict=True):
            weight.grad = gradient

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

    def clip(self, limit: float) -> float:
        """Scale the gradient to a norm of at most ``limit``; return its norm before."""
        norm = torch.linalg.vector_norm(self.gradient).item()
        if norm > limit:
            self.gradient.mul_(limit / (norm + 1e-6))
        return norm

    def step(self, group: dict) -> None:
        """Take one step with the options of the only group of the optimizer."""
        mean, square = self._moments
        self._n_steps += 1
        torch._fused_adamw_(
            [self.weights],
            [self.gradient],
            [mean],
            [square],
            [],
            [self._n_steps],
            lr=group["lr"],
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            amsgrad=group["amsgrad"],
            maximize=group["maximize"],
        )

    @torch.no_grad()
    def separate(self) -> None:
        """Make all weights, gradients and states tensors of their own again."""
        for weight, gradient in zip(self._parameters, self._gradients, strict=True):
            weight.data = weight.detach().clone()
            if weight.grad is gradient:
                weight.grad = gradient.clone()
            state = self._state[weight]
            state.update({name: value.clone() for name, value in state.items()})
        if self._average is not None:
            self._average.weights = [part.clone() for part in self._average.weights]
