"""The loss that monitors training is the pseudo-likelihood, or reconstruction error."""

import pickle

import numpy as np
import pytest
from energy_examples import noisy_prototypes
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.neural_network import BernoulliRBM

from sklearn_rnn import BoltzmannMachine
from sklearn_rnn.energy import _boltzmann_monitor
from sklearn_rnn.energy._boltzmann_monitor import (
    MONITORED,
    choose_units,
    count_monitored,
    measure_loss,
)


def pseudo_likelihood_loss(machine, X):
    """The mean over all units of -log P(unit | all other units)."""
    losses = []
    for unit in range(X.shape[1]):
        flipped = X.copy()
        flipped[:, unit] = 1 - flipped[:, unit]
        difference = machine.free_energy(X) - machine.free_energy(flipped)
        losses.append(np.logaddexp(0, difference))
    return np.mean(losses)


@pytest.mark.parametrize(
    ("connections", "n_hidden"),
    [("restricted", 3), ("restricted", 70), ("full", 0), ("full", 3), ("full", 12)],
)
def test_the_loss_of_binary_units_is_the_pseudo_likelihood(connections, n_hidden):
    X = noisy_prototypes(6, n_samples=30)
    model = BoltzmannMachine(
        n_hidden, connections=connections, max_epochs=3, random_state=0
    ).fit(X)
    assert len(model.loss_curve_) == model.n_iter_ == 3
    assert_allclose(model.loss_curve_[-1], pseudo_likelihood_loss(model, X), rtol=1e-6)
    assert model.validation_loss_curve_ is None and model.best_epoch_ is None


def test_the_loss_agrees_with_scikit_learn():
    X = noisy_prototypes(6, n_samples=30)
    model = BoltzmannMachine(4, max_epochs=3, random_state=0).fit(X)
    other = BernoulliRBM(4, random_state=0).fit(X)
    other.components_ = model.components_
    other.intercept_hidden_ = model.intercept_hidden_
    other.intercept_visible_ = model.intercept_visible_
    # scikit-learn draws one unit per row and multiplies by the number of units
    scores = [other.score_samples(X).mean() / 6 for _ in range(300)]
    assert_allclose(-np.mean(scores), model.loss_curve_[-1], rtol=0.03)


def test_gray_values_are_judged_by_their_cross_entropy():
    X = np.random.default_rng(0).random((20, 3))
    model = BoltzmannMachine(2, binarize=None, max_epochs=2, random_state=0).fit(X)
    losses = []
    for unit in range(3):
        on, off = X.copy(), X.copy()
        on[:, unit], off[:, unit] = 1, 0
        p = 1 / (1 + np.exp(model.free_energy(on) - model.free_energy(off)))
        losses.append(-X[:, unit] * np.log(p) - (1 - X[:, unit]) * np.log(1 - p))
    assert_allclose(model.loss_curve_[-1], np.mean(losses), rtol=1e-6)


def test_the_loss_of_gaussian_units_is_the_error_of_the_reconstruction():
    rng = np.random.default_rng(0)
    X = rng.normal(5, [1, 10, 0.1], (40, 3)) + rng.normal(size=(40, 1))
    model = BoltzmannMachine(4, visible="gaussian", max_epochs=3, random_state=0)
    model.fit(X)
    error = (model.inverse_transform(model.transform(X)) - X) / X.std(axis=0)
    assert_allclose(model.loss_curve_[-1], np.mean(error**2), rtol=1e-6)
    assert 0 < model.loss_curve_[-1] < 1.2


def test_the_error_of_huge_reconstructions_does_not_overflow():
    X = np.random.default_rng(0).normal(size=(50, 12)).astype(np.float32)
    model = BoltzmannMachine(
        15,
        visible="gaussian",
        learning_rate=1e14,
        max_epochs=3,
        early_stopping=True,
        random_state=0,
    ).fit(X)
    losses = model.loss_curve_ + model.validation_loss_curve_
    assert np.isfinite(losses).all() and max(losses) > float(np.finfo(np.float32).max)


def test_machines_with_many_hidden_states_measure_fewer_units(monkeypatch):
    X = noisy_prototypes(8, n_samples=100)
    model = BoltzmannMachine(
        10, connections="full", gradient="pcd", max_epochs=1, random_state=0
    ).fit(X)
    assert_allclose(model.loss_curve_[0], pseudo_likelihood_loss(model, X), rtol=0.1)
    monkeypatch.setattr(_boltzmann_monitor, "MONITORED_STATES", 2**20)
    exact = BoltzmannMachine(**model.get_params()).fit(X[:60])  # 480 units: all
    loss = pseudo_likelihood_loss(exact, X[:60])
    assert_allclose(exact.loss_curve_[0], loss, rtol=1e-6)


def test_machines_with_many_hidden_units_measure_fewer_units(monkeypatch):
    X = noisy_prototypes(6, n_samples=30)
    model = BoltzmannMachine(4, max_epochs=1, random_state=0).fit(X)
    machine = model._assemble_machine()
    assert count_monitored(machine) == MONITORED
    monkeypatch.setattr(_boltzmann_monitor, "MONITORED_FIELDS", 4 * 30)
    assert count_monitored(machine) == 30
    loss = pseudo_likelihood_loss(model, X)
    assert_allclose(measure_loss(machine, X), loss, rtol=0.2)
    monkeypatch.setattr(_boltzmann_monitor, "MONITORED_FIELDS", 1)
    assert count_monitored(machine) == 1


def test_rows_held_out_have_a_curve_and_the_epoch_kept_is_named():
    X = noisy_prototypes(8, n_samples=30, flipped=0.3)
    model = BoltzmannMachine(
        12,
        learning_rate=0.5,
        batch_size=10,
        max_epochs=500,
        early_stopping=True,
        n_iter_no_change=3,
        validation_fraction=0.3,
        random_state=0,
    ).fit(X)
    n_epochs = model.n_iter_
    assert n_epochs < 500 and model.best_epoch_ == n_epochs - 3
    assert len(model.loss_curve_) == len(model.validation_loss_curve_) == n_epochs
    assert model.validation_loss_curve_[-1] > model.loss_curve_[-1]
    shorter = BoltzmannMachine(**model.get_params() | {"max_epochs": model.best_epoch_})
    assert_array_equal(shorter.fit(X).components_, model.components_)
    restored = pickle.loads(pickle.dumps(model))
    assert restored.validation_loss_curve_ == model.validation_loss_curve_
    model.partial_fit(X)
    assert len(model.loss_curve_) == n_epochs + 1
    assert model.validation_loss_curve_ is None and model.best_epoch_ is None


@pytest.mark.parametrize("shape", [(3, 4), (2000, 7), (5, 3000), (700, 30)])
def test_units_are_spread_over_rows_and_columns(shape):
    rows, columns = choose_units(*shape)
    pairs = set(zip(rows.tolist(), columns.tolist(), strict=True))
    assert len(pairs) == len(rows) == min(shape[0] * shape[1], MONITORED)
    assert rows.max() < shape[0] and columns.max() < shape[1]
    assert len(np.unique(rows)) == min(shape[0], MONITORED)
    assert len(np.unique(columns)) == min(shape[1], MONITORED)
