"""Fits that change an estimator completely or not at all.

A method that fits works on a *draft*, which is a shallow copy. As its last act it
replaces the state of the estimator by that of the draft. So a fit that fails leaves
the estimator unchanged, and a thread that predicts meanwhile on a *snapshot* sees
either the old model or the new one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

Estimator = TypeVar("Estimator")


def snapshot(estimator: Estimator) -> Estimator:
    """A shallow copy, which a fit of the original in another thread does not change."""
    copy = object.__new__(type(estimator))
    vars(copy).update(vars(estimator))
    return copy


def commit(draft: Any, estimator: Any) -> None:
    """Replace the whole state of ``estimator`` by that of ``draft``.

    The new state comes at once, and only then goes what it lacks: an interrupt between
    the two leaves a complete new model.
    """
    former = vars(estimator).keys() - vars(draft).keys()
    vars(estimator).update(vars(draft))
    for name in former:
        delattr(estimator, name)


@contextmanager
def draft(estimator: Estimator) -> Iterator[Estimator]:
    """A shallow copy to fit, committed when the block ends without an error."""
    new = snapshot(estimator)
    yield new
    commit(new, estimator)
