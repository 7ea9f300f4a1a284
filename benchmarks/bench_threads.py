"""Work from which more threads are faster, for the constants of _core/threads.py.

The table ``fit`` is one training pass over batches of 32 and 128 sequences of 30 steps,
with one thread and with all cores, by hidden size. The work is the number of
multiply-adds per step. The table ``predict`` is a prediction, whose batches are
computed in parallel. The work is the number of multiply-adds in all.
"""

import os

import numpy as np
import torch
from _common import environment, interleaved
from _results import Table

from sklearn_rnn import RNNClassifier
from sklearn_rnn._core import threads


def call_with(n_threads, call, *data):
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        call(*data)
    finally:
        torch.set_num_threads(before)


def measure_predictions(X, y):
    cores = os.cpu_count()
    table = Table(__file__, "predict", "cell", "hidden", "rows")
    for cell in ("rnn", "lstm", "gru"):
        for hidden in (32, 64, 128, 256):
            model = RNNClassifier(cell, hidden, max_epochs=1).fit(X[:32], y[:32])
            for n_rows in (512, 4096):
                many = np.resize(X, (n_rows, *X.shape[1:]))
                took = interleaved(
                    5,
                    one=lambda: call_with(1, model.predict, many),  # noqa: B023
                    all=lambda: call_with(cores, model.predict, many),  # noqa: B023
                )
                table.add(
                    cell=cell,
                    hidden=hidden,
                    rows=n_rows,
                    work=model._count_operations(n_rows * X.shape[1]),
                    **took,
                    ratio=took["all"] / took["one"],
                )


def main():
    limits = threads.WORK_WORTH_THREADS, threads.PREDICTION_WORTH_THREADS
    print(environment(), "thresholds {:,} and {:,}".format(*limits))
    threads.WORK_WORTH_THREADS = 0  # keep the number set below
    threads.PREDICTION_WORTH_THREADS = 0
    cores = os.cpu_count()
    rng = np.random.default_rng(0)
    X = rng.normal(size=(512, 30, 16)).astype(np.float32)
    y = rng.integers(0, 3, 512)
    measure_predictions(X, y)
    table = Table(__file__, "fit", "cell", "hidden", "batch")
    for cell in ("lstm", "gru"):
        for hidden in (32, 64, 128, 256):
            for batch in (32, 128):
                model = RNNClassifier(cell, hidden, batch_size=batch, max_epochs=1)
                work = model._count_operations(batch)
                took = interleaved(
                    3,
                    one=lambda: call_with(1, model.fit, X, y),  # noqa: B023
                    all=lambda: call_with(cores, model.fit, X, y),  # noqa: B023
                )
                table.add(
                    cell=cell,
                    hidden=hidden,
                    batch=batch,
                    work=work,
                    **took,
                    ratio=took["all"] / took["one"],
                )


if __name__ == "__main__":
    main()
