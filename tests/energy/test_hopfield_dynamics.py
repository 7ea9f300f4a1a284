"""Recall: sweeps, clamps, temperatures and independence of rows."""

import numpy as np
import pytest
import reference_hopfield as reference
from energy_examples import RULES, draw_signs, flip_units, pick_letters
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import chisquare
from sklearn.exceptions import ConvergenceWarning

from sklearn_rnn import HopfieldDenoiser
from sklearn_rnn.energy import _hopfield_dynamics

# Two patterns of four units, which exceed the capacity of Hebb's rule.
by_hand = pytest.mark.filterwarnings("ignore::sklearn_rnn.energy.CapacityWarning")


def test_synchronous_updates_may_alternate_between_two_states():
    memory = HopfieldDenoiser(update="synchronous").fit([[1, -1]])
    found = memory.recall([[1, 1], [1, -1]])
    assert_array_equal(found.cycle, [True, False])
    assert_array_equal(found.converged, [False, True])
    assert abs(found.patterns[0].sum()) == 2
    asynchronous = HopfieldDenoiser().fit([[1, -1]]).recall([[1, 1]])
    assert asynchronous.converged.all() and not asynchronous.cycle.any()


@pytest.mark.parametrize("method", ["transform", "predict"])
def test_rows_that_do_not_converge_give_a_warning(method, rng):
    cycling = HopfieldDenoiser(update="synchronous").fit([[1, -1]])
    message = "1 of 2 rows were not stable.*1 of them alternate.*asynchronous"
    with pytest.warns(ConvergenceWarning, match=message) as caught:
        getattr(cycling, method)([[1, 1], [1, -1]])
    assert caught[0].filename == __file__
    short = HopfieldDenoiser(max_iter=1).fit(draw_signs(rng, 9, 70))
    with pytest.warns(ConvergenceWarning, match="max_iter=1 sweeps. Increase max_iter"):
        getattr(short, method)(draw_signs(rng, 40, 70))


def test_n_iter_counts_the_sweeps_that_changed_something():
    T = pick_letters("JLMQT")[-1:]
    memory = HopfieldDenoiser("pseudo_inverse", random_state=0).fit(
        pick_letters("JLMQT")
    )
    half = T.copy()
    half[:, 32:] = 0
    found = memory.recall(np.vstack([T, half]))
    assert found.n_iter[0] == 0
    assert found.n_iter[1] >= 1


def test_max_iter_limits_the_sweeps_and_is_reported(rng):
    memory = HopfieldDenoiser(update="synchronous", max_iter=1).fit(
        draw_signs(rng, 9, 70)
    )
    found = memory.recall(draw_signs(rng, 40, 70))
    assert not found.converged.all()
    assert (found.n_iter <= 1).all()
    stable = [memory.score(row[None]) == 1 for row in found.patterns]
    assert_array_equal(found.converged, stable)


@pytest.mark.parametrize("update", ["asynchronous", "synchronous"])
@pytest.mark.parametrize("rule", ["hebb", "dense"])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_clamped_units_stay(rule, update, temperature, rng):
    memory = HopfieldDenoiser(
        rule, update=update, temperature=temperature, random_state=0
    ).fit(draw_signs(rng, 4, 30))
    start = draw_signs(rng, 12, 30)
    for clamp in (rng.random(30) < 0.5, rng.random((12, 30)) < 0.5):
        found = memory.recall(start, clamp)
        mask = np.broadcast_to(clamp, start.shape)
        assert_array_equal(found.patterns[mask], start[mask])
        assert (found.patterns != start).any()
    assert_array_equal(memory.recall(start, np.ones(30, bool)).patterns, start)


def test_clamping_correct_units_improves_recall():
    rng = np.random.default_rng(0)
    patterns = draw_signs(rng, 10, 100)
    memory = HopfieldDenoiser(random_state=0).fit(patterns)
    start = np.repeat(patterns[:5], 20, axis=0)
    start[:, 40:] = draw_signs(rng, 100, 60)
    known = np.arange(100) < 40
    right = np.repeat(patterns[:5], 20, axis=0)
    overlap = [
        (memory.recall(start, clamp).patterns * right).mean() for clamp in (None, known)
    ]
    assert overlap[1] > overlap[0] + 0.02


# -------------------------------------------------------------------------- temperature


