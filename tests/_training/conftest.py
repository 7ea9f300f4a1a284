"""A small classifier for the tests of training."""

import pytest

from sklearn_rnn import RNNClassifier


@pytest.fixture
def model():
    return RNNClassifier("gru", 6, max_epochs=6, batch_size=8, random_state=0)
