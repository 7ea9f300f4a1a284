"""Updates and energies compared with the equations, one unit at a time."""

import numpy as np
import pytest
import reference_hopfield as reference
from energy_examples import PAIRWISE, RULES, draw_signs
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits

from sklearn_rnn import HopfieldDenoiser
from sklearn_rnn.energy._spin_networks import BLOCK, DenseNetwork, PairwiseNetwork

# Two patterns of four units, which exceed the capacity of Hebb's rule.
by_hand = pytest.mark.filterwarnings("ignore::sklearn_rnn.energy.CapacityWarning")


@pytest.mark.parametrize("rule", RULES)
def test_energy_is_that_of_the_equation(rule, rng):
    patterns, s = draw_signs(rng, 4, 30), draw_signs(rng, 5, 30)
    memory = HopfieldDenoiser(rule, thresholds="learned", beta=0.3).fit(patterns)
    theta = memory.thresholds_
    if rule == "dense":
        expected = [reference.dense_energy(patterns, 0.3, theta, row) for row in s]
    else:
        expected = [reference.energy(memory.weights_, theta, row) for row in s]
    assert_allclose(memory.energy(s), expected, rtol=1e-9)


@pytest.mark.parametrize("rule", PAIRWISE)
@pytest.mark.parametrize("thresholds", ["zero", "learned"])
def test_recall_is_that_of_one_unit_at_a_time_bit_for_bit(rule, thresholds, rng):
    patterns = draw_signs(rng, 8, 70)
    memory = HopfieldDenoiser(rule, thresholds=thresholds, order="fixed").fit(patterns)
    start = draw_signs(rng, 60, 70)
    expected = [reference.recall(memory.weights_, memory.thresholds_, s) for s in start]
    assert_array_equal(memory.transform(start), expected)


@pytest.mark.parametrize("rule", RULES)
def test_a_sweep_returns_the_product_with_the_new_states(rule, rng):
    memory = HopfieldDenoiser(rule, thresholds="learned").fit(draw_signs(rng, 8, 150))
    network = memory._make_network()
    states = draw_signs(rng, 150, 40).astype(network.dtype)
    order, free = rng.permutation(150), rng.random(states.shape) < 0.8
    noise = rng.logistic(size=states.shape)
    new = states.copy()
    product = network.update_async(new, order, free, noise, with_product=True)
    assert (new != states).any()
    assert_array_equal(new[~free], states[~free])
    factor = network.patterns if rule == "dense" else network.weights
    assert_array_equal(product, factor @ new)


def test_every_unit_of_a_block_can_depend_on_the_one_before():
    n_units = BLOCK  # a chain: each unit copies its predecessor
    weights = np.diag(np.ones(n_units - 1), -1)
    network = PairwiseNetwork(weights + weights.T * 0.5, np.zeros(n_units))
    states = np.full((n_units, 2), -1.0)
    states[0, 0] = 1
    free = np.ones(states.shape, bool)
    free[0] = False
    network.update_async(states, np.arange(n_units), free)
    assert_array_equal(states[:, 0], np.ones(n_units))
    assert_array_equal(states[:, 1], -np.ones(n_units))


BETAS = [0.01, 0.1, 0.5, 0.99, 1.0, 3.0, 10.0, 18.0, 40.0, 99.0, 100.0, 360.0, 1000.0]


def random_patterns():
    """Twelve random patterns, thresholds, and random states to start from."""
    rng = np.random.default_rng(0)
    return draw_signs(rng, 12, 20), rng.normal(size=20) / 10, draw_signs(rng, 12, 20)


def digits_and_midpoints():
    """Digits of 64 units, which are similar, and states halfway between two of them."""
    rng = np.random.default_rng(0)
    patterns = np.where(load_digits().data[:12] > 7, 1.0, -1.0)
    ours, theirs = patterns[rng.integers(12, size=(2, 8))]
    middle = np.where(np.cumsum(ours != theirs, axis=1) % 2 == 0, ours, theirs)
    return patterns, np.zeros(64), middle


