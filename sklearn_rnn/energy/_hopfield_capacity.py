"""Capacity of Hopfield networks: limits, warnings, theory and measurement."""

import warnings

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.special import erf, erfc
from scipy.stats import norm
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Bunch

from sklearn_rnn._core.randomness import draw_seed
from sklearn_rnn._core.user_warnings import warn_user


class CapacityWarning(UserWarning):
    """Warning that a network cannot store all patterns that it was given.

    :class:`HopfieldDenoiser` issues it in ``fit`` and ``partial_fit``.
    """


# Capacity of symmetric weights relative to Gardner's unconstrained weights, measured
# with the perceptron rule at margins 0 to 2: it reaches the margin in half of the draws
# at .62 to .72 of Gardner's capacity with 50 units, and at .7 to .8 with 100 units.
SYMMETRIC_SHARE = 0.7


def capacity(rule, n_units, margin, beta):
    """Compute the number of random patterns of n_units that a rule can store."""
    if rule == "hebb":
        share = CRITICAL_LOAD
    elif rule == "storkey":
        share = 1 / np.sqrt(2 * np.log(max(n_units, 2)))
    elif rule == "perceptron":
        # Gardner (1988): 1 / share = integral of (t + margin)^2 over t > -margin
        share = (1 + margin**2) * norm.cdf(margin) + margin * norm.pdf(margin)
        share = SYMMETRIC_SHARE / share
    elif rule == "dense":
        share = _dense_capacity(n_units, beta) / n_units
    else:
        share = 1.0
    return float(max(1.0, share * n_units))  # one pattern can always be stored


def _dense_capacity(n_units, beta):
    """Compute the number of random patterns that the dense rule can store.

    In the fields of its own units, a pattern has the weight ``exp(beta (n - 1))``. Each
    of the others acts on a unit with a random sign and a weight ``exp(beta c)`` of mean
    square ``cosh(2 beta)^(n - 1)``. Their sum is approximated as Gaussian noise. The
    capacity is the number of patterns at which this noise flips about one unit in n,
    and at most the ``2^(n / 2)`` of Demircigil et al. (2017).
    """
    # log cosh(2 beta) in a form that does not overflow
    log_cosh = 2 * beta + np.log1p(np.exp(-4 * beta)) - np.log(2)
    log_ratio = (n_units - 1) * (2 * beta - log_cosh)
    others = np.exp(min(log_ratio, 700)) / (2 * np.log(max(n_units, 2)))
    return min(1 + others, 2.0 ** min(n_units / 2, 1000))


# Maximum share of its units that a stored pattern may lose in one update. Hebb's rule
# loses .0036 at its critical load.
MAX_LOST_UNITS = 0.01

# Maximum number of stored patterns whose stability is checked, and of products of two
# patterns computed for the check.
CHECKED_PATTERNS = 1000
CHECKED_PAIRS = 10**7


