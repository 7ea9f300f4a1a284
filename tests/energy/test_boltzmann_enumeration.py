"""Sums over all states of small machines."""

import pickle

import numpy as np
import reference_boltzmann as reference
from numpy.testing import assert_allclose

from sklearn_rnn import BoltzmannMachine
from sklearn_rnn.energy import _boltzmann_enumeration
from sklearn_rnn.energy._boltzmann_enumeration import log_partition, model_moments


def test_log_partition_is_that_of_full_enumeration(machine):
    model, _, p = machine
    assert_allclose(model.log_partition_, reference.log_partition(p), rtol=1e-9)


def test_probabilities_of_all_states_sum_to_one_after_fit_and_partial_fit(machine):
    model, X, _ = machine
    everything = reference.states(X.shape[1])
    assert_allclose(np.exp(model.score_samples(everything)).sum(), 1)
    more = pickle.loads(pickle.dumps(model)).partial_fit(X[:20])
    assert_allclose(np.exp(more.score_samples(everything)).sum(), 1)


def test_a_gaussian_density_integrates_to_one():
    rng = np.random.default_rng(0)
    X = np.where(rng.random((300, 1)) < 0.3, -3.0, 4.0) + rng.normal(size=(300, 1))
    model = BoltzmannMachine(
        3, visible="gaussian", learning_rate=0.05, max_epochs=200, random_state=0
    ).fit(X)
    grid = np.linspace(-40, 40, 8001)
    density = np.exp(model.score_samples(grid[:, np.newaxis]))
    assert_allclose(np.trapezoid(density, grid), 1, rtol=1e-6)
    assert np.abs(model.components_).max() > 0.1
    assert_allclose(
        density[::200],
        np.exp(
            reference.log_likelihood(reference.parameters(model), grid[::200, None])
        ),
        atol=1e-12,
    )


def test_states_enumerated_in_chunks_give_the_same_sums(machine, monkeypatch):
    parameters = machine[0]._assemble_machine()
    log_z = log_partition(parameters)
    moments = vars(model_moments(parameters))
    monkeypatch.setattr(_boltzmann_enumeration, "CHUNK", 3)
    assert_allclose(log_partition(parameters), log_z, rtol=1e-12)
    for name, value in vars(model_moments(parameters)).items():
        if value is not None:
            assert_allclose(value, moments[name], atol=1e-12)
