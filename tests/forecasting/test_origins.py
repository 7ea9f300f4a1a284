"""One pass over each series equals predict at every origin."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_rnn import RNNForecaster
from sklearn_rnn.forecasting import _origins

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn_rnn.forecasting._skill.ForecastSkillWarning"
)

RNG = np.random.default_rng(0)
NOISY = np.sin(np.arange(120) / 4) + 0.1 * RNG.normal(size=120)
GAPS = np.where(RNG.uniform(size=120) < 0.2, np.nan, NOISY)
TWO = np.column_stack([NOISY, RNG.normal(size=120)])
EXOG = RNG.normal(size=(120, 2))
SERIES = [NOISY, NOISY[:90] + 1, NOISY[::-1], 2 * NOISY[:70]]


def forecaster(**params):
    given = {"hidden_size": 4, "window": 9, "max_epochs": 1, "random_state": 0}
    return RNNForecaster(**given | params)


def assert_equals_predict(model, series, frame, horizon, coverage=None, exog=None):
    """Compare each origin with predict after the steps up to it."""
    rows = -(-horizon // model.horizon) * model.horizon
    C = model.n_features_in_
    for (i, origin), part in frame.groupby(["series", "origin"]):
        past, known = series[i][: origin + 1], origin + 1
        options = {"horizon": horizon}
        if exog is not None:  # whole blocks
            options = {"horizon": rows, "exog": exog[i][: known + rows]}
        if coverage is None:
            expected = {"forecast": model.predict(past, **options)}
        else:
            found = model.predict_interval(past, coverage=coverage, **options)
            expected = {"forecast": found.prediction, "lower": found.lower}
            expected["upper"] = found.upper
        for name, values in expected.items():
            values = np.reshape(values, (-1, C))[:horizon]
            assert_allclose(part[name], values.ravel(), rtol=1e-7, atol=1e-10)
        assert_allclose(part.truth, np.reshape(series[i][known : known + horizon], -1))


@pytest.mark.parametrize("horizon", [1, 5])
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"horizon": 3},
        {"differencing": 4, "residual": True},
        {"target": "last", "cell": "lstm", "horizon": 2},
    ],
    ids=str,
)
def test_one_series(params, horizon):
    model = forecaster(**params).fit(NOISY[:80])
    frame = model.backtest(NOISY, horizon=horizon, stride=9, start=70, coverage=0.8)
    assert_equals_predict(model, [NOISY], frame, horizon, 0.8)
    assert len(frame) == horizon * len(range(70, 120 - horizon + 1, 9))


def test_missing_values_and_channels():
    model = forecaster(intervals=None).fit(GAPS)
    assert_equals_predict(model, [GAPS], model.backtest(GAPS, horizon=3, stride=7), 3)
    model = forecaster(intervals=None, horizon=2).fit(TWO)
    frame = model.backtest(TWO, horizon=3, stride=10)
    assert_equals_predict(model, [TWO], frame, 3)


def test_series_of_several_lengths_and_many_origins(monkeypatch):
    model = forecaster(intervals=None, horizon=2).fit(SERIES)
    frame = model.backtest(SERIES, horizon=5, stride=17)
    assert_equals_predict(model, SERIES, frame, 5)
    monkeypatch.setattr(_origins, "ROWS_AT_ONCE", 5)
    again = model.backtest(SERIES, horizon=5, stride=17)
    assert_allclose(again.forecast, frame.forecast, rtol=1e-9)
    late = model.backtest(SERIES, horizon=5, start=-9)
    assert late.groupby("series").origin.min().tolist() == [110, 80, 110, 60]
    assert_equals_predict(model, SERIES, late, 5)


@pytest.mark.parametrize("horizon", [2, 7])
def test_exogenous_variables_of_whole_blocks(horizon):
    model = forecaster(horizon=3, intervals=None).fit(NOISY[:80], exog=EXOG[:80])
    frame = model.backtest(NOISY, horizon=horizon, stride=4, start=60, exog=EXOG)
    assert_equals_predict(model, [NOISY], frame, horizon, exog=[EXOG])
    rows = -(-horizon // 3) * 3
    assert frame.origin.max() <= 119 - rows
    with pytest.raises(ValueError, match="exog is missing"):
        model.backtest(NOISY)


@pytest.mark.parametrize("horizon", [2, 5])
def test_quantiles_within_the_horizon_and_sampled_beyond(horizon):
    model = forecaster(horizon=2, intervals="quantile").fit(NOISY[:80])
    frame = model.backtest(NOISY, horizon=horizon, start=100, stride=4, coverage=0.8)
    assert_equals_predict(model, [NOISY], frame, horizon, 0.8)


@pytest.mark.parametrize("horizon", [2, 5])
@pytest.mark.parametrize("with_exog", [False, True])
def test_intervals_of_series_of_several_sizes(horizon, with_exog, monkeypatch):
    """Sizes of errors at an origin use only the steps and exog up to it."""
    monkeypatch.setattr(_origins, "ROWS_AT_ONCE", 5)
    series = [5 * NOISY, NOISY[:90], NOISY[::-1], 100 * NOISY[:70]]
    exog = [EXOG[: len(x)] for x in series] if with_exog else None
    model = forecaster(horizon=3).fit(series[:3], exog=exog and exog[:3])
    options = {"stride": 19, "start": 20, "coverage": 0.8, "exog": exog}
    frame = model.backtest(series, horizon=horizon, **options)
    assert_equals_predict(model, series, frame, horizon, 0.8, exog)
    widths = (frame.upper - frame.lower).groupby(frame.series).mean()
    assert widths[3] > 10 * widths[1]
