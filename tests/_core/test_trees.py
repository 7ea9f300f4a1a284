"""Nested values as JSON and arrays."""

import numpy as np
import pytest

from sklearn_rnn._core.trees import TEXT, flatten_tree, unflatten_tree

TREE = {
    "numbers": [1, -2.5, 0.1 + 0.2, float("inf"), float("-inf"), True, None],
    3: ("a", {"é": [np.arange(3), np.ones((2, 2), np.float32)]}),
    "array": {"array": "0"},
    "empty": [{}, [], ()],
}


def test_a_tree_is_restored():
    found = unflatten_tree(flatten_tree(TREE))
    np.testing.assert_equal(found, TREE)
    assert list(map(type, found["numbers"])) == list(map(type, TREE["numbers"]))
    assert type(found[3]) is tuple
    assert found[3][1]["é"][1].dtype == np.float32


def test_numpy_numbers_become_plain_numbers():
    found = unflatten_tree(flatten_tree([np.float32(0.5), np.int8(3), np.bool_(True)]))
    assert found == [0.5, 3, True]
    assert list(map(type, found)) == [float, int, bool]
    assert np.isnan(unflatten_tree(flatten_tree([np.nan]))[0])


@pytest.mark.parametrize("value", [object(), {1, 2}, len, b"", np.random.PCG64(0)])
def test_other_objects_are_an_error(value):
    with pytest.raises(TypeError, match="cannot be stored"):
        flatten_tree({"a": [value]})


@pytest.mark.parametrize("text", ["{", '{"array": "9"}', '{"a": 1}', "{}", "[" * 10**5])
def test_damaged_trees_are_an_error(text):
    arrays = {TEXT: np.frombuffer(text.encode(), np.uint8)}
    with pytest.raises(ValueError, match="not well-formed"):
        unflatten_tree(arrays)
    with pytest.raises(ValueError, match="not well-formed"):
        unflatten_tree({})
