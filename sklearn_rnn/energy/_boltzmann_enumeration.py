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
    pair_energy,
    sigmoid,
    softplus,
    states_counted,
)

# A sum over all states is taken of up to so many units, and by default learned from of
# up to so many.
ENUMERABLE = 20
QUICKLY_ENUMERABLE = 10
# States held at once.
PIECE = 2**14


def n_enumerated(machine: Machine) -> int:
    """Units whose states have to be listed; the others are summed in closed form."""
    n_hidden, n_visible = machine.shape
    if machine.full:
        return n_visible + n_hidden
    return n_hidden if machine.gaussian else min(n_hidden, n_visible)


def log_partition(machine: Machine) -> float:
    """log Z, exactly."""
    return float(logsumexp([logsumexp(weights) for weights, _, _ in _pieces(machine)]))


def model_moments(machine: Machine) -> Moments:
    """Mean activities and products under the machine, exactly."""
    log_z = log_partition(machine)
    parts = (
        Moments.of(visible, hidden, np.exp(weights - log_z), pairs=machine.full)
        for weights, visible, hidden in _pieces(machine)
    )
    return reduce(add, parts)


def _pieces(machine: Machine) -> Iterator[tuple[Array, Array, Array]]:
    """Log weights of states, with their visible and hidden states or means.

    What is not listed has its mean given what is: that is all that products across the
    layers need.
    """
    n_hidden, n_visible = machine.shape
    n_units = n_enumerated(machine)
    dtype = machine.components.dtype
    for start in range(0, 2**n_units, PIECE):
        states = states_counted(n_units, start, PIECE).astype(dtype)
        if machine.full:
            weights, biases = machine.joint()
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
