"""Weights are those of the published learning rules."""

import numpy as np
import pytest
import reference_hopfield as reference
from energy_examples import PAIRWISE, draw_signs
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning

from sklearn_rnn import HopfieldDenoiser

# Four units and two patterns show a case by hand, and are more than Hebb's rule holds.
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


def test_learned_thresholds_are_weights_of_a_unit_that_is_always_on(rng):
    patterns = draw_signs(rng, 3, 30)
    memory = HopfieldDenoiser(thresholds="learned").fit(patterns)
    assert_array_equal(memory.thresholds_, -patterns.sum(axis=0))
    assert_array_equal(memory.weights_, HopfieldDenoiser().fit(patterns).weights_)


def test_an_enormous_threshold_leaves_the_weights_as_they_are(rng):
    patterns = draw_signs(rng, 3, 30)
    thresholds = np.r_[1e15, np.zeros(29)]
    memory = HopfieldDenoiser("pseudo_inverse", thresholds=thresholds).fit(patterns)
    plain = HopfieldDenoiser("pseudo_inverse").fit(patterns)
    assert_allclose(memory.weights_, plain.weights_, rtol=1e-9, atol=1e-12)
    assert (memory.transform(patterns)[:, 0] == -1).all()


def test_perceptron_holds_every_unit_of_every_pattern_with_its_margin(rng):
    patterns = draw_signs(rng, 25, 100)
    weights = HopfieldDenoiser("perceptron", margin=0.8).fit(patterns).weights_
    stability = patterns * (patterns @ weights) / np.linalg.norm(weights, axis=1)
    assert stability.min() >= 0.8 - 1e-9


@by_hand
def test_perceptron_says_that_a_margin_is_out_of_reach(rng):
    with pytest.warns(ConvergenceWarning, match=r"margin=9.*[Ss]tore fewer"):
        memory = HopfieldDenoiser("perceptron", margin=9).fit(draw_signs(rng, 2, 20))
    assert memory.n_iter_ == 1000
