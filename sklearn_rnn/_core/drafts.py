"""Fits that change an estimator completely or not at all.

A method that fits works on a *draft*, which is a shallow copy. As its last act it
replaces the state of the estimator by that of the draft. So a fit that fails leaves
the estimator unchanged, and a thread that predicts meanwhile on a *snapshot* sees
either the old model or the new one.
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from sklearn_rnn._core.validation import plain_parameters

Estimator = TypeVar("Estimator")
Method = TypeVar("Method", bound=Callable[..., Any])


def snapshot(estimator: Estimator) -> Estimator:
    """A shallow copy, which a fit of the original in another thread does not change.

    Its parameters are plain numbers of Python.
    """
    copy = object.__new__(type(estimator))
    vars(copy).update(vars(estimator))
    vars(copy).update(plain_parameters(copy))
    return copy


def on_snapshot(method: Method) -> Method:
    """Decorate a method that reads the fitted state, so that it reads one of one fit.

    It is called with a snapshot in place of the estimator.
    """

    @functools.wraps(method)
    def call(self: Any, *args: Any, **params: Any) -> Any:
        return method(snapshot(self), *args, **params)

    return cast(Method, call)


def commit(draft: Any, estimator: Any) -> None:
    """Replace the whole state of ``estimator`` by that of ``draft``, all at once."""
    estimator.__dict__ = dict(vars(draft))


@contextmanager
def draft(estimator: Estimator) -> Iterator[Estimator]:
    """A shallow copy to fit, committed when the block ends without an error."""
    new = snapshot(estimator)
    given = {name: vars(estimator)[name] for name in plain_parameters(estimator)}
    yield new
    vars(new).update(given)  # parameters stay as they were set
    commit(new, estimator)
