"""The weights of a network, and the state of Adam, in a few vectors.

Calling a torch operation takes some microseconds, which is longer than its computation
for a small weight. While Adam trains a network, its weights are therefore views of one
vector, and so are their gradients, the state of the optimizer and the average of the
weights. A norm is then one operation on a vector, and a step with weight decay and
average is one compiled loop or, without numba, three operations.
"""

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
        self._optimizer, self._average = optimizer, average
        self.weight_decay = weight_decay
        self._parameters: list[nn.Parameter] = [*optimizer.param_groups[0]["params"]]
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
        self._is_compiled = can_compile(self.weights)
        self._gradients = [self._view(self.gradient, p) for p in self._parameters]
        # One number per weight, because the optimizer to which a copy of the state is
        # loaded increases each of them.
        self._n_steps = first.new_zeros(len(self._parameters), dtype=torch.float32)
        with torch.no_grad():
            numbers = self._n_steps.unbind()
            self._states = [*map(self._connect, self._parameters, numbers)]
        self.average = torch.zeros_like(self.weights)
        if average is not None:
            views = [self._view(self.average, p) for p in self._parameters]
            torch._foreach_copy_(views, average.weights)
            average.weights = self._averages = views
        vectors = [self.weights, self.gradient, *self._moments, self.average]
        self._rows, start = None, 0
        if embedding is not None:
            self._rows = DelayedRows(*[self._view(v, embedding) for v in vectors])
            start = -(-embedding.numel() // unit) * unit
        self._parts = [
            [v[start:n_matrices] for v in vectors],
            [v[n_matrices:] for v in vectors],
        ]
        pairs = zip(self._parameters, self._gradients, strict=True)
        self._addresses = [(w.data_ptr(), g.data_ptr()) for w, g in pairs]
        self._dense_gradient = self.gradient[start:]

    def _view(self, vector: Tensor, weight: nn.Parameter) -> Tensor:
        """Return the part of a vector that belongs to a weight."""
        return vector[self._places[weight]].view_as(weight)

    def _connect(self, weight: nn.Parameter, n_steps: Tensor) -> dict[str, Tensor]:
        """Make views of a weight and of its state; return those of the state."""
        views = {"step": n_steps}
        for name, vector in zip(MOMENTS, self._moments, strict=True):
            views[name] = self._view(vector, weight)
        state = self._optimizer.state[weight]
        for name, view in views.items():
            if name in state:
                view.copy_(state[name])
        state.update(views)
        weight.data = self._view(self.weights, weight).copy_(weight)
        return views

    def clear_gradients(self) -> None:
        """Set all gradients to zero, and those of weights that are frozen to None.

        Those of delayed rows are zero already.
        """
        self._dense_gradient.zero_()
        for weight, gradient in zip(self._parameters, self._gradients, strict=True):
            weight.grad = gradient if weight.requires_grad else None

    def read_rows(self, codes: Tensor | None) -> None:
        """Prepare the rows of the embedding that a batch reads."""
        if self._rows is not None:
            assert codes is not None
            self._rows.read(codes)

    def finish_rows(self) -> None:
        """Take the steps that are delayed."""
        if self._rows is not None:
            self._rows.finish()

    def is_intact(self, average: WeightAverage | None) -> bool:
        """Return whether :meth:`step` computes what the optimizer would compute.

        It does not if a callback has frozen a weight, replaced a tensor or ``average``,
        or set an option that only the optimizer implements.
        """
        return (
            average is self._average
            and (average is None or average.weights is self._averages)
            and has_plain_steps(self._optimizer, self._parameters)
            and (self._n_steps.is_cuda or len(set(self._n_steps.tolist())) == 1)
            and self._are_connected()
        )

    def _are_connected(self) -> bool:
        """Return whether weights, gradients and states are parts of the vectors."""
        state = self._optimizer.state
        parts = self._gradients, self._states, self._addresses
        for weight, gradient, views, addresses in zip(
            self._parameters, *parts, strict=True
        ):
            found = state.get(weight, {})
            if not (
                weight.requires_grad
                and weight.grad is gradient
                and (weight.data_ptr(), gradient.data_ptr()) == addresses
                and all(found.get(name) is view for name, view in views.items())
            ):
                return False
        return True

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

    def step(self) -> None:
        """Take a step with the options of the optimizer; decay and average.

        The order is that of the training loop: first the step, then the decay of the
        matrices, then the average.
        """
        group = self._optimizer.param_groups[0]
        rate, (beta_1, beta_2) = float(group["lr"]), group["betas"]
        limits = torch.finfo(self.weights.dtype)
        if rate > limits.max:
            raise RuntimeError("the weights cannot change by lr without overflow.")
        vars(self._optimizer)["_opt_called"] = True  # otherwise schedulers warn
        self._n_steps += 1
        keep = 1 - rate * self.weight_decay
        share = 0.0 if self._average is None else self._average.count_step()
        if self._is_compiled:
            n_steps = self._n_steps[0].item()
            root = (1 - beta_2**n_steps) ** -0.5
            shares = 1 - beta_1, 1 - beta_2  # in float32, 1 - .999 has five digits only
            numbers = rate / (1 - beta_1**n_steps), *shares, root, group["eps"]
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
            [self._n_steps[0]],
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
        rows = zip(self._parameters, self._gradients, self._states, strict=True)
        for weight, gradient, views in rows:
            weight.data = weight.detach().clone()
            if weight.grad is gradient:
                weight.grad = gradient.clone()
            state = self._optimizer.state.get(weight, {})
            ours = {k: v.clone() for k, v in views.items() if state.get(k) is v}
            state.update(ours)
        if self._average is not None:
            self._average.weights = [part.clone() for part in self._average.weights]


def has_plain_steps(
    optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter]
) -> bool:
    """Return whether an Adam trains these weights, with options that vectors allow.

    The optimizer must not decay the weights itself or call hooks in its steps.
    """
    group, *others = optimizer.param_groups
    hooks = optimizer._optimizer_step_pre_hooks, optimizer._optimizer_step_post_hooks
    return (
        not others
        and [*map(id, group["params"])] == [*map(id, parameters)]
        and not (group["weight_decay"] or group["amsgrad"] or group["maximize"])
        and not any(hooks)
    )


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
    rate, share_1, share_2, root, eps, keep, share = scalars
    for i in range(len(weights)):
        g = gradient[i]
        m = mean[i] + (g - mean[i]) * share_1
        v = square[i] + (g * g - square[i]) * share_2
        mean[i], square[i] = m, v
        weight = (weights[i] - rate * m / (np.sqrt(v) * root + eps)) * keep
        weights[i] = weight
        average[i] += (weight - average[i]) * share
