"""The training loop: a skorch net that runs epochs over our own batches.

skorch brings the callbacks, the history and the handling of optimisers. The batches are
slices of whole arrays (its DataLoader collates row by row, which costs more than a
small network), the randomness is private, and weights and validation rows are known to
the loop.
"""

import copy
import dis
import functools
import inspect
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EpochTimer, InputShapeSetter
from skorch.callbacks.scoring import ScoringBase
from torch import Tensor, nn

from sklearn_rnn._core.drafts import snapshot
from sklearn_rnn._core.randomness import (
    DROPOUT,
    SHUFFLING,
    numpy_generator,
    torch_generator,
)
from sklearn_rnn._data.sequences import Sequences
from sklearn_rnn._training.batching import (
    pad_batch,
    predict_batches,
    step_places,
    training_batches,
)

# An eps of 1e-6 keeps gradients that are zero but for rounding from being blown up to
# whole steps: a row of weight 2 trains as two rows do, to seven digits.
ADAM = {"fused": True, "eps": 1e-6}

OPTIMIZERS: dict[str, tuple[type[torch.optim.Optimizer], dict[str, Any]]] = {
    "adam": (torch.optim.Adam, ADAM),
    "adamw": (torch.optim.AdamW, ADAM),
    "rmsprop": (torch.optim.RMSprop, {}),
    "sgd": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
}


@dataclass(frozen=True)
class Examples:
    """Sequences with their targets and weights, of which ``rows`` take part.

    Targets of each step lie behind each other, those of sequence i from ``first[i]``.
    """

    sequences: Sequences
    targets: Tensor  # (n, ...), or (n_steps, ...)
    weights: Tensor | None  # (n,), or (n_steps,)
    rows: np.ndarray
    first: np.ndarray | None = None

    def places(self, rows: np.ndarray) -> Tensor:
        """Which targets belong to the answers to a batch, in the order of those."""
        if self.first is not None:
            rows = step_places(self.first[rows], self.sequences.lengths[rows])
        return torch.from_numpy(rows)

    def all_places(self) -> Tensor:
        """Which targets belong to the answers to ``self.rows``, row by row."""
        if self.first is None:
            return torch.from_numpy(self.rows)
        lengths = self.sequences.lengths[self.rows]
        ends = np.cumsum(lengths)
        first = np.repeat(self.first[self.rows] - ends + lengths, lengths)
        return torch.from_numpy(first + np.arange(ends[-1]))

    def of_mean_one(self, dtype: torch.dtype) -> "Examples":
        """The same with weights of mean 1 over ``rows``."""
        if self.weights is None:
            return self
        places = self.all_places()
        weights = self.weights / self.weights[places].max()
        weights = weights / weights[places].mean()
        return replace(self, weights=weights.to(dtype))


def _silence(current: Callable[[], "RecurrentNet"]) -> bool:
    return False


@dataclass(frozen=True)
class TrainingOptions:
    """How long and how to train.

    ``epoch_begins`` and ``epoch_ends`` are called with a function that returns the net
    as it would be if the training were over; the latter answers whether it shall be.
    """

    epochs: int
    batch_size: int
    seed: int
    schedule: str | Callable[[int], float] = "constant"
    gradient_clip: float | None = None
    patience: float = np.inf  # epochs without improvement before the end
    tol: float = 0.0
    verbose: int = 0
    score: Callable[[np.ndarray, np.ndarray], float] | None = None
    epoch_begins: Callable[[Callable[[], "RecurrentNet"]], Any] = _silence
    epoch_ends: Callable[[Callable[[], "RecurrentNet"]], bool] = _silence


@dataclass
class Average:
    """A mean of the weights over all steps, of which the late ones count most.

    Step s of t counts about as (s / t) ** 3 (Shamir and Zhang, 2013, with eta = 3):
    no horizon to choose, and a mean after n epochs that knows nothing of those to come.
    Within an epoch ``weights`` is the mean; between epochs the module holds it, and
    ``weights`` those that training goes on from.
    """

    weights: list[Tensor]
    n_steps: int = 0

    @torch.no_grad()
    def update(self, weights: list[Tensor]) -> None:
        """Take in the weights after one more step."""
        self.n_steps += 1
        torch._foreach_lerp_(self.weights, weights, 4 / (self.n_steps + 3))

    @torch.no_grad()
    def swap(self, module: nn.Module) -> None:
        """Exchange these weights and the module's."""
        for ours, theirs in zip(self.weights, module.parameters(), strict=True):
            kept = ours.clone()
            ours.copy_(theirs)
            theirs.copy_(kept)


