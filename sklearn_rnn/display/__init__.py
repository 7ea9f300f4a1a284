"""Plots of fitted models. Matplotlib is imported when the first one is drawn."""

from sklearn_rnn.display._attention import AttentionDisplay
from sklearn_rnn.display._attribution import AttributionDisplay
from sklearn_rnn.display._backtest import BacktestDisplay
from sklearn_rnn.display._capacity import CapacityDisplay
from sklearn_rnn.display._energy import EnergyDisplay
from sklearn_rnn.display._forecast import ForecastDisplay
from sklearn_rnn.display._gates import GateDisplay
from sklearn_rnn.display._hopfield import HopfieldDisplay
from sklearn_rnn.display._loss import LossDisplay
from sklearn_rnn.display._sequence import SequenceDisplay
from sklearn_rnn.display._text import TextDisplay
from sklearn_rnn.display._weights import WeightsDisplay

__all__ = [
    "AttentionDisplay",
    "AttributionDisplay",
    "BacktestDisplay",
    "CapacityDisplay",
    "EnergyDisplay",
    "ForecastDisplay",
    "GateDisplay",
    "HopfieldDisplay",
    "LossDisplay",
    "SequenceDisplay",
    "TextDisplay",
    "WeightsDisplay",
]
