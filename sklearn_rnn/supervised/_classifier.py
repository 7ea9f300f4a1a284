"""RNNClassifier: labels of sequences."""

from dataclasses import replace

import numpy as np
import torch
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._core.drafts import snapshot
from sklearn_rnn._core.sklearn_private import StrOptions, _fit_context
from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn._data.labels import check_labels, describe_misread_labels
from sklearn_rnn._training.holdout import check_validation_data
from sklearn_rnn._training.parameters import constraints_of
from sklearn_rnn.supervised._base import SupervisedEstimator
from sklearn_rnn.supervised._class_weights import (
    ClassWeightedLoss,
    find_weighted_rows,
    learn_class_weights,
    look_up_weights,
)
from sklearn_rnn.supervised._targets import LabelTargets


class RNNClassifier(ClassifierMixin, SupervisedEstimator):
    r"""Recurrent network that classifies sequences.

    It reads sequences of any length step by step and predicts one label per sequence,
    or with ``return_sequences=True`` one label per step.

    Parameters
    ----------
    cell : {"rnn", "lstm", "gru"} or callable, default="gru"
        Type of the recurrent cell. A callable ``cell(input_size, hidden_size)`` must
        return a torch module whose ``forward(x, state)`` returns ``(outputs, state)``.
        There, x has the shape ``(n_sequences, n_timesteps, input_size)``, outputs the
        shape ``(n_sequences, n_timesteps, hidden_size)``, and the initial state is
        None. An output may depend only on the steps of its own sequence up to its own
        time, because shorter sequences of a batch end in steps of zeros: a cell that
        reads later steps raises an error, and batch normalisation would learn from the
        zeros.
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
        between layers and before the output layer. In vocabularies of more than 256
        tokens, such as words, dropout sets the vectors of whole tokens to zero, like
        those of unknown tokens. Larger values regularise more strongly; 0 disables
        dropout. "auto" is 0 for numbers, 0.3 for vocabularies of more than 256 tokens
        and 0.1 for smaller ones.
    pooling : {"last", "mean", "max", "concat"}, default="concat"
        How the outputs at all time steps are summarised for the output layer: by the
        "last" output, their "mean", their "max", or the concatenation of these three,
        "concat". For the backward direction of a bidirectional network, the last output
        is the one at the first time step.
    embedding : {"auto", "onehot"}, int or array-like, default="auto"
        How codes are represented as input of the first layer. An int is the dimension
        of embedding vectors that are trained with the network; "auto" is 64, or the
        vocabulary size if that is smaller. An array of shape
        ``(vocabulary_size, n_dimensions)`` gives their initial values. "onehot" uses
        one-hot vectors, whose product with the input weights is looked up instead of
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
        output layer reads the output at each step, and only ``transform`` uses
        ``pooling``.
    scaling : bool, default=True
        Whether to standardise each feature of numbers by its mean and standard
        deviation over all steps of the training sequences. The first fit decides; codes
        are not affected.
    patch_size : int or "auto", default="auto"
        Number of successive steps that the network reads at once, as one longer step.
        Long sequences are learned better and faster in patches. "auto" is 1 for
        sequences of up to 100 steps (the median of the training sequences), for tokens
        and with ``return_sequences=True``; longer sequences are divided into about 64
        patches. An incomplete patch at the end is filled with zeros.
    max_epochs : int or "auto", default="auto"
        Maximum number of passes over the training sequences. Training stops earlier if
        the loss does not improve for ``n_iter_no_change`` epochs. "auto" makes about
        600 training steps, in at least 24 (8 for vocabularies of more than 256 tokens)
        and at most 200 epochs.
    batch_size : int, default=32
        Number of sequences per training step.
    optimizer : {"adam", "adamw", "rmsprop", "sgd"} or type, default="adamw"
        Optimizer, as a name or as a subclass of ``torch.optim.Optimizer``. "adam" and
        "adamw" are the same, because ``weight_decay`` is decoupled under each
        optimizer; they use ``eps=1e-6``. "sgd" uses Nesterov momentum of 0.9.
    learning_rate : float or "auto", default="auto"
        Initial learning rate. Larger values train faster, but training can diverge.
        "auto" is 0.1 for "sgd" and 0.01 for all other optimizers.
    learning_rate_schedule : str or callable, default="constant"
        How the learning rate changes over the epochs. "constant" keeps it. "plateau"
        halves it when the loss (the validation loss under early stopping) has not
        decreased for 4 epochs. "cosine" lowers it to 0 along half a cosine over
        ``max_epochs``. A callable receives the number of the epoch, counted from 0 in
        each fit, and returns a factor for ``learning_rate``.
    weight_decay : float or "auto", default="auto"
        Weight decay. After each step, whatever the optimizer, all weights except biases
        are multiplied by ``1 - learning_rate * weight_decay``. Nothing is added to the
        gradient: for the L2 penalty of torch's optimizers, give a subclass with a
        penalty of its own. Larger values regularise more strongly; 0 disables weight
        decay. "auto" is 0.01 for "sgd" and 0.1 for all other optimizers; if an epoch
        has fewer than 50 batches, this is multiplied by 50 / n_batches, but by no more
        than 10. With a ``learning_rate`` above that of "auto" it is smaller in
        proportion.
    average : bool, default=True
        Whether to predict with a weighted average of the weights over all training
        steps instead of the weights of the last step, which fluctuate. Later steps
        count more: of t steps, step s counts in proportion to about ``(s / t) ** 3``
        (Shamir and Zhang, ICML 2013).
    gradient_clip : float or None, default=1.0
        Maximum norm of the gradient. A gradient with a larger norm is scaled down to
        this norm. None disables clipping.
    early_stopping : bool, default=False
        Whether to stop when the validation loss has not improved for
        ``n_iter_no_change`` epochs, and to keep the weights of the epoch with the
        lowest validation loss. The validation sequences are those given to ``fit``, or
        else ``validation_fraction`` of the training sequences. If False, training uses
        all sequences and stops when the training loss has not improved for that many
        epochs. A warm start compares its own epochs only.
    validation_fraction : float in (0, 1) or CV splitter, default=0.1
        Fraction of the training sequences held out under early stopping, stratified by
        class, or by the labels of an indicator matrix, unless there are labels per
        step; the only sequence of a class trains. If this is a splitter, its last split
        is used: ``GroupShuffleSplit`` keeps each of the ``groups`` given to ``fit`` on
        one side, ``TimeSeriesSplit`` validates on the latest sequences.
    n_iter_no_change : int or "auto", default="auto"
        Number of consecutive epochs without an improvement of the loss by more than
        ``tol`` after which training stops. "auto" is a quarter of the epochs, but at
        least 5.
    tol : float, default=0.0001
        Minimum decrease of the loss that counts as an improvement.
    class_weight : dict, list of dict, "balanced" or None, default=None
        Weights of the classes in the loss. None weights all classes equally; "balanced"
        weights each in inverse proportion to the sum of the sample weights of its
        training rows. In a dict, classes that are left out have weight 1. For an
        indicator matrix, "balanced" weights presence and absence of each label, and a
        list has one dict from 0 and 1 to weights per label. The validation loss uses
        the weights of the training rows; scores use no class weights.
    warm_start : bool, default=False
        Whether ``fit`` continues from the weights of the previous fit, for up to
        ``max_epochs`` further epochs, instead of starting anew. The learning rate,
        ``weight_decay``, ``dropout`` and ``callbacks`` may change between fits; the
        network and the optimizer may not.
    callbacks : list of skorch callbacks or None, default=None
        Callbacks of skorch, which are called during training. ``fit`` works on shallow
        copies, so that your objects are not changed, while objects that they refer to,
        such as a list or a trial of Optuna, are shared. They find losses and scores in
        ``net.history``; ``dataset_train`` and ``dataset_valid`` are None. If a callback
        raises :class:`~sklearn_rnn.StopTraining`, or if skorch's EarlyStopping has lost
        its patience, training ends and the estimator is fitted. A KeyboardInterrupt
        keeps the finished epochs and is raised again. Callbacks of scikit-learn are set
        with ``set_callbacks`` instead.
    device : str, default="auto"
        Torch device, such as "cpu" or "cuda:1". "auto" uses a GPU if there is one,
        otherwise the CPU.
    precision : {"auto", "float32", "float64", "bfloat16"}, default="auto"
        Floating-point type of weights and states. "auto" is float64 if X has at most
        16,384 values and is float64 or holds integers beyond 2**24, and float32
        otherwise, including text. float32 is about twice as fast as float64. "bfloat16"
        computes the recurrent layers in bfloat16; data, weights and output layer stay
        in float32.
    random_state : int, RandomState instance or None, default=None
        Seed of the random numbers that decide the initial weights, shuffling, dropout
        and the held-out sequences. Pass an int for results that can be reproduced.
    verbose : int, default=0
        Whether to print one line per epoch; 0 prints nothing.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels; for an indicator matrix the column numbers.
    n_features_in_ : int
        Number of columns, when fitted on a table.
    feature_names_in_ : ndarray of str
        Column names, when fitted on a frame whose columns all have string names.
    input_size_ : int
        Number of features per time step.
    n_iter_ : int
        Epochs run.
    loss_curve_ : list of float
        Mean training loss of each epoch.
    validation_loss_curve_ : list of float or None
        Validation loss after each epoch, under early stopping. It is NaN for epochs of
        earlier fits that held nothing out.
    validation_scores_ : list of float or None
        Score (accuracy) on the validation rows after each epoch, under early stopping.
    best_epoch_ : int or None
        Epoch whose weights were kept, which has the lowest validation loss, counted
        from 1; None without early stopping.
    best_validation_score_ : float or None
        Score at the epoch whose weights were kept, the one with the lowest loss.
    net_ : skorch.NeuralNet
        The trained net, with ``history``.

    See Also
    --------
    RNNRegressor : Predicts numbers instead of labels.
    CharVectorizer : Characters of a text as a sequence.
    WordVectorizer : Words of a text as a sequence.

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
    prediction. Initial recurrent weights are orthogonal, initial input
    weights follow Glorot and Bengio (AISTATS 2010), and the bias of the forget gate of
    the LSTM starts at 1. The loss is the cross-entropy; for an indicator matrix, the
    binary cross-entropy of each label.

    Examples
    --------
    Does a sequence rise more often than it falls? Its length does not matter.

    >>> import numpy as np
    >>> from sklearn_rnn import RNNClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=rng.integers(5, 20)).cumsum() for _ in range(200)]
    >>> y = ["up" if x[-1] > x[0] else "down" for x in X]
    >>> model = RNNClassifier("lstm", 16, max_epochs=30, random_state=0)
    >>> model.fit(X[:150], y[:150]).score(X[150:], y[150:]) > 0.9
    True
    >>> model.predict([[1.0, 2.0, 4.0]]).tolist()
    ['up']
    """

    _parameter_constraints = {
        **constraints_of("RNNClassifier"),
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
    }

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
        class_weight=None,
        warm_start=False,
        callbacks=None,
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
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.callbacks = callbacks
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
        """Train on sequences and their labels.

        Parameters
        ----------
        X : array-like, list of arrays or TokenArray
            Sequences: a table ``(n_sequences, n_timesteps * input_size)``, a 3-D array
            ``(n_sequences, n_timesteps, n_features)`` whose trailing all-NaN steps are
            padding, a list, object array or Series of arrays of shape ``(T_i,)`` or
            ``(T_i, n_features)``, or tokens from a vectorizer.
        y : array-like of shape (n_sequences,) or (n_sequences, n_labels)
            Labels of any type, or an indicator matrix of 0 and 1. With
            ``return_sequences=True`` those of each step: an array ``(n_sequences,
            n_timesteps)`` or ``(n_sequences, n_timesteps, n_labels)``, or a list or
            object array of arrays as long as their sequences. Padding is ignored.
        sample_weight : array-like of shape (n_sequences,), default=None
            A row of weight 2 counts as two rows, one of weight 0 is left out. With
            ``return_sequences=True`` also one weight per step, in a container like y's.
        X_val : array-like, list of arrays or TokenArray, default=None
            Sequences that judge early stopping in place of held-out rows, so that every
            row of X trains. In a Pipeline, ``transform_input=["X_val"]`` transforms
            them by the fitted steps.
        y_val : array-like of shape (n_validation, ...), default=None
            Labels of ``X_val``.
        sample_weight_val : array-like of shape (n_validation,), default=None
            Their weights.
        groups : array-like of shape (n_sequences,), default=None
            Passed to ``validation_fraction``, where that is a splitter.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If X or y cannot be read (the message names the sequence), or if training
            diverges; the estimator is then as it was before.
        KeyboardInterrupt
            After an interrupt; the last finished epoch (or the best) is
            installed.
        """
        return self._fit(
            X,
            y,
            sample_weight,
            validation=check_validation_data(self, X_val, y_val, sample_weight_val),
            groups=groups,
        )

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train one epoch more on these sequences.

        The learning rate stays constant and nothing is held out.

        Parameters
        ----------
        X : array-like, list of arrays or TokenArray
            Sequences, in any container that :meth:`fit` takes.
        y : array-like of shape (n_sequences,) or (n_sequences, n_labels)
            Labels.
        classes : array-like of shape (n_classes,), default=None
            All labels that any call may bring; needed in the first call. For an
            indicator matrix ``range(n_labels)``.
        sample_weight : array-like of shape (n_sequences,), default=None
            Weights of the rows.

        Returns
        -------
        self : object
            The estimator.
        """
        if classes is None and not hasattr(self, "net_"):
            raise ValueError(
                "classes must be passed to the first call of partial_fit: all labels "
                "that any call may bring, classes=np.unique(y_all)."
            )
        if isinstance(self.class_weight, str):
            raise ValueError(
                'class_weight="balanced" needs all labels at once, which partial_fit '
                "does not see. Give a dict, or sample_weight."
            )
        if classes is not None and hasattr(self, "net_"):
            if not np.array_equal(np.unique(classes), self.classes_):
                raise ValueError(
                    f"classes={np.unique(classes).tolist()} is not the same as on the "
                    f"first call of partial_fit, {self.classes_.tolist()}. Fit anew to "
                    "learn other classes."
                )
        return self._fit(X, y, sample_weight, partial=True, classes=classes)

    def predict(self, X):
        """Predict the most likely label of each sequence.

        Parameters
        ----------
        X : array-like, list of arrays or TokenArray
            Sequences, in any container that :meth:`fit` takes.

        Returns
        -------
        y : ndarray of shape (n_sequences,) or (n_sequences, n_labels)
            Labels, or an indicator matrix if fitted on one. With
            ``return_sequences=True`` an array ``(n_sequences, n_timesteps, ...)`` if X
            is a table or a 3-D array without padding, and otherwise a 1-D object array
            of arrays as long as their sequences.
        """
        return self._predict(X, LabelTargets.decode)

    def predict_proba(self, X):
        """Probabilities of the labels.

        Parameters
        ----------
        X : array-like, list of arrays or TokenArray
            Sequences, in any container that :meth:`fit` takes.

        Returns
        -------
        proba : ndarray of shape (n_sequences, n_classes)
            In the order of ``classes_``. Rows sum to 1, unless fitted on an indicator
            matrix, where each label has its own probability. With
            ``return_sequences=True`` one row per step, in arrays as :meth:`predict`
            returns them.
        """
        return self._predict(X, LabelTargets.probabilities)

    def predict_log_proba(self, X):
        """Logarithms of the probabilities of the labels.

        Parameters
        ----------
        X : array-like, list of arrays or TokenArray
            Sequences, in any container that :meth:`fit` takes.

        Returns
        -------
        log_proba : ndarray of shape (n_sequences, n_classes)
            ``log(predict_proba(X))``, but finite where a probability is rounded to 0.
        """
        return self._predict(X, LabelTargets.log_probabilities)

    def score(self, X, y, sample_weight=None):
        """Accuracy of the predictions.

        Parameters
        ----------
        X : array-like, list of arrays or TokenArray
            Sequences, in any container that :meth:`fit` takes.
        y : array-like of shape (n_sequences,) or (n_sequences, n_labels)
            Right labels, or those of each step with ``return_sequences=True``.
        sample_weight : array-like of shape (n_sequences,), default=None
            Weights of the rows, or of their steps.

        Returns
        -------
        score : float
            Accuracy; with ``return_sequences=True``, over the valid steps of all
            sequences. A row of an indicator matrix counts if all its labels are right.
        """
        check_is_fitted(self)
        fitted = snapshot(self)
        metric = fitted._targets.score_labels
        if fitted._predicts_steps:
            return fitted._score_steps(X, y, sample_weight, metric)
        return metric(fitted._check_y(y), fitted.predict(X), sample_weight)

    def _check_y(self, y):
        return check_labels(y, self)

    def _fit_examples(self, X, y, sample_weight, continuing, **options):
        train, y = super()._fit_examples(X, y, sample_weight, continuing, **options)
        if not continuing:
            lengths = None if self.return_sequences else train.sequences.lengths
            doubt = describe_misread_labels(y, lengths)
            if doubt:
                warn_user(doubt)
        return train, y

    def _fit_targets(self, y, rows, weights, classes=None):
        self._targets = LabelTargets.fit(y, rows, classes)
        self.classes_ = self._targets.classes

    def _weigh_classes(self, train, valid):
        """Learn the weights of the classes; leave out rows that have none."""
        self._class_weights = None
        if self.class_weight is None:
            return train
        self._class_weights = learn_class_weights(
            self.class_weight, self.classes_, train
        )
        if valid is not None and not len(
            find_weighted_rows(self._class_weights, valid)
        ):
            raise ValueError(
                f"class_weight={self.class_weight!r} leaves no validation row any "
                "weight. Validate on rows of other classes too."
            )
        return replace(train, rows=find_weighted_rows(self._class_weights, train))

    def _fit_inputs(self, train):
        """Learn the encoding of X, where weights of classes count as those of rows."""
        if self._class_weights is not None and not self._targets.multilabel:
            by_row = look_up_weights(self._class_weights, train.targets.numpy())
            weights = torch.from_numpy(by_row)
            if train.weights is not None:
                weights = weights * train.weights
            train = replace(train, weights=weights)
        super()._fit_inputs(train)

    def _criterion(self):
        loss = self._targets.criterion()
        if self._class_weights is None:
            return loss
        return ClassWeightedLoss(loss, self._class_weights)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
