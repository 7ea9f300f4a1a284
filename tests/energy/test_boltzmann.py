"""BoltzmannMachine against machines of a few units of which every state is visited."""

import pickle
import random
import re
import sys
import threading
from _thread import interrupt_main

import numpy as np
import pytest
import reference_boltzmann as reference
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, logsumexp
from scipy.stats import chisquare, norm
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_rnn import BoltzmannMachine
from sklearn_rnn.datasets import load_letters
from sklearn_rnn.energy._boltzmann_sampling import estimate_log_partition

# Ten units each: n_features, n_hidden, connections.
SHAPES = {
    "restricted": (6, 4, "restricted"),
    "more hidden than visible": (3, 7, "restricted"),
    "full": (6, 4, "full"),
    "visible only": (10, 0, "full"),
}


def noisy_prototypes(n_features, n_samples=60, flipped=0.15, seed=0):
    """Rows of 0 and 1: copies of three patterns with some of the units flipped."""
    rng = np.random.default_rng(seed)
    patterns = rng.integers(2, size=(3, n_features))
    rows = patterns[rng.integers(3, size=n_samples)]
    return np.abs(rows - (rng.random(rows.shape) < flipped)).astype(float)


def exact_machine(shape, **params):
    _, n_hidden, connections = SHAPES[shape]
    params = {
        "gradient": "exact",
        "learning_rate": 0.5,
        "batch_size": 60,
        "max_epochs": 100,
        "weight_decay": 0.0,
        "random_state": 0,
    } | params
    return BoltzmannMachine(n_hidden, connections=connections, **params)


@pytest.fixture(scope="module", params=SHAPES)
def machine(request):
    """A fitted machine whose couplings are far from 0, and its data."""
    X = noisy_prototypes(SHAPES[request.param][0])
    model = exact_machine(request.param).fit(X)
    p = reference.parameters(model)
    assert max(np.abs(p[name]).max(initial=0) for name in ("W", "L")) > 0.5
    return model, X, p


@pytest.fixture(scope="module")
def gaussian():
    """A fitted machine of three Gaussian and four hidden units, and its data."""
    rng = np.random.default_rng(0)
    side = rng.integers(2, size=(400, 1))
    X = [5.0, -2.0, 0.0] + side * [4.0, -1.0, 0.5] + rng.normal(size=(400, 3))
    model = BoltzmannMachine(
        4,
        visible="gaussian",
        gradient="exact",
        learning_rate=0.05,
        batch_size=400,
        max_epochs=500,
        weight_decay=0.0,
        random_state=0,
    ).fit(X)
    return model, X


@pytest.fixture(scope="module")
def small():
    """Four visible units, drawn from often: three hidden ones make them depend."""
    X = noisy_prototypes(4)
    models = {}
    for connections, n_hidden in (("restricted", 3), ("full", 3), ("visible only", 0)):
        models[connections] = BoltzmannMachine(
            n_hidden,
            connections="restricted" if connections == "restricted" else "full",
            gradient="exact",
            learning_rate=0.5,
            batch_size=60,
            max_epochs=150,
            weight_decay=0.0,
            random_state=0,
        ).fit(X)
    return models


def frequencies(samples):
    """How many of the samples are each of reference.states."""
    codes = samples @ 2 ** np.arange(samples.shape[1])[::-1]
    return np.bincount(codes.astype(int), minlength=2 ** samples.shape[1])


def assert_drawn_from(samples, distribution):
    """Chi-square; states expected fewer than five times are counted together."""
    counts, expected = frequencies(samples), len(samples) * distribution
    rare = expected < 5
    assert counts[expected == 0].sum() == 0
    if expected[rare].sum() > 0:
        counts = np.append(counts[~rare], counts[rare].sum())
        expected = np.append(expected[~rare], expected[rare].sum())
    else:
        counts, expected = counts[~rare], expected[~rare]
    assert counts.sum() == len(samples)
    assert chisquare(counts, expected).pvalue > 1e-3


# ------------------------------------------------------------- the reference itself


@pytest.mark.parametrize("shape", SHAPES)
def test_the_reference_gradient_is_the_slope_of_the_reference_likelihood(shape, rng):
    n_features, n_hidden, connections = SHAPES[shape]
    X = noisy_prototypes(n_features, n_samples=5)
    p = {
        "b": rng.normal(size=n_features),
        "c": rng.normal(size=n_hidden),
        "W": rng.normal(size=(n_hidden, n_features)),
        "L": rng.normal(size=(n_features, n_features)),
        "J": rng.normal(size=(n_hidden, n_hidden)),
        "s": None,
    }
    free = {"restricted": 0}.get(connections, 1)
    p["L"], p["J"] = free * (p["L"] + p["L"].T) / 2, free * (p["J"] + p["J"].T) / 2
    slopes = reference.gradient(p, X)
    entries = [("b", (1,)), ("c", (2,)), ("W", (1, 2)), ("L", (0, 2)), ("J", (1, 3))]
    for name, entry in entries:
        if p[name].size == 0 or (free == 0 and name in "LJ"):
            continue
        means = []
        for step in (1e-5, -1e-5):
            moved = p | {name: p[name].copy()}
            moved[name][entry] += step
            if name in "LJ":
                moved[name][entry[::-1]] += step
            means.append(reference.log_likelihood(moved, X).mean())
        assert_allclose(slopes[name][entry], (means[0] - means[1]) / 2e-5, atol=1e-8)


