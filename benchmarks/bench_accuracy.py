"""Accuracy on five jobs with tuned and default parameters, compared with a peer.

The scripts report mean, minimum and maximum over seeds. The split into training and
test set is fixed. Tuned settings were chosen with --choose on rows held out of the
training set (other rows for each seed), before the test set was used. Each row is one
network, without ensembles.

    python benchmarks/bench_accuracy.py --data FOLDER [--jobs names,movie] [--seeds 5]
        [--rows peer,tuned,defaults] [--choose]
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from _classical import moments
from _common import data_folder, environment
from _data import load_mnist, load_movie, load_name_split, load_series
from _results import Table
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC
from torch import nn

from sklearn_rnn import (
    CharVectorizer,
    RNNClassifier,
    StepwiseTransformer,
    WordVectorizer,
)


@dataclass(frozen=True)
class Job:
    """Data and functions of a seed that create models; share held out by --choose."""

    load: Callable[..., tuple]  # folder -> X, X_test, y, y_test
    held_out: float
    peer: Callable[[int], Any]
    tuned: Callable[[int], Any]
    defaults: Callable[[int], Any]


class PlainLoop(ClassifierMixin, BaseEstimator):
    """Typical code of a torch user: an LSTM, a linear layer, Adam, shuffled batches."""

    def __init__(self, seed):
        self.seed = seed

    def fit(self, X, y):
        torch.manual_seed(self.seed)
        self.classes_ = np.unique(y)
        self.lstm_ = nn.LSTM(X.shape[2], 128, batch_first=True)
        self.head_ = nn.Linear(128, len(self.classes_))
        parameters = [*self.lstm_.parameters(), *self.head_.parameters()]
        optimizer = torch.optim.Adam(parameters, lr=1e-3)
        X, y = torch.from_numpy(X), torch.from_numpy(y).long()
        for _ in range(10):
            for rows in torch.randperm(len(X)).split(64):
                loss = nn.functional.cross_entropy(self._logits(X[rows]), y[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        return self

    def predict(self, X):
        with torch.inference_mode():
            parts = [self._logits(part) for part in torch.from_numpy(X).split(256)]
        return self.classes_[torch.cat(parts).argmax(1).numpy()]

    def _logits(self, X):
        return self.head_(self.lstm_(X)[0][:, -1])


# ---------------------------------------------------------------------- models


def trigrams(name):
    """Each character with both neighbors; the ends of the name are marked."""
    name = f"^{name}$"
    return [name[i : i + 3] for i in range(len(name) - 2)]


def scaled(**settings):
    scaler = StepwiseTransformer(StandardScaler())
    return lambda seed: make_pipeline(
        scaler, RNNClassifier(random_state=seed, **settings)
    )


# The tuned settings were chosen while these were the defaults.
BEFORE = {"scaling": False, "weight_decay": 0.1, "n_iter_no_change": 20}
MNIST = BEFORE | {
    "batch_size": 64,
    "learning_rate": 0.003,
    "learning_rate_schedule": "cosine",
    "max_epochs": 10,
    "weight_decay": 0.01,
}


def plain(*before, **settings):
    return lambda seed: make_pipeline(
        *before, RNNClassifier(random_state=seed, **settings)
    )


JOBS = {
    "italy": Job(
        lambda folder: load_series("italy_power_demand", folder),
        held_out=0.4,
        peer=lambda seed: make_pipeline(
            FunctionTransformer(lambda X: np.stack(X)[:, :, 0]), KNeighborsClassifier(1)
        ),
        tuned=plain(cell="rnn", learning_rate=0.005, max_epochs=50, **BEFORE),
        defaults=plain(),
    ),
    "vowels": Job(
        lambda folder: load_series("japanese_vowels", folder),
        held_out=0.4,
        peer=lambda seed: make_pipeline(
            FunctionTransformer(moments), StandardScaler(), LogisticRegression()
        ),
        tuned=scaled(
            hidden_size=128,
            bidirectional=True,
            dropout=0.5,
            pooling="mean",
            learning_rate=0.005,
            max_epochs=50,
            **BEFORE,
        ),
        defaults=plain(),
    ),
    "names": Job(
        load_name_split,
        held_out=0.2,
        peer=lambda seed: make_pipeline(
            TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3), sublinear_tf=True),
            LinearSVC(),
        ),
        tuned=plain(
            CharVectorizer(tokenizer=trigrams, min_df=2),
            bidirectional=True,
            dropout=0.5,
            batch_size=64,
            learning_rate=0.005,
            max_epochs=10,
            **BEFORE,
        ),
        defaults=plain(CharVectorizer()),
    ),
    "movie": Job(
        load_movie,
        held_out=0.2,
        peer=lambda seed: make_pipeline(
            TfidfVectorizer(), LogisticRegression(max_iter=1000)
        ),
        tuned=plain(
            WordVectorizer(), dropout=0.5, learning_rate=0.005, max_epochs=9, **BEFORE
        ),
        defaults=plain(WordVectorizer()),
    ),
    "mnist": Job(
        load_mnist,
        held_out=1 / 6,
        peer=PlainLoop,
        tuned=plain(cell="lstm", hidden_size=128, **MNIST),
        defaults=plain(),
    ),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data")
    parser.add_argument("--jobs", default=",".join(JOBS))
    parser.add_argument("--rows", default="peer,tuned,defaults")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--choose", action="store_true")
    options = parser.parse_args()
    folder = data_folder()
    if folder is None:
        return
    torch.set_num_threads(1)
    print(environment())
    part = "validation" if options.choose else "test"
    table = Table(__file__, part, "job", "model")
    for name in options.jobs.split(","):
        for row in options.rows.split(","):
            seeds = 1 if row == "peer" and not options.choose else options.seeds
            outcomes = [
                measured(name, row, s, folder, options.choose) for s in range(seeds)
            ]
            table.add(job=name, model=row, **summarize(outcomes))


def measured(name, row, seed, folder, choose):
    """Accuracy of one fit, and its seconds."""
    job = JOBS[name]
    X, X_test, y, y_test = job.load(folder)
    if choose:
        X, X_test, y, y_test = train_test_split(
            X, y, test_size=job.held_out, stratify=y, random_state=seed
        )
    model = getattr(job, row)(seed)
    started = time.perf_counter()
    model.fit(X, y)
    return model.score(X_test, y_test), time.perf_counter() - started


def summarize(outcomes):
    """Mean and range of the accuracies, and seconds per fit."""
    accuracy, seconds = np.array(outcomes).T
    return {
        "mean": accuracy.mean(),
        "lowest": accuracy.min(),
        "highest": accuracy.max(),
        "n_seeds": len(accuracy),
        "seconds": np.median(seconds),
    }


if __name__ == "__main__":
    main()
