"""ForecastDisplay shows the forecasts and intervals of a forecaster."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV

from sklearn_rnn import RNNForecaster, SeasonalNaiveForecaster
from sklearn_rnn.display import ForecastDisplay
from sklearn_rnn.model_selection import SeriesPanel

SERIES = pd.Series(
    np.sin(np.arange(120) / 4), index=pd.period_range("1990-01", periods=120, freq="M")
)
KNOWN, COMING = SERIES[:100], SERIES[100:]


def model(intervals="conformal"):
    return RNNForecaster(
        hidden_size=4, window=12, max_epochs=1, intervals=intervals, random_state=0
    )


def drawn(display, name):
    return np.asarray(display.lines_[name].get_ydata())


def test_past_truth_forecast_and_band_are_drawn():
    fitted = model().fit(KNOWN.to_numpy())
    display = ForecastDisplay.from_estimator(
        fitted, KNOWN.to_numpy(), horizon=9, coverage=0.8, truth=COMING.to_numpy()
    )
    assert_array_equal(drawn(display, "past"), KNOWN)
    assert_array_equal(drawn(display, "truth"), COMING)
    assert_array_equal(drawn(display, "forecast"), fitted.predict(horizon=9))
    assert_array_equal(display.lines_["forecast"].get_xdata(), np.arange(100, 109))
    band = display.band_.get_paths()[0].vertices[:, 1]
    interval = fitted.predict_interval(horizon=9, coverage=0.8)
    assert band.min() == interval.lower.min()
    assert band.max() == interval.upper.max()
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["past", "truth", "forecast", "80% interval"]


def test_the_index_of_pandas_is_the_axis():
    display = ForecastDisplay.from_estimator(model().fit(KNOWN), KNOWN, horizon=3)
    dates = display.lines_["forecast"].get_xdata()
    assert pd.Timestamp(dates[0]) == pd.Timestamp("1998-05-01")


def test_one_of_several_channels_without_an_interval():
    frame = pd.DataFrame({"a": KNOWN, "b": 2 * KNOWN})
    fitted = model(None).fit(frame)
    ax = plt.figure().add_subplot(title="mine")
    display = ForecastDisplay.from_estimator(
        fitted, frame, channel=1, horizon=3, ax=ax, color="red"
    )
    assert display.ax_ is ax
    assert ax.get_title() == "mine"
    assert display.band_ is None
    assert display.lines_["forecast"].get_color() == "red"
    assert_array_equal(drawn(display, "past"), frame["b"])
    assert_array_equal(drawn(display, "forecast"), fitted.predict(horizon=3)["b"])


def test_the_past_may_be_that_of_the_forecaster():
    fitted = model().fit(KNOWN[:90]).update(KNOWN[90:])
    display = ForecastDisplay.from_estimator(fitted, horizon=3, coverage=None)
    assert list(display.lines_) == ["past", "forecast"]
    assert_array_equal(drawn(display, "past"), KNOWN)
    dates = display.lines_["past"].get_xdata()
    assert pd.Timestamp(dates[-1]) == pd.Timestamp("1998-04-01")
    for n_past, n_drawn in ((12, 12), (None, 100), (500, 100)):
        display = ForecastDisplay.from_estimator(fitted, n_past=n_past)
        assert_array_equal(drawn(display, "past"), KNOWN[-n_drawn:])
    display = ForecastDisplay.from_estimator(fitted, n_past=0)
    assert list(display.lines_) == ["forecast"]


def test_steps_without_an_index_are_numbered():
    fitted = model(None).fit(np.tile(KNOWN, 2))
    display = ForecastDisplay.from_estimator(fitted, horizon=2, n_past=30)
    assert_array_equal(display.lines_["past"].get_xdata(), np.arange(170, 200))
    assert_array_equal(display.lines_["forecast"].get_xdata(), [200, 201])
    assert display.ax_.get_xlabel() == "time step"


def test_a_single_step_is_a_marker_with_a_bar():
    truth = COMING[:1]
    display = ForecastDisplay.from_estimator(model().fit(KNOWN), truth=truth)
    for name in ("forecast", "truth"):
        line = display.lines_[name]
        assert line.get_marker() == "o"
        assert line.get_markevery() == [0]
    assert display.lines_["past"].get_marker() == "None"
    (bar,) = display.band_.get_segments()
    interval = model().fit(KNOWN).predict_interval()
    assert_array_equal(bar[:, 1], [interval.lower.iloc[0], interval.upper.iloc[0]])
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["past", "truth", "forecast", "95% interval"]


def test_dates_are_short():
    display = ForecastDisplay.from_estimator(model(None).fit(KNOWN), horizon=9)
    display.figure_.canvas.draw()
    labels = [text.get_text() for text in display.ax_.get_xticklabels()]
    assert labels and all(len(label) <= 4 for label in labels)
    assert display.ax_.get_xlabel() == ""


def test_the_truth_may_lack_an_index_and_be_longer_than_the_forecast():
    fitted = model(None).fit(KNOWN.rename("waves"))
    with_index = ForecastDisplay.from_estimator(fitted, horizon=9, truth=COMING)
    without = ForecastDisplay.from_estimator(fitted, horizon=9, truth=COMING.to_numpy())
    assert_array_equal(
        without.lines_["truth"].get_xdata(), with_index.lines_["truth"].get_xdata()
    )
    assert without.ax_.get_ylabel() == "waves"


def test_time_zones_durations_and_labels_can_be_drawn():
    zoned = pd.date_range("2024-03-30", periods=60, freq="h", tz="Europe/Berlin")
    durations = pd.timedelta_range("0h", periods=60, freq="12h")
    labels = [f"step {k:2}" for k in range(60)]
    naive = SeasonalNaiveForecaster(6, horizon=2)
    for index, expected in (
        (zoned, zoned[58:].tz_localize(None).to_numpy()),
        (durations, [29, 29.5]),
        (labels, [58, 59]),
    ):
        series = pd.Series(KNOWN.to_numpy()[:60], index)
        for X in (None, series[:58]):
            fitted = naive.fit(series[:58])
            display = ForecastDisplay.from_estimator(fitted, X)
            display.figure_.canvas.draw()
            assert_array_equal(display.lines_["forecast"].get_xdata(), expected)


def test_one_of_several_series_and_the_baseline():
    several = [KNOWN.to_numpy(), 2 * KNOWN.to_numpy()[:80]]
    fitted = SeasonalNaiveForecaster(25, horizon=5).fit(several)
    for X in (None, several):
        display = ForecastDisplay.from_estimator(fitted, X, series=1)
        assert_array_equal(drawn(display, "past"), several[1])
        assert_array_equal(drawn(display, "forecast"), fitted.predict()[1])
        assert display.lines_["forecast"].get_xdata()[0] == 80
        with pytest.raises(ValueError, match="Choose one with series="):
            ForecastDisplay.from_estimator(fitted, X)
        with pytest.raises(ValueError, match="series=2, but there are 2 series"):
            ForecastDisplay.from_estimator(fitted, X, series=2)


def test_several_series_and_missing_channels_are_refused():
    with pytest.raises(NotFittedError):
        ForecastDisplay.from_estimator(model())
    several = model(None).fit([KNOWN.to_numpy()[:, None]] * 2)
    with pytest.raises(ValueError, match="one by one"):
        ForecastDisplay.from_estimator(several, [KNOWN.to_numpy()[:, None]] * 2)
    fitted = model(None).fit(KNOWN.to_frame())
    with pytest.raises(ValueError, match="channel=1, but there are 1 channels"):
        ForecastDisplay.from_estimator(fitted, channel=1)
    with pytest.raises(ValueError, match="n_past must be an integer"):
        ForecastDisplay.from_estimator(fitted, n_past=-1)
    with pytest.raises(ValueError, match="array of 3 dimensions"):
        ForecastDisplay.from_estimator(fitted, truth=np.zeros((2, 2, 2)))


def test_series_of_a_panel_keep_their_index_and_padding_is_not_drawn():
    series = [KNOWN, 2 * KNOWN[40:]]
    naive = SeasonalNaiveForecaster(12).fit(series)
    options = {"horizon": 3, "series": 1, "coverage": 0.8}
    for X in (None, series, SeriesPanel(series)):
        display = ForecastDisplay.from_estimator(naive, X, **options)
        assert_array_equal(drawn(display, "past"), series[1])
        assert display.prediction.index.equals(COMING.index[:3])
    padded = np.full((2, 100, 1), np.nan)
    padded[0, :, 0], padded[1, :60, 0] = KNOWN, 2 * KNOWN[40:]
    display = ForecastDisplay.from_estimator(naive, padded, **options)
    assert_array_equal(drawn(display, "past"), series[1])
    assert_array_equal(display.lines_["forecast"].get_xdata(), [60, 61, 62])


def test_searches_a_single_series_of_a_panel_and_names_with_dollars():
    named = KNOWN.rename("$a_$")
    search = GridSearchCV(SeasonalNaiveForecaster(2), {"season": [3]}, cv=2).fit(named)
    display = ForecastDisplay.from_estimator(search, horizon=3)
    assert display.ax_.get_ylabel() == "$a_$"
    display.figure_.canvas.draw()  # "$a_$" is no formula that could be drawn
    panel = [KNOWN.to_numpy()]
    naive = SeasonalNaiveForecaster(2).fit(panel)
    for X in (None, panel):
        display = ForecastDisplay.from_estimator(naive, X, horizon=3)
        assert_array_equal(drawn(display, "forecast"), naive.predict(X, horizon=3)[0])
        low, high = display.ax_.get_xlim()
        ticks = [x for x in display.ax_.get_xticks() if low <= x <= high]
        assert all(tick == int(tick) for tick in ticks)


def test_incomplete_displays_and_other_estimators_are_refused():
    with pytest.raises(ValueError, match="prediction is empty"):
        ForecastDisplay([]).plot()
    with pytest.raises(ValueError, match="both lower and upper"):
        ForecastDisplay([1.0], lower=[0.0]).plot()
    with pytest.raises(TypeError, match="got Ridge"):
        ForecastDisplay.from_estimator(Ridge().fit([[1.0]], [1.0]))
