"""Scores of steps, by hand and against scikit-learn on the valid steps."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn import metrics as of_rows
from sklearn.metrics import make_scorer
from sklearn.model_selection import KFold, cross_val_score
from step_examples import LENGTHS, PRED, TRUE, WEIGHTS, padded

from sklearn_rnn import RNNClassifier, RNNRegressor, metrics
from sklearn_rnn.metrics import (
    sequence_accuracy_score,
    step_accuracy_score,
    step_mean_absolute_error,
    step_mean_squared_error,
    step_r2_score,
)

NUMBERS = [
    (step_r2_score, of_rows.r2_score),
    (step_mean_squared_error, of_rows.mean_squared_error),
    (step_mean_absolute_error, of_rows.mean_absolute_error),
]


@pytest.mark.parametrize("ours, theirs", NUMBERS)
def test_numbers_are_scored_over_the_steps_of_all_sequences(ours, theirs):
    expected = theirs(np.concatenate(TRUE), np.concatenate(PRED))
    assert_allclose(ours(TRUE, PRED), expected)
    assert_allclose(ours([t.tolist() for t in TRUE], pd.Series(PRED)), expected)
    assert_allclose(ours(padded(TRUE), padded(PRED)), expected)
    assert_allclose(ours(padded(TRUE), padded(PRED, 7.0)), expected)
    assert_allclose(ours(padded(TRUE, 9.0), PRED), expected)
    assert_allclose(ours(pd.DataFrame(padded(TRUE)), padded(PRED)), expected)


@pytest.mark.parametrize("ours, theirs", NUMBERS)
def test_weights_are_of_steps_or_of_sequences(ours, theirs):
    flat = [np.concatenate(v) for v in (TRUE, PRED, WEIGHTS)]
    expected = theirs(flat[0], flat[1], sample_weight=flat[2])
    assert_allclose(ours(TRUE, PRED, sample_weight=WEIGHTS), expected)
    assert_allclose(
        ours(padded(TRUE), padded(PRED), sample_weight=padded(WEIGHTS)), expected
    )
    by_row = theirs(flat[0], flat[1], sample_weight=np.repeat([1, 2, 3], LENGTHS))
    assert_allclose(ours(TRUE, PRED, sample_weight=[1, 2, 3]), by_row)


@pytest.mark.parametrize("ours, theirs", NUMBERS)
def test_several_numbers_per_step(ours, theirs, rng):
    true, pred = rng.normal(size=(2, 4, 5, 3))
    expected = theirs(true.reshape(-1, 3), pred.reshape(-1, 3))
    assert_allclose(ours(true, pred), expected)


def test_labels_by_hand():
    true = [["D", "N"], ["N", "V", "A"], ["N"]]
    pred = [["D", "V"], ["N", "V", "A"], ["V"]]
    assert step_accuracy_score(true, pred) == 4 / 6
    assert sequence_accuracy_score(true, pred) == 1 / 3
    assert step_accuracy_score(true, pred, sample_weight=[1, 0, 1]) == 1 / 3
    assert sequence_accuracy_score(true, pred, sample_weight=[1, 2, 1]) == 0.5
    table = np.array([["D", "N", "-"], ["N", "V", "A"], ["N", "-", "-"]])
    ragged = np.empty(3, dtype=object)
    ragged[:] = [np.array(row) for row in pred]
    assert step_accuracy_score(table, ragged) == 4 / 6
    assert sequence_accuracy_score(table, ragged) == 1 / 3


def test_step_weights_are_averaged_and_steps_of_weight_zero_ignored():
    true, pred = [["D", "N"], ["N", "V"], ["N"]], [["D", "V"], ["N", "A"], ["N"]]
    weights = [[1.0, 0.0], [1.0, 2.0], [3.0]]
    assert_allclose(
        sequence_accuracy_score(true, pred, sample_weight=weights),
        (0.5 + 3) / (0.5 + 1.5 + 3),
    )
    by_row = [np.full(2, 5), np.full(2, 1), np.full(1, 2)]
    assert sequence_accuracy_score(
        true, pred, sample_weight=by_row
    ) == sequence_accuracy_score(true, pred, sample_weight=[5, 1, 2])


def test_indicator_labels_of_steps():
    true = np.array([[[0, 1], [1, 1]], [[0, 0], [1, 0]]])
    pred = true.copy()
    pred[0, 1, 0] = 0
    assert step_accuracy_score(true, pred) == 0.75
    assert sequence_accuracy_score(true, pred) == 0.5


def test_the_scorers_agree_with_the_estimators(rng):
    X = [rng.normal(size=(n, 1)) for n in rng.integers(2, 6, size=20)]
    sums = [x[:, 0].cumsum() for x in X]
    y = [(s > 0).astype(int) for s in sums]
    given = {"return_sequences": True, "max_epochs": 2, "random_state": 0}
    for model, y_, score in (
        (RNNClassifier("gru", 4, **given), y, step_accuracy_score),
        (RNNRegressor("gru", 4, **given), sums, step_r2_score),
    ):
        fitted = model.fit(X, y_)
        assert_allclose(score(y_, fitted.predict(X)), fitted.score(X, y_))
        by_scorer = cross_val_score(
            model, X, y_, cv=KFold(2), scoring=make_scorer(score)
        )
        assert_allclose(by_scorer, cross_val_score(model, X, y_, cv=KFold(2)))


def test_all_names_are_exported():
    assert all(callable(getattr(metrics, name)) for name in metrics.__all__)
