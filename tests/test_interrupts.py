"""A KeyboardInterrupt at any bytecode leaves the state before or after the call."""

import contextlib
import copy
import sys

import numpy as np
import pytest
import torch
from sklearn.base import clone
from stream_models import QUICK, F, UsersGRU, fitted

from sklearn_rnn import (
    HopfieldDenoiser,
    RNNClassifier,
    RNNForecaster,
    SequenceGenerator,
    WordVectorizer,
)
from sklearn_rnn._core import randomness, threads
from sklearn_rnn._core.device import borrow_default_dtype
from sklearn_rnn._core.randomness import borrow_global_generator
from sklearn_rnn._core.threads import limit_threads, use_one_thread
from sklearn_rnn._training.net import RecurrentNet

N_SAMPLED = 25
X = np.random.default_rng(0).normal(size=(4, 9, F)).astype(np.float32)
TEXTS = ["the cat sat on the mat", "the dog sat on the log"] * 4


def interrupt(act, k, codes=None):
    """Call ``act`` with an interrupt before its ``k``-th bytecode.

    Returns the number of bytecodes if there are fewer. Only the code of this package
    counts, or only ``codes``: an interrupt in a library is one in the call of it.
    """
    n_seen = 0

    def trace(frame, event, arg):
        nonlocal n_seen
        if "/sklearn_rnn/" not in frame.f_code.co_filename:
            return None
        if codes is not None and frame.f_code not in codes:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode":
            n_seen += 1
            if n_seen == k:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        act()
    except KeyboardInterrupt:
        return None
    finally:
        sys.settrace(before)
    return n_seen


def bytecodes(act, request):
    """Return all bytecodes of a call if the slow tests run, otherwise a sample."""
    n = interrupt(act, -1)
    if request.param == "all":
        return range(1, n + 1)
    return np.random.default_rng(n).integers(1, n + 1, N_SAMPLED).tolist()


@pytest.fixture(params=["sample", pytest.param("all", marks=pytest.mark.slow)])
def check(request):
    """Check that an interrupted ``act(make())`` leaves the state before or after it."""

    def check(make, act, look, between=()):
        original = make()
        before, changed = look(original), make()
        act(changed)
        after = look(changed)
        allowed = [before, *between, after]
        another = make()
        for k in bytecodes(lambda: act(another), request):
            thing = make()
            assert interrupt(lambda thing=thing: act(thing), k) is None
            found = look(thing)
            assert any(is_same(found, one) for one in allowed), k

    return check