@dataclass
class TrainingProgress:
    """The lowest losses so far and the weights to end with."""

    weights: dict[str, Tensor] = field(default_factory=dict)
    average: Average | None = None
    n_finished: int = 0
    lowest: dict[str, float] = field(default_factory=dict)
    reference_loss: float = np.inf
    n_stale: int = 0


class StopTraining(Exception):
    """A callback asked for the end of training."""


class RecurrentNet(NeuralNet):
    """A skorch net trained by :meth:`train` and used through its ``module_``.

    ``history`` has for each epoch ``train_loss``, ``dur`` and, with validation rows,
    ``valid_loss`` and ``valid_score``.
    """

    average_: Average | None = None

    @property
    def _default_callbacks(self):
        return [("epoch_timer", EpochTimer())]

    def notify(self, method_name, **cb_kwargs):
        """Tell the callbacks; a KeyboardInterrupt that one *raises* is a stop.

        That is how skorch's EarlyStopping ends a training. A key pressed while a
        callback runs arrives at some other instruction and goes its way.
        """
        try:
            super().notify(method_name, **cb_kwargs)
        except KeyboardInterrupt as interrupt:
            if _was_raised_on_purpose(interrupt):
                raise StopTraining from interrupt
            raise

    def train(self, train: Examples, valid: Examples | None, plan: TrainingOptions):
        """Run the epochs of ``plan``; return the user's interrupt, if one came.

        Afterwards the module has the weights of the last finished epoch, or with
        validation rows of the one with the lowest validation loss.
        """
        first = len(self.history)
        train = self._prepare_examples(train)
        valid = None if valid is None else self._prepare_examples(valid)
        progress = TrainingProgress()
        self._keep(progress)
        current = functools.partial(self._as_trained, progress)
        schedule = _schedule(self.optimizer_, plan)
        self.dropout_generator = torch_generator(
            plan.seed, DROPOUT, first, device=self.device
        )
        self.gradient_clip = plan.gradient_clip
        interrupt = None
        try:
            self.notify("on_train_begin", X=None, y=None)
            for epoch in range(first, first + plan.epochs):
                plan.epoch_begins(current)
                stop = self._run_epoch(epoch, train, valid, plan, progress)
                stop |= plan.epoch_ends(current)
                if stop or progress.n_stale >= plan.patience:
                    break
                _step_schedule(schedule, self.history[-1])
        except StopTraining:
            pass
        except KeyboardInterrupt as error:
            if not progress.n_finished:
                raise
            interrupt = error
        finally:
            del self.dropout_generator
        del self.history[first + progress.n_finished :]
        self.module_.load_state_dict(progress.weights)
        self.average_ = progress.average
        self.module_.eval()
        try:
            self.notify("on_train_end", X=None, y=None)
        except StopTraining:
            pass
        return interrupt

    def _run_epoch(self, epoch, train, valid, plan, progress):
        """One pass over the training rows, then a look at the validation rows.

        Returns whether a callback asks at the end for no further one.
        """
        started = time.perf_counter()
        self.notify("on_epoch_begin", dataset_train=None, dataset_valid=None)
        self.module_.train()
        rng = numpy_generator(plan.seed, SHUFFLING, epoch)
        batches = self._batches(train, plan.batch_size, rng)
        if self.average_ is not None:
            self.average_.swap(self.module_)
        self.history.record("train_loss", self._run_batches(batches))
        if self.average_ is not None:
            self.average_.swap(self.module_)
        watched = "train_loss"
        if valid is not None:
            watched = "valid_loss"
            self.module_.eval()
            self._record_validation(valid, plan)
        loss = self.history[-1, watched]
        self._record_bests(progress)
        if not np.isfinite(loss):
            raise ValueError(
                _divergence_message(len(self.history), f"{watched} is {loss}")
            )
        if loss < progress.reference_loss - plan.tol:
            progress.reference_loss, progress.n_stale = loss, 0
        else:
            progress.n_stale += 1
        if self.history[-1, f"{watched}_best"] or valid is None:
            self._keep(progress)
        progress.n_finished += 1
        if plan.verbose:
            print(
                _format_progress(
                    self.history[-1], epoch, plan, time.perf_counter() - started
                )
            )
        try:
            self.notify("on_epoch_end", dataset_train=None, dataset_valid=None)
        except StopTraining:
            return True
        finally:
            del self.history[-1]["batches"][:-1]  # thousands of records, else
        return False

    def _keep(self, progress):
        """Note the weights as those to end with."""
        progress.weights = _copy_weights(self.module_)
        progress.average = copy.deepcopy(self.average_)

    def _as_trained(self, progress):
        """A copy of this net as if its training had ended with ``progress``."""
        net = snapshot(self)
        module = copy.deepcopy(self.module_)
        module.load_state_dict(progress.weights)
        vars(net).update(
            module_=module.eval(),
            average_=progress.average,
            history=copy.copy(self.history),
        )
        return net

    def _record_bests(self, progress):
        """What skorch's Checkpoint reads: whether each loss is the lowest so far."""
        for name in ("train_loss", "valid_loss"):
            if name in self.history[-1]:
                loss = self.history[-1, name]
                lowest = progress.lowest.get(name, np.inf)
                self.history.record(f"{name}_best", loss < lowest)
                progress.lowest[name] = min(loss, lowest)

    def _prepare_examples(self, examples):
        """Examples as the loop needs them, done once before the first epoch."""
        return examples.of_mean_one(next(self.module_.parameters()).dtype)

    def _batches(self, examples, batch_size, rng) -> Iterator[tuple]:
        sequences, weights = examples.sequences, examples.weights
        for rows in training_batches(examples.rows, sequences.lengths, batch_size, rng):
            inputs = pad_batch(sequences, rows, self.device)
            index = examples.places(rows)
            targets = examples.targets[index].to(self.device)
            weight = None if weights is None else weights[index].to(self.device)
            yield inputs, targets, weight

    def _run_batches(self, batches) -> float:
        """Train on every batch; the mean loss of a row."""
        total, n_rows, weights = 0.0, 0, list(self.module_.parameters())
        for batch in batches:
            self.notify("on_batch_begin", batch=batch, training=True)
            step = self.train_step(batch)
            if self.average_ is not None:
                self.average_.update(weights)
            loss, n = step["loss"].item(), step["n_rows"]
            total, n_rows = total + loss * n, n_rows + n
            self.history.record_batch("train_loss", loss)
            self.history.record_batch("train_batch_size", n)
            self.notify("on_batch_end", batch=batch, training=True, **step)
        return total / n_rows

    def train_step_single(self, batch, **fit_params) -> dict[str, Any]:
        """Forward, backward and clipping for one batch."""
        loss, outputs, n_rows = self._loss(batch)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(
            self.module_.parameters(), self.gradient_clip or float("inf"), foreach=True
        )
        if not np.isfinite(norm.item()):
            epoch = len(self.history)
            what = f"the loss is {loss.item():.3g} and its gradient {norm.item()}"
            raise ValueError(_divergence_message(epoch, what))
        return {"loss": loss, "y_pred": outputs, "n_rows": n_rows}

    def _loss(self, batch) -> tuple[Tensor, Tensor, int]:
        """The mean loss of a batch, the outputs, and over how many rows it is taken."""
        inputs, targets, weights = batch
        outputs = self.module_(inputs, generator=self.dropout_generator)
        losses = self.criterion_(outputs, targets)
        losses = losses.mean(1) if losses.ndim > 1 else losses
        loss = losses.mean() if weights is None else (losses * weights).mean()
        return loss, outputs, len(targets)

    def _record_validation(self, valid, plan):
        outputs = predict_batches(
            self.module_, valid.sequences, valid.rows, plan.batch_size, self.device
        )
        places = valid.all_places()
        targets = valid.targets[places]
        with torch.inference_mode():
            losses = self.criterion_(outputs, targets)
        losses = losses.mean(1) if losses.ndim > 1 else losses
        weights = None
        if valid.weights is not None:
            weights = valid.weights[places]
            losses = losses * weights / weights.mean()
        self.history.record("valid_loss", losses.mean().item())
        self.history.record("valid_score", plan.score(outputs, targets, weights))


