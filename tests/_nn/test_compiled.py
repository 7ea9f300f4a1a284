"""Functions of compiled kernels, and what happens if they are not available."""

import contextlib
import importlib.util
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
import torch

from sklearn_rnn import RNNRegressor
from sklearn_rnn._nn import compiled
from sklearn_rnn._nn.cells.registry import CELLS
from sklearn_rnn._nn.compiled import (
    Kernel,
    can_compile,
    find_numba,
    finish_in_thread,
    without_compiled_kernels,
)

needs_numba = pytest.mark.skipif(
    find_numba() is None, reason="numba, of the extra fast, is not installed"
)
DTYPES = [torch.float32, torch.float64]
COMPILED = [
    name
    for name, layer in CELLS.items()
    if hasattr(sys.modules[layer.__module__], "forward_kernel")
]

# Functions that are not in a file are never stored, and so compiled from this code.
SQUASH = """
def squash_all(x, result):
    for k in range(len(x)):
        result[k] = squash(x[k])
"""
DOUBLE = """
def double(x, result):
    for k in range(len(x)):
        result[k] = 2 * x[k]
"""


# ---------------------------------------------------------------- numbers


@pytest.fixture(scope="module")
def squash_all():
    exec(SQUASH, names := {"squash": compiled.squash})
    return Kernel(names["squash_all"])


@needs_numba
@pytest.mark.parametrize(("dtype", "tolerance"), [("f4", 4e-7), ("f8", 2e-15)])
def test_squash_is_tanh(squash_all, dtype, tolerance):
    wide = np.concatenate([np.linspace(-30, 30, 100_001), [0, 1e-30, -1e30, 1e30]])
    wide = np.concatenate([wide, np.logspace(-20, 0)])
    x = np.concatenate([wide, [np.inf, -np.inf]]).astype(dtype)
    result = np.empty_like(x)
    squash_all(x, result)
    np.testing.assert_allclose(result, np.tanh(x.astype(float)), rtol=tolerance)
    assert np.abs(result).max() <= 1


@needs_numba
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_nan_is_not_hidden(squash_all, dtype):
    x = np.linspace(-3, 3, 101).astype(dtype)  # vector instructions and the rest
    x[::4] = np.nan
    result = np.zeros_like(x)
    squash_all(x, result)
    np.testing.assert_array_equal(np.isnan(result), np.isnan(x))


def run_layer(layer, projected, state, reduce):
    """Outputs, last state and all gradients of one pass over time."""
    arguments = [projected, *state]
    T, B, _ = projected.shape
    leaves = [tensor.detach().requires_grad_() for tensor in arguments]
    layer.zero_grad()
    nested = tuple(leaves[1:]) if len(state) > 1 else leaves[1]
    outputs, last = layer.unroll(leaves[0], nested, torch.full((B,), T))
    last = last if isinstance(last, tuple) else (last,)
    reduce(outputs, *last).backward()
    weights = [w.grad for w in layer.parameters() if w.grad is not None]
    return [outputs, *last, *[leaf.grad for leaf in leaves], *weights]


REDUCTIONS = {
    "expanded gradient": lambda outputs, *last: outputs.sum(),
    "strided gradient": lambda outputs, *last: outputs[::2, :, ::3].square().sum(),
    "last state": lambda outputs, *last: sum(part.square().sum() for part in last),
}
LAYOUTS = {
    "contiguous": lambda x: x,
    "batch first": lambda x: x.transpose(0, 1).contiguous().transpose(0, 1),
    "part of an array": lambda x: torch.cat([x, x], -1)[..., : x.shape[-1]],
}


@needs_numba
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("cell", [*CELLS, "rnn relu"])
def test_kernels_compute_what_torch_computes(cell, reduction, dtype):
    """For all layouts in memory, one step, empty batches, NaN, and large numbers."""
    name, _, activation = cell.partition(" ")
    layer = CELLS[name](3, 17, activation=activation or "tanh").to(dtype)
    generator = torch.Generator().manual_seed(0)
    layer.initialize(generator)
    tolerance = 2e-5 if dtype == torch.float32 else 1e-12
    for layout in LAYOUTS.values():
        for T, B, special in [
            *[(5, 4, 0.0), (1, 1, 0.0), (4, 0, 0.0)],
            *[(5, 4, np.nan), (5, 4, np.inf), (5, 4, -1e30)],
        ]:
            shape = T, B, layer.n_gates * 17
            x = torch.randn(shape, generator=generator, dtype=dtype)
            state = torch.randn(len(layer.state_names), B, 17, dtype=dtype)
            if special:
                x[2, 1, ::5] = special
            runs = []
            for context in (contextlib.nullcontext, without_compiled_kernels):
                with context():
                    runs.append(
                        run_layer(
                            layer,
                            layout(x),
                            [layout(part) for part in state],
                            REDUCTIONS[reduction],
                        )
                    )
            for mine, theirs in zip(*runs, strict=True):
                torch.testing.assert_close(
                    mine, theirs, rtol=tolerance, atol=tolerance, equal_nan=True
                )


