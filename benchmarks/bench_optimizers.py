"""Every named optimizer with default parameters, on four small jobs.

Accuracy (digits, names, embedded Reber strings) or R2 (a regression) on held-out rows,
means over seeds. A grid over ``optimizer`` is useful if none of them is much worse than
the best. With --choose, other splits and seeds are used, for each given learning rate.

    python benchmarks/bench_optimizers.py [--jobs digits,reber] [--seeds 3]
        [--optimizers adamw,sgd] [--choose 0.01 0.1] [--weight-decay 0.0]
"""

import argparse

import numpy as np
import torch
from _common import environment
from _results import Table
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from sklearn_rnn import CharVectorizer, RNNClassifier, RNNRegressor
from sklearn_rnn.datasets import load_names, make_embedded_reber

OPTIMIZERS = ("adamw", "adam", "rmsprop", "sgd")


def digits(seed):
    """Images of digits, read row by row."""
    X, y = load_digits(return_X_y=True)
    X = X.reshape(-1, 8, 8) / 16
    return RNNClassifier, *train_test_split(X, y, random_state=seed)


def names(seed):
    """The nationality of 3,000 names; 1,000 other names are for testing."""
    data = load_names()
    split = train_test_split(
        data.data, data.target, train_size=3000, test_size=1000, random_state=seed
    )
    return RNNClassifier, *split


def reber(seed):
    """Whether a string is legal in the embedded Reber grammar."""
    X, y = make_embedded_reber(3000, random_state=seed)
    return RNNClassifier, *train_test_split(X, y, test_size=1000, random_state=seed)


def regression(seed):
    """The sum of a sequence of 5 to 40 numbers, some of which are noise."""
    rng = np.random.default_rng(seed)
    X = [rng.normal(size=(length, 2)) for length in rng.integers(5, 41, size=600)]
    y = [x[:, 0].sum() + rng.normal() for x in X]
    return RNNRegressor, *train_test_split(X, y, random_state=seed)


JOBS = {"digits": digits, "names": names, "reber": reber, "regression": regression}


def judge(job, optimizer, seed, **settings):
    """Score on held-out rows of one fit."""
    kind, X, X_test, y, y_test = JOBS[job](seed)
    model = kind(optimizer=optimizer, random_state=seed, **settings)
    if isinstance(X[0], str):
        model = make_pipeline(CharVectorizer(), model)
    try:
        return model.fit(X, y).score(X_test, y_test)
    except ValueError as error:
        if "diverged" not in str(error):
            raise
        return np.nan


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", default=",".join(JOBS))
    parser.add_argument("--optimizers", default=",".join(OPTIMIZERS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--choose", nargs="*", type=float)
    parser.add_argument("--weight-decay", type=float)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(environment())
    first = 0 if options.choose is None else 100
    settings = [{"learning_rate": rate} for rate in options.choose or []] or [{}]
    if options.weight_decay is not None:
        settings = [{**s, "weight_decay": options.weight_decay} for s in settings]
    choosing = options.choose is not None or options.weight_decay is not None
    key = ("job", "optimizer", "learning_rate", "weight_decay")
    table = Table(__file__, "choice" if choosing else "scores", *key)
    for job in options.jobs.split(","):
        for optimizer in options.optimizers.split(","):
            for setting in settings:
                seeds = range(first, first + options.seeds)
                scores = [judge(job, optimizer, seed, **setting) for seed in seeds]
                table.add(
                    job=job,
                    optimizer=optimizer,
                    mean=float(np.mean(scores)),
                    lowest=min(scores),
                    highest=max(scores),
                    **setting,
                )


if __name__ == "__main__":
    main()
