"""HopfieldDenoiser against the equations one unit at a time, and what it promises."""

import pickle
import random
import warnings

import numpy as np
import pytest
import reference_hopfield as reference
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.pipeline import make_pipeline

from sklearn_rnn import HopfieldDenoiser
from sklearn_rnn.datasets import load_letters
from sklearn_rnn.energy import CapacityWarning

PAIRWISE = ["hebb", "storkey", "pseudo_inverse", "perceptron"]
RULES = [*PAIRWISE, "dense"]

# Four units and two patterns show a case by hand, and are more than Hebb's rule holds.
by_hand = pytest.mark.filterwarnings("ignore::sklearn_rnn.energy.CapacityWarning")
TWO = [[0, 1, 1, 0], [1, 1, 0, 0]]


def signs(rng, *shape):
    return rng.choice([-1.0, 1.0], shape)


def letters(names):
    data, target = load_letters(return_X_y=True)
    return data[[list(target).index(name) for name in names]].astype(float)


def flipped(patterns, n_flips, n_draws, rng, low=-1):
    """Rows with exactly n_flips units turned over, and the patterns they are of."""
    index = rng.integers(len(patterns), size=n_draws)
    mask = np.zeros((n_draws, patterns.shape[1]), bool)
    mask[:, :n_flips] = True
    mask = rng.permuted(mask, axis=1)
    return np.where(mask, 1 + low - patterns[index], patterns[index]), index


# ----------------------------------------------------------------------------- learning


@pytest.mark.parametrize("rule", ["hebb", "storkey", "pseudo_inverse"])
def test_weights_are_those_of_the_published_equation(rule, rng):
    patterns = signs(rng, 2, 15)
    weights = HopfieldDenoiser(rule).fit(patterns).weights_
    assert_allclose(weights, getattr(reference, rule)(patterns), atol=1e-10)


@pytest.mark.parametrize("rule", PAIRWISE)
@pytest.mark.parametrize("thresholds", ["zero", "learned"])
def test_weights_are_symmetric_with_a_zero_diagonal(rule, thresholds, rng):
    memory = HopfieldDenoiser(rule, thresholds=thresholds).fit(signs(rng, 5, 40))
    assert_array_equal(memory.weights_, memory.weights_.T)
    assert_array_equal(np.diag(memory.weights_), 0)


def test_learned_thresholds_are_weights_of_a_unit_that_is_always_on(rng):
    patterns = signs(rng, 3, 30)
    memory = HopfieldDenoiser(thresholds="learned").fit(patterns)
    assert_array_equal(memory.thresholds_, -patterns.sum(axis=0))
    assert_array_equal(memory.weights_, HopfieldDenoiser().fit(patterns).weights_)


def test_given_thresholds_are_taken(rng):
    thresholds = rng.normal(size=30)
    memory = HopfieldDenoiser(thresholds=thresholds).fit(signs(rng, 3, 30))
    assert_allclose(memory.thresholds_, thresholds, rtol=1e-9)


def test_an_enormous_threshold_leaves_the_weights_as_they_are(rng):
    patterns = signs(rng, 3, 30)
    thresholds = np.r_[1e15, np.zeros(29)]
    memory = HopfieldDenoiser("pseudo_inverse", thresholds=thresholds).fit(patterns)
    plain = HopfieldDenoiser("pseudo_inverse").fit(patterns)
    assert_allclose(memory.weights_, plain.weights_, rtol=1e-9, atol=1e-12)
    assert (memory.transform(patterns)[:, 0] == -1).all()


def test_perceptron_holds_every_unit_of_every_pattern_with_its_margin(rng):
    patterns = signs(rng, 25, 100)
    weights = HopfieldDenoiser("perceptron", margin=0.8).fit(patterns).weights_
    stability = patterns * (patterns @ weights) / np.linalg.norm(weights, axis=1)
    assert stability.min() >= 0.8 - 1e-9


@by_hand
def test_perceptron_says_that_a_margin_is_out_of_reach(rng):
    with pytest.warns(ConvergenceWarning, match=r"margin=9.*[Ss]tore fewer"):
        memory = HopfieldDenoiser("perceptron", margin=9).fit(signs(rng, 2, 20))
    assert memory.n_iter_ == 1000


