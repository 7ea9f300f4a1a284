"""The common base of the five network estimators, which trains and stores a net."""

import copy
from abc import ABCMeta, abstractmethod
from typing import Any, Self

import numpy as np
import torch
from sklearn.callback import CallbackSupportMixin

from sklearn_rnn._core.callbacks import EpochTasks
from sklearn_rnn._core.checkpoints import choose_folder
from sklearn_rnn._core.device import (
    ignore_torch_modes,
    resolve_device,
    resolve_torch_dtypes,
    warn_if_bfloat16_is_slow,
)
from sklearn_rnn._core.documentation import summarize_epochs
from sklearn_rnn._core.drafts import draft, snapshot
from sklearn_rnn._core.memory import explain_out_of_memory
from sklearn_rnn._core.randomness import (
    SPLIT,
    WEIGHTS,
    borrow_global_generator,
    draw_seed,
    numpy_generator,
    torch_generator,
)
from sklearn_rnn._core.threads import limit_threads, use_one_thread
from sklearn_rnn._core.validation import ValidatedEstimator
from sklearn_rnn._nn.cells.custom import CustomLayer
from sklearn_rnn._nn.cells.registry import CELLS
from sklearn_rnn._training.budget import resolve_patience
from sklearn_rnn._training.checkpoints import (
    check_equal_trainings,
    open_checkpoints,
)
from sklearn_rnn._training.net import RecurrentNet, continue_net, make_net
from sklearn_rnn._training.net_state import pack_net, unpack_net
from sklearn_rnn._training.optimizers import BATCHES_PER_EPOCH, resolve_rates
from sklearn_rnn._training.options import TrainingOptions
from sklearn_rnn._training.processes import current_processes
from sklearn_rnn._training.sequence_net import SequenceNet


