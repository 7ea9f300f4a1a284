"""SequenceGenerator, which learns to continue text, scores text and generates text."""

from numbers import Integral

import numpy as np
import torch
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.callback import with_callbacks
from sklearn.utils import check_array

from sklearn_rnn._core.device import resolve_dtype
from sklearn_rnn._core.randomness import draw_seed
from sklearn_rnn._core.scalars import check_integer
from sklearn_rnn._core.sklearn_private import (
    HasMethods,
    Interval,
    StrOptions,
    _fit_context,
)
from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn._data.cells import explain_errors
from sklearn_rnn._data.reading import is_table
from sklearn_rnn._data.tokens import END, PADDING, UNKNOWN
from sklearn_rnn._nn.builders import build_language_network
from sklearn_rnn._nn.standard import make_standard_language_network
from sklearn_rnn._training.corpus import make_corpus
from sklearn_rnn._training.estimator import NetworkEstimator
from sklearn_rnn._training.parameters import constraints_of
from sklearn_rnn.generation import _scoring
from sklearn_rnn.generation._beam_search import extend_by_beam_search
from sklearn_rnn.generation._copies import (
    CopiedSpan,
    TrainingText,
    find_copied_spans,
)
from sklearn_rnn.generation._export import export_onnx
from sklearn_rnn.generation._html import export_html
from sklearn_rnn.generation._language_model import LanguageModel, encode_known
from sklearn_rnn.generation._net import LanguageNet, TextExamples, split_corpus
from sklearn_rnn.generation._options import DecodingOptions, document_options
from sklearn_rnn.generation._sampling import (
    generate_tokens,
    make_uniform_sampler,
)
from sklearn_rnn.generation._session import WritingSession
from sklearn_rnn.generation._stream_adapter import TextStreamAdapter
from sklearn_rnn.streaming._stream import Stream
from sklearn_rnn.text import CharVectorizer
from sklearn_rnn.text._codecs import (
    check_not_characters,
    is_single_text,
    make_codec,
    read_documents,
)


def read_embedding(embedding, vocabulary_size, dtype):
    """Convert an array to a tensor of shape (vocabulary_size, n_dimensions).

    Other settings of the parameter ``embedding`` are returned unchanged.
    """
    if not is_table(embedding):
        return embedding
    with explain_errors(embedding, "embedding"):
        vectors = check_array(embedding, dtype=dtype, input_name="embedding")
    if len(vectors) != vocabulary_size:
        raise ValueError(
            f"embedding has {len(vectors)} vectors, but the vocabulary has "
            f"{vocabulary_size} codes. Set embedding to an array with one vector per "
            "code."
        )
    return torch.tensor(vectors)


def drop_cut_end(corpus, X, where="X"):
    """Remove the end of a single text from its corpus, so that it is not learned."""
    if not corpus.n_steps > len(corpus.lengths):
        raise ValueError(f"{where} contains no token. Pass a text to learn from.")
    return corpus.without_ends() if is_single_text(X) else corpus


