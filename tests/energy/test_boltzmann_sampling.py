"""Samples follow the distribution of the machine."""

import pickle

import numpy as np
import pytest
import reference_boltzmann as reference
from energy_examples import noisy_prototypes, pick_letters
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import chisquare

from sklearn_rnn import BoltzmannMachine
from sklearn_rnn.energy import _boltzmann_enumeration
from sklearn_rnn.energy._boltzmann_sampling import plan_gibbs_temperatures


def count_states(samples):
    """Number of samples equal to each of reference.states."""
    codes = samples @ 2 ** np.arange(samples.shape[1])[::-1]
    return np.bincount(codes.astype(int), minlength=2 ** samples.shape[1])


def assert_drawn_from(samples, distribution):
    """Chi-square; states expected fewer than five times are counted together."""
    counts, expected = count_states(samples), len(samples) * distribution
    rare = expected < 5
    assert counts[expected == 0].sum() == 0
    if expected[rare].sum() > 0:
        counts = np.append(counts[~rare], counts[rare].sum())
        expected = np.append(expected[~rare], expected[rare].sum())
    else:
        counts, expected = counts[~rare], expected[~rare]
    assert counts.sum() == len(samples)
    assert chisquare(counts, expected).pvalue > 1e-3


@pytest.mark.parametrize("connections", ["restricted", "full", "visible only"])
def test_frequencies_of_samples_agree_with_enumeration(small, connections):
    model = small[connections]
    samples = model.sample(3000, n_gibbs_steps=200, random_state=0)
    assert samples.shape == (3000, 4)
    chances = reference.visible_distribution(reference.parameters(model))
    assert_drawn_from(samples, chances)


def test_a_single_temperature_is_approached_from_ten_times_as_much():
    planned = plan_gibbs_temperatures(0.5, 7)
    assert_allclose(planned, [5, 5 / np.sqrt(10), 0.5, 0.5, 0.5, 0.5, 0.5])
    assert plan_gibbs_temperatures([3, 2], 2) == [3, 2]


@pytest.mark.parametrize("connections", ["restricted", "full", "visible only"])
@pytest.mark.parametrize("temperature", [0.5, 3.0])
def test_temperature_divides_the_energy(small, connections, temperature):
    model = small[connections]
    samples = model.sample(
        3000, n_gibbs_steps=200, temperature=temperature, random_state=1
    )
    p = reference.parameters(model)
    assert_drawn_from(samples, reference.visible_distribution(p, temperature))
    plain = reference.visible_distribution(p)
    assert abs(plain - reference.visible_distribution(p, temperature)).sum() > 0.1


def test_gaussian_samples_have_the_mean_and_the_covariance_of_the_model(gaussian):
    """b + s W'h with unit normal noise, h drawn from the enumerated hidden states."""
    model, X = gaussian
    p = reference.parameters(model)
    hidden = reference.states(4)
    fields = hidden @ p["W"]
    weights = hidden @ (p["c"] + p["W"] @ (p["b"] / p["s"])) + (fields**2).sum(1) / 2
    chances = np.exp(weights - weights.max())
    chances /= chances.sum()
    centers = p["b"] + p["s"] * fields
    mean = chances @ centers
    spread = (centers - mean).T @ (chances[:, np.newaxis] * (centers - mean))
    covariance = spread + np.diag(p["s"] ** 2)
    samples = model.sample(4000, n_gibbs_steps=300, random_state=0)
    error = np.sqrt(np.diag(covariance) / 4000)
    assert (np.abs(samples.mean(0) - mean) < 4 * error).all()
    variances = np.diag(covariance)
    tolerance = 4 * np.sqrt(2 * np.outer(variances, variances) / 4000)
    assert (np.abs(np.cov(samples.T) - covariance) < tolerance).all()
    assert_allclose(mean, X.mean(0), atol=0.3)


@pytest.mark.parametrize("connections", ["restricted", "full", "visible only"])
def test_a_schedule_of_temperatures_is_followed_by_gibbs_sampling(small, connections):
    model = small[connections]
    temperatures = plan_gibbs_temperatures(1.0, 200)
    samples = model.sample(
        3000, n_gibbs_steps=200, temperature=temperatures, random_state=0
    )
    p = reference.parameters(model)
    assert_drawn_from(samples, reference.visible_distribution(p))
    clamp = np.array([np.nan, 1.0, np.nan, 0.0])
    samples = model.sample(
        3000, n_gibbs_steps=200, temperature=temperatures, clamp=clamp, random_state=0
    )
    everything = reference.states(4)
    possible = (everything[:, 1] == 1) & (everything[:, 3] == 0)
    chances = reference.visible_distribution(p) * possible
    assert_drawn_from(samples, chances / chances.sum())


