"""Checkpoints of the training of a net, from which the same training continues.

A checkpoint is found by a hash of what the training loop receives: the net, the
examples and the options. Everything that determines the weights is therefore part of
the key, whatever parameter of an estimator it comes from. What cannot be hashed or
stored excludes checkpoints, with a warning.
"""

import copy
import operator
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.optim.optimizer import (
    _global_optimizer_post_hooks,
    _global_optimizer_pre_hooks,
)

from sklearn_rnn._core.checkpoints import (
    CheckpointFolder,
    describe_versions,
    warn_unusable,
)
from sklearn_rnn._core.fingerprints import digest_exactly, is_known
from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn._nn.cells.custom import CustomLayer
from sklearn_rnn._nn.compiled import describe_kernels
from sklearn_rnn._nn.description import list_arrays, set_arrays, to_shared_array
from sklearn_rnn._training.examples import Examples
from sklearn_rnn._training.net import RecurrentNet, TrainingProgress
from sklearn_rnn._training.net_state import (
    STORED_ATTRIBUTES,
    list_users_attributes,
    pack_attributes,
    pack_average,
    pack_optimizer,
    restore_attributes,
    restore_average,
    restore_optimizer,
)
from sklearn_rnn._training.optimizers import step_schedule
from sklearn_rnn._training.options import NoCheckpoints, TrainingOptions
from sklearn_rnn._training.processes import ALONE, current_processes
from sklearn_rnn._training.skorch_callbacks import WITHOUT_EFFECT, is_one_of

# Attributes of a net that are hashed separately, or that do not affect the training.
NOT_SETTINGS = {
    *("callbacks", "callbacks_", "history_", "average_", "dropout_generator"),
    *("module_", "optimizer_", "virtual_params_", "verbose", "states"),
    *(
        "processes",
        "criterion",
        "gradient_clip",
    ),  # criterion_ and the options are hashed
}
# Options that do not affect the training before the last epoch.
NOT_OPTIONS = {
    *("max_epochs", "n_iter_no_change", "verbose", "label", "score", "task_callbacks"),
    *("epoch_begins", "epoch_ends", "checkpoint", "checkpoint_every"),
    *("warns_of_checkpoints", "operations"),
}
# Settings in torch.backends that determine how products and sums are rounded.
PRECISIONS = (
    *("fp32_precision", "mkldnn.fp32_precision", "mkldnn.matmul.fp32_precision"),
    *("mkldnn.rnn.fp32_precision", "mkldnn.conv.fp32_precision"),
    *("mkldnn.deterministic", "mkldnn.allow_tf32", "cudnn.fp32_precision"),
    *("cudnn.rnn.fp32_precision", "cudnn.conv.fp32_precision", "cudnn.allow_tf32"),
    *("cudnn.deterministic", "cudnn.benchmark", "cuda.matmul.fp32_precision"),
    *("cuda.matmul.allow_tf32", "cuda.matmul.allow_fp16_reduced_precision_reduction"),
    "cuda.matmul.allow_bf16_reduced_precision_reduction",
)
# Callbacks of skorch whose parameters are part of the key.
WITH_PARAMETERS = {"EarlyStopping", "GradientNormClipping"}
STATE_OF_CALLBACKS = ("misses_", "dynamic_threshold_", "best_epoch_")
# Callbacks of scikit-learn that do not affect the training.
TASK_CALLBACKS = {"ProgressBar"}


def open_checkpoints(
    net: RecurrentNet, train: Any, valid: Any, options: TrainingOptions
) -> NoCheckpoints:
    """Return the checkpoints of a training, which do nothing if there are none.

    Raises
    ------
    ValueError
        If the folder cannot be written.
    """
    if options.checkpoint is None:
        return NoCheckpoints()
    reason = find_obstacle(net, options)
    key = ""
    if not reason:
        try:
            key = compute_key(net, train, valid, options)
        except (OSError, RecursionError, RuntimeError, TypeError) as error:
            reason = f"an object that affects the training cannot be hashed ({error})"
    warns = options.warns_of_checkpoints
    if reason and warns:
        warn_user(
            f"checkpoint={str(options.checkpoint)!r} is not used, because {reason}. "
            "The training starts at its beginning, and is not stored. Remove what "
            "prevents checkpoints, or set checkpoint=None."
        )
    if reason:
        return NoCheckpoints()
    folder = CheckpointFolder(options.checkpoint, key, options.checkpoint_every, warns)
    return NetCheckpoints(net, folder, options)