# ---------------------------------------------------------------- energies and log Z


def test_energy_is_that_of_the_equation(machine, rng):
    model, X, p = machine
    H = rng.integers(2, size=(len(X), len(p["c"]))).astype(float)
    expected = [reference.energy(p, v, h) for v, h in zip(X, H, strict=True)]
    assert_allclose(model.energy(X, H), expected, rtol=1e-9, atol=1e-9)


def test_free_energy_sums_over_every_hidden_state(machine):
    model, X, p = machine
    weights = np.exp(-reference.energies(p, X))
    assert_allclose(model.free_energy(X), -np.log(weights.sum(1)), rtol=1e-9, atol=1e-9)


def test_log_partition_is_that_of_full_enumeration(machine):
    model, _, p = machine
    assert_allclose(model.log_partition_, reference.log_partition(p), rtol=1e-9)


def test_score_samples_is_the_log_likelihood_and_score_its_mean(machine):
    model, X, p = machine
    expected = reference.log_likelihood(p, X)
    assert_allclose(model.score_samples(X), expected, rtol=1e-8)
    assert_allclose(model.score(X), expected.mean(), rtol=1e-8)


def test_probabilities_of_all_states_sum_to_one_after_fit_and_partial_fit(machine):
    model, X, _ = machine
    everything = reference.states(X.shape[1])
    assert_allclose(np.exp(model.score_samples(everything)).sum(), 1)
    more = pickle.loads(pickle.dumps(model)).partial_fit(X[:20])
    assert_allclose(np.exp(more.score_samples(everything)).sum(), 1)


def test_weights_are_symmetric_without_self_connection(machine):
    model, X, p = machine
    n_features, n_hidden = X.shape[1], len(p["c"])
    assert model.components_.shape == (n_hidden, n_features)
    assert model.intercept_hidden_.shape == (n_hidden,)
    assert model.intercept_visible_.shape == (n_features,)
    if model.connections == "restricted":
        assert not hasattr(model, "visible_weights_")
        assert not hasattr(model, "hidden_weights_")
        return
    assert model.visible_weights_.shape == (n_features, n_features)
    assert model.hidden_weights_.shape == (n_hidden, n_hidden)
    for weights in (model.visible_weights_, model.hidden_weights_):
        assert_array_equal(weights, weights.T)
        assert_array_equal(np.diag(weights), 0)


# -------------------------------------------------------------------------- learning


@pytest.mark.parametrize("shape", SHAPES)
def test_one_exact_step_goes_along_the_gradient_of_the_likelihood(shape):
    X = noisy_prototypes(SHAPES[shape][0])
    before = exact_machine(shape, max_epochs=20, average=False).fit(X)
    after = pickle.loads(pickle.dumps(before)).partial_fit(X)
    old, new = reference.parameters(before), reference.parameters(after)
    slopes = reference.gradient(old, X)
    for name in ("b", "c", "W", *("LJ" if before.connections == "full" else "")):
        assert_allclose(new[name] - old[name], 0.5 * slopes[name], atol=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_likelihood_rises_every_epoch_under_the_exact_gradient(shape):
    X = noisy_prototypes(SHAPES[shape][0])
    model = exact_machine(shape, learning_rate=0.2, average=False)
    scores = [model.partial_fit(X).score(X) for _ in range(100)]
    assert (np.diff(scores) > 0).all()
    assert scores[-1] > scores[0] + 0.05


def test_likelihood_of_gaussian_units_rises_every_epoch(gaussian):
    fitted, X = gaussian
    model = clone(fitted).set_params(learning_rate=0.01)
    scores = [model.partial_fit(X).score(X) for _ in range(40)]
    assert (np.diff(scores) > 0).all()


def test_a_visible_machine_learns_the_means_and_the_pairwise_products():
    X = noisy_prototypes(5)
    model = BoltzmannMachine(
        0,
        connections="full",
        gradient="exact",
        learning_rate=1.0,
        batch_size=60,
        max_epochs=6000,
        weight_decay=0.0,
        random_state=0,
    ).fit(X)
    chances = reference.visible_distribution(reference.parameters(model))
    everything = reference.states(5)
    assert_allclose(chances @ everything, X.mean(0), atol=2e-3)
    moments = everything.T @ (chances[:, np.newaxis] * everything)
    assert_allclose(moments, X.T @ X / len(X), atol=2e-3)


def test_hidden_units_learn_what_pairs_cannot_show():
    """Parity: three independent fair units in pairs, yet only 4 of 8 states occur."""
    X = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]] * 5, dtype=float)
    params = {
        "gradient": "exact",
        "learning_rate": 1.0,
        "batch_size": 20,
        "max_epochs": 4000,
        "weight_decay": 0.0,
        "random_state": 0,
    }
    pairs = BoltzmannMachine(0, connections="full", **params).fit(X)
    hidden = BoltzmannMachine(4, **params).fit(X)
    assert_allclose(pairs.score(X), np.log(1 / 8), atol=1e-3)
    assert hidden.score(X) > np.log(1 / 8) + 0.5 * np.log(2)


