"""The common base of RNNClassifier and RNNRegressor."""

import functools
from abc import abstractmethod
from dataclasses import replace

import numpy as np
import torch
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.callback import with_callbacks
from sklearn.utils import check_array
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sklearn_rnn._core.drafts import snapshot
from sklearn_rnn._core.memory import explain_prediction_memory
from sklearn_rnn._core.sklearn_private import _check_sample_weight
from sklearn_rnn._data.cells import explain_errors
from sklearn_rnn._data.containers import unwrap
from sklearn_rnn._data.reading import SequenceReader, is_table
from sklearn_rnn._nn.builders import build_network
from sklearn_rnn._nn.functional import check_outputs
from sklearn_rnn._nn.sequence import LARGE_VOCABULARY
from sklearn_rnn._training.batching import predict_batches
from sklearn_rnn._training.budget import (
    FEWEST_EPOCHS,
    FEWEST_EPOCHS_OF_WORDS,
    choose_epochs,
)
from sklearn_rnn._training.estimator import NetworkEstimator
from sklearn_rnn._training.examples import Examples
from sklearn_rnn._training.holdout import split_rows
from sklearn_rnn._training.optimizers import BATCHES_PER_EPOCH
from sklearn_rnn.streaming._stream import Stream
from sklearn_rnn.supervised._export import export_onnx, export_torch
from sklearn_rnn.supervised._inputs import InputEncoding
from sklearn_rnn.supervised._step_targets import flatten, flatten_weights, unflatten
from sklearn_rnn.supervised._stream_adapter import SequenceStreamAdapter

PREDICTION_BATCH = 128

# Values of dropout="auto" for tokens. For numbers it is 0, because with dropout a
# sequence of weight 2 would not have the same effect as two sequences.
AUTO_DROPOUT = 0.1
AUTO_DROPOUT_OF_WORDS = 0.3


