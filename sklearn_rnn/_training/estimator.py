"""What the recurrent estimators share: parameters, fit, and a trained network."""

from abc import ABCMeta, abstractmethod
from dataclasses import replace
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils import check_array
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import (
    _check_sample_weight,
    check_consistent_length,
    check_is_fitted,
)

from sklearn_rnn._core.callbacks import EpochTasks
from sklearn_rnn._core.device import number_types, resolve_device, threads_for
from sklearn_rnn._core.drafts import hand_over, snapshot
from sklearn_rnn._core.randomness import (
    SPLIT,
    WEIGHTS,
    draw_seed,
    numpy_generator,
    torch_generator,
)
from sklearn_rnn._data.reading import SequenceReader, is_table
from sklearn_rnn._nn import GATES, build_network
from sklearn_rnn._training.batching import predicted
from sklearn_rnn._training.holdout import drawn_rows, split_rows
from sklearn_rnn._training.net import OPTIMIZERS, Examples, Plan, continued, new_net
from sklearn_rnn.streaming._adapters import SequenceInput
from sklearn_rnn.streaming._stream import Stream
from sklearn_rnn.supervised._step_targets import flat_steps, flat_weights, in_shape

PREDICTION_BATCH = 256


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
    _LASTING = (
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
        draft = snapshot(self)
        interrupt = draft._train(*data, **given)
        hand_over(draft, self)
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

    def _wrapped(self, module, criterion, **kind):
        """A new net around a module that was just built."""
        self._lasting = {name: getattr(self, name) for name in self._LASTING}
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
        )

    def _continued_net(self):
        """A copy of the trained net, with the parameters that may change as now."""
        changed = [
            f"{name} from {self._lasting[name]!r} to {getattr(self, name)!r}"
            for name in self._LASTING
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

    def _plan(self, seed, tasks, epochs, partial):
        return Plan(
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


class RecurrentEstimator(SequenceReader, NetworkEstimator):
    """Base of RNNClassifier and RNNRegressor. Think twice before adding to it.

    A subclass says what its targets are (``_learn_targets``, ``_encode``) and turns
    outputs into answers (``_decided``).
    """

    _parameter_constraints = {
        **NetworkEstimator._parameter_constraints,
        "bidirectional": ["boolean"],
        "pooling": [StrOptions({"last", "mean", "max", "concat"})],
        "return_sequences": ["boolean"],
        "input_size": [Interval(Integral, 1, None, closed="left"), None],
        "input_length": [Interval(Integral, 1, None, closed="left"), None],
    }

    _LASTING = (
        *NetworkEstimator._LASTING,
        "bidirectional",
        "pooling",
        "return_sequences",
    )

    @abstractmethod
    def _check_targets(self, y):
        """y as a 1-D or 2-D array, or a ValueError."""

    @abstractmethod
    def _learn_targets(self, y, rows, weights, *, continuing):
        """What ``_encode`` needs to know of the ``rows`` that will train."""

    @abstractmethod
    def _encode(self, y, rows):
        """Targets as a tensor, one row a sample, of which ``rows`` take part."""

    @abstractmethod
    def _decided(self, outputs):
        """What ``predict`` answers to outputs (n, n_outputs)."""

    @with_callbacks
    def _train(
        self,
        X,
        y,
        sample_weight,
        *,
        partial=False,
        validation=None,
        groups=None,
        **encoding,
    ):
        """Read, build or continue, train, keep the outcome. Returns an interrupt.

        A ``partial`` training is one epoch more, with nothing held out.
        """
        continuing = hasattr(self, "net_") and (partial or self.warm_start)
        train, labels = self._examples(X, y, sample_weight, continuing, **encoding)
        seed, valid = draw_seed(self.random_state), None
        if self.early_stopping and not partial:
            train, valid = self._split(train, labels, validation, groups, seed)
        net = self._continued_net() if continuing else self._new_net(seed)
        return self._run(net, train, valid, seed, (X, y, sample_weight), partial)

    def _examples(self, X, y, sample_weight, continuing, **encoding):
        """X and y as examples, and y itself, checked."""
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None."
            )
        sequences = self._read(X, reset=not continuing)
        y, weights = self._checked(y, sample_weight, sequences)
        rows = np.flatnonzero(weights) if weights is not None else np.arange(len(y))
        self._learn_targets(y, rows, weights, continuing=continuing, **encoding)
        return self._weighted(sequences, y, rows, weights), y

    def _checked(self, y, sample_weight, sequences):
        """y and the weights, or None where all rows count the same.

        One of each a sequence, or a step: then those of all steps behind each other.
        """
        if self.return_sequences:
            y = flat_steps(y, sequences)
            if sample_weight is not None:
                sample_weight = flat_weights(sample_weight, sequences)
        y = self._check_targets(y)
        if not self.return_sequences:
            check_consistent_length(sequences.lengths, y)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(
                sample_weight, y, dtype=np.float64, ensure_non_negative=True
            )
        return y, sample_weight

    def _weighted(self, sequences, y, rows, weights):
        """Examples with their weights, class weights included."""
        targets = self._encode(y, rows)
        weights = self._weighted_by_class(y, rows, weights)
        if weights is not None:
            rows = rows[weights[rows] > 0]
            weights = torch.from_numpy(weights)
        if not self.return_sequences:
            return Examples(sequences, targets, weights, rows)
        ends = np.cumsum(sequences.lengths)
        rows = np.unique(np.searchsorted(ends, rows, side="right"))
        return Examples(sequences, targets, weights, rows, ends - sequences.lengths)

    def _weighted_by_class(self, y, rows, weights):
        """``weights`` times what a class weighs; the regressor has no classes."""
        return weights

    # ---------------------------------------------------------------- training

    def _split(self, examples, y, validation, groups, seed):
        """Training and validation examples: the user's own, or rows held out."""
        if validation is not None:
            return examples, self._validation_examples(*validation)
        rows, rng = examples.rows, numpy_generator(seed, SPLIT)
        if self.return_sequences:
            y = np.zeros(len(examples.sequences))  # for splitters that count them only
        if hasattr(self.validation_fraction, "split"):
            rows, held_out = split_rows(rows, self.validation_fraction, y, groups, rng)
        else:
            if groups is not None:
                raise ValueError(
                    "groups were given, but validation_fraction="
                    f"{self.validation_fraction} draws single rows. Set it to a "
                    "splitter, such as GroupShuffleSplit(1, test_size=0.1)."
                )
            strata = None
            if not self.return_sequences:
                strata = self._strata(examples.targets)
            held_out = drawn_rows(rows, self.validation_fraction, rng, strata)
            rows = np.setdiff1d(rows, held_out)
        return replace(examples, rows=rows), replace(examples, rows=held_out)

    def _validation_examples(self, X_val, y_val, sample_weight_val):
        try:
            sequences = self._read(X_val, reset=False)
            y_val, weights = self._checked(y_val, sample_weight_val, sequences)
            rows = np.arange(len(y_val)) if weights is None else np.flatnonzero(weights)
            return self._weighted(sequences, y_val, rows, weights)
        except ValueError as error:
            raise ValueError(f"in X_val, y_val or their weights: {error}") from error

    def _strata(self, targets):
        """What held-out rows are spread evenly over: classes, if there are any."""
        return None

    def _new_net(self, seed):
        number, compute = number_types(self.precision, self._number_type)
        embedding = self.embedding
        if is_table(embedding):
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
            pooling=None if self.return_sequences else self.pooling,
            vocabulary_size=self._vocabulary_size,
            embedding=embedding,
        )
        return self._wrapped(module, self._criterion())

    # ---------------------------------------------------------------- output

    def _answer(self, X, answers):
        """What ``answers`` makes of the network's outputs, in the shape of X.

        It is a method of the same fitted state as the network's, which a fit in another
        thread may replace meanwhile: callers hold a snapshot.
        """
        check_is_fitted(self)
        sequences = self._read(X, reset=False)
        flat = answers(self._outputs(sequences))
        return in_shape(flat, sequences) if self.return_sequences else flat

    def stream(self, n_streams=1):
        """Open a stream: sequences that are read step by step, as they come.

        Parameters
        ----------
        n_streams : int or None, default=1
            How many sequences go on together; None is for any number of them by key.

        Returns
        -------
        stream : Stream
            Answers at any step what :meth:`predict` answers to all steps so far.

        Raises
        ------
        ValueError
            If the model is bidirectional or accepts sequences of ``input_length`` only.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_rnn import RNNClassifier
        >>> X = np.sin(np.arange(60.0)).reshape(6, 10)
        >>> model = RNNClassifier(hidden_size=4, max_epochs=2, random_state=0)
        >>> stream = model.fit(X, [0, 1, 0, 1, 0, 1]).stream()
        >>> for x in X[0]:
        ...     proba = stream.predict_proba(x)
        >>> bool(np.allclose(proba, model.predict_proba(X[:1]), rtol=1e-5))
        True
        """
        check_is_fitted(self)
        return Stream(SequenceInput(snapshot(self)), n_streams)

    def _outputs(self, sequences):
        """Logits or standardised numbers, (n, n_outputs) or (n_steps, n_outputs)."""
        rows = np.arange(len(sequences))
        with threads_for(self._work(min(len(rows), PREDICTION_BATCH))):
            device = next(self.module_.parameters()).device
            outputs = predicted(self.module_, sequences, rows, PREDICTION_BATCH, device)
        return outputs.numpy()

    def _step_score(self, X, y, sample_weight, answers, score):
        """``score`` of the answers to all valid steps."""
        check_is_fitted(self)
        sequences = self._read(X, reset=False)
        y, weights = self._checked(y, sample_weight, sequences)
        return score(y, answers(self._outputs(sequences)), sample_weight=weights)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def _same(old, new):
    return old is new or np.array_equal(np.asarray(old), np.asarray(new))
