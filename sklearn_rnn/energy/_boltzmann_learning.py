"""Learning rule of a Boltzmann machine: positive and negative phase of each batch."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from sklearn_rnn.energy._boltzmann_enumeration import model_moments
from sklearn_rnn.energy._boltzmann_jumps import (
    jump_all_units_to_data,
    jump_to_data,
)
from sklearn_rnn.energy._boltzmann_monitor import measure_loss
from sklearn_rnn.energy._boltzmann_parameters import (
    MAX_ENUMERATED_LAYER,
    Array,
    Machine,
    Moments,
    sigmoid,
    weigh_states,
)
from sklearn_rnn.energy._boltzmann_sampling import (
    Chains,
    Clamp,
    sample_bernoulli,
    sweep,
)

# Maximum size of an array in which the hidden states of each row are enumerated.
CHUNK = 2**22

# In an average over t steps, step s has the weight (s / t) ** AVERAGE_POWER. To save
# time, the average is updated every STEPS_PER_AVERAGE steps, as if the weights of all
# these steps were those of the last one.
AVERAGE_POWER = 8
STEPS_PER_AVERAGE = 10


@dataclass
class LearningState:
    """State from which training continues."""

    machine: Machine
    chains: Chains
    average: Machine  # average of ``machine`` over all steps; late steps count most
    base_bias: Array  # visible biases before training
    n_steps: int = 0
    n_averaged: int = 0  # number of steps included in the average
    n_epochs: int = 0
    losses: list[float] = field(default_factory=list)  # after each epoch
    # The following are recorded with early stopping only.
    gaps: list[float] | None = None  # gaps of the free energies after each epoch
    held_out_losses: list[float] | None = None
    best_epoch: int | None = None  # epoch whose weights are kept, counted from 1

    def copy(self) -> "LearningState":
        return replace(
            self,
            machine=self.machine.copy(),
            chains=Chains(self.chains.visible.copy(), self.chains.hidden.copy()),
            average=self.average.copy(),
        )

    def update_average(self, *, late: bool) -> None:
        """Include the steps since the last update; if not ``late``, only the last."""
        if self.n_averaged < self.n_steps:
            before = (
                (self.n_averaged / self.n_steps) ** (AVERAGE_POWER + 1) if late else 0.0
            )
            self.average.approach(self.machine, 1 - before)
            self.n_averaged = self.n_steps


@dataclass
class LearningOptions:
    """Settings of the learning rule."""

    exact: bool  # the negative phase sums over all states
    sample_hidden: bool  # hidden states of the positive phase are samples, not means
    n_gibbs_steps: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    average: bool


def positive_moments(
    machine: Machine,
    visible: Array,
    fields: Array,
    options: LearningOptions,
    rng: np.random.Generator,
) -> Moments:
    """Moments with the visible units clamped to rows of data.

    ``fields`` are the hidden fields of these rows, (n_rows, n_hidden).
    """
    few = machine.shape[0] <= MAX_ENUMERATED_LAYER and not options.sample_hidden
    if machine.full and (options.exact or few):
        return _exact_posterior_moments(machine, visible)
    hidden = machine.hidden_log_sum(fields)[1] if machine.full else sigmoid(fields)
    if options.sample_hidden:
        hidden = sample_bernoulli(hidden, rng)
        if machine.full:
            clamp = Clamp(np.ones(visible.shape, bool), visible)
            for _ in range(options.n_gibbs_steps):
                _, hidden, _ = sweep(machine, visible, hidden, rng, clamp=clamp)
    moments = Moments.of(visible, hidden, _equal_weights(visible), pairs=machine.full)
    if machine.gaussian:
        residual = visible - machine.visible_fields(hidden)
        moments.spread = (visible * residual).mean(axis=0)
        moments.square = (visible**2).mean(axis=0)
    return moments


def negative_moments(
    machine: Machine, chains: Chains, options: LearningOptions, rng: np.random.Generator
) -> Moments:
    """Moments of the machine without data, over all states or persistent chains."""
    if options.exact:
        return model_moments(machine)
    for _ in range(options.n_gibbs_steps):
        chains.visible, chains.hidden, means = sweep(
            machine, chains.visible, chains.hidden, rng
        )
    visible = chains.visible
    moments = Moments.of(visible, means, _equal_weights(visible), pairs=machine.full)
    if machine.gaussian:
        moments.square = (visible**2).mean(axis=0)
    return moments


def _equal_weights(rows: Array) -> Array:
    """Equal weights of rows, (n_rows,), which sum to 1."""
    return np.full(len(rows), 1 / len(rows), rows.dtype)


def _exact_posterior_moments(machine: Machine, visible: Array) -> Moments:
    """Positive moments of a full machine, over all hidden states of each row."""
    means, products = [], np.zeros((machine.shape[0],) * 2)
    size = max(1, CHUNK >> machine.shape[0])
    for start in range(0, len(visible), size):
        fields = machine.hidden_fields(visible[start : start + size])
        states, log_weights = weigh_states(fields, machine.hidden_weights)
        shares = softmax(log_weights, axis=1)
        means.append(shares @ states)
        products += (shares.sum(axis=0)[:, None] * states).T @ states
    hidden = np.concatenate(means)
    moments = Moments.of(visible, hidden, _equal_weights(visible), pairs=True)
    moments.among_hidden = (products / len(visible)).astype(hidden.dtype)
    return moments


def learn_epoch(
    state: LearningState,
    rows: NDArray,
    options: LearningOptions,
    rng: np.random.Generator,
) -> None:
    """Train on all rows (n_rows, n_visible) once, in random order, in place."""
    machine = state.machine
    order = rng.permutation(len(rows))
    for start in range(0, len(rows), options.batch_size):
        batch = machine.scale_data(rows[order[start : start + options.batch_size]])
        fields = machine.hidden_fields(batch)
        positive = positive_moments(machine, batch, fields, options, rng)
        if not options.exact:
            _try_jumps(state, batch, fields, rng)
        negative = negative_moments(machine, state.chains, options, rng)
        machine.learn(positive, negative, options.learning_rate, options.weight_decay)
        state.n_steps += 1
        if state.n_steps % STEPS_PER_AVERAGE == 0:
            state.update_average(late=options.average)
    state.update_average(late=options.average)


def _try_jumps(
    state: LearningState, batch: Array, fields: Array, rng: np.random.Generator
) -> None:
    """Let each chain try a jump to the batch, whose hidden fields are ``fields``."""
    machine, chains = state.machine, state.chains
    if machine.full:
        state.chains = jump_all_units_to_data(machine, chains, batch, fields, rng)
    else:
        chains.hidden = jump_to_data(machine, chains.hidden, fields, rng)


class FreeEnergyGap:
    """Detects overfitting by the free energies of held-out rows.

    log Z cancels out of the difference of two mean free energies, which is therefore
    the difference of the log-likelihoods (Hinton, 2012, section 6). Because of random
    differences between the rows, the gap is not 0 before training. Its value before
    training is therefore subtracted.
    """

    def __init__(
        self,
        state: LearningState,
        train: NDArray,
        held_out: NDArray,
        tol: float,
        patience: int,
    ):
        self.train, self.held_out = train[: len(held_out)], held_out
        self.tol, self.patience = tol, patience
        self.first = self._measure(state.average)
        self.gaps: list[float] = []
        self.losses: list[float] = []
        self.kept = state
        self.n_wide = 0  # number of epochs since the gap was small
        self.longest_wait = 0  # largest such number before the last epoch

    def judge(self, state: LearningState) -> LearningState:
        """Record an epoch. Returns the state of the last epoch with a small gap."""
        self.losses.append(measure_loss(state.average, self.held_out))
        self.gaps.append(self._measure(state.average) - self.first)
        self.longest_wait = max(self.longest_wait, self.n_wide)
        if self.gaps[-1] <= self.tol or len(self.gaps) == 1:
            self.kept, self.n_wide = state, 0
        else:
            self.n_wide += 1
        return self.kept

    @property
    def is_exhausted(self) -> bool:
        """Whether the gap was too wide for ``patience`` consecutive epochs."""
        return self.n_wide == self.patience

    def _measure(self, machine: Machine) -> float:
        """The gap in nats per visible unit."""
        held_out, train = (
            machine.free_energy(machine.scale_data(rows)).mean()
            for rows in (self.held_out, self.train)
        )
        return float(held_out - train) / machine.shape[1]
