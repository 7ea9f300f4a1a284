"""Every test of the cells runs with compiled kernels and without."""

import contextlib

import pytest

from sklearn_rnn._nn.compiled import find_numba, without_compiled_kernels


@pytest.fixture(autouse=True, params=["compiled", "torch"])
def kernels(request):
    is_compiled = request.param == "compiled"
    if is_compiled and find_numba() is None:
        pytest.skip("numba, of the extra fast, is not installed")
    with contextlib.nullcontext() if is_compiled else without_compiled_kernels():
        yield request.param
