"""Trainings that diverge: numbers that are not finite, and the error message."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor


def describe_divergence(epoch: int, what: str) -> str:
    """Format the error message for a training whose loss is not finite."""
    return (
        f"training diverged in epoch {epoch}: {what}. Decrease learning_rate, scale X, "
        "or set gradient_clip. The estimator is unchanged."
    )


@contextmanager
def explain_large_rates(epoch: int) -> Iterator[None]:
    """Explain the error if the learning rate is too large for the weights' type."""
    try:
        yield
    except RuntimeError as error:
        if "without overflow" not in str(error):
            raise
        what = "the learning rate is too large for the precision of the weights"
        raise ValueError(describe_divergence(epoch, what)) from error


def are_finite(tensors: Iterable[Tensor]) -> bool:
    """Return whether all values of all ``tensors`` are finite."""
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors)


def can_be_multiplied(weights: Iterable[Tensor]) -> bool:
    """Return whether sums of products of two ``weights`` do not overflow.

    With larger weights, other sequences than the training data may give NaN.
    """
    return all(
        bool((weight.abs() < torch.finfo(weight.dtype).max ** 0.5 / 1000).all())
        for weight in weights
    )
