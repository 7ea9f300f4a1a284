"""Energy-based models: Hopfield networks and Boltzmann machines."""

from sklearn_rnn.energy._boltzmann import BoltzmannMachine
from sklearn_rnn.energy._hopfield import HopfieldDenoiser
from sklearn_rnn.energy._hopfield_capacity import (
    CapacityWarning,
    capacity_curve,
    hebb_bit_error,
    hebb_overlap,
)

__all__ = [
    "BoltzmannMachine",
    "CapacityWarning",
    "HopfieldDenoiser",
    "capacity_curve",
    "hebb_bit_error",
    "hebb_overlap",
]
