"""Checks of lengths and exogenous variables, and requests for forecasts."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_rnn import RNNForecaster
from sklearn_rnn._data.series import read_series
from sklearn_rnn.forecasting import _reading
from sklearn_rnn.forecasting._exog import ExogVariables
from sklearn_rnn.forecasting._intervals import QuantileIntervals
from sklearn_rnn.forecasting._reading import (
    check_lengths,
    check_past,
    find_long,
    read_request,
)

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn_rnn.forecasting._skill.ForecastSkillWarning"
)

RNG = np.random.default_rng(0)
NOISY = np.sin(np.arange(60) / 4) + 0.1 * RNG.normal(size=60)
EXOG = RNG.normal(size=(60, 2))


def forecaster(**params):
    given = {"hidden_size": 4, "window": 12, "max_epochs": 1, "random_state": 0}
    given |= {"intervals": None, "baseline": None}
    return RNNForecaster(**given | params)


# ---------------------------------------------------------------- lengths


def test_a_series_too_short_for_a_window_and_its_targets_raises_an_error():
    check_lengths(np.array([20, 13]), 10, 2, 1)
    message = (
        r"series 1 of X has 12 steps; window=10, horizon=2 and differencing=1 need at l"
    )
    with pytest.raises(ValueError, match=message):
        check_lengths(np.array([20, 12, 11]), 10, 2, 1)
    with pytest.raises(ValueError, match="differencing=None need at least 12"):
        check_lengths(np.array([11]), 10, 2, 0)


def test_fit_and_score_check_lengths():
    with pytest.raises(ValueError, match=r"^X has 7 steps; .* needs at least 8"):
        forecaster().fit(NOISY[:7])
    with pytest.raises(ValueError, match=r"horizon=3 and differencing=2 needs at le"):
        forecaster(horizon=3, differencing=2).fit(NOISY[:11])
    with pytest.warns(UserWarning, match=r"window=12 and horizon=1 need 13 steps.*12:"):
        forecaster().fit(NOISY[:12])
    with pytest.warns(UserWarning, match=r"training uses windows of 7 steps"):
        forecaster().fit(NOISY[:8])
    with pytest.raises(ValueError, match="need at least 13"):
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
def test_a_past_too_short_for_a_forecast_raises_an_error(params, exog, needed):
    model = forecaster(**params).fit(NOISY, exog=exog)
    check_past(np.array([60, needed]), model._encoding)
    with pytest.raises(ValueError, match=f"series 1 of X has {needed - 1} steps; a"):
        check_past(np.array([60, needed - 1]), model._encoding)
    if needed > 1:
        ahead = None if exog is None else exog[: needed - 1 + model.horizon]
        with pytest.raises(ValueError, match=f"a forecast needs at least {needed}"):
            model.predict(NOISY[: needed - 1], exog=ahead)


# ---------------------------------------------------------------- short series

MIXED = [NOISY[:3], NOISY[:40], NOISY, NOISY[:7], NOISY[5:35], NOISY[3:50]]


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"target": "last"},
        {"intervals": "conformal"},
        {"early_stopping": True, "validation_fraction": 0.3},
    ],
)
def test_short_series_do_not_stop_the_fit_of_others(params):
    model = forecaster(**params)
    message = (
        r"2 of 6 series are left out of training, which needs 8 steps for horizon=1: "
        r"series 0 of X has 3 steps\."
    )
    with pytest.warns(UserWarning, match=message):
        model.fit(MIXED)
    assert np.isfinite(model.loss_curve_).all()
    short = read_series(MIXED)
    with pytest.warns(UserWarning, match="left out of the score"):
        assert_array_equal(find_long(short, 12, 1, 0, "the score"), [1, 2, 4, 5])
    if "target" not in params:
        assert np.isfinite(model.predict(horizon=3)).all()
        alone = model.predict(MIXED[0], horizon=3)
        assert_allclose(model.predict(horizon=3)[0], alone, rtol=1e-9)
    with pytest.warns(UserWarning, match="left out of the score"):
        score = model.score(MIXED)
    assert score == model.score([MIXED[i] for i in (1, 2, 4, 5)])


def test_series_in_fit_too_short_for_a_forecast_are_named():
    with pytest.warns(UserWarning, match="left out of training"):
        model = forecaster(differencing=3).fit([NOISY, NOISY[:3]])
    for ask in (model.predict, lambda: model.predict([NOISY, NOISY[:3]])):
        with pytest.raises(ValueError, match=r"series 1 of X has 3 steps.*at least 4"):
            ask()
    assert np.isfinite(model.update([NOISY[:1], NOISY[:1]]).predict()).all()
    with pytest.warns(UserWarning, match="left out of training"):
        with pytest.raises(ValueError, match="X has 4 steps; with exog, at least 5"):
            forecaster(horizon=5).fit([NOISY, NOISY[:4]], exog=[EXOG, EXOG[:4]])


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


def test_a_request_reads_the_past_or_uses_a_state():
    network = forecaster(horizon=2).fit(NOISY, exog=EXOG)._series_network
    series, variables = read_series(NOISY[:50]), ExogVariables(2)
    request = read_request(network, series, None, None, EXOG[:52], variables)
    assert request.horizon == 2
    assert request.container is series
    assert_array_equal(request.exog, EXOG[None, 50:52])
    again = read_request(network, series, request.state, 2, EXOG[50:52], variables)
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
