"""Parameters of a Boltzmann machine: energies, means and a learning step.

Units are 0 or 1; visible units may be Gaussian instead. With visible states v and
hidden states h,

    E(v, h) = -v b - h c - h W v - 1/2 v L v - 1/2 h J h        (binary)
    E(v, h) = |v - b|^2 / 2 - h c - h W v                       (Gaussian)

where L and J are the weights within each layer, which a restricted machine does not
have. Gaussian v are x / s, with the standard deviations s of the data x given h.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr, logsumexp

Array = NDArray[np.floating]

# Maximum number of units in a layer of a full machine for which sums over its states
# are exact. Sums over larger layers are mean-field approximations.
MAX_ENUMERATED_LAYER = 10
# Lower limit of the scales, for columns that are constant or determined by the hidden
# units.
MIN_SCALE = 0.01
# Scales start below the standard deviations of their columns and learn more slowly than
# the weights. If they reached the standard deviations first, the weights would be at a
# saddle point near 0: a single Gaussian, from which clusters are not found.
FIRST_SCALE = 0.5
SCALE_RATE = 0.1
# Mean-field equations are iterated until no unit moves by more than the tolerance.
MEAN_FIELD_TOL = 1e-8
MEAN_FIELD_STEPS = 200


@dataclass
class Moments:
    """Mean activities and mean products of pairs of units under a distribution."""

    visible: Array  # (n_visible,)
    hidden: Array  # (n_hidden,)
    across: Array  # (n_hidden, n_visible)
    among_visible: Array | None = None  # (n_visible, n_visible), full machines only
    among_hidden: Array | None = None
    square: Array | None = None  # mean of v * v, Gaussian machines only
    spread: Array | None = None  # mean of v * (v - E(v | h)), Gaussian machines only

    @classmethod
    def of(
        cls, visible: Array, hidden: Array, share: Array, *, pairs: bool
    ) -> "Moments":
        """Means over rows with weights ``share`` of shape (n_rows,), which sum to 1."""
        weighted = share[:, None] * hidden
        moments = cls(share @ visible, weighted.sum(axis=0), weighted.T @ visible)
        if pairs:
            moments.among_visible = (share[:, None] * visible).T @ visible
            moments.among_hidden = weighted.T @ hidden
        return moments

    def __add__(self, other: "Moments") -> "Moments":
        return self._combine(other, np.add)

    def __sub__(self, other: "Moments") -> "Moments":
        return self._combine(other, np.subtract)

    def _combine(self, other: "Moments", operation: np.ufunc) -> "Moments":
        """Apply the operation to each moment that both have."""
        theirs = vars(other)
        results = {
            name: operation(mine, theirs[name])
            for name, mine in vars(self).items()
            if mine is not None and theirs[name] is not None
        }
        return Moments(**results)


@dataclass
class Machine:
    """Parameters, with their names in the equations above in brackets."""

    components: Array  # [W] (n_hidden, n_visible)
    hidden_bias: Array  # [c]
    visible_bias: Array  # [b]
    visible_weights: Array | None = None  # [L]
    hidden_weights: Array | None = None  # [J]
    scale: Array | None = None  # [s] (n_visible,), of Gaussian visible units only

    @property
    def gaussian(self) -> bool:
        return self.scale is not None

    @property
    def full(self) -> bool:
        return self.visible_weights is not None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.components.shape

    def astype(self, dtype: np.dtype) -> "Machine":
        """Copy with arrays of the given dtype."""
        arrays: dict[str, Any] = {
            name: value.astype(dtype)
            for name, value in vars(self).items()
            if isinstance(value, np.ndarray)
        }
        return replace(self, **arrays)

    def copy(self) -> "Machine":
        return self.astype(self.components.dtype)

    def approach(self, other: "Machine", share: float) -> None:
        """Move parameters by a share of the distance to ``other``, in place."""
        theirs = vars(other)
        for name, value in vars(self).items():
            if value is not None:
                value += share * (theirs[name] - value)

    def hidden_fields(self, visible: Array) -> Array:
        return visible @ self.components.T + self.hidden_bias

    def visible_fields(self, hidden: Array) -> Array:
        return hidden @ self.components + self.visible_bias

    def energy(self, visible: Array, hidden: Array) -> Array:
        """E(v, h) of each row."""
        across = np.einsum("nh,nh->n", self.hidden_fields(visible), hidden)
        return (
            self.visible_energy(visible)
            - across
            - pair_energy(self.hidden_weights, hidden)
        )

    def visible_energy(self, visible: Array) -> Array:
        """Part of the energy that does not depend on hidden units."""
        if self.gaussian:
            return ((visible - self.visible_bias) ** 2).sum(axis=1) / 2
        own = visible @ self.visible_bias
        return -own - pair_energy(self.visible_weights, visible)

    def free_energy(self, visible: Array) -> Array:
        """-log sum_h exp(-E(v, h)); mean-field bound for large coupled layers."""
        fields = self.hidden_fields(visible)
        return self.visible_energy(visible) - self.hidden_log_sum(fields)[0]

    def hidden_means(self, visible: Array) -> Array:
        """P(h = 1 | v); mean-field approximation for large coupled layers."""
        fields = self.hidden_fields(visible)
        if self.hidden_weights is None:
            return sigmoid(fields)
        return self.hidden_log_sum(fields)[1]

    def hidden_log_sum(self, fields: Array) -> tuple[Array, Array]:
        """log sum_h exp(h fields + 1/2 h J h), and the mean hidden state under it."""
        if self.hidden_weights is None:
            return softplus(fields).sum(axis=1), sigmoid(fields)
        return sum_states(fields, self.hidden_weights)

    def weigh_hidden(self, hidden: Array, fields: Array) -> Array:
        """log sum_v exp(-E(v, h)) in a restricted machine, given visible fields."""
        own = hidden @ self.hidden_bias
        if not self.gaussian:
            return own + softplus(fields).sum(axis=1)
        # the integral of exp(-|v - b|^2 / 2 + v a) with a = fields - b
        square = (fields**2).sum(axis=1) - (self.visible_bias**2).sum()
        return own + (square + self.shape[1] * np.log(2 * np.pi)) / 2

    def visible_means(self, hidden: Array) -> Array:
        """E(v | h); mean-field approximation for large coupled layers."""
        fields = self.visible_fields(hidden)
        if self.gaussian:
            return fields
        if self.visible_weights is None:
            return sigmoid(fields)
        return sum_states(fields, self.visible_weights)[1]

    @property
    def is_finite(self) -> bool:
        """Whether all parameters and their squares are finite."""
        arrays = [
            value for value in vars(self).values() if isinstance(value, np.ndarray)
        ]
        with np.errstate(over="ignore"):
            return all(np.isfinite(np.square(array).sum()) for array in arrays)

    def join_layers(self) -> tuple[Array, Array]:
        """Symmetric weights and biases of all units, the visible ones first."""
        n_hidden, n_visible = self.shape
        weights = np.zeros((n_visible + n_hidden,) * 2)
        weights[n_visible:, :n_visible] = self.components
        weights += weights.T
        if self.visible_weights is not None and self.hidden_weights is not None:
            weights[:n_visible, :n_visible] = self.visible_weights
            weights[n_visible:, n_visible:] = self.hidden_weights
        return weights, np.concatenate([self.visible_bias, self.hidden_bias])

    def learn(
        self, positive: Moments, negative: Moments, rate: float, decay: float
    ) -> None:
        """Take one gradient step that increases the log-likelihood, in place.

        The gradient is the difference of the moments under the data and under the
        machine (Ackley, Hinton and Sejnowski, 1985).
        """
        step = positive - negative
        if self.scale is not None and positive.spread is not None:
            # Under the machine the spread is 1 for all parameters. The variance is
            # averaged over steps, because only some batches contain outliers.
            share = min(SCALE_RATE * rate, 0.5)
            self.scale *= np.sqrt(1 + share * np.maximum(positive.spread - 1, -1))
            np.maximum(self.scale, MIN_SCALE, out=self.scale)
        for moments in (positive, negative):
            if moments.square is not None:  # v = x / s has grown because s has fallen
                square = float(moments.square.mean())
                # larger steps are stable with one unit than with many
                rate /= max(1.0, min(square, self.shape[1] * np.sqrt(square)))
        self.visible_bias += rate * step.visible
        self.hidden_bias += rate * step.hidden
        for weights, products in (
            (self.components, step.across),
            (self.visible_weights, step.among_visible),
            (self.hidden_weights, step.among_hidden),
        ):
            if weights is None or products is None:
                continue
            if weights is not self.components:  # make symmetric to the last bit
                products += products.T.copy()
                products /= 2
                np.fill_diagonal(products, 0)
            if decay:
                products -= decay * weights
            products *= rate
            weights += products

    def scale_data(self, data: NDArray) -> Array:
        """Visible states for rows of data, which may be of type bool."""
        data = data.astype(self.components.dtype, copy=False)
        return data if self.scale is None else data / self.scale

    def condition(self, mask: NDArray[np.bool_], values: Array) -> "Machine":
        """Machine of the units outside ``mask``, given the visible units in it.

        ``mask`` and ``values`` have the shape (n_visible,).
        """
        free, given = ~mask, values[mask]
        machine = Machine(
            components=self.components[:, free],
            hidden_bias=self.hidden_bias + self.components[:, mask] @ given,
            visible_bias=self.visible_bias[free],
            hidden_weights=self.hidden_weights,
            scale=None if self.scale is None else self.scale[free],
        )
        if self.visible_weights is not None:
            coupled = self.visible_weights[free]
            machine.visible_weights = coupled[:, free]
            machine.visible_bias = machine.visible_bias + coupled[:, mask] @ given
        return machine

    def cool(self, temperature: float) -> "Machine":
        """Machine whose energies are divided by the temperature.

        Gaussian units become ``v / sqrt(temperature)``, so that their variance given
        the hidden units remains 1.
        """
        root = np.sqrt(temperature)
        units = float(root if self.gaussian else temperature)
        machine = self.copy()
        machine.components /= units
        machine.visible_bias /= units
        machine.hidden_bias /= float(temperature)
        if machine.visible_weights is not None and machine.hidden_weights is not None:
            machine.visible_weights /= units
            machine.hidden_weights /= units
        return machine

    def shift_visible(self, offset: Array) -> "Machine":
        """Machine of v + offset, for Gaussian v."""
        shifted = self.copy()
        shifted.visible_bias += offset
        shifted.hidden_bias -= self.components @ offset
        return shifted


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), computed by tanh, for which numpy has vector instructions."""
    values = np.tanh(x * x.dtype.type(0.5))
    values += 1
    values *= x.dtype.type(0.5)
    return values


