"""Helpers of the checks: fit an estimator, collect its outputs and compare them."""

import re
import warnings
from contextlib import contextmanager
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from sklearn_rnn._data.tokens import TokenArray
from sklearn_rnn.conformance._examples import answers_each_step

METHODS = ("predict", "predict_proba", "decision_function", "transform")
TRAINING_LENGTH = ("max_epochs", "n_epochs", "epochs", "max_iter")
EPOCHS = 2
TOLERANCE = 1e-5


def prepare(estimator):
    """Return an unfitted copy with a fixed seed that trains only briefly."""
    model = clone(estimator)
    changes: dict[str, Any] = {}
    for key, value in model.get_params().items():
        parameter = key.rpartition("__")[2]
        if parameter == "random_state":
            changes[key] = 0
        elif parameter in TRAINING_LENGTH and isinstance(value, Integral):
            changes[key] = min(EPOCHS, value)
        elif parameter in TRAINING_LENGTH and value == "auto":
            changes[key] = EPOCHS
    return model.set_params(**changes)


@contextmanager
def ignore_few_epochs():
    """Ignore warnings that training has not converged."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def fit(model, X, y, **fit_params):
    """Fit and ignore warnings that training has not converged."""
    with ignore_few_epochs():
        return model.fit(X, y, **fit_params)


def fit_copy(estimator, X, y, **fit_params):
    """Return a fitted copy."""
    model = prepare(estimator)
    fit(model, X, y, **fit_params)
    return model


def methods_of(model):
    """List the names of the methods that return an output for each sequence."""
    return [method for method in METHODS if has_method(model, method)]


def has_method(model, method):
    """Return whether the model has the method, not only a parameter of this name."""
    return callable(getattr(model, method, None))


def collect_answers(model, X):
    """Map each method to its output, a list with one array per sequence."""
    given = {method: rows_of(getattr(model, method)(X)) for method in methods_of(model)}
    if "predict" in given and answers_each_step(model):
        given["predict"] = [_drop_padding(row) for row in given["predict"]]
    return given


def _drop_padding(row):
    """Remove the trailing NaN of padded steps."""
    if row.dtype.kind != "f":
        return row
    return row[: np.flatnonzero(~np.isnan(row)).max(initial=-1) + 1]


def rows_of(answer):
    """Return one array per sequence, without padding (codes 0, or all-NaN steps)."""
    if sparse.issparse(answer):
        answer = answer.toarray()
    if hasattr(answer, "to_numpy"):
        answer = answer.to_numpy()
    if isinstance(answer, TokenArray):
        return [np.trim_zeros(row, "b") for row in answer.view(np.ndarray)]
    if getattr(answer, "ndim", None) == 3:
        return [_without_padding(row) for row in answer]
    return [np.asarray(row) for row in answer]


def _without_padding(steps):
    present = np.flatnonzero(~np.isnan(steps).all(axis=1))
    return steps[: present[-1] + 1] if len(present) else steps[:0]


def assert_same(actual, expected, when, tolerance=TOLERANCE):
    """Check that two results of :func:`collect_answers` agree.

    The tolerance is relative to each number and to the largest number of the method. 0
    demands bit-identical numbers.
    """
    assert actual.keys() == expected.keys(), (
        f"the methods are {list(actual)} instead of {list(expected)} {when}"
    )
    for method, wanted in expected.items():
        got = actual[method]
        assert len(got) == len(wanted), (
            f"{method} returns {len(got)} rows for {len(wanted)} sequences {when}"
        )
        scale = max((_largest(row) for row in wanted), default=0)
        for i, (a, b) in enumerate(zip(got, wanted, strict=True)):
            assert _close(a, b, tolerance, scale), (
                f"{method} returns another result for sequence {i} {when}: "
                f"{a!r} instead of {b!r}"
            )


def _largest(row):
    if row.dtype.kind not in "iuf":
        return 0
    return np.abs(row[np.isfinite(row)]).max(initial=0)


def _close(a, b, tolerance, scale):
    if a.shape != b.shape:
        return False
    if a.dtype.kind not in "iuf" or b.dtype.kind not in "iuf":
        return np.array_equal(a, b)
    # assert_finite checks whether NaN is allowed
    atol = tolerance * scale
    return np.allclose(a, b, rtol=tolerance, atol=atol, equal_nan=True)


def assert_finite(given, when):
    """Check that outputs of all sequences are non-empty and finite."""
    for method, rows in given.items():
        for i, row in enumerate(rows):
            bad = row.dtype.kind == "f" and not np.isfinite(row).all()
            assert row.size and not bad, (
                f"{method} returns {row!r} for sequence {i} {when}"
            )


def assert_refused(call, what, *, naming=(), errors=ValueError):
    """Check that ``call`` raises one of ``errors`` with all numbers in ``naming``."""
    try:
        call()
    except errors as error:
        message = str(error)
        missing = [n for n in naming if not re.search(rf"(?<!\d){n}(?!\d)", message)]
        assert not missing, (
            f"the error message for {what} does not contain {missing}: {message}"
        )
    except Exception as error:
        raise AssertionError(
            f"{what} raised {type(error).__name__} instead of {_names(errors)}: {error}"
        ) from error
    else:
        raise AssertionError(f"{what} was accepted; expected {_names(errors)}")


def _names(errors):
    kinds = errors if isinstance(errors, tuple) else (errors,)
    return " or ".join(kind.__name__ for kind in kinds)


def assert_refused_by_all(estimator, good, bad, y, what, *, naming=(), **options):
    """Check that fit and all methods of a model fitted on ``good`` reject ``bad``."""
    call = partial(fit_copy, estimator, bad, y)
    assert_refused(call, f"fit on {what}", naming=naming, **options)
    assert_refused_in_answers(
        fit_copy(estimator, good, y), bad, what, naming=naming, **options
    )


def assert_refused_in_answers(model, bad, what, **options):
    """Check that every method of the fitted model rejects ``bad``."""
    for method in methods_of(model):
        call = partial(getattr(model, method), bad)
        assert_refused(call, f"{method} on {what}", **options)


def assert_same_from(estimator, X, others, y, *, flat=False):
    """Check that fits on, and outputs for, other containers equal those for X.

    ``flat`` compares outputs as 1-D arrays.
    """
    collect = collect_flat if flat else collect_answers
    model = fit_copy(estimator, X, y)
    expected = collect(model, X)
    for what, other in others.items():
        assert_same(collect(model, other), expected, f"when X is {what}")
        again = fit_copy(estimator, other, y)
        assert_same(collect(again, other), expected, f"after a fit on {what}")


def collect_flat(model, X):
    """Map each method to its output, a list with one 1-D array per sequence."""
    given = collect_answers(model, X)
    return {method: [row.ravel() for row in rows] for method, rows in given.items()}
