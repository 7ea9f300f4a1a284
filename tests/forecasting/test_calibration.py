"""Errors on values that the network never saw, and the twin that makes them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from sklearn_rnn import RNNForecaster
from sklearn_rnn.forecasting import _calibration
from sklearn_rnn.forecasting._calibration import (
    calibrate,
    calibrate_on_twin,
    hold_out,
    leave_out,
)
from sklearn_rnn.forecasting._windows import HeldOut

RNG = np.random.default_rng(0)
NOISY = np.sin(np.arange(160) / 4) + 0.1 * RNG.normal(size=160)
SEVERAL = [NOISY[:n, None] for n in (40, 30, 30, 50, 60)]


def forecaster(**params):
    given = {"hidden_size": 4, "window": 12, "max_epochs": 2, "random_state": 0}
    return RNNForecaster(**given | params)


@pytest.fixture(scope="module")
def network():
    return forecaster(intervals=None).fit(NOISY)._series_network


def test_the_last_steps_of_a_series_are_held_out():
    held_out = hold_out([np.zeros((10, 2))], 0.25, 5, None)
    assert (held_out.series.tolist(), held_out.first_step) == ([0], 7)
    (rest,) = leave_out([np.arange(10)], held_out)
    assert_array_equal(rest, np.arange(7))


def test_some_of_several_series_are_held_out():
    held_out = hold_out(SEVERAL, 0.4, 12, np.random.default_rng(0))
    assert len(held_out.series) == 2
    assert held_out.first_step == 12
    rest = leave_out(SEVERAL, held_out)
    places = [i for i in range(5) if i not in held_out.series]
    assert all(a is SEVERAL[i] for a, i in zip(rest, places, strict=True))


def test_errors_begin_with_the_first_step_held_out(network):
    values = [NOISY[:, None]]
    held_out = HeldOut(np.array([0]), 150)
    errors = calibrate(network, values, None, held_out).errors
    (expected,) = network.compute_rolling_errors(values, None, 149, 10)
    assert errors.shape == (10, 10, 1)
    assert_array_equal(errors, expected[:, 0])


def test_errors_of_several_series_are_pooled(network):
    held_out = HeldOut(np.array([3, 0]), 12)
    errors = calibrate(network, SEVERAL, None, held_out).errors
    assert errors.shape == (40 - 12 + 50 - 12, 38, 1)
    values = [SEVERAL[3], SEVERAL[0]]
    parts = network.compute_rolling_errors(values, None, 11, 38)
    assert_array_equal(errors, np.concatenate([part[:, 0] for part in parts]))


def test_leads_are_limited_to_some_windows(network, monkeypatch):
    monkeypatch.setattr(_calibration, "CALIBRATED_WINDOWS", 2)
    held_out = HeldOut(np.array([0]), 100)
    errors = calibrate(network, [NOISY[:, None]], None, held_out).errors
    assert errors.shape == (60, 24, 1)


def test_the_twin_is_trained_on_the_rest(network):
    trained = []

    def train_twin(values, exog):
        trained.append((values, exog))
        return network

    values, exog = [NOISY[:, None]], [np.ones((160, 1))]
    rng = np.random.default_rng(0)
    encoding = network.encoding
    intervals = calibrate_on_twin(train_twin, values, None, encoding, 0.25, rng)
    ((seen, seen_exog),) = trained
    assert_array_equal(seen[0], values[0][:120])
    assert seen_exog is None
    held_out = HeldOut(np.array([0]), 120)
    expected = calibrate(network, values, None, held_out).errors
    assert_array_equal(intervals.errors, expected)
    short = [values[0][:14]]
    intervals = calibrate_on_twin(train_twin, short, None, encoding, 0.3, rng)
    assert intervals.errors is None
    assert "calibration_fraction=0.3" in intervals.reason
    assert "needs 13 steps" in intervals.reason
    assert len(trained) == 1

    def fail(values, exog):
        raise InterruptedError(len(exog[0]))

    with pytest.raises(InterruptedError, match="120"):
        calibrate_on_twin(fail, values, exog, encoding, 0.25, rng)


# ---------------------------------------------------------------- in fit


def test_the_twin_sees_nothing_of_what_calibrates():
    model = forecaster(calibration_fraction=0.25)
    a = model.fit(NOISY)._intervals.errors
    other = NOISY.copy()
    other[130:] += 100
    b = clone(model).fit(other)._intervals.errors
    first = 120 - 1
    assert a.shape == (160 - 1 - first, 40, 1)
    assert_allclose(a[:2, :2], b[:2, :2])  # targets up to step 122: no change


def test_the_twin_differs_from_the_network_in_its_data_only():
    gaps = NOISY.copy()
    gaps[[140, 141]] = np.nan  # the twin is trained without them
    model = forecaster(calibration_fraction=0.25).fit(gaps)
    head = clone(model).set_params(intervals=None).fit(NOISY[:120])
    assert model._encoding.tells_missing
    assert not head._encoding.tells_missing
    twin = model._train_twin(0, [NOISY[:120, None]], None)
    assert twin.encoding.tells_missing
    assert_array_equal(twin.encoding.mean, head._encoding.mean)
    model = clone(model).fit(NOISY)
    (errors,) = head._series_network.compute_rolling_errors(
        [NOISY[:, None]], None, 119, 40
    )
    assert_array_equal(model._intervals.errors, errors[:, 0])


def test_early_stopping_spares_the_twin():
    model = forecaster(early_stopping=True).fit(NOISY)
    (errors,) = model._series_network.compute_rolling_errors(
        [NOISY[:, None]], None, 143, 16
    )
    assert_array_equal(model._intervals.errors, errors[:, 0])


def test_a_short_series_has_no_intervals():
    model = forecaster().fit(NOISY[:14])
    assert model.predict(horizon=3).shape == (3,)
    with pytest.raises(ValueError, match=r"too short to set calibration_fraction=0.3"):
        model.predict_interval(horizon=3)
    late = np.r_[np.full(140, np.nan), NOISY[:60]]
    model = forecaster().fit(late)
    with pytest.raises(ValueError, match="too short"):
        model.sample_paths(horizon=3)
