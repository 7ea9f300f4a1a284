"""The state of streams as named arrays: checks, and files."""

import json
import pickle

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from stream_models import QUICK, N, T, UsersDecay, close, fitted, same_state

from sklearn_rnn import RNNClassifier, RNNRegressor, StepwiseTransformer, open_stream
from sklearn_rnn._core import container
from sklearn_rnn.streaming._state_file import (
    check_state,
    read_keys,
    read_state,
    write_state,
)


@pytest.mark.parametrize("cell", ["lstm", UsersDecay])
@pytest.mark.parametrize("keyed", [False, True])
def test_state_can_be_set_and_saved(cell, keyed, X, tmp_path):
    model = fitted(X, cell=cell, num_layers=2, pooling="concat")

    def steps(t):
        return {"a": X[0, t], 7: X[1, t]} if keyed else X[:2, t]

    n_streams = None if keyed else 2
    stream = model.stream(n_streams)
    stream.predict(steps(0))
    stream.predict(steps(1))
    state = stream.state
    assert all(type(array) is np.ndarray for array in state.values())
    assert all(array.dtype.kind in "iufU" for array in state.values())
    path = tmp_path / "state"
    assert stream.save(path).n_streams == 2
    assert list(tmp_path.iterdir()) == [path]
    for other in (model.stream(n_streams), pickle.loads(pickle.dumps(stream))):
        other.state = state
        same_state(other.state, state)
    other = model.stream(n_streams).load(path)
    same_state(other.state, state)
    for t in range(2, T):
        expected, found = stream.predict_proba(steps(t)), other.predict_proba(steps(t))
    if keyed:
        assert other.keys == ["a", 7]
        found, expected = np.array(list(found.values())), np.array([*expected.values()])
    np.testing.assert_array_equal(found, expected)
    close(found, model.predict_proba(X[:2]))


def without(state, name):
    return {key: array for key, array in state.items() if key != name}


