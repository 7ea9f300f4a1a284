"""HopfieldDenoiser as an estimator: input, labels, seeds, refits and errors."""

import pickle
import random

import numpy as np
import pytest
import torch
from energy_examples import RULES, draw_signs, flip_units, pick_letters
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.pipeline import make_pipeline

from sklearn_rnn import HopfieldDenoiser

# Two patterns of four units, which exceed the capacity of Hebb's rule.
by_hand = pytest.mark.filterwarnings("ignore::sklearn_rnn.energy.CapacityWarning")
TWO = [[0, 1, 1, 0], [1, 1, 0, 0]]


def test_thresholds_given_by_the_user_are_used(rng):
    thresholds = rng.normal(size=30)
    memory = HopfieldDenoiser(thresholds=thresholds).fit(draw_signs(rng, 3, 30))
    assert_allclose(memory.thresholds_, thresholds, rtol=1e-9)


@pytest.mark.filterwarnings("ignore::sklearn_rnn.energy.CapacityWarning")
@pytest.mark.parametrize("rule", RULES)
def test_partial_fit_equals_one_fit_of_all_rows(rule, rng):
    patterns = draw_signs(rng, 6, 40)
    whole = HopfieldDenoiser(rule, random_state=0).fit(patterns)
    parts = HopfieldDenoiser(rule, random_state=0).partial_fit(patterns[:2])
    parts.partial_fit(patterns[2:])
    noisy, _ = flip_units(patterns, 8, 20, rng)
    assert_array_equal(parts.transform(noisy), whole.transform(noisy))
    assert_array_equal(parts.labels_, range(6))
    if rule != "dense":
        assert_array_equal(parts.weights_, whole.weights_)


def test_partial_fit_appends_labels(rng):
    patterns = draw_signs(rng, 3, 40)
    memory = HopfieldDenoiser().partial_fit(patterns[:2], ["a", "b"])
    memory.partial_fit(patterns[2:], ["c"])
    assert_array_equal(memory.predict(patterns), ["a", "b", "c"])
    with pytest.raises(ValueError, match="Pass y for all patterns or for none"):
        memory.partial_fit(patterns)
    assert len(memory.patterns_) == 3


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
    patterns = pick_letters(names)
    memory = HopfieldDenoiser(rule, random_state=0).fit(patterns)
    noisy, index = flip_units(patterns, 6, 500, rng, low=0)
    assert_array_equal(memory.transform(noisy), patterns[index])


def test_half_corrupted_T_is_restored_by_the_rule_that_a_search_selects(rng):
    patterns, names = pick_letters("JLMQT"), np.array(list("JLMQT"))
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


@by_hand  # some of the digits are equal once they are cut
def test_denoising_digits_improves_their_classification():
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


# -------------------------------------------------------------------- coding and labels


@pytest.mark.parametrize("low", [0, -1])
def test_recalled_patterns_have_the_two_values_of_fit(low, rng):
    states = draw_signs(rng, 3, 40)
    patterns = np.where(states > 0, 1, low)
    memory = HopfieldDenoiser().fit(patterns)
    assert_array_equal(memory.transform(patterns), patterns)
    assert_array_equal(memory.patterns_, states)
    # the values are those of fit, also for rows with other values or all units on
    assert_array_equal(memory.transform(states), patterns)
    ones = memory.transform(np.ones((1, 40)))
    assert set(np.unique(ones)) <= {low, 1}


def test_real_values_are_binarized_and_recalled_as_0_and_1(rng):
    X = rng.normal(size=(3, 60))
    memory = HopfieldDenoiser(binarize=0.5).fit(X)
    assert_array_equal(memory.transform(X), X > 0.5)


@pytest.mark.parametrize("binarize", [-0.5, 0.0, 1.0, 7.0])
@pytest.mark.parametrize("rule", RULES)
def test_predict_and_score_binarize_X_only_once(rule, binarize, rng):
    patterns = draw_signs(rng, 3, 80)
    noisy, index = flip_units(patterns, 8, 50, rng)
    shifted = HopfieldDenoiser(rule, binarize=binarize).fit(patterns + binarize)
    assert_array_equal(shifted.predict(noisy + binarize), index)
    assert shifted.score(noisy + binarize, index) == 1.0


