"""The training loop: a skorch net that iterates over our own batches.

skorch provides the callbacks, the history and the handling of optimizers. The batches
are slices of whole arrays, because skorch's DataLoader collates row by row, which takes
longer than a step of a small network. All random generators are private, and the loop
handles sample weights and validation rows itself.
"""

import copy
import functools
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EpochTimer
from skorch.utils import TeeGenerator
from torch import Tensor, nn

from sklearn_rnn._core.callbacks import StopTraining
from sklearn_rnn._core.drafts import snapshot
from sklearn_rnn._core.randomness import (
    DROPOUT,
    SHUFFLING,
    numpy_generator,
    torch_generator,
)
from sklearn_rnn._nn.masks import MaskGenerator, Share
from sklearn_rnn._training.averaging import WeightAverage
from sklearn_rnn._training.divergence import (
    are_finite,
    can_be_multiplied,
    describe_divergence,
    explain_large_rates,
)
from sklearn_rnn._training.epoch_losses import EpochLosses
from sklearn_rnn._training.optimizers import (
    Optimizer,
    decay_weights,
    find_flat,
    find_optimizer,
    flat_weights,
    list_own_attributes,
    make_schedule,
    separate_weights,
    step_schedule,
)
from sklearn_rnn._training.options import NoCheckpoints, TrainingOptions
from sklearn_rnn._training.processes import ALONE, current_processes
from sklearn_rnn._training.skorch_callbacks import (
    copy_callbacks,
    has_lost_patience,
    refuse_monitors_of_validation,
    resume_schedulers,
)


@dataclass
class TrainingProgress:
    """State of a training: the lowest losses, and the weights that it will end with."""

    weights: dict[str, Tensor] = field(default_factory=dict)
    average: WeightAverage | None = None
    n_finished: int = 0
    lowest: dict[str, float] = field(default_factory=dict)
    reference_loss: float = np.inf
    n_stale: int = 0  # number of epochs since the last improvement
    longest_wait: int = 0  # largest such number before the last epoch


