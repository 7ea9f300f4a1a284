"""Where a network computes: device, number type, threads."""

import os
from contextlib import contextmanager, nullcontext
from functools import cache

import numpy as np
import torch
from threadpoolctl import ThreadpoolController

# Two threads pay off from about this many multiply-adds a step (measured on two cores,
# see benchmarks/bench_threads.py); below, waking the second costs more than it brings,
# and on a busy machine tenfold.
WORK_WORTH_THREADS = 4_000_000

# The same for a step of a stream (benchmarks/bench_stream.py). So small a product
# OpenBLAS does on one thread in any case.
STEP_WORTH_THREADS = 100_000_000
ONE_THREAD_ANYWAY = 2**18

# After fork, OpenMP's threads exist only in the parent, and the child would wait for
# them for ever. A child with one thread needs none.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))


def resolve_device(device):
    """A torch device; "auto" is the first accelerator there is, else the CPU."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
        torch.empty(1, device=resolved).item()
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            f'device={device!r} cannot be used here ({error}). Use "auto" or "cpu".'
        ) from error
    return resolved


def number_types(precision, X_dtype):
    """The number type of data and weights, and that of the recurrent layers.

    ``precision="auto"`` computes float64 input in float64, anything else in float32.
    bfloat16 keeps its weights, its data and its head in float32.
    """
    if precision == "auto":
        precision = "float64" if X_dtype == np.float64 else "float32"
    if precision == "bfloat16":
        return np.float32, torch.bfloat16
    return getattr(np, precision), getattr(torch, precision)


@contextmanager
def threads_for(work):
    """Compute a step of ``work`` multiply-adds on one thread if it is a small one."""
    before = torch.get_num_threads()
    if work >= WORK_WORTH_THREADS or before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def threads_for_step(work):
    """Context in which a stream steps: a step of ``work`` multiply-adds of a layer.

    On one thread, unless that takes some milliseconds: where the other cores are busy,
    a step on two threads waits for them a thousand times as long as it computes.
    """
    if not ONE_THREAD_ANYWAY < work < STEP_WORTH_THREADS:
        return nullcontext()
    return on_one_thread()


@contextmanager
def on_one_thread():
    """Let numpy's and scipy's linear algebra, and torch, compute on one thread.

    For many small steps, where handing out the work takes longer than the work; and for
    the same bits whatever the number of threads.
    """
    libraries = [
        (library.set_num_threads, library.num_threads)
        for library in _blas().lib_controllers
        if library.user_api == "blas"
    ]
    libraries.append((torch.set_num_threads, torch.get_num_threads()))
    # only what is changed is put back: threads of the user's may be in here together
    libraries = [(set_to, before) for set_to, before in libraries if before > 1]
    for set_to, _ in libraries:
        set_to(1)
    try:
        yield
    finally:
        for set_to, before in libraries:
            set_to(before)


@cache
def _blas():
    return ThreadpoolController()
