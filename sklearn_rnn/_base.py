"""What the recurrent classifier and regressor share: reading X, fit, outputs."""

from abc import ABCMeta, abstractmethod
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import (
    _check_sample_weight,
    check_consistent_length,
    check_is_fitted,
    validate_data,
)

from sklearn_rnn import _sequences
from sklearn_rnn._batching import predicted
from sklearn_rnn._device import number_types, resolve_device, threads_for
from sklearn_rnn._nn import GATES, build_network
from sklearn_rnn._random import (
    SPLIT,
    WEIGHTS,
    draw_seed,
    numpy_generator,
    torch_generator,
)
from sklearn_rnn._snapshot import hand_over, snapshot
from sklearn_rnn._training import OPTIMIZERS, Examples, Plan, continued, new_net

PREDICTION_BATCH = 256

# What a warm start cannot change: which weights there are, and their optimizer's state.
LASTING = (
    "cell",
    "hidden_size",
    "num_layers",
    "activation",
    "bidirectional",
    "pooling",
    "precision",
    "optimizer",
    "embedding",
    "device",
)


class RecurrentEstimator(BaseEstimator, metaclass=ABCMeta):
    """Base of RNNClassifier and RNNRegressor. Think twice before adding to it.

    A subclass says what its targets are (``_encode``) and turns outputs into answers.
    """

    _parameter_constraints = {
        "cell": [StrOptions({"rnn", "lstm", "gru"}), callable],
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "num_layers": [Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions({"tanh", "relu"})],
        "bidirectional": ["boolean"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "pooling": [StrOptions({"last", "mean", "max", "concat"})],
        "embedding": [
            StrOptions({"auto", "onehot"}),
            Interval(Integral, 1, None, closed="left"),
            "array-like",
        ],
        "input_size": [Interval(Integral, 1, None, closed="left"), None],
        "input_length": [Interval(Integral, 1, None, closed="left"), None],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "optimizer": [StrOptions(set(OPTIMIZERS)), type],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "learning_rate_schedule": [
            StrOptions({"constant", "plateau", "cosine"}),
            callable,
        ],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "gradient_clip": [Interval(Real, 0, None, closed="neither"), None],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "callbacks": [list, tuple, None],
        "device": [str],
        "precision": [StrOptions({"auto", "float32", "float64", "bfloat16"})],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    @abstractmethod
    def _encode(self, y, rows, weights, *, continuing):
        """Targets as a tensor, one row a sample, of which ``rows`` will train."""

    @abstractmethod
    def _check_targets(self, y):
        """y as a 1-D or 2-D array, or a ValueError."""

    def _fit(self, X, y, sample_weight, *, partial=False, **encoding):
        """Train a draft of this estimator and hand its state over as the last act.

        A ``partial`` fit is one epoch more, with nothing held out.

        So a fit that fails leaves everything as it was, and a thread that predicts
        meanwhile sees the old model or the new one.
        """
        draft = snapshot(self)
        interrupt = draft._train(X, y, sample_weight, partial, encoding)
        hand_over(draft, self)
        if interrupt is not None:
            raise interrupt
        return self

    def _train(self, X, y, sample_weight, partial, encoding):
        """Read, build or continue, train, keep the outcome. Returns an interrupt."""
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None."
            )
        continuing = hasattr(self, "net_") and (partial or self.warm_start)
        sequences = self._read(X, reset=not continuing)
        y = self._check_targets(y)
        check_consistent_length(sequences.lengths, y)
        weights = self._check_weights(sample_weight, y)
        rows = np.flatnonzero(weights) if weights is not None else np.arange(len(y))
        targets = self._encode(y, rows, weights, continuing=continuing, **encoding)
        weights = self._weighted_by_class(y, rows, weights)
        if weights is not None:
            rows = rows[weights[rows] > 0]
        seed = draw_seed(self.random_state)
        held_out = np.empty(0, dtype=np.int64)
        if self.early_stopping and not partial:
            held_out = self._held_out(targets, rows, numpy_generator(seed, SPLIT))
        train, valid = self._split(sequences, targets, weights, rows, held_out)
        net = self._continued_net() if continuing else self._new_net(seed)
        first = len(net.history)
        plan = self._plan(seed, partial)
        with threads_for(self._work(self.batch_size)):
            interrupt = net.train(train, valid, plan)
        self.net_ = net
        self.loss_curve_ = [row["train_loss"] for row in net.history]
        self.n_iter_ = len(self.loss_curve_)
        self._keep_validation(net.history[first:])
        return interrupt

    # ---------------------------------------------------------------- input

    def _read(self, X, *, reset):
        """X as checked sequences of the number type that this model computes in."""
        kind = _sequences.kind_of(X)
        both_tables = kind == "table" and getattr(self, "_fitted_on_table", False)
        if kind == "table":
            if reset or both_tables:
                X = validate_data(self, X, reset=reset, dtype="numeric")
            else:
                X = check_array(X, dtype="numeric", estimator=self, input_name="X")
            sequences = _sequences.from_table(X, self.input_size)
        elif kind == "tokens":
            sequences = _sequences.from_tokens(X)
        elif kind == "array":
            sequences = _sequences.from_array(X)
        else:
            sequences = _sequences.from_ragged(X)
        if sequences.vocabulary_size is None and not _is_auto(self.embedding):
            size = None if reset else self._vocabulary_size
            if reset and _is_table(self.embedding):
                size = len(np.asarray(self.embedding))
            sequences = _sequences.as_codes(sequences, size)
        if reset:
            self._remember_input(sequences, kind)
        return self._check_against_fit(sequences)

    def _remember_input(self, sequences, kind):
        self._fitted_on_table = kind == "table"
        if kind != "table":
            self.n_features_in_ = sequences.input_size
            if hasattr(self, "feature_names_in_"):
                del self.feature_names_in_
        self.input_size_ = sequences.input_size
        self._vocabulary_size = sequences.vocabulary_size
        if self._vocabulary_size is not None and _is_table(self.embedding):
            n_vectors = len(np.asarray(self.embedding))
            if n_vectors != self._vocabulary_size:
                raise ValueError(
                    f"embedding has {n_vectors} vectors, but X has a vocabulary of "
                    f"size {self._vocabulary_size}: give a vector for each code, in "
                    "the order of the vectorizer's get_feature_names_out."
                )
        number, _ = number_types(
            self.precision,
            np.float32 if self._vocabulary_size else sequences.values.dtype,
        )
        self._number_type = np.dtype(number)

    def _check_against_fit(self, sequences):
        name = type(self).__name__
        if self.input_length is not None:
            other = np.flatnonzero(sequences.lengths != self.input_length)
            if len(other):
                raise ValueError(
                    f"sequence {other[0]} of X has {sequences.lengths[other[0]]} "
                    f"steps, but input_length={self.input_length} accepts that length "
                    "only. "
                    "Set input_length=None for sequences of any length."
                )
        if (sequences.vocabulary_size is None) != (self._vocabulary_size is None):
            got, fitted = ("numbers", "codes of a vocabulary")
            if sequences.vocabulary_size is not None:
                got, fitted = fitted, got
            raise ValueError(
                f"X holds {got}, but {name} was fitted on {fitted}. Give predict the "
                "same kind of input as fit; set embedding= to read plain integers as "
                "codes."
            )
        if self._vocabulary_size is not None:
            _sequences.check_codes(sequences, self._vocabulary_size)
            return sequences
        if self.input_size not in (None, sequences.input_size):
            raise ValueError(
                f"X has {sequences.input_size} features a step, but "
                f"input_size={self.input_size}."
            )
        if sequences.input_size != self.input_size_:
            raise ValueError(
                f"X has {sequences.input_size} features a step, but {name} was fitted "
                f"with {self.input_size_} features a step."
            )
        return _sequences.cast(sequences, self._number_type)

    def _check_weights(self, sample_weight, y):
        """Weights (n,), or None where all rows count the same."""
        if sample_weight is None:
            return None
        return _check_sample_weight(
            sample_weight, y, dtype=np.float64, ensure_non_negative=True
        )

    def _weighted_by_class(self, y, rows, weights):
        """``weights`` times what a class weighs; the regressor has no classes."""
        return weights

    # ---------------------------------------------------------------- training

    def _split(self, sequences, targets, weights, rows, held_out):
        """Training examples, and validation examples or None."""
        training = np.setdiff1d(rows, held_out)
        if weights is not None:
            weights = weights / weights[training].max()
            scaled = weights / weights[training].mean()
            weights = torch.from_numpy(scaled.astype(self._number_type))
        train = Examples(sequences, targets, weights, training)
        if not len(held_out):
            return train, None
        return train, Examples(sequences, targets, weights, held_out)

    def _held_out(self, targets, rows, rng):
        """Rows for validation: evenly spaced in random order, class by class."""
        n_valid = int(np.ceil(self.validation_fraction * len(rows)))
        if n_valid >= len(rows):
            raise ValueError(
                f"validation_fraction={self.validation_fraction} of n_samples = "
                f"{len(rows)} leaves none to train on. Give more rows, or set "
                "early_stopping=False."
            )
        rows = self._in_order_of_strata(rng.permutation(rows), targets)
        places = (np.arange(n_valid) + rng.random()) * len(rows) / n_valid
        return rows[places.astype(np.int64)]

    def _in_order_of_strata(self, rows, targets):
        return rows

    def _new_net(self, seed):
        number, compute = number_types(self.precision, self._number_type)
        embedding = self.embedding
        if _is_table(embedding):
            embedding = torch.tensor(check_array(embedding, dtype=number))
        module = build_network(
            self.cell,
            self.input_size_,
            self.hidden_size,
            self._n_outputs,
            generator=torch_generator(seed, WEIGHTS),
            dtype=getattr(torch, np.dtype(number).name),
            compute_dtype=compute if compute is torch.bfloat16 else None,
            num_layers=self.num_layers,
            activation=self.activation,
            bidirectional=self.bidirectional,
            dropout=self.dropout,
            pooling=self.pooling,
            vocabulary_size=self._vocabulary_size,
            embedding=embedding,
        )
        self._lasting = {name: getattr(self, name) for name in LASTING}
        return new_net(
            module,
            self._criterion(),
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            callbacks=self.callbacks,
            device=resolve_device(self.device),
        )

    def _continued_net(self):
        """A copy of the trained net, with the parameters that may change as now."""
        changed = [
            f"{name} from {self._lasting[name]!r} to {getattr(self, name)!r}"
            for name in LASTING
            if not _same(self._lasting[name], getattr(self, name))
        ]
        if changed:
            raise ValueError(
                f"the fitted network cannot be continued after a change of "
                f"{', '.join(changed)}. Set warm_start=False and fit anew."
            )
        return continued(
            self.net_,
            self._criterion(),
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            dropout=self.dropout,
            callbacks=self.callbacks,
        )

    def _plan(self, seed, partial):
        return Plan(
            epochs=1 if partial else self.max_epochs,
            batch_size=self.batch_size,
            seed=seed,
            schedule="constant" if partial else self.learning_rate_schedule,
            gradient_clip=self.gradient_clip,
            patience=self.n_iter_no_change,
            tol=self.tol,
            verbose=self.verbose,
            score=self._score_outputs,
        )

    def _keep_validation(self, rows):
        """Validation scores, and that of the epoch of these ``rows`` that was kept."""
        scores = [
            row["valid_score"] for row in self.net_.history if "valid_loss" in row
        ]
        losses = [row.get("valid_loss", np.inf) for row in rows]
        judged = np.isfinite(losses).any()
        self.validation_scores_ = scores if judged else None
        best = rows[int(np.argmin(losses))] if judged else {}
        self.best_validation_score_ = best.get("valid_score")

    def _work(self, n_rows):
        """Multiply-adds of one step of the widest layer for a batch of ``n_rows``."""
        gates = GATES.get(self.cell, 4) if isinstance(self.cell, str) else 4
        directions = 2 if self.bidirectional else 1
        inputs = self.hidden_size * (directions if self.num_layers > 1 else 1)
        return n_rows * gates * self.hidden_size * (self.hidden_size + inputs)

    # ---------------------------------------------------------------- output

    @property
    def module_(self):
        """The trained torch module."""
        return self.net_.module_

    def _outputs(self, X):
        """What the network answers: logits or standardised numbers, (n, n_outputs)."""
        check_is_fitted(self)
        sequences = self._read(X, reset=False)
        rows = np.arange(len(sequences))
        with threads_for(self._work(min(len(rows), PREDICTION_BATCH))):
            device = next(self.module_.parameters()).device
            return predicted(self.module_, sequences, rows, PREDICTION_BATCH, device)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def _same(old, new):
    return old is new or np.array_equal(np.asarray(old), np.asarray(new))


def _is_auto(embedding):
    return isinstance(embedding, str) and embedding == "auto"


def _is_table(embedding):
    return not isinstance(embedding, (str, Integral))
