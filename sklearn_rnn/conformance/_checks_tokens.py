"""Checks with tokens: codes of one vocabulary, padded with 0."""

import numpy as np

from sklearn_rnn._data.tokens import TokenArray
from sklearn_rnn.conformance._examples import VOCABULARY_SIZE, targets, tokens
from sklearn_rnn.conformance._harness import (
    assert_refused_by_all,
    assert_refused_in_answers,
    assert_same,
    collect_answers,
    fit_copy,
)

ERRORS = (ValueError, TypeError)


def check_tokens_are_names(name, estimator):
    """Check that a model fitted on tokens does not accept codes cast to float."""
    X = tokens()
    model = fit_copy(estimator, X, targets(estimator, "tokens"))
    numbers = [row[row > 0].astype(float)[:, None] for row in X.view(np.ndarray)]
    what = "codes that are cast to float"
    assert_refused_in_answers(model, numbers, what, errors=ERRORS)


def check_tokens_in_parts(name, estimator):
    """Check that slices of tokens, also if concatenated, are tokens.

    Their predictions must be the same.
    """
    X = tokens()
    model = fit_copy(estimator, X, targets(estimator, "tokens"))
    expected = collect_answers(model, X)
    joined = np.concatenate([X[:5], X[5:]])
    assert_same(collect_answers(model, joined), expected, "in concatenated slices")
    every_other = {method: rows[::2] for method, rows in expected.items()}
    assert_same(collect_answers(model, X[::2]), every_other, "in a slice")


def check_token_padding(name, estimator):
    """Check that additional columns of code 0 change neither fits nor predictions."""
    X, y = tokens(), targets(estimator, "tokens")
    wider = TokenArray(np.pad(X.view(np.ndarray), ((0, 0), (0, 5))), VOCABULARY_SIZE)
    model = fit_copy(estimator, X, y)
    expected = collect_answers(model, X)
    assert_same(collect_answers(model, wider), expected, "with columns of padding")
    again = collect_answers(fit_copy(estimator, wider, y), X)
    assert_same(again, expected, "after a fit with columns of padding")


def check_other_vocabulary_refused(name, estimator):
    """Check that tokens of another vocabulary raise an error.

    This is required even if all codes are in range.
    """
    model = fit_copy(estimator, tokens(), targets(estimator, "tokens"))
    codes = tokens().view(np.ndarray)
    wider = TokenArray(codes, VOCABULARY_SIZE + 1)
    what = f"a vocabulary of {VOCABULARY_SIZE + 1} instead of {VOCABULARY_SIZE}"
    assert_refused_in_answers(model, wider, what, errors=ERRORS)


def check_broken_codes_refused(name, estimator):
    """Check that codes out of range and misplaced padding raise an error.

    Padding is misplaced inside a row, and if a row consists of nothing else.
    """
    X, y = tokens(), targets(estimator, "tokens")
    breaks = {
        "a code above the vocabulary": (1, 0, VOCABULARY_SIZE),
        "a negative code": (1, 0, -1),
        "padding before the end": (1, 1, 0),
        "a row of only padding": (1, slice(None), 0),
    }
    for what, (row, step, code) in breaks.items():
        bad = X.copy()
        bad[row, step] = code
        assert_refused_by_all(estimator, X, bad, y, what, errors=ERRORS)
