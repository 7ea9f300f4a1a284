"""Hopfield networks by their published equations, one unit and one row at a time."""

from decimal import Decimal, localcontext
from functools import cache

import numpy as np

# Significant digits with which the dense network's energies are summed.
DIGITS = 50


def hebb(patterns):
    n = patterns.shape[1]
    weights = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            if i != j:
                weights[i, j] = sum(x[i] * x[j] for x in patterns)
    return weights


def storkey(patterns):
    n = patterns.shape[1]
    weights = np.zeros((n, n))
    for x in patterns:
        old = weights.copy()
        for i in range(n):
            for j in range(n):
                if i == j:
                    continue
                others = [k for k in range(n) if k not in (i, j)]
                h_ij = sum(old[i, k] * x[k] for k in others)
                h_ji = sum(old[j, k] * x[k] for k in others)
                weights[i, j] += (x[i] * x[j] - x[i] * h_ji - h_ij * x[j]) / n
    return weights


def pseudo_inverse(patterns):
    """X' (X X')^-1 X of linearly independent patterns, without its diagonal."""
    weights = patterns.T @ np.linalg.inv(patterns @ patterns.T) @ patterns
    return weights - np.diag(np.diag(weights))


def energy(weights, thresholds, s):
    return -0.5 * s @ weights @ s + thresholds @ s


@cache
def _power(beta, overlap):
    """exp(beta * overlap), which fits into a decimal number for every beta."""
    with localcontext(prec=DIGITS):
        return (Decimal(beta) * overlap).exp()


def _log_sum(patterns, beta, s):
    """1 / beta times the log of the sum over the patterns, in decimal numbers."""
    with localcontext(prec=DIGITS):
        total = sum(_power(beta, int(overlap)) for overlap in patterns @ s)
        return total.ln() / Decimal(beta)


def dense_energy(patterns, beta, thresholds, s):
    return float(-_log_sum(patterns, beta, s)) + thresholds @ s


def dense_field(patterns, beta, s, unit):
    """Half of the energy difference between a unit off and on, without threshold."""
    on, off = np.array(s), np.array(s)
    on[unit], off[unit] = 1, -1
    with localcontext(prec=DIGITS):
        saved = _log_sum(patterns, beta, on) - _log_sum(patterns, beta, off)
    return float(saved) / 2


def recall(weights, thresholds, start):
    """Update units in their order, in repeated sweeps, until no unit changes."""
    s = np.array(start, dtype=float)
    changed = True
    while changed:
        changed = False
        for i in range(len(s)):
            new = 1.0 if thresholds[i] <= weights[i] @ s else -1.0
            changed |= new != s[i]
            s[i] = new
    return s


def dense_recall(patterns, beta, thresholds, start):
    """Recall of the dense network, and the energy before and after each update."""
    s = np.array(start, dtype=float)
    energies = [dense_energy(patterns, beta, thresholds, s)]
    changed = True
    while changed:
        changed = False
        for i in range(len(s)):
            field = dense_field(patterns, beta, s, i)
            new = 1.0 if field >= thresholds[i] - 1e-11 / max(1, beta) else -1.0
            changed |= new != s[i]
            s[i] = new
            energies.append(dense_energy(patterns, beta, thresholds, s))
    return s, energies