def new_net(
    module: nn.Module,
    criterion: nn.Module,
    *,
    optimizer: str | type[torch.optim.Optimizer],
    learning_rate: float,
    weight_decay: float,
    average: bool,
    callbacks: list | None,
    device: torch.device,
    kind: type[RecurrentNet] = RecurrentNet,
    **net_options: Any,
) -> RecurrentNet:
    """A net around ``module``, ready to train. The callbacks are copied."""
    if isinstance(optimizer, str):
        optimizer_class, options = OPTIMIZERS[optimizer]
    else:
        optimizer_class, options = optimizer, {}
    if not issubclass(optimizer_class, torch.optim.Optimizer):
        raise TypeError(
            f"optimizer={optimizer!r} is no torch.optim.Optimizer; give one of "
            f"{sorted(OPTIMIZERS)} or a class derived from it."
        )
    if weight_decay:
        if "weight_decay" not in inspect.signature(optimizer_class).parameters:
            raise ValueError(
                f"{optimizer_class.__name__} knows no weight_decay, but weight_decay="
                f"{weight_decay}. Set weight_decay=0 with this optimizer."
            )
        options = {**options, "weight_decay": weight_decay}
    net = kind(
        module,
        criterion,
        optimizer=optimizer_class,
        lr=learning_rate,
        callbacks=_copy_callbacks(callbacks),
        train_split=None,
        device=device,
        verbose=0,
        **net_options,
        **{f"optimizer__{name}": value for name, value in options.items()},
    )
    net.initialize()
    net.module = type(module)  # else every pickle would hold the weights twice
    if average:
        net.average_ = Average([p.detach().clone() for p in net.module_.parameters()])
        net.cuda_dependent_attributes_ = [*net.cuda_dependent_attributes_, "average_"]
    return net