def find_lost(network, patterns):
    """Find the patterns of which an update changes more than one unit in a hundred.

    The result is a mask of shape (n_checked,). All patterns are checked if there are
    few, otherwise a subset of them at equal distances.
    """
    n_patterns = len(patterns)
    n_max = max(1, min(CHECKED_PATTERNS, CHECKED_PAIRS // n_patterns))
    chosen = np.arange(0, n_patterns, -(-n_patterns // n_max))
    stays, _ = network.stability_and_energy(patterns[chosen].T)
    return (~stays).mean(axis=0) > MAX_LOST_UNITS


def warn_about_patterns(patterns, rule, limit, lost):
    """Warn if patterns of -1 and +1, (n_patterns, n_units), cannot all be recalled.

    ``limit`` is the number of random patterns that the rule can be expected to store,
    ``lost`` the mask of :func:`find_lost`.
    """
    found = (
        f"{lost.sum()} of {len(lost)} stored patterns"
        f"{'' if len(lost) == len(patterns) else ' that were checked'} are not stable: "
        f"recall flips more than {MAX_LOST_UNITS:.0%} of their units."
    )
    n_patterns, n_units = patterns.shape
    if n_patterns > limit:
        other = (
            "increase beta"
            if rule == "dense"
            else "use rule='dense', which has the largest capacity"
        )
        warn_user(
            f"{n_patterns} patterns of {n_units} units are a load of "
            f"{n_patterns / n_units:.3g} patterns per unit, but the capacity of "
            f"rule={rule!r} is about {limit / n_units:.3g}, that is {limit:.4g} "
            f"patterns. Store fewer patterns, or {other}."
            + (f" {found}" if lost.any() else ""),
            CapacityWarning,
        )
    elif lost.any():
        warn_user(
            f"{found} Similar patterns, and patterns with many more units off than on, "
            "are harder to store than random ones. Try another rule or "
            "thresholds='learned', or store fewer patterns.",
            CapacityWarning,
        )
    distinct, first, counts = np.unique(
        np.packbits(patterns > 0, axis=1), axis=0, return_index=True, return_counts=True
    )
    if len(distinct) < n_patterns:
        repeated = first[counts > 1].min()
        warn_user(
            f"Only {len(distinct)} of {n_patterns} patterns are distinct: pattern "
            f"{repeated} occurs more than once. predict returns the label of the first "
            "of equal patterns.",
            CapacityWarning,
        )
    uniform = np.flatnonzero(np.abs(patterns.sum(axis=1)) == n_units)
    if len(uniform) and n_units > 1:
        state = "on" if patterns[uniform[0], 0] > 0 else "off"
        warn_user(
            f"All units of pattern {uniform[0]} are {state}, so the pattern carries no "
            "information. Units are on where X is greater than binarize. Set binarize "
            "between the smallest and the largest value of X.",
            CapacityWarning,
        )


def hebb_bit_error(load):
    """Compute the share of units of a stored pattern that the first update flips.

    It is ``erfc(sqrt(1 / (2 load))) / 2`` for Hebb's rule, many units and random
    patterns, because the other patterns then act on a unit as Gaussian noise of
    variance ``load``.

    Parameters
    ----------
    load : array-like of float
        Number of patterns per unit, greater than 0.

    Returns
    -------
    error : float or ndarray of float
        Probability from 0 to 0.5.

    See Also
    --------
    hebb_overlap : Overlap after recall instead of the first update.

    References
    ----------
    J. Hertz, A. Krogh, R. Palmer: Introduction to the Theory of Neural Computation,
    1991, section 2.2.

    Examples
    --------
    >>> from sklearn_rnn.energy import hebb_bit_error
    >>> print(hebb_bit_error(0.138).round(4))
    0.0036
    """
    return erfc(np.sqrt(1 / (2 * np.asarray(load, dtype=float)))) / 2


def hebb_overlap(load):
    """Compute the overlap after recall that theory predicts for Hebb's rule.

    The overlap is ``erf(y)``, where y is the largest root of
    ``y (sqrt(2 load) + 2 / sqrt(pi) exp(-y^2)) = erf(y)``. This is the retrieval state
    of the mean-field theory at temperature 0, without replica symmetry breaking. Above
    the critical load of 0.138 there is no such state, and the overlap is 0.

    Parameters
    ----------
    load : array-like of float
        Number of patterns per unit, greater than 0.

    Returns
    -------
    overlap : ndarray of float
        Mean of the product of recalled and stored units, from 0 to 1.

    See Also
    --------
    capacity_curve : Measures the overlap of any rule.

    References
    ----------
    D. Amit, H. Gutfreund, H. Sompolinsky: Storing Infinite Numbers of Patterns in a
    Spin-Glass Model of Neural Networks, Physical Review Letters 55, 1985.

    Examples
    --------
    >>> from sklearn_rnn.energy import hebb_overlap
    >>> hebb_overlap([0.05, 0.137, 0.14]).round(3)
    array([1.   , 0.975, 0.   ])
    """
    return np.vectorize(_hebb_overlap, otypes=[float])(load)


def _load_at(y):
    """Compute the load at which y solves the mean-field equation."""
    return (erf(y) / y - 2 / np.sqrt(np.pi) * np.exp(-(y**2))) ** 2 / 2


_maximum = minimize_scalar(lambda y: -_load_at(y), bounds=(0.5, 5), method="bounded")
CRITICAL_LOAD = float(-_maximum.fun)  # 0.1379


def _hebb_overlap(load):
    """Compute the overlap at a single load."""
    if load >= CRITICAL_LOAD:
        return 0.0
    largest = 1 / np.sqrt(2 * load) + 1
    return erf(brentq(lambda y: _load_at(y) - load, _maximum.x, largest))


def capacity_curve(
    estimator,
    *,
    n_features=500,
    loads=None,
    n_repeats=3,
    flipped=0.0,
    random_state=None,
):
    """Measure how recall depends on the number of stored patterns.

    At each load, the estimator is fitted to random patterns of -1 and +1. Up to 100 of
    them are then recalled, with a share of their units flipped.

    Parameters
    ----------
    estimator : object
        A :class:`HopfieldDenoiser`, or another estimator with ``fit`` and
        ``transform``. It is cloned.
    n_features : int, default=500
        Number of units per pattern.
    loads : array-like of shape (n_loads,) or None, default=None
        Numbers of patterns per unit. By default 12 values from 0.02 to 0.24.
    n_repeats : int, default=3
        Number of sets of patterns per load.
    flipped : float, default=0.0
        Share of the units that are flipped before recall, from 0 to 1.
    random_state : int, RandomState instance or None, default=None
        Seed of the patterns and of the units that are flipped.

    Returns
    -------
    curve : :class:`~sklearn.utils.Bunch`
        loads : ndarray of shape (n_loads,)
            Numbers of patterns per unit.
        n_patterns : ndarray of int of shape (n_loads,)
            Numbers of stored patterns.
        overlaps : ndarray of shape (n_loads, n_repeats)
            Mean product of recalled and stored units: 1 for perfect recall, about 0
            for none.

    Raises
    ------
    ValueError
        If ``loads`` or ``flipped`` are out of range.

    See Also
    --------
    hebb_overlap : Overlap that theory predicts for Hebb's rule.
    sklearn_rnn.display.CapacityDisplay : Plots the curve.

    Examples
    --------
    >>> from sklearn_rnn import HopfieldDenoiser
    >>> from sklearn_rnn.energy import capacity_curve
    >>> curve = capacity_curve(
    ...     HopfieldDenoiser(), n_features=200, loads=[0.05], random_state=0
    ... )
    >>> curve.overlaps.round(2)
    array([[1., 1., 1.]])
    """
    loads = np.linspace(0.02, 0.24, 12) if loads is None else np.asarray(loads, float)
    if loads.ndim != 1 or not len(loads) or not (loads > 0).all():
        raise ValueError(
            f"loads must be a list of numbers greater than 0. Got {loads}."
        )
    if not 0 <= flipped <= 1:
        raise ValueError(f"flipped must be a number from 0 to 1. Got {flipped}.")
    n_patterns = np.maximum(1, np.rint(loads * n_features)).astype(int)
    rng = np.random.default_rng(draw_seed(random_state))
    overlaps = [
        [
            _measure_overlap(estimator, count, n_features, flipped, rng)
            for _ in range(n_repeats)
        ]
        for count in n_patterns
    ]
    return Bunch(loads=loads, n_patterns=n_patterns, overlaps=np.array(overlaps))


# Maximum number of patterns that are recalled for one point of a capacity curve.
PROBES = 100


def _measure_overlap(estimator, n_patterns, n_features, flipped, rng):
    """Measure the mean overlap of recalled and stored patterns for new patterns."""
    patterns = rng.choice([-1.0, 1.0], (n_patterns, n_features))
    wanted = patterns[:PROBES]
    signs = np.ones(wanted.shape)
    signs[:, : round(flipped * n_features)] = -1
    start = wanted * rng.permuted(signs, axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CapacityWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        recalled = clone(estimator).fit(patterns).transform(start)
    return float((recalled * wanted).mean())