@pytest.mark.parametrize("positive_phase", ["mean_field", "gibbs"])
@pytest.mark.parametrize("connections", ["restricted", "full"])
def test_persistent_contrastive_divergence_comes_near_exact_learning(
    connections, positive_phase
):
    X = noisy_prototypes(6, n_samples=200)
    params = {"connections": connections, "weight_decay": 0.0, "random_state": 0}
    exact = BoltzmannMachine(
        4, gradient="exact", learning_rate=0.5, batch_size=200, max_epochs=300, **params
    ).fit(X)
    sampled = BoltzmannMachine(
        4,
        gradient="pcd",
        positive_phase=positive_phase,
        learning_rate=0.05,
        batch_size=20,
        max_epochs=300,
        **params,
    ).fit(X)
    mean = X.mean(0)
    independent = (X * np.log(mean) + (1 - X) * np.log(1 - mean)).sum(1).mean()
    gain = (sampled.score(X) - independent) / (exact.score(X) - independent)
    assert exact.score(X) > independent + 0.5
    assert gain > 0.85


def test_auto_is_exact_for_a_small_machine():
    X = noisy_prototypes(6)
    exact = exact_machine("full").fit(X)
    auto = exact_machine("full", gradient="auto").fit(X)
    assert_array_equal(auto.components_, exact.components_)
    pcd = exact_machine("full", gradient="pcd").fit(X)
    assert not np.array_equal(pcd.components_, exact.components_)


def test_weight_decay_shrinks_the_weights():
    X = noisy_prototypes(6)
    sizes = [
        np.abs(exact_machine("full", weight_decay=decay).fit(X).components_).sum()
        for decay in (0.0, 0.01, 0.1)
    ]
    assert sizes[0] > sizes[1] > sizes[2]


def test_every_row_trains_without_early_stopping():
    X = noisy_prototypes(6)
    fitted = exact_machine("restricted", max_epochs=5).fit(X)
    for row in range(0, len(X), 10):
        other = X.copy()
        other[row] = 1 - other[row]
        changed = clone(fitted).fit(other)
        assert not np.array_equal(changed.components_, fitted.components_)


# -------------------------------------------------------------------------- sampling


@pytest.mark.parametrize("connections", ["restricted", "full", "visible only"])
def test_samples_are_as_frequent_as_enumeration_says(small, connections):
    model = small[connections]
    samples = model.sample(3000, n_gibbs_steps=200, random_state=0)
    assert samples.shape == (3000, 4)
    chances = reference.visible_distribution(reference.parameters(model))
    assert_drawn_from(samples, chances)


@pytest.mark.parametrize("connections", ["restricted", "full", "visible only"])
@pytest.mark.parametrize("temperature", [0.5, 3.0])
def test_temperature_divides_the_energy(small, connections, temperature):
    model = small[connections]
    samples = model.sample(
        3000, n_gibbs_steps=200, temperature=temperature, random_state=1
    )
    p = reference.parameters(model)
    assert_drawn_from(samples, reference.visible_distribution(p, temperature))
    plain = reference.visible_distribution(p)
    assert abs(plain - reference.visible_distribution(p, temperature)).sum() > 0.1


@pytest.mark.parametrize("connections", ["restricted", "full", "visible only"])
def test_clamped_units_stay_and_free_ones_follow_the_conditional(small, connections):
    model = small[connections]
    clamp = np.array([np.nan, 1.0, np.nan, 0.0])
    samples = model.sample(3000, n_gibbs_steps=200, clamp=clamp, random_state=0)
    assert_array_equal(samples[:, 1], 1)
    assert_array_equal(samples[:, 3], 0)
    everything = reference.states(4)
    chances = reference.visible_distribution(reference.parameters(model))
    possible = (everything[:, 1] == 1) & (everything[:, 3] == 0)
    assert_drawn_from(samples, chances * possible / chances[possible].sum())


def test_each_sample_may_have_its_own_clamp(small):
    model = small["full"]
    clamp = np.full((2000, 4), np.nan)
    clamp[::2, 0], clamp[1::2, 2] = 1, 0
    samples = model.sample(2000, n_gibbs_steps=200, clamp=clamp, random_state=0)
    everything = reference.states(4)
    chances = reference.visible_distribution(reference.parameters(model))
    for rows, column, value in ((samples[::2], 0, 1), (samples[1::2], 2, 0)):
        possible = everything[:, column] == value
        assert_drawn_from(rows, chances * possible / chances[possible].sum())


@pytest.mark.parametrize("connections", ["restricted", "full"])
def test_clamped_probabilities_stay_as_they_are(connections):
    X = noisy_prototypes(6)
    model = BoltzmannMachine(
        3, connections=connections, binarize=None, max_epochs=2, random_state=0
    ).fit(X)
    clamp = [0.3, np.nan, 0.8, np.nan, np.nan, np.nan]
    samples = model.sample(20, clamp=clamp, n_gibbs_steps=5)
    assert_array_equal(samples[:, [0, 2]], np.tile([0.3, 0.8], (20, 1)))
    assert set(np.unique(samples[:, [1, 3, 4, 5]])) == {0, 1}


def test_a_wholly_clamped_row_comes_back_as_it_is(small):
    clamp = reference.states(4)
    samples = small["restricted"].sample(16, n_gibbs_steps=3, clamp=clamp)
    assert_array_equal(samples, clamp)


def test_sampling_leaves_the_model_as_it_was(small):
    model = small["full"]
    before = pickle.dumps(model)
    first = model.sample(5, n_gibbs_steps=10, random_state=3)
    assert_array_equal(model.sample(5, n_gibbs_steps=10, random_state=3), first)
    assert not np.array_equal(model.sample(5, n_gibbs_steps=10, random_state=4), first)
    assert pickle.dumps(model) == before