class SupervisedEstimator(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, SequenceReader, NetworkEstimator
):
    """Base of RNNClassifier and RNNRegressor.

    A subclass checks y in ``_check_y``. In ``_fit_targets`` it stores a
    :class:`LabelTargets` or :class:`NumberTargets` as ``_targets``.
    """

    _reads_from_files = True
    _FIXED_ON_WARM_START = (
        *NetworkEstimator._FIXED_ON_WARM_START,
        "embedding",
        "bidirectional",
        "pooling",
        "scaling",
        "patch_size",
        "return_sequences",
    )

    @abstractmethod
    def _check_y(self, y):
        """Check y, and return it as a 1-D or 2-D array."""

    @abstractmethod
    def _fit_targets(self, y, rows, weights):
        """Learn the labels or the scale of y from the ``rows`` that train."""

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
        **options,
    ):
        """Read the data, train a network and store it; return an interrupt or None.

        A ``partial`` training is one more epoch without held-out rows. ``options`` are
        those of ``_fit_targets``.
        """
        self._check_window()
        continuing = hasattr(self, "net_") and (partial or self.warm_start)
        train, given_y = self._fit_examples(X, y, sample_weight, continuing, **options)
        (seed, split_rng), valid = self._draw_seeds(continuing), None
        if self.early_stopping and not partial:
            train, valid = self._split(train, given_y, validation, groups, split_rng)
        train = self._weigh_classes(train, valid)
        n_batches = BATCHES_PER_EPOCH if partial else self._count_batches(train)
        if continuing:
            net = self._continue_net(n_batches)
            self._inputs.warn_of_other_range(train.sequences, train.rows)
        else:
            self._fit_inputs(train)
            absent = train.sequences.absent_codes(train.rows)
            net = self._new_net(seed, n_batches, neutral_codes=absent)
        encode = self._inputs.encode
        train = replace(train, sequences=encode(train.sequences))
        if valid is not None:
            valid = replace(valid, sequences=encode(valid.sequences))
        return self._run(net, train, valid, seed, (X, y, sample_weight), partial)

    def _check_window(self):
        """Raise an error if training cannot be truncated to windows."""
        if self.backprop_window is None:
            return
        if not self.return_sequences:
            raise ValueError(
                f"backprop_window={self.backprop_window} trains on windows of steps, "
                "but there is only one target per sequence. Set return_sequences=True "
                "and pass one target per step, or set backprop_window=None: the memory "
                "for training is limited anyway."
            )
        if self.bidirectional:
            raise ValueError(
                f"backprop_window={self.backprop_window} reads sequences from their "
                "beginning, but a bidirectional network also reads them from their "
                "end. Set bidirectional=False or backprop_window=None."
            )

    def _count_batches(self, train):
        n_windows = train.count_windows(train.rows).sum()
        return int(-(-n_windows // self.batch_size))

    def _fit_inputs(self, train):
        """Learn the encoding of sequences as input of the network."""
        if self.return_sequences and self.patch_size not in (1, "auto"):
            raise ValueError(
                f"patch_size={self.patch_size} joins steps, but return_sequences=True "
                'predicts at every step. Set patch_size="auto" or 1.'
            )
        if self._vocabulary_size is not None and self.patch_size not in (1, "auto"):
            raise ValueError(
                f"patch_size={self.patch_size} joins steps of numbers, but X contains "
                'codes of tokens. Set patch_size="auto" or 1.'
            )
        self._inputs = InputEncoding.fit(
            train, self._number_type, self.scaling, self.patch_size
        )

    def _fit_examples(self, X, y, sample_weight, continuing, **options):
        """Convert X and y to examples; return these and the checked y."""
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None."
            )
        sequences = self._read(X, reset=not continuing)
        y, weights = self._check_y_and_weights(
            y, sample_weight, sequences, self.return_sequences
        )
        rows = np.arange(len(y)) if weights is None else np.flatnonzero(weights)
        if not continuing:
            self._choose_number_type(sequences, self._find_sequences(sequences, rows))
            self._fit_targets(y, rows, weights, **options)
        return self._make_examples(sequences, y, rows, weights), y

    def _check_y_and_weights(self, y, sample_weight, sequences, each_step):
        """Check y and the weights; the weights are None if all rows count the same.

        There is one entry per sequence or, with ``each_step``, one per step; the steps
        of all sequences are then concatenated.
        """
        if each_step:
            y = flatten(y, sequences)
            if sample_weight is not None:
                sample_weight = flatten_weights(sample_weight, sequences)
        y = self._check_y(y)
        if not each_step:
            check_consistent_length(sequences.lengths, y)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(
                unwrap(sample_weight, "sample_weight"),
                y,
                dtype=np.float64,
                ensure_non_negative=True,
            )
        return y, sample_weight

    def _make_examples(self, sequences, y, rows, weights):
        """Make the examples of the ``rows`` that take part, with their weights."""
        targets = self._targets.encode(y, rows, self._number_type)
        if weights is not None:
            weights = torch.from_numpy(weights)
        rows = self._find_sequences(sequences, rows)
        if not self.return_sequences:
            return Examples(sequences, targets, weights, rows)
        starts = np.cumsum(sequences.lengths) - sequences.lengths
        return Examples(sequences, targets, weights, rows, starts, self.backprop_window)

    def _find_sequences(self, sequences, rows):
        """Find the sequences that ``rows`` of y belong to."""
        if not self.return_sequences:
            return rows
        ends = np.cumsum(sequences.lengths)
        return np.unique(np.searchsorted(ends, rows, side="right"))

    def _weigh_classes(self, train, valid):
        """Return the training examples, after applying class weights, if any."""
        return train

    # ---------------------------------------------------------------- training

    def _split(self, examples, y, validation, groups, rng):
        """Split into training and validation examples, or use given validation data."""
        if validation is not None:
            return examples, self._validation_examples(*validation)
        strata = None
        if self.return_sequences:
            y = np.zeros(len(examples.sequences))  # splitters need only its length
        else:
            strata = self._targets.strata(examples.targets)
        train, valid = split_rows(
            examples.rows,
            self.validation_fraction,
            rng,
            y=y,
            groups=groups,
            strata=strata,
        )
        return replace(examples, rows=train), replace(examples, rows=valid)

    def _validation_examples(self, X_val, y_val, sample_weight_val):
        try:
            sequences = self._read(X_val, reset=False)
            y_val, weights = self._check_y_and_weights(
                y_val, sample_weight_val, sequences, self.return_sequences
            )
            rows = np.arange(len(y_val)) if weights is None else np.flatnonzero(weights)
            return self._make_examples(sequences, y_val, rows, weights)
        except ValueError as error:
            raise ValueError(f"in X_val, y_val or their weights: {error}") from error

    def _build_module(self, **options):
        embedding = self.embedding
        if is_table(embedding):
            with explain_errors(embedding, "embedding"):
                vectors = check_array(
                    embedding, dtype=self._number_type, input_name="embedding"
                )
            embedding = torch.tensor(vectors)
        module = build_network(
            self.cell,
            self.input_size_ * self._inputs.patch_size,
            self.hidden_size,
            self._targets.n_outputs,
            bidirectional=self.bidirectional,
            pooling=None if self.return_sequences else self.pooling,
            vocabulary_size=self._vocabulary_size,
            embedding=embedding,
            **options,
        )
        n_directions = 2 if self.bidirectional else 1
        n_pooled = 3 if self.pooling == "concat" else 1
        self._n_features_out = self.hidden_size * n_directions * n_pooled
        self._pooling = self.pooling  # transform pools, even with return_sequences
        return module

    def _count_epochs(self, train):
        if self.max_epochs != "auto":
            return self.max_epochs
        fewest = FEWEST_EPOCHS_OF_WORDS if self._reads_words else FEWEST_EPOCHS
        return choose_epochs(self._count_batches(train), fewest)

    def _resolve_dropout(self):
        if self.dropout != "auto":
            return self.dropout
        if self._vocabulary_size is None:
            return 0.0
        return AUTO_DROPOUT_OF_WORDS if self._reads_words else AUTO_DROPOUT

    @property
    def _reads_words(self):
        """Whether X has tokens of a large vocabulary."""
        return (self._vocabulary_size or 0) > LARGE_VOCABULARY

    def _score_outputs(self, outputs, targets, weights):
        return self._targets.score(outputs, targets, weights)

    # ---------------------------------------------------------------- prediction

    def _predict(self, X, decode):
        """Apply ``decode(targets, outputs)``, and return the result in the shape of X.

        The prediction uses one fitted state, even if a fit in another thread replaces
        it in the meantime.
        """
        fitted = snapshot(self)
        check_is_fitted(fitted)
        sequences = fitted._read(X, reset=False)
        flat = decode(fitted._targets, fitted._outputs(sequences))
        return unflatten(flat, sequences) if fitted._predicts_steps else flat

    @property
    def _predicts_steps(self):
        """Whether the fitted network predicts at every step."""
        return self.module_.pooling is None

    def _outputs(self, sequences):
        """Compute logits or standardized numbers, one row per sequence or step."""
        encoded = self._inputs.encode(sequences)
        return self._compute(self.module_, encoded, self._predicts_steps)

    def _compute(self, compute, sequences, each_step):
        """Apply ``compute`` to all sequences; return (n, ...) or (n_steps, ...)."""
        rows = np.arange(len(sequences))
        with explain_prediction_memory(len(rows), int(sequences.lengths.max())):
            outputs = predict_batches(
                compute,
                sequences,
                rows,
                PREDICTION_BATCH,
                self.module_.head.weight.device,
                each_step=each_step,
                work=self._count_operations(int(sequences.lengths.sum())),
            ).numpy()
        check_outputs(
            outputs, np.repeat(rows, sequences.lengths) if each_step else rows
        )
        return outputs

    def _score_steps(self, X, y, sample_weight, metric):
        """Compute ``metric`` of the predictions at all valid steps."""
        fitted = snapshot(self)
        check_is_fitted(fitted)
        sequences = fitted._read(X, reset=False)
        y, weights = fitted._check_y_and_weights(
            y, sample_weight, sequences, each_step=True
        )
        predictions = fitted._targets.decode(fitted._outputs(sequences))
        return metric(y, predictions, sample_weight=weights)

    def transform(self, X):
        """Compute one feature vector per sequence from the outputs of the network.

        Parameters
        ----------
        X : array-like, list of arrays or TokenArray
            Sequences in any container that :meth:`fit` accepts.

        Returns
        -------
        states : ndarray of shape (n_sequences, n_features_out)
            Outputs of the last recurrent layer, reduced over the time steps by the
            ``pooling`` of ``fit``. Unless ``return_sequences=True``, they are the input
            of the output layer. ``n_features_out`` is ``hidden_size``, times 2 if
            bidirectional, times 3 with ``pooling="concat"``.

        See Also
        --------
        transform_sequences : Returns the outputs at every step.
        """
        fitted = snapshot(self)
        check_is_fitted(fitted)
        return fitted._states(fitted._encode(X), fitted._pooling)

    def transform_sequences(self, X):
        """Compute one feature vector per time step from the outputs of the network.

        Parameters
        ----------
        X : array-like, list of arrays or TokenArray
            Sequences in any container that :meth:`fit` accepts.

        Returns
        -------
        states : ndarray
            Outputs of the last recurrent layer: an array ``(n_sequences, n_timesteps,
            n_states)`` if X is a table or a 3-D array (NaN where X is padded), and
            otherwise a 1-D object array of arrays ``(T_i, n_states)``. ``n_states`` is
            ``hidden_size``, times 2 if bidirectional. If the network reads patches
            (see ``patch_size``), there is one vector per patch instead of one per step.

        See Also
        --------
        transform : Returns one vector per sequence.
        """
        fitted = snapshot(self)
        check_is_fitted(fitted)
        sequences = fitted._encode(X)
        return unflatten(fitted._states(sequences, None), sequences)

    def _encode(self, X):
        """Convert X to the input of the network."""
        return self._inputs.encode(self._read(X, reset=False))

    def _states(self, sequences, pooling):
        """Compute outputs of the last layer, pooled per sequence or at all steps."""
        compute = functools.partial(self.module_.read_and_pool, pooling=pooling)
        return self._compute(compute, sequences, each_step=pooling is None)

    def stream(self, n_streams=1):
        """Open a stream, which reads sequences step by step and predicts at any step.

        Parameters
        ----------
        n_streams : int or None, default=1
            Number of sequences that are read in parallel. None opens a stream for any
            number of sequences, which are identified by keys.

        Returns
        -------
        stream : Stream
            Stream whose predictions at each step are those of :meth:`predict` for all
            steps read so far.

        Raises
        ------
        ValueError
            If the model is bidirectional, or if ``input_length`` is set.

        See Also
        --------
        open_stream : Opens a stream of a Pipeline.

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
        return Stream(SequenceStreamAdapter(self), n_streams)

    def to_torch(self):
        """Copy the network to a torch module of standard layers.

        The module contains the standardization of X, the joining of steps to patches
        and the conversion of outputs. Later fits do not change it.

        Returns
        -------
        module : torch.nn.Module
            Module in evaluation mode, on the device of the model. ``module(x,
            lengths)`` reads a padded batch of shape ``(n_sequences, n_timesteps,
            n_features)``, in the unit of X, or codes of tokens ``(n_sequences,
            n_timesteps)``, which are integers. Tables have to be reshaped.
            ``lengths``, of shape ``(n_sequences,)``, are the numbers of valid steps, at
            least 1; None means that no sequence is padded. It returns what
            ``predict_proba`` of a classifier or :meth:`predict` of a regressor returns,
            with an axis for the time steps if ``return_sequences=True``; entries at
            padded steps then have no meaning.
            ``module.logits(x, lengths)`` returns the outputs of the output layer
            instead: logits of a classifier, or standardized numbers.

        Raises
        ------
        NotFittedError
            If the model is not fitted.

        See Also
        --------
        to_onnx : Writes the network to a file for other programs.

        Notes
        -----
        Numbers are standardized in float64, so large values, such as time stamps, have
        to be passed in float64, too. Predictions for a sequence with NaN or infinity
        are NaN.

        The recurrent layers are ``torch.nn.LSTM``, ``torch.nn.GRU`` and
        ``torch.nn.RNN``. A layer of a callable ``cell`` is copied as it is. With
        ``precision="bfloat16"``, the module computes in float32. Predictions of most
        networks then agree to about 1e-2; those of ``activation="relu"`` differ more
        for long sequences.

        ``torch.export.export`` accepts the module with any number of sequences and
        steps. On a GPU, cuDNN computes gradients of recurrent layers in training mode
        only. To explain predictions there, call ``module.train()``; the module has no
        dropout, except in a callable ``cell``.

        Examples
        --------
        >>> import numpy as np
        >>> import torch
        >>> from sklearn_rnn import RNNClassifier
        >>> X = np.sin(np.arange(60.0)).reshape(6, 10)
        >>> model = RNNClassifier(hidden_size=4, max_epochs=2, random_state=0)
        >>> module = model.fit(X, [0, 1, 0, 1, 0, 1]).to_torch()
        >>> with torch.inference_mode():
        ...     proba = module(torch.tensor(X).unsqueeze(2))
        >>> bool(np.allclose(proba, model.predict_proba(X), atol=1e-5))
        True
        """
        fitted = snapshot(self)
        check_is_fitted(fitted)
        return export_torch(fitted)

    def to_onnx(self, path, *, stream=False, vectorizer=None):
        """Write the network to a file in the ONNX format.

        The file contains the standardization of X, the joining of steps to patches and
        the conversion of outputs. Any number of sequences of any length can be read at
        once.

        Parameters
        ----------
        path : str, bytes or path-like
            File to write. An existing file is replaced only when the new one is
            complete.
        stream : bool, default=False
            Whether to write a single time step of the network, whose states are inputs
            and outputs, instead of the whole network.
        vectorizer : object, default=None
            Fitted vectorizer whose codes the model reads. Its vocabulary and its
            parameters are stored in the metadata. A vectorizer with another vocabulary
            of the same size is not detected.

        Raises
        ------
        ImportError
            If onnx is not installed.
        NotFittedError
            If the model or the vectorizer is not fitted.
        OSError
            If the file cannot be written.
        ValueError
            If ``cell`` is a callable. Also if ``stream=True`` and the model is
            bidirectional or has an ``input_length``, and if the vocabulary of the
            vectorizer has another size than that in ``fit``.

        Warns
        -----
        UserWarning
            If the vectorizer has a function as a parameter, for example ``tokenizer``.
            The file contains only its name, so programs that read the file have to
            implement it.

        See Also
        --------
        to_torch : Returns a torch module.

        Notes
        -----
        **Inputs** are ``X`` (float64), of shape ``(n_sequences, n_timesteps,
        n_features)``, and ``lengths`` (int64), the numbers of valid steps. Codes of
        tokens are int64, without the last axis.

        **Outputs** of a classifier are ``label`` and ``probabilities``, and that of a
        regressor is ``variable``, as sklearn-onnx names them. Labels that are neither
        numbers nor booleans are strings, as are integers that int64 cannot hold. With
        ``return_sequences=True``, entries at padded steps have no meaning.

        **Invalid inputs.** Probabilities and numbers are NaN for a sequence that
        contains NaN or infinity, or whose length is 0; its ``label`` has no meaning.
        Other lengths that are not in the range from 1 to ``n_timesteps``, and codes
        outside the vocabulary, result in an error or in NaN.

        **Streams.** With ``stream=True``, ``X`` has no time axis, and there are no
        lengths. The inputs ``hidden_0``, ``cell_0`` and so on are the states of the
        layers; ``n_steps``, ``sum``, ``max`` and ``patch`` are present if ``pooling``
        or ``patch_size`` need them. All are zero before the first step. The outputs
        ``next_hidden_0`` and so on are the inputs of the next step. After a step with
        NaN or infinity, all predictions of the stream are NaN.

        **Metadata** are JSON texts: ``class``, ``classes``, ``n_features``,
        ``feature_names``, ``scaling``, ``target_scaling``, ``patch_size``,
        ``vocabulary_size``, ``reserved_codes``, ``vocabulary``, ``vectorizer`` and
        ``states``, as far as they apply. The version of this library is the
        ``producer_version``.

        Recurrent layers compute in float32, because onnxruntime has no others. The
        probabilities of models in float64 therefore differ in the seventh digit.

        Examples
        --------
        >>> import os
        >>> import tempfile
        >>> import numpy as np
        >>> from sklearn_rnn import RNNClassifier
        >>> X = np.sin(np.arange(60.0)).reshape(6, 10)
        >>> model = RNNClassifier(hidden_size=4, max_epochs=2, random_state=0)
        >>> _ = model.fit(X, [0, 1, 0, 1, 0, 1])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.to_onnx(os.path.join(folder, "model.onnx"))
        ...     os.listdir(folder)
        ['model.onnx']
        """
        fitted = snapshot(self)
        check_is_fitted(fitted)
        export_onnx(fitted, path, stream, vectorizer)

    def _read(self, X, *, reset):
        """Read X as sequences, and check them against ``input_length``."""
        sequences = super()._read(X, reset=reset)
        if self.input_length is not None:
            other = np.flatnonzero(sequences.lengths != self.input_length)
            if len(other):
                raise ValueError(
                    f"sequence {other[0]} of X has {sequences.lengths[other[0]]} "
                    f"steps, but input_length={self.input_length}. Pass sequences of "
                    "that length, or set input_length=None to accept any length."
                )
        return sequences

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = {
            "auto": ["float64", "float32"],
            "float64": ["float64"],
            "float32": ["float32"],
        }.get(str(self.precision), [])
        return tags
