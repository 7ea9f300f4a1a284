"""Streams by key: each key has a row of the state."""

import numpy as np
import pytest
from stream_models import close

from sklearn_rnn.streaming._keys import KeyedRows


def test_keys_leave_and_their_room_is_used_again(model, X):
    stream = model.stream(n_streams=None)
    stream.predict({f"k{i}": X[0, 0] for i in range(20)})
    n_rows = stream._stepper.n_streams
    for t in range(60):
        stream.predict({f"new {t}": X[0, 0], "k3": X[0, 1]})
        stream.reset(f"new {t}")
    assert stream._stepper.n_streams == n_rows < 40
    assert stream.n_streams == 20
    stream.reset(["k0", "k0", "k1"])
    assert "k1" not in stream.keys
    again = stream.predict_proba({"k0": X[1, 0]})["k0"]
    close(again, model.predict_proba(X[1:2, :1])[0])
    assert stream.reset().keys == []


# -------------------------------------------------- rows alone


@pytest.fixture
def keyed():
    """Three rows, of which the keys "a" and 7 have the first two."""
    keyed = KeyedRows(3)
    keyed.add(keyed.rows_of(["a", 7])[1])
    return keyed


def test_new_keys_get_the_first_free_rows(keyed):
    assert keyed.rows == {"a": 0, 7: 1}
    rows, joining = keyed.rows_of(["b", "a", 7])
    assert rows.tolist() == [2, 0, 1] and rows.dtype == np.intp
    assert joining == {"b": 2}


def test_rows_are_set_aside_and_taken_only_by_add(keyed):
    for _ in range(2):
        rows, joining = keyed.rows_of(["b"])
        assert rows.tolist() == [2]
    assert keyed.rows == {"a": 0, 7: 1} and keyed.free == [2]
    keyed.add(joining)
    assert keyed.rows == {"a": 0, 7: 1, "b": 2} and keyed.free == []


def test_rows_are_doubled_until_they_suffice(keyed):
    rows, joining = keyed.rows_of(list("bcdef"))
    assert keyed.n_rows == 12
    assert sorted(rows) == rows.tolist() == [2, 3, 4, 5, 6]
    keyed.add(joining)
    assert sorted(keyed.free) == [7, 8, 9, 10, 11]


def test_rows_of_removed_keys_are_taken_first(keyed):
    assert keyed.remove(["a"]) == [0]
    assert keyed.rows == {7: 1}
    rows, joining = keyed.rows_of(["b", "c"])
    assert rows.tolist() == [0, 2] and keyed.n_rows == 3
    keyed.add(joining)
    assert keyed.rows == {7: 1, "b": 0, "c": 2}


def test_keys_are_selected_once_and_in_their_order(keyed):
    assert keyed.select(None) == ["a", 7]
    assert keyed.select("a") == ["a"] and keyed.select(7) == [7]
    assert keyed.select([7, "a", 7]) == [7, "a"]
    assert keyed.select(np.int64(7)) == [7]
    assert keyed.select([]) == []


def test_an_absent_key_is_named(keyed):
    with pytest.raises(ValueError, match="no sequence has the key 'z'"):
        keyed.select(["a", "z"])


@pytest.mark.parametrize("key", [True, 1.0, None, ("a",), b"a"])
def test_keys_are_texts_or_integers(keyed, key):
    with pytest.raises(TypeError, match="expected str or int"):
        keyed.rows_of(["b", key])
    assert keyed.rows == {"a": 0, 7: 1} and keyed.free == [2]
