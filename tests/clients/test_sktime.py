"""sktime: reduction to regression, and its panels."""

import numpy as np
import pandas as pd
import pytest
from sktime.classification.compose import SklearnClassifierPipeline
from sktime.forecasting.compose import make_reduction
from sktime.transformations.series.exponent import ExponentTransformer

from sklearn_rnn import RNNClassifier, RNNRegressor


@pytest.mark.parametrize("strategy", ["recursive", "direct"])
def test_reduction_forecasts(strategy):
    index = pd.period_range("2000-01", periods=72, freq="M")
    series = pd.Series(np.sin(np.arange(72) * np.pi / 6), index=index)
    model = RNNRegressor(hidden_size=8, max_epochs=40, random_state=0)
    forecaster = make_reduction(model, window_length=12, strategy=strategy)
    forecast = forecaster.fit(series[:60], fh=range(1, 7)).predict()
    assert forecast.index.equals(series.index[60:66])
    assert np.abs(forecast - series[60:66]).mean() < 0.3


def test_the_axes_of_numpy3d_are_swapped(padded, y):
    panel = np.swapaxes(padded, 1, 2)  # (n, channel, time), sktime's order
    model = RNNClassifier(hidden_size=8, max_epochs=10, random_state=0)
    fitted = model.fit(np.swapaxes(panel, 1, 2), y)
    assert fitted.input_size_ == 2
    assert fitted.score(padded, y) > 0.8


def test_a_classifier_pipeline(padded, y):
    model = RNNClassifier(hidden_size=8, max_epochs=10, random_state=0)
    pipeline = SklearnClassifierPipeline(model, [ExponentTransformer(power=1)])
    panel = np.swapaxes(padded, 1, 2)
    assert np.mean(pipeline.fit(panel, y).predict(panel) == y) > 0.8


def test_the_guide(run_guide):
    assert run_guide("sktime and aeon") == ["2"]
