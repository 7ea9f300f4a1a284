"""The cells by name, which are the values of the parameter ``cell``."""

from sklearn_rnn._nn.cells.base import RecurrentLayer
from sklearn_rnn._nn.cells.gru import GRULayer
from sklearn_rnn._nn.cells.lstm import LSTMLayer
from sklearn_rnn._nn.cells.simple import SimpleLayer

LAYERS: tuple[type[RecurrentLayer], ...] = (
    SimpleLayer,
    LSTMLayer,
    GRULayer,
)
CELLS = {layer.name: layer for layer in LAYERS}
