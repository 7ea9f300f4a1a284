"""Time of the recurrent layers, compared with torch's layers of the same cells.

Forward and backward pass, and prediction, of a batch of sequences of 40 steps with as
many features as units. ``compiled`` is the ratio for the kernels that numba compiles,
``ours`` that for the layer, which chooses between them and torch's kernels. Both are
medians of ratios of runs that take turns.

The second table compares our layers in bfloat16 with those in float32.

Arguments choose cells, number types and numbers of threads. The default is one thread.
"""

import statistics
import sys
import time
from itertools import product

import torch
from _common import environment
from _results import Table
from threadpoolctl import threadpool_limits

from sklearn_rnn._nn.cells.registry import CELLS
from sklearn_rnn._nn.compiled import find_numba

COLUMNS = ("cell", "dtype", "pass", "threads", "units", "batch")
PASSES = ("train", "predict")
STEPS, UNITS, BATCHES = 40, (32, 64, 128, 256, 512), (1, 32, 128)
DTYPES = {"float32": torch.float32, "float64": torch.float64}
SECONDS = 0.5  # per row of the table, and at least LEAST rounds
LEAST = 5


def make_jobs(settings):
    """Functions that read one batch: torch's layer, ours, and our compiled kernels."""
    cell, name, how, _, units, batch = settings.values()
    dtype, generator = DTYPES[name], torch.Generator().manual_seed(0)
    ours = CELLS[cell](units, units).to(dtype)
    ours.initialize(generator)
    theirs = ours.torch_layer(units, units, dtype=dtype)
    x = torch.randn(STEPS, batch, units, generator=generator, dtype=dtype)
    zeros = [x.new_zeros(batch, units) for _ in ours.state_names]
    state = tuple(zeros) if len(zeros) > 1 else zeros[0]
    lengths = torch.full((batch,), STEPS)

    def compiled(x):
        projected = torch.nn.functional.linear(x, ours.weight_ih, ours.bias)
        return ours.unroll(projected, state, lengths)

    def run(layer):
        if how == "predict":
            with torch.inference_mode():
                return layer(x)
        return layer(x)[0].sum().backward()

    return {
        "torch": lambda: run(theirs),
        "ours": lambda: run(ours),
        "compiled": lambda: run(compiled),
    }


def make_bfloat16_jobs(settings):
    """Functions that read one batch with our layer, in float32 and in bfloat16."""
    cell, how, _, units, batch = settings.values()
    generator = torch.Generator().manual_seed(0)
    layer = CELLS[cell](units, units)
    layer.initialize(generator)
    x = torch.randn(STEPS, batch, units, generator=generator)

    def run(dtype):
        if how == "predict":
            with torch.inference_mode():
                return layer(x.to(dtype))
        return layer(x.to(dtype))[0].sum().backward()

    return {"float32": lambda: run(x.dtype), "bfloat16": lambda: run(torch.bfloat16)}


def compare(jobs):
    """Median milliseconds of the first job, and median ratios of the others to it."""
    seconds = {name: [] for name in jobs}
    for job in jobs.values():
        job()
    first = seconds[next(iter(jobs))]
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end or len(first) < LEAST:
        for name, job in jobs.items():
            started = time.perf_counter()
            job()
            seconds[name].append(time.perf_counter() - started)
    ratios = {
        name: statistics.median(a / b for a, b in zip(values, first, strict=True))
        for name, values in list(seconds.items())[1:]
    }
    return {"milliseconds": 1e3 * statistics.median(first), **ratios}


def main():
    chosen = set(sys.argv[1:])
    cells, dtypes = (
        [name for name in names if name in chosen] or names
        for names in (list(CELLS), list(DTYPES))
    )
    threads = [int(name) for name in chosen if name.isdigit()] or [1]
    if find_numba() is None:
        print("skipped: install numba, of the extra fast")
        return
    print(environment())
    table = Table(__file__, "kernels", *COLUMNS)
    for row in product(cells, dtypes, PASSES, threads, UNITS, BATCHES):
        add_row(table, make_jobs, dict(zip(COLUMNS, row, strict=True)))
    columns = [name for name in COLUMNS if name != "dtype"]
    table = Table(__file__, "bfloat16", *columns)
    for row in product(cells, PASSES, threads, UNITS, BATCHES):
        add_row(table, make_bfloat16_jobs, dict(zip(columns, row, strict=True)))


def add_row(table, make, settings):
    """Compare the jobs that ``make`` returns, on the number of threads of a row."""
    torch.set_num_threads(settings["threads"])
    with threadpool_limits(settings["threads"]):  # of OpenBLAS
        table.add(**settings, **compare(make(settings)))


if __name__ == "__main__":
    main()
