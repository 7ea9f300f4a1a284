"""Fixtures: one thread, private seeds, and data for many tests."""

import os
import signal

os.environ.setdefault("MPLBACKEND", "agg")

import numpy as np
import pytest
import torch

torch.set_num_threads(1)

# Estimators for which all checks of scikit-learn run in the normal suite. For others,
# the checks of whole trainings on read-only data are slow tests.
FULLY_CHECKED = ("[RNNClassifier()-", "[RNNRegressor(max_epochs=30)-")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        name = item.name
        if "s_train(readonly_memmap=True" in name and not any(
            estimator in name for estimator in FULLY_CHECKED
        ):
            item.add_marker("slow")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def ragged(rng):
    """40 sequences of 3 to 9 steps with 2 features, and the sign of the first sum."""
    X = [rng.normal(size=(length, 2)) for length in rng.integers(3, 10, size=40)]
    y = np.array(["up" if x[:, 0].sum() > 0 else "down" for x in X])
    return X, y


@pytest.fixture
def names():
    """A few short texts of two classes with different letters."""
    data = ["anna", "hannah", "nana", "ada", "otto", "bobo", "toto", "lotto"] * 4
    return data, np.array([1, 1, 1, 1, 0, 0, 0, 0] * 4)


@pytest.fixture
def heard_interrupts():
    """Handle SIGINT even in a background job of a shell, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
