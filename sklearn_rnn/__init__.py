"""Recurrent networks that behave like any other scikit-learn estimator."""

from sklearn_rnn._classifier import RNNClassifier
from sklearn_rnn._regressor import RNNRegressor
from sklearn_rnn._tokens import TokenArray
from sklearn_rnn._version import __version__
from sklearn_rnn.text import CharVectorizer, WordVectorizer

__all__ = [
    "CharVectorizer",
    "RNNClassifier",
    "RNNRegressor",
    "TokenArray",
    "WordVectorizer",
    "__version__",
]
