"""The past of time series to their future."""

from sklearn_rnn.forecasting._forecaster import RNNForecaster

__all__ = ["RNNForecaster"]
