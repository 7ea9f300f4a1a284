"""Time of fit and predict in this checkout and another one, in alternating processes.

    python benchmarks/bench_versions.py OTHER_CHECKOUT [--jobs fit predict goal]

The settings of fit and predict are those of bench_fit.py and bench_predict.py; goal is
the time that default fits on the names need for an accuracy of .80 on other names. One
thread. Ratios are seconds of this checkout divided by those of the other one; above 1,
this checkout is slower.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parents[1]
CALLS = 200
GOAL, MOST_EPOCHS = 0.80, 24
CELLS = ("rnn", "lstm", "gru")


def work():
    """Measure the jobs that are named on standard input, one per line."""
    import numpy as np
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


def measure_goal(cell):
    """Seconds of training, without scoring, until the accuracy is GOAL."""
    from sklearn.model_selection import train_test_split

    from sklearn_rnn import CharVectorizer, RNNClassifier
    from sklearn_rnn.datasets import load_names

    names, labels = load_names(return_X_y=True)
    codes = CharVectorizer().fit_transform(names)
    X, X_test, y, y_test = train_test_split(
        codes, labels, test_size=4500, stratify=labels, random_state=0
    )
    model = RNNClassifier(cell, max_epochs=1, warm_start=True, random_state=0)
    seconds = 0.0
    for _ in range(MOST_EPOCHS):
        started = time.perf_counter()
        model.fit(X, y)
        seconds += time.perf_counter() - started
        if model.score(X_test, y_test) >= GOAL:
            return seconds
    return None


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
    for job in (job for name in options.jobs for job in jobs[name]):
        repeats = 5 if job[0] == "goal" else 15
        seconds = {here: [], there: []}
        for worker in (here, there) if job[0] != "goal" else ():
            worker.time(*job)
        for k in range(repeats):  # alternate which one is first
            for worker in (here, there) if k % 2 else (there, here):
                seconds[worker].append(worker.time(*job))
        found = [s for s in zip(seconds[here], seconds[there], strict=True) if all(s)]
        if not found:
            print(f"{job[0]}: no accuracy of {GOAL} in {MOST_EPOCHS} epochs")
            continue
        ours, theirs = map(statistics.median, zip(*found, strict=True))
        name, cell, dtype = job
        measured = {"here": ours, "there": theirs, "ratio": ours / theirs}
        table.add(job=name, cell=cell, dtype=dtype, **measured)


if __name__ == "__main__":
    main()
