"""Steps of sequences stacked to one table, and restored."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from sklearn_rnn.preprocessing._stacked_steps import stack_steps

ROWS = [np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0, 6.0]])]
PADDED = np.array([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [np.nan, np.nan]]])


@pytest.mark.parametrize(
    "X", [ROWS, PADDED, [pd.DataFrame(x, columns=["a", "b"]) for x in ROWS]]
)
def test_steps_are_rows_in_order_without_padding(X):
    stacked = stack_steps(X, None)
    assert_array_equal(np.asarray(stacked.steps), np.concatenate(ROWS))
    assert stacked.lengths.tolist() == [2, 1]


def test_steps_of_a_table_have_the_given_features():
    stacked = stack_steps(np.arange(12.0).reshape(2, 6), 2)
    assert_array_equal(stacked.steps, np.arange(12.0).reshape(6, 2))


def test_results_are_returned_in_the_container_of_the_steps():
    as_list = stack_steps(ROWS, None).restore_container(np.array([[7], [8], [9]]))
    assert isinstance(as_list, list)
    assert [rows.tolist() for rows in as_list] == [[[7], [8]], [[9]]]
    padded = stack_steps(PADDED, None).restore_container(np.array([[7.0], [8], [9]]))
    assert_array_equal(padded, [[[7], [8]], [[9], [np.nan]]])


def test_a_result_with_other_rows_raises_an_error():
    with pytest.raises(ValueError, match="It must return one row"):
        stack_steps(ROWS, None).restore_container(np.ones((2, 1)))


def test_metadata_of_a_sequence_are_repeated_over_its_steps():
    repeated = stack_steps(ROWS, None).repeat_metadata({"weight": [0.5, 2.0]})
    assert list(repeated["weight"]) == [0.5, 0.5, 2.0]


def test_an_error_about_a_value_names_its_sequence_and_step():
    stacked = stack_steps([*ROWS, np.array([[7.0, 8.0], [9.0, np.nan]])], None)
    with pytest.raises(ValueError, match="NaN in sequence 2, step 1"):
        with stacked.name_sequences_in_errors():
            raise ValueError("Input X contains NaN.")


def test_tokens_and_frames_of_other_columns_raise_an_error():
    frames = [pd.DataFrame({"a": [1.0]}), pd.DataFrame({"b": [1.0]})]
    with pytest.raises(ValueError, match=r"sequence 1 of X has the columns \['b'\]"):
        stack_steps(frames, None)
