"""Networks of -1/+1 units: their energy and the update of their units.

States have the shape ``(n_units, n_rows)``: the rows of X are columns here, so that
the states of a unit in all rows are adjacent in memory. An update turns unit i on where
``threshold_i <= field_i``.

Stochastic updates add noise to the thresholds. A unit that turns on with probability
``1 / (1 + exp(-2 (field - threshold) / T))`` (Glauber, 1963) turns on where
``threshold + T / 2 x <= field``, with x from the logistic distribution. This noise is
passed to the updates and has the shape of the states. ``free`` is a mask of the same
shape; units where it is False do not change.
"""

import math
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
Mask = NDArray[np.bool_]
Watcher = Callable[[Array], None]

# Units of a sweep whose fields are computed by one matrix product.
BLOCK = 64

# Fields of a dense network have rounding errors: a field that is below its threshold by
# no more than this (in units of 1 / beta if beta is above 1) counts as reaching it.
ROUNDING = 1e-11

# From this beta on, only the nearest patterns affect the fields in float64: the
# overlaps of others are smaller by at least 2, which is a factor of exp(-2 beta).
SHARP = 100.0


class Network(Protocol):
    """Interface of a network that recall can update."""

    dtype: np.dtype
    thresholds: NDArray[np.float64]

    def stability_and_energy(
        self, states: Array, product: Array | None = None
    ) -> tuple[Mask, Array]: ...

    def update_sync(self, states: Array, noise: Array | None = None) -> Array: ...

    def update_async(
        self,
        states: Array,
        order: NDArray,
        free: Mask | None = None,
        noise: Array | None = None,
        watch: Watcher | None = None,
        *,
        with_product: bool = False,
    ) -> Array | None: ...


def subtract_thresholds(fields: Array, limits: Array) -> Array:
    """Subtract limits from fields, in place and without negative zeros.

    The signs of the result are the new states. A tie results in +0, whose sign is +1.
    """
    if limits.any():
        fields -= limits
    fields += 0.0
    return fields


def add_noise(thresholds: Array, noise: Array | None) -> Array:
    """Return the thresholds as a column, plus the noise if there is any."""
    return thresholds[:, None] if noise is None else thresholds[:, None] + noise


def to_spins(values: Array, out: Array | None = None) -> Array:
    """Return the sign of each value as -1 or +1; that of +0 is +1."""
    return np.copysign(values.dtype.type(1), values, out=out)


def decide_block(
    flips: Array, fields: Array, limits: Array, was: Mask, free: Mask | None
) -> Mask:
    """Find the units of a block that are on after updates one after another.

    ``fields`` are those before the first update. ``flips`` contains by how much a unit
    that turns on changes the fields of later units, below the diagonal. All units are
    decided at once, and decided again with the resulting changes until no decision of
    the row differs. A decision depends on those of earlier units only, so the result is
    that of single updates. It takes two repetitions for most noisy patterns and up to
    six for random states.
    """
    on = fields >= limits
    if free is not None:
        np.copyto(on, was, where=~free)
    decided, rows = on, np.arange(fields.shape[1])
    while True:
        changes = (on.view(np.int8) - was.view(np.int8)).astype(fields.dtype)
        corrected = flips @ changes
        corrected += fields
        again = corrected >= limits
        if free is not None:
            np.copyto(again, was, where=~free)
        differs = np.flatnonzero((again != on).any(axis=0))
        if not len(differs):
            return decided
        rows, on = rows[differs], again[:, differs]
        decided[:, rows] = on
        was, fields = was[:, differs], fields[:, differs]
        limits = limits[:, differs] if limits.shape[1] > 1 else limits
        free = None if free is None else free[:, differs]


