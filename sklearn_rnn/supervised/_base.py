"""What RNNClassifier and RNNRegressor share: reading, training and predicting."""

from abc import abstractmethod
from dataclasses import replace
from numbers import Integral

import numpy as np
import torch
from sklearn.callback import with_callbacks
from sklearn.utils import check_array
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sklearn_rnn._core.device import torch_types
from sklearn_rnn._core.drafts import snapshot
from sklearn_rnn._core.randomness import (
    SPLIT,
    WEIGHTS,
    draw_seed,
    numpy_generator,
    torch_generator,
)
from sklearn_rnn._core.sklearn_private import Interval, StrOptions, _check_sample_weight
from sklearn_rnn._core.threads import threads_for
from sklearn_rnn._data.reading import SequenceReader, is_table
from sklearn_rnn._nn.builders import build_network
from sklearn_rnn._training.batching import predict_batches
from sklearn_rnn._training.estimator import NetworkEstimator
from sklearn_rnn._training.holdout import draw_holdout, last_split
from sklearn_rnn._training.net import Examples
from sklearn_rnn.streaming._stream import Stream
from sklearn_rnn.supervised._step_targets import flatten, flatten_weights, unflatten
from sklearn_rnn.supervised._stream_adapter import SequenceStreamAdapter

PREDICTION_BATCH = 256


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

    _FIXED_ON_WARM_START = (
        *NetworkEstimator._FIXED_ON_WARM_START,
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
    def _decode_outputs(self, outputs):
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
        y, weights = self._check_y_and_weights(y, sample_weight, sequences)
        rows = np.flatnonzero(weights) if weights is not None else np.arange(len(y))
        self._learn_targets(y, rows, weights, continuing=continuing, **encoding)
        return self._make_weighted_examples(sequences, y, rows, weights), y

    def _check_y_and_weights(self, y, sample_weight, sequences):
        """y and the weights, or None where all rows count the same.

        One of each a sequence, or a step: then those of all steps behind each other.
        """
        if self.return_sequences:
            y = flatten(y, sequences)
            if sample_weight is not None:
                sample_weight = flatten_weights(sample_weight, sequences)
        y = self._check_targets(y)
        if not self.return_sequences:
            check_consistent_length(sequences.lengths, y)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(
                sample_weight, y, dtype=np.float64, ensure_non_negative=True
            )
        return y, sample_weight

    def _make_weighted_examples(self, sequences, y, rows, weights):
        """Examples with their weights, class weights included."""
        targets = self._encode(y, rows)
        weights = self._apply_class_weight(y, rows, weights)
        if weights is not None:
            rows = rows[weights[rows] > 0]
            weights = torch.from_numpy(weights)
        if not self.return_sequences:
            return Examples(sequences, targets, weights, rows)
        ends = np.cumsum(sequences.lengths)
        rows = np.unique(np.searchsorted(ends, rows, side="right"))
        return Examples(sequences, targets, weights, rows, ends - sequences.lengths)

    def _apply_class_weight(self, y, rows, weights):
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
            rows, held_out = last_split(rows, self.validation_fraction, y, groups, rng)
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
            held_out = draw_holdout(rows, self.validation_fraction, rng, strata)
            rows = np.setdiff1d(rows, held_out)
        return replace(examples, rows=rows), replace(examples, rows=held_out)

    def _validation_examples(self, X_val, y_val, sample_weight_val):
        try:
            sequences = self._read(X_val, reset=False)
            y_val, weights = self._check_y_and_weights(
                y_val, sample_weight_val, sequences
            )
            rows = np.arange(len(y_val)) if weights is None else np.flatnonzero(weights)
            return self._make_weighted_examples(sequences, y_val, rows, weights)
        except ValueError as error:
            raise ValueError(f"in X_val, y_val or their weights: {error}") from error

    def _strata(self, targets):
        """What held-out rows are spread evenly over: classes, if there are any."""
        return None

    def _new_net(self, seed):
        dtype, compute_dtype = torch_types(self.precision, self._number_type)
        embedding = self.embedding
        if is_table(embedding):
            embedding = torch.tensor(check_array(embedding, dtype=self._number_type))
        module = build_network(
            self.cell,
            self.input_size_,
            self.hidden_size,
            self._n_outputs,
            generator=torch_generator(seed, WEIGHTS),
            dtype=dtype,
            compute_dtype=compute_dtype,
            num_layers=self.num_layers,
            activation=self.activation,
            bidirectional=self.bidirectional,
            dropout=self.dropout,
            pooling=None if self.return_sequences else self.pooling,
            vocabulary_size=self._vocabulary_size,
            embedding=embedding,
        )
        return self._make_net(module, self._criterion())

    # ---------------------------------------------------------------- output

    def _answer(self, X, answers):
        """What ``answers`` makes of the network's outputs, in the shape of X.

        It is a method of the same fitted state as the network's, which a fit in another
        thread may replace meanwhile: callers hold a snapshot.
        """
        check_is_fitted(self)
        sequences = self._read(X, reset=False)
        flat = answers(self._outputs(sequences))
        return unflatten(flat, sequences) if self.return_sequences else flat

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
        return Stream(SequenceStreamAdapter(snapshot(self)), n_streams)

    def _outputs(self, sequences):
        """Logits or standardised numbers, (n, n_outputs) or (n_steps, n_outputs)."""
        rows = np.arange(len(sequences))
        with threads_for(self._work(min(len(rows), PREDICTION_BATCH))):
            device = next(self.module_.parameters()).device
            outputs = predict_batches(
                self.module_, sequences, rows, PREDICTION_BATCH, device
            )
        return outputs.numpy()

    def _step_score(self, X, y, sample_weight, answers, score):
        """``score`` of the answers to all valid steps."""
        check_is_fitted(self)
        sequences = self._read(X, reset=False)
        y, weights = self._check_y_and_weights(y, sample_weight, sequences)
        return score(y, answers(self._outputs(sequences)), sample_weight=weights)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