def continue_net(
    net: RecurrentNet,
    criterion: nn.Module,
    *,
    learning_rate: float,
    weight_decay: float,
    dropout: float,
    callbacks: list | None,
    **net_options: Any,
) -> RecurrentNet:
    """A copy to train further: a fit that fails leaves the original as it is."""
    net = copy.deepcopy(net)
    vars(net).update(net_options)
    for group in net.optimizer_.param_groups:
        group["lr"] = learning_rate
        if "weight_decay" in group:
            group["weight_decay"] = weight_decay
    net.module_.dropout = net.module_.stack.dropout = dropout
    net.criterion_ = criterion
    net.callbacks = _copy_callbacks(callbacks)
    net.initialize_callbacks()
    return net


def _copy_callbacks(callbacks):
    """Copies of the user's callbacks, which may be given as skorch takes them."""
    own = []
    for item in callbacks or []:
        name, callback = item if isinstance(item, tuple) else (None, item)
        callback = callback() if isinstance(callback, type) else copy.deepcopy(callback)
        if isinstance(callback, (ScoringBase, InputShapeSetter)):
            raise TypeError(
                f"{type(callback).__name__} needs skorch's own data sets, which the "
                "recurrent estimators do not use. Losses and the validation score "
                "stand in net.history; scores of a search come from GridSearchCV."
            )
        if not isinstance(callback, Callback):
            raise TypeError(
                f"callbacks must hold skorch callbacks, got {callback!r} of type "
                f"{type(callback).__name__}. Derive it from skorch.callbacks.Callback."
            )
        own.append(callback if name is None else (name, callback))
    return own


def _was_raised_on_purpose(interrupt):
    """Whether a ``raise`` statement, not a signal, made this interrupt."""
    trace = interrupt.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    instruction = trace.tb_frame.f_code.co_code[trace.tb_lasti]
    return dis.opname[instruction] in ("RAISE_VARARGS", "RERAISE")


def _schedule(optimizer, plan):
    """The learning rate's course over the epochs, or None if it stays."""
    schedulers = torch.optim.lr_scheduler
    if plan.schedule == "constant":
        return None
    if plan.schedule == "plateau":
        return schedulers.ReduceLROnPlateau(
            optimizer, factor=0.5, patience=3, threshold=1e-3
        )
    if plan.schedule == "cosine":
        return schedulers.CosineAnnealingLR(optimizer, plan.epochs)
    return schedulers.LambdaLR(optimizer, plan.schedule)


def _step_schedule(schedule, row):
    if isinstance(schedule, torch.optim.lr_scheduler.ReduceLROnPlateau):
        schedule.step(row.get("valid_loss", row["train_loss"]))
    elif schedule is not None:
        schedule.step()


def _copy_weights(module):
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def _divergence_message(epoch, what):
    return (
        f"training diverged in epoch {epoch}: {what}. Lower learning_rate, scale X, or "
        "set gradient_clip; the estimator is as it was before fit."
    )


def _format_progress(row, epoch, plan, seconds):
    """One line of ``verbose`` output."""
    parts = [f"epoch {epoch + 1:>4}", f"loss {row['train_loss']:.4f}"]
    if "valid_loss" in row:
        parts.append(f"validation loss {row['valid_loss']:.4f}")
        parts.append(f"validation score {row['valid_score']:.4f}")
    return "  ".join([*parts, f"{seconds:.1f} s"])