# -------------------------------------------------------------------- hidden and back


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


def test_mean_field_free_energy_is_an_upper_bound_and_close():
    X = noisy_prototypes(6)[:5]
    model = BoltzmannMachine(
        11, connections="full", max_epochs=100, ais_steps=0, random_state=0
    ).fit(noisy_prototypes(6))
    p = reference.parameters(model)
    exact = -logsumexp(-reference.energies(p, X), axis=1)
    assert (model.free_energy(X) >= exact).all()
    assert_allclose(model.free_energy(X), exact, atol=0.2)


def test_transform_of_a_row_does_not_depend_on_its_batch(machine):
    model, X, _ = machine
    together = model.transform(X)
    assert_array_equal(model.transform(X), together)
    assert_allclose(model.transform(X[::-1])[::-1], together, rtol=1e-12)
    alone = np.concatenate([model.transform(row[np.newaxis]) for row in X[:8]])
    assert_allclose(alone, together[:8], rtol=1e-10)


def test_inverse_transform_of_a_restricted_machine_is_the_chance_of_visible_units():
    X = noisy_prototypes(6)
    model = exact_machine("restricted").fit(X)
    H = reference.states(4)
    p = reference.parameters(model)
    expected = expit(p["b"] + H @ p["W"])
    assert_allclose(model.inverse_transform(H), expected, rtol=1e-9)
    near = model.inverse_transform(model.transform(X))
    assert (np.abs(near - X) < 0.5).mean() > 0.75


def test_inverse_transform_of_a_full_machine_solves_the_mean_field_equations():
    X = noisy_prototypes(6)
    model = exact_machine("full").fit(X)
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


# ------------------------------------------------------------------------ real values


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


def test_gaussian_likelihood_does_better_than_independent_normals(gaussian):
    model, X = gaussian
    assert model.score(X) > norm(X.mean(0), X.std(0)).logpdf(X).sum(1).mean() + 0.1


def test_gaussian_samples_have_the_mean_and_the_covariance_of_the_model(gaussian):
    """b + s W'h with unit normal noise, h drawn from the enumerated hidden states."""
    model, X = gaussian
    p = reference.parameters(model)
    hidden = reference.states(4)
    fields = hidden @ p["W"]
    weights = hidden @ (p["c"] + p["W"] @ (p["b"] / p["s"])) + (fields**2).sum(1) / 2
    chances = np.exp(weights - weights.max())
    chances /= chances.sum()
    centers = p["b"] + p["s"] * fields
    mean = chances @ centers
    spread = (centers - mean).T @ (chances[:, np.newaxis] * (centers - mean))
    covariance = spread + np.diag(p["s"] ** 2)
    samples = model.sample(4000, n_gibbs_steps=300, random_state=0)
    error = np.sqrt(np.diag(covariance) / 4000)
    assert (np.abs(samples.mean(0) - mean) < 4 * error).all()
    variances = np.diag(covariance)
    tolerance = 4 * np.sqrt(2 * np.outer(variances, variances) / 4000)
    assert (np.abs(np.cov(samples.T) - covariance) < tolerance).all()
    assert_allclose(mean, X.mean(0), atol=0.3)


def test_gaussian_learning_does_not_depend_on_the_units_of_measurement():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 3))
    model = BoltzmannMachine(
        3, visible="gaussian", learning_rate=0.05, max_epochs=20, random_state=0
    )
    plain = clone(model).fit(X)
    scaled = clone(model).fit(X * [1, 8, 0.125])
    assert_allclose(scaled.scale_, plain.scale_ * [1, 8, 0.125])
    assert_allclose(scaled.score(X * [1, 8, 0.125]), plain.score(X), rtol=1e-6)


def test_clamped_gaussian_units_take_any_value(gaussian):
    model, _ = gaussian
    clamp = np.array([9.25, np.nan, np.nan])
    samples = model.sample(50, n_gibbs_steps=50, clamp=clamp, random_state=0)
    assert_array_equal(samples[:, 0], 9.25)
    assert len(np.unique(samples[:, 1])) == 50


# -------------------------------------------------------------------------- binarize


def test_values_above_the_cut_are_on():
    X = noisy_prototypes(6)
    shades = np.where(X == 1, 0.75, 0.5)
    plain = exact_machine("restricted").fit(X)
    cut = exact_machine("restricted", binarize=0.5).fit(shades)
    assert_array_equal(cut.components_, plain.components_)
    for method in ("transform", "score_samples", "free_energy"):
        assert_array_equal(getattr(cut, method)(shades), getattr(plain, method)(X))
    other = exact_machine("restricted", binarize=-3.0).fit(X * 2 - 4)
    assert_array_equal(other.components_, plain.components_)


def test_without_a_cut_values_are_probabilities():
    rng = np.random.default_rng(0)
    P = rng.uniform(0.1, 0.9, size=(60, 4))
    model = BoltzmannMachine(
        2,
        binarize=None,
        gradient="exact",
        learning_rate=1.0,
        batch_size=60,
        max_epochs=3000,
        weight_decay=0.0,
        random_state=0,
    ).fit(P)
    p = reference.parameters(model)
    assert_allclose(
        reference.visible_distribution(p) @ reference.states(4), P.mean(0), atol=2e-3
    )
    assert_allclose(model.transform(P), expit(p["c"] + P @ p["W"].T), rtol=1e-9)


