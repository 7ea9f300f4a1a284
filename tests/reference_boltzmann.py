"""Boltzmann machines of a few units, computed by enumeration of all states."""

from itertools import combinations, product

import numpy as np
from scipy.special import logsumexp


def states(n_units):
    """Every state of `n_units` units, (2 ** n_units, n_units)."""
    return np.array(list(product([0.0, 1.0], repeat=n_units)))


def parameters(machine):
    """b, c, W, L, J and s of a fitted machine; 0 for those that it does not have."""
    b, c = machine.intercept_visible_, machine.intercept_hidden_
    return {
        "b": b,
        "c": c,
        "W": machine.components_,
        "L": getattr(machine, "visible_weights_", np.zeros((len(b), len(b)))),
        "J": getattr(machine, "hidden_weights_", np.zeros((len(c), len(c)))),
        "s": getattr(machine, "scale_", None),
    }


def energy(p, v, h):
    """E of one state; v is binary, or real if the parameters contain a scale s."""
    e = 0.0
    for i, x in enumerate(v):
        if p["s"] is None:
            e -= p["b"][i] * x
        else:
            e += (x - p["b"][i]) ** 2 / (2 * p["s"][i] ** 2)
        for k, on in enumerate(h):
            e -= p["W"][k, i] * on * x / (1 if p["s"] is None else p["s"][i])
    for k, on in enumerate(h):
        e -= p["c"][k] * on
    for weights, units in ((p["L"], v), (p["J"], h)):
        for i, j in combinations(range(len(units)), 2):
            e -= weights[i, j] * units[i] * units[j]
    return e


def energies(p, V):
    """E of the rows of V with every hidden state, (n, 2 ** n_hidden)."""
    hidden = states(len(p["c"]))
    return np.array([[energy(p, v, h) for h in hidden] for v in V])


def log_partition(p, temperature=1.0):
    """log of the sum over every state; the Gaussian units are integrated by hand."""
    if p["s"] is None:
        return logsumexp(-energies(p, states(len(p["b"]))) / temperature)
    # With u = (v - b) / s the exponent is -u.u/2 + (h W).u + h.(c + W b/s).
    hidden = states(len(p["c"]))
    fields = hidden @ p["W"]
    terms = hidden @ (p["c"] + p["W"] @ (p["b"] / p["s"])) + (fields**2).sum(1) / 2
    return logsumexp(terms) + np.log(np.sqrt(2 * np.pi) * p["s"]).sum()


def log_likelihood(p, V):
    """log p(v) of each row of V."""
    return logsumexp(-energies(p, V), axis=1) - log_partition(p)


def visible_distribution(p, temperature=1.0):
    """Probability of each of states(n_features)."""
    table = -energies(p, states(len(p["b"]))) / temperature
    return np.exp(logsumexp(table, axis=1) - logsumexp(table))


def hidden_means(p, V):
    """P(h = 1 | v) of each row, exact also where hidden units are connected."""
    weights = np.exp(-energies(p, V))
    return weights @ states(len(p["c"])) / weights.sum(1, keepdims=True)


def statistics(p, V, chances):
    """Mean of v, h, h v', v v' and h h' under chances of (row of V, hidden state)."""
    hidden = states(len(p["c"]))
    mean = {
        "b": np.einsum("nh,ni->i", chances, V),
        "c": np.einsum("nh,hk->k", chances, hidden),
        "W": np.einsum("nh,hk,ni->ki", chances, hidden, V),
        "L": np.einsum("nh,ni,nj->ij", chances, V, V),
        "J": np.einsum("nh,hk,hl->kl", chances, hidden, hidden),
    }
    for name in ("L", "J"):
        np.fill_diagonal(mean[name], 0)
    return mean


def gradient(p, V):
    """Gradient of the mean log p(v); L_ij and L_ji are one parameter, as in J."""
    given = -energies(p, V)
    given = np.exp(given - logsumexp(given, axis=1, keepdims=True)) / len(V)
    everything = states(len(p["b"]))
    free = -energies(p, everything)
    data, model = (
        statistics(p, V, given),
        statistics(p, everything, np.exp(free - logsumexp(free))),
    )
    return {name: data[name] - model[name] for name in data}
