"""A loss of a Boltzmann machine that is cheap to measure after each epoch.

The log-likelihood needs log Z, which is expensive to estimate. Binary machines are
monitored by their pseudo-likelihood instead (Besag, 1975), Gaussian ones by the error
of their reconstructions (Hinton, 2012, section 5). No random numbers are drawn.
"""

import numpy as np
from numpy.typing import NDArray

from sklearn_rnn.energy._boltzmann_parameters import (
    MAX_ENUMERATED_LAYER,
    Array,
    Machine,
    softplus,
    sum_states,
    weigh_states,
)

# Number of visible units, or of rows of a Gaussian machine, that are measured.
MONITORED = 500
# Fewer are measured in machines for which arrays would exceed these sizes. They hold
# log weights of the hidden states of a full machine, or fields of hidden units.
MONITORED_STATES = 2**17
MONITORED_FIELDS = 2**24
# Mean-field equations are solved to this tolerance. The error of the bound that they
# maximize is of the order of its square.
MONITOR_TOL = 1e-4
# Number of factors from 1 to 2 whose product float32 can represent.
FACTORS = 64


def measure_loss(machine: Machine, rows: NDArray) -> float:
    """The loss of a machine on rows of data (n_rows, n_visible).

    It is infinite if weights are so large that the loss overflows.
    """
    with np.errstate(over="ignore"):
        if machine.scale is not None:
            return _reconstruction_error(machine, machine.scale, rows)
        return _negative_pseudo_likelihood(machine, rows)


def count_monitored(machine: Machine) -> int:
    """Maximum number of units, or rows, on which the loss is measured."""
    n_hidden = machine.shape[0]
    most = MONITORED_FIELDS // max(n_hidden, 1)
    if machine.full and n_hidden <= MAX_ENUMERATED_LAYER:
        most = MONITORED_STATES >> n_hidden
    return max(1, min(most, MONITORED))


def choose_units(
    n_rows: int, n_visible: int, n_most: int = MONITORED
) -> tuple[NDArray, NDArray]:
    """Rows and columns of at most ``n_most`` units, spread evenly over the data.

    They are all units if there are no more than that.
    """
    n_units = min(n_rows * n_visible, n_most)
    places = np.arange(n_units)
    return places * n_rows // n_units, places % n_visible


def _negative_pseudo_likelihood(machine: Machine, rows: NDArray) -> float:
    """Mean of -log P(v_i | all other visible units), in nats.

    For a gray value it is the cross-entropy between the value and P(v_i = 1).
    """
    n_rows, n_visible = rows.shape
    chosen, columns = choose_units(n_rows, n_visible, count_monitored(machine))
    distinct, places = np.unique(chosen, return_inverse=True)
    visible = machine.scale_data(rows[distinct])  # (n_distinct, n_visible)
    values = visible[places, columns]
    weights = machine.components.T.take(columns, axis=0)  # (n_units, n_hidden)
    off = machine.hidden_fields(visible)[places] - values[:, None] * weights
    log_odds = machine.visible_bias[columns]
    log_odds = log_odds + _sum_hidden(machine, off + weights)
    log_odds = log_odds - _sum_hidden(machine, off)
    if machine.visible_weights is not None:  # symmetric, with a zero diagonal
        weights = machine.visible_weights[columns]
        log_odds = log_odds + np.einsum("uv,uv->u", visible[places], weights)
    return float(np.mean(softplus(log_odds) - values * log_odds))


def _sum_hidden(machine: Machine, fields: Array) -> Array:
    """log sum_h exp(h fields + 1/2 h J h) of each row, without the means of h."""
    if machine.hidden_weights is None:
        starts = np.arange(0, fields.shape[1], FACTORS)
        products = np.multiply.reduceat(1 + np.exp(-np.abs(fields)), starts, axis=1)
        return np.log(products).sum(axis=1) + np.maximum(fields, 0).sum(axis=1)
    if fields.shape[1] > MAX_ENUMERATED_LAYER:
        return sum_states(fields, machine.hidden_weights, MONITOR_TOL)[0]
    log_weights = weigh_states(fields, machine.hidden_weights)[1]
    largest = log_weights.max(axis=1)
    return largest + np.log(np.exp(log_weights - largest[:, None]).sum(axis=1))


def _reconstruction_error(machine: Machine, scale: Array, rows: NDArray) -> float:
    """Mean squared error of the reconstruction of standardized rows."""
    n_rows = min(len(rows), count_monitored(machine))
    visible = machine.scale_data(rows[np.arange(n_rows) * len(rows) // n_rows])
    reconstruction = machine.visible_means(machine.hidden_means(visible))
    error = ((reconstruction - visible) * scale).astype(np.float64)
    return float(np.mean(error**2))
