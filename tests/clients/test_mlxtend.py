"""mlxtend: ensembles, tests and learning curves."""

import matplotlib
import numpy as np
from mlxtend.classifier import EnsembleVoteClassifier, StackingCVClassifier
from mlxtend.evaluate import paired_ttest_5x2cv
from mlxtend.plotting import plot_learning_curves
from sklearn.linear_model import LogisticRegression

from sklearn_rnn import RNNClassifier

matplotlib.use("agg")


def model(cell="gru"):
    return RNNClassifier(cell, hidden_size=8, max_epochs=8, random_state=0)


def test_ensembles(padded, y):
    vote = EnsembleVoteClassifier([model(), model("rnn")], voting="soft")
    assert vote.fit(padded, y).score(padded, y) > 0.8
    stacked = StackingCVClassifier([model()], LogisticRegression(), cv=2)
    assert np.mean(stacked.fit(padded, y).predict(padded) == y) > 0.8


def test_a_paired_test(padded, y):
    t, p = paired_ttest_5x2cv(model(), model("rnn"), padded, y, random_seed=0)
    assert np.isnan(t) or 0 <= p <= 1  # equal scores have no t


def test_learning_curves_of_an_object_array(ragged, y):
    X = np.empty(len(ragged), dtype=object)
    X[:] = ragged
    order = np.random.default_rng(0).permutation(80)
    X, y = X[order], y[order]
    train, test = plot_learning_curves(
        X[:60], y[:60], X[60:], y[60:], model(), print_model=False
    )
    assert len(train) == len(test) == 10
    assert test[-1] < 0.3  # the share of errors


def test_the_guide(run_guide):
    assert run_guide("mlxtend") == ["10", "10"]
