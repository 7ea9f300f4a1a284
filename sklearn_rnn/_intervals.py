"""How far forecasts miss: conformal bands from past errors, and quantile losses."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

LOSSES = {
    "squared_error": F.mse_loss,
    "absolute_error": F.l1_loss,
    "huber": F.huber_loss,
}


class MaskedLoss(nn.Module):
    """The mean loss of a row's targets that are known, those that are not NaN."""

    def __init__(self, loss: str) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Losses (n,) of outputs and targets (n, n_targets)."""
        known = ~torch.isnan(targets)
        targets = torch.where(known, targets, outputs.detach())
        losses = LOSSES[self.loss](outputs, targets, reduction="none")
        return losses.sum(1) / known.sum(1).clamp(min=1)


class QuantileLoss(nn.Module):
    """Pinball loss (Koenker and Bassett, 1978) of several quantiles of each target."""

    def __init__(self, quantiles: tuple[float, ...]) -> None:
        super().__init__()
        self.quantiles = quantiles

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Losses (n,) of outputs (n, n_targets * n_quantiles)."""
        known = ~torch.isnan(targets)
        outputs = outputs.unflatten(1, (-1, len(self.quantiles)))
        q = outputs.new_tensor(self.quantiles)
        missed = torch.where(known, targets, 0).unsqueeze(2) - outputs
        losses = torch.maximum(q * missed, (q - 1) * missed).mean(2) * known
        return losses.sum(1) / known.sum(1).clamp(min=1)


def conformal_radii(errors: np.ndarray, coverage: float) -> np.ndarray:
    """How far to reach around forecasts to cover the truth: (n_leads, C).

    The split-conformal quantile of the absolute ``errors`` (n_origins, n_leads, C):
    the ceil((n + 1) coverage)-th smallest of n. A lead with too few origins for it is
    judged together with the leads before it.
    """
    n_leads, C = errors.shape[1:]
    radii = np.empty((n_leads, C))
    for channel in range(C):
        for lead in range(n_leads):
            scores, first = np.empty(0), lead
            while True:
                more = np.abs(errors[:, first, channel])
                scores = np.concatenate([scores, more[~np.isnan(more)]])
                rank = int(np.ceil((len(scores) + 1) * coverage))
                if rank <= len(scores):
                    radii[lead, channel] = np.partition(scores, rank - 1)[rank - 1]
                    break
                if first == 0:
                    raise ValueError(
                        f"coverage={coverage} needs more than {len(scores)} past "
                        "errors. Give a longer series, a larger calibration_fraction, "
                        "or a lower coverage."
                    )
                first -= 1
    return radii


def checked_quantiles(quantiles) -> tuple[float, ...]:
    """Quantiles that rise and have the median in their middle."""
    levels = tuple(float(q) for q in np.ravel(quantiles))
    rising = all(np.diff(levels) > 0) and 0 < levels[0] and levels[-1] < 1
    if not rising or len(levels) % 2 == 0 or levels[len(levels) // 2] != 0.5:
        raise ValueError(
            f"quantiles={quantiles!r}; expected an odd number of rising numbers in "
            "(0, 1) with 0.5 in the middle, such as (0.025, 0.5, 0.975)."
        )
    return levels


def at_levels(quantiles: np.ndarray, levels: np.ndarray, wanted: np.ndarray):
    """Values (...) at ``wanted`` levels, between quantiles (..., Q) of ``levels``."""
    high = np.clip(np.searchsorted(levels, wanted), 1, len(levels) - 1)
    share = (wanted - levels[high - 1]) / (levels[high] - levels[high - 1])
    below, above = (
        np.take_along_axis(quantiles, place[..., None], axis=-1)[..., 0]
        for place in (high - 1, high)
    )
    return below + share * (above - below)
