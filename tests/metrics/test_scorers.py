"""Scorers of forecasters in searches, without y."""

import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import (
    GridSearchCV,
    TimeSeriesSplit,
    cross_val_score,
    cross_validate,
)

from sklearn_rnn import RNNForecaster, SeasonalNaiveForecaster
from sklearn_rnn.metrics import forecast_scorer, score_backtest
from sklearn_rnn.model_selection import WindowSplit

RNG = np.random.default_rng(0)
X = np.sin(np.arange(120) * np.pi / 6) + 0.1 * RNG.normal(size=120)
NAIVE = SeasonalNaiveForecaster(12, horizon=2)


@pytest.mark.parametrize("metric", ["mae", "rmse", "smape", "mase"])
def test_a_score_is_minus_the_error_of_a_backtest(metric):
    scorer = forecast_scorer(metric, horizon=5, season=4, stride=3, start=20)
    model = NAIVE.fit(X)
    frame = model.backtest(X, horizon=5, stride=3, start=20)
    expected = score_backtest(frame, metrics=metric, y_train=X, season=4)[metric]
    assert scorer(model, X) == -expected
    assert scorer(model, X, None) == -expected


@pytest.mark.parametrize("metric", ["pinball", "interval_score"])
def test_intervals_are_scored_at_their_coverage(metric):
    model = NAIVE.fit(X)
    frame = model.backtest(X, coverage=0.6)
    expected = score_backtest(frame, metrics=metric)[metric]
    assert forecast_scorer(metric, coverage=0.6)(model, X) == -expected


def test_searches_and_cross_validation():
    scorer = forecast_scorer("mase", season=12, horizon=3)
    search = GridSearchCV(
        SeasonalNaiveForecaster(),
        {"season": [1, 5, 12]},
        cv=WindowSplit(2, window=24, test_size=20),
        scoring=scorer,
    )
    search.fit(X)
    assert search.best_params_ == {"season": 12}
    assert search.score(X) == scorer(search.best_estimator_, X)
    scores = cross_val_score(NAIVE, X, cv=TimeSeriesSplit(2), scoring=scorer)
    assert np.isfinite(scores).all()
    several = {"mae": forecast_scorer("mae"), "rmse": forecast_scorer("rmse")}
    found = cross_validate(NAIVE, X, cv=TimeSeriesSplit(2), scoring=several)
    assert (found["test_rmse"] <= found["test_mae"]).all()
    assert clone(search).fit(X).best_params_ == {"season": 12}


def test_a_network_and_the_baseline_are_scored_on_the_same_steps():
    network = RNNForecaster(hidden_size=4, window=24, max_epochs=1, random_state=0)
    network.set_params(intervals=None, horizon=2).fit(X)
    scorer = forecast_scorer("mae", start=24)
    assert scorer(network, X) == pytest.approx(network.score(X))
    frame = NAIVE.fit(X).backtest(X, start=24)
    assert scorer(NAIVE, X) == -score_backtest(frame)["mae"]


def test_exogenous_variables_are_routed():
    network = RNNForecaster(hidden_size=4, window=8, max_epochs=1, random_state=0)
    network.set_params(intervals=None)
    scorer = forecast_scorer("mae")
    with pytest.raises(RuntimeError, match="needs metadata routing"):
        scorer.set_score_request(exog=True)
    with sklearn.config_context(enable_metadata_routing=True):
        network.set_fit_request(exog=True)
        assert scorer.set_score_request(exog=True) is scorer
        cv = WindowSplit(2, window=8, test_size=20)
        exog = RNG.normal(size=(120, 1))
        routed = cross_val_score(
            network, X, cv=cv, scoring=scorer, params={"exog": exog}
        )
        for score, (train, test) in zip(routed, cv.split(X), strict=True):
            model = clone(network).fit(X[train], exog=exog[train])
            assert score == pytest.approx(scorer(model, X[test], exog=exog[test]))


def test_the_repr_recreates_the_scorer():
    scorer = forecast_scorer("mase", horizon=12, season=12, start=-24)
    assert repr(scorer) == "forecast_scorer('mase', horizon=12, season=12, start=-24)"
    assert repr(forecast_scorer("mae")) == "forecast_scorer('mae')"
    again = pickle.loads(pickle.dumps(scorer))
    assert repr(again) == repr(scorer)
    assert again(NAIVE.fit(X), X) == scorer(NAIVE, X)


@pytest.mark.parametrize(
    ("metric", "options", "message"),
    [
        ("r2", {}, "'r2' is not a metric of forecasts. Choose from mae"),
        ("coverage", {}, "'coverage' is not a metric"),
        ("crps", {}, "'crps' is not a metric"),
        ("mae", {"horizon": 0}, "horizon must be an integer"),
        ("mae", {"stride": 1.5}, "stride must be an integer"),
        ("mase", {"season": None}, "season must be an integer"),
        ("pinball", {"coverage": None}, "coverage must be a number"),
    ],
)
def test_invalid_parameters_raise_an_error_immediately(metric, options, message):
    with pytest.raises(ValueError, match=message):
        forecast_scorer(metric, **options)


def test_an_estimator_without_backtest_raises_an_error():
    model = LinearRegression().fit(X[:, None], X)
    with pytest.raises(TypeError, match=r"a method backtest, .* got LinearRegression"):
        forecast_scorer("mae")(model, X)