def find_obstacle(net: RecurrentNet, options: TrainingOptions) -> str:
    """Return why a training cannot continue from a checkpoint; "" if it can."""
    if options.learning_rate_schedule == "cosine":
        return 'learning_rate_schedule="cosine" depends on max_epochs'
    for callback in options.task_callbacks:
        if is_one_of(callback, "sklearn", {"ScoringMonitor"}):
            return "a ScoringMonitor needs the network after each epoch"
    foreign = [
        type(callback).__name__
        for callback in options.task_callbacks
        if not is_one_of(callback, "sklearn", TASK_CALLBACKS)
    ]
    foreign += [
        type(callback).__name__
        for _, callback in net.callbacks_
        if not is_one_of(callback, "skorch", WITHOUT_EFFECT | WITH_PARAMETERS)
    ]
    if foreign:
        return f"the effect of the callback {foreign[0]} on the training is not known"
    of_optimizers = _global_optimizer_pre_hooks, _global_optimizer_post_hooks
    if nn.modules.module._has_any_global_hook() or any(of_optimizers):
        return "a hook of all torch modules or of all optimizers is registered"
    return ""


# ---------------------------------------------------------------- keys


def compute_key(
    net: RecurrentNet, train: Any, valid: Any, options: TrainingOptions
) -> str:
    """Return a hash of everything that determines the training.

    Raises
    ------
    TypeError
        If something cannot be hashed.
    """
    settings = {
        name: value
        for name, value in sorted(vars(net).items())
        if name not in NOT_SETTINGS and value is not None
    }
    given = {
        field.name: getattr(options, field.name)
        for field in fields(options)
        if field.name not in NOT_OPTIONS
    }
    optimizer = net.optimizer_
    callbacks = [
        [type(callback).__name__, _read_parameters(callback)]
        for callback in _list_callbacks(net)
    ]
    content = {
        "net": [type(net), settings, len(net.history)],
        "module": net.module_,
        "average": net.average_,
        "optimizer": [pack_optimizer(optimizer), list_users_attributes(optimizer)],
        "callbacks": callbacks,
        "options": given,
        "score": getattr(options.score, "__func__", options.score),
        "train": _forget_width(train),
        "valid": _forget_width(valid),
        "environment": describe_environment(net.device),
        "processes": current_processes().size,
    }
    return digest_exactly(content).hex()


def check_equal_trainings(
    net: RecurrentNet, train: Any, valid: Any, options: TrainingOptions
) -> None:
    """Raise a ValueError if the current processes would not train the same network."""
    processes = current_processes()
    if processes is ALONE:
        return
    optimizer = net.optimizer_
    content = {
        "module": list(net.module_.parameters()),
        "optimizer": [type(optimizer).__name__, optimizer.param_groups[0]["lr"]],
        "options": [options.seed, options.batch_size, options.max_epochs],
        "train": _forget_width(train),
        "valid": _forget_width(valid),
    }
    what = "data, parameters or initial weights"
    processes.check_equal(what, digest_exactly(content).hex())


def _forget_width(examples: Any) -> Any:
    """Return examples without the number of steps of the array that they come from.

    A list of the same sequences trains the same network.
    """
    if not isinstance(examples, Examples):
        return examples
    return replace(examples, sequences=replace(examples.sequences, width=None))


def describe_environment(device: torch.device | str) -> list[Any]:
    """List versions and settings that determine how results are rounded."""
    is_cuda = torch.device(device).type == "cuda"
    return [
        *describe_versions("numpy", "torch"),
        torch.get_num_threads(),
        torch.backends.cpu.get_cpu_capability(),
        torch.backends.mkldnn.enabled,
        torch.backends.cudnn.enabled,
        describe_kernels(),
        torch.get_default_dtype(),
        torch.are_deterministic_algorithms_enabled(),
        torch.cuda.get_device_name(device) if is_cuda else None,
        *map(_read_setting, PRECISIONS),
    ]


def _read_setting(name: str) -> Any:
    """Return a setting in ``torch.backends``, or the error with which torch answers.

    Reading the older settings fails if they differ from those that replaced them.
    """
    try:
        return operator.attrgetter(name)(torch.backends)
    except (AttributeError, RuntimeError) as error:
        return type(error).__name__


