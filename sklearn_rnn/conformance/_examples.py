"""The small sequences that the checks fit on, in every container."""

from unittest import SkipTest

import numpy as np
from sklearn.utils import get_tags

from sklearn_rnn._data.tokens import TokenArray

# Two classes in turn, so that every part of the rows holds both; the features of the
# second are larger, so that two epochs tell them apart.
LENGTHS = (5, 3, 4, 6, 3, 5, 4, 6, 5, 3, 4, 6) * 2
CLASSES = np.arange(len(LENGTHS)) % 2
VOCABULARY_SIZE = 9

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
    """A list of (T_i, n_features) arrays."""
    rng = np.random.default_rng(0)
    return [
        rng.normal(size=(length, n_features)) + k % 2
        for k, length in enumerate(lengths)
    ]


def array(n_features=2):
    """An (n, 4, n_features) array."""
    return np.stack(sequences(n_features, lengths=[4] * len(LENGTHS)))


def pad(X, n_steps):
    """Sequences as an (n, n_steps, F) array, padded with NaN."""
    result = np.full((len(X), n_steps, X[0].shape[1]), np.nan)
    for row, x in zip(result, X, strict=True):
        row[: len(x)] = x
    return result


def tokens(vocabulary_size=VOCABULARY_SIZE):
    """Codes of two classes that share only some, padded on the right."""
    rng = np.random.default_rng(0)
    codes = rng.integers(4, vocabulary_size - 1, size=(len(LENGTHS), max(LENGTHS)))
    codes = codes + CLASSES[:, None]
    codes[np.arange(max(LENGTHS)) >= np.array(LENGTHS)[:, None]] = 0
    return TokenArray(codes, vocabulary_size)


def series_of(X):
    """A list as a pandas Series, whose index is not its order."""
    try:
        import pandas as pd
    except ImportError:
        raise SkipTest("pandas is not installed") from None
    return pd.Series(X, index=np.arange(len(X))[::-1] + 5)


def example(container):
    """24 sequences in the container of that name."""
    if container == "text":
        return list(TEXTS)
    return {"3d": array, "ragged": sequences, "tokens": tokens}[container]()


def other_example(container):
    """24 sequences that look otherwise: more features, or another vocabulary."""
    if container == "tokens":
        return tokens(VOCABULARY_SIZE + 4)
    if container == "text":
        return [text.upper()[::-1] + "?" for text in TEXTS]
    return {"3d": array, "ragged": sequences}[container](n_features=3)


def targets(estimator):
    """Labels for a classifier, texts for a translator, numbers for anything else."""
    tags = get_tags(estimator)
    if tags.estimator_type == "classifier":
        return CLASSES.copy()
    if tags.estimator_type is None and tags.target_tags.required:
        return np.array(TEXTS[::-1])
    return np.array([x[:, 0].mean() for x in sequences()])
