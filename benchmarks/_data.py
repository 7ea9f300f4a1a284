"""Loaders for the data folder that several scripts share.

Each takes the folder and returns ``X, X_test, y, y_test`` unless its docstring differs.
"""

import csv
import gzip

import numpy as np
from sklearn.model_selection import train_test_split

from sklearn_rnn import sliding_windows
from sklearn_rnn.datasets import load_names


def load_mnist(folder, dtype=np.float32):
    """Images as sequences of rows: (n, 28, 28) in [0, 1], labels 0 to 9."""
    with np.load(folder / "mnist.npz") as data:
        X, X_test = (
            (data[f"X_{part}"].reshape(-1, 28, 28) / 255).astype(dtype)
            for part in ("train", "test")
        )
        return X, X_test, data["y_train"].astype(int), data["y_test"].astype(int)


def load_series(name, folder, dtype=np.float32):
    """Official split of a dataset, as lists of (T_i, F) arrays."""
    with np.load(folder / f"{name}.npz") as data:
        parts = []
        for part in ("train", "test"):
            values = data[f"values_{part}"].astype(dtype)
            values = values.reshape(len(values), -1)
            ends = np.cumsum(data[f"lengths_{part}"])[:-1]
            parts.append(np.split(values, ends))
        return *parts, data["y_train"], data["y_test"]


def load_sunspots(folder, window=22):
    """Two cycles of yearly sunspots and the next year; a fifth at the end for tests."""
    series = _column(folder / "sunspots.csv")
    return _chronological(*sliding_windows(series, window))


def load_co2(folder, window=52):
    """A year of weekly CO2, and the next week, both relative to the last known week.

    Gaps are filled with the last known value. The last fifth is for testing.
    """
    series = _column(folder / "co2.csv")
    known = np.maximum.accumulate(np.where(np.isnan(series), 0, np.arange(len(series))))
    X, y = sliding_windows(series[known], window)
    last = X[:, -1:]
    return _chronological(X - last, y - last.reshape(y.shape))


def _column(path):
    return np.genfromtxt(path, delimiter=",", skip_header=1, usecols=1)


def _chronological(X, y):
    edge = round(0.8 * len(X))
    return X[:edge], X[edge:], y[:edge], y[edge:]


def load_name_split(folder):
    names = load_names()
    return train_test_split(
        names.data, names.target, test_size=4500, stratify=names.target, random_state=0
    )


def load_movie(folder):
    """Film review snippets and whether they are positive; neutral ones are left out."""
    with open(folder / "movie_snippets.tsv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    scores = np.array([float(row["score"]) for row in rows])
    texts = np.array([row["text"] for row in rows], dtype=object)
    praise = scores[scores != 0] > 0
    return train_test_split(
        texts[scores != 0], praise, test_size=0.2, stratify=praise, random_state=0
    )


def load_sms(folder):
    """Text messages without duplicates, "ham" or "spam"; a fifth is for testing."""
    with open(folder / "sms_spam.tsv", encoding="utf-8") as file:
        rows = dict.fromkeys(line.rstrip("\n") for line in file)
    y, X = zip(*(row.split("\t", 1) for row in rows), strict=True)
    X, y = np.array(X, dtype=object), np.array(y)
    return train_test_split(X, y, test_size=0.2, stratify=y, random_state=0)


def load_pronunciations(folder):
    """Words and their phonemes, separated by spaces; 2,000 words are for testing."""
    with open(folder / "pronunciations.tsv", encoding="utf-8") as file:
        X, y = zip(*(line.rstrip("\n").split("\t") for line in file), strict=True)
    return train_test_split(X, y, test_size=2000, random_state=0)


def load_phrases(folder):
    """English interface phrases and their French translations; 10,000 for training."""
    with open(folder / "phrases_en_fr.tsv", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    X, y = zip(*(row for row in rows if len(row) == 2 and all(row)), strict=True)
    return train_test_split(X, y, train_size=10_000, random_state=0)


def load_brown(folder):
    """Words and base tags of all sentences, returned as ``X, y`` without a split."""
    words, tags = [], []
    with gzip.open(folder / "brown_tagged.txt.gz", "rt", encoding="utf-8") as file:
        for line in file:
            tokens = [
                token.rpartition("/")
                for token in line.rstrip("\n").split("\t")[-1].split()
            ]
            if tokens:
                words.append([word for word, _, _ in tokens])
                tags.append([base_tag(tag) for _, _, tag in tokens])
    return words, tags


def base_tag(tag):
    """The tag in lower case, up to the first hyphen, without asterisks."""
    tag = tag.lower()
    return tag if tag == "*" else tag.replace("*", "").split("-")[0] or tag
