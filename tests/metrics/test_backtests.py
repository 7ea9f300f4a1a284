"""Scores of a backtest, by hand."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from sklearn_rnn import SeasonalNaiveForecaster, metrics
from sklearn_rnn.metrics import score_backtest

RNG = np.random.default_rng(0)
SERIES = [RNG.normal(size=60), 100 * RNG.normal(size=50) + 500]
TRAIN = [x[:40] for x in SERIES]
FRAME = (
    SeasonalNaiveForecaster(4)
    .fit(TRAIN)
    .backtest(SERIES, horizon=3, start=40, coverage=0.8)
)
POINT = FRAME.drop(columns=["lower", "upper"])


def test_scores_of_all_rows():
    scores = score_backtest(FRAME, y_train=TRAIN, season=4)
    names = ["mae", "rmse", "smape", "mase", "pinball", "interval_score", "coverage"]
    assert list(scores.index) == names
    y, f, low, high = (FRAME[k] for k in ("truth", "forecast", "lower", "upper"))
    assert scores["mae"] == metrics.mean_absolute_error(y, f)
    assert scores["rmse"] == metrics.root_mean_squared_error(y, f)
    smape = metrics.symmetric_mean_absolute_percentage_error(y, f)
    assert scores["smape"] == smape
    assert scores["coverage"] == metrics.interval_coverage(y, low, high)
    score = metrics.mean_interval_score(y, low, high, coverage=0.8)
    assert scores["interval_score"] == pytest.approx(score)
    bounds = 0.2 / 2 * score  # the sum of both pinball losses
    middle = metrics.mean_pinball_loss(y, f)
    assert scores["pinball"] == pytest.approx((bounds + middle) / 3)


def test_mase_scales_each_series_by_its_own_past():
    scores = score_backtest(FRAME, metrics="mase", y_train=TRAIN, season=4, by="series")
    for i, part in FRAME.groupby("series"):
        scale = np.abs(TRAIN[i][4:] - TRAIN[i][:-4]).mean()
        expected = np.abs(part.truth - part.forecast).mean() / scale
        assert scores.mase[i] == pytest.approx(expected)
        by_rows = metrics.mean_absolute_scaled_error(
            part.truth.to_numpy().reshape(-1, 3),
            part.forecast.to_numpy().reshape(-1, 3),
            y_train=TRAIN[i],
            season=4,
        )
        assert scores.mase[i] == pytest.approx(by_rows)


def test_mase_scales_each_channel():
    frame = pd.DataFrame({"a": SERIES[0], "b": 100 * SERIES[0]})
    model = SeasonalNaiveForecaster(4).fit(frame[:40])
    found = model.backtest(frame, start=40)
    by = score_backtest(found, metrics="mase", y_train=frame[:40], by="channel")
    assert_allclose(by.mase["a"], by.mase["b"])
    assert_allclose(score_backtest(found, y_train=frame[:40])["mase"], by.mase["a"])
    only_b = found[found.channel == "b"]
    assert_allclose(score_backtest(only_b, y_train=frame[:40])["mase"], by.mase["b"])
    with pytest.raises(ValueError, match=r"channels \['a'\].* the channel 'b'"):
        score_backtest(found, y_train=frame[["a"]])
    with pytest.raises(ValueError, match="no column 'channel'"):
        score_backtest(found[["truth", "forecast", "series"]], y_train=frame)


def test_scores_by_one_and_several_columns():
    by_lead = score_backtest(POINT, by="lead")
    assert by_lead.index.name == "lead"
    assert list(by_lead.columns) == ["mae", "rmse", "smape"]
    for lead, part in POINT.groupby("lead"):
        assert by_lead.mae[lead] == score_backtest(part)["mae"]
    both = score_backtest(POINT, by=["series", "lead"], metrics=["rmse"])
    part = POINT[(POINT.series == 1) & (POINT.lead == 2)]
    assert both.rmse[1, 2] == score_backtest(part)["rmse"]
    assert both.index.names == ["series", "lead"]
    models = pd.concat([POINT.assign(model="a"), POINT.assign(model="b")])
    assert list(score_backtest(models, by="model").index) == ["a", "b"]


def test_missing_truth_is_left_out():
    gaps = POINT.assign(truth=POINT.truth.where(POINT.lead != 2))
    with pytest.warns(UserWarning, match="1 of 3 groups have only missing values"):
        scores = score_backtest(gaps, by="lead")
    assert scores.mae.isna().tolist() == [False, True, False]
    assert score_backtest(gaps)["mae"] == score_backtest(POINT[POINT.lead != 2])["mae"]
    with pytest.raises(ValueError, match="has only missing values"):
        score_backtest(POINT.assign(truth=np.nan))


def test_the_nominal_coverage_follows_the_frame():
    part = FRAME[FRAME.lead == 1]
    assert score_backtest(part)["interval_score"] > 0
    part = part.copy()
    part.attrs = {}
    with pytest.raises(ValueError, match="as coverage="):
        score_backtest(part)
    given = score_backtest(part, coverage=0.8)
    assert given["pinball"] == score_backtest(FRAME[FRAME.lead == 1])["pinball"]
    assert score_backtest(part, metrics="coverage")["coverage"] == given["coverage"]


def test_crps_is_the_mean_of_its_column():
    model = SeasonalNaiveForecaster(4).fit(TRAIN)
    frame = model.backtest(SERIES, horizon=3, start=40, n_paths=50, random_state=0)
    assert score_backtest(frame)["crps"] == frame.crps.mean()
    by_lead = score_backtest(frame, by="lead", metrics="crps")
    assert_allclose(by_lead.crps, frame.groupby("lead").crps.mean())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metrics": "mape"}, "'mape' is not a metric.*Choose from mae"),
        ({"metrics": ["mase"]}, "Pass the series given to fit"),
        ({"metrics": ["coverage"]}, "no column 'lower'. Pass coverage= to backtest"),
        ({"metrics": ["crps"]}, "no column 'crps'. Pass n_paths= to backtest"),
        ({"by": "model"}, "no column 'model'"),
        ({"y_train": TRAIN[0]}, "y_train has 1 series, but the frame has series 1"),
        ({"y_train": TRAIN, "season": 0}, "season must be an integer"),
        ({"y_train": TRAIN, "season": 40}, "series 0 of y_train has 40 steps"),
    ],
)
def test_invalid_arguments_raise_an_error(options, message):
    with pytest.raises(ValueError, match=message):
        score_backtest(POINT, **options)
    with pytest.raises(ValueError, match="no column 'truth'"):
        score_backtest(POINT.truth.to_numpy())