@by_hand
def test_digits_of_17_gray_values_are_predicted():
    X, y = load_digits(return_X_y=True)
    memory = HopfieldDenoiser("dense", binarize=7).fit(X[:1000], y[:1000])
    assert memory.score(X[1000:], y[1000:]) > 0.85


@by_hand
def test_binarize_none_requires_binary_patterns(rng):
    with pytest.raises(ValueError, match=r"X contains 0\.3.*binarize"):
        HopfieldDenoiser(binarize=None).fit([[0, 1, 0.3]])
    memory = HopfieldDenoiser(binarize=None).fit(TWO)
    with pytest.raises(ValueError, match=r"X contains -1.*0 and 1"):
        memory.transform([[-1, 1, 1, -1]])
    assert_array_equal(memory.transform([[0, 1, 1, 0]]), [[0, 1, 1, 0]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_preserved(dtype, rng):
    X = draw_signs(rng, 3, 30).astype(dtype)
    memory = HopfieldDenoiser().fit(X)
    assert memory.transform(X).dtype == dtype
    assert memory.transform(X > 0).dtype == np.float64


def test_predict_returns_the_label_of_the_nearest_stored_pattern(rng):
    patterns = draw_signs(rng, 4, 80)
    noisy, index = flip_units(patterns, 8, 50, rng)
    assert_array_equal(HopfieldDenoiser().fit(patterns).predict(noisy), index)
    names = np.array(["d", "a", "c", "b"])
    memory = HopfieldDenoiser().fit(patterns, names)
    assert_array_equal(memory.predict(noisy), names[index])
    assert memory.score(noisy, names[index]) == 1.0
    assert memory.score(noisy, np.roll(names[index], 1)) < 1.0


@pytest.mark.parametrize(
    ("labels", "none"),
    [
        (None, -1),
        ([3, 1, 2], -1),
        ([0.5, 1.5, 2.5], -1),
        (np.array([3, 1, 2], np.uint8), -1),
        (["a", "b", "c"], "none"),
        (np.array(["a", 2, "c"], dtype=object), None),
    ],
)
def test_predict_returns_the_none_label_below_min_overlap(labels, none, rng):
    patterns = draw_signs(rng, 3, 80)
    memory = HopfieldDenoiser(min_overlap=0.9, random_state=0).fit(patterns, labels)
    named = memory.predict(np.vstack([patterns, -patterns]))
    expected = range(3) if labels is None else labels
    assert_array_equal(named[:3], expected)
    assert named[3:].tolist() == [none] * 3
    memory.set_params(min_overlap=None)
    assert set(memory.predict(-patterns)) <= set(expected)


@pytest.mark.parametrize("labels", [[-1, 0, 1], ["none", "a", "b"]])
def test_labels_must_not_contain_the_none_label(labels, rng):
    patterns = draw_signs(rng, 3, 80)
    with pytest.raises(ValueError, match=r"y contains the label.*Rename this label"):
        HopfieldDenoiser(min_overlap=0.9).fit(patterns, labels)
    HopfieldDenoiser().fit(patterns, labels)


def test_score_without_labels_is_the_share_of_fixed_points(rng):
    patterns = draw_signs(rng, 3, 80)
    memory = HopfieldDenoiser().fit(patterns)
    noisy, _ = flip_units(patterns, 8, 3, rng)
    assert memory.score(np.vstack([patterns, noisy])) == 0.5


# --------------------------------------------------------------------------------- laws


def test_same_seed_gives_same_bits_and_leaves_global_generators_alone(rng):
    X, start = draw_signs(rng, 5, 40), draw_signs(rng, 30, 40)
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


def test_repeated_calls_agree_without_a_seed(rng):
    memory = HopfieldDenoiser(temperature=0.8).fit(draw_signs(rng, 5, 40))
    start = draw_signs(rng, 30, 40)
    assert_array_equal(memory.transform(start), memory.transform(start))


def test_input_arrays_are_not_changed(rng):
    X, clamp, y = draw_signs(rng, 4, 30), rng.random(30) < 0.3, np.arange(4)
    for theta in (rng.normal(size=30), np.zeros(30)):
        arrays = X, y, clamp, theta
        copies = [array.copy() for array in arrays]
        memory = HopfieldDenoiser(thresholds=theta).fit(X, y)
        memory.recall(X, clamp)
        for own in (memory.patterns_, memory.labels_, memory.thresholds_):
            own[:] = 7
        for array, copy in zip(arrays, copies, strict=True):
            assert_array_equal(array, copy)


def test_refit_does_not_depend_on_the_first_fit(rng):
    first, second = draw_signs(rng, 3, 30), draw_signs(rng, 2, 10)
    memory = HopfieldDenoiser(random_state=0).fit(first, ["a", "b", "c"])
    memory.set_params(rule="dense").fit(second)
    assert not hasattr(memory, "weights_")
    assert_array_equal(memory.labels_, [0, 1])
    assert memory.n_features_in_ == 10


def test_failed_fit_changes_nothing(rng):
    X = draw_signs(rng, 3, 30)
    memory = HopfieldDenoiser(random_state=0).fit(X)
    before = memory.weights_.copy()
    memory.set_params(temperature=[-1.0])
    with pytest.raises(ValueError, match="temperature"):
        memory.fit(draw_signs(rng, 2, 25))
    memory.set_params(temperature=0.0)
    assert_array_equal(memory.weights_, before)
    assert_array_equal(memory.transform(X), X)


def test_pickled_copy_predicts_the_same(rng):
    memory = HopfieldDenoiser(temperature=0.5, random_state=0).fit(
        draw_signs(rng, 4, 30)
    )
    start = draw_signs(rng, 20, 30)
    again = pickle.loads(pickle.dumps(memory))
    assert_array_equal(again.transform(start), memory.transform(start))


# ---------------------------------------------------------------------------- bad input


@by_hand
@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"temperature": -1.0}, "temperature"),
        ({"temperature": [1.0, -1.0]}, "temperature.*one entry per sweep"),
        ({"temperature": [[1.0]]}, "temperature.*one entry per sweep"),
        ({"thresholds": np.zeros(3)}, r"thresholds has the shape \(3,\).*4 features"),
        ({"thresholds": [0, np.nan, 0, 0]}, "NaN"),
        ({"rule": "oja"}, "rule"),
        ({"beta": 0.0}, "beta"),
        ({"margin": -1.0}, "margin"),
        ({"max_iter": 0}, "max_iter"),
        ({"min_overlap": 1.1}, "min_overlap"),
    ],
)
def test_invalid_parameters_raise_in_fit(params, message):
    with pytest.raises(ValueError, match=message):
        HopfieldDenoiser(**params).fit(TWO)


