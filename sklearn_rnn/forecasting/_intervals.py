"""How far forecasts miss: conformal bands from past errors, and quantile losses."""

from dataclasses import dataclass

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


def check_quantiles(quantiles) -> tuple[float, ...]:
    """Quantiles that rise and have the median in their middle."""
    levels = tuple(float(q) for q in np.ravel(quantiles))
    rising = all(np.diff(levels) > 0) and 0 < levels[0] and levels[-1] < 1
    if not rising or len(levels) % 2 == 0 or levels[len(levels) // 2] != 0.5:
        raise ValueError(
            f"quantiles={quantiles!r}; expected an odd number of rising numbers in "
            "(0, 1) with 0.5 in the middle, such as (0.025, 0.5, 0.975)."
        )
    return levels


def interpolate_quantiles(
    quantiles: np.ndarray, levels: np.ndarray, wanted: np.ndarray
):
    """Values (...) at ``wanted`` levels, between quantiles (..., Q) of ``levels``."""
    high = np.clip(np.searchsorted(levels, wanted), 1, len(levels) - 1)
    share = (wanted - levels[high - 1]) / (levels[high] - levels[high - 1])
    below, above = (
        np.take_along_axis(quantiles, place[..., None], axis=-1)[..., 0]
        for place in (high - 1, high)
    )
    return below + share * (above - below)


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


@dataclass(frozen=True)
class Conformal:
    """Bounds and chance from the errors (origins, leads, C) of forecasts in the past.

    They are None where the series was too short; ``why`` says so.
    """

    errors: np.ndarray | None
    why: str

    def bounds(self, forecasts: np.ndarray, coverage: float):
        """Two bounds (n, horizon, C) around forecasts (n, horizon, C, 1)."""
        errors, horizon = self._known_errors(), forecasts.shape[1]
        if horizon > errors.shape[1]:
            raise ValueError(
                f"horizon={horizon}, but errors are known for {errors.shape[1]} steps "
                "ahead. Fit a longer series or a larger calibration_fraction."
            )
        radii = conformal_radii(errors[:, :horizon], coverage)
        return forecasts[..., 0] - radii, forecasts[..., 0] + radii

    def noise(self, horizon: int, rng: np.random.Generator):
        """What draws blocks (n, horizon, C) of what comes true of forecasts."""
        errors = self._known_errors()[:, :horizon]
        errors = errors[~np.isnan(errors).any(axis=(1, 2))]

        def drawn(forecasts):
            chosen = rng.integers(len(errors), size=len(forecasts))
            return forecasts[..., 0] + errors[chosen]

        return drawn

    def _known_errors(self):
        if self.errors is None:
            raise ValueError(self.why)
        return self.errors


@dataclass(frozen=True)
class Quantiles:
    """Bounds and chance from learned quantiles, of ``horizon`` steps at once."""

    levels: tuple[float, ...]
    horizon: int

    def bounds(self, forecasts: np.ndarray, coverage: float):
        """Two of the quantiles (n, horizon, C, Q), or None if they are further on."""
        if forecasts.shape[1] > self.horizon:
            return None
        tails = np.array([(1 - coverage) / 2, (1 + coverage) / 2])
        distances = np.abs(np.array(self.levels)[:, None] - tails)
        if distances.min(axis=0).max() > 1e-6:
            raise ValueError(
                f"coverage={coverage} lies between the quantiles "
                f"{tails.round(6).tolist()}, but the network learned "
                f"{list(self.levels)}. Name them in quantiles= and fit again."
            )
        low, high = distances.argmin(axis=0)
        return forecasts[..., low], forecasts[..., high]

    def noise(self, horizon: int, rng: np.random.Generator):
        """What draws blocks (n, horizon, C) of what comes true of quantiles."""
        levels = np.array(self.levels)

        def drawn(forecasts):
            wanted = rng.uniform(levels[0], levels[-1], size=forecasts.shape[:-1])
            return interpolate_quantiles(forecasts, levels, wanted)

        return drawn
