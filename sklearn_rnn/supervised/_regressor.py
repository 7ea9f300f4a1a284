"""RNNRegressor, which predicts numbers from sequences."""

from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._core.sklearn_private import _fit_context
from sklearn_rnn._data.labels import check_numbers
from sklearn_rnn._training.holdout import check_validation_data
from sklearn_rnn._training.parameters import constraints_of
from sklearn_rnn.supervised._base import SupervisedEstimator
from sklearn_rnn.supervised._targets import LOSSES, NumberTargets, score_r2


class RNNRegressor(RegressorMixin, SupervisedEstimator):
    r"""Recurrent network that predicts numbers from sequences.

    It reads sequences of any length step by step and predicts one or several numbers
    per sequence or, with ``return_sequences=True``, per time step.

    Parameters
    ----------
    cell : {"rnn", "lstm", "gru"} or callable, default="gru"
        Type of the recurrent cell. A callable ``cell(input_size, hidden_size)`` must
        return a torch module whose ``forward(x, state)`` returns ``(outputs, state)``.
        Here, ``x`` has the shape ``(n_sequences, n_timesteps, input_size)``,
        ``outputs`` has the shape ``(n_sequences, n_timesteps, hidden_size)``, and the
        initial state is None. The output at a step may depend only on this step and
        earlier steps of the same sequence, because shorter sequences in a batch are
        padded with zeros. A cell that reads later steps raises an error. Batch
        normalization in a cell would include the padding in its statistics.
    hidden_size : int, default=64
        Number of units in each layer, in each direction if ``bidirectional=True``. More
        units make the network more expressive and slower to train.
    num_layers : int, default=1
        Number of stacked recurrent layers. Each layer reads the outputs of the layer
        below it.
    activation : {"tanh", "relu"}, default="tanh"
        Activation function of the simple cell, ``cell="rnn"``. The other cells have
        fixed activation functions and ignore it.
    bidirectional : bool, default=False
        Whether to read each sequence both forwards and backwards and to concatenate the
        outputs of the two directions. A bidirectional network needs complete sequences
        and cannot be used in a stream.
    dropout : float in [0, 1) or "auto", default="auto"
        Fraction of values that are set to zero during training: of embedded tokens,
        between layers and before the output layer. For vocabularies of more than 256
        tokens, the vectors of whole tokens are set to zero, like that of an unknown
        token. Larger values regularize more strongly; 0 disables dropout. "auto" is 0
        for numbers, 0.3 for vocabularies of more than 256 tokens and 0.1 for smaller
        ones.
    pooling : {"last", "mean", "max", "concat"}, default="concat"
        Reduction of the outputs at all time steps to the input of the output layer.
        "last" takes the output at the last step, "mean" and "max" take the mean and the
        maximum over all steps, and "concat" concatenates these three. For the backward
        direction of a bidirectional network, the last output is the one at the first
        time step.
    embedding : {"auto", "onehot"}, int or array-like, default="auto"
        Representation of codes as input of the first layer. An int is the dimension of
        embedding vectors that are trained with the network; "auto" is 64, or the
        vocabulary size if that is smaller. An array of shape
        ``(vocabulary_size, n_dimensions)`` gives their initial values. "onehot" uses
        one-hot vectors; their product with the input weights is looked up instead of
        computed. Any value other than "auto" also means that integers in X are codes,
        of which 0 is padding: zeros at the end of a sequence are removed.
    input_size : int or None, default=None
        Number of features per time step when X is a 2-D table; None means 1. For other
        containers it is inferred from X.
    input_length : int or None, default=None
        Number of time steps that every sequence must have; other lengths raise an
        error, and the model cannot be used in a stream. None accepts sequences of any
        length.
    return_sequences : bool, default=False
        Whether to predict at every time step instead of once per sequence. If True, the
        output layer is applied to the output at each step, and ``pooling`` is used by
        ``transform`` only.
    backprop_window : int or None, default=None
        Number of time steps through which gradients are propagated back (truncated
        backpropagation through time). Each training step then reads the next window of
        this many steps of each sequence of its batch, and continues from the states
        after the previous window, so that the memory for training does not depend on
        the length of the sequences. Requires ``return_sequences=True`` and
        ``bidirectional=False``. None propagates gradients through whole sequences.
    loss : {"squared_error", "absolute_error", "huber"}, default="squared_error"
        Loss function that training minimizes. It is computed on targets that are
        standardized to mean 0 and variance 1.
    scaling : bool, default=True
        Whether to standardize each numeric feature by its mean and standard deviation
        over all steps of the training sequences. ``partial_fit`` and warm starts keep
        the statistics of the first fit. Codes are not affected.
    patch_size : int or "auto", default="auto"
        Number of successive steps that are joined to one patch, which the network reads
        as a single step. With patches, training on long sequences is faster and usually
        more accurate. "auto" is 1 if the median length of the training sequences is at
        most 100 steps, for tokens, and with ``return_sequences=True``; otherwise the
        sequences are divided into about 64 patches. An incomplete patch at the end is
        filled with zeros.
    max_epochs : int or "auto", default="auto"
        Maximum number of passes over the training sequences. Training stops earlier if
        the loss does not improve for ``n_iter_no_change`` epochs. "auto" is the number
        of epochs that makes about 600 training steps, but at least 24 (8 for
        vocabularies of more than 256 tokens) and at most 200.
    batch_size : int, default=32
        Number of sequences per training step.
    optimizer : {"adam", "adamw", "rmsprop", "sgd"} or type, default="adamw"
        Optimizer, as a name or as a subclass of ``torch.optim.Optimizer``. "adam" and
        "adamw" are the same, because ``weight_decay`` is decoupled from the gradient
        for every optimizer; both use ``eps=1e-6``. "sgd" uses a Nesterov momentum of
        0.9.
    learning_rate : float or "auto", default="auto"
        Initial learning rate. Larger values train faster, but training can diverge.
        "auto" is 0.1 for "sgd" and 0.01 for all other optimizers.
    learning_rate_schedule : str or callable, default="constant"
        Change of the learning rate over the epochs. "constant" keeps it unchanged.
        "plateau" halves it when the loss (with early stopping, the validation loss) has
        not decreased for 4 epochs. "cosine" lowers it to 0 along half a cosine over
        ``max_epochs``. A callable receives the number of the epoch, counted from 0 in
        each fit, and returns the factor by which ``learning_rate`` is multiplied.
    weight_decay : float or "auto", default="auto"
        Weight decay. After each training step, for every optimizer, all weights except
        biases are multiplied by ``1 - learning_rate * weight_decay``. Nothing is added
        to the gradient; for an L2 penalty, pass a subclass of the optimizer that adds
        it. Larger values regularize more strongly; 0 disables weight decay. "auto" is
        0.01 for "sgd" and 0.1 for all other optimizers; if an epoch has fewer than 50
        batches, this is multiplied by ``50 / n_batches``, but by at most 10. If
        ``learning_rate`` is k times its "auto" value, with k > 1, the "auto" decay is
        divided by k.
    average : bool, default=True
        Whether to predict with a weighted average of the weights over all training
        steps. If False, the weights after the last step are used, which fluctuate from
        step to step. In the average, later steps have more weight: of t steps, step s
        has a weight proportional to about ``(s / t) ** 3`` (Shamir and Zhang, ICML
        2013).
    gradient_clip : float or None, default=1.0
        Maximum norm of the gradient. A gradient with a larger norm is scaled down to
        this norm. None disables clipping.
    early_stopping : bool, default=False
        Whether to stop when the validation loss has not improved for
        ``n_iter_no_change`` epochs, and to keep the weights of the epoch with the
        lowest validation loss. The validation sequences are ``X_val`` and ``y_val`` of
        ``fit``; if they are not given, a ``validation_fraction`` of the training
        sequences. If False, training uses all sequences and stops when the training
        loss has not improved for that many epochs. After a warm start, only the epochs
        of the current fit are compared.
    validation_fraction : float in (0, 1) or CV splitter, default=0.1
        Fraction of the training sequences that is held out if ``early_stopping=True``.
        If this is a CV splitter, its last split is used: ``GroupShuffleSplit`` does not
        split any of the ``groups`` that are passed to ``fit``, and ``TimeSeriesSplit``
        validates on the latest sequences.
    n_iter_no_change : int or "auto", default="auto"
        Number of consecutive epochs without an improvement of the loss by more than
        ``tol`` after which training stops. "auto" is a quarter of the maximum number of
        epochs, but at least 5.
    tol : float, default=0.0001
        Minimum decrease of the loss that counts as an improvement.
    warm_start : bool, default=False
        Whether ``fit`` continues from the weights of the previous fit, for up to
        ``max_epochs`` further epochs, instead of starting from new weights. The
        learning rate, ``weight_decay``, ``dropout`` and ``callbacks`` may change
        between fits; the network and the optimizer may not.
    callbacks : list of skorch callbacks or None, default=None
        Callbacks of skorch, which are called during training. ``fit`` uses shallow
        copies of them: the callbacks themselves are not changed, but objects that they
        refer to, such as a list or an Optuna trial, are shared. Losses and scores are
        in ``net.history``; ``dataset_train`` and ``dataset_valid`` are None. If a
        callback raises :class:`~sklearn_rnn.StopTraining`, or if skorch's EarlyStopping
        runs out of patience, training ends and the estimator is fitted. After a
        KeyboardInterrupt, the finished epochs are kept and the interrupt is raised
        again. For scikit-learn's callbacks, use ``set_callbacks``.
    checkpoint : str, path-like or None, default=None
        Folder in which ``fit`` stores the state of the training. If a fit is
        interrupted, ``fit`` with the same data and parameters continues from the last
        state that was stored, and gives the same model as an uninterrupted fit. Only
        ``max_epochs``, ``n_iter_no_change`` and parameters that do not affect the
        weights, such as ``verbose``, may be different. Requires an integer
        ``random_state``. With ``learning_rate_schedule="cosine"``, or with callbacks
        whose effect on the training is not known, nothing is stored and a warning is
        issued. The folder is created if necessary. It can be shared by all estimators
        and processes. It is limited to 2 GiB, and the states that were used least
        recently are removed; see :func:`~sklearn_rnn.clear_checkpoints`. None stores
        nothing.
    checkpoint_every : int or float, default=10.0
        Interval between two states that are stored in the folder ``checkpoint``: a
        number of epochs if it is an int, a number of seconds if it is a float. The
        state at the end of a fit that was not interrupted is always stored.
    device : str, default="auto"
        Torch device, such as "cpu" or "cuda:1". "auto" uses a GPU if one is available,
        otherwise the CPU.
    precision : {"auto", "float32", "float64", "bfloat16"}, default="auto"
        Floating-point type of weights and states. "auto" is float64 if X has at most
        16,384 values and either is float64 or contains integers beyond 2**24;
        otherwise, and for text, it is float32. float32 is about twice as fast as
        float64. "bfloat16" computes the recurrent layers in bfloat16; data, weights and
        output layer stay in float32. On a CPU, it is faster than float32 only if the
        processor has instructions for it and batches are large; a GRU or a simple cell
        also needs 128 or more units.
    random_state : int, RandomState instance or None, default=None
        Seed of the random numbers for the initial weights, shuffling, dropout and the
        choice of held-out sequences. Pass an int for reproducible results.
    verbose : int, default=0
        Verbosity level. 0 prints nothing; 1 or more prints one line per epoch. In a
        search, each line names the fit and the parameters that differ from their
        defaults.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns, when fitted on a table.
    feature_names_in_ : ndarray of str
        Column names, when fitted on a frame whose columns all have string names.
    input_size_ : int
        Number of features per time step.
    n_iter_ : int
        Number of epochs run, including those of earlier fits that were continued.
    loss_curve_ : list of float
        Mean training loss of each epoch.
    validation_loss_curve_ : list of float or None
        Validation loss after each epoch; None without early stopping. It is NaN for
        epochs of earlier fits without validation data.
    validation_scores_ : list of float or None
        Score (R2) of the validation sequences after each epoch; None without early
        stopping.
    best_epoch_ : int or None
        Epoch whose weights were kept, counted from 1. It has the lowest validation loss
        of the last fit. None without early stopping.
    best_validation_score_ : float or None
        Score at the epoch whose weights were kept, which has the lowest validation
        loss; None without early stopping.
    net_ : skorch.NeuralNet
        The trained net. Its ``history`` contains the losses and times of all epochs.

    See Also
    --------
    RNNClassifier : Predicts labels instead of numbers.
    RNNForecaster : Forecasts the next values of a time series.
    StepwiseTransformer : Applies a transformer of rows to every time step.

    Notes
    -----
    With input x, state h and weights W, U, b, one step of each cell computes:

    - "rnn", after J. L. Elman, "Finding structure in time", Cognitive Science 14, 1990:

      .. math::

          h_t = f(W x_t + U h_{t-1} + b), \quad f = \tanh \text{ or ReLU}

    - "lstm", after S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural
      Computation 9, 1997:

      .. math::

          i_t &= \sigma(W_i x_t + U_i h_{t-1} + b_i) \\
          f_t &= \sigma(W_f x_t + U_f h_{t-1} + b_f) \\
          g_t &= \tanh(W_g x_t + U_g h_{t-1} + b_g) \\
          o_t &= \sigma(W_o x_t + U_o h_{t-1} + b_o) \\
          c_t &= f_t \odot c_{t-1} + i_t \odot g_t \\
          h_t &= o_t \odot \tanh(c_t)

    - "gru", after K. Cho et al., "Learning phrase representations using RNN
      encoder-decoder for statistical machine translation", EMNLP 2014:

      .. math::

          r_t &= \sigma(W_r x_t + U_r h_{t-1} + b_r) \\
          z_t &= \sigma(W_z x_t + U_z h_{t-1} + b_z) \\
          n_t &= \tanh(W_n x_t + b_n + r_t \odot (U_n h_{t-1} + b'_n)) \\
          h_t &= (1 - z_t) \odot n_t + z_t \odot h_{t-1}

    The cells are trained by backpropagation through time over the whole sequence. Each
    batch is padded to the longest of its sequences; padding does not change any
    prediction. Initial recurrent weights are orthogonal, initial input weights follow
    Glorot and Bengio (AISTATS 2010), and the initial bias of the forget gate of the
    LSTM is 1. Targets are standardized to mean 0 and variance 1 for training, and
    predictions are converted back to the unit of y.

    Examples
    --------
    Predict the mean of a noisy sequence of any length:

    >>> import numpy as np
    >>> from sklearn_rnn import RNNRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(rng.normal(), size=rng.integers(5, 20)) for _ in range(200)]
    >>> y = [x.mean() for x in X]
    >>> model = RNNRegressor("gru", 16, max_epochs=30, random_state=0)
    >>> model.fit(X[:150], y[:150]).score(X[150:], y[150:]) > 0.9
    True
    """

    _parameter_constraints = constraints_of("RNNRegressor")

    def __init__(
        self,
        cell="gru",
        hidden_size=64,
        *,
        num_layers=1,
        activation="tanh",
        bidirectional=False,
        dropout="auto",
        pooling="concat",
        embedding="auto",
        input_size=None,
        input_length=None,
        return_sequences=False,
        backprop_window=None,
        loss="squared_error",
        scaling=True,
        patch_size="auto",
        max_epochs="auto",
        batch_size=32,
        optimizer="adamw",
        learning_rate="auto",
        learning_rate_schedule="constant",
        weight_decay="auto",
        average=True,
        gradient_clip=1.0,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change="auto",
        tol=0.0001,
        warm_start=False,
        callbacks=None,
        checkpoint=None,
        checkpoint_every=10.0,
        device="auto",
        precision="auto",
        random_state=None,
        verbose=0,
    ):
        self.cell = cell
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.activation = activation
        self.bidirectional = bidirectional
        self.dropout = dropout
        self.pooling = pooling
        self.embedding = embedding
        self.input_size = input_size
        self.input_length = input_length
        self.return_sequences = return_sequences
        self.backprop_window = backprop_window
        self.loss = loss
        self.scaling = scaling
        self.patch_size = patch_size
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.weight_decay = weight_decay
        self.average = average
        self.gradient_clip = gradient_clip
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.checkpoint = checkpoint
        self.checkpoint_every = checkpoint_every
        self.device = device
        self.precision = precision
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X,
        y,
        sample_weight=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
        groups=None,
    ):
        """Train the network on sequences and their target values.

        Parameters
        ----------
        X : array-like, list of arrays or TokenArray
            Sequences: a table ``(n_sequences, n_timesteps * input_size)``, a 3-D array
            ``(n_sequences, n_timesteps, n_features)`` whose trailing all-NaN steps are
            padding, a list, object array or Series of arrays of shape ``(T_i,)`` or
            ``(T_i, n_features)``, or a TokenArray from a vectorizer.
        y : array-like of shape (n_sequences,) or (n_sequences, n_outputs)
            Numbers to predict, in any unit; they are standardized for training. With
            ``return_sequences=True``, the numbers of each step: an array
            ``(n_sequences, n_timesteps)`` or ``(n_sequences, n_timesteps, n_outputs)``,
            or a list or object array of arrays as long as their sequences. Entries of
            padded steps are ignored.
        sample_weight : array-like of shape (n_sequences,), default=None
            Weights of the sequences. A sequence of weight 2 has the same effect as two
            sequences; one of weight 0 is left out. With ``return_sequences=True``,
            there can also be one weight per step, in a container like that of y.
        X_val : array-like, list of arrays or TokenArray, default=None
            Validation sequences for early stopping. If they are passed, no sequences of
            X are held out. In a Pipeline, set ``transform_input=["X_val"]`` to
            transform them with the fitted steps.
        y_val : array-like of shape (n_validation, ...), default=None
            Target values of ``X_val``.
        sample_weight_val : array-like of shape (n_validation,), default=None
            Weights of the sequences of ``X_val``.
        groups : array-like of shape (n_sequences,), default=None
            Groups for the split, if ``validation_fraction`` is a CV splitter.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If X or y is not valid (the message names the sequence), or if training
            diverges. The estimator is then unchanged.
        KeyboardInterrupt
            If training is interrupted. The estimator is then fitted with the weights of
            the last finished epoch or, with early stopping, of the best one.
        """
        return self._fit(
            X,
            y,
            sample_weight,
            validation=check_validation_data(self, X_val, y_val, sample_weight_val),
            groups=groups,
        )

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None):
        """Train for one epoch on X and y, starting from the current weights.

        The first call creates the network. The learning rate is constant, and no
        sequences are held out.

        Parameters
        ----------
        X : array-like, list of arrays or TokenArray
            Sequences in any container that :meth:`fit` accepts.
        y : array-like of shape (n_sequences,) or (n_sequences, n_outputs)
            Numbers, as in :meth:`fit`. They are standardized with the mean and the
            standard deviation of the first call.
        sample_weight : array-like of shape (n_sequences,), default=None
            Weights of the sequences, as in :meth:`fit`.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight, partial=True)

    def predict(self, X):
        """Predict the target values of each sequence.

        Parameters
        ----------
        X : array-like, list of arrays or TokenArray
            Sequences in any container that :meth:`fit` accepts.

        Returns
        -------
        y : ndarray of shape (n_sequences,) or (n_sequences, n_outputs)
            Numbers in the unit of y in ``fit``. With ``return_sequences=True``, an
            array ``(n_sequences, n_timesteps, ...)`` if X is a table or a 3-D array
            (NaN where X is padded), and otherwise a 1-D object array of arrays as long
            as their sequences.

        Raises
        ------
        ValueError
            If X is not valid (the message names the sequence), or if its number of
            features or its vocabulary differs from that in :meth:`fit`.
        """
        return self._predict(X, NumberTargets.decode)

    def score(self, X, y, sample_weight=None):
        """Compute the coefficient of determination (R2) of the predictions.

        Parameters
        ----------
        X : array-like, list of arrays or TokenArray
            Sequences in any container that :meth:`fit` accepts.
        y : array-like of shape (n_sequences,) or (n_sequences, n_outputs)
            True numbers, or those of each step with ``return_sequences=True``.
        sample_weight : array-like of shape (n_sequences,), default=None
            Weights of the sequences, or of their steps.

        Returns
        -------
        score : float
            R2; with ``return_sequences=True``, over the valid steps of all sequences.
        """
        check_is_fitted(self)
        if self._predicts_steps:
            return self._score_steps(X, y, sample_weight, score_r2)
        return score_r2(self._check_y(y), self.predict(X), sample_weight)

    def _check_y(self, y):
        return check_numbers(y, self)

    def _fit_targets(self, y, rows, weights):
        self._targets = NumberTargets.fit(y, rows, weights)

    def _criterion(self):
        return LOSSES[self.loss](reduction="none")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
