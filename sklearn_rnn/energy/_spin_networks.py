"""Networks of -1/+1 units: their energy, and how units turn on and off.

States have the shape ``(n_units, n_rows)``, a column for each row of the caller, so
that a unit's states in all rows lie side by side. An update turns unit i on where
``threshold_i <= field_i``.

Chance enters by the thresholds alone. A unit that turns on with the probability
``1 / (1 + exp(-2 (field - threshold) / T))`` (Glauber, 1963) turns on where
``threshold + T / 2 x <= field``, x from the logistic distribution. Updates take such
noise, of shape ``(n_units, 1)`` or ``(n_units, n_rows)``, beside the states. Units that
are not ``free``, a mask of the shape of the states, stay as they are.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import get_blas_funcs

Array = NDArray[np.floating]
Mask = NDArray[np.bool_]
Watcher = Callable[[Array], None]

# Units of one sweep whose fields are found by one matrix product. Inside a block each
# flip is added to the fields of those to come, which costs block / 2 multiply-adds.
BLOCK = 32

# Two fields of a dense network may differ by rounding where they are the same number;
# what is this close to its threshold counts as reaching it.
ROUNDING = 1e-9


class Network(Protocol):
    """What recall asks of a network."""

    dtype: np.dtype
    thresholds: NDArray[np.float64]

    def stability_and_energy(self, states: Array) -> tuple[Mask, Array]: ...

    def update_sync(self, states: Array, noise: Array | None = None) -> Array: ...

    def update_async(
        self,
        states: Array,
        order: NDArray,
        free: Mask | None = None,
        noise: Array | None = None,
        watch: Watcher | None = None,
    ) -> None: ...


def subtract_thresholds(fields: Array, limits: Array) -> Array:
    """The fields less their limits, in place, without negative zeros.

    Their signs are the new states: a tie is +0, and its sign +1.
    """
    if limits.any():
        fields -= limits
    fields += 0.0
    return fields


def disturbed(thresholds: Array, noise: Array | None) -> Array:
    """Thresholds as a column, and noise added."""
    return thresholds[:, None] if noise is None else thresholds[:, None] + noise


def signs(values: Array, out: Array | None = None) -> Array:
    """-1 or +1."""
    return np.copysign(values.dtype.type(1), values, out=out)


class PairwiseNetwork:
    """Symmetric weights between pairs of units (Hopfield, 1982).

    ``field_i = sum_j w_ij s_j`` and ``E = -1/2 s W s + thresholds s``. The weights are
    :func:`~sklearn_rnn.energy._hopfield_rules.exactly_summable`.
    """

    def __init__(self, weights: NDArray[np.float64], thresholds: NDArray[np.float64]):
        self.thresholds = thresholds
        # Integers below 2 ** 24 add up exactly in float32 too, at twice the speed.
        largest = np.abs(weights).sum(axis=1, initial=0).max(initial=0)
        self.integer = bool(largest < 2**23 and (np.rint(weights) == weights).all())
        self.dtype = np.dtype(np.float32 if self.integer else np.float64)
        self.weights = weights.astype(self.dtype, copy=False)

    def stability_and_energy(self, states: Array) -> tuple[Mask, Array]:
        """Which units would stay as they are, and the energy of each row."""
        fields = self.weights @ states
        stays = (fields >= self._limits()) == (states > 0)
        fields *= states
        energy = fields.sum(axis=0, dtype=np.float64) / -2
        if self.thresholds.any():
            energy += self.thresholds @ states
        return stays, energy

    def update_sync(self, states: Array, noise: Array | None = None) -> Array:
        """All units at once, each from the states before."""
        fields = subtract_thresholds(self.weights @ states, self._limits(noise))
        return signs(fields, out=fields)

    def update_async(
        self,
        states: Array,
        order: NDArray,
        free: Mask | None = None,
        noise: Array | None = None,
        watch: Watcher | None = None,
    ) -> None:
        """One sweep in place, each unit from all changes before it."""
        limits = self._limits(noise)
        ger = get_blas_funcs("ger", dtype=self.dtype)
        for start in range(0, len(order), BLOCK):
            units = order[start : start + BLOCK]
            rows = self.weights[units]
            fields = subtract_thresholds(
                rows @ states, limits[units]
            )  # (block, n_rows)
            among = rows[:, units]
            for k, unit in enumerate(units):
                change = signs(fields[k])
                change -= states[unit]
                if free is not None:
                    change *= free[unit]
                states[unit] += change
                if watch is not None:
                    drive = fields[k] + limits[unit] - self.thresholds[unit]
                    watch(-change * drive)
                if k + 1 < len(units):
                    # fields[k + 1 :] += outer(among[k, k + 1 :], change), in place
                    later = fields[k + 1 :].T
                    ger(1, change, among[k, k + 1 :], a=later, overwrite_a=1)

    def _limits(self, noise: Array | None = None) -> Array:
        """Thresholds in the number type of the fields, for the same decisions."""
        thresholds = disturbed(self.thresholds, noise)
        if not self.integer:
            return thresholds
        return np.clip(np.ceil(thresholds), -(2**23), 2**23).astype(self.dtype)


class DenseNetwork:
    """Patterns themselves as the memory: the modern Hopfield network.

    ``E = -1/beta log sum_m exp(beta x_m s) + thresholds s`` (Demircigil et al., 2017,
    in the logarithmic form of Ramsauer et al., 2021). The field of a unit is half of
    what its turning on takes off the energy, from -1 to +1.
    """

    dtype = np.dtype(np.float64)

    def __init__(
        self,
        patterns: NDArray[np.float64],
        thresholds: NDArray[np.float64],
        beta: float,
    ):
        self.patterns = patterns  # (n_patterns, n_units)
        self.thresholds = thresholds
        self.beta = beta

    def stability_and_energy(self, states: Array) -> tuple[Mask, Array]:
        """Which units would stay if updated alone, and the energy of each row."""
        overlaps = self.patterns @ states
        drawn = self._recalled(overlaps)
        on = self._field(drawn, states) >= self.thresholds[:, None] - ROUNDING
        most = overlaps.max(axis=0)
        total = np.exp(self.beta * (overlaps - most)).sum(axis=0)
        energy = self.thresholds @ states - most - np.log(total) / self.beta
        return on == (states > 0), energy

    def update_sync(self, states: Array, noise: Array | None = None) -> Array:
        """All units at once: the sign of the patterns' softmax-weighted mean.

        It maximises a bound on -E that touches it at ``states`` (Ramsauer et al.'s
        concave-convex step), so the energy never rises.
        """
        drawn = self._recalled(self.patterns @ states)
        return signs(
            subtract_thresholds(drawn, disturbed(self.thresholds, noise) - ROUNDING)
        )

    def update_async(
        self,
        states: Array,
        order: NDArray,
        free: Mask | None = None,
        noise: Array | None = None,
        watch: Watcher | None = None,
    ) -> None:
        """One sweep in place, each unit from all changes before it."""
        overlaps = self.patterns @ states  # (n_patterns, n_rows), integers
        shares = self._shares(overlaps)
        limits = disturbed(self.thresholds, noise) - ROUNDING
        for unit in order:
            pattern = self.patterns[:, unit]
            state = states[unit]
            field = self._field(pattern @ shares, state)
            change = signs(field - limits[unit])
            change -= state
            if free is not None:
                change *= free[unit]
            flipped = np.flatnonzero(change)
            if len(flipped):
                state += change
                overlaps[:, flipped] += pattern[:, None] * change[flipped]
                shares[:, flipped] = self._shares(overlaps[:, flipped])
            if watch is not None:
                watch(-change * (field - self.thresholds[unit]))

    def _shares(self, overlaps: Array) -> Array:
        """How much each pattern is recalled: softmax of beta times its overlap."""
        shares = self.beta * (overlaps - overlaps.max(axis=0))
        np.exp(shares, out=shares)
        shares /= shares.sum(axis=0)
        return shares

    def _recalled(self, overlaps: Array) -> Array:
        """The patterns' mean, weighted by their shares, of shape (n_units, n_rows)."""
        return self.patterns.T @ self._shares(overlaps)

    def _field(self, recalled: Array, states: Array) -> Array:
        """Half of the energy that a unit's being on saves, whichever it is now.

        Of two states that differ in unit i alone, the other one has
        ``log sum exp - 2 beta + log(a + (1 - a) exp(4 beta))`` with a, the share of the
        patterns that agree with the unit's state.
        """
        agree = np.clip((1 + recalled * states) / 2, 0, 1)
        others = (1 - agree) + agree * np.exp(-4 * self.beta)
        ratio = np.log(np.maximum(others, np.finfo(float).tiny)) / (2 * self.beta)
        return -states * (1 + ratio)