class SequenceGenerator(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, NetworkEstimator
):
    r"""Recurrent network that learns to continue text and generates new text.

    At each step it predicts the next token: a character, a word, or any other token of
    a sequence. A fitted generator scores texts, continues prompts, and suggests next
    tokens to a person who writes.

    Parameters
    ----------
    vectorizer : transformer to TokenArray or None, default=None
        Vectorizer that converts text to tokens, such as :class:`WordVectorizer`; None
        uses :class:`CharVectorizer`. A copy of it is fitted and stored as
        ``vectorizer_``. Documents that are lists of hashable tokens need no vectorizer.
        For words, ``WordVectorizer(lowercase=False, min_count=2)`` is recommended:
        ``lowercase=False`` allows the generator to score texts, and ``min_count=2``
        allows it to learn where unknown words occur. :meth:`fit` warns otherwise.
    cell : {"rnn", "lstm", "gru"} or callable, default="lstm"
        Type of the recurrent cell. A callable ``cell(input_size, hidden_size)`` must
        return a torch module whose ``forward(x, state)`` returns ``(outputs, state)``.
        Here, ``x`` has the shape ``(n_sequences, n_timesteps, input_size)``,
        ``outputs`` has the shape ``(n_sequences, n_timesteps, hidden_size)``, and the
        initial state is None. The output at a step may depend only on this step and
        earlier steps of the same sequence, because shorter sequences in a batch are
        padded with zeros. A cell that reads later steps raises an error. Batch
        normalization in a cell would include the padding in its statistics.
    hidden_size : int, default=128
        Number of units in each layer. More units make the network more expressive and
        slower to train.
    num_layers : int, default=1
        Number of stacked recurrent layers. Each layer reads the outputs of the layer
        below it.
    activation : {"tanh", "relu"}, default="tanh"
        Activation function of the simple cell, ``cell="rnn"``. The other cells have
        fixed activation functions and ignore it.
    dropout : float in [0, 1), default=0.0
        Fraction of values that are set to zero during training: of the embedded codes,
        between layers and before the output layer. Larger values regularize more
        strongly; 0 disables dropout.
    embedding : {"auto", "onehot"}, int or array-like, default="auto"
        Representation of codes as input of the first layer. An int is the dimension of
        embedding vectors that are trained with the network; "auto" is 64, or the
        vocabulary size if that is smaller. An array of shape
        ``(vocabulary_size, n_dimensions)`` gives their initial values. "onehot" uses
        one-hot vectors; their product with the input weights is looked up instead of
        computed.
    tie_weights : bool, default=False
        Whether the output layer uses the embedding vectors as its weights [2]_. Not
        available for ``embedding="onehot"``.
    input : {"content", "filename"}, default="content"
        Type of X in ``fit``, ``partial_fit`` and the scoring methods: texts, "content",
        or names of files, "filename", which are read piece by piece. Prompts are always
        texts.
    keep_text : bool, default=False
        Whether to keep the codes of the training text, which :meth:`copied_spans` and
        the option ``max_copy`` of :meth:`generate` need. They are part of pickles and
        model files: one byte per character, if there are at most 252 different ones.
        The first search builds an index of 4 bytes per token, which is not stored in
        files.
    window : int, default=64
        Length of the training windows in time steps. Gradients are propagated back
        through this many steps.
    step : int or None, default=None
        Number of time steps between the starts of successive windows, which are then
        read independently and in random order; if it is greater than ``window``, the
        text between windows is not learned, with a warning. None reads each document
        from beginning to end and carries the state from window to window.
    max_epochs : int, default=30
        Maximum number of passes over the training text. Training stops earlier if the
        loss does not improve for ``n_iter_no_change`` epochs.
    batch_size : int, default=32
        Number of windows per training step, which are at different places of the text.
        With ``step=None``, a short text is read at fewer places, so that at least about
        8 windows follow each other at each place.
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
        lowest validation loss. The validation text is ``X_val`` of ``fit``; if it is
        not given, a ``validation_fraction`` of the training text. If False, training
        uses all text and stops when the training loss has not improved for that many
        epochs. After a warm start, only the epochs of the current fit are compared.
    validation_fraction : float in (0, 1) or CV splitter, default=0.1
        Fraction of the training documents that is held out if ``early_stopping=True``.
        If the text is a single document, this fraction is held out at its end. If this
        is a CV splitter, its last split is used.
    n_iter_no_change : int or "auto", default="auto"
        Number of consecutive epochs without an improvement of the loss by more than
        ``tol`` after which training stops. "auto" is a quarter of the maximum number of
        epochs, but at least 5.
    tol : float, default=0.0001
        Minimum decrease of the loss that counts as an improvement.
    warm_start : bool, default=False
        Whether ``fit`` continues from the weights and the vocabulary of the previous
        fit, for up to ``max_epochs`` further epochs, instead of starting from new
        weights. The learning rate, ``weight_decay``, ``dropout`` and ``callbacks`` may
        change between fits; the network and the optimizer may not.
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
        Floating-point type of weights and states. "auto" is float32. float32 is about
        twice as fast as float64. "bfloat16" computes the recurrent layers in bfloat16;
        data, weights and output layer stay in float32. On a CPU, it is faster than
        float32 only if the processor has instructions for it and batches are large; a
        GRU or a simple cell also needs 128 or more units.
    random_state : int, RandomState instance or None, default=None
        Seed of the random numbers for the initial weights, shuffling, dropout and the
        choice of held-out documents. Pass an int for reproducible results.
    verbose : int, default=0
        Verbosity level. 0 prints nothing; 1 or more prints one line per epoch. In a
        search, each line names the fit and the parameters that differ from their
        defaults.

    Attributes
    ----------
    classes_ : ndarray of shape (n_tokens + 1,)
        Tokens that can be predicted: "<end>", then the tokens in the order of their
        codes. If fitted on codes, the end code 3 and the codes of the tokens.
    vectorizer_ : transformer or None
        The fitted vectorizer; None if fitted on tokens or codes.
    vocabulary_size_ : int
        Number of codes: one per token, and 4 reserved codes.
    n_iter_ : int
        Number of epochs run.
    loss_curve_ : list of float
        Mean training loss of each epoch, in nats per token.
    validation_loss_curve_ : list of float or None
        Validation loss after each epoch; None without early stopping. It is NaN for
        epochs of earlier fits without validation data.
    validation_scores_ : list of float or None
        Minus the bits per token of the validation text after each epoch; None without
        early stopping.
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
    WritingSession : Session in which a person and a generator write one text.
    WordVectorizer : Encodes texts as sequences of words.
    split_text : Cuts one text into pieces for cross-validation.
    RNNClassifier : Classifies sequences; lists the equations of the cells.

    Notes
    -----
    A document is read as start code, tokens, end code. The network is trained to
    predict each of them except the first, by minimizing the mean cross-entropy:

    .. math:: -\frac{1}{n} \sum_t \log p(x_{t+1} \mid x_1 \ldots x_t)

    The end of a single text that is not in a list is not learned. Such a text, for
    example a book, ends only once, often where it was cut. The network would memorize
    this end, and generated texts would end too early. ``fit([text])`` learns the end.

    ``step=None`` trains by truncated backpropagation through time [1]_. Documents are
    concatenated in random order to ``batch_size`` rows of similar length; a document
    that is longer than its row is cut. The state is carried from window to window. It
    is zero at the start of a document and after a cut.

    The embedding vectors of padding and of unknown tokens are initialized with zeros,
    so unknown tokens have no effect if none occurs in training.

    References
    ----------
    .. [1] R. J. Williams and J. Peng, "An efficient gradient-based algorithm for
       on-line training of recurrent network trajectories", Neural Computation 2, 1990.
    .. [2] O. Press and L. Wolf, "Using the output embedding to improve language
       models", EACL 2017.

    Examples
    --------
    >>> from sklearn_rnn import SequenceGenerator
    >>> text = "the cat sat on the mat. " * 40
    >>> model = SequenceGenerator(hidden_size=32, max_epochs=10, random_state=0)
    >>> model.fit(text).generate("the c", 18, temperature=0)
    'at sat on the mat.'
    >>> model.predict(["the ca", "on the m"]).tolist()
    ['t', 'a']
    """

    _parameter_constraints = {
        **constraints_of("SequenceGenerator"),
        "vectorizer": [HasMethods(["fit", "transform"]), None],
        "input": [StrOptions({"content", "filename"})],
        "step": [Interval(Integral, 1, 2**24, closed="both"), None],
        "tie_weights": ["boolean"],
        "keep_text": ["boolean"],
    }

    _FIXED_ON_WARM_START = (
        *NetworkEstimator._FIXED_ON_WARM_START,
        "embedding",
        "tie_weights",
        "keep_text",
    )

    def __init__(
        self,
        vectorizer=None,
        cell="lstm",
        hidden_size=128,
        *,
        num_layers=1,
        activation="tanh",
        dropout=0.0,
        embedding="auto",
        tie_weights=False,
        input="content",
        keep_text=False,
        window=64,
        step=None,
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
        self.vectorizer = vectorizer
        self.cell = cell
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.activation = activation
        self.dropout = dropout
        self.embedding = embedding
        self.tie_weights = tie_weights
        self.input = input
        self.keep_text = keep_text
        self.window = window
        self.step = step
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
    def fit(self, X, y=None, *, X_val=None):
        """Learn to continue text.

        Parameters
        ----------
        X : str, iterable of documents or TokenArray
            One long text, whose end is not learned; documents, each a text or a list of
            tokens, whose ends are learned; with ``input="filename"``, the name of one
            file or a list of names; or the codes that a vectorizer returned. X is
            iterated once, so it can be a Python generator.
        y : None
            Ignored.
        X_val : like X, default=None
            Validation text for early stopping, instead of a held-out part of X. The
            loss does not include the end of a single text that is not in a list.

        Returns
        -------
        self : object
            The fitted generator.

        Raises
        ------
        ValueError
            If X contains no token, is a list of single characters or contains the token
            "<end>", or if training diverges. The generator then stays unchanged.
        KeyboardInterrupt
            If training is interrupted. The generator then keeps the weights of the last
            finished epoch, or of the best one under early stopping.
        """
        return self._fit(X, validation=X_val)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        """Train for one more epoch, for example on text of another author.

        The vocabulary is that of the first call; other tokens are read as unknown
        tokens, with a warning. The learning rate is constant and no text is held out.

        Parameters
        ----------
        X : str, iterable of documents or TokenArray
            Text to train on, as in :meth:`fit`.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted generator.

        Raises
        ------
        ValueError
            As for :meth:`fit`. The generator then stays unchanged.
        """
        return self._fit(X, partial=True)

    @with_callbacks
    def _train(self, X, *, partial=False, validation=None):
        """Encode X, build or continue the network, and train it; see ``_run``."""
        if validation is not None and not self.early_stopping:
            raise ValueError(
                "X_val is given, but without early stopping it is not used. Set "
                "SequenceGenerator(early_stopping=True)."
            )
        if self.step is not None and self.step > self.window:
            warn_user(
                f"step={self.step} is greater than window={self.window}, so that the "
                "text between windows is not learned. Set a smaller step, or None to "
                "read all text once per epoch."
            )
        is_continued = hasattr(self, "net_") and (partial or self.warm_start)
        if is_continued:
            train = self._encode_examples(X, "X")
        else:
            train = drop_cut_end(self._fit_codec(X), X)
        whole = train
        (seed, split_rng), valid_examples = self._draw_seeds(is_continued), None
        if self.early_stopping and not partial:
            if validation is None:
                train, valid = split_corpus(train, self.validation_fraction, split_rng)
            else:
                valid = self._encode_examples(validation, "X_val")
            valid_examples = TextExamples(valid, self.window)
        net = self._continue_net() if is_continued else self._new_net(seed)
        before = getattr(self, "_training_text", None) if is_continued else None
        self._training_text = (
            TrainingText.join(before, whole, train) if self.keep_text else None
        )
        examples = TextExamples(train, self.window, self.step)
        return self._run(net, examples, valid_examples, seed, (X, None, None), partial)

    def _documents(self, X):
        """Return X as an iterable of documents, which are not single characters."""
        if self.input != "filename":
            check_not_characters(X)
        return read_documents(X, self.input == "filename")

    def _encode_examples(self, X, where):
        """Convert X, called ``where`` in messages, to a corpus."""
        corpus, _ = encode_known(self._codec, self._documents(X), where)
        return drop_cut_end(corpus, X, where)

    def _fit_codec(self, X):
        """Learn the vocabulary and the spelling of X; return X as a corpus."""
        self._number_type = resolve_dtype(self.precision, np.float32)
        self._codec, documents = make_codec(
            self._documents(X), self.vectorizer, default=CharVectorizer()
        )
        recorder = _scoring.SpellingRecorder(self._codec.vectorizer)
        lengths, flat = self._codec.fit_encode(documents, recorder)
        if self._codec.end_name in self._codec.code_of:
            raise ValueError(
                f"X contains the token {self._codec.end_name!r}, which is the name of "
                "the end of a document in classes_. Remove it, since ends are learned "
                "without it, or rename it."
            )
        self._spelling = recorder.fit_spelling(self._codec.code_of)
        _scoring.warn_of_vectorizer(self._codec.vectorizer, self._spelling, flat)
        self._dropped_share = recorder.fit_dropped_share(lengths)
        self.vectorizer_ = self._codec.vectorizer
        self.vocabulary_size_ = self._codec.vocabulary_size
        self.classes_ = self._codec.classes
        return make_corpus(lengths, flat)

    _net_class = LanguageNet

    def _build_module(self, **options):
        self._n_features_out = self.hidden_size
        return build_language_network(
            self.cell,
            self.vocabulary_size_,
            self.hidden_size,
            embedding=read_embedding(
                self.embedding, self.vocabulary_size_, self._number_type
            ),
            tie_weights=self.tie_weights,
            neutral_codes=(PADDING, UNKNOWN),
            **options,
        )

    def _count_operations(self, n_rows):
        """Multiply-adds per step of the widest layer or of the output layer."""
        head = n_rows * self.hidden_size * self.vocabulary_size_
        return max(super()._count_operations(n_rows), head)

    # ---------------------------------------------------------------- predictions

    def fit_transform(self, X, y=None, **fit_params):
        """Learn to continue text, and compute the state after each text.

        Parameters
        ----------
        X : iterable of documents or TokenArray
            Texts or lists of tokens, as in :meth:`fit`. X is iterated once.
        y : None
            Ignored.
        **fit_params : dict
            Further arguments of :meth:`fit`.

        Returns
        -------
        states : ndarray of shape (n_documents, hidden_size)
            State after each text, as :meth:`transform` returns it.
        """
        # an iterator can be read only once
        X = list(X) if hasattr(X, "__next__") else X
        return super().fit_transform(X, y, **fit_params)

    def transform(self, X):
        """Compute the state after each text, as features for another estimator.

        Parameters
        ----------
        X : iterable of documents or TokenArray
            Texts or lists of tokens, of any length.

        Returns
        -------
        states : ndarray of shape (n_documents, hidden_size)
            Outputs of the last layer after the last token.
        """
        return LanguageModel.of(self).read(X).outputs.float().cpu().numpy()

    def predict_proba(self, X):
        """Predict the probability of every next token, and of the end of the text.

        Parameters
        ----------
        X : iterable of documents or TokenArray
            Beginnings of texts, of any length; the empty text is allowed. A single text
            is one prefix. Unknown tokens cause a warning.

        Returns
        -------
        proba : ndarray of shape (n_prefixes, n_tokens + 1)
            Probabilities in the order of ``classes_``.
        """
        return LanguageModel.of(self).predict_proba(X)

    def predict(self, X):
        """Predict the most probable next token.

        Parameters
        ----------
        X : iterable of documents or TokenArray
            Beginnings of texts, as in :meth:`predict_proba`.

        Returns
        -------
        tokens : ndarray of shape (n_prefixes,)
            One of ``classes_`` per prefix.
        """
        model = LanguageModel.of(self)
        return model.classes[model.predict_proba(X).argmax(1)]

    # ---------------------------------------------------------------- scores

    def score(self, X, y=None):
        """Return minus :meth:`bits_per_character`, so that greater is better.

        Parameters
        ----------
        X : str, iterable of documents or TokenArray
            Text that the generator was not fitted on.
        y : None
            Ignored.

        Returns
        -------
        score : float
            Minus bits per character, comparable between networks and between settings
            of ``vectorizer``, but not of a vectorizer in front of the generator.
        """
        return -self.bits_per_character(X)

    def bits_per_character(self, X):
        """Compute the number of bits per character that encode the whole text.

        The bits encode the tokens, the end of each document, and what the tokens do not
        contain: the characters of unknown tokens, the positions of unknown tokens that
        the vectorizer leaves out, and the text between tokens. The probabilities of all
        texts therefore sum to at most 1 for every vectorizer, and vectorizers and their
        settings can be compared.

        For documents that are not texts, only networks with the same tokens can be
        compared. The codes of a vectorizer in front of the generator do not contain
        what that vectorizer left out.

        Parameters
        ----------
        X : str, iterable of documents or TokenArray
            Text that the generator was not fitted on.

        Returns
        -------
        bits : float
            Bits per character. For documents that are not texts, bits per token.

        Raises
        ------
        ValueError
            If the text is empty. Also if the vectorizer changes case or accents, or if
            a TokenArray contains unknown codes, because scores would then not be
            comparable.
        """
        model = LanguageModel.of(self)
        return _scoring.bits_per_character(model, self._documents(X))

    def perplexity(self, X):
        """Compute the effective number of equally likely next tokens.

        Parameters
        ----------
        X : str, iterable of documents or TokenArray
            Text that the generator was not fitted on.

        Returns
        -------
        perplexity : float
            2 to the power of the mean number of bits per token, including the end of
            each document. Only models with the same vocabulary and the same
            ``handle_unknown`` are comparable.

        Raises
        ------
        ValueError
            If X contains no document.
        """
        model = LanguageModel.of(self)
        return _scoring.perplexity(model, self._documents(X))

    def score_tokens(self, X):
        """Compute the log-probability of each token of each document.

        Parameters
        ----------
        X : str, iterable of documents or TokenArray
            Texts or lists of tokens, as in :meth:`fit`. Each is read from its
            beginning.

        Returns
        -------
        scores : list of TokenScores
            One per document. ``tokens``, ``log_proba`` and ``is_known`` have the length
            n_tokens + 1, because the end of the document comes last. ``total`` is the
            log-probability of the whole document. Log-probabilities are in nats and
            refer to the tokens alone; :meth:`bits_per_character` also includes the text
            that tokens do not contain.

        Notes
        -----
        The log-probability of an unknown token is that of any unknown token.
        :meth:`predict_proba` distributes this probability over the known tokens. Tokens
        that ``handle_unknown="ignore"`` leaves out are not listed.

        Examples
        --------
        >>> from sklearn_rnn import SequenceGenerator
        >>> text = "the cat sat on the mat. " * 40
        >>> model = SequenceGenerator(hidden_size=32, max_epochs=10, random_state=0)
        >>> likely, unlikely = model.fit(text).score_tokens(["the cat", "the tac"])
        >>> likely.tokens
        ['t', 'h', 'e', ' ', 'c', 'a', 't', '<end>']
        >>> bool(likely.total > unlikely.total)
        True
        """
        documents = read_documents(X, self.input == "filename")
        return _scoring.score_tokens(LanguageModel.of(self), documents)

    def copied_spans(self, text, min_length=20):
        """Find the parts of a text that occur in the training text.

        Parameters
        ----------
        text : str, list of tokens or TokenArray
            One text, for example a generated one.
        min_length : int, default=20
            Minimum length of a part in tokens (characters or words).

        Returns
        -------
        spans : list of CopiedSpan
            The longest parts in order. They may overlap, but none of them lies within
            another. An unknown token is never part of a copy.

        Raises
        ------
        ValueError
            If the training text was not kept, or if several texts are given.

        See Also
        --------
        generate : Writes text with ``max_copy``, which limits the length of copies.

        Examples
        --------
        >>> from sklearn_rnn import SequenceGenerator
        >>> text = "the cat sat on the mat. the dog sat on the log."
        >>> model = SequenceGenerator(max_epochs=1, keep_text=True).fit(text)
        >>> for span in model.copied_spans("a dog sat on the mat.", min_length=8):
        ...     print(span.start, span.stop, repr(span.text), span.position)
        1 17 ' dog sat on the ' 27
        5 21 ' sat on the mat.' 7
        """
        model = LanguageModel.of(self)
        training = model.require_training_text()
        min_length = check_integer("min_length", min_length, minimum=1)
        codes = model.encode_one(text)
        return [
            CopiedSpan(model.codec.decode(codes[start:stop]), start, stop, *where)
            for start, stop, *where in find_copied_spans(training, codes, min_length)
        ]

    # ---------------------------------------------------------------- generation

    @document_options
    def generate(
        self,
        prompt="",
        n_tokens=200,
        *,
        temperature=1.0,
        top_k=None,
        top_p=None,
        repetition_penalty=1.0,
        stop=None,
        banned=None,
        required=None,
        max_copy=None,
        mask=None,
        beam_size=None,
        random_state=None,
    ):
        """Continue one prompt or several prompts.

        Parameters
        ----------
        prompt : str, list of tokens, TokenArray, or list of prompts, default=""
            Text of any length that the network reads first.
        n_tokens : int, default=200
            Maximum number of tokens to generate. Generation stops earlier if the text
            ends.
        {decoding_options}
        beam_size : int or None, default=None
            Number of candidates that a beam search for the likeliest continuation keeps
            at each step; 1 is greedy search. None samples instead. Candidates are
            compared by their probability under the model, which banned and required
            tokens do not change. If tokens are required, the search keeps this many
            candidates for each number of required tokens that are still missing.
        random_state : int, RandomState instance or None, default=None
            Seed of the sampling. The random numbers for a prompt depend on the seed and
            the prompt, not on the other prompts or their order. Equal prompts get
            different numbers, and the first of them gets those of a single prompt.

        Returns
        -------
        continuation : str, list of tokens or TokenArray; or a list of them
            Generated text, without the prompt. A list if several prompts are given.

        Raises
        ------
        ValueError
            If an option is out of range, if ``stop``, ``banned`` or ``required`` name
            an unknown token, if a prompt contains no known token, or if the constraints
            exclude all tokens. Also if ``max_copy`` is given, but ``keep_text=False``.
        """
        model = LanguageModel.of(self)
        options = DecodingOptions.from_user(
            model.codec,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            repetition_penalty=repetition_penalty,
            stop=stop,
            banned=banned,
            required=required,
            mask=mask,
            copies=model.limit_copies(max_copy),
        )
        options.check_n_tokens(n_tokens)
        if beam_size is not None:
            options.check_beam_size(beam_size)
        is_single, stepper, logits, texts = model.start(prompt)
        with model.threads(len(texts)):
            if beam_size is not None:
                extend_by_beam_search(
                    stepper, logits, options, texts, n_tokens, beam_size
                )
            else:
                draw = make_uniform_sampler(draw_seed(random_state), texts)
                for _ in generate_tokens(
                    stepper, logits, options, texts, n_tokens, draw
                ):
                    pass
        generated = [model.codec.decode(text.codes) for text in texts]
        return generated[0] if is_single else generated

    @document_options
    def generate_iter(
        self,
        prompt="",
        n_tokens=None,
        *,
        temperature=1.0,
        top_k=None,
        top_p=None,
        repetition_penalty=1.0,
        stop=None,
        banned=None,
        required=None,
        max_copy=None,
        mask=None,
        random_state=None,
    ):
        """Continue one prompt, token by token.

        Parameters
        ----------
        prompt : str, list of tokens or TokenArray, default=""
            Text of any length that the network reads first.
        n_tokens : int or None, default=None
            Maximum number of tokens to generate. None continues until the text ends or
            reaches a ``stop``; a generator that was fitted on a single text has not
            learned to end and rarely stops by itself.
        {decoding_options}
        random_state : int, RandomState instance or None, default=None
            Seed of the sampling.

        Yields
        ------
        token : str, or a token of another type
            The tokens that :meth:`generate` returns for the same arguments.

        Raises
        ------
        ValueError
            As in :meth:`generate`, or if several prompts are given.
        """
        model = LanguageModel.of(self)
        options = DecodingOptions.from_user(
            model.codec,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            repetition_penalty=repetition_penalty,
            stop=stop,
            banned=banned,
            required=required,
            mask=mask,
            copies=model.limit_copies(max_copy),
        )
        if n_tokens is not None:
            options.check_n_tokens(n_tokens)
        is_single, stepper, logits, texts = model.start(prompt)
        if not is_single:
            raise ValueError(
                f"generate_iter continues one prompt, got {len(texts)} prompts. Use "
                "generate for several prompts."
            )
        draw = make_uniform_sampler(draw_seed(random_state), texts)
        written = generate_tokens(stepper, logits, options, texts, n_tokens, draw)
        codes = (text.codes[-1] for (text,) in written)
        return (model.classes[code - END] for code in codes if code != END)

    def stream(self, n_streams=1):
        """Open a stream that reads texts piece by piece as they arrive.

        Parameters
        ----------
        n_streams : int or None, default=1
            Number of texts that are read in parallel; None allows any number of texts,
            which are identified by keys.

        Returns
        -------
        stream : Stream
            Stream that predicts the next token after each piece of text, as
            :meth:`predict` and :meth:`predict_proba` do for the whole text.

        Examples
        --------
        >>> from sklearn_rnn import SequenceGenerator
        >>> text = "the cat sat on the mat. " * 40
        >>> model = SequenceGenerator(hidden_size=32, max_epochs=10, random_state=0)
        >>> stream = model.fit(text).stream()
        >>> stream.predict("the c").tolist(), stream.predict("a").tolist()
        (['a'], ['t'])
        """
        return Stream(TextStreamAdapter(LanguageModel.of(self)), n_streams)

    def to_torch(self):
        """Copy the network to a torch module of standard layers.

        Returns
        -------
        module : torch.nn.Module
            Module in evaluation mode, on the device of the model, which later fits do
            not change. ``module(codes, state)`` reads codes of shape ``(n_sequences,
            n_timesteps)``: 2 at the start of a text, then those of its tokens, which
            are 4 for the first token of the vocabulary and so on. It returns the logits
            of the code after each step, ``(n_sequences, n_timesteps,
            vocabulary_size)``, and the state after the last step, from which the next
            call continues. None is the state before the first step. The state is that
            of ``torch.nn.LSTM``, ``torch.nn.GRU`` or ``torch.nn.RNN``;
            for a callable ``cell``, it is a list with the state of each layer.

        See Also
        --------
        to_onnx : Writes the network to a file for other programs.

        Notes
        -----
        The softmax of ``logits[..., 3:]`` is :meth:`predict_proba`, because padding,
        unknown tokens and starts are not generated. With ``precision="bfloat16"``, the
        module computes in float32, and predictions of most networks agree to about
        1e-2.

        Examples
        --------
        >>> import numpy as np
        >>> import torch
        >>> from sklearn_rnn import SequenceGenerator
        >>> model = SequenceGenerator(hidden_size=8, max_epochs=2, random_state=0)
        >>> module = model.fit("the cat sat on the mat. " * 10).to_torch()
        >>> code_of = {token: 3 + k for k, token in enumerate(model.classes_)}
        >>> codes = torch.tensor([[2] + [code_of[token] for token in "the c"]])
        >>> with torch.inference_mode():
        ...     logits, state = module(codes)
        >>> proba = logits[:, -1, 3:].softmax(1)
        >>> bool(np.allclose(proba, model.predict_proba(["the c"]), atol=1e-5))
        True
        """
        return make_standard_language_network(LanguageModel.of(self).module)

    def to_onnx(self, path):
        """Write the network to a file in the ONNX format, with states as inputs.

        Parameters
        ----------
        path : str, bytes or path-like
            File to write. An existing file is replaced only when the new one is
            complete.

        Raises
        ------
        ImportError
            If onnx is not installed.
        NotFittedError
            If the model is not fitted.
        OSError
            If the file cannot be written.
        ValueError
            If ``cell`` is a callable.

        See Also
        --------
        to_torch : Returns a torch module.

        Notes
        -----
        The inputs are the codes ``X`` (int64) of shape ``(n_sequences, n_timesteps)``,
        2 at the start of a text and then those of its tokens, and the states
        ``hidden_0``, ``cell_0`` and so on, which are zero before the first step. The
        outputs are the ``probabilities`` of :meth:`predict_proba` after each step,
        ``(n_sequences, n_timesteps, n_classes)``, and the states after the last step,
        ``next_hidden_0`` and so on. Codes outside the vocabulary are errors.

        The metadata are JSON texts: ``class``, ``classes``, ``vocabulary``, the tokens
        in the order of their codes, ``vocabulary_size``, ``reserved_codes``,
        ``vectorizer`` with its parameters, and ``states``. The version of this library
        is the ``producer_version``. Networks in float64 are written in float32, because
        onnxruntime has no recurrent layers in float64.

        Examples
        --------
        >>> import os
        >>> import tempfile
        >>> from sklearn_rnn import SequenceGenerator
        >>> model = SequenceGenerator(hidden_size=8, max_epochs=2, random_state=0)
        >>> _ = model.fit("the cat sat on the mat. " * 10)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.to_onnx(os.path.join(folder, "model.onnx"))
        ...     os.listdir(folder)
        ['model.onnx']
        """
        export_onnx(LanguageModel.of(self), path)

    def to_html(self, path, *, title="Co-writing", prompt=""):
        """Write a page in which a person writes a text with the network, in a browser.

        The page is a single file that contains the network. It works without a server
        and without internet access.

        Parameters
        ----------
        path : str, bytes or path-like
            File to write. An existing file is replaced only when the new one is
            complete.
        title : str, default="Co-writing"
            Title of the page.
        prompt : str, default=""
            Beginning of the text that the page opens with.

        Raises
        ------
        NotFittedError
            If the model is not fitted.
        OSError
            If the file cannot be written.
        TypeError
            If the title or the prompt is not a str.
        ValueError
            If ``cell`` is a callable, if the model was not fitted on texts, or if the
            vectorizer uses functions, stop words or a regular expression of the user,
            which the page cannot contain.

        See Also
        --------
        session : The same in Python.
        resume : Restores a session from a transcript that the page saved.

        Notes
        -----
        The page does what a :class:`WritingSession` does: it shows the ten likeliest
        next tokens, which are picked by mouse or number key. It also writes by itself,
        without ``max_copy`` of :meth:`generate`. Transcripts can be exchanged with
        :meth:`resume`.

        Weights are rounded to 12 bits, or 11 bits if there are more than a million of
        them, relative to the largest weight of each row of a matrix. This usually
        changes probabilities by less than 0.01. The page computes in float64 and stores
        states in float32, whatever ``precision`` is. The file has about 2 bytes per
        weight.

        The content security policy of the page forbids requests, and all scripts except
        its own. The page needs a browser of 2023 or later.

        Examples
        --------
        >>> import os
        >>> import tempfile
        >>> from sklearn_rnn import SequenceGenerator
        >>> model = SequenceGenerator(hidden_size=8, max_epochs=2, random_state=0)
        >>> _ = model.fit("the cat sat on the mat. " * 10)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.to_html(os.path.join(folder, "page.html"), title="Cats")
        ...     os.listdir(folder)
        ['page.html']
        """
        export_html(LanguageModel.of(self), path, title, prompt)

    def session(self, prompt="", *, temperature=1.0):
        """Open a session in which a person writes with suggestions of the network.

        Parameters
        ----------
        prompt : str, list of tokens or TokenArray, default=""
            Beginning of the text.
        temperature : float, default=1.0
            Divisor of the logits of the suggestions. Values above 1 make the suggested
            probabilities more uniform, values below 1 make them more extreme.

        Returns
        -------
        session : WritingSession
            Session that suggests the likeliest next tokens.
        """
        return WritingSession(self, prompt, temperature=temperature)

    def resume(self, transcript):
        """Restore a writing session from its transcript.

        Parameters
        ----------
        transcript : str
            JSON that :meth:`WritingSession.to_json` returned.

        Returns
        -------
        session : WritingSession
            Session with the same text and steps, which can be continued. The network
            reads all tokens again.

        Raises
        ------
        ValueError
            If the transcript cannot be read, was changed, or belongs to another model.
            Transcripts of earlier versions have no checksum, so changes in them may go
            unnoticed.
        """
        return WritingSession.from_json(self, transcript)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags
