"""Containers that hold one array or frame per sequence."""

import numpy as np
import pytest

from sklearn_rnn._data.ragged import (
    check_columns,
    drop_padding,
    holds_several,
    object_array,
    split_steps,
)


@pytest.mark.parametrize(
    "rows",
    [
        [np.zeros(2), np.zeros(3)],
        [np.zeros(2), np.zeros(2)],
        [np.zeros((2, 3)), np.zeros((2, 3))],
        [[1, 2], [3, 4]],
        ["ab", None],
        [],
    ],
    ids=["ragged", "equal", "equal 2-D", "lists", "others", "none"],
)
def test_rows_are_elements_whatever_their_shapes(rows):
    array = object_array(rows)
    assert array.dtype == object and array.shape == (len(rows),)
    assert all(element is row for element, row in zip(array, rows, strict=True))


def test_rows_may_come_from_a_generator():
    assert object_array(range(k) for k in (1, 2)).tolist() == [range(1), range(2)]


def test_flat_steps_are_split_by_sequence():
    flat = np.arange(12).reshape(6, 2)
    rows = split_steps(flat, np.array([2, 1, 3]))
    assert rows.dtype == object and rows.shape == (3,)
    assert [row.shape for row in rows] == [(2, 2), (1, 2), (3, 2)]
    np.testing.assert_array_equal(np.concatenate(list(rows)), flat)


def test_sequences_of_equal_length_are_split_into_objects_too():
    rows = split_steps(np.array(["a", "b", "c", "d"]), np.array([2, 2]))
    assert rows.shape == (2,)
    assert [row.tolist() for row in rows] == [["a", "b"], ["c", "d"]]


@pytest.mark.parametrize(
    ("X", "several"),
    [
        (np.zeros(3), False),
        (np.zeros((3, 2)), False),
        (np.zeros((3, 2, 1)), True),
        ([1.0, 2.0], False),
        ([[1.0], [2.0]], True),
        ([np.zeros(3)], True),
        ([], False),
        (1.0, False),
    ],
)
def test_containers_of_several_series_are_recognized(X, several):
    assert holds_several(X) == several


def test_trailing_steps_of_nan_are_dropped():
    values = np.array([[np.nan, 1], [np.nan, np.nan], [2, np.nan], [np.nan, np.nan]])
    np.testing.assert_array_equal(drop_padding(values, "x"), values[:3])
    with pytest.raises(ValueError, match="x has no steps"):
        drop_padding(values[1:2], "x")


def test_frames_of_other_columns_or_among_arrays_are_refused():
    pd = pytest.importorskip("pandas")
    frame, values = pd.DataFrame(np.zeros((3, 2)), columns=["a", "b"]), np.zeros((3, 2))
    check_columns([frame, frame], "series")
    check_columns([values, values], "series")
    for other in (frame[["b", "a"]], values):
        with pytest.raises(ValueError, match="series 1 of X has the columns"):
            check_columns([frame, other], "series")
