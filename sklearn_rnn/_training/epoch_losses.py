"""Losses of the batches of an epoch, and the norms of their gradients."""

import math

import torch
from torch import Tensor


class DivergenceError(ArithmeticError):
    """A gradient is not finite."""


class EpochLosses:
    """The losses of an epoch, of which each batch adds one.

    Reading a value from a GPU waits until it has computed everything before it. Unless
    ``reads_each`` is set, the values are therefore read once, at the end of the epoch.
    """

    def __init__(self, *, reads_each: bool) -> None:
        self.reads_each = reads_each
        self._losses: list[float] = []
        self._n_rows: list[float] = []
        self._unread: list[Tensor] = []

    def add(self, loss: Tensor, norm: Tensor, n_rows: float) -> None:
        """Add a batch; raises a DivergenceError if its gradient is not finite."""
        self._unread += [loss.detach(), norm.to(loss.dtype)]
        self._n_rows.append(n_rows)
        if self.reads_each:
            self._read([tensor.item() for tensor in self._unread])

    @property
    def last(self) -> float:
        """The loss of the last batch that was read."""
        return self._losses[-1]

    def mean(self) -> float:
        """Read what is unread, and compute the mean loss per row."""
        if self._unread:
            self._read(torch.stack(self._unread).tolist())
        total = 0.0
        for loss, n_rows in zip(self._losses, self._n_rows, strict=True):
            total += loss * n_rows
        return total / sum(self._n_rows)

    def _read(self, values: list[float]) -> None:
        self._unread = []
        for loss, norm in zip(values[::2], values[1::2], strict=True):
            if not math.isfinite(norm):
                raise DivergenceError(f"the loss is {loss:.3g} and its gradient {norm}")
            self._losses.append(loss)
