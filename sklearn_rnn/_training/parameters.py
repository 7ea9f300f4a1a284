"""The one source of the constructor parameters that several networks share.

``SHARED`` holds their types, defaults and constraints, ``DESCRIPTIONS`` their text and
``OVERRIDES`` what differs in one network. The networks take their constraints from
here when they are imported. Their signatures and docstrings are written out by
``tools/sync_parameters.py``, which has to run after each change.
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
    """Options as numpydoc shows them."""
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
    # A parameter of one network only, which is here because it lists the cells.
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
        state)``. There, x has the shape ``(n_sequences, n_timesteps, input_size)``,
        outputs the shape ``(n_sequences, n_timesteps, hidden_size)``, and the initial
        state is None. An output may depend only on the steps of its own sequence up to
        its own time, because shorter sequences of a batch end in steps of zeros: a cell
        that reads later steps raises an error, and batch normalisation would learn from
        the zeros.""",
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
        values regularise more strongly; 0 disables dropout.""",
    "pooling": """How the outputs at all time steps are summarised for the output layer:
        by the "last" output, their "mean", their "max", or the concatenation of these
        three, "concat". For the backward direction of a bidirectional network, the last
        output is the one at the first time step.""",
    "embedding": """How codes are represented as input of the first layer. An int is the
        dimension of embedding vectors that are trained with the network; "auto" is 64,
        or the vocabulary size if that is smaller. An array of shape
        ``(vocabulary_size, n_dimensions)`` gives their initial values. "onehot" uses
        one-hot vectors, whose product with the input weights is looked up instead of
        computed.{codes_in_X}""",
    "window": """Length of the training windows in time steps. One window starts at each
        step of a series; a shorter series has a shorter window. The window limits how
        far back training looks, but not how long a past ``predict`` can read.""",
    "input_size": """Number of features per time step when X is a 2-D table; None means
        1. For other containers it is inferred from X.""",
    "input_length": """Number of time steps that every sequence must have; other lengths
        raise an error, and the model cannot be used in a stream. None accepts sequences
        of any length.""",
    "return_sequences": """Whether to predict at every time step instead of once per
        sequence. If True, the output layer reads the output at each step, and only
        ``transform`` uses ``pooling``.""",
    "loss": """Loss that training minimises, computed on targets that are standardised
        to mean 0 and variance 1.""",
    "scaling": """Whether to standardise each feature of numbers by its mean and
        standard deviation over all steps of the training sequences. The first fit
        decides; codes are not affected.""",
    "patch_size": """Number of successive steps that the network reads at once, as one
        longer step. Long sequences are learned better and faster in patches. "auto"
        is 1 for sequences of up to 100 steps (the median of the training sequences),
        for tokens and with ``return_sequences=True``; longer sequences are divided into
        about 64 patches. An incomplete patch at the end is filled with zeros.""",
    "max_epochs": """Maximum number of passes over the training {examples}. Training
        stops earlier if the loss does not improve for ``n_iter_no_change`` epochs.""",
    "batch_size": """Number of {examples} per training step.""",
    "optimizer": """Optimizer, as a name or as a subclass of ``torch.optim.Optimizer``.
        "adam" and "adamw" are the same, because ``weight_decay`` is decoupled under
        each optimizer; they use ``eps=1e-6``. "sgd" uses Nesterov momentum of 0.9.""",
    "learning_rate": """Initial learning rate. Larger values train faster, but training
        can diverge. "auto" is {auto_rates} for all other optimizers.""",
    "learning_rate_schedule": """How the learning rate changes over the epochs.
        "constant" keeps it. "plateau" halves it when the loss (the validation loss
        under early stopping) has not decreased for 4 epochs. "cosine" lowers it to 0
        along half a cosine over ``max_epochs``. A callable receives the number of the
        epoch, counted from 0 in each fit, and returns a factor for
        ``learning_rate``.""",
    "weight_decay": """Weight decay. After each step, whatever the optimizer, all
        weights except biases are multiplied by ``1 - learning_rate * weight_decay``.
        Nothing is added to the gradient: for the L2 penalty of torch's optimizers, give
        a subclass with a penalty of its own. Larger values regularise more strongly; 0
        disables weight decay. "auto" is 0.01 for "sgd" and 0.1 for all other
        optimizers{more_decay}. With a ``learning_rate`` above that of "auto" it is
        smaller in proportion.""",
    "average": """Whether to predict with a weighted average of the weights over all
        training steps instead of the weights of the last step, which fluctuate. Later
        steps count more: of t steps, step s counts in proportion to about
        ``(s / t) ** 3`` (Shamir and Zhang, ICML 2013).""",
    "gradient_clip": """Maximum norm of the gradient. A gradient with a larger norm is
        scaled down to this norm. None disables clipping.""",
    "early_stopping": """Whether to stop when the validation loss has not improved for
        ``n_iter_no_change`` epochs, and to keep the weights of the epoch with the
        lowest validation loss. {validation} If False, training uses all {examples} and
        stops when the training loss has not improved for that many epochs. A warm start
        compares its own epochs only.""",
    "validation_fraction": """Fraction of the training {held_out} held out under early
        stopping{how_held_out}. If this is a splitter, its last split is
        used{splitters}.""",
    "n_iter_no_change": """Number of consecutive epochs without an improvement of the
        loss by more than ``tol`` after which training stops. "auto" is a quarter of
        the epochs, but at least 5.""",
    "tol": """Minimum decrease of the loss that counts as an improvement.""",
    "warm_start": """Whether ``fit`` continues from the {kept} of the previous fit, for
        up to ``max_epochs`` further epochs, instead of starting anew. The learning
        rate, ``weight_decay``, ``dropout`` and ``callbacks`` may change between fits;
        the network and the optimizer may not.""",
    "callbacks": """Callbacks of skorch, which are called during training. ``fit`` works
        on shallow copies, so that your objects are not changed, while objects that they
        refer to, such as a list or a trial of Optuna, are shared. They find losses and
        scores in ``net.history``; ``dataset_train`` and ``dataset_valid`` are None. If
        a callback raises :class:`~sklearn_rnn.StopTraining`, or if skorch's
        EarlyStopping has lost its patience, training ends and the estimator is fitted.
        A KeyboardInterrupt keeps the finished epochs and is raised again. Callbacks of
        scikit-learn are set with ``set_callbacks`` instead.""",
    "device": """Torch device, such as "cpu" or "cuda:1". "auto" uses a GPU if there is
        one, otherwise the CPU.""",
    "precision": """Floating-point type of weights and states. "auto" is
        {auto_precision}. float32 is about twice as fast as float64. "bfloat16" computes
        the recurrent layers in bfloat16; data, weights and output layer stay in
        float32.""",
    "random_state": """Seed of the random numbers that decide the initial weights,
        shuffling, dropout and the held-out {held_out}. Pass an int for results that can
        be reproduced.""",
    "verbose": """Whether to print one line per epoch; 0 prints nothing.""",
}

# Fields of a network's parameters that replace those above.
_SUPERVISED: dict[str, dict[str, Any]] = {
    "dropout": {
        "type": 'float in [0, 1) or "auto"',
        "default": "auto",
        "constraint": [SHARE, AUTO],
        "description": """Fraction of values that are set to zero during training: of
            embedded tokens, between layers and before the output layer. In vocabularies
            of more than 256 tokens, such as words, dropout sets the vectors of whole
            tokens to zero, like those of unknown tokens. Larger values regularise more
            strongly; 0 disables dropout. "auto" is 0 for numbers, 0.3 for vocabularies
            of more than 256 tokens and 0.1 for smaller ones.""",
    },
    "max_epochs": {
        "type": 'int or "auto"',
        "default": "auto",
        "constraint": [COUNT, AUTO],
        "description": """Maximum number of passes over the training {examples}.
            Training stops earlier if the loss does not improve for
            ``n_iter_no_change`` epochs. "auto" makes about 600 training steps, in at
            least {fewest_epochs} and at most 200 epochs.""",
    },
}
OVERRIDES: dict[str, dict[str, dict[str, Any]]] = {
    CLASSIFIER: _SUPERVISED,
    REGRESSOR: _SUPERVISED,
    FORECASTER: {
        "max_epochs": _SUPERVISED["max_epochs"],
        "loss": {
            "description": """Loss that training minimises, computed on scaled values
            (see ``scaling``). Ignored if ``intervals="quantile"``, which has a loss of
            its own."""
        },
        "validation_fraction": {
            "description": """Fraction of the series that is held out under early
            stopping; of a single series, the fraction of its time steps that is held
            out at its end. If this is a splitter, it splits the series, and its last
            split is used."""
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
            "description": """Number of windows per training step, read side by side at
            different places of the text. With ``step=None``, a short text is read at
            fewer places, so that at least about 8 windows follow each other at
            each."""
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
_SUPERVISED_WORDS = {
    "auto_rates": '0.1 for "sgd" and 0.01',
    "fewest_epochs": "24 (8 for vocabularies of more than 256 tokens)",
    "examples": "sequences",
    "more_decay": """; if an epoch has fewer than 50 batches, this is multiplied by 50
        / n_batches, but by no more than 10""",
    "held_out": "sequences",
    "kept": "weights",
    "each_direction": ", in each direction if ``bidirectional=True``",
    "codes_in_X": """ Any value other than "auto" also means that integers in X are
        codes, of which 0 is padding: zeros at the end of a sequence are removed.""",
    "validation": """The validation sequences are those given to ``fit``, or else
        ``validation_fraction`` of the training sequences.""",
    "how_held_out": "",
    "splitters": """: ``GroupShuffleSplit`` keeps each of the ``groups`` given to
        ``fit`` on one side, ``TimeSeriesSplit`` validates on the latest sequences""",
    "auto_precision": """float64 if X has at most 16,384 values and is float64 or holds
        integers beyond 2**24, and float32 otherwise, including text""",
}
WORDS = {
    CLASSIFIER: {
        **_SUPERVISED_WORDS,
        "how_held_out": """, stratified by class, or by the labels of an indicator
            matrix, unless there are labels per step; the only sequence of a class
            trains""",
    },
    REGRESSOR: _SUPERVISED_WORDS,
    FORECASTER: {
        "auto_rates": '0.1 for "sgd" and 0.01',
        "fewest_epochs": "8",
        "where": ", between layers and before the output layer",
        "more_decay": "",
        "examples": "windows",
        "held_out": "series",
        "kept": "weights",
        "each_direction": "",
        "validation": "The validation windows are set by ``validation_fraction``.",
        "auto_precision": """float64 if X is float64 and has at most 16,384 values, and
            float32 otherwise""",
    },
    GENERATOR: {
        "auto_rates": '0.1 for "sgd" and 0.01',
        "where": _ALL_DROPOUT,
        "more_decay": "",
        "examples": "text",
        "held_out": "documents",
        "kept": "weights and the vocabulary",
        "each_direction": "",
        "codes_in_X": "",
        "validation": """The validation text is the one given to ``fit``, or else
            ``validation_fraction`` of the training text.""",
        "how_held_out": "; of a single document, the fraction held out at its end",
        "splitters": "",
        "auto_precision": "float32",
    },
    TRANSLATOR: {
        "auto_rates": '0.05 for "sgd" and 0.005',
        "where": _ALL_DROPOUT,
        "more_decay": "",
        "examples": "pairs",
        "held_out": "pairs",
        "kept": "weights",
        "validation": """The validation pairs are ``validation_fraction`` of the
            training pairs; ``stop_on`` can replace their loss by their
            error rate.""",
        "how_held_out": "",
        "splitters": "",
        "auto_precision": """float64 if the sources are float64 and have at most 16,384
            values, and float32 otherwise, including text""",
    },
}


def parameters_of(estimator: str) -> dict[str, Parameter]:
    """The shared parameters of a network, with descriptions in its own terms."""
    found = {}
    for name, parameter in SHARED.items():
        if estimator in parameter.estimators:
            fields: dict[str, Any] = {"description": DESCRIPTIONS[name]}
            fields |= OVERRIDES.get(estimator, {}).get(name, {})
            text = fields["description"].format_map(WORDS[estimator])
            fields["description"] = " ".join(text.split())
            found[name] = replace(parameter, **fields)
    return found


def constraints_of(estimator: str) -> dict[str, list]:
    """The constraints of a network's shared parameters, for scikit-learn."""
    return {name: one.constraint for name, one in parameters_of(estimator).items()}