@pytest.mark.filterwarnings("ignore::sklearn_rnn.energy.CapacityWarning")
@pytest.mark.parametrize("rule", RULES)
def test_partial_fit_is_as_one_fit_of_all_rows(rule, rng):
    patterns = signs(rng, 6, 40)
    whole = HopfieldDenoiser(rule, random_state=0).fit(patterns)
    parts = HopfieldDenoiser(rule, random_state=0).partial_fit(patterns[:2])
    parts.partial_fit(patterns[2:])
    noisy, _ = flipped(patterns, 8, 20, rng)
    assert_array_equal(parts.transform(noisy), whole.transform(noisy))
    assert_array_equal(parts.labels_, range(6))
    if rule != "dense":
        assert_array_equal(parts.weights_, whole.weights_)


def test_partial_fit_goes_on_with_labels(rng):
    patterns = signs(rng, 3, 40)
    memory = HopfieldDenoiser().partial_fit(patterns[:2], ["a", "b"])
    memory.partial_fit(patterns[2:], ["c"])
    assert_array_equal(memory.predict(patterns), ["a", "b", "c"])
    with pytest.raises(ValueError, match="Give y for all patterns or for none"):
        memory.partial_fit(patterns)
    assert len(memory.patterns_) == 3


# ------------------------------------------------------------------------------- recall


@pytest.mark.parametrize("rule", PAIRWISE)
@pytest.mark.parametrize("thresholds", ["zero", "learned"])
def test_recall_is_that_of_one_unit_at_a_time_bit_for_bit(rule, thresholds, rng):
    patterns = signs(rng, 8, 70)
    memory = HopfieldDenoiser(rule, thresholds=thresholds, order="fixed").fit(patterns)
    start = signs(rng, 60, 70)
    expected = [reference.recall(memory.weights_, memory.thresholds_, s) for s in start]
    assert_array_equal(memory.transform(start), expected)


@pytest.mark.parametrize("beta", [0.1, 1.0])
def test_dense_recall_compares_the_energies_of_both_states(beta, rng):
    patterns = signs(rng, 12, 20)
    thresholds = rng.normal(size=20) / 10
    memory = HopfieldDenoiser(
        "dense", beta=beta, thresholds=thresholds, order="fixed"
    ).fit(patterns)
    start = signs(rng, 30, 20)
    expected = [reference.dense_recall(patterns, beta, thresholds, s) for s in start]
    assert_array_equal(memory.transform(start), expected)


@by_hand
@pytest.mark.parametrize(("threshold", "state"), [(2, 1), (2.01, -1)])
def test_a_unit_whose_field_is_its_threshold_turns_on(threshold, state):
    # w_12 = 2 and w_13 = w_14 = 0, so that the field of the first unit is 2 s_2
    memory = HopfieldDenoiser(order="fixed", thresholds=[threshold, 0, 0, 0])
    memory.fit([[1, 1, 1, 1], [1, 1, -1, -1]])
    found = memory.recall([[-state, 1, 1, 1]], [False, True, True, True])
    assert_array_equal(found.patterns, [[state, 1, 1, 1]])


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("order", ["random", "fixed"])
def test_energy_never_rises_and_a_stable_state_is_reached(rule, order, rng):
    memory = HopfieldDenoiser(
        rule, order=order, thresholds="learned", random_state=0
    ).fit(signs(rng, 6, 50))
    start = signs(rng, 20, 50)
    found = memory.recall(start, trace=True)
    scale = np.abs(found.energy_trace).max()
    assert (np.diff(found.energy_trace) <= 1e-9 * scale).all()
    assert_allclose(found.energy_trace[:, 0], memory.energy(start), rtol=1e-9)
    assert_allclose(found.energy_trace[:, -1], found.energy, atol=1e-9 * scale)
    assert_allclose(found.energy, memory.energy(found.patterns), rtol=1e-12)
    assert found.converged.all() and not found.cycle.any()
    assert memory.score(found.patterns) == 1.0


@pytest.mark.parametrize("rule", RULES)
def test_energy_is_that_of_the_equation(rule, rng):
    patterns, s = signs(rng, 4, 30), signs(rng, 5, 30)
    memory = HopfieldDenoiser(rule, thresholds="learned", beta=0.3).fit(patterns)
    theta = memory.thresholds_
    if rule == "dense":
        expected = [reference.dense_energy(patterns, 0.3, theta, row) for row in s]
    else:
        expected = [reference.energy(memory.weights_, theta, row) for row in s]
    assert_allclose(memory.energy(s), expected, rtol=1e-9)


