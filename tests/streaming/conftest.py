"""Fitted models for the tests of streams."""

import numpy as np
import pytest
from stream_models import QUICK, F, N, T, fitted

from sklearn_rnn import RNNRegressor, SequenceGenerator


@pytest.fixture
def X(rng):
    return rng.normal(size=(N, T, F)).astype(np.float32)


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
