"""Small data sets that come with the package."""

from sklearn_rnn.datasets._names import load_names

__all__ = ["load_names"]
