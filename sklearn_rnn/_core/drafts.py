"""Atomic fits: a fit changes an estimator completely or not at all.

A method that fits works on a *draft*, which is a shallow copy. At the end it replaces
the state of the estimator by that of the draft. A fit that fails therefore leaves the
estimator unchanged, and a thread that predicts on a *snapshot* in the meantime sees
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
    """Return a shallow copy that a fit in another thread does not change.

    Parameters that are numpy numbers are converted to Python numbers.
    """
    copy = object.__new__(type(estimator))
    vars(copy).update(vars(estimator))
    vars(copy).update(plain_parameters(copy))
    return copy


def on_snapshot(method: Method) -> Method:
    """Decorate a method so that it runs on a snapshot of the estimator.

    All fitted attributes that it reads then come from the same fit.
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
    """Yield a shallow copy to fit; commit it when the block ends without an error."""
    new = snapshot(estimator)
    given = {name: vars(estimator)[name] for name in plain_parameters(estimator)}
    yield new
    vars(new).update(given)  # parameters stay as they were set
    commit(new, estimator)
