"""SequenceTranslator: from a sequence to another one of any length."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import clone
from sklearn.callback import with_callbacks
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
from sklearn_rnn._core.sklearn_private import (
    HasMethods,
    Interval,
    StrOptions,
    _fit_context,
)
from sklearn_rnn._core.threads import threads_for
from sklearn_rnn._data.reading import SequenceReader
from sklearn_rnn._data.tokens import END, RESERVED, UNKNOWN, TokenArray
from sklearn_rnn._nn.builders import build_translation_network
from sklearn_rnn._training.corpus import as_corpus
from sklearn_rnn._training.estimator import NetworkEstimator
from sklearn_rnn._training.holdout import draw_holdout, last_split
from sklearn_rnn.text import CharVectorizer
from sklearn_rnn.text._codecs import (
    CodeCodec,
    TextCodec,
    make_codec,
    read_documents,
)
from sklearn_rnn.text._documents import read_tokens
from sklearn_rnn.text._vectorizer import TokenVectorizer
from sklearn_rnn.translation._net import Pairs, TranslationNet, beam_search


class SequenceTranslator(SequenceReader, NetworkEstimator):
    r"""Translate sequences: an encoder reads, a decoder writes until it says the end.

    Text to text, numbers to text, codes to codes; the output has any length, for the
    end is learned.

    Parameters
    ----------
    source_vectorizer : transformer or None, default=None
        Makes tokens of source texts; None is :class:`CharVectorizer`. Unused for
        sources that are numbers or codes already.
    target_vectorizer : transformer or None, default=None
        Makes tokens of target texts; None is :class:`CharVectorizer`.
    cell : {"rnn", "lstm", "gru"}, default="gru"
        Kind of the recurrent cells.
    hidden_size : int, default=128
        Units of each layer of the encoder in each direction.
    num_layers : int, default=1
        Layers of the encoder.
    decoder_cell : {"rnn", "lstm", "gru"} or None, default=None
        Cells of the decoder; None is ``cell``.
    decoder_size : int or None, default=None
        Units of each layer of the decoder; None is ``hidden_size``.
    decoder_layers : int or None, default=None
        Layers of the decoder; None is ``num_layers``.
    activation : {"tanh", "relu"}, default="tanh"
        Of the simple cell, ``cell="rnn"``; the others have their own.
    bidirectional : bool, default=True
        Let the encoder read from both ends.
    attention : {"dot", "additive"} or None, default="dot"
        How each step of the decoder looks at the steps of the source (see Notes). None
        is the plain encoder/decoder, which keeps nothing of the source but its last
        state.
    reverse_source : bool, default=False
        Read the source from its end (Sutskever et al., 2014).
    dropout : float in [0, 1), default=0.0
        Share of values dropped from embedded codes, between layers and before the
        head, in training.
    embedding : "auto" or int, default="auto"
        Dimensions of the trained vectors of codes, source and target; "auto" is 64, or
        the vocabulary's size if smaller.
    input_size : int or None, default=None
        Features a step of a table's rows; None is 1. Other containers say it
        themselves.
    teacher_forcing : float in [0, 1], default=1.0
        Share of steps that are given the right code before them in training; the others
        are given what the network says there.
    stop_on : {"loss", "accuracy"}, default="loss"
        What early stopping watches on the validation pairs: the loss, or the share of
        targets that are not foretold right in every code (recorded as ``valid_loss``).
    copy_unknown : bool, default=False
        Let the network say that a word is one it does not know, and put the word of the
        source there that it looked at most (Luong et al., 2015), one that is unknown
        itself if there is any. Needs attention, texts on both sides, and unknown words
        in training, as ``min_count=2`` makes them.
    label_smoothing : float in [0, 1), default=0.0
        Share of each target's weight that is spread over all codes.
    beam_size : int, default=1
        Targets followed at once in prediction; 1 is greedy.
    length_penalty : float, default=1.0
        Beams are compared by log-probability / length ** length_penalty.
    max_length : int or None, default=None
        Longest target that prediction writes, the end included; None is one and a half
        times the longest of training.
    max_epochs : int, default=30
        Passes over the training pairs, at most.
    batch_size : int, default=32
        Pairs a training step.
    optimizer : {"adam", "adamw", "rmsprop", "sgd"} or type, default="adamw"
        A ``torch.optim.Optimizer`` class, or the name of one. adam and adamw have an
        eps of 1e-6, sgd Nesterov momentum 0.9.
    learning_rate : float, default=0.01
        Of the optimizer, at the start.
    learning_rate_schedule : str or callable, default="constant"
        How it goes on. "constant"; "plateau", halved when the loss (the validation loss
        under early stopping) has not fallen for 4 epochs; "cosine", falling to 0 along
        half a cosine over ``max_epochs``; or times ``learning_rate_schedule(epoch)``,
        epoch from 0.
    weight_decay : float, default=0.0
        Pull of all weights towards 0, in the optimizer's own sense: adamw shrinks them
        by ``learning_rate * weight_decay`` a step.
    average : bool, default=True
        Answer with a mean of the weights over all training steps, the late ones
        counting most (about ``(s / t) ** 3`` for step s of t, after Shamir and Zhang,
        ICML 2013), rather than with those of the last step, which wander.
    gradient_clip : float or None, default=1.0
        Largest norm of the gradient; a longer one is shortened to it.
    early_stopping : bool, default=False
        Stop when the validation loss has not fallen for ``n_iter_no_change`` epochs,
        and keep the weights of its lowest. If False every pair trains.
    validation_fraction : float in (0, 1) or CV splitter, default=0.1
        Share of pairs held out under early stopping; of a splitter the last split.
    n_iter_no_change : int, default=20
        Epochs without improvement by ``tol`` after which training stops.
    tol : float, default=1e-4
        The least fall of the loss that counts as improvement.
    warm_start : bool, default=False
        Let ``fit`` go on from the weights of the last one, for ``max_epochs`` more.
        Learning rate, weight decay, dropout and callbacks may change between; the
        network and the optimizer may not.
    callbacks : list of skorch callbacks or None, default=None
        Of skorch, called during training; they are copied first. They find losses and
        scores in ``net.history``; ``dataset_train`` and ``dataset_valid`` are None. One
        that raises KeyboardInterrupt ends the training, and the estimator is fitted.
        scikit-learn's own callbacks are set with ``set_callbacks`` instead.
    device : str, default="auto"
        Torch device; "auto" is the GPU if there is one.
    precision : {"auto", "float32", "float64"}, default="auto"
        Number type of weights and states. "auto" is float64 for sources of float64 and
        float32 for anything else, text included.
    random_state : int, RandomState instance or None, default=None
        Decides initial weights, shuffling, dropout and the held-out pairs.
    verbose : int, default=0
        Print a line an epoch if not 0.

    Attributes
    ----------
    source_vectorizer_ : transformer
        The fitted one, for sources that are text.
    target_vectorizer_ : transformer or None
        The fitted one, for targets that are text.
    n_features_in_ : int
        Features a step of the source; 1 for text and codes.
    input_size_ : int
        The same.
    max_length_ : int
        Codes of the longest target in training, the end included.
    n_iter_ : int
        Epochs run.
    loss_curve_ : list of float
        Mean training loss of each epoch, in nats a code.
    validation_scores_ : list of float or None
        Share of validation targets of which every code was foretold from the right
        ones before it, after each epoch, under early stopping.
    best_validation_score_ : float or None
        The one of the epoch whose weights were kept, that of the lowest loss.
    net_ : skorch.NeuralNet
        The trained net, with ``history``.

    See Also
    --------
    SequenceGenerator : How sequences go on, without a source.
    RNNClassifier : One label a sequence, or with ``return_sequences`` one a step.

    Notes
    -----
    The encoder's outputs m_1 to m_S are the memory; a dense layer makes the decoder's
    first states of the last one (of both directions). The decoder reads the code it
    said before and says the next one from its output h, or with attention from
    :math:`\tanh(C [h; c])`, where :math:`c = \sum_s a_s m_s` and the weights a are the
    softmax over s of

    - dot: :math:`h^T W m_s / \sqrt{H}`, of H units [1]_ [3]_,
    - additive: :math:`v^T \tanh(W m_s + U h)` [2]_.

    References
    ----------
    .. [1] M.-T. Luong, H. Pham, C. D. Manning, "Effective approaches to attention-based
       neural machine translation", EMNLP 2015.
    .. [2] D. Bahdanau, K. Cho, Y. Bengio, "Neural machine translation by jointly
       learning to align and translate", ICLR 2015.
    .. [3] A. Vaswani et al., "Attention is all you need", NeurIPS 2017.

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
        **NetworkEstimator._parameter_constraints,
        "cell": [StrOptions({"rnn", "lstm", "gru"})],
        "source_vectorizer": [HasMethods(["fit", "transform"]), None],
        "target_vectorizer": [HasMethods(["fit", "transform"]), None],
        "decoder_cell": [StrOptions({"rnn", "lstm", "gru"}), None],
        "decoder_size": [Interval(Integral, 1, None, closed="left"), None],
        "decoder_layers": [Interval(Integral, 1, None, closed="left"), None],
        "bidirectional": ["boolean"],
        "attention": [StrOptions({"dot", "additive"}), None],
        "reverse_source": ["boolean"],
        "embedding": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "input_size": [Interval(Integral, 1, None, closed="left"), None],
        "teacher_forcing": [Interval(Real, 0, 1, closed="both")],
        "stop_on": [StrOptions({"loss", "accuracy"})],
        "copy_unknown": ["boolean"],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "beam_size": [Interval(Integral, 1, None, closed="left")],
        "length_penalty": [Interval(Real, 0, None, closed="left")],
        "max_length": [Interval(Integral, 1, None, closed="left"), None],
        "precision": [StrOptions({"auto", "float32", "float64"})],
    }

    _FIXED_ON_WARM_START = (
        *NetworkEstimator._FIXED_ON_WARM_START,
        "bidirectional",
        "attention",
        "reverse_source",
        "decoder_cell",
        "decoder_size",
        "decoder_layers",
    )

    input_length = None  # sources have any

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
        learning_rate=0.01,
        learning_rate_schedule="constant",
        weight_decay=0.0,
        average=True,
        gradient_clip=1.0,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=20,
        tol=1e-4,
        warm_start=False,
        callbacks=None,
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
        self.device = device
        self.precision = precision
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y):
        """Learn from pairs of sources and targets.

        Parameters
        ----------
        X : list of str, TokenArray, or sequences of numbers
            Sources: texts, codes from a vectorizer, or numbers in any container that
            :class:`RNNClassifier` takes.
        y : list of str, list of lists of tokens, or TokenArray
            Targets, one for each source.

        Returns
        -------
        self : object
            The fitted translator.

        Raises
        ------
        ValueError
            If X and y differ in length, a source or target is empty, or training
            diverges; the translator is then as it was before.
        KeyboardInterrupt
            After an interrupt; the last finished epoch (or the best) is
            installed.
        """
        return self._fit(X, y)

    @with_callbacks
    def _train(self, X, y):
        """Read, build or continue, train, keep the outcome. Returns an interrupt."""
        if y is None:
            raise ValueError(
                "SequenceTranslator requires y to be passed, but the target y is None."
            )
        continuing = hasattr(self, "net_") and self.warm_start
        sources = self._sources(X, reset=not continuing)
        targets = self._targets(y, reset=not continuing)
        check_consistent_length(sources.lengths, targets.lengths)
        seed, rows = draw_seed(self.random_state), np.arange(len(sources))
        train, valid = Pairs(sources, targets, rows), None
        if self.early_stopping:
            train, valid = self._split(train, seed)
        net = self._continued_net() if continuing else self._new_net(seed)
        net.sampling_rate = 1 - self.teacher_forcing
        net.label_smoothing, net.stop_on = self.label_smoothing, self.stop_on
        if self.copy_unknown:
            self._refuse_nothing_to_copy(X)
        if not continuing:
            self.max_length_ = int(targets.lengths.max())
        return self._run(net, train, valid, seed, (X, y, None), False)

    def _refuse_nothing_to_copy(self, X):
        texts = type(self._coder) is TextCodec and not isinstance(X, TokenArray)
        read = isinstance(getattr(self, "source_vectorizer_", None), TokenVectorizer)
        if self.attention is None or not (texts and read):
            raise ValueError(
                "copy_unknown=True copies words of source texts into target texts by "
                "the attention. Give texts on both sides, and set attention="
                '"additive" or "dot".'
            )

    def _split(self, pairs, seed):
        rows, rng = pairs.rows, numpy_generator(seed, SPLIT)
        if hasattr(self.validation_fraction, "split"):
            rows, held_out = last_split(rows, self.validation_fraction, rows, None, rng)
        else:
            held_out = draw_holdout(rows, self.validation_fraction, rng)
            rows = np.setdiff1d(rows, held_out)
        parts = (Pairs(pairs.sources, pairs.targets, part) for part in (rows, held_out))
        return tuple(parts)

    def _new_net(self, seed):
        dtype, _ = torch_types(self.precision, self._number_type)
        module = build_translation_network(
            self.cell,
            self.input_size_,
            self.hidden_size,
            len(RESERVED) + len(self._coder.names),
            generator=torch_generator(seed, WEIGHTS),
            dtype=dtype,
            num_layers=self.num_layers,
            bidirectional=self.bidirectional,
            decoder_cell=self.decoder_cell,
            decoder_size=self.decoder_size,
            decoder_layers=self.decoder_layers,
            attention=self.attention,
            activation=self.activation,
            dropout=self.dropout,
            reverse_source=self.reverse_source,
            source_vocabulary_size=self._vocabulary_size,
            embedding=self.embedding,
        )
        return self._make_net(module, self._criterion(), kind=TranslationNet)

    # ---------------------------------------------------------------- reading

    def _sources(self, X, *, reset):
        """Sources as sequences of codes or numbers."""
        if hasattr(X, "__next__"):  # a generator can be looked at only once
            X = list(X)
        first = next(iter(X), None) if hasattr(X, "__iter__") else None
        if isinstance(X, TokenArray) or not isinstance(first, (str, bytes)):
            return self._read(X, reset=reset)
        texts = list(read_documents(X, False))
        if reset:
            chosen = self.source_vectorizer
            vectorizer = CharVectorizer() if chosen is None else clone(chosen)
            self.source_vectorizer_ = vectorizer.fit(texts)
        for row, text in enumerate(texts):
            if not text.strip():
                raise ValueError(f"source {row} is empty: {text!r}. Leave it out.")
        return self._read(self.source_vectorizer_.transform(texts), reset=reset)

    def _targets(self, y, *, reset):
        """Targets as a corpus, each between the start and the end code."""
        documents = read_documents(y, False)
        if reset:
            self._coder, documents = make_codec(
                documents, self.target_vectorizer, default=CharVectorizer()
            )
            self.target_vectorizer_ = self._coder.vectorizer
            lengths, flat = self._coder.fit_encode(documents)
        else:
            lengths, flat = self._coder.encode(documents)
        if not np.all(lengths):
            raise ValueError(
                f"target {np.argmin(lengths)} is empty: it has no tokens. Leave the "
                "pair out."
            )
        return as_corpus(lengths, flat)

    # ---------------------------------------------------------------- translating

    def predict(
        self,
        X,
        *,
        beam_size=None,
        length_penalty=None,
        max_length=None,
        return_attention=False,
    ):
        """The likeliest target of each source.

        Parameters
        ----------
        X : list of str, TokenArray, or sequences of numbers
            Sources, as in :meth:`fit`.
        beam_size : int, default=None
            In place of the constructor's.
        length_penalty : float, default=None
            In place of the constructor's.
        max_length : int, default=None
            In place of the constructor's.
        return_attention : bool, default=False
            Return the attention, too.

        Returns
        -------
        y : ndarray of str, ndarray of lists, or TokenArray
            Targets, as they were in ``fit``. One that has not come to its end at
            ``max_length`` is returned as it stands; :meth:`predict_n_best` tells.
        attention : list of ndarray of shape (n_codes, n_source_steps)
            Only with ``return_attention=True``: how much each code, the end included,
            looked at each step of the source.
        """
        fitted = snapshot(self)
        found = fitted._search(
            X, beam_size, length_penalty, max_length, return_attention
        )
        best = [said[0] for said in found]
        answers = fitted._decode_targets([said.codes for said in best])
        if fitted.copy_unknown:
            answers = fitted._copy_unknown_words(answers, best, X)
        if not return_attention:
            return answers
        return answers, [np.array(said.attention) for said in best]

    def predict_n_best(
        self, X, n=5, *, beam_size=None, length_penalty=None, max_length=None
    ):
        """Several targets of each source, with how likely they are.

        Parameters
        ----------
        X : list of str, TokenArray, or sequences of numbers
            Sources, as in :meth:`fit`.
        n : int, default=5
            Targets of each source, at most as many as the beam found.
        beam_size : int, default=None
            In place of the constructor's; at least ``n`` are followed.
        length_penalty : float, default=None
            In place of the constructor's.
        max_length : int, default=None
            In place of the constructor's.

        Returns
        -------
        best : list of list of dict
            For each source its targets, the best first: ``target``,
            ``log_probability`` in nats, ``score`` (by which they are ordered) and
            ``ended``, whether the end was said before ``max_length``.
        """
        fitted = snapshot(self)
        beam_size = max(n, fitted.beam_size if beam_size is None else beam_size)
        penalty = fitted.length_penalty if length_penalty is None else length_penalty
        found = fitted._search(X, beam_size, length_penalty, max_length, n_best=n)
        return [
            [
                {
                    "target": fitted._decode_targets([said.codes])[0],
                    "log_probability": said.log_probability,
                    "score": said.score(penalty),
                    "ended": said.is_ended,
                }
                for said in of_one[:n]
            ]
            for of_one in found
        ]

    def score(self, X, y):
        """Share of sources whose target is exactly right.

        Parameters
        ----------
        X : list of str, TokenArray, or sequences of numbers
            Sources, as in :meth:`fit`.
        y : list of str, list of lists of tokens, or TokenArray
            Right targets.

        Returns
        -------
        score : float
            From 0 to 1; a target with an unknown token is never right.
        """
        fitted = snapshot(self)
        found = fitted._search(X)
        targets = fitted._targets(y, reset=False)
        check_consistent_length(found, targets.lengths)
        right = []
        for of_one, start, n in zip(
            found, targets.starts, targets.lengths, strict=True
        ):
            true = targets.codes[start + 1 : start + 1 + n]
            said = of_one[0].codes
            right.append(UNKNOWN not in true and np.array_equal(true, said))
        return float(np.mean(right))

    def _search(
        self,
        X,
        beam_size=None,
        length_penalty=None,
        max_length=None,
        attention=False,
        n_best=1,
    ):
        """All targets found of each source, the best first."""
        check_is_fitted(self)
        if attention and self.module_.attention is None:
            raise ValueError(
                "attention=None has no attention to return. Set "
                'attention="dot" or "additive" and fit again.'
            )
        given = {"beam_size": beam_size, "length_penalty": length_penalty}
        given["max_length"] = max_length
        for name, value in given.items():
            kind = Real if name == "length_penalty" else Integral
            if value is None:
                given[name] = getattr(self, name)
            elif not isinstance(value, kind) or value < (kind is Integral):
                raise ValueError(f"{name}={value!r}; expected a positive number.")
        if given["max_length"] is None:
            given["max_length"] = self.max_length_ + (self.max_length_ + 1) // 2
        sources = self._sources(X, reset=False)
        looks = attention or self.copy_unknown
        with threads_for(self._work(min(len(sources), self.batch_size))):
            found = beam_search(
                self.module_,
                sources,
                n_best=n_best,
                attention=looks,
                allow_unknown=self.copy_unknown,
                **given,
            )
        if looks:
            for of_one, length in zip(found, sources.lengths, strict=True):
                of_one[0].attention[:] = [w[:length] for w in of_one[0].attention]
        return found

    def _decode_targets(self, all_codes):
        """Targets in the form of those of fit."""
        codes = [[code for code in said if code != END] for said in all_codes]
        if isinstance(self._coder, CodeCodec):
            width = max(1, max(map(len, codes)))
            table = np.zeros((len(codes), width), dtype=np.int32)
            for row, said in zip(table, codes, strict=True):
                row[: len(said)] = said
            return TokenArray(table, len(self._coder.names) + len(RESERVED))
        answers = np.empty(len(codes), dtype=object)
        for k, said in enumerate(codes):
            answers[k] = self._coder.decode(said)
        if type(self._coder) is TextCodec:
            return answers.astype(str)
        return answers

    def _copy_unknown_words(self, answers, said, X):
        """Texts whose unknown words are those of the source looked at most.

        Of its words those come first that are unknown, too.
        """
        vectorizer, texts = self.source_vectorizer_, list(read_documents(X, False))
        unknown = np.asarray(vectorizer.transform(texts)) == UNKNOWN
        sources = read_tokens(texts, vectorizer._reader())
        copied = []
        for answer, best, pieces, first in zip(
            answers, said, sources, unknown, strict=True
        ):
            tokens, text = [token for piece in pieces for token in piece], str(answer)
            for code, weights in zip(best.codes, best.attention, strict=True):
                if code == UNKNOWN:
                    ranked = weights + first[: len(weights)]
                    place = int(ranked.argmax()) - vectorizer.boundaries
                    word = tokens[min(max(place, 0), len(tokens) - 1)]
                    text = text.replace("\ufffd", word, 1)
            copied.append(text)
        return np.array(copied)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.input_tags.three_d_array = True
        tags.target_tags.required = True
        return tags