def _list_callbacks(net: RecurrentNet) -> list[Any]:
    """List the callbacks that affect the training."""
    callbacks = [callback for _, callback in net.callbacks_]
    return [one for one in callbacks if type(one).__name__ in WITH_PARAMETERS]


def _read_parameters(callback: Any) -> dict[str, Any]:
    """Return the parameters of a callback, except where it prints."""
    parameters = callback.get_params(deep=False)
    return {name: parameters[name] for name in sorted(parameters) if name != "sink"}


def digest_unstored(net: RecurrentNet) -> bytes:
    """Hash attributes of users' cells and optimizers that checkpoints do not contain.

    If they change, training cannot continue from a checkpoint.
    """
    module, optimizer = net.module_, net.optimizer_
    own = list_users_attributes(optimizer)
    layers = module.modules()
    parts: list[Any] = [part for part in layers if isinstance(part, CustomLayer)]
    parts += [v for v in own.values() if not isinstance(v, STORED_ATTRIBUTES)]
    if not is_known(type(optimizer)):
        parts += [type(optimizer), *module.parameters()]
    if not parts:
        return b""
    with _training_mode(module):
        stored = [*module.parameters(), *module.buffers()]
        return digest_exactly(parts, without=stored)


@contextmanager
def _training_mode(module: nn.Module) -> Iterator[None]:
    """Set all modules to the training mode, and restore their modes afterwards."""
    before = [(part, part.training) for part in module.modules()]
    module.train()
    try:
        yield
    finally:
        for part, mode in before:
            part.training = mode


# ---------------------------------------------------------------- states


