"""MAPIE: conformal predictions of sequences in every container."""

import numpy as np
import pytest
from mapie.classification import CrossConformalClassifier, SplitConformalClassifier
from mapie.regression import SplitConformalRegressor

from sklearn_rnn import RNNClassifier, RNNRegressor

CONTAINERS = ["table", "padded", "ragged", "objects"]


@pytest.fixture
def objects(ragged):
    X = np.empty(len(ragged), dtype=object)
    X[:] = ragged
    return X


@pytest.mark.parametrize("prefit", [False, True])
@pytest.mark.parametrize("container", CONTAINERS)
def test_split_classification(container, prefit, request, y):
    X = request.getfixturevalue(container)
    model = RNNClassifier(hidden_size=8, max_epochs=10, random_state=0)
    if prefit:
        model.fit(X, y)
    conformal = SplitConformalClassifier(model, confidence_level=0.9, prefit=prefit)
    if not prefit:
        conformal.fit(X, y)
    labels, sets = conformal.conformalize(X, y).predict_set(X)
    assert sets.shape == (80, 2, 1)
    assert np.mean(sets[np.arange(80), y, 0]) >= 0.9  # of the data it was set on
    assert np.mean(labels == y) > 0.8


@pytest.mark.parametrize("container", CONTAINERS)
def test_split_regression(container, request, y):
    X = request.getfixturevalue(container)
    model = RNNRegressor(hidden_size=8, max_epochs=10, random_state=0)
    conformal = SplitConformalRegressor(model, confidence_level=0.9, prefit=False)
    conformal.fit(X, 1.0 * y).conformalize(X, 1.0 * y)
    values, intervals = conformal.predict_interval(X)
    low, high = intervals[:, :, 0].T
    assert values.shape == (80,)
    assert np.mean((low <= y) & (y <= high)) >= 0.9


def test_cross_conformal(ragged, y):
    model = RNNClassifier(hidden_size=8, max_epochs=5, random_state=0)
    conformal = CrossConformalClassifier(model, confidence_level=0.9, cv=2)
    conformal.fit_conformalize(ragged, y)
    assert conformal.predict_set(ragged)[1].shape == (80, 2, 1)


def test_the_guide(run_guide):
    assert "".join(run_guide("MAPIE")) == "(60,2,1)"
