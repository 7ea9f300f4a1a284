"""The learning rules of a Hopfield network, which turn patterns into weights.

Patterns are rows of -1 and +1, of shape ``(n_patterns, n_units)``. Every rule returns
symmetric weights of shape ``(n_units, n_units)`` with a zero diagonal, and the number
of passes over the patterns.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dsymv, dsyr2
from sklearn.exceptions import ConvergenceWarning

from sklearn_rnn._core.user_warnings import warn_user

Array = NDArray[np.float64]

# Most passes of the perceptron rule; if a solution exists, tens of passes find it.
MAX_PASSES = 1000


def hebb(patterns: Array, margin: float) -> tuple[Array, int]:
    """Strengthen the weights of units that agree in a pattern (Hopfield, 1982).

    ``w_ij = sum_m x_mi x_mj``: integers, exactly.
    """
    weights = patterns.T @ patterns
    np.fill_diagonal(weights, 0)
    return weights, 1


def storkey(patterns: Array, margin: float) -> tuple[Array, int]:
    """Hebb's rule minus what the network has already stored (Storkey, 1997).

    For one pattern x after the other, with ``h_ij = sum_{k != i, j} w_ik x_k``,
    ``w_ij += (x_i x_j - x_i h_ji - h_ij x_j) / n``.
    """
    n_units = patterns.shape[1]
    weights = np.zeros((n_units, n_units), order="F")  # its lower triangle
    for x in patterns:
        # h_ij x_j = field_i x_j - w_ij, since x_j x_j = 1
        field = dsymv(1, weights, x, lower=1)
        weights *= 1 + 2 / n_units
        weights = dsyr2(
            1 / n_units, x / 2 - field, x, lower=1, a=weights, overwrite_a=1
        )
        np.fill_diagonal(weights, 0)
    return np.tril(weights) + np.tril(weights).T, 1


def pseudo_inverse(patterns: Array, margin: float) -> tuple[Array, int]:
    """The projection onto the patterns without its diagonal (Personnaz et al., 1985).

    ``W = pinv(X) X``, so that ``W x = x`` for each stored x before the diagonal is
    removed.
    """
    weights = np.linalg.pinv(patterns) @ patterns
    np.fill_diagonal(weights, 0)
    return weights, 1


def perceptron(patterns: Array, margin: float) -> tuple[Array, int]:
    """Hebb's rule repeated where a pattern is not stable enough (Gardner, 1988).

    Starting from Hebb's weights, each pass finds the units whose stability
    ``x_i sum_j w_ij x_j / |w_i|`` is below the margin, with e_i = 1 there and 0
    elsewhere, and adds ``(e_i + e_j) x_i x_j / 2n``, which keeps the weights symmetric.
    If no pass reaches the margin, the weights with the greatest least stability are
    returned.
    """
    n_units = patterns.shape[1]
    weights = hebb(patterns, margin)[0] / n_units
    best, greatest = weights, -np.inf
    for n_passes in range(1, MAX_PASSES + 1):
        size = np.linalg.norm(weights, axis=1)
        stability = patterns * (patterns @ weights) / np.where(size > 0, size, 1)
        least = float(stability.min())
        if least > greatest:
            best, greatest = weights, least
        if least >= margin:
            return best, n_passes
        step = ((stability < margin) * patterns).T @ patterns
        weights = weights + (step + step.T) / (2 * n_units)
        np.fill_diagonal(weights, 0)
    warn_user(
        f"The perceptron rule did not reach margin={margin} for all units of all "
        f"patterns in {MAX_PASSES} passes; their least stability is {greatest:.3g}. "
        "Store fewer patterns or ask for a smaller margin.",
        ConvergenceWarning,
    )
    return best, MAX_PASSES


RULES: dict[str, Callable[[Array, float], tuple[Array, int]]] = {
    "hebb": hebb,
    "storkey": storkey,
    "pseudo_inverse": pseudo_inverse,
    "perceptron": perceptron,
}


def learn(
    rule: str, patterns: Array, margin: float, *, with_thresholds: bool
) -> tuple[Array, Array, int]:
    """Weights, thresholds, and the number of passes.

    Thresholds are learned as the weights of one more unit that is on in every pattern:
    ``sum_j w_ij s_j + w_i* >= 0`` is ``sum_j w_ij s_j >= -w_i*``.
    """
    n_units = patterns.shape[1]
    if with_thresholds:
        patterns = np.hstack([patterns, np.ones((len(patterns), 1))])
    weights, n_passes = RULES[rule](patterns, margin)
    weights = (weights + weights.T) / 2  # to the last bit
    thresholds = -weights[:n_units, n_units] if with_thresholds else np.zeros(n_units)
    return weights[:n_units, :n_units], thresholds, n_passes


def round_for_exact_sums(weights: Array, thresholds: Array) -> tuple[Array, Array]:
    """The same numbers, rounded so that no sum of them is ever rounded.

    All become multiples of one power of two, just coarse enough for a field and its
    threshold to fit into the 53 bits of a float64. The field of a unit is then the same
    number in whatever order it is summed: alone, in a batch, or updated after each
    flip. So a tie stays a tie. Integers stay as they are; other weights change by less
    than 1e-9 of the largest one, for up to a million units.
    """
    reach = np.abs(weights).sum(axis=1, initial=0)
    # thresholds beyond the reach of all fields need no finer comparison
    most = reach + np.minimum(np.abs(thresholds), np.maximum(reach, 1))
    largest = float(most.max(initial=0))
    if largest == 0:
        return weights, thresholds
    n_bits = 51 - int(np.ceil(np.log2(largest)))
    return _round_to_bits(weights, n_bits), _round_to_bits(thresholds, n_bits)


def _round_to_bits(values: Array, n_bits: int) -> Array:
    """Round to multiples of ``2 ** -n_bits``."""
    return np.ldexp(np.rint(np.ldexp(values, n_bits)), -n_bits)
