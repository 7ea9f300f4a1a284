"""Streams: stepping equals reading the whole, and state lives in the stream alone."""

import copy
import json
import pickle
import threading

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_rnn import (
    CharVectorizer,
    RNNClassifier,
    RNNRegressor,
    SequenceGenerator,
    StepwiseTransformer,
    Stream,
    TokenArray,
    WordVectorizer,
    open_stream,
)
from sklearn_rnn._core.threads import threads_for_step
from sklearn_rnn._nn import steppers as _stepper

N, T, F, V = 4, 9, 3, 12
QUICK = {"hidden_size": 5, "max_epochs": 1, "batch_size": 2, "random_state": 0}


class UsersGRU(torch.nn.Module):
    """A state (n_layers, n, H): the sequences are on its second axis."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.gru = torch.nn.GRU(input_size, hidden_size, 2, batch_first=True)

    def forward(self, x, state):
        return self.gru(x, state)


class UsersPlainGRU(UsersGRU):
    """The same with a state (n, H, n_layers)."""

    def forward(self, x, state):
        outputs, state = self.gru(x, None if state is None else state.permute(2, 0, 1))
        return outputs, state.permute(1, 2, 0)


class UsersDecay(torch.nn.Module):
    """Nested states of several types: ((n, H), [(n,) int, None])."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.weight = torch.nn.Linear(input_size, hidden_size)

    def forward(self, x, state):
        if state is None:
            first = x.new_ones(len(x), self.weight.out_features)
            state = first, [torch.zeros(len(x), dtype=torch.long), None]
        (h, (count, nothing)), outputs = state, []
        for step in x.unbind(1):
            count = count + 1
            h = 0.8 * h + torch.tanh(self.weight(step)) / count[:, None]
            outputs.append(h)
        return torch.stack(outputs, 1), (h, [count, nothing])


class ReadingAhead(UsersDecay):
    def forward(self, x, state):
        outputs, state = super().forward(x.flip(1), state)
        return outputs, state


class OneStateForAll(UsersDecay):
    def forward(self, x, state):
        outputs, _ = super().forward(x, None)
        return outputs, outputs.mean(0)


CELLS = {
    "rnn": {"cell": "rnn"},
    "relu": {"cell": "rnn", "activation": "relu", "num_layers": 2},
    "lstm": {"cell": "lstm", "num_layers": 2},
    "gru": {"cell": "gru", "num_layers": 2},
    "lstm, one layer": {"cell": "lstm"},
    "users": {"cell": UsersGRU},
    "users, nested": {"cell": UsersDecay, "num_layers": 2},
}
POOLINGS = {
    **{pooling: {"pooling": pooling} for pooling in ("last", "mean", "max", "concat")},
    "each step": {"return_sequences": True},
}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def X(rng):
    return rng.normal(size=(N, T, F)).astype(np.float32)


def fitted(X, kind=RNNClassifier, **settings):
    model = kind(**(QUICK | settings))
    shape = X.shape[:2] if model.return_sequences else len(X)
    y = np.random.default_rng(1).normal(size=shape)
    return model.fit(X, y > np.median(y) if kind is RNNClassifier else y)


@pytest.fixture
def model(X):
    return fitted(X, pooling="concat")


@pytest.fixture
def one_feature(rng):
    X = rng.normal(size=(N, T, 1))
    return fitted(X, RNNRegressor, cell="lstm"), X


@pytest.fixture(scope="module")
def chars():
    text = "the cat sat on the mat and the dog sat on the log. " * 4
    return SequenceGenerator(**QUICK).fit(text)


def chunks_of(n_steps, rng):
    """Edges of chunks of random lengths."""
    edges = np.sort(rng.choice(np.arange(1, n_steps), 3, replace=False))
    return zip([0, *edges], [*edges, n_steps], strict=True)


def close(found, expected, rtol=1e-5):
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol / 10)


def same_state(one, other):
    assert one.keys() == other.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name], err_msg=name)


