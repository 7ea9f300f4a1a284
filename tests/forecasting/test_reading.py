"""Checks of lengths and exogenous variables, and requests for forecasts."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_rnn import RNNForecaster
from sklearn_rnn._data.series import read_series
from sklearn_rnn.forecasting import _reading
from sklearn_rnn.forecasting._intervals import QuantileIntervals
from sklearn_rnn.forecasting._reading import (
    check_lengths,
    check_past,
    count_exog,
    read_exog,
    read_exog_ahead,
    read_request,
)

RNG = np.random.default_rng(0)
NOISY = np.sin(np.arange(60) / 4) + 0.1 * RNG.normal(size=60)
EXOG = RNG.normal(size=(60, 2))


def forecaster(**params):
    given = {"hidden_size": 4, "window": 12, "max_epochs": 1, "random_state": 0}
    return RNNForecaster(**given | {"intervals": None} | params)


# ---------------------------------------------------------------- lengths


def test_a_series_shorter_than_a_window_and_what_follows_is_refused():
    check_lengths(np.array([20, 13]), 10, 2, 1)
    message = (
        r"series 1 of X has 12 steps; window=10, horizon=2 and differencing=1 need 13"
    )
    with pytest.raises(ValueError, match=message):
        check_lengths(np.array([20, 12, 11]), 10, 2, 1)
    with pytest.raises(ValueError, match="differencing=None need 12"):
        check_lengths(np.array([11]), 10, 2, 0)


def test_fit_and_score_check_lengths():
    with pytest.raises(ValueError, match=r"series 0 of X has 12 steps; .* need 13"):
        forecaster().fit(NOISY[:12])
    with pytest.raises(ValueError, match=r"series 1 of X has 9 steps"):
        forecaster().fit([NOISY, NOISY[:9]])
    with pytest.raises(ValueError, match=r"need 13"):
        forecaster().fit(NOISY).score(NOISY[:12])


@pytest.mark.parametrize(
    ("params", "exog", "needed"),
    [
        ({}, None, 1),
        ({"differencing": 3}, None, 4),
        ({"target": "last"}, None, 12),
        ({"target": "last", "differencing": 3}, None, 15),
        ({"horizon": 5}, None, 1),
        ({"horizon": 5}, EXOG, 5),
    ],
)
def test_a_past_too_short_for_a_forecast_is_refused(params, exog, needed):
    model = forecaster(**params).fit(NOISY, exog=exog)
    check_past(np.array([60, needed]), model._encoding)
    with pytest.raises(ValueError, match=f"series 1 of X has {needed - 1} steps; a"):
        check_past(np.array([60, needed - 1]), model._encoding)
    if needed > 1:
        ahead = None if exog is None else exog[: needed - 1 + model.horizon]
        with pytest.raises(ValueError, match=f"a forecast needs {needed} at least"):
            model.predict(NOISY[: needed - 1], exog=ahead)


# ---------------------------------------------------------------- exog


def test_exogenous_variables_are_counted_and_read():
    assert count_exog(None) == 0
    assert count_exog(NOISY) == 1
    assert count_exog([EXOG, EXOG]) == 2
    assert read_exog(None, 0, np.array([60]), "X") is None
    assert_array_equal(read_exog(EXOG, 2, np.array([60]), "X"), [EXOG])


def test_exogenous_variables_are_split_into_past_and_future():
    lengths = np.array([50, 40])
    past, ahead = read_exog_ahead([EXOG, EXOG[:50]], 2, lengths, 10)
    assert_array_equal(past[0], EXOG[:50])
    assert_array_equal(past[1], EXOG[:40])
    assert_array_equal(ahead, [EXOG[50:], EXOG[40:50]])
    assert read_exog_ahead(None, 0, lengths, 10) == (None, None)
    _, ahead = read_exog_ahead(EXOG[:3], 2, np.array([0]), 3)
    assert_array_equal(ahead, EXOG[None, :3])


def test_exog_that_is_not_known_is_refused():
    model = forecaster().fit(NOISY, exog=EXOG)
    with pytest.raises(ValueError, match=r"exog is missing.*horizon=3"):
        model.predict(horizon=3)
    with pytest.raises(ValueError, match=r"missing.*steps of X and the steps to fore"):
        model.predict(NOISY, horizon=3)
    with pytest.raises(ValueError, match=r"exog is missing.*at the steps of X\."):
        model.update(NOISY)
    with pytest.raises(ValueError, match=r"shape \(2, 2\), expected \(3, 2\)"):
        model.predict(horizon=3, exog=EXOG[:2])
    with pytest.raises(ValueError, match=r"shape \(3, 1\), expected \(3, 2\)"):
        model.predict(horizon=3, exog=EXOG[:3, :1])
    gap = EXOG[:3].copy()
    gap[1] = np.nan
    with pytest.raises(ValueError, match="exog of series 0 contains NaN at step 1"):
        model.predict(horizon=3, exog=gap)
    with pytest.raises(ValueError, match=r"shape \(60, 2\), expected \(63, 2\)"):
        model.predict(NOISY, horizon=3, exog=EXOG)
    with pytest.raises(ValueError, match="fitted without"):
        forecaster().fit(NOISY).predict(horizon=1, exog=EXOG[:1])
    with pytest.raises(ValueError, match="exog has 2 series, but X has 1"):
        forecaster().fit(NOISY, exog=[EXOG, EXOG])


# ---------------------------------------------------------------- requests


@pytest.mark.parametrize("horizon", [0, -1, 1.5, True, "3"])
def test_a_horizon_is_a_positive_integer(horizon):
    model = forecaster().fit(NOISY)
    message = "horizon must be an integer of at least 1, got "
    with pytest.raises(ValueError, match=message):
        model.predict(horizon=horizon)
    if horizon is not True:
        with pytest.raises(ValueError, match="'horizon' parameter"):
            forecaster(horizon=horizon).fit(NOISY)


def test_a_request_reads_the_past_or_takes_its_state():
    network = forecaster(horizon=2).fit(NOISY, exog=EXOG)._series_network
    series = read_series(NOISY[:50])
    request = read_request(network, series, None, None, EXOG[:52])
    assert request.horizon == 2
    assert request.container is series
    assert_array_equal(request.exog, EXOG[None, 50:52])
    again = read_request(network, series, request.state, 2, EXOG[50:52])
    assert_array_equal(request.forecast(), again.forecast())
    assert request.forecast().shape == (1, 2, 1, 1)


def test_paths_have_an_axis_of_series():
    model = forecaster(intervals="quantile").fit([NOISY, NOISY[:40]])
    request = model._read_request(None, 5, None)
    sample = [
        request.sample(model._intervals, 3, np.random.default_rng(seed))
        for seed in (0, 0, 1)
    ]
    assert sample[0].shape == (3, 2, 5, 1)
    assert_array_equal(sample[0], sample[1])
    assert not np.array_equal(sample[0], sample[2])


def test_bounds_of_later_steps_come_from_sampled_paths(monkeypatch):
    model = forecaster(intervals="quantile", quantiles=(0.1, 0.5, 0.9)).fit(NOISY)
    request = model._read_request(None, 5, None)
    intervals = model._intervals
    assert isinstance(intervals, QuantileIntervals)
    monkeypatch.setattr(_reading, "SAMPLED_PATHS", 50)
    bounds = request.compute_bounds(intervals, request.forecast(), 0.6)
    paths = request.sample(intervals, 50, np.random.default_rng(0))
    assert_array_equal(bounds, np.quantile(paths, [0.2, 0.8], axis=0))
    near = model._read_request(None, 1, None)
    lower, upper = near.compute_bounds(intervals, near.forecast(), 0.8)
    assert_array_equal(lower, near.forecast()[..., 0])
    assert_array_equal(upper, near.forecast()[..., 2])
