"""Losses and the validation score of forecasters; missing targets are left out."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LOSSES: dict[str, Callable[..., Tensor]] = {
    "squared_error": F.mse_loss,
    "absolute_error": F.l1_loss,
    "huber": F.huber_loss,
}


class MaskedLoss(nn.Module):
    """Mean loss over the targets of a row that are not NaN."""

    def __init__(self, loss: str) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return losses (n,) of outputs and targets (n, n_targets)."""
        present = ~torch.isnan(targets)
        targets = torch.where(present, targets, outputs.detach())
        losses = LOSSES[self.loss](outputs, targets, reduction="none")
        return losses.sum(1) / present.sum(1).clamp(min=1)


class QuantileLoss(nn.Module):
    """Pinball loss (Koenker and Bassett, 1978) of several quantiles of each target."""

    def __init__(self, levels: tuple[float, ...]) -> None:
        super().__init__()
        self.levels = levels

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return losses (n,).

        Outputs are (n, n_targets * n_levels) and targets (n, n_targets).
        """
        present = ~torch.isnan(targets)
        outputs = outputs.unflatten(1, (-1, len(self.levels)))
        q = outputs.new_tensor(self.levels)
        errors = torch.where(present, targets, 0).unsqueeze(2) - outputs
        losses = torch.maximum(q * errors, (q - 1) * errors).mean(2) * present
        return losses.sum(1) / present.sum(1).clamp(min=1)


def score_outputs(
    outputs: Tensor, targets: Tensor, weights: Tensor | None, n_levels: int
) -> float:
    """Return minus the mean absolute error of the medians, weighted by row.

    Outputs are (n, n_targets * n_levels), targets (n, n_targets) and weights (n,).
    """
    medians = outputs.reshape(*targets.shape, -1)[..., n_levels // 2]
    errors = (medians - targets).abs().nan_to_num()
    present = (~torch.isnan(targets)).to(errors.dtype)
    if weights is not None:
        errors, present = errors * weights[:, None], present * weights[:, None]
    return -float(errors.sum() / present.sum())
