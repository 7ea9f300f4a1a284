"""Boltzmann machines compared with BernoulliRBM: features, likelihood and time.

``--jobs modes held_out digits epochs likelihood`` selects parts; the last two need
mnist.npz in the data folder. The digits follow scikit-learn's gallery: shifted copies,
100 hidden units, logistic regression on their means. Epochs and C of both sides are
chosen on a fifth of the training rows.
"""

import argparse
import time
import warnings

import numpy as np
from _common import data_folder, environment, interleaved
from _results import Table
from scipy.ndimage import shift
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, ShuffleSplit, train_test_split
from sklearn.neural_network import BernoulliRBM
from sklearn.pipeline import Pipeline

from sklearn_rnn import BoltzmannMachine
from sklearn_rnn.datasets import load_letters


def shifted_digits():
    X, y = load_digits(return_X_y=True)
    images = X.reshape(-1, 8, 8) / 16
    moves = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)]
    X = np.concatenate([shift(images, (0, *move), order=0) for move in moves])
    return X.reshape(-1, 64).astype(np.float32), np.tile(y, len(moves))


def judge_digits(name):
    """Choose the settings of one kind of features, and score them on the test rows."""
    X, y = shifted_digits()
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
    machine = BoltzmannMachine(100, binarize=None, ais_steps=0, random_state=0)
    peer = BernoulliRBM(100, learning_rate=0.06, n_iter=10, random_state=0)
    features, grid = {
        "raw pixels": ("passthrough", {}),
        "BernoulliRBM": (peer, {"features__n_iter": [10, 20, 60]}),
        "BoltzmannMachine": (machine, {"features__max_epochs": [10, 20, 60]}),
    }[name]
    pipeline = Pipeline(
        [("features", features), ("classifier", LogisticRegression(max_iter=1000))]
    )
    grid = grid | {"classifier__C": [1, 100, 6000]}
    cv = ShuffleSplit(1, test_size=0.2, random_state=0)
    search = GridSearchCV(pipeline, grid, cv=cv).fit(X, y)
    print(search.best_params_)
    return {"validation": search.best_score_, "test": search.score(X_test, y_test)}


def bench_digits():
    table = Table(__file__, "digits", "features")
    for name in ("raw pixels", "BernoulliRBM", "BoltzmannMachine"):
        table.add(features=name, **judge_digits(name))


def pseudo_likelihood(machine, peer, X):
    """BernoulliRBM's score of the parameters of a machine."""
    peer.components_ = machine.components_
    peer.intercept_hidden_ = machine.intercept_hidden_
    peer.intercept_visible_ = machine.intercept_visible_
    return peer.score_samples(X).mean()


def log_likelihood(peer, machine, X):
    """Our score of the parameters of a BernoulliRBM."""
    learned = machine._state.average
    learned.components = peer.components_
    learned.hidden_bias = peer.intercept_hidden_
    learned.visible_bias = peer.intercept_visible_
    machine._set_fitted()
    return machine.score(X)


def mnist():
    """Training and test rows binarized at .5, or None without the data folder."""
    folder = data_folder()
    if folder is None:
        return None
    with np.load(folder / "mnist.npz") as arrays:
        return [
            (arrays[name].reshape(-1, 784) > 127).astype(np.float64)
            for name in ("X_train", "X_test")
        ]


def bench_epochs():
    data = mnist()
    if data is None:
        return
    table = Table(__file__, "epochs", "batch_size", "dtype")
    for batch_size in (10, 32, 100):
        for dtype in (np.float64, np.float32):
            X = data[0].astype(dtype)
            ours = BoltzmannMachine(
                100, batch_size=batch_size, max_epochs=1, ais_steps=0, random_state=0
            )
            peer = BernoulliRBM(100, batch_size=batch_size, n_iter=1, random_state=0)
            seconds = interleaved(
                3,
                ours=lambda ours=ours, X=X: ours.fit(X),
                peer=lambda peer=peer, X=X: peer.fit(X),
            )
            table.add(
                batch_size=batch_size,
                dtype=np.dtype(dtype).name,
                **seconds,
                ratio=seconds["ours"] / seconds["peer"],
            )


