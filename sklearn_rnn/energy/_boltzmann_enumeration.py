"""Sums over all states of a small Boltzmann machine, and exact samples."""

from collections.abc import Iterator
from functools import reduce
from operator import add

import numpy as np
from scipy.special import logsumexp, softmax

from sklearn_rnn.energy._boltzmann_parameters import (
    Array,
    Machine,
    Moments,
    enumerate_states,
    pair_energy,
    sigmoid,
    softplus,
)
from sklearn_rnn.energy._boltzmann_sampling import Clamp, draw_visible

# Maximum number of units whose states are enumerated, on request and with
# gradient="auto".
MAX_ENUMERATED_UNITS = 20
MAX_UNITS_FOR_AUTO = 10
# Size of an array of states or fields that fits into the processor's cache.
CHUNK = 2**17
# Maximum number of values computed for exact samples, over all clamps. It corresponds
# to a few seconds of work.
MAX_SAMPLED_NUMBERS = 2**27


def count_enumerated_units(machine: Machine, n_free: int | None = None) -> int:
    """Number of units to enumerate; the others are summed in closed form.

    ``n_free`` is the number of visible units that are not clamped, by default all.
    """
    n_hidden, n_visible = machine.shape
    if n_free is not None:
        n_visible = n_free
    if machine.full:
        return n_visible + n_hidden
    return n_hidden if machine.gaussian else min(n_hidden, n_visible)


def log_partition(machine: Machine) -> float:
    """log Z, exactly."""
    log_weights = [_weigh(machine, states)[0] for states in _enumerate(machine)]
    return float(logsumexp([logsumexp(part) for part in log_weights]))


def model_moments(machine: Machine) -> Moments:
    """Mean activities and products under the machine, exactly.

    Units that are not enumerated are replaced by their means given the enumerated ones,
    which is exact for mean products across the layers.
    """
    log_z = log_partition(machine)
    parts = []
    for states in _enumerate(machine):
        log_weights, fields = _weigh(machine, states)
        visible, hidden = _complete(machine, states, fields)
        weights = np.exp(log_weights - log_z)
        parts.append(Moments.of(visible, hidden, weights, pairs=machine.full))
    return reduce(add, parts)


def _count_numbers(machine: Machine, n_free: int) -> int:
    """Number of values in the table of all states, with ``n_free`` free visible units.

    If there are too many units to enumerate, it is greater than the limit.
    """
    n_units = count_enumerated_units(machine, n_free)
    if n_units > MAX_ENUMERATED_UNITS:
        return MAX_SAMPLED_NUMBERS + 1
    return 2**n_units * (machine.shape[0] + n_free)


def draw_visible_exactly(
    machine: Machine, n_samples: int, rng: np.random.Generator
) -> Array:
    """Independent samples of the visible units, (n_samples, n_visible).

    Enumerated units are drawn from the table of their probabilities, the others given
    the enumerated ones.
    """
    log_weights = [_weigh(machine, states)[0] for states in _enumerate(machine)]
    total = np.cumsum(softmax(np.concatenate(log_weights, dtype=np.float64)))
    drawn = np.searchsorted(total, rng.random(n_samples) * total[-1], side="right")
    drawn = np.minimum(drawn, len(total) - 1)
    bits = np.arange(count_enumerated_units(machine))
    states = (drawn[:, None] >> bits & 1).astype(machine.components.dtype)
    _, fields = _weigh(machine, states)
    if machine.full:
        return states[:, : machine.shape[1]]
    if not _enumerates_hidden(machine):
        return states
    return draw_visible(machine, fields, rng)


def sample_exactly(
    machine: Machine,
    n_samples: int,
    temperature: float,
    rng: np.random.Generator,
    clamp: Clamp | None = None,
) -> Array | None:
    """Independent visible states (n_samples, n_visible), or None if that is too slow.

    Rows with the same clamp share one table of probabilities.
    """
    machine, root = machine.cool(temperature), 1.0
    if machine.gaussian:
        root = float(np.sqrt(temperature))
    if clamp is None:
        if _count_numbers(machine, machine.shape[1]) > MAX_SAMPLED_NUMBERS:
            return None
        return root * draw_visible_exactly(machine, n_samples, rng)
    values = np.where(clamp.mask, clamp.values / root, 0)
    rows, groups = np.unique(
        np.hstack([clamp.mask, values]), axis=0, return_inverse=True
    )
    masks, values = np.hsplit(rows, 2)
    n_free = machine.shape[1] - masks.sum(axis=1)
    numbers = sum(_count_numbers(machine, int(n)) for n in n_free)
    if numbers > MAX_SAMPLED_NUMBERS:
        return None
    visible = values[groups].astype(machine.components.dtype)
    for group, (mask, given) in enumerate(zip(masks > 0, values, strict=True)):
        if mask.all():
            continue
        members = np.flatnonzero(groups == group)
        free = machine.condition(mask, given.astype(machine.components.dtype))
        visible[np.ix_(members, ~mask)] = draw_visible_exactly(free, len(members), rng)
    return clamp.apply(root * visible)


def _enumerates_hidden(machine: Machine) -> bool:
    """Whether the hidden layer of a restricted machine is enumerated."""
    return machine.gaussian or machine.shape[0] <= machine.shape[1]


def _enumerate(machine: Machine) -> Iterator[Array]:
    """All states of the enumerated units, (n_states, n_units), in chunks."""
    n_units, size = count_enumerated_units(machine), max(1, CHUNK // max(machine.shape))
    for start in range(0, 2**n_units, size):
        states = enumerate_states(n_units, start, size)
        yield states.astype(machine.components.dtype)


def _weigh(machine: Machine, states: Array) -> tuple[Array, Array]:
    """Log weights of states, (n_states,), and the fields of units that are summed."""
    if machine.full:
        weights, biases = machine.join_layers()
        return states @ biases + pair_energy(weights, states), states[:, :0]
    if not _enumerates_hidden(machine):
        fields = machine.hidden_fields(states)
        return states @ machine.visible_bias + softplus(fields).sum(axis=1), fields
    fields = machine.visible_fields(states)
    return machine.weigh_hidden(states, fields), fields


def _complete(machine: Machine, states: Array, fields: Array) -> tuple[Array, Array]:
    """Visible and hidden states; means of the units that are not enumerated."""
    if machine.full:
        n_visible = machine.shape[1]
        return states[:, :n_visible], states[:, n_visible:]
    if not _enumerates_hidden(machine):
        return states, sigmoid(fields)
    return (fields if machine.gaussian else sigmoid(fields)), states
