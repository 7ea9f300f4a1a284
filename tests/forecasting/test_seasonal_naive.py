"""SeasonalNaiveForecaster has the methods of RNNForecaster; values by hand."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from sklearn_rnn import SeasonalNaiveForecaster

RNG = np.random.default_rng(0)
NOISY = np.sin(np.arange(160) * np.pi / 6) + 0.1 * RNG.normal(size=160)
TWO = np.column_stack([NOISY, RNG.normal(size=160)])


@pytest.mark.parametrize(
    "X, shape",
    [
        (NOISY, (7,)),
        (NOISY.tolist(), (7,)),
        (NOISY[:, None], (7, 1)),
        (TWO, (7, 2)),
        ([NOISY, NOISY[:50]], (2, 7)),
        ([TWO, TWO[:50]], (2, 7, 2)),
        (np.stack([TWO, TWO]), (2, 7, 2)),
        (pd.Series([NOISY, NOISY[:50]]), (2, 7)),
    ],
)
def test_forecasts_have_the_axes_of_x(X, shape):
    model = SeasonalNaiveForecaster(12, horizon=3).fit(X)
    assert model.predict(horizon=7).shape == shape
    assert_array_equal(model.predict(X, horizon=7), model.predict(horizon=7))
    interval = model.predict_interval(horizon=7, coverage=0.8)
    assert interval.lower.shape == interval.upper.shape == shape
    assert model.sample_paths(horizon=7, n_paths=3).shape == (3, *shape)
    assert np.asarray(model.predict()).shape[-1 - (shape[-1] in (1, 2))] == 3


def test_forecasts_repeat_the_last_season():
    model = SeasonalNaiveForecaster(12).fit(NOISY)
    assert_array_equal(model.predict(horizon=15)[:12], NOISY[-12:])
    assert_array_equal(model.predict(horizon=15)[12:], NOISY[-12:-9])
    assert_array_equal(model.predict(NOISY[:40]), NOISY[28:29])
    assert_array_equal(SeasonalNaiveForecaster().fit(NOISY).predict(), NOISY[-1:])


def test_an_index_is_continued_and_updated():
    index = pd.period_range("2020-01", periods=160, freq="M")
    frame = pd.DataFrame(TWO, index, columns=["a", "b"])
    model = SeasonalNaiveForecaster(12).fit(frame[:100])
    assert list(model.feature_names_in_) == ["a", "b"]
    forecast = model.predict(horizon=2)
    assert_array_equal(forecast.index, index[100:102])
    assert list(forecast.columns) == ["a", "b"]
    updated = model.update(frame[100:130]).predict_interval(horizon=20)
    anew = model.predict_interval(frame[:130], horizon=20)
    for name in updated:
        pd.testing.assert_frame_equal(updated[name], anew[name])
    with pytest.raises(ValueError, match="begins at 2032-01"):
        model.update(frame[144:])


def test_missing_values_are_taken_from_the_season_before():
    series = NOISY.copy()
    series[[-1, -5, 3]] = np.nan
    expected = np.concatenate(
        [NOISY[-12:-5], NOISY[-17:-16], NOISY[-4:-1], NOISY[-13:-12]]
    )
    model = SeasonalNaiveForecaster(12, horizon=12).fit(series)
    assert_array_equal(model.predict(), expected)
    assert np.isfinite(model.predict_interval().lower).all()
    assert np.isfinite(model.score(series))


# ---------------------------------------------------------------- intervals


def test_intervals_are_conformal_quantiles_of_past_errors():
    model = SeasonalNaiveForecaster(12).fit(NOISY)
    interval = model.predict_interval(horizon=13, coverage=0.9)
    for lead, lag in ((1, 12), (12, 12), (13, 24)):
        errors = np.sort(np.abs(NOISY[11 + lead :] - NOISY[11 + lead - lag : -lag]))
        radius = errors[int(np.ceil((len(errors) + 1) * 0.9)) - 1]
        assert_allclose(interval.upper[lead - 1], NOISY[159 + lead - lag] + radius)
        assert_allclose(interval.lower[lead - 1], NOISY[159 + lead - lag] - radius)


def test_series_of_any_scale_share_errors():
    scales = 10.0 ** np.arange(6)
    series = [s * RNG.normal(size=200) for s in scales]
    model = SeasonalNaiveForecaster(4).fit([x[:160] for x in series])
    frame = model.backtest(series, horizon=8, start=160, coverage=0.8)
    covered = (frame.lower <= frame.truth) & (frame.truth <= frame.upper)
    shares = covered.groupby(frame.series).mean()
    assert shares.between(0.65, 0.95).all()
    constant = [np.ones(200), *series]
    interval = clone(model).fit(constant).predict_interval(coverage=0.8)
    assert interval.lower[0] == interval.upper[0] == 1
    widths = (interval.upper - interval.lower)[1:, 0]
    alone = model.predict_interval(series, coverage=0.8)
    assert np.allclose(widths, (alone.upper - alone.lower)[:, 0], rtol=0.2)


def test_paths_have_the_errors_of_the_past():
    walk = np.cumsum(RNG.normal(size=1000))
    model = SeasonalNaiveForecaster().fit(walk)
    paths = model.sample_paths(horizon=12, n_paths=2000, random_state=0)
    assert np.diff(paths).std() == pytest.approx(1, abs=0.1)
    assert paths[:, -1].std() == pytest.approx(np.sqrt(12), rel=0.2)
    assert_array_equal(
        paths, model.sample_paths(horizon=12, n_paths=2000, random_state=0)
    )


def test_too_few_errors_raise_an_error():
    model = SeasonalNaiveForecaster(12).fit(NOISY[:20])
    with pytest.raises(ValueError, match=r"needs more than the 8 available"):
        model.predict_interval()
    for ask in (model.sample_paths, model.predict_interval):
        with pytest.raises(ValueError, match=r"measured for 8 steps .* longer series"):
            ask(horizon=9)
    with pytest.raises(ValueError, match="measured for 7 steps"):
        SeasonalNaiveForecaster(12).fit([*NOISY[:19], np.nan]).sample_paths(horizon=8)
    assert SeasonalNaiveForecaster(12).fit(NOISY[:12]).predict().shape == (1,)


def test_the_interval_of_a_series_does_not_depend_on_other_series():
    series = [NOISY, 5 * NOISY[:50], TWO[:, 1]]
    model = SeasonalNaiveForecaster(12, horizon=3).fit(series)
    together = model.predict_interval(series)
    for i, x in enumerate(series):
        for X in (x, x.tolist(), pd.Series(x)):
            alone = model.predict_interval(X)
            for name in together:
                assert_allclose(alone[name], together[name][i])
    with_nothing_else = model.predict_interval(series[::-1])
    assert_array_equal(with_nothing_else.lower[::-1], together.lower)


def test_a_past_without_errors_has_the_scale_of_fit():
    model = SeasonalNaiveForecaster(12).fit(NOISY)
    short = model.predict_interval(NOISY[-12:], horizon=3)
    whole = model.predict_interval(NOISY, horizon=3)
    assert_allclose(short.lower, whole.lower)


# ---------------------------------------------------------------- score and searches


def test_the_score_is_the_error_from_rolling_origins():
    model = SeasonalNaiveForecaster(12, horizon=14).fit(NOISY)
    X = NOISY[:60]
    errors = [
        np.abs(X[t + 1 : t + 15] - model.predict(X[: t + 1]))
        for t in range(11, 60 - 14)
    ]
    assert model.score(X) == pytest.approx(-np.mean(errors))
    together = model.score([X, X])
    assert together == pytest.approx(model.score(X))


def test_a_search_finds_the_season():
    search = GridSearchCV(
        SeasonalNaiveForecaster(horizon=3),
        {"season": [1, 5, 12]},
        cv=TimeSeriesSplit(3),
    ).fit(NOISY)
    assert search.best_params_ == {"season": 12}


def test_exog_is_accepted_and_ignored():
    model = SeasonalNaiveForecaster(12).fit(NOISY, exog=NOISY)
    assert_array_equal(model.predict(exog=[1.0]), model.predict())


def test_backtest_equals_predict_at_each_origin():
    series = [NOISY, NOISY[:90], TWO[:, 1]]
    model = SeasonalNaiveForecaster(7).fit(series)
    frame = model.backtest(series, horizon=9, stride=4, start=20, coverage=0.7)
    for (i, origin), part in frame.groupby(["series", "origin"]):
        expected = model.predict_interval(
            [series[i][: origin + 1]], horizon=9, coverage=0.7
        )
        assert_allclose(part.forecast, expected.prediction[0])
        assert_allclose(part.lower, expected.lower[0])
        assert_allclose(part.upper, expected.upper[0])
        assert_array_equal(part.truth, series[i][origin + 1 : origin + 10])


def test_backtest_with_refit_fits_the_past_of_each_origin():
    model = SeasonalNaiveForecaster(12, horizon=2)
    frame = model.backtest(NOISY, stride=40, start=60, refit=True, coverage=0.8)
    assert not hasattr(model, "n_features_in_")
    assert list(frame.origin.unique()) == [59, 99, 139]
    for origin, part in frame.groupby("origin"):
        anew = clone(model).fit(NOISY[: origin + 1]).predict_interval(coverage=0.8)
        assert_array_equal(part.forecast, anew.prediction)
        assert_array_equal(part.upper, anew.upper)


# ---------------------------------------------------------------- bad input


def test_errors_say_what_to_do():
    model = SeasonalNaiveForecaster(12)
    with pytest.raises(NotFittedError):
        model.predict()
    with pytest.raises(ValueError, match=r"season=12 need at least 12. Pass longer"):
        model.fit(NOISY[:5])
    assert not hasattr(model, "n_features_in_")
    with pytest.raises(ValueError, match=r"channel 1 of series 0 .*only missing"):
        model.fit(np.column_stack([NOISY, np.full(160, np.nan)]))
    with pytest.raises(ValueError, match="series 1 of X has 3 steps"):
        model.fit([NOISY, NOISY[:3]])
    model.fit(NOISY)
    with pytest.raises(ValueError, match="Did you mean horizon=3"):
        model.predict(3)
    with pytest.raises(ValueError, match=r"Did you mean coverage=0\.9"):
        model.predict_interval(0.9)
    with pytest.raises(ValueError, match=r"2 channels.*fitted with 1"):
        model.predict(TWO)
    with pytest.raises(ValueError, match="2 series, but the forecaster was"):
        model.update([NOISY, NOISY])
    with pytest.raises(ValueError, match="season=12 and 1 steps to forecast need at"):
        model.score(NOISY[:12])
    with pytest.raises(ValueError, match="X cannot be scored"):
        model.score(np.where(np.arange(30) < 12, NOISY[:30], np.nan))
    late = np.where(np.arange(160) < 30, np.nan, NOISY)
    with pytest.raises(ValueError, match="Set a later start"):
        model.backtest(late)
    assert model.backtest(late, start=31).forecast.notna().all()
    with pytest.raises(ValueError, match="'season' parameter"):
        SeasonalNaiveForecaster(0).fit(NOISY)


def test_set_params_takes_effect_in_fit_and_pickling_keeps_the_state():
    model = SeasonalNaiveForecaster(12).fit(NOISY).set_params(season=5)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict(horizon=12), NOISY[-12:])
    assert_array_equal(
        again.predict_interval(horizon=4).lower, model.predict_interval(horizon=4).lower
    )


def test_frames_of_several_series_keep_their_index():
    index = pd.date_range("2020-01-31", periods=40, freq="ME")
    series = [pd.Series(NOISY[:40], index, name="a"), pd.Series(NOISY[:30], index[:30])]
    model = SeasonalNaiveForecaster(12).fit(series)
    first, second = model.predict(horizon=2)
    assert (first.name, first.index[0]) == ("a", pd.Timestamp("2023-05-31"))
    assert second.index[1] == index[31]
    lower = model.predict_interval(horizon=2, coverage=0.8).lower
    assert lower[1].index.equals(second.index)
    later = [pd.Series([0.0], p.index[:1].to_numpy()) for p in (first, second)]
    assert model.update(later).predict()[1].index[0] == index[31]
    short = pd.Series(NOISY[:2], pd.to_datetime(["2024-01-31", "2024-02-29"]))
    forecast = SeasonalNaiveForecaster().fit(series[0]).predict(short)
    assert forecast.index[0] == pd.Timestamp("2024-03-31")  # the frequency of fit


def test_intervals_of_a_new_series_have_its_own_size():
    series = [NOISY, 10 * TWO[:, 1]]
    model = SeasonalNaiveForecaster(12).fit(series)
    found = model.predict_interval([1000 * NOISY, NOISY], coverage=0.8)
    widths = (found.upper - found.lower)[:, 0]
    assert widths[0] == pytest.approx(1000 * widths[1])
    own = model.predict_interval(coverage=0.8)
    assert widths[1] == pytest.approx((own.upper - own.lower)[0, 0], rel=0.2)
    with pytest.raises(ValueError, match="all values of series 1 of X are missing"):
        model.score([NOISY, np.full(20, np.nan)])


def test_the_interval_of_a_lead_does_not_depend_on_the_horizon():
    model = SeasonalNaiveForecaster(12).fit(NOISY)
    near = model.predict_interval(horizon=3, coverage=0.8)
    far = model.predict_interval(horizon=20, coverage=0.8)
    assert_array_equal(far.lower[:3], near.lower)
