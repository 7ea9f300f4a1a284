"""Random masks for a batch, of which this process may read only some sequences."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Share:
    """The sequences of a batch that one of several processes reads.

    ``lengths`` (B,) are those of all sequences of the batch, and ``columns`` selects
    the sequences that this process reads.
    """

    lengths: np.ndarray
    columns: slice

    @property
    def n_columns(self) -> int:
        """Number of sequences that this process reads."""
        return len(self.lengths[self.columns])

    def shape_of_all(self, x: Tensor) -> tuple[int, ...]:
        """Return the shape that x would have if one process read all sequences."""
        n_all = len(self.lengths)
        if x.ndim == 3:
            return (int(self.lengths.max()), n_all, x.shape[2])
        n_rows = n_all if len(x) == self.n_columns else int(self.lengths.sum())
        return (n_rows, *x.shape[1:])

    def select(self, mask: Tensor, n_rows: int) -> Tensor:
        """Select ``n_rows`` rows of a mask for all sequences.

        Rows are steps if the mask has three dimensions. Otherwise they are sequences,
        or valid steps of all sequences, ordered by time.
        """
        if mask.ndim == 3:
            return mask[:n_rows, self.columns]
        if n_rows == self.n_columns:
            return mask[self.columns]
        is_valid = np.arange(self.lengths.max())[:, None] < self.lengths  # (T, B)
        places = (is_valid.cumsum() - 1).reshape(is_valid.shape)[:, self.columns]
        return mask[torch.from_numpy(places[is_valid[:, self.columns]])]


class MaskGenerator(torch.Generator):
    """A generator that draws masks for whole batches, and returns those of a share.

    The processes that share a batch then use the masks that one process would use.
    """

    share: Share | None = None


def draw_mask(x: Tensor, p: float, generator: torch.Generator | None) -> Tensor:
    """Draw a mask of the shape of x, whose elements are 1 with probability p."""
    share = generator.share if isinstance(generator, MaskGenerator) else None
    if share is None:
        return torch.empty_like(x).bernoulli_(p, generator=generator)
    mask = x.new_empty(share.shape_of_all(x)).bernoulli_(p, generator=generator)
    return share.select(mask, len(x))