class RecurrentNet(NeuralNet, ABC):
    """A skorch net trained by :meth:`train` and used through its ``module_``.

    For each epoch, ``history`` has ``train_loss``, ``dur`` and, with validation rows,
    ``valid_loss`` and ``valid_score``.
    """

    average_: WeightAverage | None = None
    weight_decay = 0.0  # applied by the loop, not by the optimizer
    own_schedule = False  # whether the last training had a learning_rate_schedule
    processes = ALONE  # those that share the current training
    dropout_generator: MaskGenerator

    @property
    def _default_callbacks(self) -> list[tuple[str, Callback]]:
        return [("epoch_timer", EpochTimer())]

    def notify(self, method_name: str, **cb_kwargs: Any) -> None:
        """Call the callbacks, and raise StopTraining if skorch's EarlyStopping stops.

        EarlyStopping raises a KeyboardInterrupt. Any other KeyboardInterrupt is treated
        as an interrupt by the user.
        """
        getattr(self, method_name)(self, **cb_kwargs)
        for _, callback in self.callbacks_:
            try:
                getattr(callback, method_name)(self, **cb_kwargs)
            except KeyboardInterrupt as interrupt:
                if method_name == "on_epoch_end" and has_lost_patience(callback):
                    raise StopTraining from interrupt
                raise

    def train(
        self,
        train: Any,
        valid: Any,
        options: TrainingOptions,
        checkpoints: NoCheckpoints | None = None,
    ) -> KeyboardInterrupt | None:
        """Run the epochs of ``options``; return the user's interrupt, if there is one.

        Afterwards the module has the weights of the last finished epoch or, with
        validation rows, of the epoch with the lowest validation loss. ``checkpoints``
        can restore the state after some of the epochs, which are then left out.
        """
        first = len(self.history)
        if valid is None:
            refuse_monitors_of_validation(self.callbacks_)
        train = self._prepare_examples(train)
        valid = None if valid is None else self._prepare_examples(valid)
        progress = TrainingProgress()
        vars(progress).update(self._copy_trained())
        self.gradient_clip = options.gradient_clip
        self.processes = current_processes()
        interrupt = None
        try:
            examples = train, valid
            self._run_epochs(examples, options, progress, checkpoints)
        except StopTraining:
            if not first + progress.n_finished:
                raise ValueError(
                    "a callback stopped the training before the first epoch was "
                    "finished, so there is no trained network. Raise StopTraining in "
                    "on_epoch_end instead. The estimator is unchanged."
                ) from None
        except KeyboardInterrupt as error:
            if not progress.n_finished or self.processes is not ALONE:
                raise
            interrupt = error
        del self.history[first + progress.n_finished :]
        self.module_.load_state_dict(progress.weights)
        self.average_ = progress.average
        self._end_sharing()
        self.module_.eval()
        try:
            self.notify("on_train_end", X=None, y=None)
        except StopTraining:
            pass
        what = self._find_overflow(train, options)
        if what:
            epoch = len(self.history)
            raise interrupt or ValueError(describe_divergence(epoch, what))
        del self.dropout_generator
        return interrupt

    def _run_epochs(
        self,
        examples: tuple[Any, Any],
        options: TrainingOptions,
        progress: TrainingProgress,
        checkpoints: NoCheckpoints | None,
    ) -> None:
        """Run the epochs, from those on that ``checkpoints`` can restore."""
        checkpoints = checkpoints or NoCheckpoints()
        first = len(self.history)
        current = functools.partial(self._copy_as_trained, progress)
        scheduler = make_schedule(
            self.optimizer_, options.learning_rate_schedule, options.max_epochs
        )
        self.own_schedule = scheduler is not None
        self.dropout_generator = torch_generator(
            options.seed, DROPOUT, first, device=self.device, kind=MaskGenerator
        )
        callbacks = [callback for _, callback in self.callbacks_]
        with resume_schedulers(self.optimizer_, callbacks):
            self.notify("on_train_begin", X=None, y=None)
        stop = checkpoints.resume(progress, scheduler)
        self.processes.check_equal("checkpoints", progress.n_finished)
        given = self.optimizer_, self.module_, self.average_, self.weight_decay
        with flat_weights(*given, self._find_delayed()):
            for epoch in range(progress.n_finished, options.max_epochs + 1):
                if epoch:  # after an epoch, also after one that was restored
                    checkpoints.save(progress, stop)
                    if stop or progress.n_stale >= options.n_iter_no_change:
                        break
                    row = self.history[-1]
                    step_schedule(scheduler, row.get("valid_loss", row["train_loss"]))
                if epoch < options.max_epochs:
                    options.epoch_begins(current)
                    stop = self._run_epoch(first + epoch, *examples, options, progress)
                    stop |= options.epoch_ends(current)
                    stop = self.processes.broadcast(stop)

    @torch.no_grad()
    def _find_overflow(self, train: Any, options: TrainingOptions) -> str:
        """Describe what is not finite in the trained network; "" if it can be used.

        The last training step or a callback may have made the weights infinite or NaN,
        and finite weights may be so large that the outputs are not finite.
        """
        average = [] if self.average_ is None else self.average_.weights
        if not can_be_multiplied([*self.module_.parameters(), *average]):
            return "the weights at its end are too large or not finite"
        rng = numpy_generator(options.seed, SHUFFLING)
        with closing(self._batches(train, options.batch_size, rng)) as batches:
            loss, outputs, _ = self._loss(next(batches))
        self.module_.eval()  # scheduled sampling sets the training mode
        return "" if are_finite([loss, outputs]) else "its outputs are not finite"

    def _run_epoch(
        self,
        epoch: int,
        train: Any,
        valid: Any,
        options: TrainingOptions,
        progress: TrainingProgress,
    ) -> bool:
        """Train on all batches once, then evaluate the validation rows.

        Returns whether a callback asks to stop after this epoch.
        """
        started = time.perf_counter()
        self.notify("on_epoch_begin", dataset_train=None, dataset_valid=None)
        self.module_.train()
        rng = numpy_generator(options.seed, SHUFFLING, epoch)
        batches = self._batches(train, options.batch_size, rng)
        if self.average_ is not None:
            self.average_.swap(self.module_)
        self.history.record("train_loss", self._run_batches(batches))
        if self.average_ is not None:
            self.average_.swap(self.module_)
        watched = "train_loss"
        if valid is not None:
            watched = "valid_loss"
            self.module_.eval()
            self._record_validation(valid, options)
            row = self.history[-1]
            row.update(self.processes.broadcast(dict(row)))
        loss = self.history[-1, watched]
        self._record_lowest(progress)
        if not np.isfinite(loss):
            raise ValueError(
                describe_divergence(len(self.history), f"{watched} is {loss}")
            )
        progress.longest_wait = max(progress.longest_wait, progress.n_stale)
        if loss < progress.reference_loss - options.tol:
            progress.reference_loss, progress.n_stale = loss, 0
        else:
            progress.n_stale += 1
        finished: dict[str, Any] = {"n_finished": progress.n_finished + 1}
        if self.history[-1, f"{watched}_best"] or valid is None:
            finished |= self._copy_trained()
        vars(progress).update(finished)  # in one call, because of interrupts
        if options.verbose:
            seconds = time.perf_counter() - started
            line = _format_progress(self.history[-1], epoch, seconds, options.label)
            print(f"{line}\n", end="")  # one write, as other processes may print too
        try:
            self.notify("on_epoch_end", dataset_train=None, dataset_valid=None)
        except StopTraining:
            return True
        finally:
            # Otherwise the history would hold thousands of records per epoch.
            del self.history[-1]["batches"][:-1]
        return False

    def _copy_trained(self) -> dict[str, Any]:
        """Copy the current weights and their average, to restore them later."""
        average = None if self.average_ is None else self.average_.copy()
        return {"weights": _copy_weights(self.module_), "average": average}

    def _copy_as_trained(self, progress: TrainingProgress) -> Self:
        """Copy this net as if its training had ended with ``progress``."""
        net = snapshot(self)
        module = copy.deepcopy(self.module_)
        module.load_state_dict(progress.weights)
        net.__dict__.update(
            module_=module.eval(),
            average_=progress.average,
            history=copy.copy(self.history),
        )
        return net

    def _record_lowest(self, progress: TrainingProgress) -> None:
        """Record for skorch's Checkpoint whether each loss is the lowest so far."""
        for name in ("train_loss", "valid_loss"):
            if name in self.history[-1]:
                loss = self.history[-1, name]
                lowest = progress.lowest.get(name, np.inf)
                self.history.record(f"{name}_best", loss < lowest)
                progress.lowest[name] = min(loss, lowest)

    def _run_batches(self, batches: Iterable[tuple]) -> float:
        """Train on every batch, and return the mean loss per row."""
        weights = list(self.module_.parameters())
        # besides the timer, callbacks may read the losses of batches from the history
        is_read = len(self.callbacks_) > 1 or torch.device(self.device).type == "cpu"
        losses = EpochLosses(len(self.history), reads_each=is_read)
        for batch in batches:
            self.notify("on_batch_begin", batch=batch, training=True)
            with explain_large_rates(len(self.history)):
                step = self.train_step(batch)
                if find_flat(self.optimizer_) is None:
                    decay_weights(self.optimizer_, self.weight_decay)
                    if self.average_ is not None:
                        self.average_.update(weights)
            losses.add(step["loss"], step.pop("norm"), step["n_rows"])
            if losses.reads_each:
                self.history.record_batch("train_loss", losses.last)
            self.history.record_batch("train_batch_size", step["n_rows"])
            self.notify("on_batch_end", batch=batch, training=True, **step)
        flat = find_flat(self.optimizer_)
        if flat is not None:
            flat.finish_rows()
        return losses.mean()

    def train_step(self, batch: tuple, **fit_params: Any) -> dict[str, Any]:
        """Compute the gradient of one batch, and let the optimizer take a step."""
        flat = find_flat(self.optimizer_)
        if flat is None:
            return super().train_step(batch, **fit_params)
        flat.read_rows(self._list_codes(batch))
        flat.clear_gradients()
        step = self.train_step_single(batch, **fit_params)
        names = TeeGenerator(self.get_all_learnable_params())
        about = {"named_parameters": names, "batch": batch, "training": True}
        self.notify("on_grad_computed", **about)
        flat.weight_decay = self.weight_decay  # a callback may have set it
        if flat.is_intact(self.average_):
            flat.step()
        else:  # because of a callback
            separate_weights(self.optimizer_)
            self.optimizer_.step()
        return step

    def train_step_single(self, batch: tuple, **fit_params: Any) -> dict[str, Any]:
        """Run the forward and backward pass of one batch, and clip the gradient."""
        loss, outputs, n_rows = self._loss(batch)
        loss.backward()
        loss = self.processes.sum_gradients(self.module_.parameters(), loss)
        norm = self._clip_gradient()
        return {"loss": loss, "y_pred": outputs, "n_rows": n_rows, "norm": norm}

    def _clip_gradient(self) -> Tensor:
        """Clip the gradient, and return its norm before."""
        limit, flat = self.gradient_clip or math.inf, find_flat(self.optimizer_)
        if flat is not None:
            return flat.clip(limit)
        weights = self.module_.parameters()
        return nn.utils.clip_grad_norm_(weights, limit, foreach=True)

    def _choose_columns(self, lengths: np.ndarray, each_step: bool = False) -> slice:
        """Return which sequences of a batch this process reads.

        With ``each_step``, the network has one output per valid step.
        """
        columns = self.processes.choose_columns(len(lengths))
        if self.processes is not ALONE:
            self.dropout_generator.share = Share(lengths, columns, each_step)
        return columns

    def _end_sharing(self) -> None:
        """Give all processes the same weights, and continue alone."""
        averages = [] if self.average_ is None else self.average_.weights
        self.processes.broadcast_tensors([*self.module_.parameters(), *averages])
        self.processes, self.dropout_generator.share = ALONE, None

    # ------------------------------------------------- methods of subclasses

    def _find_delayed(self) -> nn.Parameter | None:
        """Return an embedding whose steps are delayed for rows that no batch reads."""
        return None

    def _list_codes(self, batch: tuple) -> Tensor | None:
        """Return the codes in a batch, which are rows of the embedding."""
        return None

    def _prepare_examples(self, examples: Any) -> Any:
        """Prepare the examples for the loop; called once before the first epoch."""
        return examples

    @abstractmethod
    def _batches(
        self, examples: Any, batch_size: int, rng: np.random.Generator
    ) -> Generator[tuple]:
        """Yield the batches of one epoch, in an order drawn from ``rng``."""

    @abstractmethod
    def _loss(self, batch: tuple) -> tuple[Tensor, Tensor, float]:
        """Compute the loss of a batch, its outputs, and the number of its rows."""

    @abstractmethod
    def _record_validation(self, valid: Any, options: TrainingOptions) -> None:
        """Record ``valid_loss`` and ``valid_score`` of the examples ``valid``."""


