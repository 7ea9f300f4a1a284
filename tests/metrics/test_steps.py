"""Scores of steps, by hand and against scikit-learn on the valid steps."""

import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn import metrics as of_rows
from sklearn.metrics import make_scorer
from sklearn.model_selection import KFold, cross_val_score

from sklearn_rnn import RNNClassifier, RNNRegressor, metrics
from sklearn_rnn.metrics import (
    bleu_score,
    chrf_score,
    mean_absolute_scaled_error,
    sequence_accuracy_score,
    step_accuracy_score,
    step_mean_absolute_error,
    step_mean_squared_error,
    step_r2_score,
    token_accuracy_score,
)

RNG = np.random.default_rng(0)
LENGTHS = [3, 5, 2]
TRUE = [RNG.normal(size=n) for n in LENGTHS]
PRED = [RNG.normal(size=n) for n in LENGTHS]
WEIGHTS = [RNG.uniform(size=n) for n in LENGTHS]

NUMBERS = [
    (step_r2_score, of_rows.r2_score),
    (step_mean_squared_error, of_rows.mean_squared_error),
    (step_mean_absolute_error, of_rows.mean_absolute_error),
]


def padded(rows, filler=np.nan):
    table = np.full((len(rows), max(map(len, rows))), filler)
    for i, row in enumerate(rows):
        table[i, : len(row)] = row
    return table


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
def test_several_numbers_a_step(ours, theirs):
    true, pred = RNG.normal(size=(2, 4, 5, 3))
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


def test_a_sequence_weighs_the_mean_of_its_steps_and_may_err_at_weight_zero():
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


def test_sequences_of_padding_alone_do_not_count():
    true = np.array([[np.nan, np.nan], [1.0, np.nan], [1.0, 0.0]])
    pred = np.array([[0, 0], [1, 1], [0, 0]])
    assert sequence_accuracy_score(true, pred) == 0.5
    assert step_accuracy_score(true, pred) == 2 / 3
    for y in ([], true[:1]):
        with pytest.raises(ValueError, match="no valid step"):
            sequence_accuracy_score(y, y)
        with pytest.raises(ValueError, match="no valid step"):
            step_r2_score(y, y)


def test_answers_padded_by_nan_are_scored_on_ragged_targets():
    expected = of_rows.r2_score(np.concatenate(TRUE), np.concatenate(PRED))
    assert_allclose(step_r2_score(TRUE, padded(PRED)), expected)
    with pytest.raises(ValueError, match="row 0 of y_true"):
        step_r2_score(TRUE, padded(PRED, 7.0))  # answers, which no target judges


def test_indicator_labels_of_steps():
    true = np.array([[[0, 1], [1, 1]], [[0, 0], [1, 0]]])
    pred = true.copy()
    pred[0, 1, 0] = 0
    assert step_accuracy_score(true, pred) == 0.75
    assert sequence_accuracy_score(true, pred) == 0.5


def test_the_scorers_agree_with_the_estimators():
    X = [RNG.normal(size=(n, 1)) for n in RNG.integers(2, 6, size=20)]
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


def test_scaled_errors_by_hand():
    train = [1.0, 2.0, 4.0, 3.0]
    assert_allclose(
        mean_absolute_scaled_error([5, 7], [5, 6], y_train=train), 0.5 / (4 / 3)
    )
    assert_allclose(
        mean_absolute_scaled_error([5, 7], [5, 6], y_train=train, season=2), 0.5 / 2
    )
    two = np.column_stack([train, np.array(train) * 10])
    assert_allclose(
        mean_absolute_scaled_error([[5, 50], [7, 70]], [[5, 50], [6, 60]], y_train=two),
        0.375,
    )
    assert_allclose(
        mean_absolute_scaled_error([5, np.nan], [4, 6], y_train=[1, 2, np.nan, 3]), 1.0
    )
    weighted = mean_absolute_scaled_error(
        [5, 7], [5, 6], y_train=train, sample_weight=[1, 3]
    )
    assert_allclose(weighted, 0.75 / (4 / 3))


def test_each_series_is_scaled_by_its_own_past():
    true, pred = [[5.0], [70.0, 80.0]], [[4.0], [75.0, 80.0]]
    past = [[1.0, 2.0, 4.0, 3.0], [10.0, 20.0]]
    expected = np.mean([1 / (4 / 3), 5 / 10, 0])
    assert_allclose(mean_absolute_scaled_error(true, pred, y_train=past), expected)
    three_d = np.reshape([[1.0, 2.0], [10.0, 20.0]], (2, 2, 1))
    true, pred = np.reshape([[5, 6], [70, 80]], (2, 2, 1)), np.zeros((2, 2, 1))
    assert_allclose(
        mean_absolute_scaled_error(true, pred, y_train=three_d), (5 + 6 + 7 + 8) / 4
    )


