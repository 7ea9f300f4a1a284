"""skforecast: recursive and direct forecasts, backtests and their intervals."""

import numpy as np
import pandas as pd
import pytest
from skforecast.direct import ForecasterDirect
from skforecast.model_selection import TimeSeriesFold, backtesting_forecaster
from skforecast.recursive import ForecasterRecursive

from sklearn_rnn import RNNRegressor


@pytest.fixture
def series():
    index = pd.date_range("2000-01-01", periods=72, freq="MS")
    return pd.Series(np.sin(np.arange(72) * np.pi / 6), index=index, name="y")


def model():
    return RNNRegressor(hidden_size=8, max_epochs=40, random_state=0)


def test_recursive_forecasts(series):
    forecaster = ForecasterRecursive(model(), lags=12)
    forecaster.fit(series[:60], store_in_sample_residuals=True)
    forecast = forecaster.predict(steps=6)
    assert np.abs(forecast - series[60:66]).mean() < 0.3
    bounds = forecaster.predict_interval(steps=6, method="bootstrapping", n_boot=20)
    assert (bounds["lower_bound"] <= bounds["upper_bound"]).all()


def test_direct_forecasts(series):
    forecaster = ForecasterDirect(model(), steps=3, lags=12)
    forecaster.fit(series[:60])
    assert np.abs(forecaster.predict() - series[60:63]).mean() < 0.3


def test_backtests(series):
    folds = TimeSeriesFold(steps=6, initial_train_size=60)
    error, forecasts = backtesting_forecaster(
        ForecasterRecursive(model(), lags=12),
        series,
        cv=folds,
        metric="mean_absolute_error",
        show_progress=False,
    )
    assert len(forecasts) == 12
    assert float(error["mean_absolute_error"].iloc[0]) < 0.3