class PairwiseNetwork:
    """Symmetric weights between pairs of units (Hopfield, 1982).

    ``field_i = sum_j w_ij s_j`` and ``E = -1/2 s W s + thresholds s``. The weights have
    been rounded by ``_hopfield_rules.round_for_exact_sums``.
    """

    def __init__(self, weights: NDArray[np.float64], thresholds: NDArray[np.float64]):
        self.thresholds = thresholds
        # integers below 2 ** 24 add up exactly in float32 too, at twice the speed
        largest = np.abs(weights).sum(axis=1, initial=0).max(initial=0)
        self.integer = bool(largest < 2**23 and (np.rint(weights) == weights).all())
        self.dtype = np.dtype(np.float32 if self.integer else np.float64)
        self.weights = weights.astype(self.dtype, copy=False)
        self._memory: dict[str, Array] = {}

    def stability_and_energy(
        self, states: Array, product: Array | None = None
    ) -> tuple[Mask, Array]:
        """Find the units that an update would not change, and energies of rows.

        ``product`` contains the fields, if they are known, and is overwritten.
        """
        fields = self.weights @ states if product is None else product
        stays = (fields >= self._limits()) == (states > 0)
        fields *= states
        energy = fields.sum(axis=0, dtype=np.float64) / -2
        if self.thresholds.any():
            energy += self.thresholds @ states
        return stays, energy

    def update_sync(self, states: Array, noise: Array | None = None) -> Array:
        """Return the states after all units were updated at once."""
        fields = subtract_thresholds(self.weights @ states, self._limits(noise))
        return to_spins(fields, out=fields)

    def update_async(
        self,
        states: Array,
        order: NDArray,
        free: Mask | None = None,
        noise: Array | None = None,
        watch: Watcher | None = None,
        *,
        with_product: bool = False,
    ) -> Array | None:
        """Update units one after another, in the given order, in place.

        Return the fields in the new states, if ``with_product`` is set. They are valid
        until the next call.
        """
        weights, limits = self._sort_weights(order), self._limits(noise)[order]
        old, new, fields = self._reuse("states", (3, *states.shape))
        states.take(order, axis=0, out=old, mode="clip")
        new[:] = old
        blocks = [slice(k, k + BLOCK) for k in range(0, len(order), BLOCK)]
        for block in blocks:
            here = np.matmul(weights[block], new, out=fields[block])
            flips = np.tril(2 * weights[block, block], -1)
            can_change = None if free is None else free[order[block]]
            on = decide_block(flips, here, limits[block], old[block] > 0, can_change)
            new[block] = on
            new[block] *= 2
            new[block] -= 1
            if watch is not None:
                change = new[block] - old[block]
                drive = here + flips @ change / 2 - self.thresholds[order[block], None]
                for energies in -change * drive:
                    watch(energies)
        states[order] = new
        if not with_product:
            return None
        change, product = np.subtract(new, old, out=new), old
        for block in blocks:  # add the changes of the same and of later units
            fields[block] += weights[block, block.start :] @ change[block.start :]
        product[order] = fields
        return product

    def _sort_weights(self, order: NDArray) -> Array:
        """Return the weights between units in the given order."""
        if (order[1:] > order[:-1]).all():
            return self.weights
        rows, sorted_weights = self._reuse("weights", (2, *self.weights.shape))
        self.weights.take(order, axis=0, out=rows, mode="clip")
        return rows.take(order, axis=1, out=sorted_weights, mode="clip")

    def _reuse(self, name: str, shape: tuple[int, ...]) -> Array:
        """Return an array whose memory is used by all sweeps.

        Large new arrays take longer, because their memory comes page by page from the
        operating system.
        """
        size = math.prod(shape)
        if name not in self._memory or self._memory[name].size < size:
            self._memory[name] = np.empty(size, self.dtype)
        return self._memory[name][:size].reshape(shape)

    def _limits(self, noise: Array | None = None) -> Array:
        """Cast the thresholds to the dtype of the fields without changing decisions."""
        thresholds = add_noise(self.thresholds, noise)
        if not self.integer:
            return thresholds
        return np.clip(np.ceil(thresholds), -(2**23), 2**23).astype(self.dtype)