def test_synchronous_updates_may_alternate_between_two_states():
    memory = HopfieldDenoiser(update="synchronous").fit([[1, -1]])
    found = memory.recall([[1, 1], [1, -1]])
    assert_array_equal(found.cycle, [True, False])
    assert_array_equal(found.converged, [False, True])
    assert abs(found.patterns[0].sum()) == 2
    asynchronous = HopfieldDenoiser().fit([[1, -1]]).recall([[1, 1]])
    assert asynchronous.converged.all() and not asynchronous.cycle.any()


def test_synchronous_recall_repeats_the_sign_of_the_fields(rng):
    patterns = signs(rng, 5, 51)
    memory = HopfieldDenoiser(update="synchronous", max_iter=2).fit(patterns)
    start = signs(rng, 10, 51)
    once = np.where(start @ memory.weights_ >= 0, 1, -1)
    twice = np.where(once @ memory.weights_ >= 0, 1, -1)
    assert_array_equal(memory.transform(start), twice)


def test_synchronous_dense_recall_never_raises_the_energy(rng):
    memory = HopfieldDenoiser("dense", update="synchronous", beta=0.05)
    found = memory.fit(signs(rng, 30, 40)).recall(signs(rng, 50, 40), trace=True)
    assert (np.diff(found.energy_trace) <= 1e-9).all()
    assert found.converged.all()


def test_n_iter_counts_the_sweeps_that_changed_something():
    T = letters("JLMQT")[-1:]
    memory = HopfieldDenoiser("pseudo_inverse", random_state=0).fit(letters("JLMQT"))
    half = T.copy()
    half[:, 32:] = 0
    found = memory.recall(np.vstack([T, half]))
    assert found.n_iter[0] == 0
    assert found.n_iter[1] >= 1


def test_max_iter_ends_recall_and_says_so(rng):
    memory = HopfieldDenoiser(update="synchronous", max_iter=1).fit(signs(rng, 9, 70))
    found = memory.recall(signs(rng, 40, 70))
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
    ).fit(signs(rng, 4, 30))
    start = signs(rng, 12, 30)
    for clamp in (rng.random(30) < 0.5, rng.random((12, 30)) < 0.5):
        found = memory.recall(start, clamp)
        mask = np.broadcast_to(clamp, start.shape)
        assert_array_equal(found.patterns[mask], start[mask])
        assert (found.patterns != start).any()
    assert_array_equal(memory.recall(start, np.ones(30, bool)).patterns, start)


def test_knowing_some_units_helps():
    rng = np.random.default_rng(0)
    patterns = signs(rng, 10, 100)
    memory = HopfieldDenoiser(random_state=0).fit(patterns)
    start = np.repeat(patterns[:5], 20, axis=0)
    start[:, 40:] = signs(rng, 100, 60)
    known = np.arange(100) < 40
    right = np.repeat(patterns[:5], 20, axis=0)
    overlap = [
        (memory.recall(start, clamp).patterns * right).mean() for clamp in (None, known)
    ]
    assert overlap[1] > overlap[0] + 0.02


# -------------------------------------------------------------------------- temperature


def test_annealing_recovers_stored_patterns(rng):
    patterns = signs(rng, 3, 100)
    memory = HopfieldDenoiser(temperature=0.5, random_state=0).fit(patterns)
    noisy, index = flipped(patterns, 20, 100, rng)
    assert (memory.transform(noisy) == patterns[index]).all(axis=1).mean() > 0.95


def test_heat_makes_a_row_forget_where_it_began(rng):
    patterns = signs(rng, 3, 100)
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
    patterns = signs(rng, 3, 30)
    start = signs(rng, 10, 30)
    schedule = np.linspace(0.7, 0, 20, endpoint=False)
    results = [
        HopfieldDenoiser(temperature=t, random_state=3).fit(patterns).transform(start)
        for t in (0.7, schedule)
    ]
    assert_array_equal(*results)


# ------------------------------------------------------------------------------ figures