@pytest.mark.parametrize(("n_hidden", "connections"), [(2, "restricted"), (1, "full")])
def test_separate_modes_are_sampled_with_their_probabilities(n_hidden, connections):
    """Two patterns that Gibbs sampling rarely leaves, one three times as frequent."""
    X = np.repeat([[0.0] * 6, [1.0] * 6], [15, 45], axis=0)
    model = BoltzmannMachine(
        n_hidden,
        connections=connections,
        learning_rate=1.0,
        batch_size=60,
        max_epochs=400,
        random_state=0,
    ).fit(X)
    samples = model.sample(2000, random_state=0)
    chances = reference.visible_distribution(reference.parameters(model))
    assert_drawn_from(samples, chances)
    assert chances[0] + chances[-1] > 0.9


def test_large_machines_are_sampled_by_gibbs_sampling(monkeypatch, small):
    model = small["restricted"]
    exact = model.sample(50, random_state=0)
    assert_array_equal(model.sample(50, n_gibbs_steps=1, random_state=0), exact)
    monkeypatch.setattr(_boltzmann_enumeration, "MAX_SAMPLED_NUMBERS", 8)
    sampled = model.sample(50, random_state=0)
    assert not np.array_equal(sampled, exact)
    clamp = np.array([np.nan, 1.0, np.nan, 0.0])
    assert_array_equal(model.sample(50, clamp=clamp)[:, [1, 3]], [[1, 0]] * 50)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_exact_samples_of_gaussian_units_have_the_variance_of_gibbs_samples(
    gaussian, temperature
):
    model, _ = gaussian
    steps = [temperature] * 200
    for clamp in (None, [5.0, np.nan, np.nan]):
        exact = model.sample(4000, temperature=temperature, clamp=clamp)
        gibbs = model.sample(
            4000, temperature=steps, n_gibbs_steps=200, clamp=clamp, random_state=1
        )
        free = slice(0 if clamp is None else 1, None)
        exact, gibbs = exact[:, free], gibbs[:, free]
        error = np.hypot(exact.std(0), gibbs.std(0)) / np.sqrt(4000)
        assert (np.abs(exact.mean(0) - gibbs.mean(0)) < 4 * error).all()
        assert_allclose(exact.std(0), gibbs.std(0), rtol=0.06)


def test_sampling_does_not_change_the_model(small):
    model = small["full"]
    before = pickle.dumps(model)
    first = model.sample(5, n_gibbs_steps=10, random_state=3)
    assert_array_equal(model.sample(5, n_gibbs_steps=10, random_state=3), first)
    assert not np.array_equal(model.sample(5, n_gibbs_steps=10, random_state=4), first)
    assert pickle.dumps(model) == before


@pytest.mark.parametrize(
    "params",
    [
        {"temperature": 0.0},
        {"temperature": -1.0},
        {"n_gibbs_steps": -1},
        {"n_samples": 0},
    ],
)
def test_invalid_arguments_of_sample_raise(small, params):
    with pytest.raises(ValueError, match=next(iter(params))):
        small["restricted"].sample(**params)


# ------------------------------------------------------------------------------- clamps


@pytest.mark.parametrize("connections", ["restricted", "full", "visible only"])
def test_clamped_units_stay_and_free_ones_follow_the_conditional(small, connections):
    model = small[connections]
    clamp = np.array([np.nan, 1.0, np.nan, 0.0])
    samples = model.sample(3000, n_gibbs_steps=200, clamp=clamp, random_state=0)
    assert_array_equal(samples[:, 1], 1)
    assert_array_equal(samples[:, 3], 0)
    everything = reference.states(4)
    chances = reference.visible_distribution(reference.parameters(model))
    possible = (everything[:, 1] == 1) & (everything[:, 3] == 0)
    assert_drawn_from(samples, chances * possible / chances[possible].sum())