def test_without_a_cut_zeros_and_ones_are_what_they_are():
    X = noisy_prototypes(6)
    cut = exact_machine("restricted").fit(X)
    uncut = exact_machine("restricted", binarize=None).fit(X)
    assert_array_equal(uncut.components_, cut.components_)
    assert_array_equal(uncut.score_samples(X), cut.score_samples(X))


# -------------------------------------------------------------------------- bad input


def test_without_a_cut_other_values_than_probabilities_are_refused():
    X = noisy_prototypes(6)
    model = exact_machine("restricted", binarize=None)
    for bad in (-0.5, 2):
        wrong = X.copy()
        wrong[3, 2] = bad
        with pytest.raises(ValueError, match=rf"(?s){bad}.*\[?0.*1.*binarize"):
            clone(model).fit(wrong)
        with pytest.raises(ValueError, match=rf"(?s){bad}.*\[?0.*1.*binarize"):
            clone(model).fit(X).transform(wrong)


def test_enumeration_of_too_many_units_is_refused():
    X = noisy_prototypes(64)
    model = BoltzmannMachine(48, connections="full", gradient="exact")
    with pytest.raises(ValueError, match=r"(?s)112.*units.*'pcd'"):
        model.fit(X)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"visible": "gaussian", "connections": "full"}, "gaussian.*restricted"),
        ({"n_hidden": 0}, "n_hidden.*full"),
    ],
)
def test_machines_that_do_not_exist_are_refused(params, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        BoltzmannMachine(**params).fit(noisy_prototypes(6))


@pytest.mark.parametrize(
    "params",
    [
        {"n_hidden": -1},
        {"n_hidden": 2.5},
        {"connections": "half"},
        {"visible": "poisson"},
        {"gradient": "score"},
        {"positive_phase": "none"},
        {"n_gibbs_steps": 0},
        {"learning_rate": 0.0},
        {"batch_size": 0},
        {"max_epochs": 0},
        {"weight_decay": -1.0},
        {"validation_fraction": 1.0},
        {"n_iter_no_change": 0},
        {"ais_steps": -1},
        {"binarize": "middle"},
    ],
)
def test_parameters_are_checked_in_fit(params):
    model = BoltzmannMachine(**params)
    with pytest.raises(InvalidParameterError, match=next(iter(params))):
        model.fit(noisy_prototypes(6))


@pytest.mark.parametrize(
    ("clamp", "message"),
    [
        (np.full(3, np.nan), r"(?s)clamp.*\(3,\).*4"),
        (np.full((2, 4), np.nan), r"(?s)clamp.*\(2, 4\).*\(5, 4\)"),
        (np.array([np.inf, np.nan, 1, 0]), r"clamp contains infinity"),
    ],
)
def test_a_clamp_of_another_shape_or_kind_is_refused(small, clamp, message):
    with pytest.raises(ValueError, match=f"(?i){message}"):
        small["full"].sample(5, clamp=clamp)


def test_a_gaussian_clamp_must_be_finite(gaussian):
    with pytest.raises(ValueError, match=r"(?s)clamp.*inf"):
        gaussian[0].sample(2, clamp=[np.inf, np.nan, np.nan])


@pytest.mark.parametrize(
    "params",
    [
        {"temperature": 0.0},
        {"temperature": -1.0},
        {"n_gibbs_steps": -1},
        {"n_samples": 0},
    ],
)
def test_impossible_samples_are_refused(small, params):
    with pytest.raises(ValueError, match=next(iter(params))):
        small["restricted"].sample(**params)


def test_other_numbers_of_units_are_refused(small):
    model = small["restricted"]
    X, H = reference.states(4), reference.states(3)
    for method in ("transform", "free_energy", "score_samples", "score", "partial_fit"):
        with pytest.raises(ValueError, match=r"3 features.*4 features"):
            getattr(model, method)(X[:, :3])
    with pytest.raises(ValueError, match=r"(?s)2.*3"):
        model.inverse_transform(H[:, :2])
    with pytest.raises(ValueError, match=r"(?s)2.*3"):
        model.energy(X[:8], H[:, :2])
    with pytest.raises(ValueError, match=r"(?s)16.*8"):
        model.energy(X, H)


def test_nothing_is_answered_before_fit():
    model, X = BoltzmannMachine(), noisy_prototypes(6)
    calls = {
        "transform": (X,),
        "inverse_transform": (X,),
        "energy": (X, X),
        "free_energy": (X,),
        "score_samples": (X,),
        "score": (X,),
        "sample": (),
    }
    for method, arguments in calls.items():
        with pytest.raises(NotFittedError):
            getattr(model, method)(*arguments)


# -------------------------------------------------------- seeds, refits, early stops


@pytest.mark.parametrize("gradient", ["exact", "pcd"])
def test_the_same_seed_gives_the_same_bits_and_no_global_generator_moves(gradient):
    X = noisy_prototypes(6)
    states = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()
    model = exact_machine("full", gradient=gradient, max_epochs=10, batch_size=16)
    first, second = clone(model).fit(X), clone(model).fit(X)
    drawn = [m.sample(8, n_gibbs_steps=5) for m in (first, second)]
    assert random.getstate() == states[0]
    assert_array_equal(np.random.get_state()[1], states[1])
    assert torch.equal(torch.get_rng_state(), states[2])
    p, q = reference.parameters(first), reference.parameters(second)
    for name in ("b", "c", "W", "L", "J"):
        assert_array_equal(p[name], q[name])
    assert_array_equal(*drawn)
    other = clone(model).set_params(random_state=1).fit(X)
    assert not np.array_equal(other.components_, first.components_)


@pytest.mark.parametrize("gradient", ["exact", "pcd"])
def test_a_refit_forgets(gradient):
    A, B = noisy_prototypes(6), noisy_prototypes(6, seed=1)
    model = exact_machine("full", gradient=gradient, max_epochs=10)
    fresh = clone(model).fit(B)
    again = clone(model).fit(A).partial_fit(A).fit(B)
    assert_array_equal(again.components_, fresh.components_)
    assert again.log_partition_ == fresh.log_partition_
    assert again.n_iter_ == fresh.n_iter_ == 10


def test_a_refit_without_early_stopping_or_gaussian_units_leaves_none_of_their_traces():
    X = np.random.default_rng(0).normal(size=(60, 4))
    model = BoltzmannMachine(
        3, visible="gaussian", early_stopping=True, max_epochs=3, random_state=0
    ).fit(X)
    assert hasattr(model, "scale_") and hasattr(model, "free_energy_gap_")
    model.set_params(
        visible="binary", connections="full", early_stopping=False, binarize=0.0
    ).fit(X)
    assert not hasattr(model, "scale_") and not hasattr(model, "free_energy_gap_")
    assert model.set_params(connections="restricted").fit(X)
    assert not hasattr(model, "visible_weights_")
    assert not hasattr(model, "hidden_weights_")


@pytest.mark.parametrize("gradient", ["exact", "pcd"])
def test_partial_fit_is_one_more_epoch(gradient):
    X = noisy_prototypes(6)
    model = exact_machine("full", gradient=gradient, learning_rate=0.05)
    started = clone(model).partial_fit(X)
    assert started.n_iter_ == 1
    first = started.score(X)
    for _ in range(100):
        started.partial_fit(X)
    assert started.n_iter_ == 101
    assert started.score(X) > first + 0.3


@pytest.mark.parametrize(
    "params",
    [
        {"connections": "full", "gradient": "exact"},
        {"connections": "full", "gradient": "pcd", "positive_phase": "gibbs"},
        {"gradient": "pcd", "average": False},
        {"visible": "gaussian", "gradient": "pcd"},
    ],
)
def test_k_passes_of_partial_fit_are_a_fit_of_k_epochs(params):
    X = noisy_prototypes(6)
    model = BoltzmannMachine(4, batch_size=16, max_epochs=5, random_state=0, **params)
    whole, pieces = clone(model).fit(X), clone(model)
    for _ in range(5):
        pieces.partial_fit(X)
    p, q = reference.parameters(whole), reference.parameters(pieces)
    assert all(np.array_equal(p[name], q[name]) for name in "bcWLJ")
    assert_array_equal(pieces.score_samples(X), whole.score_samples(X))
    assert_array_equal(pieces.sample(3), whole.sample(3))


def test_early_stopping_watches_the_gap_of_the_free_energies():
    """Few rows and many hidden units: rows held out become unlikely soon."""
    X = noisy_prototypes(8, n_samples=30, flipped=0.3)
    model = BoltzmannMachine(
        12,
        learning_rate=0.5,
        batch_size=10,
        max_epochs=500,
        weight_decay=0.0,
        early_stopping=True,
        validation_fraction=0.3,
        n_iter_no_change=5,
        random_state=0,
    ).fit(X)
    assert model.n_iter_ < 500
    assert len(model.free_energy_gap_) == model.n_iter_
    assert np.isfinite(model.free_energy_gap_).all()
    assert not hasattr(
        model.set_params(early_stopping=False).fit(X), "free_energy_gap_"
    )


def test_early_stopping_keeps_the_last_epoch_of_which_the_gap_was_narrow():
    X = noisy_prototypes(8, n_samples=40, flipped=0.3)
    model = BoltzmannMachine(
        12,
        learning_rate=0.5,
        batch_size=13,
        max_epochs=300,
        early_stopping=True,
        validation_fraction=0.3,
        n_iter_no_change=4,
        tol=0.01,
        random_state=0,
    ).fit(X)
    gaps = np.array(model.free_energy_gap_)
    n_kept = np.flatnonzero(gaps <= 0.01).max() + 1
    assert 1 < n_kept and len(gaps) == model.n_iter_ == n_kept + 4 < 300
    short = clone(model).set_params(max_epochs=n_kept).fit(X)
    assert_array_equal(model.components_, short.components_)
    longer = clone(model).set_params(max_epochs=n_kept + 1).fit(X)
    assert_array_equal(model.components_, longer.components_)


# -------------------------------------------------------------- number types and arrays


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", ["restricted", "full", "visible only"])
def test_the_number_type_of_the_data_is_kept(dtype, shape):
    X = noisy_prototypes(SHAPES[shape][0]).astype(dtype)
    model = exact_machine(shape, max_epochs=5).fit(X)
    H = model.transform(X)
    results = {
        "components_": model.components_,
        "transform": H,
        "inverse_transform": model.inverse_transform(H),
        "energy": model.energy(X, H),
        "free_energy": model.free_energy(X),
        "score_samples": model.score_samples(X),
        "sample": model.sample(3, n_gibbs_steps=2),
    }
    assert {name: a.dtype for name, a in results.items()} == dict.fromkeys(
        results, np.dtype(dtype)
    )


def test_integers_and_booleans_are_data():
    X = noisy_prototypes(6)
    fitted = exact_machine("restricted", max_epochs=5).fit(X)
    for dtype in (int, bool, np.uint8):
        other = exact_machine("restricted", max_epochs=5).fit(X.astype(dtype))
        assert_array_equal(other.components_, fitted.components_)
        assert_array_equal(other.transform(X.astype(dtype)), fitted.transform(X))


@pytest.mark.parametrize("binarize", [0.5, None])
def test_arrays_of_the_caller_are_not_changed(binarize):
    X, clamp = noisy_prototypes(6), np.array([1, np.nan, np.nan, 0, np.nan, np.nan])
    H = reference.states(4)
    kept = [a.copy() for a in (X, clamp, H)]
    for a in (X, clamp, H):
        a.flags.writeable = False
    model = exact_machine("full", binarize=binarize, max_epochs=3).fit(X)
    model.partial_fit(X)
    for method in ("transform", "free_energy", "score_samples", "score"):
        getattr(model, method)(X)
    model.energy(X[:16], H)
    model.inverse_transform(H)
    model.sample(3, n_gibbs_steps=2, clamp=clamp)
    for a, before in zip((X, clamp, H), kept, strict=True):
        assert_array_equal(a, before)


# ----------------------------------------------------------- interrupts and divergence


@pytest.mark.usefixtures("heard_interrupts")
@pytest.mark.parametrize("gradient", ["exact", "pcd"])
def test_an_interrupt_installs_the_last_finished_epoch_and_goes_on(gradient):
    X = noisy_prototypes(6)
    model = exact_machine("full", gradient=gradient, learning_rate=0.01)
    interrupted = clone(model).set_params(max_epochs=10**7)
    timer = threading.Timer(0.5, interrupt_main)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        interrupted.fit(X)
    timer.join()
    assert interrupted.n_iter_ >= 1
    whole = clone(model).set_params(max_epochs=interrupted.n_iter_).fit(X)
    assert_array_equal(interrupted.components_, whole.components_)
    assert interrupted.log_partition_ == whole.log_partition_
    assert_array_equal(interrupted.transform(X), whole.transform(X))


def diverging(**params):
    rng = np.random.default_rng(0)
    params = {"visible": "gaussian", "max_epochs": 50, "random_state": 0} | params
    return BoltzmannMachine(4, **params), rng.normal(size=(100, 3))


@pytest.mark.parametrize("gradient", ["exact", "pcd"])
def test_divergence_names_the_epoch_and_the_remedy(gradient):
    model, X = diverging(gradient=gradient, learning_rate=1e308)
    with pytest.raises(ValueError, match=r"(?s)epoch \d+.*learning_rate"):
        model.fit(X)
    with pytest.raises(NotFittedError):
        model.transform(X)


def test_divergence_leaves_a_fitted_model_as_it_was():
    model, X = diverging(learning_rate=0.01, max_epochs=5)
    before = model.fit(X).__dict__ | {"learning_rate": 1e308}
    kept = pickle.dumps(before)
    model.set_params(learning_rate=1e308)
    for fit in (model.fit, lambda X: [model.partial_fit(X) for _ in range(50)]):
        with pytest.raises(ValueError, match="learning_rate"):
            fit(X)
        finite = [model.components_, model.score_samples(X), model.transform(X)]
        assert all(np.isfinite(a).all() for a in finite)
        if fit == model.fit:
            assert pickle.dumps(model.__dict__) == kept


def test_verbose_prints_a_line_an_epoch(capsys):
    X = noisy_prototypes(6)
    BoltzmannMachine(3, max_epochs=2, random_state=0).fit(X)
    assert capsys.readouterr().out == ""
    BoltzmannMachine(
        3, max_epochs=2, early_stopping=True, verbose=True, random_state=0
    ).fit(X)
    lines = capsys.readouterr().out.splitlines()
    number = r"-?\d+\.\d+"
    for epoch, line in enumerate(lines, start=1):
        assert re.fullmatch(
            rf"\[BoltzmannMachine\] epoch {epoch}: free energy {number}, "
            rf"gap {number}, {number} s",
            line,
        )
    assert len(lines) == 2


# ------------------------------------------------------- letters, and annealing


@pytest.fixture(scope="module", params=["full", "visible only"])
def letter_machine(request):
    data, target = load_letters(return_X_y=True)
    letters = data[[list(target).index(name) for name in "JLMQT"]].astype(float)
    n_hidden = 20 if request.param == "full" else 0
    machine = BoltzmannMachine(
        n_hidden, connections="full", max_epochs=200, ais_steps=0, random_state=0
    )
    return machine.fit(np.repeat(letters, 20, axis=0)), letters


def test_annealed_sampling_completes_letters_from_their_upper_half(letter_machine):
    machine, letters = letter_machine
    clamp = np.repeat(letters, 20, axis=0)
    clamp[:, 32:] = np.nan
    samples = machine.sample(
        100,
        clamp=clamp,
        n_gibbs_steps=100,
        temperature=np.geomspace(5, 0.1, 100),
        random_state=0,
    )
    assert_array_equal(samples, np.repeat(letters, 20, axis=0))


def test_free_samples_are_the_letters_learned(letter_machine):
    machine, letters = letter_machine
    samples = machine.sample(100, n_gibbs_steps=200, random_state=0)
    exact = (samples[:, None] == letters).all(axis=2)
    assert exact.any(axis=1).mean() > 0.9
    assert exact.any(axis=0).sum() >= 4


# ---------------------------------------------- log Z by annealed importance sampling


@pytest.mark.parametrize("shape", ["restricted", "full", "visible only"])
def test_annealed_importance_sampling_finds_log_z(shape):
    model = exact_machine(shape).fit(noisy_prototypes(SHAPES[shape][0]))
    machine = model._assemble_machine()
    base = np.log(0.3 / 0.7) * np.ones(machine.shape[1])
    estimates = [
        estimate_log_partition(machine, base, 300, np.random.default_rng(seed))
        for seed in range(5)
    ]
    assert_allclose(np.mean(estimates), model.log_partition_, atol=0.05)
    assert np.std(estimates) > 0


def test_annealed_importance_sampling_finds_log_z_of_gaussian_units(gaussian):
    model, _ = gaussian
    machine = model._state.average  # standardised
    rng = np.random.default_rng(0)
    estimate = estimate_log_partition(machine, np.zeros(3), 1000, rng)
    expected = model.log_partition_ - np.log(model.scale_).sum()
    assert_allclose(estimate, expected, atol=0.1)


def test_a_large_machine_is_scored_by_annealing_or_not_at_all():
    rng = np.random.default_rng(0)
    X = (rng.random((200, 25)) < 0.3).astype(float)
    model = BoltzmannMachine(21, max_epochs=5, random_state=0).fit(X)
    chance = np.clip(X.mean(axis=0), 0.01, 0.99)
    independent = np.log(np.where(X == 1, chance, 1 - chance)).sum(axis=1).mean()
    assert abs(model.score(X) - independent) < 1
    without = BoltzmannMachine(21, max_epochs=5, ais_steps=0, random_state=0).fit(X)
    assert np.isnan(without.log_partition_)
    with pytest.raises(ValueError, match=r"log_partition_.*ais_steps=1000"):
        without.score_samples(X)
    assert_array_equal(without.transform(X), model.transform(X))


# ------------------------------------------------------ interrupts, and going on


class InterruptAtLine:
    """A trace function that interrupts at the n-th line run in sklearn_rnn.energy."""

    def __init__(self, n):
        self.n_left = n

    def __call__(self, frame, event, arg):
        if "sklearn_rnn/energy" not in frame.f_code.co_filename.replace("\\", "/"):
            return None
        if event == "line":
            self.n_left -= 1
            if self.n_left == 0:
                raise KeyboardInterrupt
        return self


@pytest.mark.parametrize("early_stopping", [False, True])
def test_an_interrupt_at_any_line_leaves_a_whole_epoch_or_nothing(early_stopping):
    X = noisy_prototypes(3)
    model = BoltzmannMachine(
        2, max_epochs=3, batch_size=60, early_stopping=early_stopping, random_state=0
    )
    whole = [clone(model).set_params(max_epochs=k).fit(X) for k in (1, 2, 3)]
    outer, line, seen = sys.gettrace(), 0, set()
    while True:
        line += 1
        interrupted = clone(model)
        sys.settrace(InterruptAtLine(line))
        try:
            interrupted.fit(X)
        except KeyboardInterrupt:
            pass
        else:
            break
        finally:
            sys.settrace(outer)
        n_epochs = getattr(interrupted, "n_iter_", 0)
        seen.add(n_epochs)
        if n_epochs:
            expected = whole[n_epochs - 1]
            assert_array_equal(interrupted.components_, expected.components_)
            assert interrupted.log_partition_ == expected.log_partition_
            gaps = getattr(interrupted, "free_energy_gap_", None)
            assert gaps == getattr(expected, "free_energy_gap_", None)
    assert seen == {0, 1, 2, 3}


def test_an_interrupt_while_log_z_is_estimated_keeps_what_was_learned(monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(
        "sklearn_rnn.energy._boltzmann_trainer.estimate_log_partition", interrupt
    )
    X = noisy_prototypes(25)
    model = BoltzmannMachine(21, max_epochs=2, random_state=0)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X)
    assert model.n_iter_ == 2
    assert np.isnan(model.log_partition_)
    assert np.isfinite(model.transform(X)).all()


def test_none_is_free_in_a_clamp(gaussian):
    samples = gaussian[0].sample(2, clamp=[9.25, None, None], n_gibbs_steps=2)
    assert_array_equal(samples[:, 0], 9.25)


def test_fitted_answers_follow_what_was_fitted_not_later_parameters():
    X = noisy_prototypes(6)
    model = exact_machine("restricted").fit(X)
    before = model.inverse_transform(model.transform(X))
    model.set_params(n_hidden=9, visible="gaussian")
    assert_array_equal(model.inverse_transform(model.transform(X)), before)


def test_partial_fit_goes_on_from_the_weights_that_early_stopping_kept():
    X = noisy_prototypes(8, n_samples=30, flipped=0.3)
    model = BoltzmannMachine(
        12,
        learning_rate=0.5,
        batch_size=10,
        max_epochs=500,
        early_stopping=True,
        average=False,
        validation_fraction=0.3,
        random_state=0,
    ).fit(X)
    assert model.n_iter_ > 2
    kept = model.components_
    model.set_params(learning_rate=1e-9).partial_fit(X)
    assert_allclose(model.components_, kept, atol=1e-4)
