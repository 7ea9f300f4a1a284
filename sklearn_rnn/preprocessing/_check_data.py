"""check_data: a report of errors and suspicious properties of sequences and targets."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_consistent_length

from sklearn_rnn._data.labels import (
    check_labels,
    check_numbers,
    describe_misread_labels,
)
from sklearn_rnn._data.reading import SequenceReader
from sklearn_rnn._data.sequences import Sequences, warn_of_rounding
from sklearn_rnn._data.tokens import UNKNOWN
from sklearn_rnn.preprocessing._series_scaler import compute_statistics
from sklearn_rnn.preprocessing._stacked_steps import StackedSteps

LONG = 1000  # median length, in steps
RAGGED = 10  # ratio of the longest to the median length
IMBALANCED = 10  # ratio of the largest to the smallest class
HEAVY_TAILED = 100  # largest deviation from the median, in interquartile ranges
OWN_SCALE = 30  # ratio of the 90% to the 10% quantile of the scales of sequences
OWN_LEVEL = 10  # standard deviation of the means of sequences, in median scales
SAMPLED = 100_000  # number of steps that quantiles are computed from
NAMED = 3  # maximum number of examples in a message


class Finding(NamedTuple):
    """One finding: its severity ("error", "warning" or "note"), topic and message."""

    severity: str
    topic: str
    message: str


@dataclass(frozen=True)
class DataReport:
    """Result of :func:`check_data`: a ``summary`` of X and a list of ``findings``."""

    summary: str
    findings: list[Finding]

    def __str__(self) -> str:
        lines = [
            f"{f.severity:>7}  {f.topic}: {' '.join(f.message.split())}"
            for f in self.findings
        ]
        return "\n".join([self.summary, *(lines or ["nothing suspicious found"])])

    __repr__ = __str__


class _Reader(SequenceReader):
    """Reader of X with the default parameters of RNNClassifier and RNNRegressor."""

    embedding, input_size, precision = "auto", None, "auto"


def check_data(X, y=None):
    """Look for mistakes in sequences and targets before a network is trained.

    Parameters
    ----------
    X : array-like, list of arrays or TokenArray
        Sequences, as given to ``fit`` of :class:`~sklearn_rnn.RNNClassifier` or
        :class:`~sklearn_rnn.RNNRegressor`.
    y : array-like or None, default=None
        Labels or numbers to predict.

    Returns
    -------
    report : DataReport
        Report that prints one line per finding. ``report.findings`` is a list of named
        tuples of ``severity``, ``topic`` and ``message``. The severity "error" is for
        data that ``fit`` with default parameters would reject, "warning" for a likely
        mistake or for data that make predictions worse, and "note" for further
        information.

    See Also
    --------
    SeriesScaler : Standardizes each sequence by its own mean and scale.
    StepwiseTransformer : Scales or encodes every time step.

    Notes
    -----
    The function does not raise an error for unsuitable data. Warnings and notes are
    based on rules of thumb, which can be wrong. Data without a finding can still be
    unsuitable.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import check_data
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 10, 2)) * [1, 0]
    >>> report = check_data(X, np.eye(2)[np.arange(40) % 2])
    >>> [(finding.severity, finding.topic) for finding in report.findings]
    [('warning', 'constant features'), ('warning', 'y')]
    """
    findings: list[Finding] = []
    reader, sequences = _Reader(), None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            sequences = reader._read(X, reset=True)
            warn_of_rounding(sequences.values, np.float64)
        except Exception as error:
            message = str(error).replace("_Reader", "RNNClassifier")
            findings.append(Finding("error", "X", message))
            findings += _check_transposed_list(X)
    findings += [Finding("warning", "X", str(warning.message)) for warning in caught]
    summary = "X cannot be read"
    if sequences is not None:
        summary = _summarize(sequences)
        with np.errstate(over="ignore", invalid="ignore"):  # of values such as 1e300
            for check in CHECKS:
                findings += check(X, sequences)
    if y is not None:
        findings += _check_y(y, sequences)
    order = ("error", "warning", "note")
    findings.sort(key=lambda finding: order.index(finding.severity))
    return DataReport(summary, findings)


def _summarize(sequences: Sequences) -> str:
    low, high = sequences.lengths.min(), sequences.lengths.max()
    steps = f"{low} steps" if low == high else f"{low} to {high} steps"
    what = f"{sequences.input_size} feature(s) per step"
    if sequences.vocabulary_size is not None:
        what = f"codes of a vocabulary of {sequences.vocabulary_size}"
    return f"{len(sequences)} sequences of {steps}, {what}"


def _valid_steps(sequences: Sequences) -> np.ndarray:
    """Return the steps of all sequences without padding, (n_steps, ...)."""
    places = np.arange(sequences.lengths.sum())
    ends = np.cumsum(sequences.lengths)
    places += np.repeat(
        sequences.starts - (ends - sequences.lengths), sequences.lengths
    )
    return sequences.values[places]


def _list_sequences(sequences: Sequences) -> list[np.ndarray]:
    ends = sequences.starts + sequences.lengths
    return [sequences.values[a:b] for a, b in zip(sequences.starts, ends, strict=True)]


def _name_features(features: Sequence[int] | np.ndarray) -> str:
    """List the numbers of the first features for a message."""
    names = [str(j) for j in features[:NAMED]]
    return ", ".join(names) + (", ..." if len(features) > NAMED else "")


# ------------------------------------------------------------------ the checks of X


def _check_lengths(X: Any, sequences: Sequences) -> list[Finding]:
    findings = []
    longest, median = sequences.lengths.max(), np.median(sequences.lengths)
    if longest > RAGGED * median:
        findings.append(
            Finding(
                "warning",
                "lengths",
                f"the longest sequence has {longest} steps, the median is "
                f"{median:.0f}. Batches are padded to their longest sequence, so "
                "training is slow. Truncate long sequences, or split them.",
            )
        )
    if longest == 1:
        findings.append(
            Finding(
                "warning",
                "lengths",
                "every sequence has a single step, so there is no order to learn. If "
                "the rows of X are the steps of one sequence, pass [X]. If they are "
                "the steps of several, use sequences_from_frame.",
            )
        )
    if median > LONG:
        findings.append(
            Finding(
                "warning",
                "lengths",
                f"the median length is {median:.0f} steps. Recurrent networks hardly "
                "learn dependencies over this many steps. For one prediction per "
                'sequence of numbers, patch_size="auto" combines several steps into '
                "one. Otherwise cut sequences into windows.",
            )
        )
    return findings


def _check_duplicates(X: Any, sequences: Sequences) -> list[Finding]:
    first: dict[bytes, int] = {}
    pairs = []
    for i, x in enumerate(_list_sequences(sequences)):
        earlier = first.setdefault(x.tobytes(), i)
        if earlier != i:
            pairs.append((earlier, i))
    if not pairs:
        return []
    shown = ", ".join(f"{a} and {b}" for a, b in pairs[:NAMED])
    message = (
        f"{len(pairs)} of {len(sequences)} sequences repeat an earlier one ({shown}). "
        "Duplicates in both training and test data make scores too high. Drop them, or "
        "keep them together with GroupKFold."
    )
    return [Finding("warning", "duplicates", message)]


def _check_unknown(X: Any, sequences: Sequences) -> list[Finding]:
    if sequences.vocabulary_size is None:
        return []
    share = np.mean(_valid_steps(sequences) == UNKNOWN)
    if share < 0.2:
        return []
    message = (
        f"{share:.0%} of the tokens are unknown. Fit the vectorizer on these texts, or "
        "set a lower min_count."
    )
    return [Finding("warning", "unknown tokens", message)]


def _check_codes(X: Any, sequences: Sequences) -> list[Finding]:
    """Find integers whose successive values differ as much as random pairs do."""
    if sequences.vocabulary_size is not None or sequences.input_size != 1:
        return []
    values = _valid_steps(sequences)[:, 0].astype(np.float64)
    if values.min() < 0 or (values % 1).any() or len(np.unique(values)) < 4:
        return []
    jumps = [np.abs(np.diff(x[:, 0])) for x in _list_sequences(sequences)]
    n_jumps = sum(map(len, jumps))
    if not n_jumps:
        return []
    # Gini's mean difference: the expected distance of two randomly drawn values
    n, ranked = len(values), np.sort(values)
    distance = 2 * np.sum((2 * np.arange(1, n + 1) - n - 1) * ranked) / n**2
    if sum(jump.sum() for jump in jumps) / n_jumps < 0.7 * distance:
        return []
    message = (
        f"X contains integers from {values.min():.0f} to {values.max():.0f} that do "
        "not change gradually. If they are codes of categories, embed them with "
        "RNNClassifier(embedding=16); X must then have an integer type and use 0 for "
        "padding only. If they are counts, ignore this warning."
    )
    return [Finding("warning", "codes", message)]


def _check_constant(X: Any, sequences: Sequences) -> list[Finding]:
    if sequences.vocabulary_size is not None:
        return []
    steps = _valid_steps(sequences)
    constant = np.flatnonzero(steps.max(axis=0) == steps.min(axis=0))
    if not len(constant):
        return []
    message = (
        f"{len(constant)} of {steps.shape[1]} features never change "
        f"({_name_features(constant)}). Drop them."
    )
    return [Finding("warning", "constant features", message)]


def _check_scale(X: Any, sequences: Sequences) -> list[Finding]:
    if sequences.vocabulary_size is not None:
        return []
    steps = _valid_steps(sequences)
    steps = steps[:: 1 + len(steps) // SAMPLED].astype(np.float64)
    findings = []
    low, median, high = np.quantile(steps, [0.25, 0.5, 0.75], axis=0)
    deviation, quartiles = np.abs(steps - median).max(axis=0), high - low
    heavy = np.flatnonzero((quartiles > 0) & (deviation > HEAVY_TAILED * quartiles))
    if len(heavy):
        message = (
            f"{len(heavy)} of {len(high)} features have extreme values "
            f"({_name_features(heavy)}), so that all other values are nearly equal "
            "after scaling. Check them for errors, or transform them with "
            "StepwiseTransformer(QuantileTransformer())."
        )
        findings.append(Finding("warning", "heavy tails", message))
    mean, scale = steps.mean(axis=0), steps.std(axis=0)
    unscaled = np.flatnonzero(
        (scale > 0) & ((scale > 10) | (scale < 0.1) | (np.abs(mean) > 10 * scale))
    )
    if len(unscaled):
        j = unscaled[0]
        message = (
            f"{len(unscaled)} of {len(mean)} features are not scaled (feature {j}: "
            f"mean {mean[j]:.3g}, standard deviation {scale[j]:.3g}). RNNClassifier "
            "and RNNRegressor standardize features by default. With scaling=False, "
            "put StepwiseTransformer(StandardScaler()) before them."
        )
        findings.append(Finding("note", "scale", message))
    return findings


def _check_own_scale(X: Any, sequences: Sequences) -> list[Finding]:
    """Find features whose level or scale differs more between sequences than within."""
    long = sequences.lengths > 2
    every = 1 + sequences.lengths.sum() // SAMPLED
    long[np.arange(len(sequences)) % every > 0] = False
    if sequences.vocabulary_size is not None or np.count_nonzero(long) < 2:
        return []
    steps = _valid_steps(sequences)[np.repeat(long, sequences.lengths)]
    mean, scale = compute_statistics(
        StackedSteps(steps, sequences.lengths[long], None, False)
    )
    starts = np.cumsum(sequences.lengths[long]) - sequences.lengths[long]
    moving = np.maximum.reduceat(steps, starts) > np.minimum.reduceat(steps, starts)
    features = []
    for j in np.flatnonzero(np.count_nonzero(moving, axis=0) > 1):
        small, median, large = np.quantile(scale[moving[:, j], j], [0.1, 0.5, 0.9])
        own_level = mean[moving[:, j], j].std() > OWN_LEVEL * median
        if large > OWN_SCALE * small or own_level:
            features.append(int(j))
    if not features:
        return []
    message = (
        "level or scale differ much more between sequences than between the steps of a "
        f"sequence (features {_name_features(features)}). If the shape of a sequence "
        "matters, put SeriesScaler() before the network, or "
        "SeriesScaler(add_statistics=True) to keep level and scale as features."
    )
    return [Finding("warning", "own scales", message)]


def _check_channels_first(X: Any, sequences: Sequences) -> list[Finding]:
    """Find arrays whose last axis looks like time: smooth, and longer than axis 1."""
    n, T, F = len(sequences), sequences.lengths[0], sequences.input_size
    if not 1 < T < F or (sequences.lengths != T).any():
        return []
    array = _valid_steps(sequences).astype(np.float64).reshape(n, T, F)
    over_steps, over_features = (
        np.mean(np.diff(array, axis=axis) ** 2) for axis in (1, 2)
    )
    if over_features >= 0.5 * over_steps:
        return []
    message = (
        f"X is read as {n} sequences of {T} steps with {F} features, but its values "
        "change gradually along the last axis. If this axis is time, pass "
        "X.transpose(0, 2, 1)."
    )
    return [Finding("warning", "channels first", message)]


def _check_transposed_list(X: Any) -> list[Finding]:
    """Find lists of arrays (F, T_i) with features and steps exchanged."""
    if (
        not isinstance(X, (list, tuple))
        or not X
        or not all(getattr(x, "ndim", 0) == 2 for x in X)
    ):
        return []
    shapes = np.array([np.shape(x) for x in X])
    if len(set(shapes[:, 0])) > 1 or len(set(shapes[:, 1])) == 1:
        return []
    message = (
        f"all arrays have {shapes[0, 0]} rows, but different numbers of columns. If "
        "the columns are time steps, pass [x.T for x in X]."
    )
    return [Finding("warning", "channels first", message)]


CHECKS = (
    _check_channels_first,
    _check_codes,
    _check_constant,
    _check_own_scale,
    _check_scale,
    _check_duplicates,
    _check_lengths,
    _check_unknown,
)

# ------------------------------------------------------------------ the checks of y


def _check_y(y: Any, sequences: Sequences | None) -> list[Finding]:
    numbers = _holds_numbers(y)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            if sequences is not None:
                check_consistent_length(sequences.lengths, y)
            y = (check_numbers if numbers else check_labels)(y, None)
        except Exception as error:
            return [Finding("error", "y", str(error))]
    findings = [Finding("warning", "y", str(warning.message)) for warning in caught]
    lengths = None if sequences is None else sequences.lengths
    return findings + (_check_numbers if numbers else _check_classes)(y, lengths)


def _check_numbers(y: np.ndarray, lengths: np.ndarray | None) -> list[Finding]:
    if y.ndim == 2 and lengths is not None and (lengths == y.shape[1]).all():
        message = (
            f"y has {y.shape[1]} columns, and each sequence has the same number of "
            "steps. If y has one number per time step, set return_sequences=True."
        )
        return [Finding("note", "y", message)]
    return []


def _holds_numbers(y: Any) -> bool:
    """Return whether y contains numbers for a regressor rather than classes."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            kind = type_of_target(np.asarray(y))
    except Exception:  # check_labels raises it again with a better message
        return False
    if not kind.startswith("multiclass"):
        return kind.startswith("continuous")
    values = np.asarray(y)
    n_values = len(np.unique(values))
    return values.dtype.kind in "iuf" and n_values > max(20, np.sqrt(values.size))


def _check_classes(y: np.ndarray, lengths: np.ndarray | None) -> list[Finding]:
    if y.ndim > 1:
        message = describe_misread_labels(y, lengths)
        return [Finding("warning", "y", message)] if message else []
    classes, counts = np.unique(y, return_counts=True)
    names = classes.tolist()
    if len(names) == 1:
        message = f"y has only the class {names[0]!r}; RNNClassifier needs at least 2."
        return [Finding("error", "y", message)]
    rare, common = names[counts.argmin()], names[counts.argmax()]
    if counts.max() < IMBALANCED * counts.min():
        return []
    message = (
        f"class {common!r} has {counts.max()} sequences, class {rare!r} only "
        f'{counts.min()}. Set class_weight="balanced", and evaluate with balanced '
        "accuracy or F1 instead of accuracy."
    )
    return [Finding("warning", "classes", message)]