def test_annealing_recovers_stored_patterns(rng):
    patterns = draw_signs(rng, 3, 100)
    memory = HopfieldDenoiser(temperature=0.5, random_state=0).fit(patterns)
    noisy, index = flip_units(patterns, 20, 100, rng)
    assert (memory.transform(noisy) == patterns[index]).all(axis=1).mean() > 0.95


def test_high_temperatures_make_the_result_independent_of_the_start(rng):
    patterns = draw_signs(rng, 3, 100)
    hot = HopfieldDenoiser(temperature=np.full(30, 50.0), random_state=0).fit(patterns)
    found = hot.transform(patterns)
    assert not (found == patterns).all(axis=1).any()


@by_hand
def test_a_unit_is_on_as_often_as_the_logistic_function_says():
    """Two units, w = 1 (mean field 1), the second clamped: P(on) = 1/(1+exp(-2/T))."""
    ups = []
    for seed in range(2000):
        memory = HopfieldDenoiser(
            temperature=[2.0], random_state=seed, update="synchronous", max_iter=1
        )
        memory.fit([[1, 1]])
        # after one noisy sweep, before the deterministic one that follows
        found = memory.recall([[-1, 1]], [False, True], trace=True)
        ups.append(found.energy_trace[0, 1] < 0)
    p = 1 / (1 + np.exp(-2 / 2.0))
    assert abs(np.mean(ups) - p) < 4 * np.sqrt(p * (1 - p) / 2000)


def test_a_number_is_a_descent_over_20_sweeps(rng):
    patterns = draw_signs(rng, 3, 30)
    start = draw_signs(rng, 10, 30)
    schedule = np.linspace(0.7, 0, 20, endpoint=False)
    results = [
        HopfieldDenoiser(temperature=t, random_state=3).fit(patterns).transform(start)
        for t in (0.7, schedule)
    ]
    assert_array_equal(*results)


# ----------------------------------------------------------- independent noise of rows


def exact_distribution(memory, patterns, start, temperatures, update):
    """Probability of each state of the units after the sweeps, by transition matrices.

    States are numbered by their bits, the first unit last.
    """
    n = len(start)
    states = np.where(np.arange(2**n)[:, None] >> np.arange(n) & 1, 1.0, -1.0)
    if memory.rule == "dense":
        fields = [
            [reference.dense_field(patterns, memory.beta, s, i) for i in range(n)]
            for s in states
        ]
        unit = 1.0
    else:
        fields = states @ memory.weights_
        unit = (patterns @ memory.weights_ * patterns).mean()
    p = np.zeros(2**n)
    p[(states == start).all(axis=1)] = 1
    for temperature in temperatures:
        on = 1 / (1 + np.exp(-2 * np.array(fields) / (temperature * unit)))
        if update == "synchronous":
            chance = np.where(states[None] > 0, on[:, None], 1 - on[:, None])
            p = p @ chance.prod(axis=2)
            continue
        for i in range(n):
            bit = 1 << i
            up, moved = np.arange(2**n) | bit, np.zeros(2**n)
            np.add.at(moved, up, p * on[:, i])
            np.add.at(moved, up ^ bit, p * (1 - on[:, i]))
            p = moved
    return p


@by_hand
@pytest.mark.parametrize(
    ("rule", "update"),
    [("hebb", "asynchronous"), ("hebb", "synchronous"), ("dense", "asynchronous")],
)
def test_states_of_copies_follow_the_exact_glauber_statistics(rule, update, rng):
    patterns = np.array([[1.0, 1, 1, 1, -1], [1, -1, 1, -1, -1]])
    start, temperatures = patterns[0], [1.5, 0.6, 0.9]
    memory = HopfieldDenoiser(
        rule, update=update, order="fixed", temperature=temperatures, random_state=0
    ).fit(patterns)
    n_rows = 20_000
    found = memory.recall(np.tile(start, (n_rows, 1)), quench=False).patterns
    counts = np.bincount((found > 0) @ (1 << np.arange(5)), minlength=32)
    p = exact_distribution(memory, patterns, start, temperatures, update)
    z = (counts - n_rows * p) / np.sqrt(n_rows * p * (1 - p))
    assert np.abs(z).max() < 4.5
    assert chisquare(counts, n_rows * p).pvalue > 0.001


