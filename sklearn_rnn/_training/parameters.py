"""The single source of the constructor parameters that several networks share.

``SHARED`` contains their types, defaults and constraints, ``OVERRIDES`` what differs in
one network, and ``descriptions.py`` their descriptions. The networks take their
constraints from here when they are imported. ``tools/sync_parameters.py`` writes their
signatures and docstrings; run it after each change.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Any

from sklearn_rnn._core.checkpoints import CHECKPOINT_CONSTRAINTS
from sklearn_rnn._core.sklearn_private import HasMethods, Interval, StrOptions
from sklearn_rnn._nn.cells.registry import CELLS
from sklearn_rnn._training.descriptions import DESCRIPTIONS
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
    "backprop_window": Parameter("int or None", None, [COUNT, None], SUPERVISED),
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
    "checkpoint": Parameter(
        "str, path-like or None", None, CHECKPOINT_CONSTRAINTS["checkpoint"]
    ),
    "checkpoint_every": Parameter(
        "int or float", 10.0, CHECKPOINT_CONSTRAINTS["checkpoint_every"]
    ),
    "device": Parameter("str", "auto", [str]),
    "precision": Parameter(
        _choice(ALL_PRECISIONS), "auto", [StrOptions(set(ALL_PRECISIONS))]
    ),
    "random_state": Parameter(SEED, None, ["random_state"]),
    "verbose": Parameter("int", 0, ["verbose"]),
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
