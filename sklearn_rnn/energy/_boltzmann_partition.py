"""log Z of a Boltzmann machine: exact, or by annealed importance sampling."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy.special import logsumexp

from sklearn_rnn._core.randomness import SAMPLING, numpy_generator
from sklearn_rnn._core.threads import use_one_thread
from sklearn_rnn.energy._boltzmann_enumeration import (
    MAX_ENUMERATED_UNITS,
    count_enumerated_units,
    log_partition,
)
from sklearn_rnn.energy._boltzmann_learning import LearningState
from sklearn_rnn.energy._boltzmann_parameters import (
    Array,
    Machine,
    pair_energy,
    sigmoid,
    softplus,
)
from sklearn_rnn.energy._boltzmann_sampling import (
    draw_visible,
    sample_bernoulli,
    sweep_units,
)

# Number of independent runs of annealed importance sampling.
AIS_RUNS = 100


@dataclass
class LogPartition:
    """log Z of the averaged machine of a state, computed when it is first read.

    The computation is deterministic, so threads that read it at the same time get the
    same value.
    """

    state: LearningState
    ais_steps: int
    seed: int

    @cached_property
    def estimate(self) -> tuple[float, float]:
        """log Z and its standard error, which is 0 if log Z is exact.

        Both are NaN for a large machine with ``ais_steps=0``.
        """
        machine = self.state.average
        with use_one_thread():
            if count_enumerated_units(machine) <= MAX_ENUMERATED_UNITS:
                return log_partition(machine), 0.0
            if not self.ais_steps:
                return np.nan, np.nan
            rng = numpy_generator(self.seed, SAMPLING, self.state.n_epochs)
            base_bias = self.state.base_bias
            return estimate_log_partition(machine, base_bias, self.ais_steps, rng)


def estimate_log_partition(
    machine: Machine, base_bias: Array, n_steps: int, rng: np.random.Generator
) -> tuple[float, float]:
    """log Z and its standard error, by annealed importance sampling.

    See Neal (2001); Salakhutdinov and Murray (2008).

    Each run starts at a machine without weights and with visible biases ``base_bias``,
    whose log Z is known, and reaches this machine in ``n_steps`` equal steps.
    """
    n_hidden, n_visible = machine.shape
    log_z = n_hidden * np.log(2)
    if machine.gaussian:
        log_z += n_visible * np.log(2 * np.pi) / 2
    else:
        log_z += float(softplus(base_bias).sum())
    anneal = _anneal_units if machine.full else _anneal_layers
    log_weights = anneal(machine, base_bias, np.linspace(0, 1, n_steps + 1), rng)
    log_mean = logsumexp(log_weights) - np.log(AIS_RUNS)
    # relative error of the mean weight, which is the error of its logarithm
    error = np.std(np.exp(log_weights - log_mean), ddof=1) / np.sqrt(AIS_RUNS)
    return float(log_z + log_mean), float(error)


def _anneal_layers(
    machine: Machine, base_bias: Array, shares: Array, rng: np.random.Generator
) -> Array:
    """Log weights of the runs, (AIS_RUNS,), with hidden units summed out."""
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
        hidden = sample_bernoulli(sigmoid(share * fields), rng)
        visible = draw_visible(
            machine, share * (hidden @ machine.components) + now, rng
        )
    return log_weights


def _anneal_units(
    machine: Machine, base_bias: Array, shares: Array, rng: np.random.Generator
) -> Array:
    """Log weights of the runs, (AIS_RUNS,), over the states of all units."""
    weights, biases = machine.join_layers()
    base = np.concatenate([base_bias, np.zeros(machine.shape[0])])
    units = sample_bernoulli(np.tile(sigmoid(base), (AIS_RUNS, 1)), rng)
    log_weights = np.zeros(AIS_RUNS)
    for before, share in pairwise(shares):
        gain = units @ (biases - base) + pair_energy(weights, units)
        log_weights += (share - before) * gain
        now = base + share * (biases - base)
        units = sweep_units(share * weights, now, units, rng)
    return log_weights