# -------------------------------------------------- stepping equals reading the whole


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("cell", CELLS)
def test_stepping_equals_reading_the_whole(cell, pooling, X, rng):
    model = fitted(X, **CELLS[cell], **POOLINGS[pooling])
    stream, chunked = model.stream(N), model.stream(N)
    for t in range(T):
        found = stream.predict_proba(X[:, t])
        whole = model.predict_proba(X[:, : t + 1])
        close(found, whole[:, -1] if model.return_sequences else whole)
    for begin, end in chunks_of(T, rng):
        found = chunked.predict_proba(X[:, begin:end])
        whole = model.predict_proba(X[:, :end])
        close(found, whole[:, begin:] if model.return_sequences else whole)
    found = stream.reset().predict(X)
    np.testing.assert_array_equal(found, model.predict(X))
    assert found.dtype == bool


@pytest.mark.parametrize(
    ("precision", "rtol"), [("float64", 1e-10), ("float32", 1e-5), ("bfloat16", 1e-2)]
)
@pytest.mark.parametrize("pooling", ["last", "concat"])
def test_every_number_type(precision, rtol, pooling, X):
    model = fitted(X, RNNRegressor, precision=precision, pooling=pooling)
    stream = model.stream(N)
    for t in range(T):
        answers = stream.predict(X[:, t])
    close(answers, model.predict(X), rtol)
    number = np.float64 if precision == "float64" else np.float32
    assert stream.state["hidden_0"].dtype == number


@pytest.mark.parametrize(
    ("embedding", "cell"),
    [
        ("auto", "lstm"),
        ("auto", UsersGRU),
        ("onehot", "gru"),
        (3, "rnn"),
        (np.random.default_rng(0).normal(size=(V, 4)), "lstm"),
    ],
    ids=["auto", "of a user", "onehot", "dimension", "vectors"],
)
def test_stepping_through_tokens(embedding, cell, rng):
    codes = TokenArray(rng.integers(1, V, size=(N, T)), V)
    model = fitted(codes, cell=cell, embedding=embedding)
    expected = model.predict_proba(codes)
    plain, chunked = codes.view(np.ndarray), model.stream(N)
    stream = model.stream(N)
    for t in range(T):
        proba = stream.predict_proba(plain[:, t])
    close(proba, expected)
    chunked.predict(codes[:, :4])
    close(chunked.predict_proba(plain[:, 4:]), expected)
    close(model.stream().predict_proba(codes[0]), expected[:1])


def test_too_many_codes_for_a_table_go_through_torch(monkeypatch, rng):
    codes = TokenArray(rng.integers(1, V, size=(N, T)), V)
    model = fitted(codes)
    monkeypatch.setattr(_stepper, "LARGEST_TABLE", 10)
    stream = model.stream(N)
    assert isinstance(stream._stepper, _stepper.TorchStepper)
    for t in range(T):
        proba = stream.predict_proba(np.asarray(codes)[:, t])
    close(proba, model.predict_proba(codes))


def test_padding_of_a_chunk_is_not_read(rng):
    codes = rng.integers(1, V, size=(3, 6))
    lengths = [2, 6, 4]
    for row, length in zip(codes, lengths, strict=True):
        row[length:] = 0
    codes = TokenArray(codes, V)
    for settings in ({}, {"return_sequences": True}):
        model = RNNRegressor(**QUICK, **settings)
        y = rng.normal(size=(3, 6) if settings else 3)
        model.fit(codes, y)
        stream = model.stream(3)
        first = stream.predict(codes)
        assert stream.state["n_steps"].tolist() == lengths
        for found, whole in zip(first, model.predict(codes), strict=True):
            close(found, whole)
        more = stream.predict(codes[:, :2])
        whole = [[*row[:n], *row[:2]] for row, n in zip(codes, lengths, strict=True)]
        for k, row in enumerate(whole):
            answer = model.predict(TokenArray([row], V))[0]
            close(more[k], answer[-2:] if settings else answer)


def test_chunks_of_unequal_lengths(model, X):
    stream = model.stream(N)
    stream.predict([X[0, :3], X[1, :5], X[2, :1], X[3, :8]])
    proba = stream.predict_proba([X[0, 3:], X[1, 5:], X[2, 1:], X[3, 8:]])
    close(proba, model.predict_proba(X))
    padded = X.copy()
    padded[1, 4:] = np.nan
    found = model.stream(N).predict_proba(padded)
    close(found, model.predict_proba(padded))


