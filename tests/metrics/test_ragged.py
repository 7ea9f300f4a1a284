"""Rows of any length: accepted containers, and valid steps."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import metrics as of_rows
from step_examples import PRED, TRUE, WEIGHTS, padded

from sklearn_rnn.metrics import (
    sequence_accuracy_score,
    step_accuracy_score,
    step_r2_score,
)
from sklearn_rnn.metrics._ragged import (
    align_steps,
    as_rows,
    concatenate_steps,
    count_axes,
)


@pytest.mark.parametrize(
    ("y", "n_axes"),
    [
        ([], 1),
        ([1.0, 2.0], 1),
        (np.zeros(3), 1),
        (pd.Series([1.0, 2.0]), 1),
        ([[1.0], [2.0, 3.0]], 2),
        (pd.Series([[1.0], [2.0, 3.0]]), 2),
        ([np.zeros((2, 3)), np.zeros((4, 3))], 3),
        (np.zeros((2, 3)), 2),
        (pd.DataFrame({"a": [1.0]}), 2),
        (np.zeros((2, 3, 4)), 3),
    ],
)
def test_a_list_has_one_axis_more_than_its_entries(y, n_axes):
    assert count_axes(y) == n_axes


@pytest.mark.parametrize(
    "y",
    [
        [[1, 2], [3]],
        ([1, 2], [3]),
        pd.Series([[1, 2], [3]], index=[7, 7]),
        [np.array([1, 2]), np.array([3])],
    ],
    ids=["list", "tuple", "Series", "arrays"],
)
def test_rows_of_any_container_become_arrays(y):
    first, second = as_rows(y, "y")
    assert_array_equal(first, [1, 2])
    assert_array_equal(second, [3])


def test_rows_of_a_frame_are_its_rows_and_not_its_columns():
    first, second = as_rows(pd.DataFrame({"a": [1, 2], "b": [3, 4]}), "y")
    assert_array_equal(first, [1, 3])
    assert_array_equal(second, [2, 4])


@pytest.mark.parametrize(
    "y", [[[1], 2], [[[1]], [[1, 2]]], [[1], [[1]]], [[[[1]]]]], ids=str
)
def test_rows_of_other_shapes_are_named(y):
    with pytest.raises(ValueError, match=rf"row {len(y) - 1} of y_train has the shape"):
        as_rows(y, "y_train")


def test_steps_that_are_nan_in_any_output_of_the_truth_do_not_count():
    true = [np.array([[1.0, 2.0], [np.nan, 3.0], [4.0, 5.0]])]
    pred = [np.array([[6.0, 7.0], [8.0, 9.0], [0.0, 1.0]])]
    ((y, answer, weight),) = align_steps(true, pred, [[3, 4, 5]])
    assert_array_equal(y, [[1, 2], [4, 5]])
    assert_array_equal(answer, [[6, 7], [0, 1]])
    assert_array_equal(weight, [3, 5])


def test_steps_have_the_weight_of_their_sequence_or_one():
    for given, expected in ((None, ([1, 1], [1])), ([2, 3], ([2, 2], [3]))):
        rows = align_steps([[1, 2], [3]], [[1, 2], [4]], given)
        for (_, _, weight), wanted in zip(rows, expected, strict=True):
            assert_array_equal(weight, wanted)


def test_weights_of_a_frame_are_those_of_its_rows():
    weights = pd.DataFrame({"first": [1.0, 2.0], "second": [3.0, 4.0]})
    first, second = align_steps([[5, 6]] * 2, [[5, 6]] * 2, weights)
    assert_array_equal(first[2], [1, 3])
    assert_array_equal(second[2], [2, 4])


def test_steps_of_all_sequences_are_concatenated_in_order():
    rows = align_steps([[1, 2], [3]], [[4, 5], [6]], [[7, 8], [9]])
    for joined, expected in zip(
        concatenate_steps(rows), ([1, 2, 3], [4, 5, 6], [7, 8, 9]), strict=True
    ):
        assert_array_equal(joined, expected)


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


def test_predictions_padded_with_nan_are_scored_on_ragged_targets():
    expected = of_rows.r2_score(np.concatenate(TRUE), np.concatenate(PRED))
    assert_allclose(step_r2_score(TRUE, padded(PRED)), expected)
    with pytest.raises(ValueError, match="row 0 of y_true"):
        step_r2_score(TRUE, padded(PRED, 7.0))  # predictions without a target


def test_rows_that_do_not_match_are_named():
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
    with pytest.raises(ValueError, match=r"row 0 of y_true .* type <U1.* type int64"):
        score([["1"], ["2"]], [[1], [2]])
    with pytest.raises(ValueError, match=r"row 1 has the type int64\. Pass either"):
        score([["1"], [2]], [["1"], ["2"]])
    objects = np.array([["1", "2"]], dtype=object)
    assert score(objects, [["1", "2"]]) == 1
