"""Backtests: origins, the frame, and refitting at each origin."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sklearn_rnn import RNNForecaster, SeasonalNaiveForecaster
from sklearn_rnn.metrics import forecast_scorer
from sklearn_rnn.model_selection import SeriesPanel

RNG = np.random.default_rng(0)
X = RNG.normal(size=40)
DATES = pd.date_range("2020-01-01", periods=40, freq="D", tz="UTC")
NAIVE = SeasonalNaiveForecaster(4, horizon=2).fit(X)
COLUMNS = ["series", "origin", "lead", "time", "truth", "forecast"]


def network(**params):
    given = {"hidden_size": 4, "window": 8, "max_epochs": 1, "random_state": 0}
    return RNNForecaster(**given | {"intervals": None} | params)


def test_steps_are_numbered_without_an_index():
    frame = NAIVE.backtest(X, horizon=3, stride=2)
    assert list(frame.columns) == COLUMNS
    assert list(frame.origin.unique()) == list(range(3, 37, 2))
    assert_array_equal(frame.time, frame.origin + frame.lead)
    assert_array_equal(frame.truth, X[frame.time])
    assert frame.lead.tolist()[:4] == [1, 2, 3, 1]
    assert (frame.series == 0).all()
    assert frame.attrs == {}


def test_steps_have_the_labels_of_the_index():
    frame = NAIVE.backtest(pd.Series(X, DATES), start=-2, coverage=0.5)
    assert list(frame.columns) == [*COLUMNS, "lower", "upper"]
    assert frame.attrs == {"coverage": 0.5}
    assert list(frame.origin) == [DATES[37]] * 2
    assert list(frame.time) == list(DATES[38:])
    assert frame.time.dtype == DATES.dtype
    periods = pd.Series(X, pd.period_range("2020", periods=40, freq="M"))
    assert NAIVE.backtest(periods).time.iloc[-1] == periods.index[-1]
    labels = pd.Series(X, [f"step {k:2}" for k in range(40)])
    assert NAIVE.backtest(labels).time.iloc[-1] == "step 39"


def test_each_channel_has_its_own_rows():
    frame = pd.DataFrame({"a": X, "b": -X}, index=DATES)
    model = SeasonalNaiveForecaster(4).fit(frame)
    found = model.backtest(frame, horizon=2)
    assert found.channel.tolist()[:4] == ["a", "b", "a", "b"]
    parts = found.set_index(["origin", "lead", "channel"]).forecast.unstack()
    assert_array_equal(parts.a, -parts.b)
    several = model.backtest([frame, frame[:20]], horizon=2)
    assert set(several.channel) == {"a", "b"}
    assert list(several.time[several.series == 1].unique()) == list(DATES[4:20])
    numbers = SeasonalNaiveForecaster(4).fit(frame.to_numpy())
    assert set(numbers.backtest(frame.to_numpy()).channel) == {0, 1}


def test_missing_truth_stays_missing():
    gaps = np.where(np.arange(40) == 30, np.nan, X)
    frame = NAIVE.backtest(gaps, horizon=1)
    assert frame.time[frame.truth.isna()].tolist() == [30]
    assert frame.forecast.notna().all()


def test_start_defaults_to_what_a_forecast_needs():
    model = network(differencing=2).fit(X)
    assert model.backtest(X).origin.min() == 8 + 2 - 1
    assert model.backtest(X, start=3).origin.min() == 2
    short = network(horizon=3, baseline=None)
    refit = short.backtest(X, refit=True, stride=100)
    assert refit.origin.min() == 8 + 3 - 1


def test_series_without_origin_are_left_out_with_a_warning():
    with pytest.warns(UserWarning, match=r"1 of 2 series .*series 1 of X has 5"):
        frame = NAIVE.backtest([X, X[:5]])
    assert set(frame.series) == {0}
    with pytest.raises(ValueError, match=r"4 known .* need 6. Pass"):
        NAIVE.backtest(X[:5])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": 0}, "start must be the number of known steps"),
        ({"start": 2.5}, "start must be"),
        ({"start": True}, "start must be"),
        ({"start": 3}, "leaves 3 known steps of series 0, which has 40.*least 4"),
        ({"start": -39}, "leaves 1 known steps"),
        ({"start": -50}, "leaves 0 known steps"),
        ({"start": 39}, "39 known steps and 2 steps to forecast need 41"),
        ({"stride": 0}, "stride must be an integer of at least 1"),
        ({"horizon": 0}, "horizon must be an integer of at least 1"),
        ({"coverage": 90}, "coverage must be a number"),
        ({"n_paths": 0}, "n_paths must be an integer of at least 1, or None"),
    ],
)
def test_invalid_options_raise_an_error(options, message):
    with pytest.raises(ValueError, match=message):
        NAIVE.backtest(X, **options)


def test_without_refit_the_model_must_be_fitted():
    with pytest.raises(NotFittedError):
        network().backtest(X)
    with pytest.raises(NotFittedError):
        SeasonalNaiveForecaster().backtest(X)
    with pytest.raises(ValueError, match="fitted with intervals=None"):
        network().fit(X).backtest(X, coverage=0.9)


# ---------------------------------------------------------------- sampled paths

PATHS = {"n_paths": 2000, "random_state": 0}
MODELS = [
    SeasonalNaiveForecaster(4, horizon=2),
    network(horizon=2, intervals="conformal", calibration_fraction=0.5),
    network(horizon=2, intervals="quantile"),
]


@pytest.mark.parametrize("model", MODELS, ids=repr)
@pytest.mark.parametrize("refit", [False, True])
def test_crps_is_computed_from_sampled_paths(model, refit):
    series = [X, X[::-1] + 1]
    model.fit(series[0])
    for known in (series, X, np.column_stack([X, -X]), np.where(X > 1, np.nan, X)):
        fitted = clone(model).fit(known)
        frame = fitted.backtest(
            known, horizon=3, start=35, stride=2, refit=refit, **PATHS
        )
        again = fitted.backtest(
            known, horizon=3, start=35, stride=2, refit=refit, **PATHS
        )
        assert_array_equal(frame.crps, again.crps)
        assert_array_equal(frame.crps.isna(), frame.truth.isna())
    part = frame[frame.origin == 36]
    past = known[:37]
    if refit:
        fitted = clone(model).fit(past)
    paths = fitted.sample_paths(past, horizon=3, **PATHS)
    expected = np.abs(paths - part.truth.to_numpy()).mean(axis=0)
    expected -= np.abs(paths[::2, None] - paths[None, 1::2]).mean(axis=(0, 1)) / 2
    assert_allclose(part.crps, expected, rtol=0.1, atol=0.02)


def test_paths_need_intervals():
    with pytest.raises(ValueError, match="fitted with intervals=None"):
        network().fit(X).backtest(X, n_paths=10)


# ---------------------------------------------------------------- refit


def test_refit_equals_a_fit_by_hand():
    model = network(horizon=2)
    frame = model.backtest(X, start=20, stride=9, horizon=3, refit=True)
    assert not hasattr(model, "net_")
    for origin, part in frame.groupby("origin"):
        anew = clone(model).fit(X[: origin + 1])
        assert_array_equal(part.forecast, anew.predict(horizon=3))
    assert frame.origin.unique().tolist() == [19, 28]


def test_refit_with_exog_and_an_index():
    exog = pd.DataFrame({"e": RNG.normal(size=40)}, index=DATES)
    series = pd.Series(X, DATES)
    model = network(horizon=2)
    frame = model.backtest(series, start=-8, stride=4, horizon=2, refit=True, exog=exog)
    assert len(frame.origin.unique()) == 2
    for origin, part in frame.groupby("origin"):
        end = DATES.get_loc(origin) + 1
        anew = clone(model).fit(series[:end], exog=exog[:end])
        expected = anew.predict(exog=exog[end : end + 2])
        assert_array_equal(part.forecast, expected)
        assert_array_equal(part.time, expected.index)


def test_a_failed_refit_names_the_origin():
    model = network(intervals="conformal", baseline=None)
    message = r"first 9 steps failed.* a later start .* too short to set calibration"
    with pytest.warns(UserWarning, match="no prediction intervals"):
        with pytest.raises(ValueError, match=message):
            model.backtest(X, refit=True, coverage=0.8)
    for exog in (X[:30], np.append(X, X), np.where(X == X[35], np.nan, X)):
        with pytest.raises(ValueError, match=r"^exog (has|contains)"):
            model.backtest(X, exog=exog, refit=True, start=20, stride=50)


def test_refit_of_several_series_uses_no_step_after_the_origin():
    series = [X, X[:33], X[:25]]
    model = SeasonalNaiveForecaster(4, horizon=2)
    frame = model.backtest(series, start=20, stride=6, refit=True)
    counts = frame.groupby("origin").series.unique()
    assert {k: list(v) for k, v in counts.items()} == {
        19: [0, 1, 2],
        25: [0, 1],
        31: [0],
        37: [0],
    }
    net = network()
    frame = net.backtest(series, start=20, stride=6, refit=True)
    part = frame[frame.origin == 25]
    anew = clone(net).fit([X[:26], X[:26], X[:25]])
    assert_allclose(part.forecast, np.ravel(anew.predict()[:2]))
    with pytest.raises(ValueError, match="series 2 ends earlier than series 0"):
        net.backtest(series, start=20, stride=6, refit=True, exog=series)


def test_refit_of_series_with_different_times_raises_an_error():
    late, early = pd.Series(X, DATES), pd.Series(X[:30], DATES[:30])
    model = SeasonalNaiveForecaster(4)
    message = "series 0 is known up to 2020-01-30.*series 1 up to 2020-01-20"
    with pytest.raises(ValueError, match=message):
        model.backtest([late, early], start=-10, refit=True)
    together = [late, late[10:]]
    frame = model.backtest(together, start=-10, stride=5, refit=True)
    assert (frame.groupby("time").series.nunique() == 2).all()
    assert len(model.backtest([late, early], start=20, refit=True, stride=5)) == 6


@pytest.mark.parametrize("refit", [False, True])
def test_a_panel_is_backtested_like_its_series(refit):
    series = [pd.Series(X, DATES), pd.Series(-X[:30], DATES[:30])]
    exog = [np.ones(40), np.ones(30)]
    model = network().fit(series, exog=exog)
    options = {"horizon": 2, "start": -6, "stride": 3, "refit": refit}
    if refit:  # series that end together
        series[1], exog[1] = series[1].shift(10, freq="D"), np.ones(30)
    expected = model.backtest(series, exog=exog, **options)
    panels = SeriesPanel(series), SeriesPanel(exog)
    found = model.backtest(panels[0], exog=panels[1], **options)
    pd.testing.assert_frame_equal(found, expected)
    scorer = forecast_scorer("mase", horizon=2)
    scores = [scorer(model, given, exog=exog) for given in (series, panels[0])]
    assert scores[0] == scores[1] < 0


def test_padding_is_not_backtested():
    padded = np.full((2, 40, 1), np.nan)
    padded[0, :, 0], padded[1, :25, 0] = X, X[:25]
    for model in (NAIVE, network().fit(X)):
        expected = model.backtest([X, X[:25]], horizon=2)
        pd.testing.assert_frame_equal(model.backtest(padded, horizon=2), expected)
    refitted = NAIVE.backtest(padded, start=-5, horizon=2, refit=True)
    assert refitted.time.max() == 39
    assert refitted.truth.notna().all()


def test_refit_without_coverage_trains_no_second_network():
    """There is no warning about missing intervals, and forecasts are the same."""
    model = network(intervals="conformal", baseline=None)
    found = model.backtest(X, refit=True, stride=15)
    expected = network(baseline=None).backtest(X, refit=True, stride=15)
    pd.testing.assert_frame_equal(found, expected)
    assert model.intervals == "conformal"