def test_forecasts_from_many_origins_share_one_past():
    train = np.array([1.0, 2.0, 4.0, 3.0])
    true, pred = np.array([[5.0, 7.0], [7.0, 8.0]]), np.array([[5.0, 6.0], [7.0, 5.0]])
    assert_allclose(mean_absolute_scaled_error(true, pred, y_train=train), 0.75)
    weighted = mean_absolute_scaled_error(
        true, pred, y_train=train, sample_weight=[3, 1]
    )
    assert_allclose(weighted, (3 * 0.5 + 1.5) / 4 * 0.75)
    channels = np.column_stack([train, 10 * train])
    both = mean_absolute_scaled_error(
        np.stack([true, 10 * true], axis=2),
        np.stack([pred, 10 * true], axis=2),
        y_train=channels,
    )
    assert_allclose(both, 0.375)


def test_rows_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"row 1 of y_true .*that of y_pred"):
        step_r2_score(TRUE, [PRED[0], PRED[0], PRED[2]])
    with pytest.raises(ValueError, match="row 0 of y_true"):
        step_r2_score(padded(TRUE)[:, :2], PRED)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        step_accuracy_score(TRUE, PRED[:2])
    for score in (step_r2_score, sequence_accuracy_score):
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            score(TRUE, PRED, sample_weight=[1, 2])
    for row in ([1.0], np.ones(9), np.ones((5, 1))):
        with pytest.raises(ValueError, match="row 1 of sample_weight"):
            step_r2_score(TRUE, PRED, sample_weight=[WEIGHTS[0], row, WEIGHTS[2]])
    with pytest.raises(ValueError, match=r"row 0 of y_true has the shape \(5,\)"):
        step_r2_score(padded(TRUE), padded(PRED)[:, :3])
    with pytest.raises(ValueError, match=r"row 0 of y_true has the shape \(\)"):
        step_accuracy_score([1, 2], [1, 2])


@pytest.mark.parametrize("score", [step_accuracy_score, sequence_accuracy_score])
def test_text_is_not_compared_with_numbers(score):
    with pytest.raises(ValueError, match=r"row 0 of y_true .* of <U1.* of int64"):
        score([["1"], ["2"]], [[1], [2]])
    with pytest.raises(ValueError, match=r"row 1 of int64\. Give text or numbers"):
        score([["1"], [2]], [["1"], ["2"]])
    objects = np.array([["1", "2"]], dtype=object)
    assert score(objects, [["1", "2"]]) == 1


def test_a_scaled_error_needs_something_to_scale_by():
    with pytest.raises(ValueError, match=r"shape \(1,\) .* of y_pred \(2,\)"):
        mean_absolute_scaled_error([1], [1, 2], y_train=[1, 2])
    with pytest.raises(ValueError, match="has 3 steps"):
        mean_absolute_scaled_error([1], [1], y_train=[1, 2, 3], season=3)
    with pytest.raises(ValueError, match="does not vary"):
        mean_absolute_scaled_error([1], [1], y_train=[2, 2, 2])
    with pytest.raises(ValueError, match="that is known"):
        mean_absolute_scaled_error([1], [1], y_train=[2, np.nan, 2])
    with pytest.raises(ValueError, match="season == 0"):
        mean_absolute_scaled_error([1], [1], y_train=[1, 2], season=0)
    with pytest.raises(ValueError, match="Give the same channels"):
        mean_absolute_scaled_error([[1]], [[1]], y_train=[[[1, 2], [2, 3]]])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        mean_absolute_scaled_error([[1]], [[1]], y_train=[[1, 2], [2, 3]])


def test_a_forecast_of_nan_is_no_forecast():
    with pytest.raises(ValueError, match="contains NaN"):
        mean_absolute_scaled_error([1.0, 2.0], [1.0, np.nan], y_train=[1, 2])


def test_tokens_are_right_place_by_place():
    assert token_accuracy_score(["abc", "xy"], ["abd", "x"]) == 3 / 5
    assert token_accuracy_score([[1, 2]], [[1, 2, 3]]) == 2 / 3
    score = token_accuracy_score(["abc", "xy"], ["abd", "x"], sample_weight=[0, 1])
    assert score == 0.5
    with pytest.raises(ValueError, match="inconsistent"):
        token_accuracy_score(["a"], [])


def test_bleu_and_chrf_are_those_of_sacrebleu(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "sacrebleu", None)
        with pytest.raises(ImportError, match="not installed"):
            bleu_score(["a"], ["a"])
    pytest.importorskip("sacrebleu", reason="sacrebleu is an optional extra")
    texts = ["the cat sat on the mat", "a dog ran far away"]
    assert_allclose([bleu_score(texts, texts), chrf_score(texts, texts)], 100)
    assert chrf_score(texts, texts[::-1]) < 50


def test_all_names_are_there():
    assert all(callable(getattr(metrics, name)) for name in metrics.__all__)
