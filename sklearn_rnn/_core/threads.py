"""The number of threads for computations. This module does not import torch."""

import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import Any, TypeVar
from weakref import WeakSet

from threadpoolctl import ThreadpoolController

# Two threads are faster from about this many multiply-adds per step, as measured on two
# cores by benchmarks/bench_threads.py. For smaller steps, waking the second thread
# takes more time than it saves, and ten times as much if the other cores are busy.
WORK_WORTH_THREADS = 4_000_000

# The same limit for one step of a stream, as measured by benchmarks/bench_stream.py.
# OpenBLAS uses one thread anyway for products of up to ONE_THREAD_ANYWAY operations.
STEP_WORTH_THREADS = 100_000_000
ONE_THREAD_ANYWAY = 2**18

# Predictions of several batches are computed in parallel from about this many
# multiply-adds in all, as measured by benchmarks/bench_threads.py.
PREDICTION_WORTH_THREADS = 2_000_000_000

Item = TypeVar("Item")
Result = TypeVar("Result")


def _set_torch_threads(n_threads: int) -> None:
    """Let torch use ``n_threads`` threads, if torch is loaded."""
    set_threads = getattr(sys.modules.get("torch"), "set_num_threads", None)
    if set_threads is not None:
        set_threads(n_threads)


def _get_torch_threads() -> int:
    """Return the number of threads that torch uses; 1 if torch is not loaded."""
    get_threads = getattr(sys.modules.get("torch"), "get_num_threads", None)
    return 1 if get_threads is None else get_threads()


def _limit_new_thread() -> None:
    """Let torch use one thread in a thread that has not used torch before.

    When a thread first reads its number of threads, torch sets it to the number that
    any other thread has set last.
    """
    _get_torch_threads()
    _set_torch_threads(1)


def limit_threads(work: int) -> AbstractContextManager[None]:
    """Use one thread if a step has too few multiply-adds (``work``) for several."""
    return nullcontext() if work >= WORK_WORTH_THREADS else use_one_thread()


def limit_step_threads(work: int) -> AbstractContextManager[None]:
    """Return a context with the number of threads for one step of a stream.

    ``work`` is the number of multiply-adds of the largest layer. The step uses one
    thread, unless it takes some milliseconds: if the other cores are busy, a step on
    two threads waits for them a thousand times as long as it computes.
    """
    if not ONE_THREAD_ANYWAY < work < STEP_WORTH_THREADS:
        return nullcontext()
    return use_one_thread()


@contextmanager
def use_one_thread() -> Iterator[None]:
    """Let torch and the linear algebra of numpy and scipy compute on one thread.

    This is faster for many small operations, and the results do not depend on the
    number of threads.
    """
    n_threads, token = _get_torch_threads(), Token()
    try:
        _linear_algebra.enter(token)
        if n_threads > 1:
            _set_torch_threads(1)
        yield
    finally:
        if n_threads > 1:
            _set_torch_threads(n_threads)
        _linear_algebra.leave(token)


def _set_library_threads(library: Any, n_threads: int) -> None:
    """Set the number of threads of a library of linear algebra.

    Newer versions of threadpoolctl let only one thread set it, until it is released.
    """
    release = getattr(library, "clear_controlling_thread", None)
    if release is not None:
        release(force=True)
    library.set_num_threads(n_threads)
    if release is not None:
        release()


class Token:
    """Someone who is inside a limit."""


class SharedLimit:
    """A limit of one thread for libraries whose setting all threads share.

    The first thread that enters sets it, and the last one that leaves restores what was
    set before. An interrupt may keep a token from leaving. The limit then ends with the
    next one that leaves.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._inside: WeakSet[Token] = WeakSet()
        self._before: list[tuple[Any, int]] = []

    def enter(self, token: Token) -> None:
        """Limit the libraries until ``token`` leaves."""
        with self.lock:
            if not self._before:
                settings = [(lib, lib.num_threads) for lib in _list_linear_algebra()]
                self._before = [(library, n) for library, n in settings if n > 1]
            self._inside.add(token)
            for library, _ in self._before:
                _set_library_threads(library, 1)

    def leave(self, token: Token) -> None:
        """Restore the libraries, unless another token is inside."""
        with self.lock:
            self._inside.discard(token)
            if not self._inside:
                for library, before in self._before:
                    _set_library_threads(library, before)
                self._before = []


def map_in_threads(
    function: Callable[[Item], Result], items: Iterable[Item], work: int
) -> list[Result]:
    """Apply ``function`` to all items, each on one thread; return results in order.

    Several items are computed in parallel if the number of multiply-adds of all of
    them, ``work``, is large. In contrast to one computation on several threads, the
    results do not depend on the number of threads, which only start and end together.
    """
    n_threads = _get_torch_threads()
    with use_one_thread():
        if n_threads == 1 or work < PREDICTION_WORTH_THREADS:
            return [function(item) for item in items]
        with ThreadPoolExecutor(n_threads, initializer=_limit_new_thread) as executor:
            return list(executor.map(function, items))


def describe_linear_algebra() -> list[tuple[str, ...]]:
    """Describe the libraries of linear algebra, which may round results differently."""
    names = ("internal_api", "version", "architecture", "num_threads")
    return sorted(
        tuple(str(library.info().get(name)) for name in names)
        for library in _list_linear_algebra()
    )


@cache
def _list_linear_algebra() -> list[Any]:
    """Return the controllers of the loaded libraries, which takes long to create."""
    controllers = ThreadpoolController().lib_controllers
    return [library for library in controllers if library.user_api == "blas"]


_linear_algebra = SharedLimit()


def _restart_in_child() -> None:
    """Use one thread in a forked process, and no lock that another thread held."""
    _set_torch_threads(1)
    _linear_algebra.lock = threading.RLock()


# After a fork, OpenMP's threads exist only in the parent process, and the child would
# wait for them forever. A child that computes on one thread does not need them.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_restart_in_child)
