"""Recurrent networks that behave like any other scikit-learn estimator."""

from sklearn_rnn._data.tokens import TokenArray
from sklearn_rnn._version import __version__
from sklearn_rnn.energy import BoltzmannMachine, HopfieldDenoiser
from sklearn_rnn.forecasting._forecaster import RNNForecaster
from sklearn_rnn.generation._generator import SequenceGenerator
from sklearn_rnn.generation._session import WritingSession
from sklearn_rnn.preprocessing import (
    ImageFlattener,
    StepwiseTransformer,
    sequences_from_frame,
    sliding_windows,
)
from sklearn_rnn.streaming._stream import Stream, open_stream
from sklearn_rnn.supervised._classifier import RNNClassifier
from sklearn_rnn.supervised._regressor import RNNRegressor
from sklearn_rnn.text import (
    CharVectorizer,
    TextStatisticsVectorizer,
    WordVectorizer,
    split_text,
)
from sklearn_rnn.translation._translator import SequenceTranslator

__all__ = [
    "BoltzmannMachine",
    "CharVectorizer",
    "HopfieldDenoiser",
    "ImageFlattener",
    "RNNClassifier",
    "RNNForecaster",
    "RNNRegressor",
    "SequenceGenerator",
    "SequenceTranslator",
    "StepwiseTransformer",
    "Stream",
    "TextStatisticsVectorizer",
    "TokenArray",
    "WordVectorizer",
    "WritingSession",
    "__version__",
    "open_stream",
    "sequences_from_frame",
    "sliding_windows",
    "split_text",
]
