"""Dynamics of a Hopfield network: updates from any state until it is stable.

The order of the units is drawn once per sweep, for all rows. The noise of the
thresholds is drawn by one generator per row, whose seed is computed from the state
where the row starts. The result of a row therefore does not depend on the other rows.
Only equal rows need different seeds, for which their occurrences are counted.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array

from sklearn_rnn._core.randomness import numpy_generator
from sklearn_rnn._core.threads import use_one_thread
from sklearn_rnn.energy._spin_networks import Array, Mask, Network

# Maximum number of state values in memory at once. More rows are recalled in chunks.
# In smaller chunks, sorting the weights takes longer than the cache saves.
CHUNK = 2**20

# Number of sweeps in which a temperature given as a number falls to 0.
ANNEALING_SWEEPS = 20


@dataclass
class Dynamics:
    """Options of the updates.

    ``temperatures``, in the unit of the fields, has an entry for each stochastic sweep.
    With ``quench``, at most ``max_iter`` deterministic sweeps follow, until each row is
    stable.
    """

    asynchronous: bool
    random_order: bool
    temperatures: NDArray[np.float64]
    max_iter: int
    seed: int
    quench: bool = True


@dataclass
class RecallResult:
    """Result of recall for each row."""

    states: Array  # (n_units, n_rows)
    n_iter: NDArray[np.int64]  # number of the last sweep that changed the row, or 0
    converged: Mask
    cycle: Mask
    energy: Array


class Trace:
    """Energy of each row before the first update and after every update."""

    def __init__(self, network: Network, states: Array):
        self.energies = [network.stability_and_energy(states)[1]]

    def add(self, rows: NDArray[np.int64], change: Array) -> None:
        """Append energies in which those of ``rows`` differ by ``change``."""
        energy = self.energies[-1].copy()
        energy[rows] += change
        self.energies.append(energy)


def plan_recall_temperatures(temperature: Any) -> NDArray[np.float64]:
    """Return one temperature per stochastic sweep; a number falls linearly."""
    if np.ndim(temperature) == 0:
        if temperature == 0:
            return np.zeros(0)
        return np.linspace(temperature, 0, ANNEALING_SWEEPS, endpoint=False)
    temperatures = check_array(temperature, ensure_2d=False, dtype=np.float64)
    if temperatures.ndim != 1 or (temperatures < 0).any():
        raise ValueError(
            "temperature must be a number that is at least 0, or a list of such "
            f"numbers with one entry per sweep. Got {temperature!r}."
        )
    return temperatures


def identify_rows(states: Array, free: Mask | None) -> list[tuple[int, int]]:
    """Compute seeds of the noise of each row: a hash of its content, its occurrence.

    ``states`` and ``free`` have the shape (n_units, n_rows). The hash covers the state
    and the units that are clamped, if any. Occurrences of equal rows count from 0.
    """
    on = np.packbits(states.T > 0, axis=1)  # (n_rows, n_bytes)
    clamped = None if free is None else np.packbits(~free.T, axis=1)
    seen: Counter[int] = Counter()
    identities = []
    for k, row in enumerate(on):
        key = row.tobytes()
        if clamped is not None and clamped[k].any():
            key += clamped[k].tobytes()
        digest = hashlib.blake2b(key, digest_size=16).digest()
        content = int.from_bytes(digest, "little")
        identities.append((content, seen[content]))
        seen[content] += 1
    return identities


def recall(
    network: Network,
    states: Array,
    free: Mask | None,
    dynamics: Dynamics,
    trace: Trace | None = None,
) -> RecallResult:
    """Update every column of ``states``, (n_units, n_rows), until it is stable.

    ``free``, of the same shape, marks the units that may change; None means all units.
    Rows are recalled in chunks, except with a ``trace``, which needs all rows at once.
    """
    n_units, n_rows = states.shape
    size = n_rows if trace is not None else max(1, CHUNK // n_units)
    identities = identify_rows(states, free) if len(dynamics.temperatures) else []
    chunks = [
        _recall_chunk(
            network,
            states[:, k : k + size],
            None if free is None else free[:, k : k + size],
            dynamics,
            trace,
            identities[k : k + size],
        )
        for k in range(0, n_rows, size)
    ]
    if len(chunks) == 1:
        return chunks[0]
    return RecallResult(
        *(
            np.concatenate([getattr(chunk, name) for chunk in chunks], axis=-1)
            for name in ("states", "n_iter", "converged", "cycle", "energy")
        )
    )


def _recall_chunk(
    network: Network,
    states: Array,
    free: Mask | None,
    dynamics: Dynamics,
    trace: Trace | None,
    identities: Sequence[tuple[int, int]],
) -> RecallResult:
    """Recall all columns of ``states`` at once."""
    states = np.array(states, dtype=network.dtype, order="C")
    n_rows = states.shape[1]
    rng = np.random.default_rng(dynamics.seed)
    n_iter = np.zeros(n_rows, np.int64)
    cycle = np.zeros(n_rows, bool)
    energy: Array = np.zeros(n_rows)
    everything = active = np.arange(n_rows)
    sweep = 0
    generators = [numpy_generator(dynamics.seed, *row) for row in identities]
    for temperature in dynamics.temperatures:
        sweep += 1
        noise = temperature / 2 * _draw_logistic(generators, len(states))
        new, _ = _sweep(network, states, free, noise, dynamics, rng, active, trace)
        n_iter[(new != states).any(axis=0)] = sweep
        states = new
    if not dynamics.quench:
        energy = network.stability_and_energy(states)[1]
        settled = find_stable(network, states, free, asynchronous=dynamics.asynchronous)
        return RecallResult(states, n_iter, settled, cycle, energy)
    here = states  # states of the active rows, which may still change
    before = None  # states of the active rows one sweep earlier
    for _ in range(dynamics.max_iter):
        sweep += 1
        new, product = _sweep(network, here, free, None, dynamics, rng, active, trace)
        changed = (new != here).any(axis=0)
        n_iter[active[changed]] = sweep
        if dynamics.asynchronous:
            stays, energy[active] = network.stability_and_energy(new, product)
            settled = _all_free_units_stay(stays, free)
        else:
            settled = ~changed
            if before is not None:
                back = changed & (new == before).all(axis=0)
                cycle[active] = back
                settled |= back
        if settled.any() or active is not everything:
            open_ = ~settled
            before, here = here[:, open_], new[:, open_]
            states[:, active] = new
            active = active[open_]
            free = None if free is None else free[:, open_]
        else:
            before, here, states = here, new, new
        if not len(active):
            break
    converged = ~cycle
    if dynamics.asynchronous:
        converged[active] = False
    else:
        energy = network.stability_and_energy(states)[1]
        converged[active] = find_stable(network, here, free, asynchronous=False)
    return RecallResult(states, n_iter, converged, cycle, energy)


def _draw_logistic(generators: list[np.random.Generator], n_units: int) -> Array:
    """Draw logistic noise from one generator per row, (n_units, n_rows)."""
    noise = np.empty((len(generators), n_units))
    for row, rng in zip(noise, generators, strict=True):
        row[:] = rng.logistic(size=n_units)
    return np.ascontiguousarray(noise.T)


def find_stable(
    network: Network, states: Array, free: Mask | None, *, asynchronous: bool
) -> Mask:
    """Find the rows that a deterministic sweep would leave unchanged, (n_rows,)."""
    if asynchronous:
        stays, _ = network.stability_and_energy(states)
    else:
        stays = network.update_sync(states) == states
    return _all_free_units_stay(stays, free)


def _all_free_units_stay(stays: Mask, free: Mask | None) -> Mask:
    """Return whether no free unit of a row would change, (n_rows,)."""
    if free is not None:
        stays = stays | ~free
    return np.asarray(stays.all(axis=0))


def _sweep(
    network: Network,
    states: Array,
    free: Mask | None,
    noise: Array | None,
    dynamics: Dynamics,
    rng: np.random.Generator,
    rows: NDArray[np.int64],
    trace: Trace | None,
) -> tuple[Array, Array | None]:
    """Return the states after every unit was updated once.

    After asynchronous updates, also return what ``stability_and_energy`` can reuse.
    """
    if dynamics.asynchronous:
        n_units = len(states)
        order = np.arange(n_units)
        if dynamics.random_order:
            order = rng.permutation(order)
        new = states.copy()
        watch = None if trace is None else lambda change: trace.add(rows, change)
        with use_one_thread():
            return new, network.update_async(
                new, order, free, noise, watch, with_product=noise is None
            )
    new = network.update_sync(states, noise)
    if free is not None:
        np.copyto(new, states, where=~free)
    if trace is not None:
        trace.add(
            rows,
            network.stability_and_energy(new)[1]
            - network.stability_and_energy(states)[1],
        )
    return new, None
