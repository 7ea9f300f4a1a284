"""Fits and searches that are killed and continue from checkpoints, and their cost.

``kill``: a fit is killed by SIGKILL at a random time and repeated in a new process. The
repeated fit has to give the weights, losses and predictions of an uninterrupted fit,
bit for bit. ``grid``: a GridSearchCV of 24 fits is killed after half of them and run
again; of five such runs, the one with the median share of the time counts.
``halving``: HalvingGridSearchCV over ``max_epochs``, with and without checkpoints, and
the share of epochs that must be trained. ``overhead``: a fit whose state is written
after each epoch of about half a second. The fits of the first two parts run in new
processes, which are forked after the libraries are imported.
"""

import argparse
import hashlib
import multiprocessing
import os
import shutil
import signal
import tempfile
import time
import warnings

import numpy as np
import torch
from _results import Table
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV

from sklearn_rnn import (
    BoltzmannMachine,
    RNNClassifier,
    RNNForecaster,
    SequenceGenerator,
    SequenceTranslator,
)
from sklearn_rnn._training import estimator
from sklearn_rnn._training.checkpoints import NetCheckpoints
from sklearn_rnn._training.net import RecurrentNet

TRIES = 20
FORK = multiprocessing.get_context("fork")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(600, 40, 2)).astype(np.float32)
Y = X[:, :, 0].sum(axis=1) > 0
TEXTS = ["".join(RNG.choice(list("abcd"), 8)) for _ in range(400)]
SERIES = np.sin(np.arange(300) / 3) + RNG.normal(0, 0.3, 300)
BITS = RNG.integers(0, 2, (2000, 64)).astype(float)
# The training of each takes about a second.
FITS = {
    "classifier": (RNNClassifier("gru", 24, dropout=0.1, max_epochs=15), (X, Y)),
    "generator": (
        SequenceGenerator(hidden_size=48, dropout=0.1, max_epochs=15),
        (" ".join(TEXTS * 4),),
    ),
    "translator": (
        SequenceTranslator(hidden_size=24, teacher_forcing=0.7, max_epochs=10),
        (TEXTS, [text[::-1] for text in TEXTS]),
    ),
    "forecaster": (
        RNNForecaster("gru", 16, window=16, horizon=4, max_epochs=8),
        (SERIES,),
    ),
    "Boltzmann machine": (BoltzmannMachine(48, max_epochs=25), (BITS,)),
}


def make(name, folder=None, every=0.05):
    """The estimator of a fit with its checkpoints, and its data."""
    model, data = FITS[name]
    model.set_params(random_state=0, checkpoint=folder, checkpoint_every=every)
    return model, data


def describe(name, model, data):
    """A hash of what the fit has learned and predicts."""
    found = hashlib.sha256(repr(model.loss_curve_).encode())
    if name == "generator":
        answers = [model.generate(n_tokens=50, random_state=0)]
    elif name == "forecaster":
        answers = [model.predict(), model.predict_interval()]
    elif name == "Boltzmann machine":
        answers = [model.transform(data[0]), model.components_]
    else:
        answers = [model.predict(data[0][:20])]
    if hasattr(model, "module_"):
        answers += [p.detach().numpy() for p in model.module_.parameters()]
    for answer in answers:
        is_array = isinstance(answer, np.ndarray) and answer.dtype != object
        found.update(answer.tobytes() if is_array else repr(answer).encode())
    return found.hexdigest()


def fit_and_describe(queue, name, folder):
    started = time.perf_counter()
    model, data = make(name, folder)
    model.fit(*data)
    seconds = time.perf_counter() - started
    queue.put((describe(name, model, data), seconds))


def run_in_process(job, *arguments, kill_after=None):
    """The result and the seconds of a job in a new process; None if it is killed."""
    queue = FORK.SimpleQueue()
    process = FORK.Process(target=job, args=(queue, *arguments))
    process.start()
    process.join(kill_after)
    if kill_after is not None and process.is_alive():
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        return None
    result = queue.get()
    process.join()
    return result


def measure_kills(names):
    table = Table(__file__, "kill", "estimator")
    for name in names:
        expected, seconds = run_in_process(fit_and_describe, name, None)
        n_equal = n_killed = n_with_state = 0
        while n_killed < TRIES:
            folder = tempfile.mkdtemp()
            after = RNG.uniform(0, seconds)
            if run_in_process(fit_and_describe, name, folder, kill_after=after) is None:
                n_killed += 1
                n_with_state += len(os.listdir(folder)) > 0
                again, _ = run_in_process(fit_and_describe, name, folder)
                n_equal += again == expected
            shutil.rmtree(folder)
        table.add(
            estimator=name,
            seconds=seconds,
            killed=n_killed,
            with_state=n_with_state,
            equal=n_equal,
        )


# ---------------------------------------------------------------- searches


def search_grid(queue, folder):
    """Run a grid search of 24 fits of about a second."""
    model = RNNClassifier(
        "gru", max_epochs=12, random_state=0, checkpoint=folder, checkpoint_every=1.0
    )
    grid = {"hidden_size": [16, 24, 32, 40], "learning_rate": [0.005, 0.02]}
    started = time.perf_counter()
    search = GridSearchCV(model, grid, cv=3, refit=False).fit(X, Y)
    seconds = time.perf_counter() - started
    queue.put((search.cv_results_["mean_test_score"].tolist(), seconds))


