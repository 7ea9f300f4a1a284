"""Checks of y, and warnings about y that is easily misread."""

import numpy as np
import pytest

from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn._data.labels import describe_misread_labels
from sklearn_rnn._data.ragged import object_array


@pytest.fixture
def classifier():
    return RNNClassifier("gru", 8, max_epochs=3, random_state=0)


@pytest.fixture
def regressor():
    return RNNRegressor("gru", 12, max_epochs=30, random_state=0)


@pytest.mark.parametrize("low, high", [(-1, 1), (1, 2)])
def test_an_indicator_matrix_of_other_values_is_refused(classifier, rng, low, high):
    y = np.where(rng.random((20, 3)) < 0.5, low, high)
    message = rf"indicator matrix of the values \[{low}, {high}\]; expected 0 and 1"
    with pytest.raises(ValueError, match=message):
        classifier.fit(rng.normal(size=(20, 4)), y)


@pytest.mark.parametrize("per_step", [False, True])
def test_one_hot_classes_are_a_warning(classifier, rng, per_step):
    X, y = rng.normal(size=(20, 4, 1)), np.eye(3)[rng.integers(0, 3, size=20)]
    if per_step:
        y = np.repeat(y[:, None], 4, axis=1)
    classifier.set_params(return_sequences=per_step)
    message = r"3 columns .* exactly one 1\. If y is one-hot .*y\.argmax\(axis=-1\)"
    with pytest.warns(UserWarning, match=message):
        classifier.fit(X, y)
    classifier.fit(X, y.argmax(axis=-1))  # without a warning


def test_labels_of_steps_as_labels_of_sequences_are_a_warning(classifier, rng):
    X, y = rng.normal(size=(20, 4, 1)), rng.integers(0, 2, size=(20, 4))
    with pytest.warns(UserWarning, match="has 4 steps.*set return_sequences=True"):
        classifier.fit(X, y)
    classifier.set_params(return_sequences=True).fit(X, y)  # without a warning


@pytest.mark.parametrize("kind", [list, object_array])
def test_ragged_labels_of_steps_say_how_to_fit_them(classifier, regressor, rng, kind):
    X = [rng.normal(size=n) for n in (3, 4, 5, 6)]
    y = kind([np.arange(len(x)) % 2 for x in X])
    for model in (classifier, regressor):
        with pytest.raises(
            ValueError, match=r"array per sequence\. .*return_sequences"
        ):
            model.fit(X, y)
        model.set_params(return_sequences=True, max_epochs=1).fit(X, y)


def test_labels_that_are_not_misread():
    assert describe_misread_labels(np.array([0, 1]), np.array([2, 2])) == ""
    labels = np.array([[0, 1, 1], [1, 0, 0]])
    assert describe_misread_labels(labels, np.array([3, 4])) == ""
    assert describe_misread_labels(labels, None) == ""
