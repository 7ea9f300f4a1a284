"""Time and peak memory of one epoch, for more and for longer sequences.

The first table trains on 10^3 to 10^7 sequences of 10 steps: from an array in memory,
from a memory-mapped file, and with partial_fit on batches that iter_batches reads from
Parquet files. The second table trains on 32 sequences of 10 to 10^6 steps: with one
target per sequence, with one target per step, and with backprop_window=200.

Each row is measured in a process of its own. ``increase`` is the peak of its memory
minus that before the data were opened. The peaks contain pages of the mapped file that
the kernel can free at any time. --quick stops at 10^5 sequences and 10^4 steps.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from _results import Table

from sklearn_rnn import RNNClassifier
from sklearn_rnn.datasets import iter_batches

STEPS, ROWS_PER_FILE, WINDOW = 10, 10**6, 200
SOURCES = ("memory", "mmap", "parquet")
TARGETS = ("sequence", "step", "window")


def make_model(**options):
    return RNNClassifier(
        "gru", 8, patch_size=1, max_epochs=1, random_state=0, **options
    )


def make_part(seed, n):
    X = np.random.default_rng(seed).normal(size=(n, STEPS)).astype("float32")
    return X, X.sum(axis=1) > 0


def write_parts(folder, n):
    """Write n sequences to Parquet files and to a file that can be memory-mapped."""
    mapped = np.lib.format.open_memmap(
        folder / "X.npy", mode="w+", dtype="float32", shape=(n, STEPS, 1)
    )
    labels = np.empty(n, dtype=bool)
    for start in range(0, n, ROWS_PER_FILE):
        part = slice(start, min(start + ROWS_PER_FILE, n))
        X, y = make_part(start, part.stop - start)
        mapped[part, :, 0], labels[part] = X, y
        lists = pa.FixedSizeListArray.from_arrays(pa.array(X.ravel()), STEPS)
        table = pa.table({"x": lists.cast(pa.list_(pa.float32())), "y": y})
        pq.write_table(table, folder / f"{start:08}.parquet", row_group_size=10**5)
    mapped.flush()
    np.save(folder / "y.npy", labels)


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def measure(table, train, **row):
    before, started = peak(), time.perf_counter()
    train()
    seconds = time.perf_counter() - started
    table.add(**row, seconds=seconds, peak=peak(), increase=(peak() - before) * 1024)


def measure_sequences(folder, n, source):
    X, y = make_part(0, 2000)
    make_model(batch_size=1000).fit(X, y)  # imports and compiled functions
    for X, y in iter_batches(folder, "x", "y", batch_size=100):
        make_model().partial_fit(X, y, classes=[False, True])
        break

    def train():
        if source == "parquet":
            model = make_model(batch_size=1000)
            for X, y in iter_batches(folder, "x", "y", batch_size=10_000):
                model.partial_fit(X, y, classes=[False, True])
            return
        X = np.load(folder / "X.npy", mmap_mode="r" if source == "mmap" else None)
        make_model(batch_size=1000).fit(X, np.load(folder / "y.npy"))

    table = Table(__file__, "sequences", "n_sequences", "source")
    measure(table, train, n_sequences=n, source=source)


def measure_steps(n_steps, target):
    options = {} if target == "sequence" else {"return_sequences": True}
    if target == "window":
        options["backprop_window"] = WINDOW
    rng = np.random.default_rng(0)
    short = rng.normal(size=(32, 10, 1)).astype("float32")
    labels = np.arange(32) % 2 if target == "sequence" else short[:, :, 0] > 0
    make_model(**options).fit(short, labels)  # imports and compiled functions

    def train():
        X = rng.normal(size=(32, n_steps)).astype("float32")[:, :, None]
        y = labels if target == "sequence" else X[:, :, 0] > 0
        make_model(**options).fit(X, y)

    table = Table(__file__, "steps", "n_steps", "target")
    measure(table, train, n_steps=n_steps, target=target)


def run(*arguments):
    subprocess.run([sys.executable, __file__, *map(str, arguments)], check=True)


def run_all(most_sequences, most_steps):
    for n in 10 ** np.arange(3, 1 + round(np.log10(most_sequences))):
        with tempfile.TemporaryDirectory() as name:
            run("write", name, n)
            for source in SOURCES:
                run("sequences", name, n, source)
    for n_steps in 10 ** np.arange(1, 1 + round(np.log10(most_steps))):
        for target in TARGETS:
            run("steps", n_steps, target)


if __name__ == "__main__":
    if sys.argv[1:2] == ["write"]:
        write_parts(Path(sys.argv[2]), int(sys.argv[3]))
    elif sys.argv[1:2] == ["sequences"]:
        measure_sequences(Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
    elif sys.argv[1:2] == ["steps"]:
        measure_steps(int(sys.argv[2]), sys.argv[3])
    else:
        parser = argparse.ArgumentParser()
        parser.add_argument("--quick", action="store_true")
        is_quick = parser.parse_args().quick
        run_all(10**5 if is_quick else 10**7, 10**4 if is_quick else 10**6)