def test_steps_in_every_shape(one_feature, model, X):
    model_1, X_1 = one_feature
    expected = model_1.predict(X_1[:, :2])
    for shape in [(N, 1), (N,)]:
        stream = model_1.stream(N)
        stream.predict(X_1[:, 0].reshape(shape))
        close(stream.predict(X_1[:, 1].reshape(shape).tolist()), expected)
    for shape in [(1, 1), (1,), ()]:
        stream = model_1.stream()
        stream.predict(X_1[0, 0].reshape(shape))
        close(stream.predict(X_1[0, 1].reshape(shape)), expected[:1])
    close(model_1.stream().predict(0.25), model_1.predict([[0.25]]))
    close(model.stream().predict_proba(X[0, 0]), model.predict_proba(X[:1, :1]))
    integers = np.arange(N)
    close(model_1.stream(N).predict(integers), model_1.predict(integers[:, None]))


def test_answers_have_the_shapes_of_predict(rng, X):
    y = rng.normal(size=(N, 2))
    model = RNNRegressor(**QUICK).fit(X, y)
    assert model.stream(N).predict(X[:, 0]).shape == (N, 2)
    steps = RNNRegressor(**QUICK, return_sequences=True).fit(
        X, rng.normal(size=X.shape)
    )
    assert steps.stream(N).predict(X[:, 0]).shape == (N, F)
    assert steps.stream(N).predict(X[:, :4]).shape == (N, 4, F)
    assert steps.stream().predict(X[:1, :1]).shape == (1, 1, F)
    ragged = steps.stream(2).predict([X[0, :3], X[1, :2]])
    assert ragged.dtype == object
    assert [part.shape for part in ragged] == [(3, F), (2, F)]
    labels = RNNClassifier(**QUICK).fit(X, [[1, 0], [0, 1], [1, 1], [0, 0]])
    close(labels.stream(N).predict_proba(X), labels.predict_proba(X))
    np.testing.assert_array_equal(labels.stream(N).predict(X), labels.predict(X))


def test_only_what_the_model_can_is_there(one_feature, model):
    assert not hasattr(one_feature[0].stream(), "predict_proba")
    assert hasattr(model.stream(), "predict_proba")


def test_a_later_fit_does_not_change_a_stream(model, X):
    expected = model.predict_proba(X)
    stream = model.stream(N)
    stream.predict(X[:, :4])
    model.fit(X[:, :, :2], [1, 0, 1, 0])
    close(stream.predict_proba(X[:, 4:]), expected)


# -------------------------------------------------- keys


@pytest.mark.parametrize("cell", ["lstm", UsersGRU, UsersDecay])
def test_each_key_has_its_own_sequence(cell, X):
    model = fitted(X, cell=cell, pooling="concat")
    stream = model.stream(n_streams=None)
    assert (stream.n_streams, stream.keys) == (0, [])
    read = {}
    for t in range(T):  # sequence k joins at step k
        steps = {k: X[k, t] for k in range(N) if t >= k}
        for k, step in steps.items():
            read.setdefault(k, []).append(step)
        answers = stream.predict_proba(dict(reversed(steps.items())))
        for k, proba in answers.items():
            close(proba, model.predict_proba(np.array([read[k]]))[0])
    assert sorted(stream.keys) == list(range(N))
    assert isinstance(stream.predict({0: X[0, 0]})[0], np.bool_)
    assert stream.predict({}) == {}


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


def test_chunks_by_key_of_any_length(X, rng):
    model = fitted(X, return_sequences=True)
    whole = model.predict_proba(X)
    stream = model.stream(None)
    first = stream.predict_proba({"a": X[0, :2], "b": X[1, :5], "c": X[2, 0]})
    assert {key: len(answer) for key, answer in first.items()} == {
        "a": 2,
        "b": 5,
        "c": 1,
    }
    close(first["b"], whole[1, :5])
    then = stream.predict_proba({"b": X[1, 5:], "a": X[0, 2:], "d": X[3]})
    close(then["a"], whole[0, 2:])
    close(then["d"], whole[3])
    close(stream.predict_proba({"c": X[2, 1]})["c"], whole[2, 1])


def test_tokens_by_key(rng):
    codes = TokenArray(rng.integers(1, V, size=(N, T)), V)
    model = fitted(codes)
    stream = model.stream(None)
    stream.predict({"a": 5, "b": 7})
    found = stream.predict_proba({"a": [3, 4], "b": codes[0], "c": codes[1:2]})
    close(found["a"], model.predict_proba(TokenArray([[5, 3, 4]], V))[0])
    close(found["b"], model.predict_proba(TokenArray([[7, *codes[0]]], V))[0])
    close(found["c"], model.predict_proba(codes[1:2])[0])


