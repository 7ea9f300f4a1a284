"""BoltzmannMachine as an estimator: input, seeds, refits and errors."""

import random

import numpy as np
import pytest
import reference_boltzmann as reference
import torch
from energy_examples import SHAPES, exact_machine, noisy_prototypes
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_rnn import BoltzmannMachine, HopfieldDenoiser
from sklearn_rnn.energy._boltzmann import find_levels


def test_score_samples_is_the_log_likelihood_and_score_its_mean(machine):
    model, X, p = machine
    expected = reference.log_likelihood(p, X)
    assert_allclose(model.score_samples(X), expected, rtol=1e-8)
    assert_allclose(model.score(X), expected.mean(), rtol=1e-8)


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


def test_transform_of_a_row_does_not_depend_on_its_batch(machine):
    model, X, _ = machine
    together = model.transform(X)
    assert_array_equal(model.transform(X), together)
    assert_allclose(model.transform(X[::-1])[::-1], together, rtol=1e-12)
    alone = np.concatenate([model.transform(row[np.newaxis]) for row in X[:8]])
    assert_allclose(alone, together[:8], rtol=1e-10)


def test_results_depend_on_parameters_of_fit_not_on_later_ones():
    X = noisy_prototypes(6)
    model = exact_machine("restricted").fit(X)
    before = model.inverse_transform(model.transform(X))
    model.set_params(n_hidden=9, visible="gaussian")
    assert_array_equal(model.inverse_transform(model.transform(X)), before)


# ----------------------------------------------------------------------------- binarize


def test_values_above_binarize_are_on():
    X = noisy_prototypes(6)
    shades = np.where(X == 1, 0.75, 0.5)
    plain = exact_machine("restricted").fit(X)
    cut = exact_machine("restricted", binarize=0.5).fit(shades)
    assert_array_equal(cut.components_, plain.components_)
    for method in ("transform", "score_samples", "free_energy"):
        assert_array_equal(getattr(cut, method)(shades), getattr(plain, method)(X))
    other = exact_machine("restricted", binarize=-3.0).fit(X * 2 - 4)
    assert_array_equal(other.components_, plain.components_)


def test_binarize_none_reads_values_as_probabilities():
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


def test_binarize_none_leaves_zeros_and_ones_unchanged():
    X = noisy_prototypes(6)
    cut = exact_machine("restricted").fit(X)
    uncut = exact_machine("restricted", binarize=None).fit(X)
    assert_array_equal(uncut.components_, cut.components_)
    assert_array_equal(uncut.score_samples(X), cut.score_samples(X))


def test_binarize_none_requires_probabilities():
    X = noisy_prototypes(6)
    model = exact_machine("restricted", binarize=None)
    for bad in (-0.5, 2):
        wrong = X.copy()
        wrong[3, 2] = bad
        with pytest.raises(ValueError, match=rf"(?s){bad}.*\[?0.*1.*binarize"):
            clone(model).fit(wrong)
        with pytest.raises(ValueError, match=rf"(?s){bad}.*\[?0.*1.*binarize"):
            clone(model).fit(X).transform(wrong)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("cut", "low", "high"), [(7, 0, 16), (-3.0, -9, 2)])
def test_samples_have_the_two_levels_of_X(cut, low, high, dtype):
    """The machine binarizes its samples to the bits that they represent."""
    rng = np.random.default_rng(0)
    bits = noisy_prototypes(6)
    size = rng.uniform(size=bits.shape)
    X = np.where(bits == 1, cut + size * (high - cut), cut - size * (cut - low))
    X = X.astype(dtype)
    plain = exact_machine("restricted", max_epochs=5).fit(bits.astype(dtype))
    model = exact_machine("restricted", max_epochs=5, binarize=cut).fit(X)
    samples, expected = model.sample(50), plain.sample(50)
    assert_array_equal(samples > cut, expected == 1)
    for method in ("transform", "score_samples", "free_energy"):
        assert_array_equal(
            getattr(model, method)(samples), getattr(plain, method)(expected)
        )
    assert_allclose(np.unique(samples), [X[X <= cut].mean(), X[X > cut].mean()])
    hidden = plain.transform(bits.astype(dtype))
    means, (off, on) = model.inverse_transform(hidden), np.unique(samples)
    assert means.dtype == dtype
    assert_allclose(
        means, off + (on - off) * plain.inverse_transform(hidden), rtol=1e-5
    )


@pytest.mark.parametrize("X", [np.full((20, 3), 7.1), np.full((20, 3), 7.2)])
def test_levels_lie_on_both_sides_of_the_cut(X):
    for dtype in (np.float32, np.float64):
        off, on = find_levels(X.astype(dtype), 7.1)
        assert off <= dtype(7.1) < on


def test_binarize_of_fit_is_used_after_a_change():
    X = noisy_prototypes(6)
    model = exact_machine("restricted", max_epochs=5).fit(X)
    expected = model.transform(X)
    assert_array_equal(model.set_params(binarize=7).transform(X), expected)


