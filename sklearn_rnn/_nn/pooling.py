"""Pooling of the outputs of the last layer over time, at once or in segments."""

from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor

from sklearn_rnn._nn.compiled import can_compile
from sklearn_rnn._nn.concat_pooling import ConcatPooling

Head = Callable[[Tensor, torch.Generator | None], Tensor]


class Pooling:
    """Pooling of all steps: "last", "mean", "max" or "concat".

    Outputs of segments of a sequence are pooled one after the other.
    """

    def __init__(self, how: str, both: bool) -> None:
        self.how, self.both = how, both
        self.names = ("last", "mean", "max") if how == "concat" else (how,)
        self.n_parts = len(self.names)

    def pool(
        self,
        outputs: Tensor,
        lengths: Tensor | None,
        generator: torch.Generator | None,
    ) -> Tensor:
        """Pool the outputs (T, B, H) of whole sequences."""
        return pool(outputs, lengths, self.how, self.both)

    def reduce(
        self,
        outputs: Tensor,
        n_valid: Tensor | None,
        before: Sequence[Tensor],
        generator: torch.Generator | None,
    ) -> tuple[None, list[Tensor]]:
        """Reduce the outputs (t, B, H) of a segment to ``n_parts`` tensors (B, H).

        The first ``n_valid`` (B,) steps of each sequence are valid, possibly none. The
        parts include ``before``, those of the segments before, of which the first one
        has none.
        """
        parts = [REDUCTIONS[name](outputs, n_valid) for name in self.names]
        if before:
            parts = [
                _add(name, old, new, n_valid)
                for name, old, new in zip(self.names, before, parts, strict=True)
            ]
        return None, parts

    def join(
        self, rows: Tensor | None, parts: Sequence[Tensor], lengths: Tensor | int
    ) -> Tensor:
        """Return the pooled outputs of all segments, (B, H) or (B, 3 H).

        ``lengths`` (B,) is an integer if all sequences have the same length.
        """
        n_steps = lengths if isinstance(lengths, int) else lengths[:, None]
        found = zip(self.names, parts, strict=True)
        return torch.cat([x / n_steps if name == "mean" else x for name, x in found], 1)


class StepOutputs:
    """Instead of pooling, the outputs of all valid steps, after ``head`` if given."""

    n_parts = 0

    def __init__(self, head: Head | None = None) -> None:
        self.head = head

    def pool(
        self,
        outputs: Tensor,
        lengths: Tensor | None,
        generator: torch.Generator | None,
    ) -> Tensor:
        """Return the outputs (n_steps, ...), ordered by time, then by row."""
        steps = select_valid_steps(outputs, lengths)
        return steps if self.head is None else self.head(steps, generator)

    def reduce(
        self,
        outputs: Tensor,
        n_valid: Tensor | None,
        before: Sequence[Tensor],
        generator: torch.Generator | None,
    ) -> tuple[Tensor, list[Tensor]]:
        """Return the outputs of a segment."""
        return self.pool(outputs, n_valid, generator), []

    def join(
        self, rows: Tensor | None, parts: Sequence[Tensor], lengths: Tensor | int
    ) -> Tensor:
        """Return the outputs of all segments."""
        return cast(Tensor, rows)


def select_valid_steps(outputs: Tensor, lengths: Tensor | None) -> Tensor:
    """Concatenate the valid steps of outputs (T, B, H) to (n_steps, H)."""
    flat = outputs.flatten(0, 1)
    if lengths is None:
        return flat
    steps = torch.arange(len(outputs), device=outputs.device).unsqueeze(1)
    return flat.index_select(0, torch.nonzero((steps < lengths).flatten())[:, 0])


def pool(outputs: Tensor, lengths: Tensor | None, how: str, both: bool) -> Tensor:
    """Reduce the valid steps to (B, H), or to (B, 3 H) with "concat"."""
    if how == "concat" and outputs.requires_grad and can_compile(outputs):
        T, B, H = outputs.shape
        every = (
            lengths
            if lengths is not None
            else torch.full((B,), T, device=outputs.device)
        )
        return ConcatPooling.apply(outputs, every, H // 2 if both else H)
    if how == "concat":  # Howard and Ruder (2018)
        parts = [pool(outputs, lengths, part, both) for part in ("last", "mean", "max")]
        return torch.cat(parts, 1)
    if how == "last":
        return select_last_steps(outputs, lengths, both)
    if lengths is None:
        return outputs.mean(0) if how == "mean" else outputs.amax(0)
    steps = torch.arange(len(outputs), device=outputs.device).unsqueeze(1)
    padding = (steps >= lengths).unsqueeze(2)  # (T, B, 1)
    if how == "mean":
        total = outputs.masked_fill(padding, 0).sum(0)
        return total / lengths.unsqueeze(1).to(total.dtype)
    return outputs.masked_fill(padding, float("-inf")).amax(0)


def select_last_steps(outputs: Tensor, lengths: Tensor | None, both: bool) -> Tensor:
    """Select the last step that each direction reads: (B, H).

    For the backward direction, this is the first step.
    """
    if lengths is None:
        last = outputs[-1]
    else:
        columns = torch.arange(outputs.shape[1], device=outputs.device)
        last = outputs[lengths - 1, columns]
    if both:
        H = outputs.shape[2] // 2
        last = torch.cat([last[:, :H], outputs[0, :, H:]], 1)
    return last


def _add(name: str, before: Tensor, part: Tensor, n_valid: Tensor | None) -> Tensor:
    """Add what a segment was reduced to, to what those before it were reduced to."""
    if name == "mean":
        return before + part
    if name == "max":
        return torch.maximum(before, part)
    return part if n_valid is None else torch.where(n_valid[:, None] > 0, part, before)


def _take_last(outputs: Tensor, n_valid: Tensor | None) -> Tensor:
    if n_valid is None:
        return outputs[-1]
    return select_last_steps(outputs, n_valid.clamp(min=1), False)


def _sum(outputs: Tensor, n_valid: Tensor | None) -> Tensor:
    return _mask(outputs, n_valid, 0.0).sum(0, dtype=torch.float64)


def _take_largest(outputs: Tensor, n_valid: Tensor | None) -> Tensor:
    return _mask(outputs, n_valid, float("-inf")).amax(0)


def _mask(outputs: Tensor, n_valid: Tensor | None, filler: float) -> Tensor:
    """Replace the outputs at padded steps by ``filler``."""
    if n_valid is None:
        return outputs
    steps = torch.arange(len(outputs), device=outputs.device)[:, None]
    return outputs.masked_fill((steps >= n_valid)[:, :, None], filler)


REDUCTIONS = {"last": _take_last, "mean": _sum, "max": _take_largest}