def test_a_single_stream_turns_to_keys_while_it_is_untouched(model, chars, X):
    stream = model.stream()
    stream.predict({"sensor-7": X[0, 0]})
    assert stream.keys == ["sensor-7"]
    assert chars.stream().predict({"a": "the"}).keys() == {"a"}
    for n in (1, 2):
        stream = model.stream(n)
        if n == 1:
            stream.predict(X[0, 0])
        with pytest.raises(ValueError, match=r"was given keys.*n_streams=None"):
            stream.predict({"sensor-7": X[0, 0]})
        assert stream.keys is None


# -------------------------------------------------- reset, copy, state


@pytest.mark.parametrize(
    ("which", "rows"),
    [(None, [0, 1, 2, 3]), (2, [2]), ([0, 3], [0, 3]), (-1, [3]), ([], [])],
)
def test_reset_begins_anew(which, rows, model, X):
    stream = model.stream(N)
    stream.predict(X)
    proba = stream.reset(which).predict_proba(X)
    twice = model.predict_proba(np.concatenate([X, X], axis=1))
    twice[rows] = model.predict_proba(X)[rows]
    close(proba, twice)


def test_reset_by_mask(model, X):
    stream = model.stream(N)
    stream.predict(X)
    stream.reset(np.array([True, False, False, True]))
    assert stream.state["n_steps"].tolist() == [0, T, T, 0]


@pytest.mark.parametrize("which", [7, [0, 7], "sensor", [True, False], 1.5])
def test_reset_of_what_is_not_there_resets_nothing(which, model, X):
    stream = model.stream(N)
    stream.predict(X)
    with pytest.raises(ValueError, match=r"is not among the 4 stream"):
        stream.reset(which)
    assert stream.state["n_steps"].tolist() == [T] * N
    by_key = model.stream(None)
    by_key.predict({"a": X[0, 0]})
    with pytest.raises(ValueError, match=r"no sequence has the key 'b'"):
        by_key.reset(["a", "b"])
    assert by_key.keys == ["a"]


@pytest.mark.parametrize("again", ["copy", "deepcopy", "pickle", "shallow"])
@pytest.mark.parametrize("keyed", [False, True])
def test_copies_go_their_own_way(again, keyed, model, X):
    def steps(t):
        return {"a": X[0, t], 7: X[1, t]} if keyed else X[:, t]

    stream = model.stream(None if keyed else N)
    for t in range(3):
        stream.predict(steps(t))
    twin = {
        "copy": Stream.copy,
        "deepcopy": copy.deepcopy,
        "pickle": lambda s: pickle.loads(pickle.dumps(s)),
        "shallow": copy.copy,
    }[again](stream)
    same_state(twin.state, stream.state)
    for t in range(3, T):
        found = stream.predict_proba(steps(t))
    twin.predict(steps(0))
    if keyed:
        twin.reset("a")
        assert "a" in stream.keys
        found = np.array([found["a"], found[7]])
    close(found, model.predict_proba(X[: len(found)]))
    assert twin.state["n_steps"].tolist() == ([4] if keyed else [4] * N)


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


def test_the_state_of_an_lstm_is_named(X):
    stream = fitted(X, cell="lstm", num_layers=2, pooling="concat").stream(N)
    state = stream.state
    shapes = {name: array.shape for name, array in state.items()}
    assert shapes == {
        "model": (),
        "n_steps": (N,),
        **{f"{part}_{k}": (N, 5) for part in ("hidden", "cell") for k in range(2)},
        "sum": (N, 5),
        "max": (N, 5),
    }
    state["hidden_0"][:] = 9  # a copy
    assert not stream.state["hidden_0"].any()


def without(state, name):
    return {key: array for key, array in state.items() if key != name}


