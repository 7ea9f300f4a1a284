"""Boltzmann machines by chance: Gibbs sampling, and log Z by annealing."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import logsumexp

from sklearn_rnn.energy._boltzmann_parameters import (
    Array,
    Machine,
    pair_energy,
    sigmoid,
    softplus,
)
from sklearn_rnn.energy._spin_networks import Mask, PairwiseNetwork

# Independent runs of annealed importance sampling.
AIS_RUNS = 100


@dataclass
class Clamp:
    """Visible units that keep their values while the others are sampled."""

    mask: Mask  # (n_samples, n_visible)
    values: Array
    given: Array  # the values in the unit of the data


def coin_flips(probabilities: Array, rng: np.random.Generator) -> Array:
    """1 with the given probability, else 0."""
    dtype = probabilities.dtype
    return (rng.random(probabilities.shape, dtype=dtype) < probabilities).astype(dtype)


def sweep(
    machine: Machine,
    visible: Array,
    hidden: Array,
    rng: np.random.Generator,
    *,
    held: Clamp | None = None,
    temperature: float = 1.0,
) -> tuple[Array, Array, Array]:
    """Sample every unit once, in each row.

    Returns visible states, hidden states, and what is known of the means of the latter
    given the former. A restricted machine samples a layer at a time, the visible one
    first; others sample unit by unit.
    """
    if machine.full:
        return _sweep_all(machine, visible, hidden, rng, held, temperature)
    visible = draw_visible(machine, machine.visible_fields(hidden), rng, temperature)
    if held is not None:
        visible = np.where(held.mask, held.values, visible)
    means = sigmoid(machine.hidden_fields(visible) / temperature)
    return visible, coin_flips(means, rng), means


def draw_visible(
    machine: Machine, fields: Array, rng: np.random.Generator, temperature: float = 1
) -> Array:
    """Visible states given their fields."""
    if machine.gaussian:
        noise = rng.standard_normal(fields.shape, dtype=fields.dtype)
        return fields + float(np.sqrt(temperature)) * noise
    return coin_flips(sigmoid(fields / temperature), rng)


def _sweep_all(
    machine: Machine,
    visible: Array,
    hidden: Array,
    rng: np.random.Generator,
    held: Clamp | None,
    temperature: float,
) -> tuple[Array, Array, Array]:
    n_visible = visible.shape[1]
    free = None
    if held is not None:
        free = np.ones((len(visible), sum(machine.shape)), bool)
        free[:, :n_visible] = ~held.mask
        visible = np.where(held.mask, held.values, visible)
    units = np.hstack([visible, hidden])
    units = sweep_units(*machine.joint(), units, rng, free, temperature)
    hidden = units[:, n_visible:]
    if held is None:
        visible = units[:, :n_visible]
    else:  # which may be probabilities
        visible = np.where(held.mask, held.values, units[:, :n_visible])
    return visible, hidden, hidden


def sweep_units(
    weights: Array,
    biases: Array,
    units: Array,
    rng: np.random.Generator,
    free: Mask | None = None,
    temperature: float = 1.0,
) -> Array:
    """Every unit of every row once, one after the other, by chance.

    With ``u = (s + 1) / 2`` this is a network of units s of -1 and +1, of a quarter of
    the weights and the thresholds ``-(bias / 2 + sum_j w_ij / 4)``.
    """
    thresholds = -(biases / 2 + weights.sum(axis=1) / 4)
    network = PairwiseNetwork(weights / 4, thresholds.astype(np.float64))
    states = np.array(2 * units.T - 1, dtype=network.dtype, order="C")
    noise = temperature / 2 * np.asarray(rng.logistic(size=states.shape))
    network.update_async(
        states, np.arange(len(states)), None if free is None else free.T, noise
    )
    return (states.T > 0).astype(units.dtype)


def annealed_log_partition(
    machine: Machine, base_bias: Array, n_steps: int, rng: np.random.Generator
) -> float:
    """log Z by annealed importance sampling (Neal, 2001; Salakhutdinov, Murray, 2008).

    Runs go from a machine without weights, of the visible biases ``base_bias``, whose
    log Z is known, to this one in ``n_steps`` equal steps.
    """
    n_hidden, n_visible = machine.shape
    log_z = n_hidden * np.log(2)
    if machine.gaussian:
        log_z += n_visible * np.log(2 * np.pi) / 2
    else:
        log_z += float(softplus(base_bias).sum())
    annealed = _annealed_units if machine.full else _annealed_layers
    log_weights = annealed(machine, base_bias, np.linspace(0, 1, n_steps + 1), rng)
    return float(log_z + logsumexp(log_weights) - np.log(AIS_RUNS))


def _annealed_layers(
    machine: Machine, base_bias: Array, shares: Array, rng: np.random.Generator
) -> Array:
    """Log weights of the runs, hidden units summed out."""
    number = machine.components.dtype.type
    towards = machine.visible_bias - base_bias
    now = base_bias
    visible = draw_visible(machine, np.tile(now, (AIS_RUNS, 1)), rng)
    log_weights = np.zeros(AIS_RUNS)
    for before, share in pairwise(map(number, shares)):
        fields = machine.hidden_fields(visible)
        log_weights += softplus(share * fields).sum(axis=1)
        log_weights -= softplus(before * fields).sum(axis=1)
        log_weights += (share - before) * (visible @ towards)
        then, now = now, base_bias + share * towards
        if machine.gaussian:
            log_weights += ((then**2).sum() - (now**2).sum()) / 2
        hidden = coin_flips(sigmoid(share * fields), rng)
        visible = draw_visible(
            machine, share * (hidden @ machine.components) + now, rng
        )
    return log_weights


def _annealed_units(
    machine: Machine, base_bias: Array, shares: Array, rng: np.random.Generator
) -> Array:
    """Log weights of the runs, over the states of all units."""
    weights, biases = machine.joint()
    base = np.concatenate([base_bias, np.zeros(machine.shape[0])])
    units = coin_flips(np.tile(sigmoid(base), (AIS_RUNS, 1)), rng)
    log_weights = np.zeros(AIS_RUNS)
    for before, share in pairwise(shares):
        gain = units @ (biases - base) + pair_energy(weights, units)
        log_weights += (share - before) * gain
        now = base + share * (biases - base)
        units = sweep_units(share * weights, now, units, rng)
    return log_weights
