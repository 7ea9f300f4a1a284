"""SequenceTranslator: an encoder/decoder network from sequences to sequences."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.callback import with_callbacks
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sklearn_rnn._core.drafts import snapshot
from sklearn_rnn._core.memory import explain_prediction_memory
from sklearn_rnn._core.sklearn_private import (
    HasMethods,
    Interval,
    StrOptions,
    _fit_context,
)
from sklearn_rnn._core.threads import limit_threads
from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn._data.ragged import object_array
from sklearn_rnn._data.reading import SequenceReader
from sklearn_rnn._data.sequences import cast
from sklearn_rnn._data.tokens import RESERVED, UNKNOWN
from sklearn_rnn._nn.builders import build_translation_network
from sklearn_rnn._nn.standard_translation import make_standard_translation_network
from sklearn_rnn._training.corpus import make_corpus
from sklearn_rnn._training.estimator import NetworkEstimator
from sklearn_rnn._training.parameters import LAYERS, SIZE, constraints_of
from sklearn_rnn.text import CharVectorizer
from sklearn_rnn.text._codecs import make_codec, read_documents
from sklearn_rnn.translation._beam_search import beam_search
from sklearn_rnn.translation._copying import WordCopier, check_copying
from sklearn_rnn.translation._net import Pairs, TranslationNet
from sklearn_rnn.translation._options import SearchOptions
from sklearn_rnn.translation._sources import (
    find_unknown,
    holds_texts,
    list_if_iterator,
    list_sources,
    unwrap_sources,
    warn_of_new_tokens,
    warn_of_unknown_tokens,
)


def is_exact(hypothesis, true):
    """Return whether a hypothesis has the true codes, and all of them are known."""
    return np.array_equal(hypothesis.codes, true) and UNKNOWN not in true


class SequenceTranslator(SequenceReader, NetworkEstimator):
    r"""Encoder/decoder network that translates sequences.

    The encoder reads the source, and the decoder generates the target until it predicts
    the end of the target, so that targets may have any length. Sources are texts, codes
    or numbers; targets are texts, lists of tokens or codes.

    Parameters
    ----------
    source_vectorizer : transformer or None, default=None
        Vectorizer that converts source texts to tokens; None uses
        :class:`CharVectorizer`. Ignored for sources that are numbers or codes.
    target_vectorizer : transformer or None, default=None
        Vectorizer that converts target texts to tokens; None uses
        :class:`CharVectorizer`.
    cell : {"rnn", "lstm", "gru"}, default="gru"
        Type of the recurrent cells of the encoder, and of the decoder unless
        ``decoder_cell`` is given.
    hidden_size : int, default=128
        Number of units in each layer of the encoder (in each direction if
        ``bidirectional=True``), and of the decoder unless ``decoder_size`` is given.
        More units make the network more expressive and slower to train.
    num_layers : int, default=1
        Number of stacked recurrent layers of the encoder, and of the decoder unless
        ``decoder_layers`` is given. Each layer reads the outputs of the layer below it.
    decoder_cell : {"rnn", "lstm", "gru"} or None, default=None
        Type of the recurrent cells of the decoder. None uses ``cell``.
    decoder_size : int or None, default=None
        Number of units in each layer of the decoder. None uses ``hidden_size``.
    decoder_layers : int or None, default=None
        Number of stacked recurrent layers of the decoder. None uses ``num_layers``.
    activation : {"tanh", "relu"}, default="tanh"
        Activation function of the simple cell, ``cell="rnn"``. The other cells have
        fixed activation functions and ignore it.
    bidirectional : bool, default=True
        Whether the encoder reads each source both forwards and backwards and
        concatenates the outputs of the two directions.
    attention : {"dot", "additive"} or None, default="dot"
        Score by which each step of the decoder weights the steps of the source (see
        Notes). None is the plain encoder/decoder, whose decoder receives only the last
        state of the encoder.
    reverse_source : bool, default=False
        Whether to read each source from its end to its beginning [4]_.
    dropout : float in [0, 1), default=0.0
        Fraction of values that are set to zero during training: of the embedded codes,
        between layers and before the output layer. Larger values regularize more
        strongly; 0 disables dropout.
    embedding : "auto" or int, default="auto"
        Dimension of the embedding vectors of source and target codes, which are trained
        with the network. "auto" is 64, or the vocabulary size if that is smaller.
    input_size : int or None, default=None
        Number of features per time step when X is a 2-D table; None means 1. For other
        containers it is inferred from X.
    teacher_forcing : float in [0, 1], default=1.0
        Fraction of the target steps at which the decoder reads the correct previous
        code during training. At the other steps it reads the code that it predicted.
    stop_on : {"loss", "accuracy"}, default="loss"
        Quantity that early stopping monitors on the validation pairs. "loss" is their
        loss. "accuracy" is the fraction of targets with a wrongly predicted code, which
        is recorded as ``valid_loss``.
    copy_unknown : bool, default=False
        Whether the network may predict unknown words, which are then copied from the
        source [5]_. Each is replaced by the source word with the highest attention; if
        the source has unknown words, only these are considered. The copy keeps its case
        unless ``target_vectorizer`` changes the case. Copying requires attention and
        texts as sources and targets. The training targets must contain unknown words,
        for example with ``target_vectorizer=WordVectorizer(min_count=2)``; otherwise a
        warning is issued.
    label_smoothing : float in [0, 1), default=0.0
        Fraction of the probability of each target code that training spreads evenly
        over all codes.
    beam_size : int, default=1
        Number of candidates that prediction keeps for each target. 1 is greedy search.
    length_penalty : float, default=1.0
        Exponent of the length in the score of a candidate,
        ``log_probability / length ** length_penalty``. Larger values favor longer
        targets.
    max_length : int or None, default=None
        Maximum number of codes of a predicted target, including the end. None is one
        and a half times the length of the longest target in training.
    max_epochs : int, default=30
        Maximum number of passes over the training pairs. Training stops earlier if the
        loss does not improve for ``n_iter_no_change`` epochs.
    batch_size : int, default=32
        Number of pairs per training step.
    optimizer : {"adam", "adamw", "rmsprop", "sgd"} or type, default="adamw"
        Optimizer, as a name or as a subclass of ``torch.optim.Optimizer``. "adam" and
        "adamw" are the same, because ``weight_decay`` is decoupled from the gradient
        for every optimizer; both use ``eps=1e-6``. "sgd" uses a Nesterov momentum of
        0.9.
    learning_rate : float or "auto", default="auto"
        Initial learning rate. Larger values train faster, but training can diverge.
        "auto" is 0.05 for "sgd" and 0.005 for all other optimizers.
    learning_rate_schedule : str or callable, default="constant"
        Change of the learning rate over the epochs. "constant" keeps it unchanged.
        "plateau" halves it when the loss (with early stopping, the validation loss) has
        not decreased for 4 epochs. "cosine" lowers it to 0 along half a cosine over
        ``max_epochs``. A callable receives the number of the epoch, counted from 0 in
        each fit, and returns the factor by which ``learning_rate`` is multiplied.
    weight_decay : float or "auto", default=0.0
        Weight decay. After each training step, for every optimizer, all weights except
        biases are multiplied by ``1 - learning_rate * weight_decay``. Nothing is added
        to the gradient; for an L2 penalty, pass a subclass of the optimizer that adds
        it. Larger values regularize more strongly; 0 disables weight decay. "auto" is
        0.01 for "sgd" and 0.1 for all other optimizers. If ``learning_rate`` is k times
        its "auto" value, with k > 1, the "auto" decay is divided by k.
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
        lowest validation loss. The validation pairs are a ``validation_fraction`` of
        the training pairs; with ``stop_on``, their error rate can be used instead of
        their loss. If False, training uses all pairs and stops when the training loss
        has not improved for that many epochs. After a warm start, only the epochs of
        the current fit are compared.
    validation_fraction : float in (0, 1) or CV splitter, default=0.1
        Fraction of the training pairs that is held out if ``early_stopping=True``. If
        this is a CV splitter, its last split is used.
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
    precision : {"auto", "float32", "float64"}, default="auto"
        Floating-point type of weights and states. "auto" is float64 if the sources are
        float64 and have at most 16,384 values; otherwise, and for text, it is float32.
        float32 is about twice as fast as float64.
    random_state : int, RandomState instance or None, default=None
        Seed of the random numbers for the initial weights, shuffling, dropout and the
        choice of held-out pairs. Pass an int for reproducible results.
    verbose : int, default=0
        Verbosity level. 0 prints nothing; 1 or more prints one line per epoch. In a
        search, each line names the fit and the parameters that differ from their
        defaults.

    Attributes
    ----------
    source_vectorizer_ : transformer or None
        Fitted vectorizer of the sources; None if they are not text.
    target_vectorizer_ : transformer or None
        Fitted vectorizer of the targets; None if they are not text.
    n_features_in_ : int
        Number of columns of X. Only defined if X is a table of numbers.
    input_size_ : int
        Number of features per step of the sources; 1 for text and codes.
    max_length_ : int
        Number of codes of the longest training target, including the end.
    n_iter_ : int
        Number of epochs run.
    loss_curve_ : list of float
        Mean training loss of each epoch, in nats per code.
    validation_loss_curve_ : list of float or None
        Validation loss after each epoch, or the error rate that ``stop_on="accuracy"``
        monitors. None without early stopping. It is NaN for epochs of earlier fits
        without validation data.
    validation_scores_ : list of float or None
        Fraction of validation targets whose codes were all predicted correctly after
        each epoch, given the correct previous codes. None without early stopping.
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
    SequenceGenerator : Continues sequences, without a source.
    RNNClassifier : Predicts one label per sequence or per step.
    sklearn_rnn.display.AttentionDisplay : Plots the attention of a translation.

    Notes
    -----
    The outputs :math:`m_1, \ldots, m_S` of the encoder are the memory. A dense layer
    computes the initial states of the decoder from the encoder's last output (of both
    directions). At each step the decoder reads the previous code and computes an output
    :math:`h`. It predicts the next code from :math:`h`, or with attention from
    :math:`\tanh(C [h; c])`, where :math:`c = \sum_s a_s m_s` and the weights
    :math:`a_s` are the softmax over s of these scores:

    - dot: :math:`h^T W m_s / \sqrt{H}`, where H is the number of units [1]_ [3]_,
    - additive: :math:`v^T \tanh(W m_s + U h)` [2]_.

    References
    ----------
    .. [1] M.-T. Luong, H. Pham, C. D. Manning, "Effective approaches to attention-based
       neural machine translation", EMNLP 2015.
    .. [2] D. Bahdanau, K. Cho, Y. Bengio, "Neural machine translation by jointly
       learning to align and translate", ICLR 2015.
    .. [3] A. Vaswani et al., "Attention is all you need", NeurIPS 2017.
    .. [4] I. Sutskever, O. Vinyals, Q. V. Le, "Sequence to sequence learning with
       neural networks", NeurIPS 2014.
    .. [5] M.-T. Luong, I. Sutskever, Q. V. Le, O. Vinyals, W. Zaremba, "Addressing the
       rare word problem in neural machine translation", ACL 2015.

    Examples
    --------
    >>> from sklearn_rnn import SequenceTranslator
    >>> numbers = [f"{n:02}" for n in range(100)] * 5
    >>> turned = [n[::-1] for n in numbers]
    >>> model = SequenceTranslator(hidden_size=32, max_epochs=5, random_state=0)
    >>> model.fit(numbers, turned).predict(["17", "40"]).tolist()
    ['71', '04']
    """

    _parameter_constraints = {
        **constraints_of("SequenceTranslator"),
        "source_vectorizer": [HasMethods(["fit", "transform"]), None],
        "target_vectorizer": [HasMethods(["fit", "transform"]), None],
        "decoder_size": [SIZE, None],
        "decoder_layers": [LAYERS, None],
        "attention": [StrOptions({"dot", "additive"}), None],
        "reverse_source": ["boolean"],
        "teacher_forcing": [Interval(Real, 0, 1, closed="both")],
        "stop_on": [StrOptions({"loss", "accuracy"})],
        "copy_unknown": ["boolean"],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "beam_size": [Interval(Integral, 1, None, closed="left")],
        "length_penalty": [Interval(Real, 0, None, closed="left")],
        "max_length": [Interval(Integral, 1, None, closed="left"), None],
    }

    _FIXED_ON_WARM_START = (
        *NetworkEstimator._FIXED_ON_WARM_START,
        "embedding",
        "bidirectional",
        "attention",
        "reverse_source",
        "decoder_cell",
        "decoder_size",
        "decoder_layers",
    )

    def __init__(
        self,
        source_vectorizer=None,
        target_vectorizer=None,
        cell="gru",
        hidden_size=128,
        *,
        num_layers=1,
        decoder_cell=None,
        decoder_size=None,
        decoder_layers=None,
        activation="tanh",
        bidirectional=True,
        attention="dot",
        reverse_source=False,
        dropout=0.0,
        embedding="auto",
        input_size=None,
        teacher_forcing=1.0,
        stop_on="loss",
        copy_unknown=False,
        label_smoothing=0.0,
        beam_size=1,
        length_penalty=1.0,
        max_length=None,
        max_epochs=30,
        batch_size=32,
        optimizer="adamw",
        learning_rate="auto",
        learning_rate_schedule="constant",
        weight_decay=0.0,
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
        self.source_vectorizer = source_vectorizer
        self.target_vectorizer = target_vectorizer
        self.cell = cell
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.decoder_cell = decoder_cell
        self.decoder_size = decoder_size
        self.decoder_layers = decoder_layers
        self.activation = activation
        self.bidirectional = bidirectional
        self.attention = attention
        self.reverse_source = reverse_source
        self.dropout = dropout
        self.embedding = embedding
        self.input_size = input_size
        self.teacher_forcing = teacher_forcing
        self.stop_on = stop_on
        self.copy_unknown = copy_unknown
        self.label_smoothing = label_smoothing
        self.beam_size = beam_size
        self.length_penalty = length_penalty
        self.max_length = max_length
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
    def fit(self, X, y):
        """Learn from pairs of sources and targets.

        Parameters
        ----------
        X : list of str, list of lists of str, TokenArray, or sequences of numbers
            Sources: texts, lists of tokens, codes from a vectorizer, or numbers in any
            container that :class:`RNNClassifier` accepts.
        y : list of str, list of lists of tokens, or TokenArray
            Targets, one per source.

        Returns
        -------
        self : object
            The fitted translator.

        Raises
        ------
        ValueError
            If X and y have different lengths, if a source or target is empty, or if
            training diverges. The translator then stays unchanged.
        TypeError
            If a text is missing, such as None or NaN in a list of texts.
        KeyboardInterrupt
            If training is interrupted. The translator then keeps the weights of the
            last finished epoch, or of the best one under early stopping.
        """
        return self._fit(X, y)

    @with_callbacks
    def _train(self, X, y):
        """Encode the pairs, build or continue the network, train it; see ``_run``."""
        if y is None:
            raise ValueError(
                "SequenceTranslator requires y to be passed, but the target y is None."
            )
        is_continued = hasattr(self, "net_") and self.warm_start
        sources = self._read_sources(X, reset=not is_continued)
        targets = self._read_targets(y, reset=not is_continued)
        check_consistent_length(sources.lengths, targets.lengths)
        if self.copy_unknown:
            check_copying(self.source_vectorizer_, self._codec, self.attention)
        if is_continued:
            self._warn_of_changes(sources, targets)
        else:
            self._record_first_fit(sources, targets)
        seed, split_rng = self._draw_seeds(is_continued)
        train, valid = Pairs(sources, targets, np.arange(len(sources))), None
        if self.early_stopping:
            train, valid = train.split(self.validation_fraction, split_rng)
        if is_continued:
            net = self._continue_net()
        else:
            net = self._new_net(
                seed,
                neutral_codes=sources.absent_codes(train.rows),
                neutral_target_codes=targets.absent_codes(train.rows, self._n_codes),
            )
        return self._run(net, train, valid, seed, (X, y, None))

    _net_class = TranslationNet

    def _build_module(self, **options):
        return build_translation_network(
            self.cell,
            self.input_size_,
            self.hidden_size,
            self._n_codes,
            bidirectional=self.bidirectional,
            decoder_cell=self.decoder_cell,
            decoder_size=self.decoder_size,
            decoder_layers=self.decoder_layers,
            attention=self.attention,
            reverse_source=self.reverse_source,
            source_vocabulary_size=self._vocabulary_size,
            embedding=self.embedding,
            **options,
        )

    @property
    def _n_codes(self):
        """Number of codes of the targets, including the reserved codes."""
        return len(RESERVED) + len(self._codec.names)

    def _find_vocabulary_sizes(self):
        return {
            "source vocabulary": self._vocabulary_size,
            "target vocabulary": self._n_codes,
        }

    def _resolve_rates(self, n_batches):
        """Resolve the rates; "auto" is half the learning rate of other networks."""
        rate, decay = super()._resolve_rates(n_batches)
        return rate / 2 if self.learning_rate == "auto" else rate, decay

    def _net_options(self):
        """Return the arguments of the net that a warm start may change."""
        return {
            "sampling_rate": 1 - self.teacher_forcing,
            "label_smoothing": self.label_smoothing,
            "stop_on": self.stop_on,
        }

    def _read_sources(self, X, *, reset):
        """Convert sources to sequences of codes or numbers."""
        X = unwrap_sources(X)
        if reset:
            self.source_vectorizer_ = None
            if holds_texts(X):
                chosen = self.source_vectorizer
                vectorizer = CharVectorizer() if chosen is None else clone(chosen)
                self.source_vectorizer_ = vectorizer.fit(list_sources(X))
        elif self.source_vectorizer_ is None and holds_texts(X):
            raise ValueError(
                "X contains texts, but SequenceTranslator was fitted on numbers or "
                "codes. Pass the same kind of sources as in fit."
            )
        if self.source_vectorizer_ is None:
            return cast(self._read(X, reset=reset), self._number_type)
        tokens = self.source_vectorizer_.transform(list_sources(X))
        if not reset:
            warn_of_unknown_tokens(tokens)
        return self._read(tokens, reset=reset)

    def _read_targets(self, y, *, reset):
        """Convert targets to a corpus, where each has a start and an end code."""
        documents = read_documents(y, False, "y")
        if reset:
            self._codec, documents = make_codec(
                documents, self.target_vectorizer, default=CharVectorizer()
            )
            self.target_vectorizer_ = self._codec.vectorizer
            lengths, flat = self._codec.fit_encode(documents)
        else:
            lengths, flat = self._codec.encode(documents)
        if not np.all(lengths):
            raise ValueError(
                f"target {np.argmin(lengths)} is empty: it has no tokens. Remove the "
                "pair."
            )
        return make_corpus(lengths, flat)

    def _record_first_fit(self, sources, targets):
        """Record properties of the data with which warm starts are compared."""
        self.max_length_ = int(targets.lengths.max())
        self._has_unknown = [len(r) > 0 for r in self._find_unknown(sources, targets)]
        if self.copy_unknown and not self._has_unknown[1]:
            warn_user(
                "copy_unknown=True has no effect: all tokens of the targets are in the "
                "vocabulary, so the network cannot learn where to copy. Leave out rare "
                "tokens, for example by "
                "target_vectorizer=WordVectorizer(min_count=2)."
            )

    def _find_unknown(self, sources, targets):
        """Find the rows of X and the rows of y that have unknown tokens."""
        is_coded = sources.vocabulary_size is not None
        values = sources.values if is_coded else np.empty(0)
        return (
            find_unknown(values, sources.starts),
            find_unknown(targets.codes, targets.starts),
        )

    def _warn_of_changes(self, sources, targets):
        """Warn if the data of a warm start have new tokens or longer targets."""
        found = self._find_unknown(sources, targets)
        for name, rows, is_usual in zip("Xy", found, self._has_unknown, strict=True):
            if not is_usual:
                warn_of_new_tokens(name, rows)
        longest = int(targets.lengths.max())
        if longest > self.max_length_ and self.max_length is None:
            warn_user(
                f"y has targets of up to {longest} codes, including the end, but the "
                f"longest target of the first fit has {self.max_length_}. Predicted "
                "targets may now be longer; set max_length to limit them as before."
            )
        self.max_length_ = max(self.max_length_, longest)

    def predict(
        self,
        X,
        *,
        beam_size=None,
        length_penalty=None,
        max_length=None,
        return_attention=False,
    ):
        """Predict the target of each source.

        Parameters
        ----------
        X : list of str, list of lists of str, TokenArray, or sequences of numbers
            Sources, as in :meth:`fit`.
        beam_size : int or None, default=None
            Number of candidates; None uses the parameter ``beam_size``.
        length_penalty : float or None, default=None
            Exponent of the length; None uses the parameter ``length_penalty``.
        max_length : int or None, default=None
            Maximum number of codes; None uses the parameter ``max_length``.
        return_attention : bool, default=False
            Whether to return the attention weights as well.

        Returns
        -------
        y : ndarray of str objects, ndarray of lists, or TokenArray
            Targets of the same type as in ``fit``. A target that has not ended within
            ``max_length`` codes is returned without an end; :meth:`predict_n_best`
            reports whether a target has ended.
        attention : list of ndarray of shape (n_codes, n_source_steps)
            Attention weights of each code of a target, including the end, over the
            steps of its source. Each row sums to 1. Only returned if
            ``return_attention=True``.

        Raises
        ------
        ValueError
            If a source is empty or of another kind than in ``fit``, or if
            ``return_attention=True`` but the translator has no attention.
        """
        fitted, X = snapshot(self), unwrap_sources(X)
        found = fitted._search(
            X, beam_size, length_penalty, max_length, return_attention=return_attention
        )
        best = [hypotheses[0] for hypotheses in found]
        if fitted.copy_unknown:
            copier = fitted._make_copier(X)
            targets = object_array(map(copier.write, range(len(best)), best))
        else:
            targets = fitted._codec.decode_all([one.codes for one in best])
        if not return_attention:
            return targets
        return targets, [one.attention for one in best]

    def predict_n_best(
        self, X, n=5, *, beam_size=None, length_penalty=None, max_length=None
    ):
        """Predict several targets of each source, with their log-probabilities.

        Parameters
        ----------
        X : list of str, list of lists of str, TokenArray, or sequences of numbers
            Sources, as in :meth:`fit`.
        n : int, default=5
            Maximum number of targets per source.
        beam_size : int or None, default=None
            Number of candidates, at least ``n``; None uses the parameter ``beam_size``.
        length_penalty : float or None, default=None
            Exponent of the length; None uses the parameter ``length_penalty``.
        max_length : int or None, default=None
            Maximum number of codes; None uses the parameter ``max_length``.

        Returns
        -------
        best : list of list of dict
            Targets of each source, the best first. Each dict contains the ``target``,
            its ``log_probability`` in nats, the ``score`` by which targets are ordered,
            and ``ended``, whether the target has ended within ``max_length`` codes.
        """
        fitted, X = snapshot(self), unwrap_sources(X)
        found = fitted._search(X, beam_size, length_penalty, max_length, n=n)
        copier = fitted._make_copier(X) if fitted.copy_unknown else None
        return [
            [fitted._describe(copier, row, one) for one in hypotheses[:n]]
            for row, hypotheses in enumerate(found)
        ]

    def _make_copier(self, X):
        vectorizers: Any = self.source_vectorizer_, self.target_vectorizer_
        return WordCopier(list_sources(X), *vectorizers)

    def _describe(self, copier, row, hypothesis):
        """Make the dict of ``predict_n_best`` for a target of source ``row``."""
        if copier is None:
            target = self._codec.decode_all([hypothesis.codes])[0]
        else:
            target = copier.write(row, hypothesis)
        return {
            "target": target,
            "log_probability": hypothesis.log_probability,
            "score": hypothesis.score,
            "ended": hypothesis.is_ended,
        }

    def score(self, X, y):
        """Compute the fraction of sources whose predicted target is exactly correct.

        Parameters
        ----------
        X : list of str, list of lists of str, TokenArray, or sequences of numbers
            Sources, as in :meth:`fit`.
        y : list of str, list of lists of tokens, or TokenArray
            True targets.

        Returns
        -------
        score : float
            Accuracy between 0 and 1. A target with an unknown token is correct only if
            ``copy_unknown=True`` and the token is copied from the source.
        """
        fitted = snapshot(self)
        X, y = unwrap_sources(X), list_if_iterator(y)
        found = fitted._search(X)
        targets = fitted._read_targets(y, reset=False)
        check_consistent_length(found, targets.lengths)
        best = [hypotheses[0] for hypotheses in found]
        if fitted.copy_unknown:
            is_right = fitted._make_copier(X).compare(
                best, read_documents(y, False, "y")
            )
        else:
            ends = targets.starts + 1 + targets.lengths
            is_right = [
                is_exact(one, targets.codes[start + 1 : end])
                for one, start, end in zip(best, targets.starts, ends, strict=True)
            ]
        return float(np.mean(is_right))

    def _search(self, X, *given, **named):
        """Search for hypotheses of each source, the best first.

        Further arguments are passed to ``SearchOptions.from_call``.
        """
        check_is_fitted(self)
        options = SearchOptions.from_call(self, *given, **named)
        if options.keep_attention and self.module_.attention is None:
            raise ValueError(
                "return_attention=True and copy_unknown=True require attention, but "
                'this translator has attention=None. Set attention="dot" or '
                '"additive" and fit again.'
            )
        sources = self._read_sources(X, reset=False)
        with (
            limit_threads(self._count_operations(min(len(sources), self.batch_size))),
            explain_prediction_memory(len(sources), int(sources.lengths.max())),
        ):
            return beam_search(self.module_, sources, options)

    def to_torch(self):
        """Copy the network to a torch module of standard layers.

        Returns
        -------
        module : torch.nn.Module
            Module in evaluation mode, on the device of the model, which later fits do
            not change. ``module(x, codes, lengths)`` reads sources of numbers
            ``(n_sequences, n_timesteps, n_features)``, or codes ``(n_sequences,
            n_timesteps)`` as ``source_vectorizer_.transform`` returns them, with
            ``lengths`` of shape ``(n_sequences,)``; None means that no source is
            padded. ``codes``, of shape ``(n_sequences, n_codes)``, are the targets: 2
            at the start, then their tokens, which are 4 for the first token of the
            vocabulary and so on. It returns the logits of the code after each step,
            ``(n_sequences, n_codes, vocabulary_size)``. Code 3 is the end.

        Notes
        -----
        To write a target, call ``memory, state = module.encode(x, lengths)`` once, and
        ``logits, state, weights = module.decode(codes, state, memory, lengths)`` for
        each new code, of shape ``(n_sequences, 1)``. ``weights`` are those of the
        attention, or None. The recurrent layers are ``torch.nn.LSTM``,
        ``torch.nn.GRU`` and ``torch.nn.RNN``. Networks of translators cannot
        be written in the ONNX format.

        Examples
        --------
        >>> import torch
        >>> from sklearn_rnn import SequenceTranslator
        >>> model = SequenceTranslator(hidden_size=8, max_epochs=2, random_state=0)
        >>> module = model.fit(["ab", "ba"] * 9, ["x y", "y x"] * 9).to_torch()
        >>> x = torch.tensor(model.source_vectorizer_.transform(["ab"]))
        >>> memory, state = module.encode(x)
        >>> logits, state, _ = module.decode(torch.tensor([[2]]), state, memory)
        >>> tuple(logits.shape)
        (1, 1, 7)
        """
        check_is_fitted(self)
        return make_standard_translation_network(snapshot(self).module_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.input_tags.three_d_array = True
        tags.target_tags.required = True
        return tags