def make_net(
    kind: type[RecurrentNet],
    module: nn.Module,
    criterion: nn.Module,
    *,
    optimizer: str | Optimizer,
    learning_rate: float,
    weight_decay: float,
    average: bool,
    callbacks: Sequence[Any] | None,
    device: torch.device,
    **net_options: Any,
) -> RecurrentNet:
    """Make a net of class ``kind`` for ``module``, ready to train.

    The callbacks are copied. ``net_options`` are arguments of the class.
    """
    optimizer_class, options = find_optimizer(optimizer)
    net = kind(
        module,
        criterion,
        optimizer=optimizer_class,
        lr=learning_rate,
        callbacks=copy_callbacks(callbacks),
        train_split=None,
        device=device,
        verbose=0,
        **{f"optimizer__{name}": value for name, value in options.items()},
        **net_options,
    )
    net.initialize()
    net.weight_decay = weight_decay
    net.module = type(module)  # a pickle would otherwise hold the weights twice
    if average:
        weights = [p.detach().clone() for p in net.module_.parameters()]
        net.average_ = WeightAverage(weights)
        net.cuda_dependent_attributes_ = [*net.cuda_dependent_attributes_, "average_"]
    return net


def continue_net(
    net: RecurrentNet,
    criterion: nn.Module,
    *,
    learning_rate: float,
    weight_decay: float,
    dropout: float,
    callbacks: Sequence[Any] | None,
    **net_options: Any,
) -> RecurrentNet:
    """Copy a net for further training, so that a failed fit does not change it."""
    net = snapshot(net)
    net.callbacks, net.callbacks_ = [], []  # so that deepcopy does not copy them
    # skorch's own copy is slow, and the records of finished epochs never change. Copies
    # of optimizers have no other attributes than torch's.
    finished = {id(net.history): copy.copy(net.history)}
    state = {**vars(net), "kept_": list_own_attributes(net.optimizer_)}
    net.__dict__ = copy.deepcopy(state, finished)
    net.optimizer_.__dict__.update(net.__dict__.pop("kept_"))
    net.__dict__.update(net_options)
    # A scheduler of skorch continues from the rate that it set last. A
    # learning_rate_schedule starts again. Schedulers read initial_lr, which the first
    # scheduler of an optimizer sets.
    restart = net.own_schedule or learning_rate != net.lr
    for group in net.optimizer_.param_groups:
        if restart:
            group["lr"] = learning_rate
        group["initial_lr"] = learning_rate
    net.lr, net.weight_decay = learning_rate, weight_decay
    net.module_.set_dropout(dropout)
    net.criterion_ = criterion
    net.callbacks = copy_callbacks(callbacks)
    net.initialize_callbacks()
    return net


def _copy_weights(module: nn.Module) -> dict[str, Tensor]:
    """Copy all weights by name."""
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def _format_progress(
    row: Mapping[str, Any], epoch: int, seconds: float, label: str
) -> str:
    """Format one line of ``verbose`` output."""
    label = f"[{label}] " if label else ""
    parts = [f"{label}epoch {epoch + 1:>4}", f"loss {row['train_loss']:.4f}"]
    if "valid_loss" in row:
        parts.append(f"validation loss {row['valid_loss']:.4f}")
        parts.append(f"validation score {row['valid_score']:.4f}")
    return "  ".join([*parts, f"{seconds:.1f} s"])