@pytest.mark.parametrize("load", [0.05, 0.1, 0.138, 0.2, 0.3])
def test_one_step_bit_error_is_that_of_the_theory(load):
    from sklearn_rnn.energy import hebb_bit_error

    rng = np.random.default_rng(0)
    n, errors = 1000, []
    for _ in range(8):
        patterns = signs(rng, round(load * n), n)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CapacityWarning)
            memory = HopfieldDenoiser(update="synchronous", max_iter=1).fit(patterns)
        errors.append((memory.transform(patterns) != patterns).mean())
    # crosstalk of the other patterns alone, at finite n
    expected = hebb_bit_error((round(load * n) - 1) / (n - 1))
    sampled = np.std(errors, ddof=1) / np.sqrt(len(errors))
    counted = np.sqrt(expected / (len(errors) * patterns.size))
    assert abs(np.mean(errors) - expected) < 4 * np.hypot(sampled, counted)


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        ("hebb", "IKQ"),
        ("hebb", "DIQX"),
        ("pseudo_inverse", "IKQ"),
        ("pseudo_inverse", "DIQX"),
        ("pseudo_inverse", "JLMQT"),
    ],
)
def test_letters_with_6_of_64_bits_flipped_are_recalled(rule, names, rng):
    patterns = letters(names)
    memory = HopfieldDenoiser(rule, random_state=0).fit(patterns)
    noisy, index = flipped(patterns, 6, 500, rng, low=0)
    assert_array_equal(memory.transform(noisy), patterns[index])


@pytest.mark.parametrize(
    ("n_patterns", "share"), [(7, 0.993), (13, 0.745), (19, 0.267), (25, 0.032)]
)
def test_hebb_recovers_what_it_did_in_published_runs(n_patterns, share):
    rng = np.random.default_rng(n_patterns)
    hits = []
    for seed in range(40):
        patterns = signs(rng, n_patterns, 100)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CapacityWarning)
            memory = HopfieldDenoiser(random_state=seed).fit(patterns)
        noisy, index = flipped(patterns, 15, 25, rng, low=0 - 1)
        hits.append((memory.transform(noisy) == patterns[index]).all(axis=1).mean())
    standard_error = np.std(hits, ddof=1) / np.sqrt(len(hits))
    assert abs(np.mean(hits) - share) < 4 * standard_error + 0.01


def test_the_half_corrupted_T_comes_back_by_the_rule_that_a_search_chose(rng):
    patterns, names = letters("JLMQT"), np.array(list("JLMQT"))
    noisy = np.repeat(patterns, 60, axis=0)
    noisy[:, 32:] = rng.integers(0, 2, (300, 32))
    X, y = np.vstack([patterns, noisy]), np.r_[names, np.repeat(names, 60)]
    fold = np.r_[np.full(5, -1), np.zeros(300, int)]
    search = GridSearchCV(
        HopfieldDenoiser(random_state=0),
        {"rule": RULES},
        cv=PredefinedSplit(fold),
        refit=False,
    ).fit(X, y)
    scores = dict(zip(RULES, search.cv_results_["mean_test_score"], strict=True))
    assert scores["dense"] > scores["hebb"]
    memory = HopfieldDenoiser(**search.best_params_, random_state=0).fit(patterns)
    T = np.repeat(patterns[4:], 100, axis=0)
    T[:, 32:] = rng.integers(0, 2, (100, 32))
    assert_array_equal(memory.transform(T), np.repeat(patterns[4:], 100, axis=0))


# ----------------------------------------------------------------------- coding, labels


@pytest.mark.parametrize("low", [0, -1])
def test_patterns_come_back_in_the_coding_of_fit(low, rng):
    states = signs(rng, 3, 40)
    patterns = np.where(states > 0, 1, low)
    memory = HopfieldDenoiser().fit(patterns)
    assert_array_equal(memory.transform(patterns), patterns)
    assert_array_equal(memory.patterns_, states)
    # never guessed anew: rows of the other coding, or of units on alone
    assert_array_equal(memory.transform(states), patterns)
    ones = memory.transform(np.ones((1, 40)))
    assert set(np.unique(ones)) <= {low, 1}


def test_real_values_are_cut_and_come_back_as_0_and_1(rng):
    X = rng.normal(size=(3, 60))
    memory = HopfieldDenoiser(binarize=0.5).fit(X)
    assert_array_equal(memory.transform(X), X > 0.5)


