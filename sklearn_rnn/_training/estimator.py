"""What the recurrent estimators share: parameters, fit, and a trained network."""

from abc import ABCMeta, abstractmethod
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin

from sklearn_rnn._core.callbacks import EpochTasks
from sklearn_rnn._core.device import resolve_device
from sklearn_rnn._core.drafts import draft
from sklearn_rnn._core.sklearn_private import HasMethods, Interval, StrOptions
from sklearn_rnn._core.threads import threads_for
from sklearn_rnn._nn.layers import GATES
from sklearn_rnn._training.net import OPTIMIZERS, TrainingOptions, continue_net, new_net


class NetworkEstimator(CallbackSupportMixin, BaseEstimator, metaclass=ABCMeta):
    """An estimator that trains a network of its own and answers through it.

    A subclass reads its data and builds its network in ``_train``, which ends in
    ``_run``.
    """

    _parameter_constraints = {
        "cell": [StrOptions({"rnn", "lstm", "gru"}), callable],
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "num_layers": [Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions({"tanh", "relu"})],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "embedding": [
            StrOptions({"auto", "onehot"}),
            Interval(Integral, 1, None, closed="left"),
            "array-like",
        ],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "optimizer": [StrOptions(set(OPTIMIZERS)), type],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "learning_rate_schedule": [
            StrOptions({"constant", "plateau", "cosine"}),
            callable,
        ],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "average": ["boolean"],
        "gradient_clip": [Interval(Real, 0, None, closed="neither"), None],
        "early_stopping": ["boolean"],
        "validation_fraction": [
            Interval(Real, 0, 1, closed="neither"),
            HasMethods("split"),
        ],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "callbacks": [list, tuple, None],
        "device": [str],
        "precision": [StrOptions({"auto", "float32", "float64", "bfloat16"})],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    # What a warm start cannot change: the weights there are, the optimizer's state.
    _FIXED_ON_WARM_START = (
        "cell",
        "hidden_size",
        "num_layers",
        "activation",
        "precision",
        "optimizer",
        "average",
        "embedding",
        "device",
    )

    @abstractmethod
    def _train(self, *data, **given):
        """Read, build or continue, train, keep the outcome. Returns an interrupt."""

    _score_outputs = None  # what judges the answers to validation rows, if anything

    def _criterion(self):
        """The loss, as a torch module; a net that takes its own needs none."""
        return torch.nn.Identity()

    def _fit(self, *data, **given):
        """Train a draft of this estimator and hand its state over as the last act.

        So a fit that fails leaves everything as it was, and a thread that predicts
        meanwhile sees the old model or the new one.
        """
        with draft(self) as new:
            interrupt = new._train(*data, **given)
        if interrupt is not None:
            raise interrupt
        return self

    def _run(self, net, train, valid, seed, data, partial):
        """Train ``net`` and keep the outcome. Returns an interrupt.

        ``data`` are X, y and sample_weight as they were given to fit.
        """
        first = len(net.history)
        epochs = 1 if partial else self.max_epochs
        tasks = EpochTasks(
            *(self, *data, epochs),
            state=lambda current: self._fitted_state(current, first),
        )
        plan = self._plan(seed, tasks, epochs, partial)
        with threads_for(self._work(self.batch_size)):
            interrupt = net.train(train, valid, plan)
        vars(self).update(self._fitted_state(net, first))
        if interrupt is None:
            tasks.end(lambda: net)
        return interrupt

    def _net_options(self):
        """Further arguments of the net, which a warm start may change."""
        return {}

    def _make_net(self, module, criterion, **kind):
        """A new net around a module that was just built."""
        self._fixed_on_warm_start = {
            name: getattr(self, name) for name in self._FIXED_ON_WARM_START
        }
        return new_net(
            module,
            criterion,
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            average=self.average,
            callbacks=self.callbacks,
            device=resolve_device(self.device),
            **kind,
            **self._net_options(),
        )

    def _continued_net(self):
        """A copy of the trained net, with the parameters that may change as now."""
        changed = [
            f"{name} from {before!r} to {getattr(self, name)!r}"
            for name, before in self._fixed_on_warm_start.items()
            if not _same(before, getattr(self, name))
        ]
        if changed:
            raise ValueError(
                f"the fitted network cannot be continued after a change of "
                f"{', '.join(changed)}. Set warm_start=False and fit anew."
            )
        return continue_net(
            self.net_,
            self._criterion(),
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            dropout=self.dropout,
            callbacks=self.callbacks,
            **self._net_options(),
        )

    def _plan(self, seed, tasks, epochs, partial):
        return TrainingOptions(
            epochs=epochs,
            batch_size=self.batch_size,
            seed=seed,
            schedule="constant" if partial else self.learning_rate_schedule,
            gradient_clip=self.gradient_clip,
            patience=self.n_iter_no_change,
            tol=self.tol,
            verbose=self.verbose if tasks else 0,
            score=self._score_outputs,
            **({} if tasks is None else tasks.hooks),
        )

    def _fitted_state(self, net, first):
        """What fit leaves behind of a net whose training began at epoch ``first``."""
        history = net.history
        scores = [row["valid_score"] for row in history if "valid_loss" in row]
        losses = [row.get("valid_loss", np.inf) for row in history[first:]]
        judged = np.isfinite(losses).any()
        best = history[first + int(np.argmin(losses))] if judged else {}
        return {
            "net_": net,
            "n_iter_": len(history),
            "loss_curve_": [row["train_loss"] for row in history],
            "validation_scores_": scores if judged else None,
            "best_validation_score_": best.get("valid_score"),
        }

    def _work(self, n_rows):
        """Multiply-adds of one step of the widest layer for a batch of ``n_rows``."""
        gates = GATES.get(self.cell, 4) if isinstance(self.cell, str) else 4
        directions = 2 if getattr(self, "bidirectional", False) else 1
        inputs = self.hidden_size * (directions if self.num_layers > 1 else 1)
        return n_rows * gates * self.hidden_size * (self.hidden_size + inputs)

    @property
    def module_(self):
        """The trained torch module."""
        return self.net_.module_


def _same(old, new):
    return old is new or np.array_equal(np.asarray(old), np.asarray(new))
