"""Weights agree with the published learning rules."""

import warnings

import numpy as np
import pytest
import reference_hopfield as reference
from energy_examples import PAIRWISE, draw_signs, flip_units
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from sklearn_rnn import HopfieldDenoiser

# Two patterns of four units, which exceed the capacity of Hebb's rule.
by_hand = pytest.mark.filterwarnings("ignore::sklearn_rnn.energy.CapacityWarning")


@pytest.mark.parametrize("rule", ["hebb", "storkey", "pseudo_inverse"])
def test_weights_are_those_of_the_published_equation(rule, rng):
    patterns = draw_signs(rng, 2, 15)
    weights = HopfieldDenoiser(rule).fit(patterns).weights_
    assert_allclose(weights, getattr(reference, rule)(patterns), atol=1e-10)


@pytest.mark.parametrize("rule", PAIRWISE)
@pytest.mark.parametrize("thresholds", ["zero", "learned"])
def test_weights_are_symmetric_with_a_zero_diagonal(rule, thresholds, rng):
    memory = HopfieldDenoiser(rule, thresholds=thresholds).fit(draw_signs(rng, 5, 40))
    assert_array_equal(memory.weights_, memory.weights_.T)
    assert_array_equal(np.diag(memory.weights_), 0)


@pytest.mark.parametrize("rule", ["pseudo_inverse", "perceptron"])
def test_learned_thresholds_are_weights_of_a_unit_that_is_always_on(rule, rng):
    patterns = draw_signs(rng, 3, 30)
    memory = HopfieldDenoiser(rule, thresholds="learned").fit(patterns)
    longer = HopfieldDenoiser(rule).fit(np.c_[patterns, np.ones(3)]).weights_
    assert_allclose(memory.weights_, longer[:-1, :-1], atol=1e-12)
    assert_allclose(memory.thresholds_, -longer[:-1, -1], atol=1e-12)


@by_hand
def test_learned_thresholds_of_hebb_are_those_of_the_covariance_rule(rng):
    patterns = np.where(rng.random((4, 30)) < 0.2, 1.0, -1.0)
    memory = HopfieldDenoiser(thresholds="learned").fit(patterns)
    a = patterns.mean()
    assert_allclose(memory.weights_, reference.hebb(patterns - a), atol=1e-9)
    # the field minus the threshold is a gain times z_i, and a z-threshold of -a
    z, W = patterns - a, memory.weights_
    gain = (z * (z @ W)).sum() / (z * z).sum()
    fields = patterns @ W - memory.thresholds_
    assert_allclose(fields, z @ W + gain * a, atol=1e-8)


@by_hand
def test_learned_weights_of_storkey_are_those_of_patterns_in_standard_units(rng):
    patterns = np.where(rng.random((3, 15)) < 0.3, 1.0, -1.0)
    memory = HopfieldDenoiser("storkey", thresholds="learned").fit(patterns)
    z = (patterns - patterns.mean()) / patterns.std()
    assert_allclose(memory.weights_, reference.storkey(z), atol=1e-9)


@by_hand
@pytest.mark.parametrize("rule", PAIRWISE)
@pytest.mark.parametrize("share", [0.1, 0.9])
def test_learned_thresholds_store_patterns_with_few_units_on_or_off(rule, share):
    rng = np.random.default_rng(0)
    stable, named = [], []
    for _ in range(10):
        patterns = np.where(rng.random((5, 200)) < share, 1.0, -1.0)
        memory = HopfieldDenoiser(rule, thresholds="learned", random_state=0)
        stable.append(memory.fit(patterns).score(patterns))
        noisy, index = flip_units(patterns, 5, 50, rng)
        named.append(memory.score(noisy, index))
    assert np.mean(stable) > 0.95  # without learned thresholds Hebb's rule has 0
    assert np.mean(named) > 0.95


@by_hand
@pytest.mark.parametrize("rule", ["hebb", "storkey"])
def test_thresholds_of_balanced_patterns_are_zero(rule):
    patterns = np.array([[1.0, 1, 1, 1, -1, -1, -1, -1], [1, -1] * 4])
    memory = HopfieldDenoiser(rule, thresholds="learned").fit(patterns)
    assert_allclose(memory.thresholds_, 0, atol=1e-12)


@pytest.mark.filterwarnings("ignore:All units of pattern 0")
@pytest.mark.parametrize("rule", PAIRWISE)
@pytest.mark.parametrize("value", [0, 1])
def test_a_pattern_of_equal_units_alone_is_stable(rule, value):
    X = np.full((1, 20), value)
    memory = HopfieldDenoiser(rule, thresholds="learned").fit(X)
    assert memory.score(X) == 1.0


def test_perceptron_accepts_no_field_of_0():
    rng = np.random.default_rng(0)
    n_reached = 0
    for _ in range(100):
        patterns = draw_signs(rng, 4, 12)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            memory = HopfieldDenoiser("perceptron", margin=0.0).fit(patterns)
        if memory.n_iter_ < 1000:
            n_reached += 1
            assert memory.score(patterns) == 1.0
        else:
            assert any(issubclass(w.category, ConvergenceWarning) for w in caught)
    assert n_reached > 80


@by_hand
def test_an_enormous_threshold_leaves_the_weights_as_they_are(rng):
    patterns = draw_signs(rng, 3, 30)
    thresholds = np.r_[1e15, np.zeros(29)]
    memory = HopfieldDenoiser("pseudo_inverse", thresholds=thresholds).fit(patterns)
    plain = HopfieldDenoiser("pseudo_inverse").fit(patterns)
    assert_allclose(memory.weights_, plain.weights_, rtol=1e-9, atol=1e-12)
    assert (memory.transform(patterns)[:, 0] == -1).all()


def test_perceptron_reaches_the_margin_in_every_unit_of_every_pattern(rng):
    patterns = draw_signs(rng, 25, 100)
    weights = HopfieldDenoiser("perceptron", margin=0.8).fit(patterns).weights_
    stability = patterns * (patterns @ weights) / np.linalg.norm(weights, axis=1)
    assert stability.min() >= 0.8 - 1e-9


@by_hand
def test_perceptron_warns_if_a_margin_is_not_reached(rng):
    with pytest.warns(ConvergenceWarning, match=r"margin=9.*[Ss]tore fewer"):
        memory = HopfieldDenoiser("perceptron", margin=9).fit(draw_signs(rng, 2, 20))
    assert memory.n_iter_ == 1000
