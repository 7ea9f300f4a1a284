"""Training of a Boltzmann machine: the initial state and the epochs.

Every epoch works on a copy of the state, so that an interrupt or an error leaves the
state of the last complete epoch unchanged.
"""

import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sklearn_rnn._core.randomness import SHUFFLING, numpy_generator
from sklearn_rnn._core.threads import WORK_WORTH_THREADS, use_one_thread
from sklearn_rnn.energy._boltzmann_checkpoints import MachineCheckpoints
from sklearn_rnn.energy._boltzmann_enumeration import (
    MAX_ENUMERATED_UNITS,
    MAX_UNITS_FOR_AUTO,
    count_enumerated_units,
)
from sklearn_rnn.energy._boltzmann_learning import (
    FreeEnergyGap,
    LearningOptions,
    LearningState,
    learn_epoch,
)
from sklearn_rnn.energy._boltzmann_monitor import measure_loss
from sklearn_rnn.energy._boltzmann_parameters import FIRST_SCALE, Machine
from sklearn_rnn.energy._boltzmann_sampling import (
    Chains,
    draw_visible,
    sample_bernoulli,
)

# Hidden units of a Gaussian machine start with different log odds, from 0 to this
# value, of being the only unit that is on against no unit being on. Units that are on
# half of the time find clusters of equal size, and units that are rarely on find small
# clusters.
MIN_LOG_ODDS = -4.0
# Number of rows whose mean free energy is printed after an epoch.
REPORTED_ROWS = 1000


def draw_first_state(
    rows: NDArray,
    n_hidden: int,
    n_chains: int,
    dtype: np.dtype,
    rng: np.random.Generator,
    full: bool,
    gaussian: bool,
) -> LearningState:
    """Initial weights and chains, for rows of shape (n_samples, n_visible).

    Rows for Gaussian units have been standardized.
    """
    n_visible = rows.shape[1]
    # Glorot's initialization: with much smaller weights, hidden units need long to
    # become different
    size = np.sqrt(2 / (n_hidden + n_visible))
    machine = Machine(
        components=rng.normal(0, size, (n_hidden, n_visible)),
        hidden_bias=np.zeros(n_hidden),
        visible_bias=np.zeros(n_visible),
    )
    if gaussian:
        machine.scale = np.full(n_visible, FIRST_SCALE)
        log_odds = np.linspace(0, MIN_LOG_ODDS, n_hidden)
        machine.hidden_bias = log_odds - (machine.components**2).sum(axis=1) / 2
    else:  # log odds, with two rows added: one with all units on, one with all off
        n_on = rows.sum(axis=0)
        machine.visible_bias = np.log(n_on + 1) - np.log(len(rows) - n_on + 1)
    if full:
        machine.visible_weights = np.zeros((n_visible, n_visible))
        machine.hidden_weights = np.zeros((n_hidden, n_hidden))
    machine = machine.astype(dtype)
    fields = np.tile(machine.visible_bias, (n_chains, 1))
    visible = draw_visible(machine, fields, rng)
    hidden = sample_bernoulli(machine.hidden_means(visible), rng)
    return LearningState(
        machine,
        Chains(visible, hidden),
        average=machine.copy(),
        base_bias=machine.visible_bias.copy(),
    )


def choose_exact(machine: Machine, gradient: str) -> bool:
    """Whether the gradient of this machine is computed by sums over all states."""
    n_units = count_enumerated_units(machine)
    if gradient == "exact" and n_units > MAX_ENUMERATED_UNITS:
        raise ValueError(
            f"gradient='exact' sums over all states of {n_units} units, but at most "
            f"{MAX_ENUMERATED_UNITS} units are supported. Set gradient='pcd' or use "
            "fewer units."
        )
    return gradient == "exact" or (gradient == "auto" and n_units <= MAX_UNITS_FOR_AUTO)


@dataclass
class Trainer:
    """Trains a machine on rows of shape (n_samples, n_visible), epoch by epoch."""

    rows: NDArray
    options: LearningOptions
    seed: int
    gap: FreeEnergyGap | None = None  # decides when to stop and which epoch to keep
    verbose_name: str = ""  # prefix of one printed line per epoch; empty for silence
    checkpoints: MachineCheckpoints | None = None

    def run(self, state: LearningState, n_epochs: int) -> Iterator[LearningState]:
        """Yield the state to keep after each epoch.

        If there is a checkpoint, the state that it contains is yielded first.
        """
        last = state.n_epochs + n_epochs
        if self.checkpoints is not None:
            start, state = state, self.checkpoints.resume(n_epochs)
            if state is not start:
                self._print(f"resumed after epoch {state.n_epochs}")
                yield self._choose_kept(state)
        while not self._has_ended(state, last):
            begin = time.perf_counter()
            state = self._learn(state)
            if self.gap is not None:
                self.gap.judge(state)
            kept = self._choose_kept(state)
            seconds = time.perf_counter() - begin
            yield kept
            self._report(kept, seconds)
            if self.checkpoints is not None:
                self.checkpoints.save(state, self._has_ended(state, last))

    def _has_ended(self, state: LearningState, last: int) -> bool:
        """Whether training ends after the epoch of this state."""
        is_exhausted = self.gap is not None and self.gap.is_exhausted
        return state.n_epochs == last or is_exhausted

    def _choose_kept(self, state: LearningState) -> LearningState:
        """State to keep if training ends with this state."""
        if self.gap is None:
            return state
        return replace(
            self.gap.kept,
            n_epochs=state.n_epochs,
            losses=state.losses,
            gaps=self.gap.gaps.copy(),
            held_out_losses=self.gap.losses.copy(),
            best_epoch=self.gap.kept.n_epochs,
        )

    def _learn(self, state: LearningState) -> LearningState:
        """State after one more epoch."""
        new = state.copy()
        # depends on the number of the epoch only, so that partial_fit continues fit
        rng = numpy_generator(self.seed, SHUFFLING, state.n_epochs)
        work = self.options.batch_size * state.machine.components.size
        one_thread = use_one_thread if work < WORK_WORTH_THREADS else nullcontext
        with one_thread(), np.errstate(all="ignore"):  # divergence is checked below
            learn_epoch(new, self.rows, self.options, rng)
            new.losses = [*state.losses, measure_loss(new.average, self.rows)]
        new.n_epochs += 1
        new.held_out_losses = new.best_epoch = None
        if not new.average.is_finite:
            raise ValueError(
                f"Training diverged in epoch {new.n_epochs}: weights are no longer "
                "finite. Decrease learning_rate, or scale the columns of X if "
                "visible='gaussian'."
            )
        return new

    def _report(self, state: LearningState, seconds: float) -> None:
        if not self.verbose_name:
            return
        visible = state.average.scale_data(self.rows[:REPORTED_ROWS])
        free_energy = state.average.free_energy(visible).mean()
        gap = "" if self.gap is None else f"gap {self.gap.gaps[-1]:.4f}, "
        self._print(
            f"epoch {state.n_epochs}: free energy {free_energy:.3f}, {gap}"
            f"{seconds:.2f} s"
        )

    def _print(self, line: str) -> None:
        if self.verbose_name:  # one write, as other processes may print too
            print(f"[{self.verbose_name}] {line}\n", end="")