def is_same(one, other):
    """Return whether two nested structures of arrays are equal bit for bit."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(
            is_same(one[key], other[key]) for key in one
        )
    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(map(is_same, one, other))
    return np.array_equal(one, other)


# -------------------------------------------------- training


@pytest.mark.parametrize(
    ("early_stopping", "n_tried"),
    [(False, 60), pytest.param(True, 1000, marks=pytest.mark.slow)],
)
def test_the_end_of_an_epoch(early_stopping, n_tried):
    """The weights are those after the number of epochs in the history."""
    y = np.arange(len(X)) % 2
    settings = {**QUICK, "hidden_size": 2, "batch_size": 4, "max_epochs": 2}
    model = RNNClassifier(**settings, early_stopping=early_stopping)

    def look(model):
        return model.n_iter_, model.loss_curve_, model.predict_proba(X)

    allowed = [look(clone(model).set_params(max_epochs=n).fit(X, y)) for n in (1, 2)]
    codes = [RecurrentNet._run_epoch.__code__]
    n = interrupt(lambda: clone(model).fit(X, y), -1, codes)
    for k in range(max(n // 2, n - n_tried) + 1, n + 1):  # of the second epoch
        new = clone(model)
        assert interrupt(lambda new=new: new.fit(X, y), k, codes) is None
        assert any(is_same(look(new), one) for one in allowed), k


@pytest.mark.parametrize(
    ("setting", "borrow"),
    [
        (torch.get_num_threads, lambda: limit_threads(1)),
        (torch.get_num_threads, use_one_thread),
        (torch.get_default_dtype, lambda: borrow_default_dtype(torch.float64)),
        (torch.get_rng_state, lambda: borrow_global_generator(0)),
    ],
)
def test_a_changed_setting_is_restored(setting, borrow, monkeypatch):
    # without the lock, as in copy_of
    monkeypatch.setattr(randomness, "_global_torch_generator", contextlib.nullcontext())
    monkeypatch.setattr(threads._linear_algebra, "lock", contextlib.nullcontext())
    n_threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        before = setting()
        with borrow():  # the first time takes more steps
            pass
        with contextlib.ExitStack() as stack:
            n = interrupt(lambda: stack.enter_context(borrow()), -1)
        for k in range(1, n + 1):
            assert interrupt(lambda: borrow().__enter__(), k) is None
            assert is_same(setting(), before), k
    finally:
        torch.set_num_threads(n_threads)


# -------------------------------------------------- streams


def look_at_stream(stream):
    """Return the state of a stream, and its prediction for the next step."""
    state, n = stream._arrays(), stream.n_streams
    if stream.keys is None:
        return state, stream.predict_proba(X[:n, 5])
    return state, stream.predict_proba(dict.fromkeys([*stream.keys, "new"], X[0, 5]))


def copy_of(stream):
    """Return a function that copies a stream.

    The copy has no lock: CPython delivers an interrupt between calls, where the lock
    of a with statement is always released, but not at every bytecode.
    """

    def make():
        twin = stream.copy()
        twin._lock = contextlib.nullcontext()
        return twin

    return make


MODELS = {
    "lstm": {"cell": "lstm", "num_layers": 2, "pooling": "concat"},
    "gru": {"cell": "gru", "pooling": "max"},
    "rnn": {"cell": "rnn", "pooling": "mean"},
    "users": {"cell": UsersGRU, "pooling": "concat"},
    "patches": {"patch_size": 2},
}
COUNTED = {
    "step": lambda stream: stream.predict_proba(X[:2, 3]),
    "chunk": lambda stream: stream.predict_proba([X[0, 3:5], X[1, 3:4]]),
    "reset": lambda stream: stream.reset(1),
    "state": lambda stream: setattr(stream, "state", stream.copy().reset(0).state),
}
KEYED = {
    "step": lambda stream: stream.predict_proba({"b": X[0, 3], "c": X[1, 3]}),
    "chunk": lambda stream: stream.predict_proba({"a": X[0, 3:5], "c": X[1, 3]}),
    "growing": lambda stream: stream.predict_proba(dict.fromkeys(range(9), X[0, 0])),
    "reset": lambda stream: stream.reset(["a"]),
    "state": lambda stream: setattr(stream, "state", stream.copy().reset("a").state),
}


@pytest.mark.parametrize("act", COUNTED)
@pytest.mark.parametrize("model", MODELS)
def test_a_step_of_a_stream(model, act, check):
    stream = fitted(X, **MODELS[model]).stream(2)
    stream.predict(X[:2, :3])
    check(copy_of(stream), COUNTED[act], look_at_stream)


@pytest.mark.parametrize("act", KEYED)
def test_a_step_of_a_stream_by_key(act, check):
    stream = fitted(X, **MODELS["lstm"]).stream(None)
    stream.predict({"a": X[0, 0], "b": X[1, 0]})
    check(copy_of(stream), KEYED[act], look_at_stream)


def test_a_stream_that_turns_to_keys(check):
    stream = fitted(X).stream()
    check(copy_of(stream), lambda s: s.predict_proba({"a": X[0, 0]}), look_at_stream)


@pytest.mark.filterwarnings("ignore:the seasonal naive forecast")
def test_a_step_of_a_forecaster(check):
    model = RNNForecaster(hidden_size=4, max_epochs=1, window=8, horizon=2)
    stream = model.fit(np.sin(np.arange(60.0))).stream()
    stream.predict(np.sin(np.arange(20.0)).reshape(1, -1, 1))
    check(
        copy_of(stream),
        lambda stream: stream.predict(0.5),
        lambda stream: (stream._arrays(), stream.predict(0.7)),
    )


# -------------------------------------------------- sessions


SESSION = {
    "accept": lambda session: session.accept("sat"),
    "several": lambda session: session.accept("sat on the"),
    "the end": lambda session: session.accept("<end>"),
    "pick": lambda session: session.pick(1),
    "undo": lambda session: session.undo(2),
    "branch": lambda session: session.branch().accept("log"),
    "suggest": lambda session: session.suggest(3, prefix="s"),
}


def look_at_session(session):
    """Return the content of a session, and its continuation."""
    seen = session.text, session.to_json(), session.log_probability
    if session.is_over:
        session.undo()
    ahead = session.suggest(99), session.accept("mat").suggest(99)
    words = [[token for token, _ in one] for one in ahead]
    return *seen, words, [[p for _, p in one] for one in ahead]


@pytest.fixture(scope="module")
def session():
    model = SequenceGenerator(WordVectorizer(lowercase=False), **QUICK).fit(TEXTS)
    return model.session("the").accept("cat").accept("sat")


@pytest.mark.parametrize("act", SESSION)
def test_a_step_of_a_session(act, session, check):
    check(session.branch, SESSION[act], look_at_session)


def test_writing_is_interrupted_between_two_steps(session, check):
    def write(session, n_tokens=3):
        return session.write(lambda suggestions: 0, n_tokens)

    between = [look_at_session(write(session.branch(), n)) for n in (1, 2)]
    check(session.branch, write, look_at_session, between)


# -------------------------------------------------- memories


RECALL = {
    "predict": lambda model: model.predict(PATTERNS[:1]),
    "trajectory": lambda model: model.recall(PATTERNS[:1], trace=True),
    "partial_fit": lambda model: model.partial_fit(PATTERNS[2:]),
}
PATTERNS = np.random.default_rng(1).integers(0, 2, (4, 12))


@pytest.mark.parametrize("act", RECALL)
def test_recall(act, check):
    model = HopfieldDenoiser(rule="pseudo_inverse", random_state=0).fit(PATTERNS[:2])
    check(
        lambda: copy.copy(model),
        RECALL[act],
        lambda model: (vars(model).keys(), model.weights_, model.predict(PATTERNS)),
    )