@pytest.mark.parametrize(
    "clamp",
    [np.zeros(3, bool), np.zeros((3, 4), bool), np.zeros(4), [0, 1, 1, 0], True],
    ids=str,
)
def test_clamp_of_wrong_shape_or_dtype_raises(clamp):
    memory = HopfieldDenoiser().fit([[0, 1, 1, 0]])
    with pytest.raises(ValueError, match=r"clamp is an array of.*True.*\(2, 4\)"):
        memory.recall([[0, 1, 1, 0], [1, 1, 1, 0]], clamp)


def test_another_number_of_units_raises():
    memory = HopfieldDenoiser().fit([[0, 1, 1, 0]])
    for method in (memory.transform, memory.predict, memory.energy, memory.score):
        with pytest.raises(ValueError, match="X has 3 features"):
            method([[0, 1, 1]])


def test_methods_raise_before_fit():
    for method in ("transform", "recall", "predict", "energy", "score"):
        with pytest.raises(NotFittedError):
            getattr(HopfieldDenoiser(), method)([[0, 1]])


@pytest.mark.parametrize("label", [np.nan, np.inf, 1j])
def test_labels_that_are_not_finite_raise(label):
    with pytest.raises(ValueError, match=r"(Input|in) y"):
        HopfieldDenoiser().fit(np.eye(3), [0, 1, label])