class NetCheckpoints(NoCheckpoints):
    """The checkpoints of the training of ``net`` in a folder."""

    def __init__(
        self, net: RecurrentNet, folder: CheckpointFolder, options: TrainingOptions
    ) -> None:
        self.net, self.folder, self.options = net, folder, options
        self._first = len(net.history)
        self._unstored = digest_unstored(net)

    def resume(self, progress: TrainingProgress, scheduler: Any) -> bool:
        """Continue from the latest checkpoint; return whether a callback had stopped.

        A state is used only if the patience of this training would not have ended it
        earlier.
        """
        begin, of_scheduler = None, dict(vars(scheduler or NoCheckpoints()))
        for entry, state in self.folder.find_states(self.options.max_epochs):
            begin = begin or copy.deepcopy(self._pack(TrainingProgress(), False))
            try:
                wait = state["progress"]["longest_wait"]
                if wait >= self.options.n_iter_no_change:
                    continue
                has_stopped = self._restore(state, progress, entry.epoch)
                self._repeat_epochs(scheduler)
            except (
                *(ArithmeticError, AttributeError, LookupError),
                *(RuntimeError, TypeError, ValueError),
            ) as error:
                self._restore(begin, progress, 0)
                if scheduler is not None:
                    vars(scheduler).update(of_scheduler)
                warn_unusable(entry.path, error)
                continue
            self.folder.start_after(entry)
            self._report_epochs()
            return has_stopped
        return False

    def save(self, progress: TrainingProgress, has_stopped: bool) -> None:
        """Write the state after an epoch, if it is due or the last one."""
        options, epoch = self.options, progress.n_finished
        if current_processes().rank:  # the first process writes
            return
        is_end = (
            has_stopped
            or epoch == options.max_epochs
            or progress.n_stale >= options.n_iter_no_change
        )
        if not self.folder.is_due(epoch, is_end):
            return
        try:
            if digest_unstored(self.net) != self._unstored:
                raise TypeError("attributes of the cell or the optimizer change")
            state = self._pack(progress, has_stopped)
        except TypeError as error:
            self.folder.give_up(error)
        else:
            self.folder.write(epoch, state, is_end=is_end)

    def _pack(self, progress: TrainingProgress, has_stopped: bool) -> dict[str, Any]:
        """Return the state between two epochs as plain data."""
        net, kept = self.net, None
        numbers = {
            name: value
            for name, value in vars(progress).items()
            if name not in ("weights", "average")
        }
        if any("valid_loss" in row for row in net.history[self._first :]):
            weights = {k: to_shared_array(v) for k, v in progress.weights.items()}
            kept = {"weights": weights, "average": pack_average(progress.average)}
        return {
            "progress": numbers,
            "has_stopped": has_stopped,
            "kept": kept,
            "weights": list_arrays(net.module_),
            "buffers": {k: to_shared_array(v) for k, v in net.module_.named_buffers()},
            "average": pack_average(net.average_),
            "optimizer": pack_optimizer(net.optimizer_),
            "attributes": pack_attributes(net.optimizer_),
            "history": [dict(row) for row in net.history[self._first :]],
            "dropout": to_shared_array(net.dropout_generator.get_state()),
            "callbacks": [_pack_callback(one) for one in _list_callbacks(net)],
        }

    def _restore(
        self, state: dict[str, Any], progress: TrainingProgress, epoch: int
    ) -> bool:
        """Set the state that ``_pack`` returned after an epoch of this training.

        Return whether a callback has stopped the training.
        """
        net = self.net
        _check_numbers(state, epoch)
        set_arrays(net.module_, state["weights"])
        buffers = dict(net.module_.named_buffers())
        with torch.no_grad():
            for name, array in state["buffers"].items():
                buffers[name].copy_(torch.from_numpy(array))
        restore_average(net.average_, state["average"])
        net.optimizer_.state.clear()
        restore_optimizer(net.optimizer_, state["optimizer"])
        restore_attributes(net.optimizer_, state["attributes"], net.device)
        net.dropout_generator.set_state(torch.from_numpy(np.array(state["dropout"])))
        callbacks = _list_callbacks(net)
        for callback, values in zip(callbacks, state["callbacks"], strict=True):
            vars(callback).update(_unpack_callback(values))
        del net.history[self._first :]
        net.history.extend(dict(row) for row in state["history"])
        found: dict[str, Any] = {**state["progress"], **net._copy_trained()}
        if state["kept"] is not None:
            found["weights"] = {
                name: torch.from_numpy(np.array(array)).to(net.device)
                for name, array in state["kept"]["weights"].items()
            }
            restore_average(found["average"], state["kept"]["average"])
        vars(progress).update(found)
        return state["has_stopped"]

    def _repeat_epochs(self, scheduler: Any) -> None:
        """Advance the scheduler of the learning rate to the last finished epoch."""
        rows = self.net.history[self._first :]
        rates = [group["lr"] for group in self.net.optimizer_.param_groups]
        if scheduler is not None:
            self.net.optimizer_._opt_called = True  # otherwise the scheduler warns
        for row in rows[:-1]:
            step_schedule(scheduler, row.get("valid_loss", row["train_loss"]))
        for group, rate in zip(self.net.optimizer_.param_groups, rates, strict=True):
            group["lr"] = rate

    def _report_epochs(self) -> None:
        """Call the callbacks of scikit-learn for the finished epochs, and print."""
        options = self.options
        for _ in self.net.history[self._first :]:
            options.epoch_begins(None)
            options.epoch_ends(None)
        if options.verbose:
            label = f"[{options.label}] " if options.label else ""
            print(f"{label}resumed after epoch {len(self.net.history)}\n", end="")


def _check_numbers(state: dict[str, Any], epoch: int) -> None:
    """Check the types of the numbers of a state, and that it belongs to this epoch."""
    expected = vars(TrainingProgress())
    types = {k: type(v) for k, v in expected.items() if k not in ("weights", "average")}
    found, rows = state["progress"], state["history"]
    losses = [row.get(k, 0.0) for row in rows for k in ("train_loss", "valid_loss")]
    if not (
        {name: type(value) for name, value in found.items()} == types
        and type(state["has_stopped"]) is bool
        and found["n_finished"] == len(rows) == epoch
        and all(type(loss) is float for loss in (*losses, *found["lowest"].values()))
        and all("train_loss" in row for row in rows)
    ):
        raise ValueError("its numbers are not those of a training.")


def _pack_callback(callback: Any) -> dict[str, Any]:
    """Return the state of skorch's EarlyStopping; other callbacks have none."""
    state = {k: v for k, v in vars(callback).items() if k in STATE_OF_CALLBACKS}
    weights = getattr(callback, "best_model_weights_", None)
    if weights is not None:
        state["weights"] = {k: to_shared_array(v) for k, v in weights.items()}
    return state


def _unpack_callback(state: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes that ``_pack_callback`` packed."""
    state = dict(state)
    weights = state.pop("weights", None)
    if weights is not None:
        state["best_model_weights_"] = {
            name: torch.from_numpy(np.array(array)) for name, array in weights.items()
        }
    return state
