"""Recurrent networks that behave like any other scikit-learn estimator.

Names and subpackages are imported when they are first used, so that those which need no
torch, such as ``sklearn_rnn.text`` and ``sklearn_rnn.energy``, load without it.
"""

from importlib import import_module

from sklearn_rnn._version import __version__

# Where each public name lives.
_HOMES = {
    "BoltzmannMachine": "energy",
    "CharVectorizer": "text",
    "HopfieldDenoiser": "energy",
    "ImageFlattener": "preprocessing",
    "RNNClassifier": "supervised",
    "RNNForecaster": "forecasting",
    "RNNRegressor": "supervised",
    "SequenceGenerator": "generation",
    "SequenceTranslator": "translation",
    "StepwiseTransformer": "preprocessing",
    "Stream": "streaming",
    "TextStatisticsVectorizer": "text",
    "TokenArray": "text",
    "WordVectorizer": "text",
    "WritingSession": "generation",
    "open_stream": "streaming",
    "sequences_from_frame": "preprocessing",
    "sliding_windows": "preprocessing",
    "split_text": "text",
}

_SUBPACKAGES = (
    "conformance",
    "datasets",
    "display",
    "energy",
    "forecasting",
    "generation",
    "metrics",
    "model_selection",
    "preprocessing",
    "streaming",
    "supervised",
    "text",
    "translation",
)

__all__ = ["__version__", *_HOMES]


def __getattr__(name):
    if name in _SUBPACKAGES:
        return import_module(f"sklearn_rnn.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'sklearn_rnn' has no attribute {name!r}")
    value = getattr(import_module(f"sklearn_rnn.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *__all__, *_SUBPACKAGES})
