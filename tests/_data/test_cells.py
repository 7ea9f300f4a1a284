"""Errors name table cells that are not numbers, and say what to do."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import check_array

from sklearn_rnn import RNNClassifier, RNNForecaster, StepwiseTransformer
from sklearn_rnn._data.cells import explain_errors, explain_unreadable, name_in_errors

N = 20
Y = np.arange(N) % 2
COLUMNS = {
    "date": pd.date_range("2020-01-01", periods=N),
    "text": ["a b"] * N,
    "category": pd.Categorical(["a"] * N),
    "list": [[1.0, 2.0]] * N,
    "array": [np.ones(2)] * N,
}
REMEDIES = {
    "date": r"contains dates\. Make it the index with X\.set_index\('date'\)",
    "text": r"contains text\. .* a vectorizer: .*OneHotEncoder",
    "category": r"contains text\. .* a vectorizer: .*OneHotEncoder",
    "list": r"contains sequences\. Convert each row to one array of shape",
    "array": r"contains sequences\. Convert each row to one array of shape",
}


@pytest.mark.parametrize(
    ("read", "kind"),
    [
        (read, kind)
        for read in ("table", "frames", "series", "steps")
        for kind in COLUMNS
        if (read, kind) != ("steps", "category")  # which may be encoded step by step
    ],
)
def test_a_column_of_other_cells_than_numbers_is_named(read, kind):
    frame = pd.DataFrame({kind: COLUMNS[kind], "other": np.ones(N)})
    message = f"Column '{kind}' {REMEDIES[kind]}"
    with pytest.raises(ValueError, match=message):
        if read == "table":
            RNNClassifier().fit(frame, Y)
        elif read == "frames":
            RNNClassifier().fit([frame] * N, Y)
        elif read == "series":
            RNNForecaster().fit(frame)
        else:
            StepwiseTransformer(StandardScaler()).fit(frame)


def test_a_table_of_categories_can_be_encoded_step_by_step():
    frame = pd.DataFrame({"a": COLUMNS["category"], "b": COLUMNS["category"]})
    encoder = StepwiseTransformer(OneHotEncoder())
    assert encoder.fit_transform(frame).shape == (N, 2, 1)


def test_the_first_bad_column_is_named():
    frame = pd.DataFrame({"x": np.ones(N), **COLUMNS})
    assert explain_unreadable(frame).startswith("Column 'date' contains dates.")
    frame = pl.DataFrame({"x": [1, 2], "when": [datetime.date(2020, 1, 1)] * 2})
    assert explain_unreadable(frame) == (
        "Column 'when' contains dates. Drop them, or encode them as numbers."
    )


def test_several_columns_of_sequences_become_one_array_per_row():
    frame = pd.DataFrame({"a": COLUMNS["list"], "b": COLUMNS["list"]})
    assert (
        "Convert each row to one array of shape (n_timesteps, n_features)"
        in explain_unreadable(frame)
    )


@pytest.mark.parametrize(
    "X",
    [
        np.ones((2, 2)),
        [[1, 2], [3, 4]],
        np.array([["1", "2.5"]], dtype=object),
        pd.DataFrame({"x": [1.0, None]}),
        np.array([[{}]], dtype=object),
    ],
)
def test_numbers_and_other_objects_are_not_explained(X):
    assert explain_unreadable(X) == ""


def test_arrays_have_no_names_of_columns():
    X = np.array([[1, "2020-01-01"]], dtype="datetime64[D]")
    assert explain_unreadable(X).startswith("It contains dates. Drop them")
    assert explain_unreadable([["a", 1]]).startswith("It contains text. Convert text")


def test_errors_of_scikit_learn_name_the_argument():
    with pytest.raises(ValueError, match=r"in H: Found array with dim 3"):
        with explain_errors(np.ones((2, 2, 2)), "H"):
            check_array(np.ones((2, 2, 2)))
    with pytest.raises(ValueError, match=r"^X contains"), name_in_errors("X"):
        raise ValueError("X contains")
    with pytest.raises(TypeError, match=r"^in y: no"), name_in_errors("y"):
        raise TypeError("no")


def test_numbers_too_large_for_a_type_raise_an_error_without_a_warning():
    X = np.full((2, 2), 1e300)
    with pytest.raises(ValueError, match="X contains infinity or a value too large"):
        with explain_errors(X):
            check_array(X, dtype=np.float32, input_name="X")
