"""The learning rules of a Hopfield network, which turn patterns into weights.

Patterns are rows of -1 and +1, of shape ``(n_patterns, n_units)``, of which Hebb's and
Storkey's rules may have the mean subtracted. Every rule returns
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
    is_binary = bool((np.abs(patterns) == 1).all())
    for x in patterns:
        # h_ij x_j = field_i x_j - w_ij x_j x_j
        field = dsymv(1, weights, x, lower=1)
        if is_binary:
            weights *= 1 + 2 / n_units
        else:
            weights *= 1 + np.add.outer(x**2, x**2) / n_units
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
    A field of 0 is never stable enough, since it turns a unit on. If no pass reaches
    the margin, the weights with the greatest least stability are returned.
    """
    n_units = patterns.shape[1]
    # 2n times the weights: integers, whose fields are exactly 0 or not
    weights = 2 * hebb(patterns, margin)[0]
    best, greatest = weights, -np.inf
    for n_passes in range(1, MAX_PASSES + 1):
        size = np.linalg.norm(weights, axis=1)
        stability = patterns * (patterns @ weights) / np.where(size > 0, size, 1)
        least = float(stability.min())
        if least > greatest:
            best, greatest = weights, least
        weak = (stability < margin) | (stability <= 0)
        if not weak.any():
            return best / (2 * n_units), n_passes
        step = (weak * patterns).T @ patterns
        weights = weights + step + step.T
        np.fill_diagonal(weights, 0)
    warn_user(
        f"The perceptron rule did not reach margin={margin} for all units of all "
        f"patterns in {MAX_PASSES} passes; their least stability is {greatest:.3g}. "
        "Store fewer patterns or ask for a smaller margin.",
        ConvergenceWarning,
    )
    return best / (2 * n_units), MAX_PASSES


RULES: dict[str, Callable[[Array, float], tuple[Array, int]]] = {
    "hebb": hebb,
    "storkey": storkey,
    "pseudo_inverse": pseudo_inverse,
    "perceptron": perceptron,
}


# Rules that learn thresholds from the mean of the patterns.
COVARIANCE_RULES = ("hebb", "storkey")


def learn(
    rule: str, patterns: Array, margin: float, *, with_thresholds: bool
) -> tuple[Array, Array, int]:
    """Weights, thresholds, and the number of passes.

    The pseudo-inverse and the perceptron rule learn thresholds as the weights of one
    more unit that is on in every pattern: ``sum_j w_ij s_j + w_i* >= 0`` is
    ``sum_j w_ij s_j >= -w_i*``. This does not help Hebb's and Storkey's rules, which
    adapt no weight to the errors; see :func:`learn_covariances`.
    """
    n_units = patterns.shape[1]
    if with_thresholds and rule in COVARIANCE_RULES:
        return learn_covariances(rule, patterns)
    if with_thresholds:
        patterns = np.hstack([patterns, np.ones((len(patterns), 1))])
    weights, n_passes = RULES[rule](patterns, margin)
    weights = (weights + weights.T) / 2  # to the last bit
    thresholds = -weights[:n_units, n_units] if with_thresholds else np.zeros(n_units)
    return weights[:n_units, :n_units], thresholds, n_passes


def learn_covariances(rule: str, patterns: Array) -> tuple[Array, Array, int]:
    """Hebb's or Storkey's rule for patterns with unequal numbers of units on and off.

    Weights are learned from ``z = x - a``, where a is the mean of all units of all
    patterns (Amit, Gutfreund and Sompolinsky, 1987; Tsodyks and Feigelman, 1988), for
    Storkey's rule in units of the standard deviation. In a stored pattern the field
    ``sum_j w_ij z_j`` is about ``k z_i``, and a threshold of ``-k a`` lies halfway
    between that of units on and that of units off. For x instead of z,
    ``thresholds_i = a sum_j w_ij - k a``. Balanced patterns have a = 0.
    """
    mean = patterns.mean()
    centred = patterns - mean
    spread = centred.std()
    if spread == 0:  # all units of all patterns alike
        n_units = patterns.shape[1]
        return np.zeros((n_units, n_units)), -np.full(n_units, mean), 1
    learned = centred if rule == "hebb" else centred / spread
    weights, n_passes = RULES[rule](learned, 0.0)
    weights = (weights + weights.T) / 2
    gain = ((centred @ weights) * centred).sum() / (centred**2).sum()
    return weights, mean * (weights.sum(axis=1) - gain), n_passes


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
