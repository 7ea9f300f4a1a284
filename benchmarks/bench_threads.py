"""Work per step from which a second thread is faster, for threads.WORK_WORTH_THREADS.

One training pass over batches of 32 and 128 sequences of 30 steps, with one thread and
with all cores, by hidden size. The work is the number of multiply-adds per step.
"""

import os

import numpy as np
import torch
from _common import environment, interleaved
from _results import Table

from sklearn_rnn import RNNClassifier
from sklearn_rnn._core import threads


def fit_with(n_threads, model, X, y):
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        model.fit(X, y)
    finally:
        torch.set_num_threads(before)


def main():
    print(environment(), f"threshold {threads.WORK_WORTH_THREADS:,}")
    threads.WORK_WORTH_THREADS = 0  # keep the number set below
    cores = os.cpu_count()
    rng = np.random.default_rng(0)
    X = rng.normal(size=(512, 30, 16)).astype(np.float32)
    y = rng.integers(0, 3, 512)
    table = Table(__file__, "fit", "cell", "hidden", "batch")
    for cell in ("lstm", "gru"):
        for hidden in (32, 64, 128, 256):
            for batch in (32, 128):
                model = RNNClassifier(cell, hidden, batch_size=batch, max_epochs=1)
                work = model._count_operations(batch)
                took = interleaved(
                    3,
                    one=lambda: fit_with(1, model, X, y),  # noqa: B023
                    all=lambda: fit_with(cores, model, X, y),  # noqa: B023
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
