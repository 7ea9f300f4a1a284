"""Small sequences in every container, which the checks use."""

from unittest import SkipTest

import numpy as np
from sklearn.utils import get_tags

from sklearn_rnn._data.ragged import object_array
from sklearn_rnn._data.tokens import TokenArray

# Two classes in alternation, so that every part of the rows contains both. The features
# of the second are larger, so that two epochs are enough to separate them.
LENGTHS = (5, 3, 4, 6, 3, 5, 4, 6, 5, 3, 4, 6) * 2
CLASSES = np.arange(len(LENGTHS)) % 2
VOCABULARY_SIZE = 9
# Longer than the windows that forecasters read by default.
SERIES_LENGTHS = (44, 48, 46, 45, 47, 44, 46, 48)

_TEXTS = (
    "an owl, a hat",
    "bobo rode on!",
    "a cat",
    "otto took food",
    "anna ate a pea",
    "no, not so soon",
    "that mat",
    "lotto: oh no",
    "a man has a tan hand",
    "go on, too",
    "apart",
    "some old wood, or moss",
)
TEXTS = (*_TEXTS, *(" ".join(text.split()[::-1]) for text in _TEXTS))


def sequences(n_features=2, lengths=LENGTHS):
    """Make a list of (T_i, n_features) arrays."""
    rng = np.random.default_rng(0)
    return [
        rng.normal(size=(length, n_features)) + k % 2
        for k, length in enumerate(lengths)
    ]


def array(n_features=2):
    """Make an (n, 4, n_features) array."""
    return np.stack(sequences(n_features, lengths=[4] * len(LENGTHS)))


def table(n_features=4):
    """Make an (n, n_features) array."""
    return array(n_features)[:, 0]


def series(n_channels=2, lengths=SERIES_LENGTHS):
    """Make a list of (T_i, n_channels) arrays: random walks with a season of 4."""
    rng = np.random.default_rng(0)
    return [
        np.cumsum(rng.normal(size=(length, n_channels)), axis=0)
        + 3 * np.sin(np.pi * np.arange(length) / 2)[:, None]
        for length in lengths
    ]


def pad(X, n_steps):
    """Pad sequences with NaN to an (n, n_steps, F) array."""
    result = np.full((len(X), n_steps, X[0].shape[1]), np.nan)
    for row, x in zip(result, X, strict=True):
        row[: len(x)] = x
    return result


def tokens(vocabulary_size=VOCABULARY_SIZE):
    """Make codes of two classes that share some of them, padded on the right."""
    rng = np.random.default_rng(0)
    codes = rng.integers(4, vocabulary_size - 1, size=(len(LENGTHS), max(LENGTHS)))
    codes = codes + CLASSES[:, None]
    codes[np.arange(max(LENGTHS)) >= np.array(LENGTHS)[:, None]] = 0
    return TokenArray(codes, vocabulary_size)


def series_of(X):
    """Convert a list to a pandas Series with a descending index."""
    try:
        import pandas as pd
    except ImportError:
        raise SkipTest("pandas is not installed") from None
    return pd.Series(X, index=np.arange(len(X))[::-1] + 5)


NUMBERS = {"table": table, "3d": array, "ragged": sequences, "series": series}


def example(container):
    """Return 24 sequences in the container of that name, or 8 series."""
    if container == "tokens":
        return tokens()
    return list(TEXTS) if container == "text" else NUMBERS[container]()


def other_example(container):
    """Return as many sequences with other features or another vocabulary."""
    if container == "tokens":
        return tokens(VOCABULARY_SIZE + 4)
    if container == "text":
        return [text.upper()[::-1] + "?" for text in TEXTS]
    return NUMBERS[container](3)


def spoil_last(X, container):
    """Copy an example and make its last sequence invalid."""
    if container == "text":
        return [*X[:-1], None]
    if container == "tokens":
        X = X.copy()
        X[-1, 0] = X.vocabulary_size
        return X
    rows = [x.astype(object) for x in X]
    rows[-1][..., 0] = "text"
    return rows if container in ("ragged", "series") else np.stack(rows)


def targets(estimator, container="ragged"):
    """Return y for the example of a container.

    Labels for a classifier, texts for a translator, None for a forecaster, and numbers
    for any other estimator. With ``return_sequences``, y has one entry per step.
    """
    tags = get_tags(estimator)
    if container == "series":
        return None
    if tags.estimator_type == "classifier":
        y = CLASSES.copy()
    elif tags.estimator_type is None and tags.target_tags.required:
        return np.array(TEXTS[::-1])
    else:
        y = np.array([x[:, 0].mean() for x in sequences()])
    if not answers_each_step(estimator):
        return y
    if container == "text":
        raise SkipTest("y with one entry per step needs the token count of each text")
    return _repeat(y, container)


def answers_each_step(estimator):
    """Return whether ``return_sequences`` of the estimator, or inside it, is True."""
    parameters = estimator.get_params()
    return any(
        value is True
        for name, value in parameters.items()
        if name.rpartition("__")[2] == "return_sequences"
    )


def _repeat(y, container):
    """Repeat entries per step; every second step gets that of the neighboring row."""
    others = np.roll(y, 1)
    if container in ("3d", "table"):
        return np.stack([y, others, y, others], axis=1)
    return object_array(
        [
            np.where(np.arange(n) % 2, b, a)
            for a, b, n in zip(y, others, LENGTHS, strict=True)
        ]
    )
