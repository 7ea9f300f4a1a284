"""Calendar inputs, and forecasts that use them."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_rnn import RNNForecaster
from sklearn_rnn.forecasting._calendar import choose_calendar, make_calendar

HOURS = pd.date_range("2024-01-01", periods=24 * 21, freq="h")  # a Monday
RNG = np.random.default_rng(0)
WEEKEND = pd.Series(
    np.where(HOURS.day_of_week >= 5, 3.0, 0.0) + 0.1 * RNG.normal(size=len(HOURS)),
    HOURS,
)


def forecaster(**given):
    options = {"hidden_size": 8, "horizon": 24, "intervals": None, "random_state": 0}
    options |= {"baseline": None, "calendar": "auto", "max_epochs": 5, "cell": "rnn"}
    return RNNForecaster(**options | given)


@pytest.mark.parametrize(
    "frequency, periods, names",
    [
        ("h", 500, ("hour", "weekday")),
        ("h", 40, ()),
        ("D", 20, ("weekday",)),
        ("D", 800, ("weekday", "month")),
        ("B", 30, ("weekday",)),
        ("MS", 30, ("month",)),
        ("QS", 30, ()),
        ("W", 120, ("month",)),
    ],
)
def test_cycles_that_the_index_covers_twice_are_chosen(frequency, periods, names):
    index = pd.date_range("2020-01-01", periods=periods, freq=frequency)
    assert choose_calendar([index[:3], index]) == names
    assert (
        choose_calendar([index.to_period()] if frequency != "B" else [index]) == names
    )
    assert choose_calendar([index[:1]]) == ()


def test_calendar_inputs_by_hand():
    inputs = make_calendar(HOURS[:30], ("hour", "weekday", "month"))
    assert inputs.shape == (30, 2 + 7 + 2)
    assert_allclose(inputs[6, :2], [1, 0], atol=1e-12)
    assert_array_equal(inputs[:24, 2], 1)
    assert_array_equal(inputs[24:, 3], 1)
    assert_array_equal(inputs[:, 2:9].sum(axis=1), 1)
    assert_allclose(np.hypot(inputs[:, 9], inputs[:, 10]), 1)


def test_a_network_learns_the_weekend_from_dates():
    saturday = 24 * 19
    errors = []
    for calendar in (None, "auto"):
        model = forecaster(calendar=calendar).fit(WEEKEND[:saturday])
        forecast = model.predict(horizon=36)  # not a multiple of the block
        errors.append(np.abs(forecast - WEEKEND[saturday : saturday + 36]).mean())
    assert errors[1] < 0.3 * errors[0]


def test_dates_continue_in_updates_lists_and_backtests():
    model = forecaster(max_epochs=1).fit(WEEKEND[:400])
    expected = model.predict(WEEKEND[:450], horizon=30)
    model.update(WEEKEND[400:450])
    assert_allclose(model.predict(horizon=30), expected)
    one, _ = model.predict([WEEKEND[:450], WEEKEND[:450] * 2], horizon=30)
    assert_allclose(one, expected)
    frame = model.backtest(WEEKEND[:499], horizon=30, start=450)
    assert frame["origin"].nunique() == 2  # 48 steps are needed for 30
    frame = frame[frame["origin"] == HOURS[449]]
    assert_allclose(frame["forecast"], expected)


def test_calendar_inputs_follow_the_given_variables():
    exog = pd.DataFrame({"price": RNG.normal(size=len(HOURS))}, HOURS)
    model = forecaster(max_epochs=1).fit(WEEKEND[:400], exog=exog[:400])
    assert model._encoding.n_exog == 1 + 2 + 7
    assert len(model.predict(exog=exog[400:424])) == 24
    with pytest.raises(ValueError, match="exog is missing"):
        model.predict()


def test_a_calendar_needs_dates():
    with pytest.raises(
        ValueError, match='calendar="auto" needs dates, but X has no ind'
    ):
        forecaster().fit(WEEKEND.to_numpy())
    model = forecaster(max_epochs=1).fit(WEEKEND[:400])
    numbered = WEEKEND[:400].reset_index(drop=True)
    with pytest.raises(ValueError, match="X has a RangeIndex"):
        model.predict(numbered)
    with pytest.raises(ValueError, match="exogenous"):
        model.stream()
