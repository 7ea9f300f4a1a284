"""Energies and means of units compared with sums over all states."""

import numpy as np
import reference_boltzmann as reference
from energy_examples import exact_machine, noisy_prototypes
from numpy.testing import assert_allclose
from scipy.special import expit, logsumexp

from sklearn_rnn import BoltzmannMachine
from sklearn_rnn.energy._boltzmann_parameters import Machine


def test_energy_is_that_of_the_equation(machine, rng):
    model, X, p = machine
    H = rng.integers(2, size=(len(X), len(p["c"]))).astype(float)
    expected = [reference.energy(p, v, h) for v, h in zip(X, H, strict=True)]
    assert_allclose(model.energy(X, H), expected, rtol=1e-9, atol=1e-9)


def test_free_energy_sums_over_every_hidden_state(machine):
    model, X, p = machine
    weights = np.exp(-reference.energies(p, X))
    assert_allclose(model.free_energy(X), -np.log(weights.sum(1)), rtol=1e-9, atol=1e-9)


def test_gaussian_energies_are_those_of_the_equation(gaussian, rng):
    model, X = gaussian
    p = reference.parameters(model)
    V, H = X[:20], rng.integers(2, size=(20, 4)).astype(float)
    expected = [reference.energy(p, v, h) for v, h in zip(V, H, strict=True)]
    assert_allclose(model.energy(V, H), expected, rtol=1e-9)
    expected = -np.log(np.exp(-reference.energies(p, V)).sum(1))
    assert_allclose(model.free_energy(V), expected, rtol=1e-9)
    assert_allclose(model.log_partition_, reference.log_partition(p), rtol=1e-9)
    assert_allclose(model.transform(V), reference.hidden_means(p, V), rtol=1e-9)


def test_mean_field_free_energy_is_an_upper_bound_and_close():
    X = noisy_prototypes(6)[:5]
    model = BoltzmannMachine(
        11, connections="full", max_epochs=100, ais_steps=0, random_state=0
    ).fit(noisy_prototypes(6))
    p = reference.parameters(model)
    exact = -logsumexp(-reference.energies(p, X), axis=1)
    assert (model.free_energy(X) >= exact).all()
    assert_allclose(model.free_energy(X), exact, atol=0.2)


def test_transform_of_a_restricted_machine_is_the_chance_of_each_hidden_unit():
    X = noisy_prototypes(6)
    model = exact_machine("restricted").fit(X)
    expected = reference.hidden_means(reference.parameters(model), X)
    assert_allclose(model.transform(X), expected, rtol=1e-9)


def test_transform_of_a_full_machine_of_few_hidden_units_is_exact():
    X = noisy_prototypes(6)
    model = exact_machine("full").fit(X)
    p = reference.parameters(model)
    assert np.abs(p["J"]).max() > 0.05
    assert_allclose(model.transform(X), reference.hidden_means(p, X), rtol=1e-9)


def test_transform_of_a_full_machine_of_many_hidden_units_solves_the_mean_field():
    X = noisy_prototypes(6)
    model = BoltzmannMachine(
        11, connections="full", max_epochs=100, ais_steps=0, random_state=0
    ).fit(X)
    means = model.transform(X)
    p = reference.parameters(model)
    assert np.abs(p["J"]).max() > 0.05
    field = p["c"] + X @ p["W"].T + means @ p["J"]
    assert_allclose(means, expit(field), atol=1e-6)
    assert_allclose(means[:8], reference.hidden_means(p, X[:8]), atol=0.1)


def test_inverse_transform_of_a_restricted_machine_is_the_chance_of_visible_units():
    X = noisy_prototypes(6)
    model = exact_machine("restricted").fit(X)
    H = reference.states(4)
    p = reference.parameters(model)
    expected = expit(p["b"] + H @ p["W"])
    assert_allclose(model.inverse_transform(H), expected, rtol=1e-9)
    near = model.inverse_transform(model.transform(X))
    assert (np.abs(near - X) < 0.5).mean() > 0.75


def test_inverse_transform_of_a_large_full_machine_solves_the_mean_field_equations():
    X = noisy_prototypes(12)
    model = exact_machine("full", max_epochs=30, gradient="pcd").fit(X)
    H = model.transform(X)
    means = model.inverse_transform(H)
    p = reference.parameters(model)
    assert_allclose(means, expit(p["b"] + H @ p["W"] + means @ p["L"]), atol=1e-4)


def test_inverse_transform_of_gaussian_units_is_their_mean(gaussian):
    model, _ = gaussian
    H = reference.states(4)
    p = reference.parameters(model)
    expected = p["b"] + p["s"] * (H @ p["W"])
    assert_allclose(model.inverse_transform(H), expected, rtol=1e-9)


def test_parameters_whose_squares_overflow_are_not_finite():
    for size, expected in ((1.0, True), (1e160, False), (np.inf, False)):
        machine = Machine(np.full((2, 3), size), np.zeros(2), np.zeros(3))
        assert machine.is_finite == expected