@by_hand  # at a small beta the patterns are too many
@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("examples", [random_patterns, digits_and_midpoints])
def test_dense_recall_is_that_of_the_energies_of_both_states(examples, beta):
    patterns, thresholds, start = examples()
    memory = HopfieldDenoiser(
        "dense", beta=beta, thresholds=thresholds, order="fixed"
    ).fit(patterns)
    found = memory.recall(start, trace=True)
    assert found.converged.all()
    expected, traces = zip(
        *(reference.dense_recall(patterns, beta, thresholds, s) for s in start),
        strict=True,
    )
    assert_array_equal(found.patterns, expected)
    assert_allclose(found.energy, [trace[-1] for trace in traces], rtol=1e-9)
    assert_allclose(memory.energy(start), [trace[0] for trace in traces], rtol=1e-9)
    for ours, trace in zip(found.energy_trace, traces, strict=True):
        n = min(len(ours), len(trace))  # a row that is stable waits for the others
        assert_allclose(ours[:n], trace[:n], rtol=1e-9)
        assert_allclose(ours[n:], trace[-1], rtol=1e-9)


@by_hand  # at a small beta the patterns are too many
@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("examples", [random_patterns, digits_and_midpoints])
def test_dense_fields_are_those_of_the_energies_of_both_states(examples, beta):
    patterns, _, states = examples()
    n_units = patterns.shape[1]
    expected = np.array(
        [
            [reference.dense_field(patterns, beta, s, i) for i in range(n_units)]
            for s in states
        ]
    )
    for shift in (-1e-6, 1e-6):  # a unit is on above its threshold and off below it
        for state, field in zip(states, expected, strict=True):
            network = DenseNetwork(patterns, field + shift, beta)
            stays, _ = network.stability_and_energy(state[:, None])
            assert_array_equal(stays[:, 0] == (state > 0), np.full(n_units, shift < 0))


@by_hand  # at a small beta the patterns are too many
@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("update", ["asynchronous", "synchronous"])
def test_dense_recall_of_noisy_digits_converges_for_every_beta(update, beta, rng):
    patterns = np.unique(load_digits().data[:300] > 7, axis=0).astype(float)
    noisy = np.abs(patterns - (rng.random(patterns.shape) < 0.1))
    memory = HopfieldDenoiser("dense", beta=beta, update=update, random_state=0)
    assert memory.fit(patterns).recall(noisy).converged.all()
    if beta >= 1:  # a few patterns differ in one unit, which is a tie
        assert memory.score(patterns) > 0.9
        assert memory.score(noisy, np.arange(len(patterns))) > 0.75


@by_hand
@pytest.mark.parametrize(("threshold", "state"), [(2, 1), (2.01, -1)])
def test_a_unit_whose_field_is_its_threshold_turns_on(threshold, state):
    # w_12 = 2 and w_13 = w_14 = 0, so that the field of the first unit is 2 s_2
    memory = HopfieldDenoiser(order="fixed", thresholds=[threshold, 0, 0, 0])
    memory.fit([[1, 1, 1, 1], [1, 1, -1, -1]])
    found = memory.recall([[-state, 1, 1, 1]], [False, True, True, True])
    assert_array_equal(found.patterns, [[state, 1, 1, 1]])


def test_synchronous_recall_repeats_the_sign_of_the_fields(rng):
    patterns = draw_signs(rng, 5, 51)
    memory = HopfieldDenoiser(update="synchronous", max_iter=2).fit(patterns)
    start = draw_signs(rng, 10, 51)
    once = np.where(start @ memory.weights_ >= 0, 1, -1)
    twice = np.where(once @ memory.weights_ >= 0, 1, -1)
    assert_array_equal(memory.recall(start).patterns, twice)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("order", ["random", "fixed"])
def test_energy_never_rises_and_a_stable_state_is_reached(rule, order, rng):
    memory = HopfieldDenoiser(
        rule, order=order, thresholds="learned", random_state=0
    ).fit(draw_signs(rng, 6, 50))
    start = draw_signs(rng, 20, 50)
    found = memory.recall(start, trace=True)
    scale = np.abs(found.energy_trace).max()
    assert (np.diff(found.energy_trace) <= 1e-9 * scale).all()
    assert_allclose(found.energy_trace[:, 0], memory.energy(start), rtol=1e-9)
    assert_allclose(found.energy_trace[:, -1], found.energy, atol=1e-9 * scale)
    assert_allclose(found.energy, memory.energy(found.patterns), rtol=1e-12)
    assert found.converged.all() and not found.cycle.any()
    assert memory.score(found.patterns) == 1.0


@by_hand
def test_synchronous_dense_recall_never_raises_the_energy(rng):
    memory = HopfieldDenoiser("dense", update="synchronous", beta=0.05)
    found = memory.fit(draw_signs(rng, 30, 40)).recall(
        draw_signs(rng, 50, 40), trace=True
    )
    assert (np.diff(found.energy_trace) <= 1e-9).all()
    assert found.converged.all()
