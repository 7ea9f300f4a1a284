"""How a Boltzmann machine learns: its two phases, batch by batch."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from sklearn_rnn.energy._boltzmann_enumeration import model_moments
from sklearn_rnn.energy._boltzmann_parameters import FEW_HIDDEN, Array, Machine, Moments
from sklearn_rnn.energy._boltzmann_sampling import Clamp, coin_flips, sweep

# Numbers held at once where the hidden states of each row are listed.
PIECE = 2**22

# In an average over t steps, step s counts as (s / t) ** LATE. So many steps in a row
# count as the last of them, which saves time.
LATE = 8
SELDOM = 10


@dataclass
class Chains:
    """States of the machine's own life, which go on from batch to batch."""

    visible: Array  # (n_chains, n_visible)
    hidden: Array  # (n_chains, n_hidden)


@dataclass
class LearningState:
    """How far learning has come."""

    machine: Machine
    chains: Chains
    average: Machine  # of the machine over all steps, the late ones counting most
    n_steps: int = 0
    n_averaged: int = 0

    def copy(self) -> "LearningState":
        return replace(
            self,
            machine=self.machine.copy(),
            chains=Chains(self.chains.visible.copy(), self.chains.hidden.copy()),
            average=self.average.copy(),
        )

    def take_in(self, *, late: bool) -> None:
        """Average over the steps since the last time; not ``late`` is no average."""
        if self.n_averaged < self.n_steps:
            before = (self.n_averaged / self.n_steps) ** (LATE + 1) if late else 0.0
            self.average.approach(self.machine, 1 - before)
            self.n_averaged = self.n_steps


@dataclass
class LearningOptions:
    """What one epoch is taught by."""

    exact: bool
    by_chance: bool  # hidden states of the positive phase are samples, not means
    n_gibbs_steps: int
    batch_size: int
    weight_decay: float
    average: bool


def positive_moments(
    machine: Machine, visible: Array, lesson: LearningOptions, rng: np.random.Generator
) -> Moments:
    """Moments with the visible units clamped to the rows of the data."""
    few = machine.shape[0] <= FEW_HIDDEN and not lesson.by_chance
    if machine.full and (lesson.exact or few):
        return _exact_posterior_moments(machine, visible)
    hidden = machine.hidden_means(visible)
    if lesson.by_chance:
        hidden = coin_flips(hidden, rng)
        if machine.full:
            held = Clamp(np.ones(visible.shape, bool), visible, visible)
            for _ in range(lesson.n_gibbs_steps):
                _, hidden, _ = sweep(machine, visible, hidden, rng, held=held)
    moments = Moments.of(visible, hidden, _even(visible), pairs=machine.full)
    if machine.gaussian:
        residual = visible - machine.visible_fields(hidden)
        moments.spread = (visible * residual).mean(axis=0)
        moments.square = (visible**2).mean(axis=0)
    return moments


def negative_moments(
    machine: Machine, chains: Chains, lesson: LearningOptions, rng: np.random.Generator
) -> Moments:
    """Moments of the machine left to itself: all states, or persistent chains."""
    if lesson.exact:
        return model_moments(machine)
    for _ in range(lesson.n_gibbs_steps):
        chains.visible, chains.hidden, means = sweep(
            machine, chains.visible, chains.hidden, rng
        )
    visible = chains.visible
    moments = Moments.of(visible, means, _even(visible), pairs=machine.full)
    if machine.gaussian:
        moments.square = (visible**2).mean(axis=0)
    return moments


def _even(rows: Array) -> Array:
    """An equal share for each row."""
    return np.full(len(rows), 1 / len(rows), rows.dtype)


def _exact_posterior_moments(machine: Machine, visible: Array) -> Moments:
    """Positive moments of a full machine, over all hidden states of each row."""
    means, among = [], np.zeros((machine.shape[0],) * 2)
    size = max(1, PIECE >> machine.shape[0])
    for start in range(0, len(visible), size):
        fields = machine.hidden_fields(visible[start : start + size])
        states, log_weights = machine.weighed_hidden(fields)
        shares = softmax(log_weights, axis=1)
        means.append(shares @ states)
        among += (shares.sum(axis=0)[:, None] * states).T @ states
    hidden = np.concatenate(means)
    moments = Moments.of(visible, hidden, _even(visible), pairs=True)
    moments.among_hidden = (among / len(visible)).astype(hidden.dtype)
    return moments


def learn_epoch(
    progress: LearningState,
    rows: NDArray,
    lesson: LearningOptions,
    rate: float,
    rng: np.random.Generator,
) -> None:
    """Learn from all rows once, in a new order, in place."""
    machine = progress.machine
    order = rng.permutation(len(rows))
    for start in range(0, len(rows), lesson.batch_size):
        batch = machine.scaled(rows[order[start : start + lesson.batch_size]])
        positive = positive_moments(machine, batch, lesson, rng)
        negative = negative_moments(machine, progress.chains, lesson, rng)
        machine.learn(positive, negative, rate, lesson.weight_decay)
        progress.n_steps += 1
        if progress.n_steps % SELDOM == 0:
            progress.take_in(late=lesson.average)
    progress.take_in(late=lesson.average)


class FreeEnergyGap:
    """Tells memorising from learning, by rows that are not learned from.

    log Z falls out of the difference of two mean free energies, which is that of the
    log-likelihoods (Hinton, 2012, section 6). By chance there is one before learning
    too; what counts is how much it has grown.
    """

    def __init__(
        self,
        beginning: LearningState,
        train: NDArray,
        held_out: NDArray,
        tol: float,
        patience: int,
    ):
        self.train, self.held_out = train[: len(held_out)], held_out
        self.tol, self.patience = tol, patience
        self.first = self._gap(beginning.average)
        self.gaps: list[float] = []
        self.kept = beginning
        self.n_wide = 0

    def judge(self, progress: LearningState) -> LearningState:
        """Of all epochs so far, the last one with a gap that was not too wide."""
        self.gaps.append(self._gap(progress.average) - self.first)
        if self.gaps[-1] <= self.tol or len(self.gaps) == 1:
            self.kept, self.n_wide = progress, 0
        else:
            self.n_wide += 1
        return self.kept

    @property
    def is_enough(self) -> bool:
        return self.n_wide == self.patience

    def _gap(self, machine: Machine) -> float:
        """In nats a visible unit."""
        held_out, train = (
            machine.free_energy(machine.scaled(rows)).mean()
            for rows in (self.held_out, self.train)
        )
        return float(held_out - train) / machine.shape[1]
