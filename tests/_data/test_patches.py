"""Patches of successive steps."""

import numpy as np
import pytest

from sklearn_rnn._data.patches import choose_patch_size, join_steps
from sklearn_rnn._data.sequences import from_array, from_ragged


def test_a_patch_is_its_steps_side_by_side():
    X = np.arange(24.0).reshape(2, 6, 2)
    found = join_steps(from_array(X), 3)
    assert (found.input_size, found.lengths.tolist()) == (6, [2, 2])
    np.testing.assert_array_equal(found.values, X.reshape(4, 6))


def test_an_incomplete_patch_is_filled_with_zeros():
    found = join_steps(from_ragged([[1.0, 2, 3], [4.0], [5.0, 6]]), 2)
    assert found.lengths.tolist() == [2, 1, 1]
    assert found.starts.tolist() == [0, 2, 3]
    assert found.values.tolist() == [[1, 2], [3, 0], [4, 0], [5, 6]]


def test_padding_is_left_out():
    X = np.array([[[1.0], [np.nan], [np.nan]], [[4.0], [5.0], [6.0]]])
    found = join_steps(from_array(X), 2)
    assert found.values.tolist() == [[1, 0], [4, 5], [6, 0]]


def test_patch_size_one_keeps_the_steps():
    sequences = from_ragged([[1.0, 2, 3]])
    assert join_steps(sequences, 1) is sequences


@pytest.mark.parametrize(
    "lengths, size",
    [([1, 2, 3], 1), ([100], 1), ([101], 2), ([427], 7), ([10, 500, 600], 8)],
)
def test_long_sequences_are_divided_into_about_64_patches(lengths, size):
    assert choose_patch_size(np.array(lengths)) == size
