"""Checkpoints of the training of a Boltzmann machine; see ``_core/checkpoints.py``."""

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_rnn._core.checkpoints import (
    CheckpointFolder,
    choose_folder,
    describe_versions,
    warn_unusable,
)
from sklearn_rnn._core.fingerprints import digest_exactly
from sklearn_rnn._core.threads import describe_linear_algebra
from sklearn_rnn.energy._boltzmann_learning import (
    FreeEnergyGap,
    LearningOptions,
    LearningState,
)
from sklearn_rnn.energy._boltzmann_parameters import Machine
from sklearn_rnn.energy._boltzmann_sampling import Chains

# Attributes of a gap that training changes.
PROGRESS_OF_GAP = ("gaps", "losses", "n_wide", "longest_wait")


def open_checkpoints(
    estimator: Any,
    rows: NDArray,
    options: LearningOptions,
    gap: FreeEnergyGap | None,
) -> "MachineCheckpoints | None":
    """Return the checkpoints of the training of an estimator; None if there are none.

    ``rows`` are those that train.
    """
    folder = choose_folder(estimator)
    if folder is None:
        return None
    start, seed = estimator._state, estimator._seed
    rule = None if gap is None else [gap.train, gap.held_out, gap.tol, gap.first]
    environment = [*describe_versions("numpy", "scipy"), describe_linear_algebra()]
    content = ["BoltzmannMachine", rows, options, seed, rule, start, environment]
    key, every = digest_exactly(content).hex(), estimator.checkpoint_every
    return MachineCheckpoints(CheckpointFolder(folder, key, every), start, gap)


class MachineCheckpoints:
    """The checkpoints of one training in a folder.

    The training begins with the state ``start`` and the gap ``gap``.
    """

    def __init__(
        self, folder: CheckpointFolder, start: LearningState, gap: FreeEnergyGap | None
    ) -> None:
        self._folder, self._start, self._gap = folder, start, gap

    def resume(self, max_epochs: int) -> LearningState:
        """Return the latest state, and restore that of the gap.

        A state is used only if the patience would not have ended the training earlier.
        """
        for entry, found in self._folder.find_states(max_epochs):
            try:
                state = self._unpack(found["state"])
                if state.n_epochs != self._start.n_epochs + entry.epoch:
                    raise ValueError("it belongs to another epoch.")
                if self._gap is not None:
                    if found["gap"]["longest_wait"] >= self._gap.patience:
                        continue
                    kept = found["kept"]
                    kept = state if kept is None else self._unpack(kept)
                    progress = {name: found["gap"][name] for name in PROGRESS_OF_GAP}
                    vars(self._gap).update(progress, kept=kept)
            except (LookupError, TypeError, ValueError) as error:
                warn_unusable(entry.path, error)
                continue
            self._folder.start_after(entry)
            return state
        return self._start

    def save(self, state: LearningState, is_end: bool) -> None:
        """Write the state after an epoch, if it is due or the last one."""
        epoch, gap = state.n_epochs - self._start.n_epochs, self._gap
        if not self._folder.is_due(epoch, is_end):
            return
        content: dict[str, Any] = {"state": _pack(state)}
        if gap is not None:
            content["gap"] = {name: getattr(gap, name) for name in PROGRESS_OF_GAP}
            content["kept"] = None if gap.kept is state else _pack(gap.kept)
        self._folder.write(epoch, content, is_end=is_end)

    def _unpack(self, packed: dict[str, Any]) -> LearningState:
        """Return the state that ``_pack`` packed, with arrays as in the start state."""
        expected = _pack(self._start)
        if packed.keys() != expected.keys():
            raise ValueError("its content is not the state of a Boltzmann machine.")
        for name in ("machine", "average", "chains", "base_bias"):
            if _describe_arrays(packed[name]) != _describe_arrays(expected[name]):
                raise ValueError(f"its {name} has arrays of other shapes.")
        parts = {
            "machine": Machine(**packed["machine"]),
            "average": Machine(**packed["average"]),
            "chains": Chains(**packed["chains"]),
        }
        return LearningState(**{**packed, **parts})


def _pack(state: LearningState) -> dict[str, Any]:
    """Return a state as plain data."""
    packed = {field.name: getattr(state, field.name) for field in fields(state)}
    for name in ("machine", "average", "chains"):
        packed[name] = dict(vars(packed[name]))
    return packed


def _describe_arrays(value: Any) -> Any:
    """Return the shapes and types of arrays, by name if ``value`` is a dict."""
    if isinstance(value, dict):
        return {name: _describe_arrays(part) for name, part in value.items()}
    return (value.shape, value.dtype) if isinstance(value, np.ndarray) else None
