"""scikit-optimize: searches in every container."""

import pytest
from skopt import BayesSearchCV

from sklearn_rnn import RNNClassifier


@pytest.mark.parametrize("container", ["ragged", "padded", "table"])
def test_search_accepts_every_container(container, request, y):
    X = request.getfixturevalue(container)
    search = BayesSearchCV(
        RNNClassifier(max_epochs=6, random_state=0),
        {"hidden_size": (4, 8), "cell": ["rnn", "gru"]},
        n_iter=3,
        cv=2,
        random_state=0,
    ).fit(X, y)
    assert search.best_params_["cell"] in ("rnn", "gru")
    assert search.score(X, y) > 0.8
