"""Hopfield networks by their published equations, one unit and one row at a time."""

import numpy as np


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


def dense_energy(patterns, beta, thresholds, s):
    return -np.log(np.exp(beta * (patterns @ s)).sum()) / beta + thresholds @ s


def recall(weights, thresholds, start):
    """Units in their order, again and again, until no unit changes."""
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
    """The same, comparing the energies of both states of a unit."""
    s = np.array(start, dtype=float)
    changed = True
    while changed:
        changed = False
        for i in range(len(s)):
            on, off = s.copy(), s.copy()
            on[i], off[i] = 1, -1
            energies = [
                dense_energy(patterns, beta, thresholds, state) for state in (on, off)
            ]
            new = 1.0 if energies[0] <= energies[1] + 1e-9 else -1.0
            changed |= new != s[i]
            s[i] = new
    return s
