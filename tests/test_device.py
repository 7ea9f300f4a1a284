"""Device, number type, threads."""

import multiprocessing

import numpy as np
import pytest
import torch

from sklearn_rnn._core.device import (
    WORK_WORTH_THREADS,
    number_types,
    resolve_device,
    threads_for,
)


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_small_work_runs_on_one_thread(two_threads):
    with threads_for(WORK_WORTH_THREADS - 1):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


def test_large_work_keeps_its_threads(two_threads):
    with threads_for(WORK_WORTH_THREADS):
        assert torch.get_num_threads() == 2
    assert torch.get_num_threads() == 2


def test_threads_come_back_after_an_error(two_threads):
    with pytest.raises(KeyError), threads_for(1):
        raise KeyError
    assert torch.get_num_threads() == 2


def test_nested_small_work_keeps_one_thread_to_the_end(two_threads):
    with threads_for(1):
        with threads_for(1):
            pass
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


def test_one_thread_stays_one():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threads_for(1):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("has_cuda, expected", [(False, "cpu"), (True, "cuda")])
def test_auto_takes_an_accelerator_if_there_is_one(monkeypatch, has_cuda, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_cuda)
    assert resolve_device("auto") == torch.device(expected)


@pytest.mark.parametrize("device", ["cpu", torch.device("cpu")])
def test_a_named_device_is_taken(device):
    assert resolve_device(device) == torch.device("cpu")


@pytest.mark.parametrize("device", ["gpu", "", "cpu:x", "cuda:99"])
def test_a_device_that_cannot_be_used_is_refused(device):
    with pytest.raises(ValueError, match=f'device={device!r} cannot.*Use "auto"'):
        resolve_device(device)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_is_taken_where_it_is():
    assert resolve_device("cuda").type == "cuda"
    assert resolve_device("auto").type == "cuda"


@pytest.mark.parametrize(
    "precision, X_dtype, data, compute",
    [
        ("auto", np.float64, np.float64, torch.float64),
        ("auto", np.float32, np.float32, torch.float32),
        ("auto", np.float16, np.float32, torch.float32),
        ("auto", np.int64, np.float32, torch.float32),
        ("auto", np.int32, np.float32, torch.float32),
        ("auto", np.bool_, np.float32, torch.float32),
        ("float32", np.float64, np.float32, torch.float32),
        ("float64", np.float32, np.float64, torch.float64),
        ("float64", np.int32, np.float64, torch.float64),
        ("bfloat16", np.float64, np.float32, torch.bfloat16),
        ("bfloat16", np.float32, np.float32, torch.bfloat16),
    ],
)
def test_number_types_of_data_and_recurrent_layers(precision, X_dtype, data, compute):
    assert number_types(precision, np.dtype(X_dtype)) == (data, compute)


def multiply(connection):
    ones = torch.ones(600, 600)
    connection.send((float((ones @ ones).sum()), torch.get_num_threads()))


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="needs fork"
)
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_computes_after_its_parent_used_two_threads(two_threads):
    ones = torch.ones(600, 600)
    assert float((ones @ ones).sum()) == 600**3
    assert float(torch.ones(10**6).sum()) == 10**6
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=multiply, args=(sender,))
    child.start()
    try:
        assert receiver.poll(60), "the child hangs"
        assert receiver.recv() == (600**3, 1)
        child.join(60)
        assert child.exitcode == 0
    finally:
        child.kill()
        child.join()
