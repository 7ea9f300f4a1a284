"""States of streams by key."""

import numpy as np
import pytest
from stream_models import close

from sklearn_rnn.streaming._keys import KeyedStates, check_key


def test_keys_leave_and_their_room_is_used_again(model, X):
    stream = model.stream(n_streams=None)
    stream.predict({f"k{i}": X[0, 0] for i in range(20)})
    n_rows = len(stream._keyed._table["n_steps"])
    for t in range(60):
        stream.predict({f"new {t}": X[0, 0], "k3": X[0, 1]})
        stream.reset(f"new {t}")
    assert len(stream._keyed._table["n_steps"]) == n_rows < 40
    assert stream.n_streams == 20
    stream.reset(["k0", "k0", "k1"])
    assert "k1" not in stream.keys
    again = stream.predict_proba({"k0": X[1, 0]})["k0"]
    close(again, model.predict_proba(X[1:2, :1])[0])
    assert stream.reset().keys == []


# -------------------------------------------------- rows alone

BEGINNING = {"n_steps": np.zeros(1, int), "hidden_0": np.zeros((1, 2))}


def put(keyed, keys, value):
    """Add or update ``keys``, with ``value`` as their number of steps."""
    change = keyed.locate(keys)
    states = {"n_steps": np.full(len(keys), value), "hidden_0": np.ones((len(keys), 2))}
    keyed.put(change, states)
    return change.rows.tolist()


def steps_of(keyed):
    return dict(zip(keyed.keys, keyed.state["n_steps"].tolist(), strict=True))


@pytest.fixture
def keyed():
    """Three rows; the keys "a" and 7 have the first two."""
    keyed = KeyedStates(BEGINNING, 3)
    assert put(keyed, ["a", 7], 1) == [0, 1]
    return keyed


def test_new_keys_get_the_first_free_rows(keyed):
    change = keyed.locate(["b", "a", 7])
    assert change.rows.tolist() == [2, 0, 1] and change.rows.dtype == np.intp
    assert change.states["n_steps"].tolist() == [0, 1, 1]
    assert change.joining == {"b": 2}


def test_keys_join_when_their_states_are_put(keyed):
    for _ in range(2):
        change = keyed.locate(["b"])
        assert change.rows.tolist() == [2]
    assert steps_of(keyed) == {"a": 1, 7: 1}
    keyed.put(change, {"n_steps": np.array([5])})
    assert steps_of(keyed) == {"a": 1, 7: 1, "b": 5}
    assert keyed.locate(["c"]).rows.tolist() == [3]


def test_rows_are_doubled_until_they_suffice(keyed):
    assert put(keyed, list("bcdef"), 2) == [2, 3, 4, 5, 6]
    assert steps_of(keyed) == {"a": 1, 7: 1} | dict.fromkeys("bcdef", 2)
    assert len(keyed._table["n_steps"]) == 12
    assert keyed.locate(list("ghijk")).rows.tolist() == [7, 8, 9, 10, 11]


def test_rows_of_removed_keys_are_taken_first_and_begin_anew(keyed):
    keyed.remove(["a"])
    assert steps_of(keyed) == {7: 1}
    assert keyed.locate(["b"]).states["n_steps"].tolist() == [0]
    assert put(keyed, ["b", "c"], 3) == [0, 2]
    assert len(keyed._table["n_steps"]) == 3
    assert steps_of(keyed) == {7: 1, "b": 3, "c": 3}


@pytest.mark.parametrize("act", [lambda k: put(k, list("abcdef"), 2), "remove"])
def test_a_change_that_was_recorded_is_completed_by_the_next_call(act, keyed):
    class Interrupted(KeyedStates):
        def _complete(self):
            if self._change is not None and vars(self).get("fails"):
                self._rows.update(self._change.joining)  # half of it
                raise KeyboardInterrupt
            super()._complete()

    keyed.__class__ = Interrupted
    keyed.fails = True
    with pytest.raises(KeyboardInterrupt):
        keyed.remove(["a"]) if act == "remove" else act(keyed)
    keyed.fails = False
    after = {7: 1} if act == "remove" else {"a": 2, 7: 1} | dict.fromkeys("bcdef", 2)
    assert steps_of(keyed) == after
    free = 12 - 7 if act != "remove" else 2
    assert len(set(keyed._free)) == len(keyed._free) == free


def test_keys_are_selected_once_and_in_their_order(keyed):
    assert keyed.select(None) == ["a", 7]
    assert keyed.select("a") == ["a"] and keyed.select(7) == [7]
    assert keyed.select([7, "a", 7]) == [7, "a"]
    assert keyed.select(np.int64(7)) == [7]
    assert keyed.select([]) == []


def test_an_absent_key_is_named(keyed):
    with pytest.raises(ValueError, match="no sequence has the key 'z'"):
        keyed.select(["a", "z"])


@pytest.mark.parametrize("key", [True, 1.5, None, ("a",), b"a"])
def test_keys_are_texts_or_integers(keyed, key):
    with pytest.raises(TypeError, match="expected str or int"):
        keyed.locate(["b", key])
    with pytest.raises(TypeError, match="expected str or int"):
        check_key(key)
    assert steps_of(keyed) == {"a": 1, 7: 1}
