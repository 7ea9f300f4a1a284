"""Forecasting of time series."""

from sklearn_rnn.forecasting._forecaster import RNNForecaster
from sklearn_rnn.forecasting._seasonal_naive import SeasonalNaiveForecaster
from sklearn_rnn.forecasting._skill import ForecastSkillWarning

__all__ = ["ForecastSkillWarning", "RNNForecaster", "SeasonalNaiveForecaster"]
