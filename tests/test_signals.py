"""Signals at random times in fits and searches leave the old or a new model.

Each case runs in a separate process. A SIGINT is handled there: after it, the model
must predict as before or as after a shorter training, and a new fit must work.
A SIGTERM or SIGKILL ends the process, and with it all that was not saved; the file of
the old model must be intact.
"""

import os
import pickle
import signal
import subprocess
import sys

import numpy as np
import pytest

SIGKILL = getattr(signal, "SIGKILL", None)  # not on Windows
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

CODE = """
import pickle, signal, sys, threading, time, warnings

import numpy as np
from sklearn.model_selection import GridSearchCV
from sklearn_rnn import *

warnings.simplefilter("ignore")
name, path, delay, number = sys.argv[1], sys.argv[2], *map(float, sys.argv[3:])
given = {"random_state": 0}
if name != "machine":
    given["hidden_size"] = 4
X = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
texts = ["anna ate", "otto ran"] * 10
bits = (X > 0).astype(float)
model, data, answer = {
    "classifier": (RNNClassifier, (X, X[:, 0] > 0), lambda m: m.predict_proba(X)),
    "search": (RNNClassifier, (X, X[:, 0] > 0), lambda m: m.predict_proba(X)),
    "forecaster": (RNNForecaster, (X[:, 0],), lambda m: m.predict(horizon=2)),
    "generator": (SequenceGenerator, (texts,), lambda m: m.score(texts)),
    "translator": (SequenceTranslator, (texts, texts), lambda m: m.predict(texts)),
    "machine": (BoltzmannMachine, (bits,), lambda m: m.score_samples(bits)),
}[name]
model = model(**given)
if name != "machine":
    model.set_params(n_iter_no_change=10**6)
model.set_params(max_epochs=2).fit(*data)
old = answer(model)
with open(path, "wb") as file:
    pickle.dump((model, old), file)
model.set_params(max_epochs=10**6, random_state=1)
fitter = model
if name == "search":
    fitter = GridSearchCV(model, {"hidden_size": [3, 4]}, cv=2, n_jobs=2)
signal.signal(signal.SIGINT, signal.default_int_handler)
stop = lambda: signal.raise_signal(int(number))
timer = threading.Timer(delay, stop) if number != signal.SIGINT else threading.Timer(
    delay, lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
)
timer.start()
try:
    fitter.fit(*data)
except KeyboardInterrupt:
    pass
new = answer(model)
if not np.array_equal(new, old):
    epochs = model.n_iter_
    same = model.__class__(**{**model.get_params(), "max_epochs": epochs}).fit(*data)
    assert np.array_equal(answer(same), new), "neither the old model nor a new one"
model.set_params(max_epochs=2, random_state=0).fit(*data)
assert np.array_equal(answer(model), old), "the next fit is another one"
print("old" if np.array_equal(new, old) else "new")
"""

NAMES = ["classifier", "forecaster", "generator", "translator", "machine"]


def run(name, path, delay, number):
    """Run the code, and return its exit code and what it printed."""
    # Workers of a killed search run on for a while, and would keep a pipe open.
    pipe = subprocess.PIPE if number == signal.SIGINT else subprocess.DEVNULL
    done = subprocess.run(
        [sys.executable, "-c", CODE, name, str(path), str(delay), str(int(number))],
        stdout=pipe,
        stderr=pipe,
        text=True,
        timeout=120,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    return done.returncode, (done.stdout or "").strip(), done.stderr


def check_interrupt(name, path, delay):
    code, printed, errors = run(name, path, delay, signal.SIGINT)
    assert code == 0, errors
    assert printed in ("old", "new")


def check_kill(name, path, delay, number):
    code, _, errors = run(name, path, delay, number)
    assert code == -number, errors
    with open(path, "rb") as file:
        model, old = pickle.load(file)
    X = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
    np.testing.assert_array_equal(model.predict_proba(X), old)


@pytest.mark.slow
def test_an_interrupt_leaves_the_old_model_or_a_complete_new_one(tmp_path):
    delay = np.random.default_rng(0).uniform(0, 0.3)
    check_interrupt("classifier", tmp_path / "model", delay)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("name", NAMES)
def test_interrupts_at_random_times(name, seed, tmp_path):
    delay = np.random.default_rng(seed).uniform(0, 0.6) ** 2
    check_interrupt(name, tmp_path / "model", delay)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_interrupts_of_a_search_leave_its_estimator_alone(seed, tmp_path):
    delay = np.random.default_rng(seed).uniform(0.5, 8)
    check_interrupt("search", tmp_path / "model", delay)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, SIGKILL])
@pytest.mark.parametrize("name", ["classifier", "search"])
@pytest.mark.parametrize("seed", range(3))
def test_killed_fits_and_searches_leave_the_saved_model(name, number, seed, tmp_path):
    delay = np.random.default_rng(seed).uniform(0, 3)
    check_kill(name, tmp_path / "model", delay, number)
