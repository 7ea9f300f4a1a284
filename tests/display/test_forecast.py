"""ForecastDisplay shows the numbers of the forecaster."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError

from sklearn_rnn import RNNForecaster
from sklearn_rnn.display import ForecastDisplay

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
    ax = plt.figure().add_subplot()
    display = ForecastDisplay.from_estimator(
        fitted, frame, channel=1, horizon=3, ax=ax, color="red"
    )
    assert display.ax_ is ax
    assert display.band_ is None
    assert display.lines_["forecast"].get_color() == "red"
    assert_array_equal(drawn(display, "past"), frame["b"])
    assert_array_equal(drawn(display, "forecast"), fitted.predict(horizon=3)["b"])


def test_the_known_past_need_not_be_given():
    display = ForecastDisplay.from_estimator(
        model().fit(KNOWN), horizon=3, coverage=None
    )
    assert list(display.lines_) == ["forecast"]


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(NotFittedError):
        ForecastDisplay.from_estimator(model())
    several = model(None).fit([KNOWN.to_numpy()[:, None]] * 2)
    with pytest.raises(ValueError, match="one by one"):
        ForecastDisplay.from_estimator(several, [KNOWN.to_numpy()[:, None]] * 2)
