"""Fits that change an estimator completely or not at all.

A method that fits works on a *draft*, a shallow copy, whose state replaces that of the
estimator as the last act. So a fit that fails leaves everything as it was, and a thread
that predicts meanwhile, on a *snapshot*, sees the old model or the new one.
"""

from contextlib import contextmanager


def snapshot(estimator):
    """A shallow copy, which a fit of the original in another thread does not change."""
    copy = object.__new__(type(estimator))
    vars(copy).update(vars(estimator))
    return copy


def commit(draft, estimator):
    """Give ``estimator`` the state of ``draft``, and nothing of its own former one."""
    for name in vars(estimator).keys() - vars(draft).keys():
        delattr(estimator, name)
    vars(estimator).update(vars(draft))


@contextmanager
def draft(estimator):
    """A shallow copy to fit, committed when the block ends without an error."""
    new = snapshot(estimator)
    yield new
    commit(new, estimator)
