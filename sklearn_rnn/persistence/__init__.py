"""Files of fitted models, which are loaded without pickle."""

from sklearn_rnn.persistence._errors import ModelFileError
from sklearn_rnn.persistence._files import load, save

__all__ = ["ModelFileError", "load", "save"]
