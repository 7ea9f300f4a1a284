"""Persistent chains reach all modes, and jumps keep the distribution."""

import numpy as np
import pytest
import reference_boltzmann as reference
from energy_examples import noisy_prototypes, pick_letters
from scipy.stats import chisquare

from sklearn_rnn import BoltzmannMachine
from sklearn_rnn.energy._boltzmann_jumps import (
    jump_all_units_to_data,
    jump_to_data,
)
from sklearn_rnn.energy._boltzmann_parameters import Machine
from sklearn_rnn.energy._boltzmann_sampling import Chains, sweep


def hidden_distribution(p):
    """Probability of each of reference.states(n_hidden)."""
    weights = np.exp(-reference.energies(p, reference.states(len(p["b"])))).sum(0)
    return weights / weights.sum()


@pytest.mark.parametrize("n_rows", [1, 6])
def test_jumps_keep_the_distribution_of_the_hidden_states(small, rng, n_rows):
    """The jumps propose rows that the machine was not trained on."""
    model = small["restricted"]
    machine, states = model._assemble_machine(), reference.states(3)
    chances = hidden_distribution(reference.parameters(model))
    before = rng.choice(8, size=20_000, p=chances)
    fields = machine.hidden_fields(rng.integers(2, size=(n_rows, 4)).astype(float))
    after = jump_to_data(machine, states[before], fields, rng) @ [4, 2, 1]
    assert (after != before).mean() > 0.05
    counts = np.bincount(after.astype(int), minlength=8)
    assert chisquare(counts, 20_000 * chances).pvalue > 1e-3


def test_jumps_keep_the_distribution_with_gaussian_units(gaussian, rng):
    model, X = gaussian
    machine = model._assemble_machine()
    states = reference.states(4)
    log_chances = machine.weigh_hidden(states, machine.visible_fields(states))
    chances = np.exp(log_chances - log_chances.max())
    chances /= chances.sum()
    before = rng.choice(16, size=20_000, p=chances)
    fields = machine.hidden_fields(X[:5] / model.scale_)
    after = jump_to_data(machine, states[before], fields, rng) @ [8, 4, 2, 1]
    assert (after != before).mean() > 0.05
    counts = np.bincount(after.astype(int), minlength=16)
    expected = 20_000 * chances
    assert chisquare(counts, expected).pvalue > 1e-3


def test_jumps_keep_the_distribution_of_full_machines(small, rng):
    model = small["full"]
    machine, states = model._assemble_machine(), reference.states(7)
    visible, hidden = np.hsplit(states, [4])
    weights = np.exp(-machine.energy(visible, hidden))
    chances = weights / weights.sum()
    before = rng.choice(128, size=20_000, p=chances)
    batch = rng.integers(2, size=(5, 4)).astype(float)
    chains = jump_all_units_to_data(
        machine,
        Chains(visible[before], hidden[before]),
        batch,
        machine.hidden_fields(batch),
        rng,
    )
    after = np.hstack([chains.visible, chains.hidden]) @ 2 ** np.arange(6, -1, -1)
    assert (after != before).mean() > 0.05
    counts, expected = np.bincount(after.astype(int), minlength=128), 20_000 * chances
    rare = expected < 5
    counts = np.r_[counts[~rare], counts[rare].sum()]
    expected = np.r_[expected[~rare], expected[rare].sum()]
    assert chisquare(counts, expected).pvalue > 1e-3


def test_chains_in_one_mode_reach_the_other(rng):
    """Gibbs sampling alone rarely moves between these two patterns."""
    weights = np.full((4, 8), 4.0)
    machine = Machine(weights, np.full(4, -16.0), np.full(8, -8.0))
    fields = machine.hidden_fields(np.repeat([[0.0], [1.0]], 8, axis=1))
    gibbs = jumping = np.zeros((500, 4))
    visible = np.zeros((500, 8))
    for _ in range(5):
        visible, gibbs, _ = sweep(machine, visible, gibbs, rng)
        jumping = jump_to_data(machine, jumping, fields, rng)
    assert gibbs.mean() < 0.05
    assert 0.4 < jumping.mean() < 0.6


@pytest.mark.parametrize("n_hidden", [8, 16])
def test_separate_patterns_stay_equally_likely(n_hidden):
    """Without jumps, all but one or two letters become e**10 times as rare."""
    letters = pick_letters("JLMQT")
    model = BoltzmannMachine(n_hidden, gradient="pcd", max_epochs=300, random_state=0)
    scores = model.fit(np.repeat(letters, 40, axis=0)).score_samples(letters)
    assert scores.max() - scores.min() < 3
    assert scores.mean() > -3.5


@pytest.mark.parametrize("n_units", [(18, 0), (16, 4)])
def test_separate_patterns_stay_equally_likely_in_full_machines(n_units):
    """Without jumps, one of these patterns becomes e**2 or e**4 times as rare."""
    n_visible, n_hidden = n_units
    rng = np.random.default_rng(1)
    patterns = rng.integers(2, size=(4, n_visible)).astype(float)
    model = BoltzmannMachine(
        n_hidden,
        connections="full",
        gradient="pcd",
        max_epochs=300,
        random_state=1,
    )
    scores = model.fit(np.repeat(patterns, 40, axis=0)).score_samples(patterns)
    assert scores.max() - scores.min() < 1
    assert scores.mean() > np.log(1 / 4) - 0.5


def test_training_works_with_batches_of_one_row():
    X = noisy_prototypes(12)
    model = BoltzmannMachine(11, batch_size=1, learning_rate=0.02, random_state=0)
    assert model.fit(X).score(X) > model.set_params(max_epochs=1).fit(X).score(X)
