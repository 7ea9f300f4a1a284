"""Errors of the seasonal naive forecast, and their sizes in other series."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_rnn.forecasting import _calibration
from sklearn_rnn.forecasting._error_sizes import measure_scales
from sklearn_rnn.forecasting._naive import compute_naive_errors, read_pasts
from sklearn_rnn.forecasting._naive_intervals import (
    CALIBRATED_LEADS,
    calibrate_naive,
    estimate_naive_sizes,
)

RNG = np.random.default_rng(0)
VALUES = [RNG.normal(size=(60, 2)), 10 * RNG.normal(size=(40, 2)), np.ones((12, 2))]


def test_all_errors_calibrate(monkeypatch):
    calibration = calibrate_naive(VALUES, 12, 3).require_errors()
    assert calibration.errors.shape == (48 + 28, 48, 2)
    assert_array_equal(np.bincount(calibration.owners), [48, 28])
    expected = compute_naive_errors(VALUES[0], 12, 48)
    assert_allclose(calibration.errors[:48], expected, rtol=1e-6)
    monkeypatch.setattr(_calibration, "KEPT_ERRORS", 76 * 48 * 2 - 1)
    fewer = calibrate_naive(VALUES, 12, 3).require_errors()
    assert_allclose(fewer.errors[:24], expected[::2], rtol=1e-6)


def test_errors_are_measured_up_to_a_longer_horizon():
    walk = np.cumsum(RNG.normal(size=(CALIBRATED_LEADS + 50, 1)), axis=0)
    for horizon, n_leads in ((3, CALIBRATED_LEADS), (420, 420), (10**6, len(walk) - 7)):
        assert calibrate_naive([walk], 7, horizon).calibration.n_leads == n_leads


def test_a_single_season_has_no_errors():
    intervals = calibrate_naive([VALUES[2]], 12, 3)
    with pytest.raises(ValueError, match=r"have 12 steps, and season=12\. Fit"):
        intervals.require_errors()


def test_sizes_are_those_of_errors_in_the_past():
    calibration = calibrate_naive(VALUES[:2], 4, 8).require_errors()
    longer = RNG.normal(size=(400, 2)) * [1, 1000]
    pasts, scales = read_pasts(longer, 4, np.array([400])), measure_scales([longer])
    sizes = estimate_naive_sizes(calibration, pasts, scales, 4).sizes[0]
    assert_allclose(sizes[:4].mean(axis=0), pasts.levels[0], rtol=0.01)
    short = read_pasts(longer, 4, np.array([4]))  # no errors: the scale alone
    scaled = estimate_naive_sizes(calibration, short, measure_scales([longer[:4]]), 4)
    assert 200 < np.divide(*scaled.sizes[0, 0, ::-1]) < 5000


def test_sizes_of_a_single_series_are_used_for_all_series():
    calibration = calibrate_naive(VALUES[:1], 4, 8).require_errors()
    pasts = read_pasts(VALUES[1], 4, np.array([10, 20]))
    sizes = estimate_naive_sizes(calibration, pasts, np.ones((2, 2)), 4)
    assert_array_equal(sizes.sizes, calibration.own.sizes[[0, 0]])
