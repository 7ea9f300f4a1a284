"""Imports and compilations of the first fit of a process."""

import json
import subprocess
import sys

import pytest

# The compiler of torch and what it needs. Importing them takes a second or more, and an
# interrupt during the import leaves a process in which no fit works.
HEAVY = ["sympy", "torch._dynamo", "torch._inductor", "torch.fx.experimental"]

# Modules that the first fit imports: the cells are compiled by numba.
OF_NUMBA = (
    "numba",
    "_numba",
    "llvmlite",
    "scipy",
    "numpy",
    "concurrent",
    "yaml",
    "_cython",
)

CODE = """
import copy, gc, json, pickle, sys, warnings

import numpy as np
import torch
from sklearn_rnn import *
from sklearn_rnn._nn.compiled import Kernel
from sklearn_rnn.streaming import open_stream

warnings.simplefilter("ignore")
imported = sorted(sys.modules)


class Cell(torch.nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.gru = torch.nn.GRU(input_size, hidden_size, batch_first=True)

    def forward(self, x, state):
        return self.gru(x, state)


given = {"hidden_size": 4, "max_epochs": 2, "random_state": 0}
X = np.random.default_rng(0).normal(size=(20, 6))
texts = ["anna ate", "otto ran"] * 10
targets = [text[::-1] for text in texts]
patterns = (X[:6] > 0).astype(float)
fits = [
    (RNNClassifier(**given), X, X[:, 0] > 0),
    (RNNRegressor("lstm", optimizer="sgd", **given), X, X[:, 0]),
    (RNNRegressor("rnn", optimizer="rmsprop", average=False, **given), X, X[:, 0]),
    (RNNRegressor(Cell, optimizer="adam", warm_start=True, **given), X, X[:, 0]),
    (RNNForecaster(window=8, learning_rate_schedule="plateau", **given), X[:, 0]),
    (SequenceGenerator(window=8, learning_rate_schedule="cosine", **given), texts),
    (SequenceTranslator(**given), texts, targets),
    (HopfieldDenoiser(), patterns),
    (BoltzmannMachine(4, max_epochs=2, ais_steps=20, random_state=0), patterns),
]
found = []
for model, *data in fits:
    modules = set(sys.modules)
    model.fit(*data)
    if isinstance(model, SequenceGenerator):
        model.generate("an", 3, random_state=0)
    else:
        getattr(model, "predict" if hasattr(model, "predict") else "transform")(data[0])
    again = pickle.loads(pickle.dumps(copy.deepcopy(model)))
    if isinstance(model, RNNClassifier):
        open_stream(again).predict(X[:1, :1])
    found.append([type(model).__name__, sorted(sys.modules.keys() - modules)])
kernels = [one for one in gc.get_objects() if isinstance(one, Kernel)]
compiled = [
    function.__name__
    for kernel in kernels
    for function in kernel._compiled.values()
    if function.stats.cache_misses
]
print(json.dumps([imported, found, compiled]))
"""


def fit_in_process():
    """Fit each estimator in a new process.

    Return the modules that are imported before, the name of each estimator with the
    modules that it imports, and the names of the kernels that numba compiled.
    """
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def process():
    """Return the results of a process in which compiled kernels are stored already."""
    results = fit_in_process()
    return fit_in_process() if results[-1] else results


def find_heavy(modules, heavy=HEAVY):
    return [name for name in modules if name.startswith(tuple(heavy))]


def test_the_import_does_not_import_compilers(process):
    imported, _, _ = process
    assert "sklearn_rnn._training.net" in imported
    assert not find_heavy(imported, HEAVY[:3])  # torch imports a part of the last
    assert not find_heavy(imported, ["numba", "llvmlite"])


def test_no_first_fit_imports_the_compiler_of_torch(process):
    _, fits, _ = process
    for name, modules in fits:
        assert not find_heavy(modules), name
        modules = [one for one in modules if not one.startswith(OF_NUMBA)]
        assert len(modules) <= 10, f"{name} imports {modules}"


def test_a_new_process_loads_stored_kernels(process):
    """Compiling takes seconds."""
    _, _, compiled = process
    assert not compiled