BROKEN = {
    "of another model": (lambda s: s | {"model": np.array("0")}, "of another model"),
    "no fingerprint": (lambda s: without(s, "model"), "of another model"),
    "missing": (lambda s: without(s, "cell_0"), r"lacks \['cell_0'\]"),
    "surplus": (lambda s: s | {"more": s["cell_0"]}, r"has \['more'\] too many"),
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
    "of another type": (
        lambda s: s | {"cell_0": s["cell_0"].astype(str)},
        "cell_0 .* dtype <U",
    ),
    "negative": (lambda s: s | {"n_steps": -s["n_steps"]}, "negative"),
    "by key": (lambda s: s | {"keys": np.array('["a"]')}, "was given keys"),
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


@pytest.mark.parametrize("keys", ["no json", '["a", "a"]', '{"a": 0}', "7", '[["a"]]'])
def test_keys_of_a_state_are_checked(keys, model, X):
    stream = model.stream(None)
    stream.predict({"a": X[0, 0], "b": X[1, 0]})
    before = stream.state
    assert json.loads(str(before["keys"])) == ["a", "b"]
    with pytest.raises((ValueError, TypeError), match="key"):
        stream.state = before | {"keys": np.array(keys)}
    with pytest.raises(ValueError, match="no keys"):
        stream.state = without(before, "keys")
    same_state(stream.state, before)


def test_other_weights_or_activations_are_another_model(X):
    states = [
        fitted(X, cell="rnn", **settings).stream().state["model"]
        for settings in ({}, {"activation": "relu"}, {"random_state": 1})
    ]
    assert len(set(map(str, states))) == 3
    assert str(fitted(X, cell="rnn").stream().state["model"]) == str(states[0])


def test_saving_is_all_or_nothing(model, X, tmp_path, monkeypatch):
    path = tmp_path / "state.npz"
    stream = model.stream(N)
    stream.predict(X[:, :2])
    stream.save(path)
    saved = stream.state
    stream.predict(X[:, 2:])

    def fails(file, **arrays):
        file.write(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez", fails)
    with pytest.raises(OSError, match="no space"):
        stream.save(path)
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
    with pytest.raises(ValueError, match=r"is not a file that Stream\.save wrote"):
        stream.load(path)
    same_state(stream.state, before)
    with pytest.raises(FileNotFoundError):
        stream.load(tmp_path / "none")


def test_a_step_costs_no_memory(one_feature):
    stream = one_feature[0].stream()
    sizes = set()
    for t in range(500):
        stream.predict(np.sin(t))
        sizes.add(sum(array.nbytes for array in stream.state.values()))
    assert len(sizes) == 1
    assert stream.state["n_steps"].tolist() == [500]


# -------------------------------------------------- bad input


BAD_STEPS = {
    "NaN": (np.full((2, F), np.nan), "x contains NaN"),
    "too large": (np.full((2, F), 1e300), "too large for dtype..float32"),
    "features": (np.zeros((2, F + 1)), r"shape \(2, 4\) for 2 stream.s. of 3 feature"),
    "streams": (np.zeros((3, F)), r"shape \(3, 3\) for 2 stream.s. of 3 feature"),
    "flat": (np.zeros(2 * F), r"expected \(2, 3\), or \(2, n_timesteps, 3\)"),
    "text": (["a", "b"], "expected real numbers.*Text becomes sequences"),
    "complex": (np.zeros((2, F), complex), "dtype complex128"),
    "objects": ([[{}] * F] * 2, "cannot be read as numbers"),
    "chunk of others": (np.zeros((3, 2, F)), "chunks for 3 streams, expected 2"),
    "chunk's features": (np.zeros((2, 2, F + 1)), "X has 4 features per step"),
    "chunk of NaN": (np.full((2, 2, F), np.inf), "sequence 0, step 0"),
    "no steps": (np.zeros((2, 0, F)), "sequence 0 of X has no steps"),
    "keys": ({"a": np.zeros(F)}, "was given keys"),
}


@pytest.mark.parametrize("bad", BAD_STEPS)
def test_a_bad_step_moves_nothing(bad, X):
    model = fitted(X)
    stream = model.stream(2)
    stream.predict(X[:2, 0])
    before = stream.state
    x, message = BAD_STEPS[bad]
    with pytest.raises(ValueError, match=message):
        stream.predict(x)
    same_state(stream.state, before)


BAD_CODES = {
    "padding": ([0, 4], "holds the code 0"),
    "unknown": ([4, V], f"holds the code {V}; the vocabulary has the codes 1..11"),
    "numbers": ([1.5, 2.5], "fitted on codes; expected integers"),
    "text": (["a", "b"], "Text becomes sequences"),
    "streams": ([4, 5, 6], "3 codes for 2 stream"),
    "chunk": ([[4, 5], [6, V]], r"codes must lie in 0\.\.11"),
    "other vocabulary": (TokenArray([[4], [5]], V + 1), "vocabulary of size 13"),
    "no steps": (TokenArray([[4, 5], [0, 0]], V), "sequence 1 of X has no steps"),
}


@pytest.mark.parametrize("bad", BAD_CODES)
def test_a_bad_code_moves_nothing(bad, rng):
    model = fitted(TokenArray(rng.integers(1, V, size=(N, T)), V))
    stream = model.stream(2)
    stream.predict([4, 5])
    before = stream.state
    x, message = BAD_CODES[bad]
    with pytest.raises(ValueError, match=message):
        stream.predict(x)
    same_state(stream.state, before)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        ({"a": np.zeros(F), "b": np.zeros(F + 1)}, ValueError, "features|shape"),
        ({"a": np.zeros(F), "b": np.full(F, np.nan)}, ValueError, "stream 1 of 2"),
        ({"a": np.zeros((2, F)), "c": np.zeros((2, 2, F))}, ValueError, "shape"),
        ({("tuple",): np.zeros(F)}, TypeError, "expected str or int"),
        ({True: np.zeros(F)}, TypeError, "expected str or int"),
        (np.zeros((1, F)), ValueError, "this stream goes by key"),
    ],
)
def test_bad_steps_by_key_move_nothing(x, error, message, model, X):
    stream = model.stream(None)
    stream.predict({"a": X[0, 0]})
    before = stream.state
    with pytest.raises(error, match=message):
        stream.predict(x)
    same_state(stream.state, before)


