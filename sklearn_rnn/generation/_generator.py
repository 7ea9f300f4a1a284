"""SequenceGenerator: learn how text goes on, and write it."""

from collections import Counter
from collections.abc import Hashable
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.callback import with_callbacks
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._core.device import number_type
from sklearn_rnn._core.drafts import snapshot
from sklearn_rnn._core.randomness import (
    SAMPLING,
    SPLIT,
    draw_seed,
    numpy_generator,
)
from sklearn_rnn._core.sklearn_private import (
    HasMethods,
    Interval,
    StrOptions,
    _fit_context,
)
from sklearn_rnn._core.threads import threads_for
from sklearn_rnn._data.reading import is_table
from sklearn_rnn._data.tokens import END, PADDING, RESERVED, UNKNOWN
from sklearn_rnn._nn.builders import build_language_network
from sklearn_rnn._nn.functional import log_softmax
from sklearn_rnn._nn.steppers import stepper
from sklearn_rnn._training.corpus import as_corpus
from sklearn_rnn._training.estimator import NetworkEstimator
from sklearn_rnn._training.holdout import split_rows
from sklearn_rnn._training.parameters import constraints_of
from sklearn_rnn.generation._net import (
    READ_AT_ONCE,
    LanguageNet,
    TextExamples,
    read_through,
    token_losses,
)
from sklearn_rnn.generation._sampling import (
    Continuation,
    DecodingOptions,
    beam,
    generate_tokens,
)
from sklearn_rnn.generation._scoring import HiddenTextCost, SpellingRecorder
from sklearn_rnn.generation._session import WritingSession
from sklearn_rnn.generation._stream_adapter import TextStreamAdapter
from sklearn_rnn.streaming._stream import Stream
from sklearn_rnn.text import CharVectorizer
from sklearn_rnn.text._codecs import (
    END_NAME,
    CodeCoder,
    TokenCoder,
    coder_for,
    read_documents,
    warn_of_unknown,
)

# Chance numbers are drawn in blocks of this many a stream.
BLOCK = 256


