"""Where a network computes: device, number type, threads."""

import os
from contextlib import contextmanager
from functools import cache

import numpy as np
import torch
from threadpoolctl import ThreadpoolController

# Two threads pay off from about this many multiply-adds a step (measured on two cores,
# see benchmarks/bench_threads.py); below, waking the second costs more than it brings,
# and on a busy machine tenfold.
WORK_WORTH_THREADS = 4_000_000

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


def blas_on_one_thread():
    """Context in which numpy's and scipy's linear algebra takes one thread.

    For many small steps, where handing out the work takes longer than the work; and for
    the same bits whatever the number of threads.
    """
    return _blas().limit(limits=1, user_api="blas")


@cache
def _blas():
    return ThreadpoolController()
