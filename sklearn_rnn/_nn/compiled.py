"""Loops that numba compiles, if it is installed (extra ``fast``).

Torch and numpy compute one operation at a time, and each call takes longer than its
arithmetic if a layer has few units. A *kernel* is a function of numpy arrays with loops
over their elements. Numba compiles it to one loop per step, between matrix products by
the BLAS of scipy. All arrays must be C-contiguous, and those of floating-point numbers
must have one type, float32 or float64. Without numba, the cells compute with torch and
numpy instead.
"""

import os
import pkgutil
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from types import FunctionType
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Parameter

from sklearn_rnn._core.checkpoints import find_version
from sklearn_rnn._core.threads import describe_linear_algebra
from sklearn_rnn._core.user_warnings import warn_user

DTYPES = (torch.float32, torch.float64)

# Results do not depend on the order of the loops. "contract" allows fused
# multiply-adds, "arcp" and "nsz" divisions and zeros whose last bits or sign differ.
OPTIONS = {
    "fastmath": {"contract", "arcp", "nsz"},
    "error_model": "numpy",
    "nogil": True,
}

# Numbers of rows up to which products of vectors are faster than one of matrices.
FEW_ROWS = {"float32": 8, "float64": 4}
# Larger layers predict faster with torch, except for few sequences.
LARGEST_BY_ROW = 64

_is_enabled = True

# Held while numba is imported or compiles. No process is forked then, because numba's
# own locks would stay locked in it.
_lock = threading.RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_lock.acquire,
        after_in_parent=_lock.release,
        after_in_child=_lock.release,
    )


@contextmanager
def without_compiled_kernels() -> Iterator[None]:
    """Compute with torch and numpy, for comparisons."""
    global _is_enabled
    before, _is_enabled = _is_enabled, False
    try:
        yield
    finally:
        _is_enabled = before


def has_kernels() -> bool:
    """Return whether kernels are available."""
    return _is_enabled and find_numba() is not None


def can_compile(x: Tensor) -> bool:
    """Return whether a kernel can compute with tensors like ``x``.

    It cannot if torch records the operations of a network to export it.
    """
    return (
        type(x) in (Tensor, Parameter)
        and not torch.jit.is_tracing()
        and x.device.type == "cpu"
        and x.dtype in DTYPES
        and has_kernels()
    )


def can_train(x: Tensor) -> bool:
    """Return whether a kernel trains on ``x`` faster than torch.

    With several threads it does not, because those of OpenBLAS, which multiplies in
    kernels, and those of torch keep each other from computing.
    """
    return torch.get_num_threads() == 1 and can_compile(x)


def can_predict(x: Tensor, hidden_size: int) -> bool:
    """Return whether a kernel predicts for ``x`` (T, B, ...) faster than torch.

    It computes row by row, because OpenBLAS may round a product of matrices differently
    for each row. Predictions would then depend on the positions of the sequences.
    """
    is_small = x.shape[1] <= FEW_ROWS["float32"] or hidden_size <= LARGEST_BY_ROW
    return is_small and can_compile(x)


def describe_kernels() -> tuple[Any, ...]:
    """Describe what determines how kernels round results; empty without kernels."""
    if not has_kernels():
        return ()
    return *map(find_version, ("numba", "llvmlite", "scipy")), describe_linear_algebra()


def to_arrays(*tensors: Tensor) -> list[np.ndarray]:
    """Return tensors as C-contiguous arrays.

    They share memory with contiguous tensors. Tensors for results must be contiguous.
    """
    return [tensor.detach().contiguous().numpy() for tensor in tensors]


class Kernel:
    """A decorator: numba compiles the function at its first call for each dtype.

    Numba stores compiled functions in ``__pycache__`` or another writable folder.
    Functions that cannot be stored or loaded are compiled in each process.
    """

    def __init__(self, function: Callable[..., None]) -> None:
        self.function = function
        self._compiled: dict[str, Callable[..., None]] = {}

    def __call__(self, *arrays: Any) -> None:
        compiled = self._compiled.get(arrays[0].dtype.char)
        if compiled is None:
            compiled = self._compile(arrays)
        compiled(*arrays)

    def _compile(self, arrays: tuple[Any, ...]) -> Callable[..., None]:
        numba, dtype = find_numba(), arrays[0].dtype
        signature = tuple(map(numba.typeof, arrays))
        # A separate file for each dtype: two processes that compile for the same file
        # at the same time could store the function of one type as that of the other.
        function = FunctionType(self.function.__code__, self.function.__globals__)
        name = f"{self.function.__qualname__}_{dtype.name}"

        def compile_or_load(cache: bool) -> None:
            function.__qualname__ = f"{name}_{_hash_source()}" if cache else name
            with _lock:
                if dtype.char not in self._compiled:
                    compiled = numba.njit(function, cache=cache, **OPTIONS)
                    compiled.compile(signature)
                    self._compiled[dtype.char] = compiled

        try:
            finish_in_thread(compile_or_load, True)
        except Exception:  # no writable folder, a full disk, a damaged file
            finish_in_thread(compile_or_load, False)
        return self._compiled[dtype.char]


