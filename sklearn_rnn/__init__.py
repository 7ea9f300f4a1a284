"""Recurrent networks that behave like any other scikit-learn estimator.

Names and subpackages are imported when they are first used, so that those that do not
need torch, such as ``sklearn_rnn.text`` and ``sklearn_rnn.energy``, load without it.
"""

from importlib import import_module

# scikit-learn's modules import each other in circles. If several threads were the first
# to use names of this package, their imports of scikit-learn would fail.
import sklearn.base  # noqa: F401

from sklearn_rnn._version import __version__

# Where each public name lives.
_HOMES = {
    "BoltzmannMachine": "energy",
    "CharVectorizer": "text",
    "HopfieldDenoiser": "energy",
    "ImageFlattener": "preprocessing",
    "ModelFileError": "persistence",
    "RNNClassifier": "supervised",
    "RNNForecaster": "forecasting",
    "RNNRegressor": "supervised",
    "SeasonalNaiveForecaster": "forecasting",
    "SequenceGenerator": "generation",
    "SequenceTranslator": "translation",
    "SeriesScaler": "preprocessing",
    "StepwiseTransformer": "preprocessing",
    "StopTraining": "_core.callbacks",
    "Stream": "streaming",
    "TextStatisticsVectorizer": "text",
    "TokenArray": "text",
    "WordVectorizer": "text",
    "WritingSession": "generation",
    "check_data": "preprocessing",
    "clear_checkpoints": "_core.checkpoints",
    "distribute_training": "_training.processes",
    "load": "persistence",
    "open_stream": "streaming",
    "save": "persistence",
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
    "inspection",
    "metrics",
    "model_selection",
    "persistence",
    "preprocessing",
    "streaming",
    "supervised",
    "text",
    "translation",
)

__all__ = ["__version__", *_HOMES]


def __getattr__(name):
    home = name if name in _SUBPACKAGES else _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'sklearn_rnn' has no attribute {name!r}")
    try:
        package = import_module(f"sklearn_rnn.{home}")
    except AttributeError as error:  # would be taken for a name that does not exist
        raise ImportError(f"sklearn_rnn.{home} cannot be imported: {error}") from error
    value = package if name in _SUBPACKAGES else getattr(package, name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *__all__, *_SUBPACKAGES})
