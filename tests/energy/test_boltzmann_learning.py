"""Training increases the likelihood; early stopping uses held-out rows."""

import pickle

import numpy as np
import pytest
import reference_boltzmann as reference
from energy_examples import SHAPES, exact_machine, noisy_prototypes
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm
from sklearn.base import clone
from sklearn.datasets import load_digits

from sklearn_rnn import BoltzmannMachine


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


@pytest.mark.parametrize("shape", SHAPES)
def test_one_exact_step_follows_the_gradient_of_the_likelihood(shape):
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


def test_hidden_units_learn_correlations_of_third_order():
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
def test_persistent_contrastive_divergence_is_close_to_exact_learning(
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


def test_weight_decay_shrinks_the_weights():
    X = noisy_prototypes(6)
    sizes = [
        np.abs(exact_machine("full", weight_decay=decay).fit(X).components_).sum()
        for decay in (0.0, 0.01, 0.1)
    ]
    assert sizes[0] > sizes[1] > sizes[2]


def test_gaussian_machine_beats_independent_normal_distributions(gaussian):
    model, X = gaussian
    assert model.score(X) > norm(X.mean(0), X.std(0)).logpdf(X).sum(1).mean() + 0.1


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


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_two_clusters_are_found(seed):
    rng = np.random.default_rng(seed)
    center = rng.choice([-3.0, 3.0], (300, 1))
    X = center + rng.normal(size=(300, 1))
    model = BoltzmannMachine(
        2, visible="gaussian", max_epochs=300, random_state=seed
    ).fit(X)
    mixture = np.logaddexp(*norm([-3, 3]).logpdf(X).T) - np.log(2)
    single = norm(X.mean(), X.std()).logpdf(X)
    assert mixture.mean() - 0.05 < model.score(X)
    assert single.mean() + 0.4 < model.score(X)


@pytest.mark.parametrize("n_hidden", [8, 64])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_clusters_of_unequal_size_are_found(n_hidden, seed):
    rng = np.random.default_rng(seed)
    X = np.r_[rng.normal(-3, 0.5, (180, 1)), rng.normal(3, 0.5, (20, 1))]
    model = BoltzmannMachine(
        n_hidden, visible="gaussian", max_epochs=300, ais_steps=300, random_state=seed
    ).fit(X)
    single = norm(X.mean(), X.std()).logpdf(X).mean()
    mixture = np.logaddexp(
        np.log(0.9) + norm(-3, 0.5).logpdf(X), np.log(0.1) + norm(3, 0.5).logpdf(X)
    ).mean()
    assert mixture - single > 1
    assert model.score(X) > single + 0.4 * (mixture - single)


@pytest.mark.parametrize("n_hidden", [2, 8])
def test_two_narrow_clusters_are_found_by_default(n_hidden):
    rng = np.random.default_rng(0)
    X = np.r_[rng.normal(-2.5, 0.5, (100, 1)), rng.normal(2.5, 0.5, (100, 1))]
    mixture = np.logaddexp(*norm([-2.5, 2.5], 0.5).logpdf(X).T) - np.log(2)
    model = BoltzmannMachine(
        n_hidden, visible="gaussian", max_epochs=300, random_state=0
    ).fit(X)
    assert model.score(X) > mixture.mean() - 0.2


def test_many_gaussian_columns_with_outliers_do_not_diverge():
    X = load_digits().data[:400]
    model = BoltzmannMachine(
        32, visible="gaussian", max_epochs=50, ais_steps=100, random_state=0
    )
    assert model.fit(X).score(X) > clone(model).set_params(max_epochs=5).fit(X).score(X)


def test_early_stopping_compares_free_energies():
    """With few rows and many hidden units, held-out rows soon become unlikely."""
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


def test_early_stopping_keeps_the_last_epoch_with_a_small_gap():
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
