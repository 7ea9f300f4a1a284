"""Imports and time of the first fit of a process."""

import json
import os
import subprocess
import sys

import pytest
import torch

from sklearn_rnn._nn.cells.registry import CELLS

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
import copy, json, pickle, sys, time, warnings

import numpy as np
import torch
from sklearn_rnn import *
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
    seconds = []
    for _ in range(2):
        started = time.process_time()
        model.fit(*data)
        seconds.append(time.process_time() - started)
    if isinstance(model, SequenceGenerator):
        model.generate("an", 3)
    else:
        getattr(model, "predict" if hasattr(model, "predict") else "transform")(data[0])
    again = pickle.loads(pickle.dumps(copy.deepcopy(model)))
    if isinstance(model, RNNClassifier):
        open_stream(again).predict(X[:1, :1])
    found.append([type(model).__name__, seconds, sorted(sys.modules.keys() - modules)])
print(json.dumps([imported, found]))
"""


@pytest.fixture(scope="module")
def stored_kernels():
    """Compile what the fits need, unless it is stored already."""
    for name in CELLS:
        for dtype in (torch.float32, torch.float64):
            layer = CELLS[name](2, 4).to(dtype)
            layer.initialize(torch.Generator())
            outputs, state = layer(torch.zeros(3, 1, 2, dtype=dtype))
            outputs.sum().backward()
            cell = layer.numpy_cell(layer, None)
            parts = state if isinstance(state, tuple) else (state,)
            cell.step(cell.allocate(1), [part.detach().numpy() for part in parts])


@pytest.fixture(scope="module")
def process(stored_kernels):
    """Run two fits of each estimator in one process.

    Return the modules that are imported before, and for each estimator its name, the
    seconds of its fits and the modules that they import.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def find_heavy(modules, heavy=HEAVY):
    return [name for name in modules if name.startswith(tuple(heavy))]


def test_the_import_does_not_import_compilers(process):
    imported, _ = process
    assert "sklearn_rnn._training.net" in imported
    assert not find_heavy(imported, HEAVY[:3])  # torch imports a part of the last
    assert not find_heavy(imported, ["numba", "llvmlite"])


def test_no_first_fit_imports_the_compiler_of_torch(process):
    _, fits = process
    for name, _, modules in fits:
        assert not find_heavy(modules), name
        modules = [one for one in modules if not one.startswith(OF_NUMBA)]
        assert len(modules) <= 10, f"{name} imports {modules}"


def test_the_first_fit_takes_no_longer_than_the_second(process):
    _, fits = process
    for name, (first, second), _ in fits:
        assert first - second <= 0.5, name  # 0.25 of them for the import of numba
