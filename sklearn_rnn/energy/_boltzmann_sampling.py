"""Gibbs sampling of Boltzmann machines."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import check_array

from sklearn_rnn._core.threads import use_one_thread
from sklearn_rnn._data.cells import explain_errors, name_in_errors
from sklearn_rnn._data.containers import unwrap
from sklearn_rnn.energy._boltzmann_parameters import (
    Array,
    Machine,
    sigmoid,
)
from sklearn_rnn.energy._spin_networks import Mask, PairwiseNetwork

# Sampling at a single temperature starts at this multiple of it.
START_FACTOR = 10.0


@dataclass
class Chains:
    """Markov chains of the machine, which persist between batches."""

    visible: Array  # (n_chains, n_visible)
    hidden: Array  # (n_chains, n_hidden)


@dataclass
class Clamp:
    """Visible units that keep their values while the others are sampled."""

    mask: Mask  # (n_samples, n_visible)
    values: Array

    def apply(self, visible: Array) -> Array:
        return np.where(self.mask, self.values, visible)


def check_clamped_values(clamp: Any, shape: tuple[int, int], dtype: np.dtype) -> Array:
    """Validate ``clamp``; return values (n_samples, n_visible), NaN for free units."""
    with explain_errors(clamp, "clamp"):
        clamp = check_array(
            unwrap(clamp, "clamp"),
            dtype=dtype,
            ensure_2d=False,
            ensure_all_finite="allow-nan",
            input_name="clamp",
        )
    if clamp.shape not in (shape, shape[1:]):
        raise ValueError(
            f"clamp has the shape {clamp.shape}. Pass an array of shape {shape[1:]} or "
            f"{shape}, with a value for each unit to keep and NaN for all others."
        )
    return np.broadcast_to(clamp, shape)


def plan_gibbs_temperatures(temperature: Any, n_steps: int) -> list[float]:
    """One temperature per step; a single number is approached from higher values."""
    with explain_errors(temperature, "temperature"), name_in_errors("temperature"):
        temperatures = np.asarray(temperature, dtype=np.float64)
    if temperatures.shape not in ((), (n_steps,)) or not (temperatures > 0).all():
        raise ValueError(
            "temperature must be a number greater than 0, or an array of "
            f"n_gibbs_steps={n_steps} such numbers. Got {temperature!r}."
        )
    if temperatures.ndim == 0:
        descent = np.geomspace(START_FACTOR, 1, n_steps // 2)
        temperatures = temperatures * np.r_[descent, np.ones(n_steps - len(descent))]
    return temperatures.tolist()


def sample_visible(
    machine: Machine,
    chains: Chains,
    n_samples: int,
    temperatures: list[float],
    rng: np.random.Generator,
    clamp: Clamp | None = None,
) -> Array:
    """Visible states (n_samples, n_visible) after one sweep per temperature.

    Each sample starts from one of the chains, drawn at random.
    """
    start = rng.integers(len(chains.hidden), size=n_samples)
    visible, hidden = chains.visible[start], chains.hidden[start]
    with use_one_thread():
        for temperature in temperatures:
            visible, hidden, _ = sweep(
                machine, visible, hidden, rng, clamp=clamp, temperature=temperature
            )
    return visible


def sample_bernoulli(probabilities: Array, rng: np.random.Generator) -> Array:
    """1 with the given probabilities, else 0."""
    dtype = probabilities.dtype
    return (rng.random(probabilities.shape, dtype=dtype) < probabilities).astype(dtype)


def sweep(
    machine: Machine,
    visible: Array,
    hidden: Array,
    rng: np.random.Generator,
    *,
    clamp: Clamp | None = None,
    temperature: float = 1.0,
) -> tuple[Array, Array, Array]:
    """Sample every unit once, in each row.

    Returns visible states, hidden states, and the means of the hidden units given the
    visible ones; a full machine returns its hidden states instead of means. A
    restricted machine samples the visible layer, then the hidden one; a full one
    samples unit by unit.
    """
    if machine.full:
        return _sweep_full(machine, visible, hidden, rng, clamp, temperature)
    visible = draw_visible(machine, machine.visible_fields(hidden), rng, temperature)
    if clamp is not None:
        visible = clamp.apply(visible)
    means = sigmoid(machine.hidden_fields(visible) / temperature)
    return visible, sample_bernoulli(means, rng), means


def draw_visible(
    machine: Machine, fields: Array, rng: np.random.Generator, temperature: float = 1
) -> Array:
    """Sample visible states given their fields, both (n_rows, n_visible)."""
    if machine.gaussian:
        noise = rng.standard_normal(fields.shape, dtype=fields.dtype)
        return fields + float(np.sqrt(temperature)) * noise
    return sample_bernoulli(sigmoid(fields / temperature), rng)


def _sweep_full(
    machine: Machine,
    visible: Array,
    hidden: Array,
    rng: np.random.Generator,
    clamp: Clamp | None,
    temperature: float,
) -> tuple[Array, Array, Array]:
    """Sample every unit once, one after another, given all others."""
    n_visible = visible.shape[1]
    free = None
    if clamp is not None:
        free = np.ones((len(visible), sum(machine.shape)), bool)
        free[:, :n_visible] = ~clamp.mask
        visible = clamp.apply(visible)
    units = np.hstack([visible, hidden])
    units = sweep_units(*machine.join_layers(), units, rng, free, temperature)
    visible, hidden = units[:, :n_visible], units[:, n_visible:]
    if clamp is not None:  # clamped values may be probabilities, units are 0 or 1
        visible = clamp.apply(visible)
    return visible, hidden, hidden


def sweep_units(
    weights: Array,
    biases: Array,
    units: Array,
    rng: np.random.Generator,
    free: Mask | None = None,
    temperature: float = 1.0,
) -> Array:
    """Sample every unit of ``units``, (n_rows, n_units), once, one after another.

    With ``u = (s + 1) / 2``, this is a network of -1/+1 units s whose weights are
    divided by 4 and whose thresholds are ``-(bias / 2 + sum_j w_ij / 4)``.
    """
    thresholds = -(biases / 2 + weights.sum(axis=1) / 4)
    network = PairwiseNetwork(weights / 4, thresholds.astype(np.float64))
    states = np.array(2 * units.T - 1, dtype=network.dtype, order="C")
    noise = temperature / 2 * np.asarray(rng.logistic(size=states.shape))
    network.update_async(
        states, np.arange(len(states)), None if free is None else free.T, noise
    )
    return (states.T > 0).astype(units.dtype)