def softplus(x: Array) -> Array:
    """log(1 + exp(x))."""
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)


def pair_energy(weights: Array | None, states: Array) -> Array | float:
    """1/2 s W s of each row s."""
    if weights is None:
        return 0.0
    return np.einsum("nu,nu->n", states @ weights, states) / 2


def enumerate_states(
    n_units: int, start: int = 0, n_max: int | None = None
) -> NDArray[np.uint8]:
    """States in binary order, one per row: from ``start`` on, at most ``n_max``."""
    stop = 2**n_units if n_max is None else min(start + n_max, 2**n_units)
    return (np.arange(start, stop)[:, None] >> np.arange(n_units) & 1).astype(np.uint8)


def weigh_states(fields: Array, weights: Array | None) -> tuple[Array, Array]:
    """All states of a layer, (n_states, n_units), and their log weights in each row.

    The log weights have the shape (n_rows, n_states).
    """
    states = enumerate_states(fields.shape[1]).astype(fields.dtype)
    return states, fields @ states.T + pair_energy(weights, states)


def sum_states(
    fields: Array, weights: Array, tol: float = MEAN_FIELD_TOL
) -> tuple[Array, Array]:
    """log sum_s exp(s fields + 1/2 s W s) and the mean of s, for each row.

    Exact for small layers; otherwise the mean-field lower bound.
    """
    if fields.shape[1] <= MAX_ENUMERATED_LAYER:
        states, log_weights = weigh_states(fields, weights)
        total = logsumexp(log_weights, axis=1)
        return total, np.exp(log_weights - total[:, None]) @ states
    means = mean_field(fields, weights, tol)
    entropy = entr(means) + entr(1 - means)
    bound = (means * fields + entropy).sum(axis=1)
    return bound + pair_energy(weights, means), means


def mean_field(fields: Array, weights: Array, tol: float = MEAN_FIELD_TOL) -> Array:
    """Means m that solve ``m = sigmoid(fields + W m)``, row by row.

    The iteration starts from the means without weights and moves half of the way in
    each step, so that strong weights do not cause oscillations. Each row stops when it
    has converged, so that its result does not depend on other rows.
    """
    means = sigmoid(fields)
    active = np.arange(len(fields))
    for _ in range(MEAN_FIELD_STEPS):
        here = means[active]
        step = (sigmoid(fields[active] + here @ weights) - here) / 2
        means[active] = here + step
        active = active[np.abs(step).max(axis=1, initial=0) > tol]
        if not len(active):
            break
    return means
