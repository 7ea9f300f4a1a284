"""Training of a Boltzmann machine: the first state and the epochs.

Every epoch starts from a copy of the state before, so that an interrupt or a failure
leaves the state of the last whole epoch untouched.
"""

import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sklearn_rnn._core.randomness import SHUFFLING, numpy_generator
from sklearn_rnn._core.threads import WORK_WORTH_THREADS, use_one_thread
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
from sklearn_rnn.energy._boltzmann_parameters import FIRST_SCALE, Machine
from sklearn_rnn.energy._boltzmann_sampling import (
    Chains,
    draw_visible,
    sample_bernoulli,
)

# Hidden units of a Gaussian machine start at different log odds, from 0 to this, of
# being the only one that is on, against none. Equal clusters are found by units that
# are on half of the time, small ones by units that are hardly ever on.
LEAST_LOG_ODDS = -4.0
# Rows whose free energy is printed after an epoch.
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
    """First weights and chains, for rows of shape (n_samples, n_visible).

    Gaussian rows are standardised.
    """
    n_visible = rows.shape[1]
    # Glorot's size: much smaller weights take long to tell hidden units apart
    size = np.sqrt(2 / (n_hidden + n_visible))
    machine = Machine(
        components=rng.normal(0, size, (n_hidden, n_visible)),
        hidden_bias=np.zeros(n_hidden),
        visible_bias=np.zeros(n_visible),
    )
    if gaussian:
        machine.scale = np.full(n_visible, FIRST_SCALE)
        log_odds = np.linspace(0, LEAST_LOG_ODDS, n_hidden)
        machine.hidden_bias = log_odds - (machine.components**2).sum(axis=1) / 2
    else:  # the log odds, as if each unit had been on and off once more
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
    """Whether ``gradient`` means sums over all states of this machine."""
    n_units = count_enumerated_units(machine)
    if gradient == "exact" and n_units > MAX_ENUMERATED_UNITS:
        raise ValueError(
            f"gradient='exact' sums over all states of {n_units} units, but at most "
            f"{MAX_ENUMERATED_UNITS} are supported. Use gradient='pcd', or fewer units."
        )
    return gradient == "exact" or (gradient == "auto" and n_units <= MAX_UNITS_FOR_AUTO)


@dataclass
class Trainer:
    """Trains a machine on rows of shape (n_samples, n_visible), epoch by epoch."""

    rows: NDArray
    options: LearningOptions
    seed: int
    gap: FreeEnergyGap | None = None  # decides when to stop, and which epoch to keep
    verbose_name: str = ""  # printed in front of one line per epoch, if not empty

    def run(self, state: LearningState, n_epochs: int) -> Iterator[LearningState]:
        """Yield after each epoch the state to keep."""
        for _ in range(n_epochs):
            begin = time.perf_counter()
            kept = state = self._learn(state)
            if self.gap is not None:
                kept = replace(
                    self.gap.judge(state),
                    n_epochs=state.n_epochs,
                    gaps=self.gap.gaps.copy(),
                )
            seconds = time.perf_counter() - begin
            yield kept
            if self.verbose_name:
                self._report(kept, seconds)
            if self.gap is not None and self.gap.is_exhausted:
                break

    def _learn(self, state: LearningState) -> LearningState:
        """The state after one more epoch."""
        new = state.copy()
        # depends on the number of the epoch alone, so that partial_fit continues fit
        rng = numpy_generator(self.seed, SHUFFLING, state.n_epochs)
        work = self.options.batch_size * state.machine.components.size
        one_thread = use_one_thread if work < WORK_WORTH_THREADS else nullcontext
        with one_thread(), np.errstate(all="ignore"):  # divergence is checked below
            learn_epoch(new, self.rows, self.options, rng)
        new.n_epochs += 1
        if not new.average.is_finite:
            raise ValueError(
                f"Learning diverged in epoch {new.n_epochs}: weights are not "
                "finite any more. Lower learning_rate, or scale Gaussian columns."
            )
        return new

    def _report(self, state: LearningState, seconds: float) -> None:
        visible = state.average.scale_data(self.rows[:REPORTED_ROWS])
        free_energy = state.average.free_energy(visible).mean()
        gap = "" if self.gap is None else f"gap {self.gap.gaps[-1]:.4f}, "
        print(
            f"[{self.verbose_name}] epoch {state.n_epochs}: free energy "
            f"{free_energy:.3f}, {gap}{seconds:.2f} s"
        )
