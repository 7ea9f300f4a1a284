"""How many threads compute. torch is asked only where it is loaded already."""

import os
import sys
from contextlib import contextmanager, nullcontext
from functools import cache

from threadpoolctl import ThreadpoolController

# Two threads pay off from about this many multiply-adds a step (measured on two cores,
# see benchmarks/bench_threads.py); below, waking the second costs more than it brings,
# and on a busy machine tenfold.
WORK_WORTH_THREADS = 4_000_000

# The same for a step of a stream (benchmarks/bench_stream.py). So small a product
# OpenBLAS does on one thread in any case.
STEP_WORTH_THREADS = 100_000_000
ONE_THREAD_ANYWAY = 2**18


def _set_torch_threads(n_threads: int) -> None:
    set_threads = getattr(sys.modules.get("torch"), "set_num_threads", None)
    if set_threads is not None:
        set_threads(n_threads)


def _get_torch_threads() -> int:
    get_threads = getattr(sys.modules.get("torch"), "get_num_threads", None)
    return 1 if get_threads is None else get_threads()


# After fork, OpenMP's threads exist only in the parent, and the child would wait for
# them for ever. A child with one thread needs none.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _set_torch_threads(1))


@contextmanager
def threads_for(work):
    """Compute a step of ``work`` multiply-adds on one thread if it is a small one."""
    before = _get_torch_threads()
    if work >= WORK_WORTH_THREADS or before == 1:
        yield
        return
    _set_torch_threads(1)
    try:
        yield
    finally:
        _set_torch_threads(before)


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
    libraries.append((_set_torch_threads, _get_torch_threads()))
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
