"""Learning rules of a Hopfield network, which compute weights from patterns.

Patterns have the shape ``(n_patterns, n_units)`` and the values -1 and +1; for Hebb's
and Storkey's rules their mean may have been subtracted. Every rule returns symmetric
weights of shape ``(n_units, n_units)`` with a zero diagonal, and the number of passes
over the patterns.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dsymv, dsyr2
from sklearn.exceptions import ConvergenceWarning

from sklearn_rnn._core.user_warnings import warn_user

Array = NDArray[np.float64]

# Maximum number of passes of the perceptron rule. If a solution exists, it is found
# within tens of passes.
MAX_PASSES = 1000


def hebb(patterns: Array, margin: float) -> tuple[Array, int]:
    """Sum the products of two units over all patterns (Hopfield, 1982).

    ``w_ij = sum_m x_mi x_mj``, which are exact integers.
    """
    weights = patterns.T @ patterns
    np.fill_diagonal(weights, 0)
    return weights, 1


def storkey(patterns: Array, margin: float) -> tuple[Array, int]:
    """Compute Hebb's rule minus the part that is already stored (Storkey, 1997).

    Patterns x are learned one after another by
    ``w_ij += (x_i x_j - x_i h_ji - h_ij x_j) / n`` with
    ``h_ij = sum_{k != i, j} w_ik x_k``.
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
    """Compute the projection onto the patterns without diagonal (Personnaz, 1985).

    ``W = pinv(X) X``. Before the diagonal is removed, ``W x = x`` for each stored x.
    """
    weights = np.linalg.pinv(patterns) @ patterns
    np.fill_diagonal(weights, 0)
    return weights, 1


def perceptron(patterns: Array, margin: float) -> tuple[Array, int]:
    """Repeat Hebb's rule for units that are not stable enough (Gardner, 1988).

    Learning starts from Hebb's weights. In each pass, ``e_i = 1`` for units of a
    pattern whose stability ``x_i sum_j w_ij x_j / |w_i|`` is below the margin, and 0
    for others. The pass adds ``(e_i + e_j) x_i x_j / 2n``, which keeps the weights
    symmetric. A field of 0 is never stable enough, since it turns a unit on. If no pass
    reaches the margin, the weights with the largest minimum stability are returned.
    """
    n_units = patterns.shape[1]
    # 2n times the weights are integers, so a field of 0 is exactly 0
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
        f"patterns in {MAX_PASSES} passes. The smallest stability is {greatest:.3g}. "
        "Store fewer patterns or set a smaller margin.",
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
    """Learn weights and thresholds; also return the number of passes.

    The pseudo-inverse and the perceptron rule learn thresholds as the weights of an
    additional unit that is on in every pattern: ``sum_j w_ij s_j + w_i* >= 0`` is
    equivalent to ``sum_j w_ij s_j >= -w_i*``. This does not help Hebb's and Storkey's
    rules, which do not adapt weights to errors; see :func:`learn_covariances`.
    """
    n_units = patterns.shape[1]
    if with_thresholds and rule in COVARIANCE_RULES:
        return learn_covariances(rule, patterns)
    if with_thresholds:
        patterns = np.hstack([patterns, np.ones((len(patterns), 1))])
    weights, n_passes = RULES[rule](patterns, margin)
    weights = (weights + weights.T) / 2  # symmetric to the last bit
    thresholds = -weights[:n_units, n_units] if with_thresholds else np.zeros(n_units)
    return weights[:n_units, :n_units], thresholds, n_passes


def learn_covariances(rule: str, patterns: Array) -> tuple[Array, Array, int]:
    """Apply Hebb's or Storkey's rule to patterns with unequal numbers of units on.

    Weights are learned from ``z = x - a``, where a is the mean of all units of all
    patterns (Amit, Gutfreund and Sompolinsky, 1987; Tsodyks and Feigelman, 1988).
    Storkey's rule learns from z divided by its standard deviation. In a stored pattern
    the field ``sum_j w_ij z_j`` is about ``k z_i``. A threshold of ``-k a`` lies
    halfway between the fields of units that are on and of units that are off. Expressed
    for x instead of z, it is ``thresholds_i = a sum_j w_ij - k a``. If as many units
    are on as off, a = 0.
    """
    mean = patterns.mean()
    centered = patterns - mean
    spread = centered.std()
    if spread == 0:  # all units of all patterns have the same value
        n_units = patterns.shape[1]
        return np.zeros((n_units, n_units)), -np.full(n_units, mean), 1
    learned = centered if rule == "hebb" else centered / spread
    weights, n_passes = RULES[rule](learned, 0.0)
    weights = (weights + weights.T) / 2
    gain = ((centered @ weights) * centered).sum() / (centered**2).sum()
    return weights, mean * (weights.sum(axis=1) - gain), n_passes


def round_for_exact_sums(weights: Array, thresholds: Array) -> tuple[Array, Array]:
    """Round weights and thresholds so that all their sums are exact.

    All become multiples of one power of two, which is just large enough for a field and
    its threshold to fit into the 53 bits of a float64. The field of a unit then does
    not depend on the order of summation: alone, in a batch, or updated after each flip.
    Ties therefore remain ties. Integers do not change; other weights change by less
    than 1e-9 of the largest one, for up to a million units.
    """
    reach = np.abs(weights).sum(axis=1, initial=0)
    # thresholds larger than any field need no finer comparison
    sizes = reach + np.minimum(np.abs(thresholds), np.maximum(reach, 1))
    largest = float(sizes.max(initial=0))
    if largest == 0:
        return weights, thresholds
    n_bits = 51 - int(np.ceil(np.log2(largest)))
    return _round_to_bits(weights, n_bits), _round_to_bits(thresholds, n_bits)


def _round_to_bits(values: Array, n_bits: int) -> Array:
    """Round to multiples of ``2 ** -n_bits``."""
    return np.ldexp(np.rint(np.ldexp(values, n_bits)), -n_bits)
