"""Default numbers of epochs and patience."""

import pytest
from sklearn.base import clone

from sklearn_rnn import RNNClassifier
from sklearn_rnn._training.budget import choose_epochs, resolve_patience


@pytest.mark.parametrize(
    "n_batches, epochs", [(1, 200), (3, 200), (4, 150), (7, 86), (75, 24), (2000, 24)]
)
def test_epochs_make_600_training_steps_within_bounds(n_batches, epochs):
    assert choose_epochs(n_batches) == epochs
    assert choose_epochs(n_batches, fewest=8) == (8 if epochs == 24 else epochs)


@pytest.mark.parametrize(
    "given, n_epochs, patience", [(3, 200, 3), ("auto", 200, 50), ("auto", 8, 5)]
)
def test_patience(given, n_epochs, patience):
    assert resolve_patience(given, n_epochs) == patience


@pytest.mark.parametrize("n_held_out, epochs", [(0, 6), (96, 8)])
def test_the_rows_that_train_decide(n_held_out, epochs, rng, monkeypatch):
    monkeypatch.setattr("sklearn_rnn._training.budget.N_UPDATES", 24)
    monkeypatch.setattr("sklearn_rnn.supervised._base.FEWEST_EPOCHS", 2)
    X, y = rng.normal(size=(128, 3)), rng.integers(0, 2, size=128)
    weight = (y >= 0).astype(float)
    weight[:n_held_out] = 0
    model = RNNClassifier("rnn", 2, batch_size=32, tol=0, n_iter_no_change=99)
    model.fit(X, y, sample_weight=weight)
    assert model.n_iter_ == (24 if n_held_out else epochs)
    again = clone(model).set_params(warm_start=True).fit(X, y, sample_weight=weight)
    assert again.fit(X, y, sample_weight=weight).n_iter_ == 2 * model.n_iter_
