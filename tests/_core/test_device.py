"""Device and number type."""

import numpy as np
import pytest
import torch

from sklearn_rnn._core import device as device_module
from sklearn_rnn._core.device import (
    borrow_default_dtype,
    resolve_device,
    resolve_dtype,
    resolve_torch_dtypes,
    warn_if_bfloat16_is_slow,
)


@pytest.mark.parametrize("has_cuda, expected", [(False, "cpu"), (True, "cuda")])
def test_auto_uses_an_accelerator_if_available(monkeypatch, has_cuda, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_cuda)
    assert resolve_device("auto") == torch.device(expected)


@pytest.mark.parametrize("device", ["cpu", torch.device("cpu")])
def test_a_named_device_is_taken(device):
    assert resolve_device(device) == torch.device("cpu")


@pytest.mark.parametrize("device", ["gpu", "", "cpu:x", "cuda:99"])
def test_a_device_that_cannot_be_used_is_refused(device):
    with pytest.raises(ValueError, match=f'device={device!r} cannot.*Use "auto"'):
        resolve_device(device)


@pytest.mark.skipif(torch.backends.mps.is_available(), reason="needs a missing device")
def test_the_error_for_a_missing_device_is_short():
    """Torch's own message is a page long."""
    with pytest.raises(ValueError, match="torch finds only cpu") as caught:
        resolve_device("mps")
    assert len(str(caught.value)) < 120


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_is_taken_where_it_is():
    assert resolve_device("cuda").type == "cuda"
    assert resolve_device("auto").type == "cuda"


@pytest.mark.parametrize(
    "precision, X_dtype, data, compute",
    [
        ("auto", np.float64, np.float64, torch.float64),
        ("auto", ">f8", np.float64, torch.float64),
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
    assert resolve_dtype(precision, np.dtype(X_dtype)) == data
    weights = torch.float64 if data is np.float64 else torch.float32
    layers = compute if compute is torch.bfloat16 else None
    assert resolve_torch_dtypes(precision, np.dtype(X_dtype)) == (weights, layers)


def test_the_default_dtype_is_restored_after_an_error():
    before = torch.get_default_dtype()
    with pytest.raises(KeyError), borrow_default_dtype(torch.float64):
        assert torch.zeros(1).dtype is torch.float64
        raise KeyError
    assert torch.get_default_dtype() is before


def test_slow_bfloat16_is_a_warning(monkeypatch):
    cpu = torch.device("cpu")
    monkeypatch.setattr(device_module, "_has_bfloat16", lambda: True)
    warn_if_bfloat16_is_slow(cpu, 128, 128)
    with pytest.warns(UserWarning, match="fewer than 128 units .*hidden_size=127"):
        warn_if_bfloat16_is_slow(cpu, 127, 128)
    monkeypatch.setattr(device_module, "_has_bfloat16", lambda: False)
    with pytest.warns(UserWarning, match="no instructions for bfloat16"):
        warn_if_bfloat16_is_slow(cpu, 128, 128)
    warn_if_bfloat16_is_slow(torch.device("cuda"), 4, 128)


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"architecture": "x86_64", "avx512_bf16": True}, True),
        ({"architecture": "x86_64", "amx_bf16": True}, True),
        ({"architecture": "x86_64", "avx512_f": True}, False),
        ({"architecture": "aarch64"}, True),
        ({}, True),
    ],
)
def test_the_instructions_of_the_processor_are_asked_for(
    monkeypatch, capabilities, expected
):
    monkeypatch.setattr(
        torch.cpu, "get_capabilities", lambda: capabilities, raising=False
    )
    assert device_module._has_bfloat16() is expected
