"""Checks of estimators that accept text: vectorizers and pipelines."""

from unittest import SkipTest

import numpy as np

from sklearn_rnn._data.ragged import object_array
from sklearn_rnn.conformance._examples import (
    TEXTS,
    example,
    series_of,
    targets,
)
from sklearn_rnn.conformance._harness import (
    assert_finite,
    assert_refused_by_all,
    assert_same,
    assert_same_from,
    collect_answers,
    fit_copy,
)

ERRORS = (ValueError, TypeError)


def check_text_containers(name, estimator):
    """Check that a list, a tuple and arrays of texts are equivalent."""
    X = example("text")
    others = {
        "a tuple": TEXTS,
        "an array of str": np.array(X),
        "an object array": object_array(X),
    }
    assert_same_from(estimator, X, others, targets(estimator, "text"))


def check_text_series(name, estimator):
    """Check that a pandas Series of str is equivalent to a list, for any index."""
    X = example("text")
    assert_same_from(
        estimator, X, {"a Series": series_of(X)}, targets(estimator, "text")
    )


def check_bare_string_refused(name, estimator):
    """Check that a single str, which is not a list of documents, raises an error."""
    X, y = example("text"), targets(estimator, "text")
    bare = "a" * len(X)
    skip_if_one_document(name, estimator, bare, y)
    what = "a bare str"
    assert_refused_by_all(estimator, X, bare, y, what, errors=ERRORS)


def skip_if_one_document(name, estimator, text, y):
    """Skip if a single str gets the same predictions as in a list."""
    model = fit_copy(estimator, example("text"), y)
    try:
        alone, listed = (collect_answers(model, X) for X in (text, [text]))
    except ERRORS:
        return
    assert_same(alone, listed, "outside a list")
    raise SkipTest(f"{name} accepts a single str as one document")


def check_non_text_refused(name, estimator):
    """Check that None, NaN or a number as a document raises an error with its index."""
    X, y = example("text"), targets(estimator, "text")
    for junk in (None, float("nan"), 3.5):
        bad = [*X[:7], junk, *X[8:]]
        what = f"{junk!r} as document 7"
        assert_refused_by_all(estimator, X, bad, y, what, naming=(7,), errors=ERRORS)


def check_empty_document(name, estimator):
    """Check that an empty document is accepted in fit and gets a finite prediction."""
    X, y = example("text"), targets(estimator, "text")
    model = fit_copy(estimator, X, y)
    try:
        given = collect_answers(model, ["", X[0]])
    except ValueError as error:
        assert "0" in str(error), f"the error does not name document 0: {error}"
        raise SkipTest(f"{name} rejects empty documents: {error}") from None
    assert {len(rows) for rows in given.values()} == {2}
    assert_finite(given, "if sequence 0 is empty")
    with_empty = ["", *X[1:]]
    given = collect_answers(fit_copy(estimator, with_empty, y), with_empty)
    assert_finite(given, "after a fit with an empty document")


def check_unseen_characters(name, estimator):
    """Check that documents with unknown characters get finite predictions.

    The documents also contain words that did not occur in fit.
    """
    model = fit_copy(estimator, example("text"), targets(estimator, "text"))
    given = collect_answers(
        model, ["zzz", "\u00e9t\u00e9 \u4f60\u597d", "\U0001f409 7"]
    )
    assert {len(rows) for rows in given.values()} == {3}
    assert_finite(given, "with characters that did not occur in fit")
