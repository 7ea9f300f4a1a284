"""log Z: when it is computed, and accuracy of annealed importance sampling."""

import pickle
import threading

import numpy as np
import pytest
from energy_examples import SHAPES, exact_machine, noisy_prototypes
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_rnn import BoltzmannMachine
from sklearn_rnn.energy import _boltzmann_partition
from sklearn_rnn.energy._boltzmann_partition import estimate_log_partition


@pytest.mark.parametrize("shape", ["restricted", "full", "visible only"])
def test_annealed_importance_sampling_finds_log_z(shape):
    model = exact_machine(shape).fit(noisy_prototypes(SHAPES[shape][0]))
    machine = model._assemble_machine()
    base = np.log(0.3 / 0.7) * np.ones(machine.shape[1])
    estimates = [
        estimate_log_partition(machine, base, 300, np.random.default_rng(seed))
        for seed in range(5)
    ]
    values, errors = np.transpose(estimates)
    assert_allclose(values.mean(), model.log_partition_, atol=0.05)
    assert np.std(values) > 0
    assert (np.abs(values - model.log_partition_) < 5 * errors).all()
    assert (errors < 0.1).all()


def test_annealed_importance_sampling_finds_log_z_of_gaussian_units(gaussian):
    model, _ = gaussian
    machine = model._state.average  # standardized
    rng = np.random.default_rng(0)
    estimate, _ = estimate_log_partition(machine, np.zeros(3), 1000, rng)
    expected = model.log_partition_ - np.log(model.scale_).sum()
    assert_allclose(estimate, expected, atol=0.1)


def fit_large(**params):
    """A machine whose log Z is estimated, and its data."""
    X = noisy_prototypes(25)
    params = {"max_epochs": 2, "ais_steps": 50, "random_state": 0} | params
    return BoltzmannMachine(21, **params).fit(X), X


def test_log_z_is_estimated_when_first_read_and_then_kept(monkeypatch):
    calls = []

    def count(*args):
        calls.append(args)
        return estimate_log_partition(*args)

    monkeypatch.setattr(_boltzmann_partition, "estimate_log_partition", count)
    model, X = fit_large()
    model.partial_fit(X).partial_fit(X).transform(X)
    model.sample(2, n_gibbs_steps=2)
    assert len(calls) == 0
    first = model.score_samples(X)
    assert_array_equal(model.score_samples(X), first)
    copy = pickle.loads(pickle.dumps(model))
    assert copy.log_partition_ == model.log_partition_
    assert len(calls) == 1
    model.partial_fit(X)
    assert model.log_partition_ != copy.log_partition_
    assert len(calls) == 2


def test_concurrent_threads_get_the_same_log_z():
    model, X = fit_large()
    alone = fit_large()[0].score_samples(X)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(model.score_samples(X)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert_array_equal(found, np.tile(alone, (4, 1)))


def test_an_interrupt_while_log_z_is_estimated_keeps_the_model(monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    model, X = fit_large()
    with monkeypatch.context() as patch:
        patch.setattr(_boltzmann_partition, "estimate_log_partition", interrupt)
        with pytest.raises(KeyboardInterrupt):
            model.score(X)
    assert model.n_iter_ == 2
    assert model.score(X) == fit_large()[0].score(X)


def test_the_error_of_log_z_is_reported():
    model, _ = fit_large()
    assert 0 < model.log_partition_std_ < 1
    more, _ = fit_large(ais_steps=5000)
    assert more.log_partition_std_ < model.log_partition_std_
    assert (
        abs(more.log_partition_ - model.log_partition_) < 5 * model.log_partition_std_
    )
    none, _ = fit_large(ais_steps=0)
    assert np.isnan(none.log_partition_std_) and np.isnan(none.log_partition_)
    exact = exact_machine("restricted", max_epochs=2).fit(noisy_prototypes(6))
    assert exact.log_partition_std_ == 0


def test_an_unfitted_machine_has_no_log_z():
    assert not hasattr(BoltzmannMachine(), "log_partition_")


@pytest.mark.parametrize("method", ["score_samples", "free_energy", "transform"])
def test_a_refit_during_a_prediction_does_not_mix_two_models(monkeypatch, method):
    """The refit happens after validation, as if in another thread."""
    X, other = noisy_prototypes(6), noisy_prototypes(6, seed=1)
    model = exact_machine("restricted", max_epochs=5).fit(X)
    expected = getattr(model, method)(X)
    assemble = BoltzmannMachine._assemble_machine

    def refit_and_assemble(self):
        machine = assemble(self)
        model.fit(other)
        return machine

    monkeypatch.setattr(BoltzmannMachine, "_assemble_machine", refit_and_assemble)
    assert_array_equal(getattr(model, method)(X), expected)
    monkeypatch.undo()
    assert not np.array_equal(getattr(model, method)(X), expected)
