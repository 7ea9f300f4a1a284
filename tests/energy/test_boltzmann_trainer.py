"""Epochs, partial_fit, divergence and interrupts."""

import pickle
import re
import sys
import threading
from _thread import interrupt_main

import numpy as np
import pytest
import reference_boltzmann as reference
from energy_examples import exact_machine, noisy_prototypes
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sklearn_rnn import BoltzmannMachine


def test_auto_is_exact_for_a_small_machine():
    X = noisy_prototypes(6)
    exact = exact_machine("full").fit(X)
    auto = exact_machine("full", gradient="auto").fit(X)
    assert_array_equal(auto.components_, exact.components_)
    pcd = exact_machine("full", gradient="pcd").fit(X)
    assert not np.array_equal(pcd.components_, exact.components_)


def test_enumeration_of_too_many_units_raises():
    X = noisy_prototypes(64)
    model = BoltzmannMachine(48, connections="full", gradient="exact")
    with pytest.raises(ValueError, match=r"(?s)112.*units.*'pcd'"):
        model.fit(X)


def test_every_row_trains_without_early_stopping():
    X = noisy_prototypes(6)
    fitted = exact_machine("restricted", max_epochs=5).fit(X)
    for row in range(0, len(X), 10):
        other = X.copy()
        other[row] = 1 - other[row]
        changed = clone(fitted).fit(other)
        assert not np.array_equal(changed.components_, fitted.components_)


@pytest.mark.parametrize("gradient", ["exact", "pcd"])
def test_partial_fit_is_one_more_epoch(gradient):
    X = noisy_prototypes(6)
    model = exact_machine("full", gradient=gradient, learning_rate=0.05)
    started = clone(model).partial_fit(X)
    assert started.n_iter_ == 1
    first = started.score(X)
    for _ in range(100):
        started.partial_fit(X)
    assert started.n_iter_ == 101
    assert started.score(X) > first + 0.3


@pytest.mark.parametrize(
    "params",
    [
        {"connections": "full", "gradient": "exact"},
        {"connections": "full", "gradient": "pcd", "positive_phase": "gibbs"},
        {"gradient": "pcd", "average": False},
        {"visible": "gaussian", "gradient": "pcd"},
    ],
)
def test_k_calls_of_partial_fit_equal_a_fit_of_k_epochs(params):
    X = noisy_prototypes(6)
    model = BoltzmannMachine(4, batch_size=16, max_epochs=5, random_state=0, **params)
    whole, pieces = clone(model).fit(X), clone(model)
    for _ in range(5):
        pieces.partial_fit(X)
    p, q = reference.parameters(whole), reference.parameters(pieces)
    assert all(np.array_equal(p[name], q[name]) for name in "bcWLJ")
    assert_array_equal(pieces.score_samples(X), whole.score_samples(X))
    assert_array_equal(pieces.sample(3), whole.sample(3))


def test_partial_fit_continues_from_the_weights_kept_by_early_stopping():
    X = noisy_prototypes(8, n_samples=30, flipped=0.3)
    model = BoltzmannMachine(
        12,
        learning_rate=0.5,
        batch_size=10,
        max_epochs=500,
        early_stopping=True,
        average=False,
        validation_fraction=0.3,
        random_state=0,
    ).fit(X)
    assert model.n_iter_ > 2
    kept = model.components_
    model.set_params(learning_rate=1e-9).partial_fit(X)
    assert_allclose(model.components_, kept, atol=1e-4)


def test_large_machines_need_ais_steps_for_scores():
    rng = np.random.default_rng(0)
    X = (rng.random((200, 25)) < 0.3).astype(float)
    model = BoltzmannMachine(21, max_epochs=5, random_state=0).fit(X)
    chance = np.clip(X.mean(axis=0), 0.01, 0.99)
    independent = np.log(np.where(X == 1, chance, 1 - chance)).sum(axis=1).mean()
    assert abs(model.score(X) - independent) < 1
    without = BoltzmannMachine(21, max_epochs=5, ais_steps=0, random_state=0).fit(X)
    assert np.isnan(without.log_partition_)
    with pytest.raises(ValueError, match=r"log_partition_.*ais_steps=1000"):
        without.score_samples(X)
    assert_array_equal(without.transform(X), model.transform(X))