def test_a_cell_that_fails_in_a_chunk_moves_nothing(X, monkeypatch):
    model = fitted(X, cell=UsersDecay)
    stream, by_key = model.stream(N), model.stream(None)
    stream.predict(X[:, :2])
    by_key.predict({"a": X[0, 0]})
    before = stream.state, by_key.state
    calls, forward = [], UsersDecay.forward

    def fails(self, x, state):
        calls.append(1)
        if len(calls) % 3 == 0:
            raise RuntimeError("out of memory")
        return forward(self, x, state)

    monkeypatch.setattr(UsersDecay, "forward", fails)
    with pytest.raises(RuntimeError, match="memory"):
        stream.predict(X[:, 2:])
    with pytest.raises(RuntimeError, match="memory"):
        by_key.predict({"a": X[0, 1:], "b": X[1]})
    same_state(stream.state, before[0])
    same_state(by_key.state, before[1])


# -------------------------------------------------- models that have no streams


def test_models_that_need_the_end_refuse(X):
    with pytest.raises(ValueError, match="needs the end of a sequence before its"):
        fitted(X, bidirectional=True).stream()
    with pytest.raises(ValueError, match=f"input_length={T}"):
        fitted(X, input_length=T).stream()
    for model in (RNNClassifier(), RNNRegressor(), SequenceGenerator()):
        with pytest.raises(NotFittedError):
            model.stream()


@pytest.mark.parametrize("n_streams", [0, -1, 1.0, True, "2"])
def test_the_number_of_streams_is_checked(n_streams, model):
    with pytest.raises(ValueError, match="n_streams must be an integer of at least 1"):
        model.stream(n_streams)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (ReadingAhead, "the cell reads ahead"),
        (OneStateForAll, r"of 3 sequences \(1, 5\).*one axis has to be"),
    ],
)
def test_cells_that_cannot_be_stepped_refuse(cell, message, X):
    with pytest.raises(ValueError, match=message):
        fitted(X, cell=cell).stream()


# -------------------------------------------------- threads


def test_a_stream_by_key_serves_many_threads(model, X):
    stream = model.stream(None)
    failures = []

    def serve(k):
        try:
            for t in range(T):
                proba = stream.predict_proba({k: X[k % N, t]})[k]
            close(proba, model.predict_proba(X[k % N : k % N + 1])[0])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=serve, args=(k,)) for k in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert stream.state["n_steps"].tolist() == [T] * 12


