"""A loss of a Boltzmann machine that is cheap to measure after each epoch.

The log-likelihood needs log Z, which is expensive to estimate. Binary machines are
monitored by their pseudo-likelihood instead (Besag, 1975), Gaussian ones by the error
of their reconstructions (Hinton, 2012, section 5). No random numbers are drawn.
"""

import numpy as np
from numpy.typing import NDArray

from sklearn_rnn.energy._boltzmann_parameters import Array, Machine, softplus

# Number of visible units, or of rows of a Gaussian machine, that are measured.
MONITORED = 500


def measure_loss(machine: Machine, rows: NDArray) -> float:
    """The loss of a machine on rows of data (n_rows, n_visible)."""
    if machine.scale is not None:
        return _reconstruction_error(machine, machine.scale, rows)
    return _negative_pseudo_likelihood(machine, rows)


def choose_units(n_rows: int, n_visible: int) -> tuple[NDArray, NDArray]:
    """Rows and columns of at most ``MONITORED`` units, spread evenly over the data.

    They are all units if there are no more than that.
    """
    n_units = min(n_rows * n_visible, MONITORED)
    places = np.arange(n_units)
    return places * n_rows // n_units, places % n_visible


def _negative_pseudo_likelihood(machine: Machine, rows: NDArray) -> float:
    """Mean of -log P(v_i | all other visible units), in nats.

    For a gray value it is the cross-entropy between the value and P(v_i = 1).
    """
    chosen, columns = choose_units(*rows.shape)
    visible = machine.scale_data(rows[chosen]).copy()  # (n_units, n_visible)
    units = np.arange(len(columns)), columns
    values = visible[units]
    visible[units] = 0
    fields = machine.hidden_fields(visible)  # (n_units, n_hidden)
    with_unit = fields + machine.components[:, columns].T
    log_odds = machine.visible_bias[columns]
    log_odds = log_odds + machine.hidden_log_sum(with_unit)[0]
    log_odds = log_odds - machine.hidden_log_sum(fields)[0]
    if machine.visible_weights is not None:
        weights = machine.visible_weights[columns]  # symmetric
        log_odds = log_odds + np.einsum("uv,uv->u", visible, weights)
    return float(np.mean(softplus(log_odds) - values * log_odds))


def _reconstruction_error(machine: Machine, scale: Array, rows: NDArray) -> float:
    """Mean squared error of the reconstruction of standardised rows."""
    n_rows = min(len(rows), MONITORED)
    visible = machine.scale_data(rows[np.arange(n_rows) * len(rows) // n_rows])
    reconstruction = machine.visible_means(machine.hidden_means(visible))
    return float(np.mean(((reconstruction - visible) * scale) ** 2))
