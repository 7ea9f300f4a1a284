"""Data for the tests of RNNClassifier and RNNRegressor."""

import numpy as np
import pytest


@pytest.fixture
def table(rng):
    X = rng.normal(size=(60, 6))
    return X, (X.sum(axis=1) > 0).astype(int)


@pytest.fixture
def sums(rng):
    X = [rng.normal(size=n) for n in rng.integers(3, 12, size=160)]
    return X, np.array([x.sum() for x in X])
