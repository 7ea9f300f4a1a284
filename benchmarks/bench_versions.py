"""Time of fit and predict in this checkout and another one, in alternating processes.

    python benchmarks/bench_versions.py OTHER_CHECKOUT

The settings are those of bench_fit.py and bench_predict.py, on one thread. Ratios are
seconds of this checkout divided by those of the other one; above 1, this checkout is
slower.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parents[1]
CALLS = 200
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
    if len(sys.argv) != 2 or not (Path(sys.argv[1]) / "sklearn_rnn").is_dir():
        print("skipped: name another checkout, whose package is compared with this one")
        return
    here, there = Worker(HERE), Worker(Path(sys.argv[1]).resolve())
    jobs = [("fit", cell, t) for t in ("float32", "float64") for cell in CELLS]
    jobs += [("predict", cell, "float32") for cell in CELLS]
    from _results import Table  # which imports torch

    table = Table(__file__, "seconds", "job", "cell", "dtype")
    for job in jobs:
        seconds = {here: [], there: []}
        for worker in (here, there):
            worker.time(*job)
        for k in range(15):  # alternate which one is first
            for worker in (here, there) if k % 2 else (there, here):
                seconds[worker].append(worker.time(*job))
        ours, theirs = (statistics.median(seconds[w]) for w in (here, there))
        name, cell, dtype = job
        seconds = {"here": ours, "there": theirs, "ratio": ours / theirs}
        table.add(job=name, cell=cell, dtype=dtype, **seconds)


if __name__ == "__main__":
    main()
