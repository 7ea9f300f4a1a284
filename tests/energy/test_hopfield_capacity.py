"""Capacity of Hopfield networks: theory, warnings and measurement."""

import warnings

import numpy as np
import pytest
from energy_examples import draw_signs, flip_units
from numpy.testing import assert_allclose, assert_array_equal
from scipy.integrate import quad
from scipy.stats import norm
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline

from sklearn_rnn import HopfieldDenoiser
from sklearn_rnn.energy import (
    CapacityWarning,
    _hopfield_capacity,
    capacity_curve,
    hebb_bit_error,
    hebb_overlap,
)
from sklearn_rnn.energy._hopfield_capacity import CRITICAL_LOAD, capacity
from sklearn_rnn.energy._hopfield_rules import MAX_PASSES, perceptron


def test_critical_load_is_that_of_amit_gutfreund_and_sompolinsky():
    assert_allclose(CRITICAL_LOAD, 0.1379, atol=5e-5)
    assert_allclose(hebb_overlap(CRITICAL_LOAD - 1e-9), 0.967, atol=5e-4)
    assert hebb_overlap(CRITICAL_LOAD + 1e-9) == 0


def test_overlap_solves_the_mean_field_equations():
    """m = erf(m / sqrt(2 load r)), r = 1 / (1 - C)^2, with C the susceptibility."""
    for load in (0.02, 0.08, 0.13):
        m, r = float(hebb_overlap(load)), 1.0
        for _ in range(2000):
            C = np.sqrt(2 / (np.pi * load * r)) * np.exp(-(m**2) / (2 * load * r))
            r = 1 / (1 - C) ** 2
        assert_allclose(m, 1 - 2 * norm.cdf(-m / np.sqrt(load * r)), atol=1e-9)
    assert_array_equal(hebb_overlap([[0.05], [0.5]]).shape, (2, 1))


@pytest.mark.parametrize(
    ("load", "error"), [(0.105, 0.001), (0.138, 0.0036), (0.185, 0.01), (0.37, 0.05)]
)
def test_bit_error_is_that_of_the_textbook(load, error):
    """Table 2.1 of Hertz, Krogh and Palmer."""
    assert_allclose(hebb_bit_error(load), error, rtol=0.03)


@pytest.mark.parametrize("load", [0.05, 0.1, 0.138, 0.2, 0.3])
def test_one_step_bit_error_is_that_of_the_theory(load):
    rng = np.random.default_rng(0)
    n, errors = 1000, []
    for _ in range(8):
        patterns = draw_signs(rng, round(load * n), n)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CapacityWarning)
            memory = HopfieldDenoiser(update="synchronous", max_iter=1).fit(patterns)
        errors.append((memory.recall(patterns).patterns != patterns).mean())
    # crosstalk of the other patterns alone, at finite n
    expected = hebb_bit_error((round(load * n) - 1) / (n - 1))
    sampled = np.std(errors, ddof=1) / np.sqrt(len(errors))
    counted = np.sqrt(expected / (len(errors) * patterns.size))
    assert abs(np.mean(errors) - expected) < 4 * np.hypot(sampled, counted)


@pytest.mark.parametrize(
    ("n_patterns", "share"), [(7, 0.993), (13, 0.745), (19, 0.267), (25, 0.032)]
)
def test_hebb_recalls_as_many_units_as_in_published_runs(n_patterns, share):
    rng = np.random.default_rng(n_patterns)
    hits = []
    for seed in range(40):
        patterns = draw_signs(rng, n_patterns, 100)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CapacityWarning)
            memory = HopfieldDenoiser(random_state=seed).fit(patterns)
        noisy, index = flip_units(patterns, 15, 25, rng, low=0 - 1)
        hits.append((memory.transform(noisy) == patterns[index]).all(axis=1).mean())
    standard_error = np.std(hits, ddof=1) / np.sqrt(len(hits))
    assert abs(np.mean(hits) - share) < 4 * standard_error + 0.01


@pytest.mark.parametrize("margin", [0.0, 0.5, 1.0, 2.0])
def test_perceptron_capacity_is_a_share_of_gardners_integral(margin):
    integral = quad(lambda t: norm.pdf(t) * (t + margin) ** 2, -margin, 20)[0]
    assert_allclose(capacity("perceptron", 500, margin, 1.0), 350 / integral, rtol=1e-6)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("margin", [0.0, 1.0])
def test_perceptron_reaches_its_margin_up_to_its_capacity(margin):
    rng = np.random.default_rng(0)
    limit = capacity("perceptron", 60, margin, 1.0)
    reached = [
        [
            perceptron(draw_signs(rng, round(load * limit), 60), margin)[1] < MAX_PASSES
            for _ in range(4)
        ]
        for load in (0.75, 1.3)
    ]
    assert all(reached[0])
    assert not any(reached[1])


def test_one_pattern_can_always_be_stored():
    for rule in ("hebb", "storkey", "pseudo_inverse", "perceptron", "dense"):
        assert capacity(rule, 1, 1.0, 1.0) >= 1


@pytest.mark.parametrize(
    ("n_units", "beta"), [(100, 0.01), (100, 0.02), (100, 0.03), (60, 0.05), (20, 0.15)]
)
def test_dense_rule_stores_as_many_patterns_as_its_capacity(n_units, beta):
    limit = capacity("dense", n_units, 1.0, beta)
    rng = np.random.default_rng(0)
    shares = []
    for load in (0.5, 1, 4):
        patterns = [draw_signs(rng, round(load * limit), n_units) for _ in range(5)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CapacityWarning)
            shares.append(
                np.mean(
                    [
                        HopfieldDenoiser("dense", beta=beta).fit(x).score(x)
                        for x in patterns
                    ]
                )
            )
    assert shares[0] > 0.97
    assert shares[1] > 0.75
    assert shares[2] < 0.1


