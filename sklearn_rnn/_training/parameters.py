"""The single source of the constructor parameters that several networks share.

``SHARED`` contains their types, defaults and constraints, ``DESCRIPTIONS`` their
descriptions, and ``OVERRIDES`` what differs in one network. The networks take their
constraints from here when they are imported. ``tools/sync_parameters.py`` writes their
signatures and docstrings; run it after each change.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Any

from sklearn_rnn._core.sklearn_private import HasMethods, Interval, StrOptions
from sklearn_rnn._nn.cells.registry import CELLS
from sklearn_rnn._training.optimizers import OPTIMIZERS, SCHEDULES

CLASSIFIER, REGRESSOR = "RNNClassifier", "RNNRegressor"
FORECASTER = "RNNForecaster"
GENERATOR = "SequenceGenerator"
TRANSLATOR = "SequenceTranslator"
SUPERVISED = (CLASSIFIER, REGRESSOR)
OF_CODES = (*SUPERVISED, GENERATOR, TRANSLATOR)
NETWORKS = (*SUPERVISED, FORECASTER, GENERATOR, TRANSLATOR)


@dataclass(frozen=True)
class Parameter:
    """A constructor parameter: its type as numpydoc shows it, and what it accepts."""

    type: str
    default: Any
    constraint: list
    estimators: tuple[str, ...] = NETWORKS
    description: str = ""


def _choice(names: Iterable[str]) -> str:
    """Format options as numpydoc shows them."""
    return "{" + ", ".join(f'"{name}"' for name in names) + "}"


LOSSES = ("squared_error", "absolute_error", "huber")
POOLINGS = ("last", "mean", "max", "concat")
PRECISIONS = ("auto", "float32", "float64")
ALL_PRECISIONS = (*PRECISIONS, "bfloat16")

CELL = StrOptions(set(CELLS))
COUNT = Interval(Integral, 1, None, closed="left")
LAYERS = Interval(Integral, 1, 1000, closed="both")
SIZE = Interval(Integral, 1, 2**24, closed="both")
PATCH = Interval(Integral, 1, 2**16, closed="both")
AUTO = StrOptions({"auto"})
POSITIVE = Interval(Real, 0, None, closed="neither")
SHARE = Interval(Real, 0, 1, closed="left")
NOT_NEGATIVE = Interval(Real, 0, None, closed="left")
SEED = "int, RandomState instance or None"

# In the order of the signatures.
SHARED = {
    "cell": Parameter(f"{_choice(CELLS)} or callable", "gru", [CELL, callable]),
    "hidden_size": Parameter("int", 64, [SIZE]),
    "num_layers": Parameter("int", 1, [LAYERS]),
    # Only one network has this parameter. It is here because its type lists the cells.
    "decoder_cell": Parameter(
        f"{_choice(CELLS)} or None", None, [CELL, None], (TRANSLATOR,)
    ),
    "activation": Parameter('{"tanh", "relu"}', "tanh", [StrOptions({"tanh", "relu"})]),
    "bidirectional": Parameter("bool", False, ["boolean"], (*SUPERVISED, TRANSLATOR)),
    "dropout": Parameter("float in [0, 1)", 0.0, [SHARE]),
    "pooling": Parameter(
        _choice(POOLINGS), "concat", [StrOptions(set(POOLINGS))], SUPERVISED
    ),
    "embedding": Parameter(
        '{"auto", "onehot"}, int or array-like',
        "auto",
        [StrOptions({"auto", "onehot"}), SIZE, "array-like"],
        OF_CODES,
    ),
    "window": Parameter("int", 40, [COUNT], (FORECASTER, GENERATOR)),
    "input_size": Parameter(
        "int or None", None, [COUNT, None], (*SUPERVISED, TRANSLATOR)
    ),
    "input_length": Parameter("int or None", None, [COUNT, None], SUPERVISED),
    "return_sequences": Parameter("bool", False, ["boolean"], SUPERVISED),
    "loss": Parameter(
        _choice(LOSSES),
        "squared_error",
        [StrOptions(set(LOSSES))],
        (REGRESSOR, FORECASTER),
    ),
    "scaling": Parameter("bool", True, ["boolean"], SUPERVISED),
    "patch_size": Parameter('int or "auto"', "auto", [PATCH, AUTO], SUPERVISED),
    "max_epochs": Parameter("int", 30, [COUNT]),
    "batch_size": Parameter("int", 32, [COUNT]),
    "optimizer": Parameter(
        f"{_choice(OPTIMIZERS)} or type", "adamw", [StrOptions(set(OPTIMIZERS)), type]
    ),
    "learning_rate": Parameter('float or "auto"', "auto", [POSITIVE, AUTO]),
    "learning_rate_schedule": Parameter(
        "str or callable", "constant", [StrOptions(set(SCHEDULES)), callable]
    ),
    "weight_decay": Parameter('float or "auto"', "auto", [NOT_NEGATIVE, AUTO]),
    "average": Parameter("bool", True, ["boolean"]),
    "gradient_clip": Parameter("float or None", 1.0, [POSITIVE, None]),
    "early_stopping": Parameter("bool", False, ["boolean"]),
    "validation_fraction": Parameter(
        "float in (0, 1) or CV splitter",
        0.1,
        [Interval(Real, 0, 1, closed="neither"), HasMethods(["split", "get_n_splits"])],
    ),
    "n_iter_no_change": Parameter('int or "auto"', "auto", [COUNT, AUTO]),
    "tol": Parameter("float", 0.0001, [NOT_NEGATIVE]),
    "warm_start": Parameter("bool", False, ["boolean"]),
    "callbacks": Parameter(
        "list of skorch callbacks or None", None, [list, tuple, None]
    ),
    "device": Parameter("str", "auto", [str]),
    "precision": Parameter(
        _choice(ALL_PRECISIONS), "auto", [StrOptions(set(ALL_PRECISIONS))]
    ),
    "random_state": Parameter(SEED, None, ["random_state"]),
    "verbose": Parameter("int", 0, ["verbose"]),
}

DESCRIPTIONS = {
    "cell": """Type of the recurrent cell. A callable ``cell(input_size, hidden_size)``
        must return a torch module whose ``forward(x, state)`` returns ``(outputs,
        state)``. Here, ``x`` has the shape ``(n_sequences, n_timesteps, input_size)``,
        ``outputs`` has the shape ``(n_sequences, n_timesteps, hidden_size)``, and the
        initial state is None. The output at a step may depend only on this step and
        earlier steps of the same sequence, because shorter sequences in a batch are
        padded with zeros. A cell that reads later steps raises an error. Batch
        normalization in a cell would include the padding in its statistics.""",
    "hidden_size": """Number of units in each layer{each_direction}. More units make the
        network more expressive and slower to train.""",
    "num_layers": """Number of stacked recurrent layers. Each layer reads the outputs of
        the layer below it.""",
    "decoder_cell": """Type of the recurrent cells of the decoder. None uses
        ``cell``.""",
    "activation": """Activation function of the simple cell, ``cell="rnn"``. The other
        cells have fixed activation functions and ignore it.""",
    "bidirectional": """Whether to read each sequence both forwards and backwards and to
        concatenate the outputs of the two directions. A bidirectional network needs
        complete sequences and cannot be used in a stream.""",
    "dropout": """Fraction of values that are set to zero during training{where}. Larger
        values regularize more strongly; 0 disables dropout.""",
    "pooling": """Reduction of the outputs at all time steps to the input of the output
        layer. "last" takes the output at the last step, "mean" and "max" take the mean
        and the maximum over all steps, and "concat" concatenates these three. For the
        backward direction of a bidirectional network, the last output is the one at the
        first time step.""",
    "embedding": """Representation of codes as input of the first layer. An int is the
        dimension of embedding vectors that are trained with the network; "auto" is 64,
        or the vocabulary size if that is smaller. An array of shape
        ``(vocabulary_size, n_dimensions)`` gives their initial values. "onehot" uses
        one-hot vectors; their product with the input weights is looked up instead of
        computed.{codes_in_X}""",
    "window": """Length of the training windows in time steps. One window starts at each
        step of a series. For a shorter series, the window is as long as the series. The
        window limits how far back training looks, but not how long a past ``predict``
        can read.""",
    "input_size": """Number of features per time step when X is a 2-D table; None means
        1. For other containers it is inferred from X.""",
    "input_length": """Number of time steps that every sequence must have; other lengths
        raise an error, and the model cannot be used in a stream. None accepts sequences
        of any length.""",
    "return_sequences": """Whether to predict at every time step instead of once per
        sequence. If True, the output layer is applied to the output at each step, and
        ``pooling`` is used by ``transform`` only.""",
    "loss": """Loss function that training minimizes. It is computed on targets that
        are standardized to mean 0 and variance 1.""",
    "scaling": """Whether to standardize each numeric feature by its mean and standard
        deviation over all steps of the training sequences. ``partial_fit`` and warm
        starts keep the statistics of the first fit. Codes are not affected.""",
    "patch_size": """Number of successive steps that are joined to one patch, which the
        network reads as a single step. With patches, training on long sequences is
        faster and usually more accurate. "auto" is 1 if the median length of the
        training sequences is at most 100 steps, for tokens, and with
        ``return_sequences=True``; otherwise the sequences are divided into about 64
        patches. An incomplete patch at the end is filled with zeros.""",
    "max_epochs": """Maximum number of passes over the training {examples}. Training
        stops earlier if the loss does not improve for ``n_iter_no_change`` epochs.""",
    "batch_size": """Number of {examples} per training step.""",
    "optimizer": """Optimizer, as a name or as a subclass of ``torch.optim.Optimizer``.
        "adam" and "adamw" are the same, because ``weight_decay`` is decoupled from the
        gradient for every optimizer; both use ``eps=1e-6``. "sgd" uses a Nesterov
        momentum of 0.9.""",
    "learning_rate": """Initial learning rate. Larger values train faster, but training
        can diverge. "auto" is {auto_rates} for all other optimizers.""",
    "learning_rate_schedule": """Change of the learning rate over the epochs.
        "constant" keeps it unchanged. "plateau" halves it when the loss (with early
        stopping, the validation loss) has not decreased for 4 epochs. "cosine" lowers
        it to 0 along half a cosine over ``max_epochs``. A callable receives the number
        of the epoch, counted from 0 in each fit, and returns the factor by which
        ``learning_rate`` is multiplied.""",
    "weight_decay": """Weight decay. After each training step, for every optimizer, all
        weights except biases are multiplied by ``1 - learning_rate * weight_decay``.
        Nothing is added to the gradient; for an L2 penalty, pass a subclass of the
        optimizer that adds it. Larger values regularize more strongly; 0 disables
        weight decay. "auto" is 0.01 for "sgd" and 0.1 for all other
        optimizers{more_decay}. If ``learning_rate`` is k times its "auto" value, with
        k > 1, the "auto" decay is divided by k.""",
    "average": """Whether to predict with a weighted average of the weights over all
        training steps. If False, the weights after the last step are used, which
        fluctuate from step to step. In the average, later steps have more weight: of t
        steps, step s has a weight proportional to about ``(s / t) ** 3`` (Shamir and
        Zhang, ICML 2013).""",
    "gradient_clip": """Maximum norm of the gradient. A gradient with a larger norm is
        scaled down to this norm. None disables clipping.""",
    "early_stopping": """Whether to stop when the validation loss has not improved for
        ``n_iter_no_change`` epochs, and to keep the weights of the epoch with the
        lowest validation loss. {validation} If False, training uses all {examples} and
        stops when the training loss has not improved for that many epochs. After a warm
        start, only the epochs of the current fit are compared.""",
    "validation_fraction": """Fraction of the training {held_out} that is held out if
        ``early_stopping=True``.{how_held_out} If this is a CV splitter, its last split
        is used{splitters}.""",
    "n_iter_no_change": """Number of consecutive epochs without an improvement of the
        loss by more than ``tol`` after which training stops. "auto" is a quarter of
        the maximum number of epochs, but at least 5.""",
    "tol": """Minimum decrease of the loss that counts as an improvement.""",
    "warm_start": """Whether ``fit`` continues from the {kept} of the previous fit, for
        up to ``max_epochs`` further epochs, instead of starting from new weights. The
        learning rate, ``weight_decay``, ``dropout`` and ``callbacks`` may change
        between fits; the network and the optimizer may not.""",
    "callbacks": """Callbacks of skorch, which are called during training. ``fit`` uses
        shallow copies of them: the callbacks themselves are not changed, but objects
        that they refer to, such as a list or an Optuna trial, are shared. Losses and
        scores are in ``net.history``; ``dataset_train`` and ``dataset_valid`` are None.
        If a callback raises :class:`~sklearn_rnn.StopTraining`, or if skorch's
        EarlyStopping runs out of patience, training ends and the estimator is fitted.
        After a KeyboardInterrupt, the finished epochs are kept and the interrupt is
        raised again. For scikit-learn's callbacks, use ``set_callbacks``.""",
    "device": """Torch device, such as "cpu" or "cuda:1". "auto" uses a GPU if one is
        available, otherwise the CPU.""",
    "precision": """Floating-point type of weights and states. "auto" is
        {auto_precision}. float32 is about twice as fast as float64. "bfloat16" computes
        the recurrent layers in bfloat16; data, weights and output layer stay in
        float32.""",
    "random_state": """Seed of the random numbers for the initial weights, shuffling,
        dropout and the choice of held-out {held_out}. Pass an int for reproducible
        results.""",
    "verbose": """Verbosity level. 0 prints nothing; 1 or more prints one line per
        epoch. In a search, each line names the fit and the parameters that differ from
        their defaults.""",
}

