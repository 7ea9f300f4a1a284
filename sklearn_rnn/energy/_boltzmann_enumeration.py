"""Sums over all states of a small Boltzmann machine."""

from collections.abc import Iterator
from functools import reduce
from operator import add

import numpy as np
from scipy.special import logsumexp

from sklearn_rnn.energy._boltzmann_parameters import (
    Array,
    Machine,
    Moments,
    enumerate_states,
    pair_energy,
    sigmoid,
    softplus,
)

# Most units whose states are enumerated, on request and with gradient="auto".
MAX_ENUMERATED_UNITS = 20
MAX_UNITS_FOR_AUTO = 10
# States in memory at once.
CHUNK = 2**14


def count_enumerated_units(machine: Machine) -> int:
    """Number of units to enumerate; the others are summed in closed form."""
    n_hidden, n_visible = machine.shape
    if machine.full:
        return n_visible + n_hidden
    return n_hidden if machine.gaussian else min(n_hidden, n_visible)


def log_partition(machine: Machine) -> float:
    """log Z, exactly."""
    return float(
        logsumexp(
            [logsumexp(weights) for weights, _, _ in _enumerate_weighted(machine)]
        )
    )


def model_moments(machine: Machine) -> Moments:
    """Mean activities and products under the machine, exactly."""
    log_z = log_partition(machine)
    parts = (
        Moments.of(visible, hidden, np.exp(weights - log_z), pairs=machine.full)
        for weights, visible, hidden in _enumerate_weighted(machine)
    )
    return reduce(add, parts)


def _enumerate_weighted(machine: Machine) -> Iterator[tuple[Array, Array, Array]]:
    """Log weights of states, with their visible and hidden states or means.

    Units that are not enumerated have their means given those that are. Mean products
    across the layers need no more.
    """
    n_hidden, n_visible = machine.shape
    n_units = count_enumerated_units(machine)
    dtype = machine.components.dtype
    for start in range(0, 2**n_units, CHUNK):
        states = enumerate_states(n_units, start, CHUNK).astype(dtype)
        if machine.full:
            weights, biases = machine.join_layers()
            log_weights = states @ biases + pair_energy(weights, states)
            yield log_weights, states[:, :n_visible], states[:, n_visible:]
        elif n_units == n_hidden:
            fields = machine.visible_fields(states)
            own = states @ machine.hidden_bias
            if machine.gaussian:
                # the integral of exp(-|v - b|^2 / 2 + v a) with a = fields - b
                square = (fields**2).sum(axis=1) - (machine.visible_bias**2).sum()
                yield own + (square + n_visible * np.log(2 * np.pi)) / 2, fields, states
            else:
                yield own + softplus(fields).sum(axis=1), sigmoid(fields), states
        else:
            fields = machine.hidden_fields(states)
            own = states @ machine.visible_bias
            yield own + softplus(fields).sum(axis=1), states, sigmoid(fields)
