"""Small data sets that are bundled with the package, and other sources of data."""

from sklearn_rnn.datasets._co2 import load_co2
from sklearn_rnn.datasets._grammars import make_counting_words, make_embedded_reber
from sklearn_rnn.datasets._letters import load_letters
from sklearn_rnn.datasets._moby_dick import load_moby_dick
from sklearn_rnn.datasets._names import load_names
from sklearn_rnn.datasets._parquet import iter_batches
from sklearn_rnn.datasets._sunspots import load_sunspots
from sklearn_rnn.datasets._waves import make_waves

__all__ = [
    "iter_batches",
    "load_co2",
    "load_letters",
    "load_moby_dick",
    "load_names",
    "load_sunspots",
    "make_counting_words",
    "make_embedded_reber",
    "make_waves",
]