class SequenceGenerator(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, NetworkEstimator
):
    r"""Recurrent network that learns how text goes on, and writes it.

    At every step it foretells the next token: a character, a word, or any other token
    of a sequence. Fitted, it scores text, writes on from a prompt, and writes together
    with a person.

    Parameters
    ----------
    vectorizer : transformer to TokenArray or None, default=None
        Vectorizer that converts text to tokens, such as :class:`WordVectorizer`; None
        uses :class:`CharVectorizer`. A copy of it is fitted and stored as
        ``vectorizer_``. Documents that are lists of hashable tokens need none.
    cell : {"rnn", "lstm", "gru"} or callable, default="lstm"
        Type of the recurrent cell. A callable ``cell(input_size, hidden_size)`` must
        return a torch module whose ``forward(x, state)`` returns ``(outputs, state)``.
        There, x has the shape ``(n_sequences, n_timesteps, input_size)``, outputs the
        shape ``(n_sequences, n_timesteps, hidden_size)``, and the initial state is
        None.
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
        between layers and before the output layer. Larger values regularise more
        strongly; 0 disables dropout.
    embedding : {"auto", "onehot"}, int or array-like, default="auto"
        How codes are represented as input of the first layer. An int is the dimension
        of embedding vectors that are trained with the network; "auto" is 64, or the
        vocabulary size if that is smaller. An array of shape
        ``(vocabulary_size, n_dimensions)`` gives their initial values. "onehot" uses
        one-hot vectors, whose product with the input weights is looked up instead of
        computed.
    tie_weights : bool, default=False
        Whether the output layer uses the embedding vectors as its weights [2]_. Not
        available with ``embedding="onehot"``.
    input : {"content", "filename"}, default="content"
        Whether ``fit``, ``partial_fit`` and the scores are given texts, "content", or
        names of files, "filename", which are read piece by piece. Prompts are always
        texts.
    window : int, default=64
        Length of the training windows in time steps. Gradients are propagated back
        through this many steps.
    step : int or None, default=None
        Number of time steps between the starts of successive windows, which are then
        read independently and in random order. None reads each document from beginning
        to end and carries the state from window to window.
    max_epochs : int, default=30
        Maximum number of passes over the training text. Training stops earlier if the
        loss does not improve for ``n_iter_no_change`` epochs.
    batch_size : int, default=32
        Number of windows per training step, read side by side at different places of
        the text. With ``step=None``, a short text is read at fewer places, so that at
        least about 8 windows follow each other at each.
    optimizer : {"adam", "adamw", "rmsprop", "sgd"} or type, default="adamw"
        Optimizer, as a name or as a subclass of ``torch.optim.Optimizer``. "adam" and
        "adamw" use ``eps=1e-6``; "sgd" uses Nesterov momentum of 0.9.
    learning_rate : float, default=0.01
        Initial learning rate. Larger values train faster, but training can diverge.
    learning_rate_schedule : str or callable, default="constant"
        How the learning rate changes over the epochs. "constant" keeps it. "plateau"
        halves it when the loss (the validation loss under early stopping) has not
        decreased for 4 epochs. "cosine" lowers it to 0 along half a cosine over
        ``max_epochs``. A callable receives the number of the epoch, counted from 0 in
        each fit, and returns a factor for ``learning_rate``.
    weight_decay : float, default=0.0
        Weight decay of the optimizer, applied to all weights. "adamw" multiplies them
        by ``1 - learning_rate * weight_decay`` in each step; the other named optimizers
        add ``weight_decay`` times the weights to the gradient. Larger values regularise
        more strongly; 0 disables weight decay.
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
        lowest validation loss. The validation text is the one given to ``fit``, or else
        ``validation_fraction`` of the training text. If False, training uses all text
        and stops when the training loss has not improved for that many epochs. A warm
        start compares its own epochs only.
    validation_fraction : float in (0, 1) or CV splitter, default=0.1
        Fraction of the training documents held out under early stopping; of a single
        document, the fraction held out at its end. If this is a splitter, its last
        split is used.
    n_iter_no_change : int, default=20
        Number of consecutive epochs without an improvement of the loss by more than
        ``tol`` after which training stops.
    tol : float, default=0.0001
        Minimum decrease of the loss that counts as an improvement.
    warm_start : bool, default=False
        Whether ``fit`` continues from the weights and the vocabulary of the previous
        fit, for up to ``max_epochs`` further epochs, instead of starting anew. The
        learning rate, ``weight_decay``, ``dropout`` and ``callbacks`` may change
        between fits; the network and the optimizer may not.
    callbacks : list of skorch callbacks or None, default=None
        Callbacks of skorch, which are copied and then called during training. They find
        losses and scores in ``net.history``; ``dataset_train`` and ``dataset_valid``
        are None. If a callback raises KeyboardInterrupt, training ends and the
        estimator is fitted. Callbacks of scikit-learn are set with ``set_callbacks``
        instead.
    device : str, default="auto"
        Torch device, such as "cpu" or "cuda:1". "auto" uses a GPU if there is one,
        otherwise the CPU.
    precision : {"auto", "float32", "float64", "bfloat16"}, default="auto"
        Floating-point type of weights and states. "auto" is float32. float32 is about
        twice as fast as float64. "bfloat16" computes the recurrent layers in bfloat16;
        data, weights and output layer stay in float32.
    random_state : int, RandomState instance or None, default=None
        Seed of the random numbers that decide the initial weights, shuffling, dropout
        and the held-out documents. Pass an int for results that can be reproduced.
    verbose : int, default=0
        Whether to print one line per epoch; 0 prints nothing.

    Attributes
    ----------
    classes_ : ndarray of shape (n_tokens + 1,)
        What can come next: "<end>", then the tokens in the order of their codes. Of a
        generator fitted on codes, the end code 3 and the codes.
    vectorizer_ : transformer or None
        The fitted vectorizer; None if fitted on tokens or codes.
    vocabulary_size_ : int
        4 + number of tokens.
    n_iter_ : int
        Epochs run.
    loss_curve_ : list of float
        Mean training loss of each epoch, in nats a token.
    validation_scores_ : list of float or None
        Minus bits a token on the validation text after each epoch, under early
        stopping.
    best_validation_score_ : float or None
        The one of the epoch whose weights were kept, that of the lowest loss.
    net_ : skorch.NeuralNet
        The trained net, with ``history``.

    See Also
    --------
    WordVectorizer : Words as tokens.
    split_text : Cuts one text into pieces, for cross-validation.
    RNNClassifier : A label for a sequence; lists the equations of the cells.

    Notes
    -----
    A document is read as start code, tokens, end code; the network is trained to
    foretell each of them but the first, by the cross-entropy of every token:

    .. math:: -\frac{1}{n} \sum_t \log p(x_{t+1} \mid x_1 \ldots x_t)

    With ``step=None`` by truncated backpropagation through time [1]_: documents are
    queued in random order on ``batch_size`` lanes of balanced length, a document longer
    than its lane being cut; the state goes on from window to window, and is zero where
    a document begins or goes on after a cut.

    A token that training never shows (unknown, if none was pruned) starts as a vector
    of zeros, so that it says nothing to the network.

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
        "step": [Interval(Integral, 1, None, closed="left"), None],
        "tie_weights": ["boolean"],
    }

    _FIXED_ON_WARM_START = (*NetworkEstimator._FIXED_ON_WARM_START, "tie_weights")

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
        window=64,
        step=None,
        max_epochs=30,
        batch_size=32,
        optimizer="adamw",
        learning_rate=0.01,
        learning_rate_schedule="constant",
        weight_decay=0.0,
        average=True,
        gradient_clip=1.0,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=20,
        tol=0.0001,
        warm_start=False,
        callbacks=None,
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
        self.device = device
        self.precision = precision
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, *, X_val=None):
        """Learn how text goes on.

        Parameters
        ----------
        X : str, iterable of documents or TokenArray
            One long text; or documents, each a text or a list of tokens; or, with
            ``input="filename"``, names of files; or codes from a vectorizer in front.
            Read once, so a generator will do.
        y : None
            Ignored.
        X_val : like X, default=None
            Text that judges early stopping in place of a held-out part of X.

        Returns
        -------
        self : object
            The fitted generator.

        Raises
        ------
        ValueError
            If X holds no token or is a list of single characters, or if training
            diverges; the generator is then as it was before.
        KeyboardInterrupt
            After an interrupt; the last finished epoch (or the best) is installed.
        """
        return self._fit(X, validation=X_val)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        """Train one epoch more, on this text, say of another author.

        The vocabulary stays that of the first call: other tokens are read as unknown,
        with a warning. The learning rate stays constant and nothing is held out.

        Parameters
        ----------
        X : str, iterable of documents or TokenArray
            As in :meth:`fit`.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The generator.
        """
        return self._fit(X, partial=True)

    @with_callbacks
    def _train(self, X, *, partial=False, validation=None):
        """Read, build or continue, train, keep the outcome. Returns an interrupt."""
        if validation is not None and not self.early_stopping:
            raise ValueError(
                "X_val judges early stopping, but early_stopping=False. Set "
                "SequenceGenerator(early_stopping=True)."
            )
        continuing = hasattr(self, "net_") and (partial or self.warm_start)
        if continuing:
            train = self._encode_known(X, "X")
        else:
            train = self._learn(X)
        if not train.n_steps > len(train.lengths):
            raise ValueError("X holds no token. Give a text to learn from.")
        seed, valid = draw_seed(self.random_state), None
        if self.early_stopping and not partial:
            if validation is None:
                train, valid = self._split(train, seed)
            else:
                valid = self._encode_known(validation, "X_val")
            valid = TextExamples(valid, self.window)
        net = self._continued_net() if continuing else self._new_net(seed)
        train = TextExamples(train, self.window, self.step)
        return self._run(net, train, valid, seed, (X, None, None), partial)

    def _learn(self, X):
        """The corpus of X, from which also the vocabulary is learned."""
        self._number_type = number_type(self.precision, np.float32)
        documents = read_documents(X, self.input == "filename")
        self._coder, documents = coder_for(
            documents, self.vectorizer, default=CharVectorizer()
        )
        self.vectorizer_ = self._coder.vectorizer
        lesson = SpellingRecorder(self.vectorizer_)
        corpus = as_corpus(*self._coder.learn(documents, lesson))
        self._spelling = lesson.spelling(self._coder.code_of)
        names = self._coder.names
        self.vocabulary_size_ = len(RESERVED) + len(names)
        end = END if isinstance(self._coder, CodeCoder) else END_NAME
        self.classes_ = np.empty(len(names) + 1, dtype=object)
        self.classes_[:] = [end, *names]
        return corpus

    def _split(self, corpus, seed):
        """Training and validation part: documents held out, or the tail of the only."""
        fraction, rng = self.validation_fraction, numpy_generator(seed, SPLIT)
        rows = np.arange(len(corpus.lengths))
        if hasattr(fraction, "split") or len(rows) > 1:
            rows, held_out = split_rows(rows, fraction, rng)
        else:
            n_valid = int(np.ceil(fraction * corpus.n_steps))
            if n_valid >= corpus.n_steps:
                raise ValueError(
                    f"validation_fraction={fraction} of {corpus.n_steps} steps leaves "
                    "none to train on. Give more text, or set early_stopping=False."
                )
            return corpus.cut(n_valid)
        return corpus.part(rows), corpus.part(held_out)

    _net_class = LanguageNet

    def _build_module(self, **options):
        embedding = self.embedding
        if is_table(embedding):
            embedding = torch.tensor(check_array(embedding, dtype=self._number_type))
            if len(embedding) != self.vocabulary_size_:
                raise ValueError(
                    f"embedding has {len(embedding)} vectors, but the vocabulary has a "
                    f"size of {self.vocabulary_size_}: give a vector for each code."
                )
        self._n_features_out = self.hidden_size
        return build_language_network(
            self.cell,
            self.vocabulary_size_,
            self.hidden_size,
            embedding=embedding,
            tie_weights=self.tie_weights,
            neutral_codes=(PADDING, UNKNOWN),
            **options,
        )

    def _work(self, n_rows):
        head = n_rows * self.hidden_size * self.vocabulary_size_
        return max(super()._work(n_rows), head)

    # ---------------------------------------------------------------- reading

    def _encode_known(self, X, where):
        """X under the learned vocabulary; unknown tokens raise a warning."""
        return self._read(read_documents(X, self.input == "filename"), where)[0]

    def _read(self, documents, where):
        """The corpus of documents, and how many tokens of each are known."""
        unknown, code_of = Counter(), self._coder.code_of

        def watch(text, tokens):
            unknown.update(token for token in tokens if token not in code_of)

        lengths, flat = self._coder.encode(documents, watch)
        if not len(lengths):
            raise ValueError(f"{where} holds no document. Give at least one.")
        warn_of_unknown(unknown, where)
        owners = np.repeat(np.arange(len(lengths)), lengths)
        n_known = np.bincount(owners[flat != UNKNOWN], minlength=len(lengths))
        return as_corpus(lengths, flat), n_known

    def _prompts(self, prompt):
        """Whether it is a single one, and an iterable of all that there are."""
        check_is_fitted(self)
        if not hasattr(prompt, "__iter__"):
            raise TypeError(
                f"the prompt is {prompt!r} of type {type(prompt).__name__}; expected "
                "what the generator was fitted on, or a list of such."
            )
        single = self._coder.is_single(prompt)
        if isinstance(self._coder, CodeCoder):
            return single, prompt
        if single and isinstance(self._coder, TokenCoder):
            return single, [list(prompt)]
        return single, [prompt] if single else list(prompt)

    def _read_prefixes(self, prefixes):
        """Last outputs and states after reading each prefix, and what was read."""
        check_is_fitted(self)
        corpus, n_known = self._read(self._prompts(prefixes)[1], "the text")
        with threads_for(self._work(min(len(corpus.lengths), READ_AT_ONCE))):
            outputs, states = read_through(self.module_, corpus)
        texts = [
            Continuation(corpus.codes[start + 1 : start + length].tolist())
            for start, length in zip(corpus.starts, corpus.lengths, strict=True)
        ]
        return outputs, states, texts, n_known

    def _logits(self, outputs):
        with torch.inference_mode():
            return self.module_.logits(outputs).cpu().numpy()

    def transform(self, X):
        """The state after reading each text, as features for another estimator.

        Parameters
        ----------
        X : iterable of documents or TokenArray
            Texts or lists of tokens, of any length.

        Returns
        -------
        states : ndarray of shape (n_documents, hidden_size)
            What the last layer put out after the last token.
        """
        return self._read_prefixes(X)[0].float().cpu().numpy()

    def predict_proba(self, X):
        """How likely each token is to come next, or the text to end.

        Parameters
        ----------
        X : iterable of documents or TokenArray
            What has been read so far, of any length; the empty text is the beginning. A
            bare text is one prefix. Unknown tokens raise a warning.

        Returns
        -------
        proba : ndarray of shape (n_prefixes, n_tokens + 1)
            In the order of ``classes_``.
        """
        outputs, _, _, _ = self._read_prefixes(X)
        return np.exp(log_softmax(self._logits(outputs)[:, END:]))

    def predict(self, X):
        """The likeliest next token.

        Parameters
        ----------
        X : iterable of documents or TokenArray
            What has been read so far, as for :meth:`predict_proba`.

        Returns
        -------
        tokens : ndarray of shape (n_prefixes,)
            Of the tokens in ``classes_``.
        """
        proba = self.predict_proba(X)
        return self.classes_[proba.argmax(1)]

    # ---------------------------------------------------------------- scores

    def score(self, X, y=None):
        """Minus :meth:`bits_per_character`, so that more is better.

        Parameters
        ----------
        X : str, iterable of documents or TokenArray
            Text that was not learned from.
        y : None
            Ignored.

        Returns
        -------
        score : float
            Comparable between settings of network and vectorizer.
        """
        return -self.bits_per_character(X)

    def bits_per_character(self, X):
        """Bits that the text as given takes, per character.

        All of it is paid for: the tokens and the end of each document at their
        probability, an unknown token and what stands between the tokens by what they
        hide.

        Parameters
        ----------
        X : str, iterable of documents or TokenArray
            Text that was not learned from.

        Returns
        -------
        bits : float
            Of documents that are no text, bits a token.

        Raises
        ------
        ValueError
            If the text is empty, or if the vectorizer folds case or accents, which
            would make settings incomparable.
        """
        bits, _, n_characters = self._price(X, hidden=True)
        if not n_characters:
            raise ValueError("X has no characters, so there is nothing to score.")
        return bits / n_characters

    def perplexity(self, X):
        """Among how many tokens, as it were, each next one has to be guessed.

        Parameters
        ----------
        X : str, iterable of documents or TokenArray
            Text that was not learned from.

        Returns
        -------
        perplexity : float
            2 to the power of the mean bits a token, the end of each document included.
            Models are comparable only if they have the same vocabulary.
        """
        bits, n_steps, _ = self._price(X, hidden=False)
        return float(2 ** (bits / n_steps))

    def _price(self, X, hidden):
        """Bits of the text, its steps, and its characters (or tokens)."""
        check_is_fitted(self)
        price = None
        if hidden and self.vectorizer_ is not None:
            price = HiddenTextCost(
                self.vectorizer_, self._spelling, self._coder.code_of
            )
        documents = read_documents(X, self.input == "filename")
        lengths, flat = self._coder.encode(documents, price)
        if not len(lengths):
            raise ValueError("X holds no document. Give at least one.")
        corpus = as_corpus(lengths, flat)
        with threads_for(self._work(min(len(lengths), READ_AT_ONCE))):
            bits = token_losses(self.module_, corpus).sum() / np.log(2)
        if price is None:
            return bits, corpus.n_steps, int(lengths.sum())
        return bits + price.bits, corpus.n_steps, price.n_characters

    # ---------------------------------------------------------------- writing

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
        mask=None,
        beam_size=None,
        random_state=None,
    ):
        """Write on from a prompt, or from many at once.

        Parameters
        ----------
        prompt : str, list of tokens, TokenArray, or list of prompts, default=""
            What the network reads first, of any length.
        n_tokens : int, default=200
            Tokens to write, unless the text ends before.
        temperature : float, default=1.0
            Below 1 the likely tokens become likelier, above 1 less so; 0 always takes
            the likeliest.
        top_k : int or None, default=None
            Draw among so many likeliest tokens.
        top_p : float in (0, 1] or None, default=None
            Draw among the fewest tokens that together have this probability.
        repetition_penalty : float, default=1.0
            Above 1 makes tokens that stand in the text already less likely.
        stop : str, list of str or None, default=None
            Texts (or tokens) after which writing ends, themselves included.
        banned : token, list of tokens or None, default=None
            Tokens that must not come; "<end>" is the end of the text.
        required : token, list of tokens or None, default=None
            Tokens that must come: if they have not by then, the last steps are theirs.
        mask : callable or None, default=None
            ``mask(tokens, logits) -> logits``, with the tokens of the text so far and
            logits in the order of ``classes_``; minus infinity forbids.
        beam_size : int or None, default=None
            Instead of drawing, search for the likeliest continuation with so many
            candidates side by side; 1 is greedy.
        random_state : int, RandomState instance or None, default=None
            Decides the draws, for each prompt on its own: prompts in a batch do not
            change each other's continuation.

        Returns
        -------
        continuation : str, list of tokens or TokenArray; or a list of them
            What follows the prompt, without it. A list if ``prompt`` is one of several.

        Raises
        ------
        ValueError
            If a knob is out of its range, a token unknown, a prompt without any known
            token, or no token left to choose.
        """
        how = self._decoding_options(
            temperature, top_k, top_p, repetition_penalty, stop, banned, required, mask
        )
        _check_number("n_tokens", n_tokens, Integral, 0, "closed")
        if len(how.required) > n_tokens:
            raise ValueError(
                f"n_tokens={n_tokens} leaves no room for the {len(how.required)} "
                "required tokens."
            )
        single, stepper_, logits, texts = self._start(prompt)
        with threads_for(self._work(len(texts))):
            if beam_size is not None:
                _check_number("beam_size", beam_size, Integral, 1, "closed")
                if (temperature, top_k, top_p) != (1.0, None, None):
                    raise ValueError(
                        "a beam draws nothing: temperature, top_k and top_p have no "
                        "meaning beside beam_size. Leave them at their defaults."
                    )
                saved = stepper_.save()
                for k, text in enumerate(texts):
                    stepper_.restore(saved, np.array([k]))
                    row = logits[[k]]
                    codes, _ = beam(
                        stepper_, row, how, text.prompt, n_tokens, beam_size
                    )
                    text.codes[:] = codes
            else:
                draw = _uniform_draws(draw_seed(random_state), len(texts))
                for _ in generate_tokens(stepper_, logits, how, texts, n_tokens, draw):
                    pass
        written = [self._coder.decode(text.codes) for text in texts]
        return written[0] if single else written

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
        mask=None,
        random_state=None,
    ):
        """Write on from one prompt, token by token as they come.

        Parameters
        ----------
        prompt : str, list of tokens or TokenArray, default=""
            What the network reads first, of any length.
        n_tokens : int or None, default=None
            Tokens to write, unless the text ends before. None goes on until it does.
        temperature : float, default=1.0
            Below 1 the likely tokens become likelier, above 1 less so; 0 always takes
            the likeliest.
        top_k : int or None, default=None
            Draw among so many likeliest tokens.
        top_p : float in (0, 1] or None, default=None
            Draw among the fewest tokens that together have this probability.
        repetition_penalty : float, default=1.0
            Above 1 makes tokens that stand in the text already less likely.
        stop : str, list of str or None, default=None
            Texts (or tokens) after which writing ends, themselves included.
        banned : token, list of tokens or None, default=None
            Tokens that must not come; "<end>" is the end of the text.
        required : token, list of tokens or None, default=None
            Tokens that must come: if they have not by then, the last steps are theirs.
        mask : callable or None, default=None
            ``mask(tokens, logits) -> logits``, with the tokens of the text so far and
            logits in the order of ``classes_``; minus infinity forbids.
        random_state : int, RandomState instance or None, default=None
            Decides the draws.

        Yields
        ------
        token : str, or what the tokens are
            What :meth:`generate` would write with these arguments, a token at a time.
        """
        how = self._decoding_options(
            temperature, top_k, top_p, repetition_penalty, stop, banned, required, mask
        )
        if n_tokens is not None:
            _check_number("n_tokens", n_tokens, Integral, 0, "closed")
        single, stepper_, logits, texts = self._start(prompt)
        if not single:
            raise ValueError(
                f"generate_iter writes on from one prompt, got {len(texts)}. Use "
                "generate for several."
            )
        draw = _uniform_draws(draw_seed(random_state), 1)

        def tokens():
            for (text,) in generate_tokens(
                stepper_, logits, how, texts, n_tokens, draw
            ):
                if text.codes[-1] != END:
                    yield self.classes_[text.codes[-1] - END]

        return tokens()

    def stream(self, n_streams=1):
        """Open a stream: texts that are read token by token, as they come.

        Parameters
        ----------
        n_streams : int or None, default=1
            How many texts go on together; None is for any number of them by key.

        Returns
        -------
        stream : Stream
            Foretells the next token, after each token or piece of text, as
            :meth:`predict` and :meth:`predict_proba` do after all of it.

        Examples
        --------
        >>> from sklearn_rnn import SequenceGenerator
        >>> text = "the cat sat on the mat. " * 40
        >>> model = SequenceGenerator(hidden_size=32, max_epochs=10, random_state=0)
        >>> stream = model.fit(text).stream()
        >>> stream.predict("the c").tolist(), stream.predict("a").tolist()
        (['a'], ['t'])
        """
        check_is_fitted(self)
        return Stream(TextStreamAdapter(snapshot(self)), n_streams)

    def session(self, prompt="", *, temperature=1.0):
        """Write together with a person, who picks among the likeliest next tokens.

        Parameters
        ----------
        prompt : str, list of tokens or TokenArray, default=""
            How the text begins.
        temperature : float, default=1.0
            Above 1 evens out the suggested probabilities, below 1 sharpens them.

        Returns
        -------
        session : WritingSession
            With ``suggest``, ``pick``, ``accept``, ``undo``, ``branch`` and ``text``.
        """
        return WritingSession(snapshot(self), prompt, temperature=temperature)

    def resume(self, transcript):
        """Take up a writing session where its transcript ends.

        Parameters
        ----------
        transcript : str
            JSON, as :meth:`WritingSession.to_json` returns it.

        Returns
        -------
        session : WritingSession
            As the one that was written down; each token costs one step again.

        Raises
        ------
        ValueError
            If the transcript cannot be read, or is of another model.
        """
        check_is_fitted(self)
        return WritingSession.from_json(snapshot(self), transcript)

    def _start(self, prompt):
        """A stepper that has read the prompts, its logits, and the texts begun."""
        single, prompts = self._prompts(prompt)
        outputs, states, texts, n_known = self._read_prefixes(prompts)
        for k, text in enumerate(texts):
            if text.prompt and not n_known[k]:
                raise ValueError(
                    f"prompt {k} holds no token that the model knows: {prompts[k]!r}. "
                    "Begin with known ones (classes_ lists them), or with an empty one."
                )
        return single, stepper(self.module_, states), self._logits(outputs), texts

    def _decoding_options(
        self, temperature, top_k, top_p, penalty, stop, banned, required, mask
    ):
        """The knobs, checked, their tokens as codes."""
        _check_knobs(temperature, top_k, top_p, penalty)
        check_is_fitted(self)
        required = self._codes_of(required, "required")
        banned = self._codes_of(banned, "banned")
        if set(required) & set(banned):
            raise ValueError("required and banned name the same token.")
        return DecodingOptions(
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            repetition_penalty=penalty,
            banned=banned,
            required=required,
            stop=tuple(self._stops(stop)),
            mask=None if mask is None else self._wrap_mask(mask),
        )

    def _codes_of(self, tokens, where):
        """Codes of a token or of several."""
        if tokens is None:
            return ()
        tokens = [tokens] if isinstance(tokens, (str, tuple, int)) else tokens
        return tuple(self._code_of(token, where) for token in tokens)

    def _code_of(self, token, where):
        """The code of a token that the model can write."""
        token = token if isinstance(token, Hashable) else repr(token)
        code = END if token == self.classes_[0] else self._coder.code_of.get(token)
        if code is None:
            raise ValueError(
                f"{where} holds {token!r}, which is no token of this model. classes_ "
                f"lists the {len(self.classes_)} that it can write, among them "
                f"{self.classes_[:6].tolist()}."
            )
        return code

    def _stops(self, stop):
        """Code sequences to stop at."""
        if stop is None:
            return
        stops = [stop] if isinstance(stop, (str, int)) else stop
        for part in stops:
            if isinstance(part, str) and self.vectorizer_ is not None:
                _, codes = self._coder.encode([part])
            else:
                codes = self._codes_of(part, "stop")
            if not len(codes) or UNKNOWN in codes:
                raise ValueError(
                    f"stop={part!r} cannot be written with the tokens of this model."
                )
            yield tuple(int(code) for code in codes)

    def _wrap_mask(self, mask):
        """The user's mask, which knows tokens, as one that knows codes."""

        def masked(codes, logits):
            tokens = [self.classes_[code - END] for code in codes if code >= END]
            answer = np.asarray(mask(tokens, logits[END:].copy()), dtype=logits.dtype)
            if answer.shape != self.classes_.shape or np.isnan(answer).any():
                raise ValueError(
                    f"mask returned an array of shape {answer.shape}; expected logits "
                    f"of shape {self.classes_.shape} in the order of classes_, without "
                    "NaN, minus infinity for what must not come."
                )
            logits[END:] = answer
            return logits

        return masked

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def _uniform_draws(seed, n_streams):
    """A function that draws a number in [0, 1) for each stream, from its own generator.

    So what a stream gets does not depend on how many there are.
    """
    rngs = [numpy_generator(seed, SAMPLING, k) for k in range(n_streams)]

    def numbers():
        while True:
            yield from np.stack([rng.random(BLOCK) for rng in rngs], axis=1)

    return numbers().__next__


def _check_knobs(temperature, top_k, top_p, penalty):
    _check_number("temperature", temperature, Real, 0, "closed")
    if top_k is not None:
        _check_number("top_k", top_k, Integral, 1, "closed")
    if top_p is not None:
        _check_number("top_p", top_p, Real, 0, "open")
        if top_p > 1:
            raise ValueError(f"top_p must be in (0, 1], got {top_p}.")
    _check_number("repetition_penalty", penalty, Real, 0, "open")


def _check_number(name, value, kind, low, edge):
    """Refuse a value of another kind, or below ``low``."""
    good = isinstance(value, kind) and not isinstance(value, bool)
    good = good and (value >= low if edge == "closed" else value > low)
    if not (good and np.isfinite(value)):
        what = "an integer" if kind is Integral else "a number"
        bound = "of at least" if edge == "closed" else "above"
        raise ValueError(f"{name} must be {what} {bound} {low}, got {value!r}.")