def test_verbose_prints_one_line_per_epoch(capsys):
    X = noisy_prototypes(6)
    BoltzmannMachine(3, max_epochs=2, random_state=0).fit(X)
    assert capsys.readouterr().out == ""
    BoltzmannMachine(
        3, max_epochs=2, early_stopping=True, verbose=True, random_state=0
    ).fit(X)
    lines = capsys.readouterr().out.splitlines()
    number = r"-?\d+\.\d+"
    for epoch, line in enumerate(lines, start=1):
        assert re.fullmatch(
            rf"\[BoltzmannMachine\] epoch {epoch}: free energy {number}, "
            rf"gap {number}, {number} s",
            line,
        )
    assert len(lines) == 2


# ------------------------------------------------------------ divergence and interrupts


def make_diverging(**params):
    rng = np.random.default_rng(0)
    params = {"visible": "gaussian", "max_epochs": 50, "random_state": 0} | params
    return BoltzmannMachine(4, **params), rng.normal(size=(100, 3))


@pytest.mark.parametrize("gradient", ["exact", "pcd"])
def test_divergence_error_names_epoch_and_remedy(gradient):
    model, X = make_diverging(gradient=gradient, learning_rate=1e308)
    with pytest.raises(ValueError, match=r"(?s)epoch \d+.*learning_rate"):
        model.fit(X)
    with pytest.raises(NotFittedError):
        model.transform(X)


def test_divergence_does_not_change_a_fitted_model():
    model, X = make_diverging(learning_rate=0.01, max_epochs=5)
    model.fit(X).score(X)
    before = model.__dict__ | {"learning_rate": 1e308}
    kept = pickle.dumps(before)
    model.set_params(learning_rate=1e308)
    for fit in (model.fit, lambda X: [model.partial_fit(X) for _ in range(50)]):
        with pytest.raises(ValueError, match="learning_rate"):
            fit(X)
        finite = [model.components_, model.score_samples(X), model.transform(X)]
        assert all(np.isfinite(a).all() for a in finite)
        if fit == model.fit:
            assert pickle.dumps(model.__dict__) == kept


@pytest.mark.usefixtures("heard_interrupts")
@pytest.mark.parametrize("gradient", ["exact", "pcd"])
def test_interrupt_keeps_the_last_complete_epoch_and_is_raised(gradient):
    X = noisy_prototypes(6)
    model = exact_machine("full", gradient=gradient, learning_rate=0.01)
    interrupted = clone(model).set_params(max_epochs=10**7)
    timer = threading.Timer(0.5, interrupt_main)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        interrupted.fit(X)
    timer.join()
    assert interrupted.n_iter_ >= 1
    whole = clone(model).set_params(max_epochs=interrupted.n_iter_).fit(X)
    assert_array_equal(interrupted.components_, whole.components_)
    assert interrupted.log_partition_ == whole.log_partition_
    assert_array_equal(interrupted.transform(X), whole.transform(X))


@pytest.fixture
def restore_errstate():
    """Undo changes of np.seterr by interrupts inside of np.errstate."""
    settings = np.geterr()
    yield
    np.seterr(**settings)


class InterruptAtLine:
    """A trace function that interrupts at the n-th line run in sklearn_rnn.energy."""

    def __init__(self, n):
        self.n_left = n

    def __call__(self, frame, event, arg):
        if "sklearn_rnn/energy" not in frame.f_code.co_filename.replace("\\", "/"):
            return None
        if event == "line":
            self.n_left -= 1
            if self.n_left == 0:
                raise KeyboardInterrupt
        return self


@pytest.mark.parametrize(
    "early_stopping", [False, pytest.param(True, marks=pytest.mark.slow)]
)
def test_interrupt_at_any_line_leaves_a_complete_epoch_or_nothing(
    early_stopping, restore_errstate
):
    X = noisy_prototypes(3)
    model = BoltzmannMachine(
        2, max_epochs=3, batch_size=60, early_stopping=early_stopping, random_state=0
    )
    whole = [clone(model).set_params(max_epochs=k).fit(X) for k in (1, 2, 3)]
    outer, line, seen = sys.gettrace(), 0, set()
    while True:
        line += 1
        interrupted = clone(model)
        sys.settrace(InterruptAtLine(line))
        try:
            interrupted.fit(X)
        except KeyboardInterrupt:
            pass
        else:
            break
        finally:
            sys.settrace(outer)
        n_epochs = getattr(interrupted, "n_iter_", 0)
        seen.add(n_epochs)
        if n_epochs:
            expected = whole[n_epochs - 1]
            assert_array_equal(interrupted.components_, expected.components_)
            assert interrupted.log_partition_ == expected.log_partition_
            gaps = getattr(interrupted, "free_energy_gap_", None)
            assert gaps == getattr(expected, "free_energy_gap_", None)
    assert seen == {0, 1, 2, 3}
