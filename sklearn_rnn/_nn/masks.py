"""Random masks for a batch, of which this process may read only some sequences."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Share:
    """The sequences of a batch that one of several processes reads.

    ``lengths`` (B,) are those of all sequences of the batch, and ``columns`` selects
    the sequences that this process reads. The rows of a matrix are sequences or, with
    ``each_step``, the valid steps of all sequences, ordered by time.
    """

    lengths: np.ndarray
    columns: slice
    each_step: bool = False

    def cut(self, start: int, n_steps: int) -> "Share":
        """Return the share of a segment of ``n_steps`` steps from ``start`` on."""
        return replace(self, lengths=np.clip(self.lengths - start, 0, n_steps))

    def shape_of_all(self, x: Tensor) -> tuple[int, ...]:
        """Return the shape that x would have if one process read all sequences."""
        n_all = len(self.lengths)
        if x.ndim == 3:
            return (int(self.lengths.max()), n_all, x.shape[2])
        n_rows = int(self.lengths.sum()) if self.each_step else n_all
        return (n_rows, *x.shape[1:])

    def select(self, mask: Tensor, n_rows: int) -> Tensor:
        """Select the part of a mask (T, B, ...) or (rows, ...) for all sequences.

        ``n_rows`` is the number of steps T of the sequences that this process reads.
        """
        if mask.ndim == 3:
            return mask[:n_rows, self.columns]
        if not self.each_step:
            return mask[self.columns]
        is_valid = np.arange(self.lengths.max())[:, None] < self.lengths  # (T, B)
        places = (is_valid.cumsum() - 1).reshape(is_valid.shape)[:, self.columns]
        return mask[torch.from_numpy(places[is_valid[:, self.columns]])]


class MaskGenerator(torch.Generator):
    """A generator that draws masks for whole batches, and returns those of a share.

    The processes that share a batch then use the masks that one process would use.
    """

    share: Share | None = None


def find_share(generator: torch.Generator | None) -> Share | None:
    """Return the share of a batch for which ``generator`` draws; None if it is all."""
    return generator.share if isinstance(generator, MaskGenerator) else None


def draw_mask(x: Tensor, p: float, generator: torch.Generator | None) -> Tensor:
    """Draw a mask of the shape of x, whose elements are 1 with probability p."""
    share = find_share(generator)
    if share is None:
        return torch.empty_like(x).bernoulli_(p, generator=generator)
    mask = x.new_empty(share.shape_of_all(x)).bernoulli_(p, generator=generator)
    return share.select(mask, len(x))