def bench_likelihood(n_epochs=20):
    data = mnist()
    if data is None:
        return
    X, X_test = (part.astype(np.float32) for part in data)
    started = time.perf_counter()
    ours = BoltzmannMachine(
        100, max_epochs=n_epochs, ais_steps=10_000, random_state=0
    ).fit(X)
    middle = time.perf_counter()
    peer = BernoulliRBM(
        100, learning_rate=0.01, batch_size=32, n_iter=n_epochs, random_state=0
    ).fit(X)
    ended = time.perf_counter()
    table = Table(__file__, "likelihood", "estimator")
    table.add(
        estimator="BoltzmannMachine",
        learning_rate=ours.learning_rate,
        log_likelihood=ours.score(X_test),
        pseudo_likelihood=pseudo_likelihood(ours, BernoulliRBM().fit(X[:9]), X_test),
        seconds=middle - started,  # with annealed importance sampling
    )
    table.add(
        estimator="BernoulliRBM",
        learning_rate=peer.learning_rate,
        log_likelihood=log_likelihood(peer, ours, X_test),
        pseudo_likelihood=peer.score_samples(X_test).mean(),
        seconds=ended - middle,
    )


def likelihoods(model, X, n_hidden):
    """Log-likelihood of each row: exact up to 20 hidden units, otherwise by AIS."""
    if isinstance(model, BernoulliRBM):
        holder = BoltzmannMachine(
            n_hidden, max_epochs=1, ais_steps=5000, random_state=0
        )
        holder.fit(X)
        log_likelihood(model, holder, X)
        model = holder
    return model.score_samples(X)


def make_sides(n_hidden, n_epochs, seed):
    """Our machine with default settings, and BernoulliRBM with several rates."""
    ours = {"n_hidden": n_hidden, "max_epochs": n_epochs, "ais_steps": 5000}
    sides = {"BoltzmannMachine": BoltzmannMachine(**ours, random_state=seed)}
    if n_hidden <= 10:  # small enough for the exact gradient
        sides["BoltzmannMachine, pcd"] = BoltzmannMachine(
            **ours, gradient="pcd", random_state=seed
        )
    for rate in (0.003, 0.01, 0.03, 0.1):
        sides[f"BernoulliRBM, rate {rate}"] = BernoulliRBM(
            n_hidden,
            learning_rate=rate,
            batch_size=32,
            n_iter=n_epochs,
            random_state=seed,
        )
    return sides


def bench_modes():
    """Separate patterns, whose probabilities Gibbs sampling alone does not learn."""
    data, target = load_letters(return_X_y=True)
    letters = data[[list(target).index(name) for name in "JLMQT"]].astype(float)
    X = np.repeat(letters, 40, axis=0)
    table = Table(__file__, "modes", "n_hidden", "estimator")
    for n_hidden in (8, 20, 64):
        results = {}
        for seed in (30, 31, 32):
            for name, model in make_sides(n_hidden, 500, seed).items():
                scores = likelihoods(model.fit(X), letters, n_hidden)
                results.setdefault(name, []).append(
                    (scores.mean(), scores.min() - scores.max())
                )
        for name, values in results.items():
            means, gaps = np.transpose(values)
            table.add(
                n_hidden=n_hidden, estimator=name, mean=means.mean(), gap=-gaps.min()
            )


def bench_held_out():
    """Exact log-likelihood of new digits."""
    X = (load_digits().data > 7).astype(np.float64)
    table = Table(__file__, "held_out", "n_epochs", "estimator")
    for n_epochs in (20, 100):
        results = {}
        for seed in (10, 11, 12):
            train, test = train_test_split(X, test_size=0.2, random_state=seed)
            for name, model in make_sides(20, n_epochs, seed).items():
                score = likelihoods(model.fit(train), test, 20).mean()
                results.setdefault(name, []).append(score)
        for name, values in results.items():
            table.add(n_epochs=n_epochs, estimator=name, nats=np.mean(values))


JOBS = {
    "modes": bench_modes,
    "held_out": bench_held_out,
    "digits": bench_digits,
    "epochs": bench_epochs,
    "likelihood": bench_likelihood,
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=list(JOBS))
    jobs = parser.parse_known_args()[0].jobs
    warnings.simplefilter("ignore", ConvergenceWarning)
    print(environment())
    for job in jobs:
        JOBS[job]()


if __name__ == "__main__":
    main()