def measure_grid(n_runs=5):
    table, rows = Table(__file__, "grid", "fits"), []
    for _ in range(n_runs):
        folder = tempfile.mkdtemp()
        process = FORK.Process(target=search_grid, args=(FORK.SimpleQueue(), folder))
        process.start()
        while sum("-end" in name for name in os.listdir(folder)) < 12:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        scores, rest = run_in_process(search_grid, folder)
        expected, seconds = run_in_process(search_grid, None)
        shutil.rmtree(folder)
        rows.append((rest / seconds, rest, seconds, scores == expected))
    share, rest, seconds, _ = sorted(rows)[n_runs // 2]
    table.add(
        fits=24,
        seconds=seconds,
        seconds_after_kill=rest,
        share=share,
        equal=all(row[3] for row in rows),
    )


class Stopwatch:
    """Sums the time of the calls of functions."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.seconds, self.n_calls = 0.0, 0

    def watch(self, owner, name):
        function = getattr(owner, name)

        def watched(*args, **params):
            started = time.perf_counter()
            try:
                return function(*args, **params)
            finally:
                self.seconds += time.perf_counter() - started
                self.n_calls += 1

        setattr(owner, name, watched)


def search_halving(factor, n_candidates, smallest, folder):
    """Run a halving search over the number of epochs."""
    model = RNNClassifier(
        "gru", batch_size=8, n_iter_no_change=1000, random_state=0, checkpoint=folder
    )
    rates = np.geomspace(0.002, 0.05, n_candidates).tolist()
    search = HalvingGridSearchCV(
        model,
        {"learning_rate": rates},
        resource="max_epochs",
        factor=factor,
        min_resources=smallest,
        max_resources=smallest * n_candidates,
        cv=2,
        refit=False,
        return_train_score=False,
        random_state=0,
    ).fit(X, Y)
    return search.cv_results_["mean_test_score"].tolist()


def measure_halving(repeats=3):
    """Time of searches with and without checkpoints.

    The speed of a shared machine changes from minute to minute. The share at equal
    speed therefore assumes the same time of an epoch in all searches.
    """
    table = Table(__file__, "halving", "factor")
    watch = Stopwatch()
    watch.watch(RecurrentNet, "_run_epoch")
    for factor, *sizes in ((2, 8, 3), (3, 9, 3)):
        seconds, others, n_epochs, found = {}, {}, {}, {}
        epochs = []
        for name in ("plain", "stored") * repeats:
            folder = tempfile.mkdtemp()
            watch.reset()
            started = time.perf_counter()
            given = folder if name == "stored" else None
            found[name] = search_halving(factor, *sizes, given)
            elapsed = time.perf_counter() - started
            shutil.rmtree(folder)
            seconds[name] = min(elapsed, seconds.get(name, np.inf))
            others[name] = min(elapsed - watch.seconds, others.get(name, np.inf))
            n_epochs[name] = watch.n_calls
            epochs.append(watch.seconds / watch.n_calls)
        epoch = float(np.median(epochs))
        plain, stored = (others[k] + n_epochs[k] * epoch for k in ("plain", "stored"))
        table.add(
            factor=factor,
            candidates=sizes[0],
            seconds=seconds["plain"],
            seconds_with_checkpoints=seconds["stored"],
            share=seconds["stored"] / seconds["plain"],
            share_at_equal_speed=stored / plain,
            share_of_epochs=n_epochs["stored"] / n_epochs["plain"],
            equal=found["plain"] == found["stored"],
        )


# ---------------------------------------------------------------- overhead


def measure_overhead():
    """Time of the checkpoints as a share of the rest of the same fit."""
    n_epochs = 8
    text = "".join(RNG.choice(list("abcdefgh "), 60_000))
    model = SequenceGenerator(hidden_size=192, max_epochs=n_epochs, random_state=0)
    watch = Stopwatch()
    watch.watch(estimator, "open_checkpoints")
    watch.watch(NetCheckpoints, "resume")
    watch.watch(NetCheckpoints, "save")
    table = Table(__file__, "overhead", "every")
    for every in (1, 10.0):
        folder = tempfile.mkdtemp()
        watch.reset()
        started = time.perf_counter()
        model.set_params(checkpoint=folder, checkpoint_every=every).fit(text)
        rest = time.perf_counter() - started - watch.seconds
        (file,) = os.listdir(folder)
        table.add(
            every=every,
            seconds_per_epoch=rest / n_epochs,
            overhead=watch.seconds / rest,
            megabytes=os.path.getsize(os.path.join(folder, file)) / 1e6,
        )
        shutil.rmtree(folder)


JOBS = {
    "kill": measure_kills,
    "grid": measure_grid,
    "halving": measure_halving,
    "overhead": measure_overhead,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=list(JOBS))
    parser.add_argument("--fits", nargs="+", choices=FITS, default=list(FITS))
    options = parser.parse_args()
    torch.set_num_threads(1)  # several threads would not survive a fork
    warnings.simplefilter("ignore")  # fits are short
    for name in options.jobs:
        JOBS[name](*([options.fits] if name == "kill" else []))


if __name__ == "__main__":
    main()