class DenseNetwork:
    """Modern Hopfield network, which keeps the patterns instead of weights.

    ``E = -1/beta log sum_m exp(beta x_m s) + thresholds s`` (Demircigil et al., 2017,
    in the logarithmic form of Ramsauer et al., 2021). The field of a unit, from -1 to
    +1, is half of the difference in energy between the unit being off and on.

    Let A be the log of the sum of ``exp(beta c_m)`` over the patterns in which the unit
    is on, and B the same over those in which it is off, where c_m is the overlap of all
    other units with pattern m. With ``d = A - B`` the field is
    ``atanh(tanh(beta) tanh(d / 2)) / beta``. It has the sign of d for every beta and
    does not depend on the unit's own state.
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
        self.on = np.ascontiguousarray((patterns > 0).T, dtype=float)
        self.off = 1 - self.on
        self.rounding = max(ROUNDING / max(1, beta), 1e-14)

    def stability_and_energy(
        self, states: Array, product: Array | None = None
    ) -> tuple[Mask, Array]:
        """Find units that an update alone would not change, and energies of rows.

        ``product`` contains the overlaps, if they are known.
        """
        overlaps = self.patterns @ states if product is None else product
        most, powers = self._measure_nearness(overlaps)
        total = powers.sum(axis=0)
        energy = self.thresholds @ states - most - np.log(total) / self.beta
        if self.beta < SHARP:
            apart = self._log_ratios(self.on @ powers, self.off @ powers)
        else:
            apart = np.array([self._compare_nearest(i, overlaps) for i in self._units])
        on = self._fields(apart, states) >= self.thresholds[:, None] - self.rounding
        return on == (states > 0), energy

    def update_sync(self, states: Array, noise: Array | None = None) -> Array:
        """Return the states after all units were updated at once.

        The new state is the sign of the softmax-weighted mean of the patterns. It
        minimizes an upper bound on the energy that is tight at ``states`` (the
        concave-convex step of Ramsauer et al.), so the energy never rises.
        """
        powers = self._measure_nearness(self.patterns @ states)[1]
        recalled = self.patterns.T @ (powers / powers.sum(axis=0))
        return to_spins(
            subtract_thresholds(recalled, add_noise(self.thresholds, noise) - ROUNDING)
        )

    def update_async(
        self,
        states: Array,
        order: NDArray,
        free: Mask | None = None,
        noise: Array | None = None,
        watch: Watcher | None = None,
        *,
        with_product: bool = False,
    ) -> Array | None:
        """Update units one after another, in the given order, in place.

        Return the overlaps with the patterns in the new states.
        """
        overlaps = self.patterns @ states  # (n_patterns, n_rows), integers
        sharp = self.beta >= SHARP
        powers = None if sharp else self._measure_nearness(overlaps)[1]
        limits = add_noise(self.thresholds, noise) - self.rounding
        for unit in order:
            state = states[unit]
            if powers is None:
                apart = self._compare_nearest(unit, overlaps)
            else:
                apart = self._log_ratios(
                    self.on[unit] @ powers, self.off[unit] @ powers
                )
            field = self._fields(apart, state)
            change = to_spins(field - limits[unit])
            change -= state
            if free is not None:
                change *= free[unit]
            flipped = np.flatnonzero(change)
            if len(flipped):
                state += change
                overlaps[:, flipped] += np.outer(
                    self.patterns[:, unit], change[flipped]
                )
                if powers is not None:
                    powers[:, flipped] = self._measure_nearness(overlaps[:, flipped])[1]
            if watch is not None:
                watch(-change * (field - self.thresholds[unit]))
        return overlaps

    @property
    def _units(self) -> range:
        return range(self.patterns.shape[1])

    def _measure_nearness(self, overlaps: Array) -> tuple[Array, Array]:
        """Compute largest overlaps (n_rows,) and ``exp(beta (overlap - largest))``.

        The second array has the shape (n_patterns, n_rows).
        """
        most = overlaps.max(axis=0)
        powers = self.beta * (overlaps - most)
        return most, np.exp(powers, out=powers)

    def _log_ratios(self, on: Array, off: Array) -> Array:
        """Compute the log of the ratio of two sums of powers, one of which may be 0.

        At least one of them is 1 or more. If the other underflows, the ratio is so far
        from 1 that the field is -1 or +1, since ``4 * SHARP`` is below ``-log(tiny)``.
        """
        tiny = np.finfo(float).tiny
        return np.log(np.maximum(on, tiny)) - np.log(np.maximum(off, tiny))

    def _compare_nearest(self, unit: int, overlaps: Array) -> Array:
        """Compute the log ratio of a unit, (n_rows,), from the nearest patterns only.

        The sum over patterns in which the unit is on (or off) is ``n exp(beta c)``,
        where c is the largest overlap and n the number of patterns that have it.
        """
        sides = []
        for chosen in (self.on[unit] > 0, self.off[unit] > 0):
            side = overlaps[chosen]
            most = side.max(axis=0, initial=-np.inf)
            count = (side == most).sum(axis=0)
            sides.append((most, np.log(np.maximum(count, 1))))
        (most_on, count_on), (most_off, count_off) = sides
        return self.beta * (most_on - most_off) + (count_on - count_off)

    def _fields(self, apart: Array, states: Array) -> Array:
        """Compute fields from the log ratios of the sums with a unit on and off.

        See the class docstring.
        """
        beta = self.beta
        # removes the unit's own share of the overlaps; beyond the clip the field is 1
        d = np.clip(apart - 2 * beta * states, -2 * beta - 50, 2 * beta + 50)
        if beta < 1:
            return np.arctanh(np.tanh(beta) * np.tanh(d / 2)) / beta
        # equal to (log cosh(d / 2 + beta) - log cosh(d / 2 - beta)) / (2 beta)
        gain = np.abs(d / 2 + beta) - np.abs(d / 2 - beta)
        gain += np.log1p(np.exp(-np.abs(d + 2 * beta)))
        gain -= np.log1p(np.exp(-np.abs(d - 2 * beta)))
        return gain / (2 * beta)
