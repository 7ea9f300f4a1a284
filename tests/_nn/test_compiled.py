"""Functions of compiled kernels, and what happens if they are not available."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from sklearn_rnn._nn.compiled import (
    Kernel,
    can_compile,
    find_numba,
    squash,
    without_compiled_kernels,
)

needs_numba = pytest.mark.skipif(
    find_numba() is None, reason="numba, of the extra fast, is not installed"
)


@Kernel
def squash_all(x, result):
    for k in range(len(x)):
        result[k] = squash(x[k])


@needs_numba
@pytest.mark.parametrize(("dtype", "tolerance"), [("f4", 4e-7), ("f8", 2e-15)])
def test_squash_is_tanh(dtype, tolerance):
    wide = np.concatenate([np.linspace(-30, 30, 100_001), [0, 1e-30, -1e30, 1e30]])
    x = wide.astype(dtype)
    result = np.empty_like(x)
    squash_all(x, result)
    np.testing.assert_allclose(result, np.tanh(x.astype(float)), rtol=0, atol=tolerance)
    assert np.abs(result).max() <= 1 + tolerance


@needs_numba
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_nan_is_not_hidden(dtype):
    x = np.array([np.nan, 1.0], dtype)
    result = np.zeros_like(x)
    squash_all(x, result)
    assert np.isnan(result[0]) and not np.isnan(result[1])


@needs_numba
def test_kernels_compute_with_numbers_of_the_cpu_only():
    for dtype in (torch.float32, torch.float64):
        assert can_compile(torch.zeros(1, dtype=dtype))
        with without_compiled_kernels():
            assert not can_compile(torch.zeros(1, dtype=dtype))
    assert not can_compile(torch.zeros(1, dtype=torch.bfloat16))
    assert not can_compile(torch.zeros(1, device="meta"))


@needs_numba
def test_a_kernel_that_cannot_be_stored_is_compiled_anyway():
    source = "def double(x, y):\n    for k in range(len(x)):\n        y[k] = 2 * x[k]\n"
    exec(source, names := {})  # numba stores functions of files only
    x, result = np.arange(3.0), np.empty(3)
    Kernel(names["double"])(x, result)
    assert result.tolist() == [0.0, 2.0, 4.0]


FIT = """
import numpy as np
from sklearn_rnn import RNNRegressor
from sklearn_rnn._nn.compiled import find_numba

print(find_numba() is not None)
X = np.random.default_rng(0).normal(size=(20, 6))
model = RNNRegressor("gru", 4, max_epochs=2, random_state=0).fit(X, X[:, 0])
print(model.predict(X)[:3].round(6).tolist())
"""


def run_fit(**environment):
    done = subprocess.run(
        [sys.executable, "-c", FIT],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@needs_numba
@pytest.mark.slow  # compiles all kernels again
def test_folders_that_are_not_writable_do_no_harm(tmp_path):
    (tmp_path / "file").touch()
    folder = str(tmp_path / "file" / "folder")  # cannot be created, even by root
    assert run_fit(NUMBA_CACHE_DIR=folder) == run_fit()


@needs_numba
def test_the_switch_of_numba_is_respected():
    is_used, prediction = run_fit(NUMBA_DISABLE_JIT="1")
    assert is_used == "False"
    assert np.allclose(eval(prediction), eval(run_fit()[1]), atol=1e-5)