def test_each_sample_may_have_its_own_clamp(small):
    model = small["full"]
    clamp = np.full((2000, 4), np.nan)
    clamp[::2, 0], clamp[1::2, 2] = 1, 0
    samples = model.sample(2000, n_gibbs_steps=200, clamp=clamp, random_state=0)
    everything = reference.states(4)
    chances = reference.visible_distribution(reference.parameters(model))
    for rows, column, value in ((samples[::2], 0, 1), (samples[1::2], 2, 0)):
        possible = everything[:, column] == value
        assert_drawn_from(rows, chances * possible / chances[possible].sum())


@pytest.mark.parametrize("connections", ["restricted", "full"])
def test_clamped_probabilities_stay_as_they_are(connections):
    X = noisy_prototypes(6)
    model = BoltzmannMachine(
        3, connections=connections, binarize=None, max_epochs=2, random_state=0
    ).fit(X)
    clamp = [0.3, np.nan, 0.8, np.nan, np.nan, np.nan]
    samples = model.sample(20, clamp=clamp, n_gibbs_steps=5)
    assert_array_equal(samples[:, [0, 2]], np.tile([0.3, 0.8], (20, 1)))
    assert set(np.unique(samples[:, [1, 3, 4, 5]])) == {0, 1}


def test_a_fully_clamped_row_is_returned_unchanged(small):
    clamp = reference.states(4)
    samples = small["restricted"].sample(16, n_gibbs_steps=3, clamp=clamp)
    assert_array_equal(samples, clamp)


def test_clamped_gaussian_units_take_any_value(gaussian):
    model, _ = gaussian
    clamp = np.array([9.25, np.nan, np.nan])
    samples = model.sample(50, n_gibbs_steps=50, clamp=clamp, random_state=0)
    assert_array_equal(samples[:, 0], 9.25)
    assert len(np.unique(samples[:, 1])) == 50


def test_none_in_a_clamp_is_a_free_unit(gaussian):
    samples = gaussian[0].sample(2, clamp=[9.25, None, None], n_gibbs_steps=2)
    assert_array_equal(samples[:, 0], 9.25)


@pytest.mark.parametrize(
    ("clamp", "message"),
    [
        (np.full(3, np.nan), r"(?s)clamp.*\(3,\).*4"),
        (np.full((2, 4), np.nan), r"(?s)clamp.*\(2, 4\).*\(5, 4\)"),
        (np.array([np.inf, np.nan, 1, 0]), r"clamp contains infinity"),
    ],
)
def test_clamp_of_wrong_shape_or_type_raises(small, clamp, message):
    with pytest.raises(ValueError, match=f"(?i){message}"):
        small["full"].sample(5, clamp=clamp)


def test_a_gaussian_clamp_must_be_finite(gaussian):
    with pytest.raises(ValueError, match=r"(?s)clamp.*inf"):
        gaussian[0].sample(2, clamp=[np.inf, np.nan, np.nan])


# ------------------------------------------------------------------------------ letters


@pytest.fixture(scope="module", params=["full", "visible only"])
def letter_machine(request):
    letters = pick_letters("JLMQT")
    n_hidden = 20 if request.param == "full" else 0
    machine = BoltzmannMachine(
        n_hidden, connections="full", max_epochs=400, ais_steps=0, random_state=0
    )
    return machine.fit(np.repeat(letters, 20, axis=0)), letters


def test_annealed_sampling_completes_letters_from_their_upper_half(letter_machine):
    machine, letters = letter_machine
    clamp = np.repeat(letters, 20, axis=0)
    clamp[:, 32:] = np.nan
    samples = machine.sample(
        100,
        clamp=clamp,
        n_gibbs_steps=100,
        temperature=np.geomspace(5, 0.1, 100),
        random_state=0,
    )
    assert_array_equal(samples, np.repeat(letters, 20, axis=0))


def test_samples_without_a_clamp_are_learned_letters(letter_machine):
    machine, letters = letter_machine
    samples = machine.sample(100, n_gibbs_steps=200, random_state=0)
    exact = (samples[:, None] == letters).all(axis=2)
    assert exact.any(axis=1).mean() > 0.85
    assert exact.any(axis=0).all()


@pytest.mark.parametrize("temperature", ["junk", {}, 1j, 10**400, object()])
def test_temperatures_that_are_not_numbers_raise(temperature):
    with pytest.raises((TypeError, ValueError), match="temperature"):
        plan_gibbs_temperatures(temperature, 4)
