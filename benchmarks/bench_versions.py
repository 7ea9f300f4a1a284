"""Time of fit and predict in this checkout and another one, in alternating processes.

    python benchmarks/bench_versions.py OTHER_CHECKOUT [--jobs fit predict goal]

The settings of fit and predict are those of bench_fit.py and bench_predict.py; goal is
the time of default fits on the names whose number of epochs is the smallest that leads
to an accuracy of .80 on other names. One thread. Ratios are seconds of this checkout
divided by those of the other one; above 1, this checkout is slower.
"""

import argparse
import json
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import numpy as np

HERE = Path(__file__).parents[1]
CALLS = 200
GOAL, MOST_EPOCHS = 0.80, 24
CELLS = ("rnn", "lstm", "gru")


def work():
    """Measure the jobs that are named on standard input, one per line."""
    import torch

    from sklearn_rnn import RNNClassifier

    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(1024, 40, 8)), rng.integers(0, 3, 1024)
    models = {}
    for line in sys.stdin:
        job, cell, dtype = json.loads(line)
        data = X.astype(dtype)
        if job == "goal":
            print(json.dumps(measure_goal(cell)), flush=True)
            continue
        if job == "fit":
            model = RNNClassifier(
                cell,
                pooling="last",
                max_epochs=2,
                batch_size=32,
                precision=dtype,
                random_state=0,
            )
            started = time.perf_counter()
            model.fit(data, y)
        else:
            if (cell, dtype) not in models:
                model = RNNClassifier(
                    cell, pooling="last", max_epochs=1, precision=dtype
                )
                models[cell, dtype] = model.fit(data[:64], y[:64])
            model, one = models[cell, dtype], data[:1]
            started = time.perf_counter()
            for _ in range(CALLS):
                model.predict(one)
        print(json.dumps(time.perf_counter() - started), flush=True)


def load_split():
    """Codes and labels of the names, of which 4,500 are held out."""
    from sklearn.model_selection import train_test_split

    from sklearn_rnn import CharVectorizer
    from sklearn_rnn.datasets import load_names

    names, labels = load_names(return_X_y=True)
    codes = CharVectorizer().fit_transform(names)
    split = {"test_size": 4500, "stratify": labels, "random_state": 0}
    return train_test_split(codes, labels, **split)


@cache
def find_epochs(cell):
    """The smallest number of epochs that reaches GOAL, by bisection."""
    few, many = 0, MOST_EPOCHS
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if reaches_goal(cell, middle) else (middle, many)
    return many


def reaches_goal(cell, epochs):
    model, data = make_model(cell, epochs), load_split()
    return model.fit(*data[::2]).score(*data[1::2]) >= GOAL


def make_model(cell, epochs):
    from sklearn_rnn import RNNClassifier

    return RNNClassifier(cell, max_epochs=epochs, random_state=0)


def measure_goal(cell):
    """Seconds of a fit with as many epochs as the accuracy GOAL needs, and the epochs.

    All other parameters have their default values.
    """
    epochs = find_epochs(cell)
    model, (X, _, y, _) = make_model(cell, epochs), load_split()
    started = time.perf_counter()
    model.fit(X, y)
    return time.perf_counter() - started, epochs


class Worker:
    """A process that imports the package of one checkout."""

    def __init__(self, checkout):
        code = f"import sys; sys.path.insert(0, {str(checkout)!r}); "
        code += f"sys.path.append({str(HERE / 'benchmarks')!r}); "
        code += "from bench_versions import work; work()"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def time(self, *job):
        self.process.stdin.write(json.dumps(job) + "\n")
        return json.loads(self.process.stdout.readline())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", nargs="?", type=Path)
    parser.add_argument("--jobs", nargs="*", default=["fit", "predict"])
    options = parser.parse_args()
    if options.checkout is None or not (options.checkout / "sklearn_rnn").is_dir():
        print("skipped: name another checkout, whose package is compared with this one")
        return
    here, there = Worker(HERE), Worker(options.checkout.resolve())
    jobs = {
        "fit": [("fit", cell, t) for t in ("float32", "float64") for cell in CELLS],
        "predict": [("predict", cell, "float32") for cell in CELLS],
        "goal": [("goal", "gru", "float32")],
    }
    from _results import Table  # which imports torch

    table = Table(__file__, "seconds", "job", "cell", "dtype")
    for job in (job for name in options.jobs if name != "goal" for job in jobs[name]):
        ours, theirs = compare(here, there, job, 15)
        name, cell, dtype = job
        measured = {"here": ours, "there": theirs, "ratio": ours / theirs}
        table.add(job=name, cell=cell, dtype=dtype, **measured)
    if "goal" in options.jobs:
        for job in jobs["goal"]:
            compare_goals(here, there, job)


def compare(here, there, job, repeats):
    """Medians of both checkouts, whose measurements take turns."""
    seconds = {here: [], there: []}
    for worker in (here, there):
        worker.time(*job)
    for k in range(repeats):  # alternate which one is first
        for worker in (here, there) if k % 2 else (there, here):
            seconds[worker].append(worker.time(*job))
    return [np.median(seconds[worker], axis=0).tolist() for worker in (here, there)]


def compare_goals(here, there, job):
    from _results import Table

    (ours, our_epochs), (theirs, their_epochs) = compare(here, there, job, 3)
    Table(__file__, "goal", "cell").add(
        cell=job[1],
        here=ours,
        there=theirs,
        ratio=ours / theirs,
        epochs_here=int(our_epochs),
        epochs_there=int(their_epochs),
        ratio_of_epoch=ours / our_epochs / (theirs / their_epochs),
    )


if __name__ == "__main__":
    main()
