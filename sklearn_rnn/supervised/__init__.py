"""Classification and regression of sequences, once per sequence or at every step."""

from sklearn_rnn.supervised._classifier import RNNClassifier
from sklearn_rnn.supervised._regressor import RNNRegressor

__all__ = ["RNNClassifier", "RNNRegressor"]