# Fields of a network's parameters that replace those above.
_SUPERVISED: dict[str, dict[str, Any]] = {
    "dropout": {
        "type": 'float in [0, 1) or "auto"',
        "default": "auto",
        "constraint": [SHARE, AUTO],
        "description": """Fraction of values that are set to zero during training: of
            embedded tokens, between layers and before the output layer. For
            vocabularies of more than 256 tokens, the vectors of whole tokens are set to
            zero, like that of an unknown token. Larger values regularize more strongly;
            0 disables dropout. "auto" is 0 for numbers, 0.3 for vocabularies of more
            than 256 tokens and 0.1 for smaller ones.""",
    },
    "max_epochs": {
        "type": 'int or "auto"',
        "default": "auto",
        "constraint": [COUNT, AUTO],
        "description": """Maximum number of passes over the training {examples}.
            Training stops earlier if the loss does not improve for
            ``n_iter_no_change`` epochs. "auto" is the number of epochs that makes about
            600 training steps, but at least {fewest_epochs} and at most 200.""",
    },
}
OVERRIDES: dict[str, dict[str, dict[str, Any]]] = {
    CLASSIFIER: _SUPERVISED,
    REGRESSOR: _SUPERVISED,
    FORECASTER: {
        "max_epochs": _SUPERVISED["max_epochs"],
        "loss": {
            "description": """Loss function that training minimizes. It is computed on
            scaled values (see ``scaling``). Ignored if ``intervals="quantile"``, which
            uses the quantile loss."""
        },
        "validation_fraction": {
            "description": """Fraction of the series that is held out if
            ``early_stopping=True``. If X is a single series, this fraction of its time
            steps is held out at its end. If this is a CV splitter, it splits the
            series, and its last split is used."""
        },
    },
    GENERATOR: {
        "cell": {"default": "lstm"},
        "hidden_size": {"default": 128},
        "window": {
            "default": 64,
            "description": """Length of the training windows in time steps. Gradients
            are propagated back through this many steps.""",
        },
        "batch_size": {
            "description": """Number of windows per training step, which are at
            different places of the text. With ``step=None``, a short text is read at
            fewer places, so that at least about 8 windows follow each other at each
            place."""
        },
        "weight_decay": {"default": 0.0},
    },
    TRANSLATOR: {
        "cell": {
            "type": _choice(CELLS),
            "constraint": [CELL],
            "description": """Type of the recurrent cells of the encoder, and of the
            decoder unless ``decoder_cell`` is given.""",
        },
        "hidden_size": {
            "default": 128,
            "description": """Number of units in each layer of the encoder (in each
            direction if ``bidirectional=True``), and of the decoder unless
            ``decoder_size`` is given. More units make the network more expressive and
            slower to train.""",
        },
        "num_layers": {
            "description": """Number of stacked recurrent layers of the encoder, and of
            the decoder unless ``decoder_layers`` is given. Each layer reads the outputs
            of the layer below it."""
        },
        "bidirectional": {
            "default": True,
            "description": """Whether the encoder reads each source both forwards and
            backwards and concatenates the outputs of the two directions.""",
        },
        "embedding": {
            "type": '"auto" or int',
            "constraint": [StrOptions({"auto"}), SIZE],
            "description": """Dimension of the embedding vectors of source and target
            codes, which are trained with the network. "auto" is 64, or the vocabulary
            size if that is smaller.""",
        },
        "weight_decay": {"default": 0.0},
        "precision": {
            "type": _choice(PRECISIONS),
            "constraint": [StrOptions(set(PRECISIONS))],
            "description": """Floating-point type of weights and states. "auto" is
            {auto_precision}. float32 is about twice as fast as float64.""",
        },
    },
}