class NetworkEstimator(CallbackSupportMixin, ValidatedEstimator, metaclass=ABCMeta):
    """Base of the estimators that train a network and predict with it.

    A subclass defines ``_train``, which reads the data, obtains a net from ``_new_net``
    or ``_continue_net``, and finally calls ``_run``.
    """

    # Parameters that determine the weights of the network or the optimizer's state.
    _FIXED_ON_WARM_START: tuple[str, ...] = (
        "cell",
        "hidden_size",
        "num_layers",
        "activation",
        "precision",
        "optimizer",
        "average",
        "device",
    )

    _net_class: type[RecurrentNet] = SequenceNet

    @abstractmethod
    def _train(self, *data: Any, **options: Any) -> KeyboardInterrupt | None:
        """Read data, train a net and store it; return the user's interrupt, if any."""

    @abstractmethod
    def _build_module(self, **options: Any) -> torch.nn.Module:
        """Build the untrained network; ``options`` are common to all builders."""

    def _net_options(self) -> dict[str, Any]:
        """Return options of the constructor of ``_net_class``."""
        return {}

    def _criterion(self) -> torch.nn.Module:
        """Return the loss as a torch module; some nets compute their own instead."""
        return torch.nn.Identity()

    def _score_outputs(
        self,
        outputs: torch.Tensor,
        targets: torch.Tensor,
        weights: torch.Tensor | None,
    ) -> float | None:
        """Compute the score of validation rows, unless the net computes its own."""
        return None

    def __sklearn_clone__(self) -> Self:
        """Clone the estimator, sharing the objects that its callbacks refer to."""
        bare = snapshot(self)
        bare.callbacks = None
        clone = super(NetworkEstimator, bare).__sklearn_clone__()
        clone.callbacks = copy.copy(self.callbacks)
        return clone

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        if "net_" in state:
            state["net_"] = pack_net(state["net_"])
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        net = vars(self).get("net_")
        if isinstance(net, dict):  # pickles without a version contain the net itself
            with ignore_torch_modes():
                self.net_ = unpack_net(net, self)

    # ---------------------------------------------------------------- training

    def _fit(self, *data: Any, **options: Any) -> Self:
        """Train a draft of this estimator, and take over its state if that succeeds."""
        processes = current_processes()
        with ignore_torch_modes(), processes.training(), draft(self) as new:
            interrupt = new._train(*data, **options)
        if interrupt is not None:
            raise interrupt
        return self

    def _draw_seeds(self, continuing: bool) -> tuple[int, np.random.Generator]:
        """Return a seed for this fit, and a generator that chooses held-out rows.

        A warm start holds out the same rows as the fit that it continues. Otherwise the
        network would be validated on rows that it was trained on.
        """
        seed = current_processes().broadcast(draw_seed(self.random_state))
        if not continuing:
            self._split_seed = seed
        return seed, numpy_generator(self._split_seed, SPLIT)

    def _run(
        self,
        net: RecurrentNet,
        train: Any,
        valid: Any,
        seed: int,
        data: tuple[Any, Any, Any],
        partial: bool = False,
    ) -> KeyboardInterrupt | None:
        """Train ``net`` and store it; return the user's interrupt, if any.

        ``data`` are X, y and sample_weight as they were passed to fit. A ``partial``
        training is a single epoch.
        """
        first = len(net.history)
        epochs = 1 if partial else self._count_epochs(train)
        X, y, sample_weight = data
        tasks = EpochTasks(
            self,
            X,
            y,
            sample_weight,
            epochs,
            state=lambda current: self._fitted_state(current, first),
        )
        options = self._training_options(seed, tasks, epochs, partial)
        interrupt = self._train_net(net, train, valid, options)
        self.__dict__.update(self._fitted_state(net, first))
        if interrupt is None:
            tasks.end(lambda: net)
        return interrupt

    def _train_net(
        self, net: RecurrentNet, train: Any, valid: Any, options: TrainingOptions
    ) -> KeyboardInterrupt | None:
        """Train ``net``; return the user's interrupt, if any."""
        with (
            limit_threads(self._count_operations(self.batch_size)),
            explain_out_of_memory(
                lambda: (
                    f"not enough memory to train with batch_size={self.batch_size}, "
                    f"hidden_size={self.hidden_size} and examples of up to "
                    f"{train.longest} steps. Decrease batch_size, or pass shorter "
                    "sequences. The estimator is unchanged."
                )
            ),
        ):
            check_equal_trainings(net, train, valid, options)
            checkpoints = open_checkpoints(net, train, valid, options)
            return net.train(train, valid, options, checkpoints)

    def _count_epochs(self, train: Any) -> int:
        """Return the maximum number of epochs on these training examples."""
        return self.max_epochs

    def _count_batches(self, train: Any) -> int:
        """Return the number of batches per epoch."""
        return -(-len(train.rows) // self.batch_size)

    def _new_net(
        self, seed: int, n_batches: int = BATCHES_PER_EPOCH, **options: Any
    ) -> RecurrentNet:
        """Make an untrained net with weights drawn from ``seed``.

        ``n_batches`` is the number of batches per epoch, on which the "auto" weight
        decay depends. ``options`` are further options of the builder.
        """
        dtype, compute_dtype = resolve_torch_dtypes(self.precision, self._number_type)
        device = resolve_device(self.device)
        if compute_dtype is not None:
            least = 1 if callable(self.cell) else CELLS[self.cell].least_in_bfloat16
            warn_if_bfloat16_is_slow(device, self.hidden_size, least)
        with (
            use_one_thread(),  # the decompositions for orthogonal weights depend on it
            explain_out_of_memory(
                lambda: (
                    "not enough memory for the weights of a network with "
                    f"hidden_size={self.hidden_size} and num_layers={self.num_layers}. "
                    "Decrease them, or the number of features or tokens."
                )
            ),
        ):
            module = self._build_module(
                generator=torch_generator(seed, WEIGHTS),
                dtype=dtype,
                compute_dtype=compute_dtype,
                num_layers=self.num_layers,
                activation=self.activation,
                dropout=self._resolve_dropout(),
                **options,
            )
        self._fixed_on_warm_start = {
            name: copy_array(getattr(self, name)) for name in self._FIXED_ON_WARM_START
        }
        learning_rate, weight_decay = self._resolve_rates(n_batches)
        net = make_net(
            self._net_class,
            module,
            self._criterion(),
            optimizer=self.optimizer,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            average=self.average,
            callbacks=self.callbacks,
            device=device,
            **self._net_options(),
        )
        is_padded = getattr(self, "input_length", None) is None
        for layer in net.module_.modules():
            if isinstance(layer, CustomLayer):
                with borrow_global_generator(seed):
                    layer.check_independence(causal=is_padded)
        return net

    def _continue_net(self, n_batches: int = BATCHES_PER_EPOCH) -> RecurrentNet:
        """Copy the trained net, with the current values of the training parameters."""
        changed = [
            f"{name} from {before!r} to {getattr(self, name)!r}"
            for name, before in self._fixed_on_warm_start.items()
            if not is_same_setting(before, getattr(self, name))
        ]
        if changed:
            raise ValueError(
                f"the training of the fitted network cannot continue after a change of "
                f"{', '.join(changed)}. Set warm_start=False to fit a new network."
            )
        learning_rate, weight_decay = self._resolve_rates(n_batches)
        return continue_net(
            self.net_,
            self._criterion(),
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            dropout=self._resolve_dropout(),
            callbacks=self.callbacks,
            **self._net_options(),
        )

    def _resolve_rates(self, n_batches: int) -> tuple[float, float]:
        """Return learning rate and weight decay as numbers."""
        return resolve_rates(
            self.optimizer, self.learning_rate, self.weight_decay, n_batches
        )

    def _resolve_dropout(self) -> float:
        """Return the dropout rate as a number."""
        return self.dropout

    def _training_options(
        self, seed: int, tasks: EpochTasks | None, epochs: int, partial: bool
    ) -> TrainingOptions:
        """Return the options of the training loop.

        If ``tasks`` is None, nothing is printed, scikit-learn's callbacks are not
        called, and no warning is issued if there are no checkpoints.
        """
        is_main = tasks is not None
        given: dict[str, Any] = {"verbose": 0} if tasks is None else tasks.hooks
        if current_processes().rank:  # the first process prints
            given = {**given, "verbose": 0}
        if partial:
            given = {**given, "learning_rate_schedule": "constant"}
        return TrainingOptions.from_estimator(
            self,
            max_epochs=epochs,
            n_iter_no_change=resolve_patience(self.n_iter_no_change, epochs),
            seed=seed,
            score=self._score_outputs,
            operations=self._count_operations(1),
            checkpoint=None if partial else choose_folder(self, is_main),
            warns_of_checkpoints=is_main,
            **given,
        )

    def _fitted_state(self, net: RecurrentNet, first: int) -> dict[str, Any]:
        """Return the fitted attributes after a training from epoch ``first`` on."""
        history = net.history
        scores = [row["valid_score"] for row in history if "valid_loss" in row]
        losses = [row.get("valid_loss", np.inf) for row in history[first:]]
        curve, best, score = None, None, None
        if np.isfinite(losses).any():
            curve = [row.get("valid_loss", np.nan) for row in history]
            best = first + int(np.argmin(losses)) + 1
            score = history[best - 1]["valid_score"]
        return {
            "net_": net,
            "n_iter_": len(history),
            "loss_curve_": [row["train_loss"] for row in history],
            "validation_loss_curve_": curve,
            "validation_scores_": None if best is None else scores,
            "best_epoch_": best,
            "best_validation_score_": score,
        }

    def _count_operations(self, n_rows: int) -> int:
        """Count the multiply-adds of one step of the widest layer for ``n_rows``."""
        cell = CELLS.get(self.cell) if isinstance(self.cell, str) else None
        gates = 4 if cell is None else cell.n_gates
        directions = 2 if getattr(self, "bidirectional", False) else 1
        inputs = self.hidden_size * (directions if self.num_layers > 1 else 1)
        return n_rows * gates * self.hidden_size * (self.hidden_size + inputs)

    def _summarize_fit(self) -> dict[str, str]:
        """Return cell, layers, number of weights, epochs, losses and device."""
        fixed, weights = self._fixed_on_warm_start, list(self.module_.parameters())
        layers = f"{fixed['num_layers']} with {fixed['hidden_size']} units"
        if fixed["num_layers"] > 1:
            layers += " each"
        if getattr(self, "bidirectional", False):
            layers += ", bidirectional"
        summary = {
            "cell": str(fixed["cell"]),
            "layers": layers,
            "weights": f"{sum(part.numel() for part in weights):,}",
        }
        for name, size in self._find_vocabulary_sizes().items():
            if size is not None:
                summary[name] = f"{size:,} codes"
        dtype = str(weights[0].dtype).removeprefix("torch.")
        device = {"device": f"{weights[0].device}, {dtype}"}
        return summary | summarize_epochs(self) | device

    def _find_vocabulary_sizes(self) -> dict[str, int | None]:
        """Return numbers of codes by name, for the summary; None without codes."""
        size = getattr(self, "_vocabulary_size", None)
        return {"vocabulary": getattr(self, "vocabulary_size_", size)}

    @property
    def module_(self) -> Any:  # the class of the network depends on the estimator
        """The trained torch module, which reads encoded sequences, time first.

        Use ``to_torch`` for a module that reads sequences in the unit of X. The forward
        pass of this module takes an object with two attributes: ``values``, of shape
        ``(n_timesteps, n_sequences, n_features)``, are standardized and joined to
        patches, and zero where sequences are padded, or they are codes ``(n_timesteps,
        n_sequences)``; ``lengths``, of shape ``(n_sequences,)``, are the numbers of
        valid steps, or None if no sequence is padded. The module of a generator takes
        codes and, optionally, states.
        """
        return self.net_.module_


def copy_array(setting: Any) -> Any:
    """Return the value of a parameter; arrays, frames and tensors as a new array."""
    return np.array(setting) if hasattr(setting, "__array__") else setting


def is_same_setting(old: Any, new: Any) -> bool:
    """Return whether two values of a parameter, which may be arrays, are equal."""
    return old is new or np.array_equal(np.asarray(old), np.asarray(new))
