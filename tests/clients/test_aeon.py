"""aeon: an adaptor of twelve lines passes the checks of aeon."""

import numpy as np
from aeon.classification import BaseClassifier
from aeon.testing.estimator_checking import check_estimator
from aeon.transformations.collection import Tabularizer
from sklearn.pipeline import make_pipeline

from sklearn_rnn import RNNClassifier


class AeonClassifier(BaseClassifier):
    """RNNClassifier for collections of shape (n_cases, n_channels, n_timepoints)."""

    _tags = {
        "capability:multivariate": True,
        "capability:unequal_length": True,
        "X_inner_type": "np-list",
    }

    def __init__(self, max_epochs=20, random_state=None):
        self.max_epochs, self.random_state = max_epochs, random_state
        super().__init__()

    def _fit(self, X, y):
        self.model_ = RNNClassifier(
            hidden_size=8, max_epochs=self.max_epochs, random_state=self.random_state
        ).fit([x.T for x in X], y)
        return self

    def _predict(self, X):
        return self.model_.predict([x.T for x in X])

    def _predict_proba(self, X):
        return self.model_.predict_proba([x.T for x in X])

    @classmethod
    def _get_test_params(cls, parameter_set="default"):
        return {"max_epochs": 2, "random_state": 0}


def test_the_adaptor_passes_aeons_checks():
    results = check_estimator(AeonClassifier, raise_exceptions=True)
    assert len(results) >= 20
    assert set(results.values()) == {"PASSED"}


def test_the_adaptor_learns(ragged, y):
    X = [x.T for x in ragged]
    assert np.mean(AeonClassifier(random_state=0).fit(X, y).predict(X) == y) > 0.8


def test_a_tabularized_collection_is_a_table(padded, y):
    X = np.swapaxes(padded, 1, 2)
    model = RNNClassifier(hidden_size=8, max_epochs=10, random_state=0)
    assert make_pipeline(Tabularizer(), model).fit(X, y).score(X, y) > 0.8