def test_streams_of_one_model_in_many_threads(X):
    model = fitted(X, cell=UsersGRU)
    expected, found = model.predict_proba(X), {}

    def serve(k):
        stream = model.stream()
        for step in X[k]:
            found[k] = stream.predict_proba(step)

    threads = [threading.Thread(target=serve, args=(k,)) for k in range(N)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in range(N):
        close(found[k][0], expected[k])


def test_threads_are_put_back_whatever_the_order_of_leaving():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        first, second = threads_for_step(10**6), threads_for_step(10**6)
        first.__enter__()
        assert torch.get_num_threads() == 1
        second.__enter__()
        first.__exit__(None, None, None)
        second.__exit__(None, None, None)
        assert torch.get_num_threads() == 2
        with threads_for_step(10**9):
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


# -------------------------------------------------- generators


def test_a_generator_foretells_after_each_token(chars):
    stream, text = chars.stream(), "the dog sat"
    for k, character in enumerate(text):
        proba = stream.predict_proba(character)
        close(proba, chars.predict_proba(text[: k + 1]))
    stream.reset()
    assert stream.predict("the ")[0] == chars.predict("the ")[0]
    assert proba.shape == (1, len(chars.classes_))
    assert proba.sum() == pytest.approx(1)


def test_texts_of_unequal_lengths_and_by_key(chars):
    stream = chars.stream(2)
    stream.predict(["the", "on the m"])
    whole = chars.predict_proba(["the cat", "on the mat"])
    close(stream.predict_proba([" cat", "at"]), whole)
    by_key = chars.stream(None)
    by_key.predict({"a": "the"})
    found = by_key.predict_proba({"b": "on the mat", "a": " cat"})
    close([found["a"], found["b"]], whole)
    again = chars.stream(None)
    again.state = by_key.state
    close(again.predict_proba({"a": "."})["a"], chars.predict_proba("the cat.")[0])


@pytest.mark.parametrize(
    "settings", [{"cell": UsersPlainGRU}, {"precision": "bfloat16"}]
)
def test_generators_that_go_through_torch(settings):
    model = SequenceGenerator(**QUICK, **settings).fit("the cat sat on the mat " * 4)
    stream = model.stream(2)
    stream.predict(["th", "ca"])
    stream.reset(1)
    found = stream.predict_proba(["e c", "a"])
    rtol = 1e-2 if "precision" in settings else 1e-5
    for row, text in zip(found, ["the c", "a"], strict=True):
        close(row, model.predict_proba(text)[0], rtol)


def test_words_tokens_and_codes():
    documents = ["the cat sat", "the dog ran", "a cat ran"] * 2
    words = SequenceGenerator(WordVectorizer(), **QUICK).fit(documents)
    stream = words.stream()
    stream.predict("the cat")
    close(stream.predict_proba("ran"), words.predict_proba("the cat ran"))

    notes = SequenceGenerator(**QUICK).fit([[60, (1, 2), "x"], [64, 60]] * 3)
    stream = notes.stream()
    for token in (60, (1, 2)):
        stream.predict(token)
    expected = notes.predict_proba([[60, (1, 2), "x", 64]])
    close(stream.predict_proba(["x", 64]), expected)
    several = notes.stream(2)
    several.predict([60, [60, (1, 2)]])
    close(several.predict_proba([[(1, 2), "x", 64], ["x", 64]]), expected.repeat(2, 0))

    vectorizer = CharVectorizer().fit(documents)
    codes = vectorizer.transform(["the cat", "a dog"])
    model = SequenceGenerator(**QUICK).fit(codes)
    stream = model.stream(2)
    stream.predict(codes[:, :2])
    stream.predict(np.asarray(codes)[:, 2])
    found = stream.predict_proba([codes[0, 3:], np.asarray(codes)[1, 3:5]])
    close(found, model.predict_proba(codes))


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        ("", ValueError, "no token for stream 0 of 1"),
        (["a", "b"], ValueError, "2 chunks of text for 1 stream"),
        (7, TypeError, "document 0 is 7"),
    ],
)
def test_bad_text_moves_nothing(x, error, message, chars):
    stream = chars.stream()
    stream.predict("the")
    before = stream.state
    with pytest.raises(error, match=message):
        stream.predict(x)
    same_state(stream.state, before)


def test_unknown_tokens_are_named(chars):
    with pytest.warns(UserWarning, match="does not know: 'Q'"):
        chars.stream().predict("Q")


# -------------------------------------------------- pipelines