@needs_numba
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cell", COMPILED)
def test_predictions_depend_on_no_other_sequence(cell, dtype):
    layer = CELLS[cell](8, 64).to(dtype)
    generator = torch.Generator().manual_seed(0)
    layer.initialize(generator)
    x = torch.randn(4, 40, 8, generator=generator, dtype=dtype)
    order = torch.randperm(40, generator=generator)
    with torch.inference_mode():
        expected, _ = layer(x)
        found, _ = layer(x[:, order])
        assert torch.equal(found, expected[:, order])
        if compiled.can_predict(x, 64) and not layer.prefers_kernel(x):
            projected = torch.nn.functional.linear(x, layer.weight_ih, layer.bias)
            zeros = [x.new_zeros(40, 64) for _ in layer.state_names]
            rows = [
                layer.unroll(
                    projected[:, k : k + 1],
                    tuple(part[:1] for part in zeros) if zeros[1:] else zeros[0][:1],
                    torch.tensor([4]),
                )[0]
                for k in range(40)
            ]
            assert torch.equal(torch.cat(rows, 1), expected)


@needs_numba
@pytest.mark.parametrize("cell", CELLS)
def test_kernels_leave_out_padding(cell):
    """Outputs and gradients of valid steps are those of torch, for any order."""
    layer = CELLS[cell](3, 17, onehot=True).double()
    generator = torch.Generator().manual_seed(0)
    layer.initialize(generator)
    weights = torch.randn(6, 4, 17, generator=generator, dtype=torch.float64)
    codes = torch.arange(24).view(6, 4) % 3
    for lengths in ([6, 4, 2, 1], [2, 6, 1, 0]):
        lengths, runs = torch.tensor(lengths), []
        is_valid = torch.arange(6)[:, None] < lengths
        for context in (contextlib.nullcontext, without_compiled_kernels):
            layer.zero_grad()
            with context():
                outputs, last = layer(codes, None, lengths)
                (outputs * weights)[is_valid].sum().backward()
                with torch.inference_mode():
                    predicted, _ = layer(codes, None, lengths)
            gradients = [weight.grad for weight in layer.parameters()]
            runs.append([outputs[is_valid], predicted[is_valid], *gradients])
            states = last if isinstance(last, tuple) else (last,)
            assert all(part.isfinite().all() for part in (outputs, *states))
        torch.testing.assert_close(*runs)


# ---------------------------------------------------------------- availability


@needs_numba
def test_kernels_compute_with_numbers_of_the_cpu_only():
    for dtype in DTYPES:
        assert can_compile(torch.zeros(1, dtype=dtype))
        with without_compiled_kernels():
            assert not can_compile(torch.zeros(1, dtype=dtype))
    assert not can_compile(torch.zeros(1, dtype=torch.bfloat16))
    assert not can_compile(torch.zeros(1, device="meta"))
    kind = type("Recorded", (torch.Tensor,), {})  # as in torch.export
    assert not can_compile(torch.zeros(1).as_subclass(kind))


@needs_numba
@pytest.mark.parametrize("cell", COMPILED)
def test_training_on_several_threads_multiplies_with_torch_only(cell, monkeypatch):
    """With kernels, a fit on two threads took up to five times as long."""
    layer = CELLS[cell](2, 3).double()
    layer.initialize(torch.Generator())
    module, used = sys.modules[type(layer).__module__], []

    def record(name, kernel, *arrays):
        used.append(name)
        kernel(*arrays)

    names = ["forward_kernel", "backward_kernel"]
    for name in names:
        monkeypatch.setattr(module, name, partial(record, name, getattr(module, name)))
    n_threads = torch.get_num_threads()
    try:
        for n, expected in [(1, names), (2, [])]:
            torch.set_num_threads(n)
            layer(torch.zeros(4, 9, 2, dtype=torch.float64))[0].sum().backward()
            assert used == expected
            used.clear()
    finally:
        torch.set_num_threads(n_threads)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("cell", CELLS)