@by_hand
def test_without_a_cut_patterns_must_be_binary(rng):
    with pytest.raises(ValueError, match=r"X holds 0\.3.*binarize"):
        HopfieldDenoiser(binarize=None).fit([[0, 1, 0.3]])
    memory = HopfieldDenoiser(binarize=None).fit(TWO)
    with pytest.raises(ValueError, match=r"X holds -1.*0 and 1"):
        memory.transform([[-1, 1, 1, -1]])
    assert_array_equal(memory.transform([[0, 1, 1, 0]]), [[0, 1, 1, 0]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_number_type_is_kept(dtype, rng):
    X = signs(rng, 3, 30).astype(dtype)
    memory = HopfieldDenoiser().fit(X)
    assert memory.transform(X).dtype == dtype
    assert memory.transform(X > 0).dtype == np.float64


def test_predict_names_the_nearest_stored_pattern(rng):
    patterns = signs(rng, 4, 80)
    noisy, index = flipped(patterns, 8, 50, rng)
    assert_array_equal(HopfieldDenoiser().fit(patterns).predict(noisy), index)
    names = np.array(["d", "a", "c", "b"])
    memory = HopfieldDenoiser().fit(patterns, names)
    assert_array_equal(memory.predict(noisy), names[index])
    assert memory.score(noisy, names[index]) == 1.0
    assert memory.score(noisy, np.roll(names[index], 1)) < 1.0


def test_score_without_labels_is_the_share_of_fixed_points(rng):
    patterns = signs(rng, 3, 80)
    memory = HopfieldDenoiser().fit(patterns)
    noisy, _ = flipped(patterns, 8, 3, rng)
    assert memory.score(np.vstack([patterns, noisy])) == 0.5


# --------------------------------------------------------------------------------- laws


@pytest.mark.parametrize("temperature", [0.0, 0.8])
@pytest.mark.parametrize("update", ["asynchronous", "synchronous"])
@pytest.mark.parametrize("rule", RULES)
def test_a_row_gets_the_same_answer_alone_in_a_batch_and_in_any_order(
    rule, update, temperature, rng
):
    memory = HopfieldDenoiser(
        rule, update=update, temperature=temperature, random_state=0
    ).fit(signs(rng, 5, 43))
    start = signs(rng, 40, 43)
    together = memory.transform(start)
    alone = np.vstack([memory.transform(row[None]) for row in start])
    assert_array_equal(alone, together)
    order = rng.permutation(40)
    assert_array_equal(memory.transform(start[order]), together[order])


def test_rows_taken_by_pieces_are_the_same(rng, monkeypatch):
    from sklearn_rnn.energy import _hopfield_dynamics

    memory = HopfieldDenoiser(temperature=0.5, random_state=0).fit(signs(rng, 5, 43))
    start = signs(rng, 40, 43)
    whole = memory.recall(start)
    monkeypatch.setattr(_hopfield_dynamics, "CHUNK", 43 * 7)
    pieces = memory.recall(start)
    for name in whole:
        assert_array_equal(pieces[name], whole[name])


def test_same_seed_same_bits_and_no_global_generator_moves(rng):
    X, start = signs(rng, 5, 40), signs(rng, 30, 40)
    states = np.random.get_state()[1].copy(), random.getstate(), torch.get_rng_state()
    first, second, other = (
        HopfieldDenoiser(temperature=0.8, random_state=seed).fit(X).transform(start)
        for seed in (1, 1, 2)
    )
    assert_array_equal(first, second)
    assert (first != other).any()
    assert_array_equal(np.random.get_state()[1], states[0])
    assert random.getstate() == states[1]
    assert torch.equal(torch.get_rng_state(), states[2])


def test_without_a_seed_repeated_calls_still_agree(rng):
    memory = HopfieldDenoiser(temperature=0.8).fit(signs(rng, 5, 40))
    start = signs(rng, 30, 40)
    assert_array_equal(memory.transform(start), memory.transform(start))


def test_arrays_of_the_caller_are_not_changed(rng):
    X, clamp, y = signs(rng, 4, 30), rng.random(30) < 0.3, np.arange(4)
    for theta in (rng.normal(size=30), np.zeros(30)):
        arrays = X, y, clamp, theta
        copies = [array.copy() for array in arrays]
        memory = HopfieldDenoiser(thresholds=theta).fit(X, y)
        memory.recall(X, clamp)
        for own in (memory.patterns_, memory.labels_, memory.thresholds_):
            own[:] = 7
        for array, copy in zip(arrays, copies, strict=True):
            assert_array_equal(array, copy)


def test_a_refit_forgets(rng):
    first, second = signs(rng, 3, 30), signs(rng, 2, 10)
    memory = HopfieldDenoiser(random_state=0).fit(first, ["a", "b", "c"])
    memory.set_params(rule="dense").fit(second)
    assert not hasattr(memory, "weights_")
    assert_array_equal(memory.labels_, [0, 1])
    assert memory.n_features_in_ == 10


def test_a_fit_that_fails_changes_nothing(rng):
    X = signs(rng, 3, 30)
    memory = HopfieldDenoiser(random_state=0).fit(X)
    before = memory.weights_.copy()
    memory.set_params(temperature=[-1.0])
    with pytest.raises(ValueError, match="temperature"):
        memory.fit(signs(rng, 2, 25))
    memory.set_params(temperature=0.0)
    assert_array_equal(memory.weights_, before)
    assert_array_equal(memory.transform(X), X)


def test_pickles_answer_alike(rng):
    memory = HopfieldDenoiser(temperature=0.5, random_state=0).fit(signs(rng, 4, 30))
    start = signs(rng, 20, 30)
    again = pickle.loads(pickle.dumps(memory))
    assert_array_equal(again.transform(start), memory.transform(start))


# -------------------------------------------------------------------------- composition


@by_hand  # some of the digits are equal once they are cut
def test_digits_are_cleaned_before_they_are_classified():
    X, y = load_digits(return_X_y=True)
    X = X > 7
    rng = np.random.default_rng(0)
    train, test = np.arange(1200), np.arange(1200, 1600)
    noisy = X[test] ^ (rng.random(X[test].shape) < 0.1)
    classifier = LogisticRegression(max_iter=2000)
    plain = classifier.fit(X[train], y[train]).score(noisy, y[test])
    memory = HopfieldDenoiser("dense", update="synchronous")
    pipeline = make_pipeline(memory, classifier).fit(X[train], y[train])
    denoised = pipeline.score(noisy, y[test])
    assert denoised > plain + 0.05


# ---------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("rule", "limit"), [("hebb", 2.758), ("storkey", 8.171), ("pseudo_inverse", 20)]
)
def test_more_patterns_than_a_rule_holds_are_warned_of(rule, limit, rng):
    with pytest.warns(
        CapacityWarning, match=f"21 patterns of 20 units.*{limit}"
    ) as got:
        HopfieldDenoiser(rule).fit(signs(rng, 21, 20))
    assert got[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        HopfieldDenoiser(rule).fit(signs(rng, 2, 20))


def test_identical_patterns_are_warned_of(rng):
    X = signs(rng, 3, 60)[[0, 1, 2, 1]]
    with pytest.warns(CapacityWarning, match="Of 4 patterns only 3 differ: pattern 1"):
        memory = HopfieldDenoiser().fit(X)
    assert_array_equal(memory.predict(X), [0, 1, 2, 1])


@pytest.mark.parametrize(("value", "state"), [(0, "off"), (1, "on")])
def test_patterns_that_say_nothing_are_warned_of(value, state, rng):
    X = (signs(rng, 3, 60) > 0).astype(float)
    X[1] = value
    with pytest.warns(CapacityWarning, match=f"pattern 1 are {state}.*binarize"):
        HopfieldDenoiser().fit(X)


@by_hand
@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"temperature": -1.0}, "temperature"),
        ({"temperature": [1.0, -1.0]}, "temperature.*one per sweep"),
        ({"temperature": [[1.0]]}, "temperature.*one per sweep"),
        ({"thresholds": np.zeros(3)}, r"thresholds have the shape \(3,\).*4 features"),
        ({"thresholds": [0, np.nan, 0, 0]}, "NaN"),
        ({"rule": "oja"}, "rule"),
        ({"beta": 0.0}, "beta"),
        ({"margin": -1.0}, "margin"),
        ({"max_iter": 0}, "max_iter"),
    ],
)
def test_bad_parameters_are_refused_in_fit(params, message):
    with pytest.raises(ValueError, match=message):
        HopfieldDenoiser(**params).fit(TWO)


@pytest.mark.parametrize(
    "clamp",
    [np.zeros(3, bool), np.zeros((3, 4), bool), np.zeros(4), [0, 1, 1, 0], True],
    ids=str,
)
def test_a_clamp_of_another_shape_or_type_is_refused(clamp):
    memory = HopfieldDenoiser().fit([[0, 1, 1, 0]])
    with pytest.raises(ValueError, match=r"clamp is an array of.*True.*\(2, 4\)"):
        memory.recall([[0, 1, 1, 0], [1, 1, 1, 0]], clamp)


def test_another_number_of_units_is_refused():
    memory = HopfieldDenoiser().fit([[0, 1, 1, 0]])
    for method in (memory.transform, memory.predict, memory.energy, memory.score):
        with pytest.raises(ValueError, match="X has 3 features"):
            method([[0, 1, 1]])


def test_nothing_is_answered_before_fit():
    for method in ("transform", "recall", "predict", "energy", "score"):
        with pytest.raises(NotFittedError):
            getattr(HopfieldDenoiser(), method)([[0, 1]])