BROKEN = {
    "of another model": (lambda s: s | {"model": np.array("0")}, "to another model"),
    "no fingerprint": (lambda s: without(s, "model"), "to another model"),
    "missing": (lambda s: without(s, "cell_0"), r"lacks the arrays \['cell_0'\]"),
    "surplus": (lambda s: s | {"more": s["cell_0"]}, r"unknown arrays \['more'\]"),
    "of other shape": (
        lambda s: s | {"cell_0": s["cell_0"][:, :2]},
        r"cell_0 .* shape \(4, 2\); .* \(4, 5\)",
    ),
    "of other number": (
        lambda s: {k: a[:2] if a.ndim else a for k, a in s.items()},
        r"n_steps .* shape \(2,\)",
    ),
    "NaN": (lambda s: s | {"cell_0": s["cell_0"] * np.nan}, "cell_0 .* NaN"),
    "infinite maximum": (lambda s: s | {"max": s["max"] - np.inf}, "max .* infinity"),
    "a large output": (lambda s: s | {"hidden_0": s["hidden_0"] + 9}, "hidden_0 .* 1"),
    "a large cell": (lambda s: s | {"cell_0": s["cell_0"] + 99}, "cell_0 .* above 9"),
    "a large sum": (lambda s: s | {"sum": s["sum"] - 99}, "sum .* above 9"),
    "a large maximum": (lambda s: s | {"max": s["max"] + 2}, "max .* above 1"),
    "of fewer steps": (lambda s: s | {"n_steps": s["n_steps"] * 0}, "above 0"),
    "too many steps": (
        lambda s: s | {"n_steps": np.full(N, 2**63 - 1)},
        "n_steps of the state contains values above",
    ),
    "objects": (lambda s: s | {"sum": s["sum"].astype(object)}, "sum .* dtype object"),
    "ragged": (lambda s: s | {"sum": [[1], [2, 3]]}, "sum .* is not an array"),
    "None": (lambda s: None, "a state must be a dict of arrays.*got None"),
    "a list": (lambda s: [s], "a state must be a dict"),
    "other names": (lambda s: {1: 2}, "a state must be a dict"),
    "of another type": (
        lambda s: s | {"cell_0": s["cell_0"].astype(str)},
        "cell_0 .* dtype <U",
    ),
    "negative": (lambda s: s | {"n_steps": -s["n_steps"]}, "negative"),
    "by key": (lambda s: s | {"keys": np.array('["a"]')}, "keys were given"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_state_that_does_not_fit_is_refused(broken, X):
    model = fitted(X, cell="lstm", pooling="concat")
    stream = model.stream(N)
    stream.predict(X)
    before = stream.state
    change, message = BROKEN[broken]
    with pytest.raises(ValueError, match=message):
        stream.state = change(before)
    same_state(stream.state, before)


@pytest.mark.parametrize("name", ["patch", "hidden_0", "sum"])
def test_only_a_maximum_may_be_infinite_before_the_first_patch(name, X):
    stream = fitted(X, patch_size=4, pooling="concat").stream(N)
    stream.predict(X[:, 0])
    before = stream.state
    stream.state = before
    with pytest.raises(ValueError, match=f"{name} .* NaN"):
        stream.state = before | {name: before[name] * np.nan}
    same_state(stream.state, before)


@pytest.mark.parametrize(
    "keys",
    [
        "no json",
        '["a", "a"]',
        '{"a": 0}',
        "7",
        '[["a"]]',
        "[1.5]",
        "[true]",
        "[null]",
        "[" * 60_000,
    ],
)
def test_keys_of_a_state_are_checked(keys, model, X):
    stream = model.stream(None)
    stream.predict({"a": X[0, 0], "b": X[1, 0]})
    before = stream.state
    assert json.loads(str(before["keys"])) == ["a", "b"]
    with pytest.raises(ValueError, match="key"):
        stream.state = before | {"keys": np.array(keys)}
    with pytest.raises(ValueError, match="no keys"):
        stream.state = without(before, "keys")
    same_state(stream.state, before)


def test_saving_is_all_or_nothing(model, X, tmp_path, monkeypatch):
    path = tmp_path / "state.npz"
    stream = model.stream(N)
    stream.predict(X[:, :2])
    stream.save(path)
    saved = stream.state
    stream.predict(X[:, 2:])

    def fails(number):
        raise OSError("no space left")

    monkeypatch.setattr(container.os, "fsync", fails)
    with pytest.raises(OSError, match="no space"):
        stream.save(path)
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == [path]
    same_state(stream.load(path).state, saved)


@pytest.mark.parametrize("damage", ["cut", "text", "pickled", "array", "flipped"])
def test_files_that_cannot_be_read_are_refused(damage, model, X, tmp_path):
    path = tmp_path / "state.npz"
    stream = model.stream(N)
    stream.predict(X)
    stream.save(path)
    content = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "text":
        path.write_text("hello")
    elif damage == "pickled":
        np.savez(path, **stream.state | {"n_steps": np.array([print])})
    elif damage == "array":
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    else:
        content[content.index(b"hidden_0") + 200] ^= 255
        path.write_bytes(content)
    before = stream.state
    with pytest.raises(ValueError, match=r"state\.npz' cannot be read: it"):
        stream.load(path)
    same_state(stream.state, before)
    with pytest.raises(FileNotFoundError):
        stream.load(tmp_path / "none")


def test_a_model_of_other_classes_or_scaling_is_another_model(X, rng):
    y = np.array([0, 1, 0, 1])
    names = [np.array(["a", "b"])[y], np.array(["a", "c"])[y]]
    scales = [np.arange(N), np.arange(N) * 2.0]
    for kind, targets in ((RNNClassifier, names), (RNNRegressor, scales)):
        one, other = (kind(**QUICK).fit(X, y) for y in targets)
        stream = other.stream()
        with pytest.raises(ValueError, match="to another model"):
            stream.state = one.stream().state


def test_another_scaler_before_the_model_is_another_model(X):
    pipeline = make_pipeline(
        StepwiseTransformer(StandardScaler()), RNNRegressor(**QUICK)
    )
    stream = open_stream(pipeline.fit(X, range(N)))
    again = open_stream(pickle.loads(pickle.dumps(pipeline)))
    again.state = stream.state
    pipeline[0].transformer_.mean_ += 1
    with pytest.raises(ValueError, match="to another model"):
        open_stream(pipeline).state = stream.state


# -------------------------------------------------- files and arrays alone


STATE = {"n_steps": np.array([2, 0]), "hidden_0": np.ones((2, 3), np.float32)}
BEGINNING = {"n_steps": np.zeros(1, np.int64), "hidden_0": np.zeros((1, 3), np.float32)}


def test_arrays_come_back_from_a_file(tmp_path):
    for path in (tmp_path / "state", str(tmp_path / "state.npz")):
        write_state(path, STATE)
        same_state(read_state(path), STATE)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["state", "state.npz"]


def test_an_interrupt_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "state"
    write_state(path, STATE)

    def interrupted(number):
        raise KeyboardInterrupt

    monkeypatch.setattr(container.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_state(path, {})
    assert list(tmp_path.iterdir()) == [path]
    same_state(read_state(path), STATE)


def test_a_checked_state_has_the_types_of_the_beginning():
    given = {
        "n_steps": STATE["n_steps"].astype(np.int32),
        "hidden_0": STATE["hidden_0"].astype(np.float64),
    }
    found = check_state(given, BEGINNING, 2)
    same_state(found, STATE)
    assert {name: array.dtype for name, array in found.items()} == {
        name: array.dtype for name, array in BEGINNING.items()
    }


def test_the_maximum_of_a_sequence_that_has_read_nothing_is_infinite():
    state = STATE | {"max": np.array([[1.0] * 3, [-np.inf] * 3], np.float32)}
    beginning = BEGINNING | {"max": np.full((1, 3), -np.inf, np.float32)}
    assert check_state(state, beginning, 2)["max"][1].tolist() == [-np.inf] * 3
    with pytest.raises(ValueError, match="max of the state contains NaN or infinity"):
        check_state(state | {"n_steps": np.array([2, 1])}, beginning, 2)


def test_no_sequence_is_a_state_too():
    empty = {name: array[:0] for name, array in STATE.items()}
    assert check_state(empty, BEGINNING, 0)["hidden_0"].shape == (0, 3)


def test_keys_are_read_in_their_order():
    assert read_keys(np.array('["b", 7, "a"]')) == ["b", 7, "a"]
    assert read_keys(np.array("[]")) == []


@pytest.mark.parametrize("text", ["", "{}", '["a", "a"]', '[["a"]]', "null"])
def test_other_lists_of_keys_are_refused(text):
    with pytest.raises(ValueError, match="expected a JSON list of distinct keys"):
        read_keys(np.array(text))
