"""Streams: predictions equal those for whole sequences; only streams have a state."""

import copy
import pickle
import threading

import numpy as np
import pytest
from stream_models import (
    QUICK,
    N,
    T,
    UsersDecay,
    UsersGRU,
    UsersPlainGRU,
    V,
    close,
    fitted,
    same_state,
)

from sklearn_rnn import (
    CharVectorizer,
    SequenceGenerator,
    Stream,
    TokenArray,
    WordVectorizer,
)
from sklearn_rnn._nn import steppers as _stepper


class WithoutMemory(UsersDecay):
    def forward(self, x, state):
        return super().forward(x, None)


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
    "patches": {"patch_size": 4},
    "patches, last": {"patch_size": 2, "pooling": "last", "scaling": False},
}


def chunks_of(n_steps, rng):
    """Draw the edges of chunks of random lengths."""
    edges = np.sort(rng.choice(np.arange(1, n_steps), 3, replace=False))
    return zip([0, *edges], [*edges, n_steps], strict=True)


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


@pytest.mark.parametrize("embedding", ["auto", "onehot"])
def test_streams_read_any_number_of_codes(embedding, monkeypatch, rng):
    codes = TokenArray(rng.integers(1, V, size=(N, T)), V)
    model = fitted(codes, embedding=embedding)
    monkeypatch.setattr(_stepper, "LARGEST_TABLE", 10)
    stream = model.stream(N)
    assert isinstance(stream._stepper, _stepper.NumpyStepper)
    for t in range(T):
        proba = stream.predict_proba(np.asarray(codes)[:, t])
    close(proba, model.predict_proba(codes))


def test_chunks_of_unequal_lengths(model, X):
    stream = model.stream(N)
    stream.predict([X[0, :3], X[1, :5], X[2, :1], X[3, :8]])
    proba = stream.predict_proba([X[0, 3:], X[1, 5:], X[2, 1:], X[3, 8:]])
    close(proba, model.predict_proba(X))
    padded = X.copy()
    padded[1, 4:] = np.nan
    found = model.stream(N).predict_proba(padded)
    close(found, model.predict_proba(padded))


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


def test_a_single_new_stream_accepts_keys(model, chars, X):
    stream = model.stream()
    stream.predict({"sensor-7": X[0, 0]})
    assert stream.keys == ["sensor-7"]
    assert chars.stream().predict({"a": "the"}).keys() == {"a"}
    for n in (1, 2):
        stream = model.stream(n)
        if n == 1:
            stream.predict(X[0, 0])
        with pytest.raises(ValueError, match=r"keys were given.*n_streams=None"):
            stream.predict({"sensor-7": X[0, 0]})
        assert stream.keys is None


# -------------------------------------------------- reset, copy, state


@pytest.mark.parametrize(
    ("which", "rows"),
    [(None, [0, 1, 2, 3]), (2, [2]), ([0, 3], [0, 3]), (-1, [3]), ([], [])],
)
def test_reset_begins_new_sequences(which, rows, model, X):
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
def test_reset_of_unknown_streams_or_keys_raises_an_error(which, model, X):
    stream = model.stream(N)
    stream.predict(X)
    with pytest.raises(ValueError, match=r"does not select any of the 4 stream"):
        stream.reset(which)
    assert stream.state["n_steps"].tolist() == [T] * N
    by_key = model.stream(None)
    by_key.predict({"a": X[0, 0]})
    with pytest.raises(ValueError, match=r"no sequence has the key 'b'"):
        by_key.reset(["a", "b"])
    assert by_key.keys == ["a"]


@pytest.mark.parametrize("again", ["copy", "deepcopy", "pickle", "shallow"])
@pytest.mark.parametrize("keyed", [False, True])
def test_copies_are_independent(again, keyed, model, X):
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


def test_states_of_models_with_other_weights_or_activations_are_refused(X):
    states = [
        fitted(X, cell="rnn", **settings).stream().state["model"]
        for settings in ({}, {"activation": "relu"}, {"random_state": 1})
    ]
    assert len(set(map(str, states))) == 3
    assert str(fitted(X, cell="rnn").stream().state["model"]) == str(states[0])


def test_a_step_allocates_no_memory(one_feature):
    stream = one_feature[0].stream()
    sizes = set()
    for t in range(500):
        stream.predict(np.sin(t))
        sizes.add(sum(array.nbytes for array in stream.state.values()))
    assert len(sizes) == 1
    assert stream.state["n_steps"].tolist() == [500]


# -------------------------------------------------- bad input


def test_an_error_of_a_cell_in_a_chunk_leaves_the_state_unchanged(X, monkeypatch):
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


@pytest.mark.parametrize("n_before", range(4))
def test_an_error_of_a_cell_within_a_patch_leaves_the_state_unchanged(
    n_before, X, monkeypatch
):
    stream = fitted(X, cell=UsersDecay, patch_size=3).stream(N)
    for t in range(n_before):
        stream.predict(X[:, t])
    before = stream.state

    def fails(self, x, state):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(UsersDecay, "forward", fails)
    with pytest.raises(RuntimeError, match="memory"):
        stream.predict(X[:, n_before])
    same_state(stream.state, before)


# -------------------------------------------------- models that have no streams


@pytest.mark.parametrize("n_streams", [0, -1, 1.0, True, "2"])
def test_the_number_of_streams_is_checked(n_streams, model):
    with pytest.raises(ValueError, match="n_streams must be an integer of at least 1"):
        model.stream(n_streams)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (WithoutMemory, "or keeps values outside its state"),
        (OneStateForAll, r"\(1, 5\) for 3 sequences.*one axis must be"),
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


@pytest.mark.parametrize("name", ["keys", "n_streams"])
def test_keys_wait_for_the_step_of_another_thread(name, model, X):
    stream = model.stream(None)
    stream.predict({"a": X[0, 0]})
    found = []
    reader = threading.Thread(target=lambda: found.append(getattr(stream, name)))
    with (
        stream._lock
    ):  # as during a step, which reading the keys would otherwise complete
        reader.start()
        reader.join(0.05)
        assert found == []
    reader.join()
    assert found in ([["a"]], [1])


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


# -------------------------------------------------- generators


def test_a_generator_predicts_after_each_token(chars):
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
    words = SequenceGenerator(WordVectorizer(lowercase=False), **QUICK).fit(documents)
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
def test_bad_text_leaves_the_state_unchanged(x, error, message, chars):
    stream = chars.stream()
    stream.predict("the")
    before = stream.state
    with pytest.raises(error, match=message):
        stream.predict(x)
    same_state(stream.state, before)


def test_unknown_tokens_are_named(chars):
    with pytest.warns(UserWarning, match="does not know: 'Q'"):
        chars.stream().predict("Q")