def test_capacity_warning_of_the_dense_rule_names_beta(rng):
    with pytest.warns(CapacityWarning, match="Store fewer patterns, or increase beta"):
        HopfieldDenoiser("dense", beta=0.01).fit(draw_signs(rng, 20, 60))


def test_dense_capacity_grows_with_beta():
    limits = [capacity("dense", 100, 1.0, beta) for beta in (1e-9, 0.01, 0.1, 1, 1e3)]
    assert limits == sorted(limits)
    assert limits[-1] == 2**50


# ----------------------------------------------------------------------------- warnings


@pytest.mark.parametrize(
    ("rule", "limit"), [("hebb", 2.758), ("storkey", 8.171), ("pseudo_inverse", 20)]
)
def test_more_patterns_than_the_capacity_give_a_warning(rule, limit, rng):
    with pytest.warns(
        CapacityWarning, match=f"21 patterns of 20 units.*{limit}"
    ) as got:
        HopfieldDenoiser(rule).fit(draw_signs(rng, 21, 20))
    assert got[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        HopfieldDenoiser(rule).fit(draw_signs(rng, 2, 20))


def test_stored_patterns_that_are_not_stable_give_a_warning(rng):
    X = (rng.random((5, 200)) < 0.1).astype(float)  # far below the capacity
    with pytest.warns(CapacityWarning, match="5 of 5 stored patterns are not stable"):
        HopfieldDenoiser().fit(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        HopfieldDenoiser(thresholds="learned").fit(X)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_capacity_warning_says_how_many_patterns_are_not_stable(rng):
    with pytest.warns(CapacityWarning, match=r"load of.*\d+ of 96 stored patterns"):
        HopfieldDenoiser("perceptron", margin=0.0).fit(draw_signs(rng, 96, 60))


def test_few_wrong_units_below_the_critical_load_give_no_warning(rng):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        memory = HopfieldDenoiser().fit(draw_signs(rng, 100, 1000))
    assert memory.score(memory.patterns_) < 1


def test_a_subset_of_very_many_patterns_is_checked(rng, monkeypatch):
    monkeypatch.setattr(_hopfield_capacity, "CHECKED_PAIRS", 3000)
    X = draw_signs(rng, 100, 20)
    with pytest.warns(CapacityWarning, match="of 25 stored patterns that were checked"):
        HopfieldDenoiser(update="synchronous").fit(X)


def test_identical_patterns_give_a_warning(rng):
    X = draw_signs(rng, 3, 60)[[0, 1, 2, 1]]
    with pytest.warns(
        CapacityWarning, match="Only 3 of 4 patterns are distinct: pattern 1"
    ):
        memory = HopfieldDenoiser().fit(X)
    assert_array_equal(memory.predict(X), [0, 1, 2, 1])


@pytest.mark.parametrize(("value", "state"), [(0, "off"), (1, "on")])
def test_patterns_with_all_units_equal_give_a_warning(value, state, rng):
    X = (draw_signs(rng, 3, 60) > 0).astype(float)
    X[1] = value
    with pytest.warns(CapacityWarning, match=f"pattern 1 are {state}.*binarize"):
        HopfieldDenoiser().fit(X)


@pytest.mark.parametrize("method", ["fit", "fit_transform"])
def test_warnings_of_a_pipeline_point_at_the_line_of_its_user(method, rng):
    pipeline = make_pipeline(HopfieldDenoiser(), HopfieldDenoiser("pseudo_inverse"))
    with pytest.warns(CapacityWarning) as caught:
        getattr(pipeline, method)(draw_signs(rng, 21, 20))
    assert {warning.filename for warning in caught} == {__file__}


# -------------------------------------------------------------------------- measurement


def test_measured_curve_falls_at_the_critical_load():
    curve = capacity_curve(
        HopfieldDenoiser(random_state=0),
        n_features=400,
        loads=[0.05, 0.1, 0.25],
        n_repeats=2,
        random_state=0,
    )
    assert_array_equal(curve.n_patterns, [20, 40, 100])
    assert curve.overlaps.shape == (3, 2)
    assert_allclose(
        curve.overlaps[:2].mean(axis=1), hebb_overlap([0.05, 0.1]), atol=0.01
    )
    assert curve.overlaps[2].max() < 0.6


class Echo(BaseEstimator):
    """Returns its input and records the patterns of fit."""

    stored = []

    def fit(self, X):
        self.stored.append(X)
        return self

    def transform(self, X):
        return X


def test_exactly_the_given_share_of_units_is_flipped():
    curve = capacity_curve(
        Echo(), n_features=50, loads=[0.1], flipped=0.2, n_repeats=4, random_state=0
    )
    assert_allclose(curve.overlaps, 0.6)


def test_same_seed_gives_same_patterns():
    settings = {"n_features": 30, "loads": [0.1, 0.3], "n_repeats": 2}
    Echo.stored.clear()
    for seed in (0, 0, 1):
        capacity_curve(Echo(), **settings, random_state=seed)
    first, second, third = Echo.stored[:4], Echo.stored[4:8], Echo.stored[8:]
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not np.array_equal(first[0], third[0])
    assert not np.array_equal(first[0], first[1])


def test_overload_is_measured_without_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        capacity_curve(
            HopfieldDenoiser(), n_features=30, loads=[0.9], n_repeats=1, random_state=0
        )


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"loads": [0.1, 0]}, "loads"),
        ({"loads": []}, "loads"),
        ({"flipped": 2}, "flipped"),
    ],
)
def test_invalid_arguments_raise(params, message):
    with pytest.raises(ValueError, match=message):
        capacity_curve(HopfieldDenoiser(), n_features=20, **params)
