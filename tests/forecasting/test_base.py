"""What partial_fit and warm starts of RNNForecaster keep and change."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_rnn import RNNForecaster

RNG = np.random.default_rng(0)
T = np.arange(160)
SEASONAL = 2 + 0.05 * T + np.sin(T * 2 * np.pi / 8) + 0.1 * RNG.normal(size=160)


def forecaster(**given):
    options = {"cell": "rnn", "hidden_size": 4, "window": 12, "horizon": 8}
    return RNNForecaster(**options | {"max_epochs": 3, "random_state": 0} | given)


def test_partial_fit_trains_one_epoch_on_the_given_series():
    model = forecaster().partial_fit(SEASONAL[:120])
    assert model.n_iter_ == 1
    kept = {name: getattr(model, name) for name in ("shrinkage_", "skill_", "seasons_")}
    before = model.predict_interval(SEASONAL[:140])
    model.partial_fit(SEASONAL[:140])
    assert model.n_iter_ == 2
    assert kept == {name: getattr(model, name) for name in kept}
    after = model.predict_interval()
    assert not np.array_equal(after.prediction, before.prediction)
    np.testing.assert_allclose(after.upper - after.lower, before.upper - before.lower)
    assert_array_equal(model.predict(), model.predict(SEASONAL[:140]))


def test_partial_fit_continues_after_fit():
    model = forecaster().fit(SEASONAL[:120])
    again = forecaster(warm_start=True, max_epochs=1).fit(SEASONAL[:120])
    n_iter = model.n_iter_
    model.partial_fit([SEASONAL[:100], SEASONAL[20:]])
    assert model.n_iter_ == n_iter + 1
    assert len(model.predict()) == 2
    again.fit(SEASONAL[:120])
    assert again.n_iter_ == 2


def test_a_failed_partial_fit_leaves_the_estimator_unchanged():
    model = forecaster().fit(SEASONAL[:120])
    expected = model.predict()
    with pytest.raises(ValueError, match="channels"):
        model.partial_fit(np.column_stack([SEASONAL, SEASONAL]))
    assert_array_equal(model.predict(), expected)
    assert model.n_iter_ == 3


def test_early_stopping_holds_nothing_out_of_a_partial_fit():
    model = forecaster(early_stopping=True).partial_fit(SEASONAL)
    assert model.validation_scores_ is None
    assert model.shrinkage_ is not None


@pytest.mark.parametrize("intervals", [None, "quantile", "conformal"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_shrinkage_is_measured_for_all_kinds_of_intervals(intervals, early_stopping):
    model = forecaster(
        intervals=intervals, early_stopping=early_stopping, validation_fraction=0.3
    ).fit(SEASONAL)
    assert model.baseline_ == "theta" and model.seasons_ == (8,)
    assert 0 <= model.shrinkage_ <= 1
    assert model._encoding.baseline.shrinkage == model.shrinkage_
    assert (model.skill_ is None) == (intervals != "conformal")


def test_noise_is_forecast_by_its_mean():
    noise = np.random.default_rng(1).normal(size=160)
    model = forecaster(max_epochs=20, hidden_size=16).fit(noise)
    alone = forecaster(max_epochs=20, hidden_size=16, baseline=None).fit(noise)
    assert (model.baseline_, alone.baseline_) == ("mean", None)
    assert model.shrinkage_ < 0.3 and alone.shrinkage_ is None
    distances = [np.abs(m.predict() - noise.mean()).mean() for m in (model, alone)]
    assert distances[0] < 0.5 * distances[1]


def test_a_warm_start_measures_the_shrinkage_again():
    model = forecaster(warm_start=True).fit(SEASONAL)
    shrinkage = model.shrinkage_
    model._encoding = replace(
        model._encoding, baseline=replace(model._encoding.baseline, shrinkage=0.0)
    )
    model.fit(SEASONAL)
    assert (model.shrinkage_ > 0) == (shrinkage > 0)


@pytest.mark.filterwarnings("ignore::sklearn_rnn.forecasting.ForecastSkillWarning")
def test_a_panel_of_very_short_series_is_fitted():
    short = [SEASONAL[i : i + 20] for i in range(0, 120, 20)]
    with pytest.warns(UserWarning, match=r"no prediction intervals|windows of"):
        model = forecaster(horizon=2, window=30, baseline=None).fit(short)
    assert np.isfinite(model.predict()).all()
    with pytest.raises(ValueError, match="needs at least 9"):
        forecaster(horizon=2).fit([3.0])


@pytest.mark.filterwarnings("ignore::sklearn_rnn.forecasting.ForecastSkillWarning")
def test_the_skill_uses_the_season_that_is_found():
    season = np.tile(np.arange(8.0), 20) + 0.01 * RNG.normal(size=160)
    alone = forecaster(baseline=None).fit(season)
    assert alone._encoding.season == 8 and alone.skill_ < 0
    given = forecaster(baseline=None, season=None).fit(season)
    assert given._encoding.season == 1 and given.skill_ > alone.skill_