def test_copies_of_a_row_have_independent_noise(rng):
    patterns = draw_signs(rng, 3, 40)
    memory = HopfieldDenoiser(temperature=0.8, random_state=0).fit(patterns)
    start = draw_signs(rng, 1, 40)
    copies = memory.transform(np.repeat(start, 200, axis=0))
    assert len(np.unique(copies, axis=0)) > 3
    assert_array_equal(copies[:1], memory.transform(start))
    # the result does not depend on the rows between them
    others = draw_signs(rng, 200, 40)
    mixed = np.empty((400, 40))
    mixed[::2], mixed[1::2] = start, others
    mixed = memory.transform(mixed)
    assert_array_equal(mixed[::2], copies)
    assert_array_equal(mixed[1::2], memory.transform(others))


def test_equal_rows_with_other_clamps_are_not_copies(rng):
    memory = HopfieldDenoiser(temperature=0.8, random_state=0).fit(
        draw_signs(rng, 3, 40)
    )
    start = np.repeat(draw_signs(rng, 1, 40), 3, axis=0)
    clamp = np.array([[False] * 40, [True] + [False] * 39, [True] * 9 + [False] * 31])
    together = memory.recall(start, clamp).patterns
    for k in range(3):
        alone = memory.recall(start[k : k + 1], clamp[k : k + 1]).patterns
        assert_array_equal(alone[0], together[k])
    assert_array_equal(memory.transform(start[:1])[0], together[0])


def test_magnetization_falls_with_temperature_as_mean_field_theory_says(rng):
    patterns = draw_signs(rng, 1, 400)
    for temperature in (0.4, 0.8, 1.5):
        memory = HopfieldDenoiser(
            temperature=np.full(30, temperature), random_state=0
        ).fit(patterns)
        hot = memory.recall(np.repeat(patterns, 50, axis=0), quench=False)
        m = 1.0
        for _ in range(200):
            m = np.tanh(m / temperature)
        assert abs((hot.patterns * patterns).mean() - m) < 0.02
        assert not hot.cycle.any()


def test_without_quench_the_energy_is_that_of_the_states(rng):
    memory = HopfieldDenoiser(temperature=[0.8, 0.5], random_state=0).fit(
        draw_signs(rng, 3, 40)
    )
    found = memory.recall(draw_signs(rng, 20, 40), quench=False, trace=True)
    assert_array_equal(found.energy, memory.energy(found.patterns))
    assert_allclose(found.energy_trace[:, -1], found.energy)
    assert found.energy_trace.shape == (20, 1 + 2 * 40)
    stable = [memory.score(row[None]) == 1 for row in found.patterns]
    assert_array_equal(found.converged, stable)
    assert not found.converged.all()


def test_without_quench_a_temperature_is_needed(rng):
    patterns = draw_signs(rng, 3, 40)
    memory = HopfieldDenoiser().fit(patterns)
    with pytest.raises(ValueError, match=r"quench=False.*Set temperature"):
        memory.recall(patterns, quench=False)


# --------------------------------------------------------------------------------- rows


@pytest.mark.parametrize("temperature", [0.0, 0.8])
@pytest.mark.parametrize("update", ["asynchronous", "synchronous"])
@pytest.mark.parametrize("rule", RULES)
def test_a_row_gets_the_same_result_alone_in_a_batch_and_in_any_order(
    rule, update, temperature, rng
):
    memory = HopfieldDenoiser(
        rule, update=update, temperature=temperature, random_state=0
    ).fit(draw_signs(rng, 5, 43))
    start = draw_signs(rng, 40, 43)
    together = memory.recall(start).patterns
    alone = np.vstack([memory.recall(row[None]).patterns for row in start])
    assert_array_equal(alone, together)
    order = rng.permutation(40)
    assert_array_equal(memory.recall(start[order]).patterns, together[order])


def test_rows_recalled_in_chunks_are_the_same(rng, monkeypatch):
    memory = HopfieldDenoiser(temperature=0.5, random_state=0).fit(
        draw_signs(rng, 5, 43)
    )
    start = draw_signs(rng, 40, 43)
    whole = memory.recall(start)
    monkeypatch.setattr(_hopfield_dynamics, "CHUNK", 43 * 7)
    chunks = memory.recall(start)
    for name in whole:
        assert_array_equal(chunks[name], whole[name])