# What the placeholders in the descriptions stand for.
_ALL_DROPOUT = ": of the embedded codes, between layers and before the output layer"
_COMMON_WORDS = {  # unless WORDS has others
    "auto_rates": '0.1 for "sgd" and 0.01',
    "kept": "weights",
    **dict.fromkeys(("more_decay", "each_direction", "codes_in_X"), ""),
    **dict.fromkeys(("how_held_out", "splitters"), ""),
}
_SUPERVISED_WORDS = {
    "fewest_epochs": "24 (8 for vocabularies of more than 256 tokens)",
    "examples": "sequences",
    "more_decay": """; if an epoch has fewer than 50 batches, this is multiplied by
        ``50 / n_batches``, but by at most 10""",
    "held_out": "sequences",
    "each_direction": ", in each direction if ``bidirectional=True``",
    "codes_in_X": """ Any value other than "auto" also means that integers in X are
        codes, of which 0 is padding: zeros at the end of a sequence are removed.""",
    "validation": """The validation sequences are ``X_val`` and ``y_val`` of ``fit``; if
        they are not given, a ``validation_fraction`` of the training sequences.""",
    "splitters": """: ``GroupShuffleSplit`` does not split any of the ``groups`` that
        are passed to ``fit``, and ``TimeSeriesSplit`` validates on the latest
        sequences""",
    "auto_precision": """float64 if X has at most 16,384 values and either is float64 or
        contains integers beyond 2**24; otherwise, and for text, it is float32""",
}
WORDS = {
    CLASSIFIER: {
        **_SUPERVISED_WORDS,
        "how_held_out": """ The split is stratified by class, or by label for an
            indicator matrix, but not for labels per step. The only sequence of a class
            is not held out.""",
    },
    REGRESSOR: _SUPERVISED_WORDS,
    FORECASTER: {
        "fewest_epochs": "8",
        "where": ", between layers and before the output layer",
        "examples": "windows",
        "held_out": "series",
        "validation": "The validation windows are set by ``validation_fraction``.",
        "auto_precision": """float64 if X is float64 and has at most 16,384 values;
            otherwise it is float32""",
    },
    GENERATOR: {
        "where": _ALL_DROPOUT,
        "examples": "text",
        "held_out": "documents",
        "kept": "weights and the vocabulary",
        "validation": """The validation text is ``X_val`` of ``fit``; if it is not
            given, a ``validation_fraction`` of the training text.""",
        "how_held_out": """ If the text is a single document, this fraction is held out
            at its end.""",
        "auto_precision": "float32",
    },
    TRANSLATOR: {
        "auto_rates": '0.05 for "sgd" and 0.005',
        "where": _ALL_DROPOUT,
        "examples": "pairs",
        "held_out": "pairs",
        "validation": """The validation pairs are a ``validation_fraction`` of the
            training pairs; with ``stop_on``, their error rate can be used instead of
            their loss.""",
        "auto_precision": """float64 if the sources are float64 and have at most 16,384
            values; otherwise, and for text, it is float32""",
    },
}


def parameters_of(estimator: str) -> dict[str, Parameter]:
    """Return the shared parameters of a network, with its own descriptions."""
    found = {}
    for name, parameter in SHARED.items():
        if estimator in parameter.estimators:
            fields: dict[str, Any] = {"description": DESCRIPTIONS[name]}
            fields |= OVERRIDES.get(estimator, {}).get(name, {})
            words = _COMMON_WORDS | WORDS[estimator]
            text = fields["description"].format_map(words)
            fields["description"] = " ".join(text.split())
            found[name] = replace(parameter, **fields)
    return found


def constraints_of(estimator: str) -> dict[str, list]:
    """Return the ``_parameter_constraints`` of a network's shared parameters."""
    return {name: one.constraint for name, one in parameters_of(estimator).items()}
