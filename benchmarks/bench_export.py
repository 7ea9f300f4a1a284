"""Differences and speed of to_torch and to_onnx, compared with predict_proba.

48 networks (cell, directions, layers, pooling, patches) predict ragged sequences. The
target is a difference of at most 1e-5.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy and torch are imported

import itertools
import tempfile
from pathlib import Path

import numpy as np
import torch
from _common import environment, interleaved
from _results import Table

from sklearn_rnn import RNNClassifier

CELLS = "rnn", "lstm", "gru"
COMBINATIONS = [*itertools.product((False, True), (1, 2), ("last", "concat"), (1, 3))]
N_ROWS, LONGEST, UNITS, STEPS, CALLS, REPEATS = 40, 30, 64, 30, 20, 15


def make_sequences(n_steps):
    """Sequences of these lengths, with 3 features far from zero, and labels."""
    rng = np.random.default_rng(0)
    X = [100 + 10 * rng.normal(size=(n, 3)).cumsum(axis=0) for n in n_steps]
    return X, np.arange(len(X)) % 3


def pad(X, dtype):
    """A padded array, and the lengths of the sequences."""
    lengths = np.array([len(x) for x in X])
    padded = np.full((len(X), lengths.max(), 3), np.nan, dtype=dtype)
    for row, x in zip(padded, X, strict=True):
        row[: len(x)] = x
    return padded, lengths


def open_onnx(model, **options):
    """A session of onnxruntime with one thread."""
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        model.to_onnx(path, **options)
        return onnxruntime.InferenceSession(path, settings)


def run_torch(module, x, lengths):
    with torch.inference_mode():
        return module(torch.from_numpy(x), torch.from_numpy(lengths)).numpy()


def measure_differences():
    """Largest differences from predict_proba, for each cell and number type."""
    X, y = make_sequences(np.random.default_rng(1).integers(1, LONGEST + 1, N_ROWS))
    table = Table(__file__, "differences", "cell", "precision")
    for cell, precision in itertools.product(CELLS, ("float32", "float64")):
        in_torch, in_onnx = [], []
        x, lengths = pad(X, precision)
        for both, n_layers, pooling, patch_size in COMBINATIONS:
            model = RNNClassifier(
                cell,
                8,
                num_layers=n_layers,
                bidirectional=both,
                pooling=pooling,
                patch_size=patch_size,
                max_epochs=5,
                learning_rate=0.03,
                precision=precision,
                random_state=0,
            ).fit(X, y)
            expected = model.predict_proba(X)
            found = run_torch(model.to_torch(), x, lengths)
            in_torch.append(np.abs(found - expected).max())
            inputs = {"X": x.astype(np.float64), "lengths": lengths}
            (found,) = open_onnx(model).run(["probabilities"], inputs)
            in_onnx.append(np.abs(found - expected).max())
        table.add(
            cell=cell,
            precision=precision,
            networks=len(COMBINATIONS),
            torch=float(max(in_torch)),
            onnx=float(max(in_onnx)),
        )


def measure_rows():
    """Microseconds of a prediction for one sequence."""
    X, y = make_sequences([STEPS] * N_ROWS)
    table = Table(__file__, "rows", "cell")
    for cell in CELLS:
        model = RNNClassifier(
            cell, UNITS, max_epochs=1, precision="float32", random_state=0
        ).fit(X, y)
        module, session = model.to_torch(), open_onnx(model)
        row = [X[0].astype(np.float32)]
        x, lengths = pad(row, np.float32)
        inputs = {"X": x.astype(np.float64), "lengths": lengths}
        jobs = {
            "predict_proba": lambda model=model, row=row: model.predict_proba(row),
            "torch": lambda module=module, x=x, n=lengths: run_torch(module, x, n),
            "onnx": lambda session=session, inputs=inputs: session.run(None, inputs),
        }
        took = interleaved(
            REPEATS,
            **{
                name: lambda job=job: [job() for _ in range(CALLS)]
                for name, job in jobs.items()
            },
        )
        micro = {name: 1e6 * seconds / CALLS for name, seconds in took.items()}
        ratio = micro["onnx"] / micro["predict_proba"]
        table.add(cell=cell, **micro, ratio=ratio)


def main():
    torch.set_num_threads(1)
    print(environment())
    measure_differences()
    measure_rows()


if __name__ == "__main__":
    main()
