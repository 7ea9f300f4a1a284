"""The mean of the weights over all training steps."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass
class WeightAverage:
    """A weighted mean of the network's weights over all training steps.

    Of t steps, step s has a weight proportional to about (s / t) ** 3 (Shamir and
    Zhang, 2013, with eta = 3). No horizon has to be chosen, and the mean after n epochs
    does not depend on the number of epochs that follow. During an epoch, ``weights`` is
    the mean. Between epochs, the module contains the mean, and ``weights`` are those
    from which training continues.
    """

    weights: list[Tensor]
    n_steps: int = 0

    def copy(self) -> "WeightAverage":
        """Return a copy that shares no tensors; ``deepcopy`` takes much longer."""
        return WeightAverage([part.clone() for part in self.weights], self.n_steps)

    @torch.no_grad()
    def update(self, weights: list[Tensor]) -> None:
        """Include the weights after one more step."""
        torch._foreach_lerp_(self.weights, weights, self.count_step())

    def count_step(self) -> float:
        """Count one more step, and return the share of its weights in the mean."""
        self.n_steps += 1
        return 4 / (self.n_steps + 3)

    @torch.no_grad()
    def swap(self, module: nn.Module) -> None:
        """Exchange these weights and the module's."""
        for ours, theirs in zip(self.weights, module.parameters(), strict=True):
            kept = ours.clone()
            ours.copy_(theirs)
            theirs.copy_(kept)
