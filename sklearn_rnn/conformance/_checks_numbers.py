"""Checks with sequences of numbers: containers, padding and invalid input."""

from typing import Any
from unittest import SkipTest

import numpy as np

from sklearn_rnn._data.ragged import object_array
from sklearn_rnn.conformance._examples import (
    LENGTHS,
    NUMBERS,
    example,
    pad,
    sequences,
    series_of,
    targets,
)
from sklearn_rnn.conformance._harness import (
    assert_finite,
    assert_refused_by_all,
    assert_refused_in_answers,
    assert_same_from,
    collect_answers,
    fit_copy,
)

BAD_ROW = 7


def check_ragged_containers(name, estimator):
    """Check that lists, tuples and object arrays of sequences are equivalent."""
    X = sequences()
    others = {
        "a tuple of arrays": tuple(X),
        "an object array": object_array(X),
        "a list of lists of steps": [x.tolist() for x in X],
        "a list of Fortran-ordered arrays": [np.asfortranarray(x) for x in X],
    }
    assert_same_from(estimator, X, others, targets(estimator))


def check_ragged_series(name, estimator):
    """Check that a pandas Series of arrays is equivalent to a list, for any index."""
    X = sequences()
    series = series_of(X)
    assert_same_from(estimator, X, {"a Series": series}, targets(estimator))


def check_one_feature(name, estimator):
    """Check that (T,) and (T, 1) arrays, lists and tuples are equivalent."""
    X = sequences(n_features=1)
    others = {
        "a list of (T,) arrays": [x[:, 0] for x in X],
        "a list of lists of numbers": [x[:, 0].tolist() for x in X],
        "a list of tuples of numbers": [tuple(x[:, 0].tolist()) for x in X],
    }
    assert_same_from(estimator, X, others, targets(estimator))


def check_equal_lengths_as_array(name, estimator):
    """Check that a list of sequences of equal length is equivalent to an array."""
    X = example("3d")
    assert_same_from(
        estimator, X, {"a list of its rows": list(X)}, targets(estimator, "3d")
    )


def check_table_as_sequences(name, estimator, container="3d"):
    """Check that a row of a table is equivalent to a sequence with one feature."""
    table = example("3d")[:, :, 0]
    rows = table[:, :, None] if container == "3d" else list(table[:, :, None])
    what = {"the same sequences outside a table": rows}
    y = targets(estimator, "3d")
    # transform may return a table for a table
    assert_same_from(estimator, table, what, y, flat=True)


def check_padding_as_ragged(name, estimator):
    """Check that an array padded with NaN is equivalent to a ragged list."""
    X, y = sequences(), targets(estimator)
    array = pad(X, max(LENGTHS))
    skip_unless_padding(name, estimator, array, y)
    assert_same_from(estimator, X, {"a padded array": array}, y)


def check_more_padding(name, estimator):
    """Check that more padding changes neither fits nor predictions."""
    X, y = sequences(), targets(estimator)
    array = pad(X, max(LENGTHS))
    skip_unless_padding(name, estimator, array, y)
    wider = pad(X, max(LENGTHS) + 5)
    assert_same_from(estimator, array, {"padded further": wider}, y)


def skip_unless_padding(name, estimator, array, y):
    try:
        fit_copy(estimator, array, y)
    except ValueError as error:
        raise SkipTest(f"{name} rejects arrays padded with NaN: {error}") from None


def check_other_lengths(name, estimator, container="ragged"):
    """Check that sequences may be shorter or longer than all sequences of fit."""
    model = fit_copy(estimator, example(container), targets(estimator, container))
    for length in (1, 11):
        X = sequences(lengths=[length, length])
        X = np.stack(X) if container == "3d" else X
        given = collect_answers(model, X)
        assert {len(rows) for rows in given.values()} == {2}
        assert_finite(given, f"of {length} steps")


def check_other_features_refused(name, estimator, container="ragged"):
    """Check that another number of features per step raises a ValueError.

    The message must contain both numbers.
    """
    model = fit_copy(estimator, example(container), targets(estimator, container))
    for n_features in (3, 1):
        X = NUMBERS[container](n_features)[:2]
        what = f"{n_features} features per step instead of 2"
        assert_refused_in_answers(model, X, what, naming=(n_features, 2))


def check_mixed_features_refused(name, estimator):
    """Check that sequences with different features raise an error with the index."""
    X = sequences()
    bad = list(X)
    bad[BAD_ROW] = np.ones((4, 3))
    y, what = targets(estimator), f"3 instead of 2 features in sequence {BAD_ROW}"
    assert_refused_by_all(estimator, X, bad, y, what, naming=(BAD_ROW,))


def _assert_step_refused(estimator, container, value):
    """Check that a step with ``value`` raises; for lists, with the sequence's index."""
    X, y = example(container), targets(estimator, container)
    bad = X.copy() if container == "3d" else [x.copy() for x in X]
    bad[BAD_ROW][1, 0] = value
    naming = () if container == "3d" else (BAD_ROW,)
    what = f"{value} in sequence {BAD_ROW}"
    assert_refused_by_all(estimator, X, bad, y, what, naming=naming)


def check_nan_refused(name, estimator, container="ragged"):
    """Check that NaN in a sequence raises a ValueError, for lists with its index."""
    _assert_step_refused(estimator, container, np.nan)


def check_infinity_refused(name, estimator, container="ragged"):
    """Check that infinity raises a ValueError, for lists with the sequence's index."""
    _assert_step_refused(estimator, container, np.inf)


def check_complex_refused(name, estimator, container="ragged"):
    """Check that complex numbers raise a ValueError.

    They must not lose their imaginary part.
    """
    X, y = example(container), targets(estimator, container)
    bad = X + 1j if container == "3d" else [x + 1j for x in X]
    assert_refused_by_all(estimator, X, bad, y, "complex numbers")


def check_junk_refused(name, estimator, container="ragged"):
    """Check that non-numeric values raise an error, for lists with the index."""
    X, y = example(container), targets(estimator, container)
    errors = (ValueError, TypeError)
    for junk in ("text", {"a": 1}):
        bad: Any = [x.astype(object) for x in X]
        bad[BAD_ROW][1, 0] = junk
        if container == "3d":
            bad = np.stack(bad)
        naming = () if container == "3d" else (BAD_ROW,)
        what = f"{junk!r} as a number"
        assert_refused_by_all(estimator, X, bad, y, what, naming=naming, errors=errors)


def check_empty_sequence_refused(name, estimator, container="ragged"):
    """Check that a sequence without steps raises a ValueError.

    For lists, the message must contain its index.
    """
    X, y = example(container), targets(estimator, container)
    if container == "3d":
        bad = X.copy()
        bad[BAD_ROW] = np.nan
    else:
        bad = list(X)
        bad[BAD_ROW] = np.empty((0, 2))
    naming = () if container == "3d" else (BAD_ROW,)
    what = f"sequence {BAD_ROW} without steps"
    assert_refused_by_all(estimator, X, bad, y, what, naming=naming)