@cache
def _hash_source() -> str:
    """Return a checksum of this module, whose functions and options kernels contain.

    Numba compares only the module of a kernel with that of a stored one.
    """
    source = pkgutil.get_data(__package__, f"{__name__.rpartition('.')[2]}.py")
    return f"{zlib.crc32(source or b''):08x}"


def finish_in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in another thread, in which no signal interrupts it.

    If the import of numba or a compilation is interrupted, later ones may fail.
    """
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(function, *arguments).result()


@cache
def find_numba() -> Any:
    """Import numba and prepare it for kernels; None if it cannot be used."""
    try:
        return finish_in_thread(_import_numba)
    except Exception as error:
        if not (isinstance(error, ModuleNotFoundError) and error.name == "numba"):
            warn_user(
                f"numba cannot be used ({type(error).__name__}: {error}). The "
                "recurrent layers are computed with torch instead, which is slower. "
                "Install another version of numba, or remove it."
            )
        return None


def _import_numba() -> Any:
    with _lock:
        return _prepare_numba()


@cache
def _prepare_numba() -> Any:
    import numba
    from numba.extending import overload, register_jitable

    if vars(numba.config)["DISABLE_JIT"]:  # kernels would run as Python loops
        return None
    register_jitable(count_unfinished)
    narrow, wide = numba.njit(inline="always")(_squash32), numba.njit(_squash64)

    # Numba compares the signatures, with annotations, with those of the results.
    @overload(squash, inline="always")
    def _squash(x):  # type: ignore[no-untyped-def]
        if x == numba.float32:
            return lambda x: narrow(x)
        return lambda x: wide(x)

    @overload(sigmoid, inline="always")
    def _sigmoid(x):  # type: ignore[no-untyped-def]
        half = x(0.5)  # x is a type
        return lambda x: half + half * squash(half * x)

    @overload(multiply)
    def _multiply(x, weight, product, by_row):  # type: ignore[no-untyped-def]
        few = FEW_ROWS[x.dtype.name]

        def compute(x, weight, product, by_row):  # type: ignore[no-untyped-def]
            if len(x) > few and not by_row:
                np.dot(x, weight, product)
            else:
                for b in range(len(x)):
                    np.dot(x[b], weight, product[b])

        return compute

    return numba


def multiply(
    x: np.ndarray, weight: np.ndarray, product: np.ndarray, by_row: bool
) -> None:
    """Compute ``x @ weight`` into ``product``, row by row if x has few rows.

    For matrices, OpenBLAS first copies ``weight``, which takes longer than the products
    of a few vectors. With ``by_row``, no result depends on the other rows.
    """
    np.dot(x, weight, product)


def squash(x: Any) -> Any:
    """Compute tanh(x) for one element, in a form that vector instructions compute."""
    return np.tanh(x)


def sigmoid(x: Any) -> Any:
    """Compute the logistic function of one element from its tanh."""
    return 0.5 + 0.5 * squash(0.5 * x)


def count_unfinished(lengths: np.ndarray, t: int) -> int:
    """Return how many sequences to read at step t: the last ones may have ended."""
    end = len(lengths)
    while end and lengths[end - 1] <= t:
        end -= 1
    return end


def _squash32(x: np.float32) -> np.float32:
    """Compute tanh as a rational function (that of Eigen), to 3e-7."""
    f = np.float32
    x = min(max(x, f(-7.90531110763549805)), f(7.90531110763549805))
    s = x * x
    p = f(-2.76076847742355e-16)
    p = p * s + f(2.00018790482477e-13)
    p = p * s + f(-8.60467152213735e-11)
    p = p * s + f(5.12229709037114e-08)
    p = p * s + f(1.48572235717979e-05)
    p = p * s + f(6.37261928875436e-04)
    p = p * s + f(4.89352455891786e-03)
    q = f(1.19825839466702e-06)
    q = q * s + f(1.18534705686654e-04)
    q = q * s + f(2.26843463243900e-03)
    q = q * s + f(4.89352518554385e-03)
    return x * p / q


def _squash64(x: float) -> float:
    """Compute tanh from exp(2 x) (that of Cephes), to 1e-15."""
    y = 2.0 * min(max(x, -20.0), 20.0)
    k = np.floor(y * 1.4426950408889634 + 0.5)  # exp(y) = 2 ** k * exp(r)
    r = y - k * 6.93145751953125e-1 - k * 1.42860682030941723212e-6
    s = r * r
    p = 1.26177193074810590878e-4 * s + 3.02994407707441961300e-2
    p = (p * s + 9.99999999999999999910e-1) * r
    q = 3.00198505138664455042e-6 * s + 2.52448340349684104192e-3
    q = (q * s + 2.27265548208155028766e-1) * s + 2.0
    power = np.int64((np.int64(k) + 1023) << 52).view(np.float64)  # 2 ** k
    e = 2.0 * (p / (q - p)) * power + (power - 1.0)  # exp(y) - 1, without cancellation
    return e / (e + 2.0)
