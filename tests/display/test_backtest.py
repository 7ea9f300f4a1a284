"""BacktestDisplay shows the forecasts of a backtest."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV

from sklearn_rnn import RNNForecaster, SeasonalNaiveForecaster
from sklearn_rnn.display import BacktestDisplay

RNG = np.random.default_rng(0)
INDEX = pd.period_range("1990-01", periods=60, freq="M")
SERIES = pd.Series(np.sin(np.arange(60) * np.pi / 6), INDEX) + 0.1 * RNG.normal(size=60)
NAIVE = SeasonalNaiveForecaster(12, horizon=4).fit(SERIES[:40])
FRAME = NAIVE.backtest(SERIES, start=40, coverage=0.8)


def drawn(display, name):
    line = display.lines_[name]
    return line.get_xdata(), np.asarray(line.get_ydata())


def test_forecasts_follow_each_other():
    display = BacktestDisplay(FRAME).plot(color="red")
    times, truth = drawn(display, "truth")
    assert_array_equal(truth, SERIES[40:])
    assert_array_equal(times, INDEX[40:].to_timestamp().to_numpy())
    times, forecast = drawn(display, "forecast")
    taken = FRAME[FRAME.origin.isin(INDEX[39:60:4])]
    assert_array_equal(forecast[~np.isnan(forecast)], taken.forecast)
    assert_array_equal(np.flatnonzero(np.isnan(forecast)), [4, 9, 14, 19])
    assert_array_equal(
        times[~np.isnan(forecast)], pd.PeriodIndex(taken.time).to_timestamp()
    )
    assert display.lines_["forecast"].get_color() == "red"
    band = np.concatenate([p.vertices[:, 1] for p in display.band_.get_paths()])
    assert band.min() == taken.lower.min() and band.max() == taken.upper.max()
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["truth", "forecast", "80% interval"]
    assert display.ax_.get_title() == ""


def test_forecasts_of_one_lead_are_a_line():
    for lead, label in ((1, "forecast 1 step ahead"), (3, "forecast 3 steps ahead")):
        display = BacktestDisplay(FRAME, coverage=0.5).plot(lead=lead)
        _, forecast = drawn(display, "forecast")
        assert_array_equal(forecast, FRAME.forecast[FRAME.lead == lead])
        labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
        assert labels == ["truth", label, "50% interval"]


def test_forecasts_of_a_single_step_are_a_line():
    frame = NAIVE.backtest(SERIES, horizon=1, start=40)
    display = BacktestDisplay(frame).plot()
    assert_array_equal(drawn(display, "forecast")[1], frame.forecast)
    assert display.band_ is None
    single = BacktestDisplay(frame[-1:]).plot()
    assert single.lines_["forecast"].get_marker() == "o"


def test_one_of_several_series_and_channels():
    two = np.column_stack([SERIES, 10 * SERIES])
    model = SeasonalNaiveForecaster(12, horizon=3).fit([two, two])
    frame = model.backtest([two, two + 1], start=40)
    display = BacktestDisplay(frame).plot(series=1, channel=1, ax=plt.figure().gca())
    times, truth = drawn(display, "truth")
    assert_array_equal(truth, two[40:, 1] + 1)
    assert_array_equal(times, np.arange(40, 60))
    assert display.ax_.get_title() == "series 1, channel 1"
    assert display.ax_.get_xlabel() == "time step"
    first = BacktestDisplay(frame).plot()
    assert_array_equal(drawn(first, "truth")[1], two[40:, 0])
    assert first.ax_.get_title() == "series 0, channel 0"


def test_labels_are_drawn_as_steps():
    labels = pd.Series(SERIES.to_numpy(), [f"step {k:2}" for k in range(60)])
    frame = (
        SeasonalNaiveForecaster(12, horizon=4).fit(labels).backtest(labels, start=50)
    )
    times, truth = drawn(BacktestDisplay(frame).plot(), "truth")
    assert_array_equal(times, np.arange(10))
    assert_array_equal(truth, labels[50:])


def test_a_forecaster_is_backtested_and_drawn():
    display = BacktestDisplay.from_estimator(NAIVE, SERIES, start=40, coverage=0.8)
    assert_array_equal(
        drawn(display, "forecast")[1],
        drawn(BacktestDisplay(FRAME).plot(), "forecast")[1],
    )
    network = RNNForecaster(
        hidden_size=4, window=12, max_epochs=1, intervals=None, random_state=0
    ).fit(SERIES)
    display = BacktestDisplay.from_estimator(network, SERIES, horizon=5)
    assert display.band_ is None
    assert np.isnan(drawn(display, "forecast")[1]).sum() == 48 // 5 - 1


@pytest.mark.parametrize(
    ("frame", "options", "message"),
    [
        (FRAME, {"series": 3}, "series=3 is not in the frame. Choose from 0."),
        (FRAME, {"channel": "b"}, "channel='b' is not in the frame"),
        (FRAME, {"lead": 5}, "lead=5, but the frame holds forecasts of up to 4"),
        (FRAME, {"lead": 0}, "lead must be an integer"),
        (FRAME.drop(columns="lead"), {}, "no column 'lead'"),
        (SERIES, {}, "no column 'series'. Pass the result of backtest"),
        (pd.concat([FRAME, FRAME]), {}, "several forecasts of one origin and lead"),
    ],
)
def test_missing_columns_and_choices_are_refused(frame, options, message):
    with pytest.raises(ValueError, match=message):
        BacktestDisplay(frame).plot(**options)


def test_searches_are_backtested_and_empty_frames_refused():
    search = GridSearchCV(NAIVE, {"season": [12]}, cv=2).fit(SERIES)
    display = BacktestDisplay.from_estimator(search, SERIES.to_numpy(), start=52)
    low, high = display.ax_.get_xlim()
    ticks = [x for x in display.ax_.get_xticks() if low <= x <= high]
    assert all(tick == int(tick) for tick in ticks)
    with pytest.raises(ValueError, match="the frame has no rows"):
        BacktestDisplay(FRAME[:0]).plot()
    with pytest.raises(TypeError, match="got Ridge"):
        BacktestDisplay.from_estimator(Ridge(), SERIES)