@pytest.mark.parametrize("n_streams", [N, None])
def test_a_stream_through_stepwise_transformers(n_streams, X):
    X = X * [1, 10, 100] + 5
    model = make_pipeline(
        "passthrough",
        StepwiseTransformer(StandardScaler()),
        RNNClassifier(**QUICK, pooling="mean"),
    ).fit(X, [0, 1, 0, 1])
    expected = model.predict_proba(X)
    stream = open_stream(model, n_streams)
    for t in range(4):
        stream.predict(X[:, t] if n_streams else dict(enumerate(X[:, t])))
    if n_streams:
        found = stream.predict_proba(X[:, 4:])
    else:
        stream.predict({0: X[0, 4:6], 1: X[1, 4:], 2: X[2, 4], 3: X[3, 4:]})
        found = stream.predict_proba({0: X[0, 6:], 2: X[2, 5:]})
        expected, found = expected[[0, 2]], np.array([found[0], found[2]])
    close(found, expected)
    twin = pickle.loads(pickle.dumps(stream))
    same_state(twin.state, stream.state)


def test_a_stream_through_transformers_of_rows(rng):
    X = rng.normal(size=(20, F)) * [1, 10, 100]
    model = make_pipeline(StandardScaler(), RNNRegressor(**QUICK, input_size=F))
    model.fit(X, X.sum(1))
    stream = open_stream(model, 20)
    close(stream.predict(X), model.predict(X))
    chunked = open_stream(model, 2)
    inner, scaled = model[-1], model[0].transform(X)
    found = chunked.predict(X[:8].reshape(2, 4, F))
    close(found, inner.predict(scaled[:8].reshape(2, 4, F)))
    ragged = open_stream(model, 2).predict([X[:3], X[3:8]])
    close(ragged, inner.predict([scaled[:3], scaled[3:8]]))


def test_missing_values_reach_an_imputer(X):
    from sklearn.impute import SimpleImputer

    model = make_pipeline(
        StepwiseTransformer(SimpleImputer()), RNNRegressor(**QUICK)
    ).fit(X, X.sum((1, 2)))
    step = np.full((1, F), np.nan)
    expected = model.predict([np.concatenate([X[0], step])])
    stream = open_stream(model)
    stream.predict(X[:1])
    close(stream.predict(step), expected)


def test_a_stream_of_text_through_a_vectorizer():
    texts = ["good good day", "bad day", "good film", "bad bad"]
    for vectorizer in (CharVectorizer(), WordVectorizer()):
        model = make_pipeline(vectorizer, RNNClassifier(**QUICK)).fit(texts, [1, 0] * 2)
        stream = open_stream(model, 2)
        stream.predict(["good ", "bad day "])
        whole = model.predict_proba(["good day", "bad day good"])
        close(stream.predict_proba(["day", "good"]), whole)
        by_key = open_stream(model, None)
        by_key.predict({"a": "good "})
        close(by_key.predict_proba({"a": "day"})["a"], whole[0])
    single = open_stream(model)
    close(single.predict_proba("good day"), whole[:1])
    writer = make_pipeline(CharVectorizer(), SequenceGenerator(**QUICK)).fit(texts)
    stream = open_stream(writer)
    stream.predict("go")
    close(stream.predict_proba("od"), writer.predict_proba(["good"]))


def test_open_stream_takes_models_alone(model, X):
    close(open_stream(model, N).predict_proba(X), model.predict_proba(X))
    pipeline = make_pipeline(model)
    close(open_stream(pipeline, N).predict_proba(X), model.predict_proba(X))


def test_pipelines_that_cannot_be_stepped_refuse(X, rng):
    table = rng.normal(size=(N, T))
    whole = make_pipeline(StandardScaler(), RNNRegressor(**QUICK)).fit(table, range(N))
    with pytest.raises(ValueError, match=r"StandardScaler transforms whole sequences"):
        open_stream(whole)
    function = make_pipeline(FunctionTransformer(), RNNRegressor(**QUICK))
    with pytest.raises(ValueError, match=r"StepwiseTransformer\(FunctionTransformer"):
        open_stream(function.fit(X, range(N)))
    for settings in ({"boundaries": True}, {"max_length": 2}):
        text = make_pipeline(CharVectorizer(**settings), RNNRegressor(**QUICK))
        text.fit(["ab", "ba"], [0, 1])
        with pytest.raises(ValueError, match=next(iter(settings))):
            open_stream(text)
    with pytest.raises(TypeError, match="StandardScaler has no streams"):
        open_stream(StandardScaler())
    with pytest.raises(TypeError, match="best_estimator_"):
        open_stream(GridSearchCV(RNNRegressor(), {}))
    with pytest.raises(NotFittedError):
        open_stream(make_pipeline(CharVectorizer(), RNNRegressor()))
