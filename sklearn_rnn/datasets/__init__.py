"""Small data sets that come with the package."""

from sklearn_rnn.datasets._letters import load_letters
from sklearn_rnn.datasets._moby_dick import load_moby_dick
from sklearn_rnn.datasets._names import load_names
from sklearn_rnn.datasets._sunspots import load_sunspots

__all__ = ["load_letters", "load_moby_dick", "load_names", "load_sunspots"]