def test_layers_can_be_traced(cell):
    layer = CELLS[cell](3, 5).requires_grad_(False)
    layer.initialize(torch.Generator().manual_seed(0))
    first, second = torch.randn(2, 4, 1, 3, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode(False), torch.no_grad():
        traced = torch.jit.trace(lambda x: layer(x)[0], first, check_trace=False)
        torch.testing.assert_close(traced(second), layer(second)[0])


@pytest.fixture
def no_numba_yet():
    """The state of a process that has not looked for numba."""
    functions = compiled.find_numba, compiled._prepare_numba
    for function in functions:
        function.cache_clear()
    yield
    for function in functions:
        function.cache_clear()


@needs_numba
def test_the_switch_of_numba_is_respected(no_numba_yet, monkeypatch):
    monkeypatch.setattr("numba.config.DISABLE_JIT", 1)
    assert not can_compile(torch.zeros(1))


def test_numba_is_optional(no_numba_yet, monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    assert not can_compile(torch.zeros(1))


def test_a_numba_that_cannot_be_imported_is_reported_once(no_numba_yet, monkeypatch):
    def fail():
        raise ImportError("Numba needs NumPy 2.0 or less.")

    monkeypatch.setattr(compiled, "_import_numba", fail)
    with pytest.warns(UserWarning, match="numba cannot be used .*NumPy 2.0 or less"):
        assert not can_compile(torch.zeros(1))
    assert not can_compile(torch.zeros(1))


# ---------------------------------------------------------------- stored functions


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder for compiled functions."""
    monkeypatch.setattr("numba.config.CACHE_DIR", str(tmp_path))
    return tmp_path


def load_double(folder):
    """A kernel in a file of ``folder``, as in a new process."""
    path = folder / "doubles.py"
    if not path.exists():
        path.write_text(DOUBLE, "utf-8")
    spec = importlib.util.spec_from_file_location("doubles", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Kernel(module.double)


def double(kernel, dtype="f8"):
    x = np.arange(3, dtype=dtype)
    result = np.empty_like(x)
    kernel(x, result)
    assert result.tolist() == [0, 2, 4]


@needs_numba
def test_damaged_files_do_no_harm(folder):
    double(load_double(folder))
    files = [*folder.rglob("*.nbi"), *folder.rglob("*.nbc")]
    assert len(files) == 2
    for file in files:
        file.write_bytes(b"damaged")
        double(load_double(folder))


@needs_numba
def test_a_full_disk_and_a_folder_that_is_not_writable_do_no_harm(folder, monkeypatch):
    def fail(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("numba.core.caching.IndexDataCacheFile.save", fail)
    double(load_double(folder))
    exec(DOUBLE, names := {})  # numba finds no folder for a function without a file
    double(Kernel(names["double"]))


@needs_numba
def test_each_type_of_numbers_has_its_own_files(folder):
    kernel = load_double(folder)
    double(kernel, "f4")
    double(kernel, "f8")
    names = {file.name.rpartition("_")[0] for file in folder.rglob("*.nbi")}
    assert names == {"doubles.double_float32", "doubles.double_float64"}


@needs_numba
def test_kernels_stored_by_another_version_are_not_used(folder, monkeypatch):
    double(load_double(folder))
    assert len([*folder.rglob("*.nbi")]) == 1
    monkeypatch.setattr("pkgutil.get_data", lambda *arguments: b"changed")
    compiled._hash_source.cache_clear()
    double(load_double(folder))
    compiled._hash_source.cache_clear()
    assert len([*folder.rglob("*.nbi")]) == 2


FIT = """
import numpy as np
from sklearn_rnn import RNNRegressor

X = np.random.default_rng(0).normal(size=(20, 6))
model = RNNRegressor("gru", 4, max_epochs=2, random_state=0).fit(X, X[:, 0])
print(model.predict(X).tolist())
"""


@needs_numba
@pytest.mark.slow  # compiles all kernels again
def test_processes_may_compile_at_the_same_time(tmp_path):
    folders = [tmp_path, tmp_path, tmp_path / "file" / "folder"]
    (tmp_path / "file").touch()  # so that nothing can be created below it
    running = [
        subprocess.Popen(
            [sys.executable, "-c", FIT],
            stdout=subprocess.PIPE,
            env={**os.environ, "NUMBA_CACHE_DIR": str(folder)},
        )
        for folder in folders
    ]
    found = [process.communicate()[0] for process in running]
    assert all(process.returncode == 0 for process in running)
    assert len(set(found)) == 1


# ---------------------------------------------------------------- threads, processes


def fit():
    X = np.random.default_rng(0).normal(size=(20, 6))
    model = RNNRegressor("gru", 4, max_epochs=2, random_state=0).fit(X, X[:, 0])
    return model.predict(X)


def test_threads_get_the_same_bits():
    with ThreadPoolExecutor(8) as executor:
        found = [executor.submit(fit) for _ in range(8)]
    assert all(np.array_equal(one.result(), fit()) for one in found)


@needs_numba
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that are forked")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_process_forked_during_a_compilation_computes():
    expected = fit()
    begun = threading.Event()

    def compile_something():
        with compiled._lock:
            begun.set()
            time.sleep(0.1)

    thread = threading.Thread(target=compile_something)
    thread.start()
    begun.wait()
    with multiprocessing.get_context("fork").Pool(1) as pool:
        result = pool.apply_async(fork_and_fit)
        assert np.array_equal(result.get(timeout=60), expected)
    thread.join()


def fork_and_fit():
    """Fit in a forked process, with a new kernel."""
    exec(DOUBLE, names := {})
    double(Kernel(names["double"]))
    return fit()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_an_interrupt_does_not_end_a_compilation():
    done = threading.Event()

    def compile_something():
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        time.sleep(0.1)
        done.set()

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            finish_in_thread(compile_something)
    finally:
        signal.signal(signal.SIGINT, before)
    assert done.wait(timeout=60)


def test_models_contain_nothing_compiled():
    X = np.random.default_rng(0).normal(size=(20, 6))
    model = RNNRegressor("gru", 4, max_epochs=1, random_state=0).fit(X, X[:, 0])
    model.predict(X)
    assert b"numba" not in pickle.dumps(model)