# ------------------------------------------------------------------------ coupled units


@pytest.mark.parametrize("n_hidden", [0, 2])
def test_means_of_coupled_visible_units_are_exact(n_hidden):
    """Two patterns, one twice as frequent, for which mean field is inaccurate."""
    X = np.array([[0, 0, 0], [1, 1, 1], [1, 1, 1]] * 50, dtype=float)
    model = BoltzmannMachine(
        n_hidden, connections="full", max_epochs=100, random_state=0
    ).fit(X)
    p, hidden = reference.parameters(model), reference.states(n_hidden)
    weights = np.exp(-reference.energies(p, reference.states(3)))
    expected = (weights / weights.sum(0)).T @ reference.states(3)
    assert_allclose(model.inverse_transform(hidden), expected, rtol=1e-8)


# ---------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"visible": "gaussian", "connections": "full"}, "gaussian.*restricted"),
        ({"n_hidden": 0}, "n_hidden.*full"),
    ],
)
def test_unsupported_machines_raise(params, message):
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


def test_other_numbers_of_units_raise(small):
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


def test_methods_raise_before_fit():
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


# --------------------------------------------------------------------- seeds and refits


@pytest.mark.parametrize("gradient", ["exact", "pcd"])
def test_same_seed_gives_same_bits_and_leaves_global_generators_alone(gradient):
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
def test_refit_does_not_depend_on_the_first_fit(gradient):
    A, B = noisy_prototypes(6), noisy_prototypes(6, seed=1)
    model = exact_machine("full", gradient=gradient, max_epochs=10)
    fresh = clone(model).fit(B)
    again = clone(model).fit(A).partial_fit(A).fit(B)
    assert_array_equal(again.components_, fresh.components_)
    assert again.log_partition_ == fresh.log_partition_
    assert again.n_iter_ == fresh.n_iter_ == 10


def test_refit_removes_attributes_of_early_stopping_and_gaussian_units():
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


# -------------------------------------------------------------- number types and arrays


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", ["restricted", "full", "visible only"])
def test_dtype_of_the_data_is_preserved(dtype, shape):
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


def test_integers_and_booleans_are_accepted():
    X = noisy_prototypes(6)
    fitted = exact_machine("restricted", max_epochs=5).fit(X)
    for dtype in (int, bool, np.uint8):
        other = exact_machine("restricted", max_epochs=5).fit(X.astype(dtype))
        assert_array_equal(other.components_, fitted.components_)
        assert_array_equal(other.transform(X.astype(dtype)), fitted.transform(X))


@pytest.mark.parametrize("binarize", [0.5, None])
def test_input_arrays_are_not_changed(binarize):
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


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_gaussian_data_whose_variance_overflows_raise(method, rng):
    X = rng.normal(size=(20, 3))
    model = BoltzmannMachine(4, visible="gaussian", max_epochs=1, random_state=0).fit(X)
    before = model.transform(X)
    big = X * [1, 1e200, 1]
    with pytest.raises(ValueError, match=r"column 1 of X contains .* to .*e.200"):
        getattr(clone(model), method)(big)
    with pytest.raises(ValueError, match="column 1 of X contains"):
        model.fit(big)
    np.testing.assert_array_equal(model.transform(X), before)


@pytest.mark.parametrize("method", ["score_samples", "free_energy", "score"])
def test_gaussian_rows_whose_energy_overflows_raise(method, rng):
    X = rng.normal(size=(20, 3))
    model = BoltzmannMachine(4, visible="gaussian", max_epochs=1, random_state=0).fit(X)
    X[5] = 1e200
    with pytest.raises(
        ValueError, match=r"row 5 of X has values .*e.200, whose energy"
    ):
        getattr(model, method)(X)
    with pytest.raises(ValueError, match="row 5 of X"):
        model.energy(X, np.ones((20, 4)))


def test_numbers_beyond_float32_raise_without_a_warning(rng):
    X = rng.choice([0, 1], (10, 3)).astype(np.float32)
    model = BoltzmannMachine(4, max_epochs=1, random_state=0).fit(X)
    with pytest.raises(ValueError, match="H contains infinity or a value too large"):
        model.inverse_transform(np.full((2, 4), 1e308))
    with pytest.raises(ValueError, match="clamp contains infinity"):
        model.sample(clamp=[1e308, 0, 0])
    with pytest.raises(ValueError, match="X contains infinity"):
        model.partial_fit(np.full((2, 3), 1e150))


def test_binarize_beyond_float32_is_above_all_values(rng):
    X = rng.random((6, 3)).astype(np.float32)
    model = BoltzmannMachine(2, binarize=1e300, max_epochs=1, random_state=0).fit(X)
    assert np.isfinite(model.inverse_transform(model.transform(X))).all()
    pattern = np.array([[0, 1, 1]], dtype=np.float32)
    hopfield = HopfieldDenoiser(random_state=0).fit(pattern)
    assert hopfield.set_params(binarize=1e300).transform(pattern).shape == (1, 3)
