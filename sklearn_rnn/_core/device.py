"""Device and floating-point types of a network's computations."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from sklearn_rnn._core.user_warnings import warn_user

if TYPE_CHECKING:
    import torch

# NumPy's arrays are float64 by default, but training in float64 takes about twice the
# time and does not improve results on standardized data. For at most this many values
# float64 is kept, because it costs little and some scikit-learn checks require it.
LARGEST_FLOAT64 = 2**14


def resolve_device(device: "str | torch.device") -> "torch.device":
    """Return the torch device; "auto" is the first GPU if available, else the CPU."""
    import torch

    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
        torch.empty(1, device=resolved).item()
    except (RuntimeError, AssertionError) as error:
        found = _find_devices()
        reason = f"torch finds only {' and '.join(found)}"
        if str(device).partition(":")[0] in found:
            reason = str(error).partition("\n")[0]
        raise ValueError(
            f'device={device!r} cannot be used here ({reason}). Use "auto" or "cpu".'
        ) from error
    return resolved


def _find_devices() -> list[str]:
    """List the types of the devices that torch can compute on."""
    import torch

    accelerator = torch.accelerator.current_accelerator(check_available=True)
    return ["cpu"] if accelerator is None else ["cpu", accelerator.type]


def ignore_default_device() -> AbstractContextManager[object]:
    """Return a context in which torch creates tensors on the CPU by default.

    If the user has not set another default device, the context does nothing, because
    torch's context slows down every operation.
    """
    import torch

    cpu = torch.device("cpu")
    return nullcontext() if torch.get_default_device() == cpu else cpu


@contextmanager
def ignore_torch_modes() -> Iterator[None]:
    """Create tensors on the CPU by default, and parameters that have gradients.

    Inference mode, ``no_grad`` and the default device of the user are ignored.
    """
    import torch

    with torch.inference_mode(False), torch.enable_grad(), ignore_default_device():
        yield


def resolve_dtype(precision: str, X_dtype: DTypeLike, n_values: int = 0) -> np.dtype:
    """Return the numpy dtype of data and weights.

    ``precision="auto"`` keeps float64 for float64 input of at most LARGEST_FLOAT64
    values, and is float32 otherwise. With bfloat16, weights, data and head stay in
    float32.
    """
    if precision == "auto":
        is_float64 = np.dtype(X_dtype).newbyteorder("=") == np.float64
        exact = is_float64 and n_values <= LARGEST_FLOAT64
        precision = "float64" if exact else "float32"
    return np.dtype("float32" if precision == "bfloat16" else precision)


def resolve_torch_dtypes(
    precision: str, X_dtype: DTypeLike
) -> "tuple[torch.dtype, torch.dtype | None]":
    """Return torch's dtypes of the weights and, if they differ, of recurrent layers."""
    import torch

    weights = getattr(torch, resolve_dtype(precision, X_dtype).name)
    return weights, torch.bfloat16 if precision == "bfloat16" else None


def warn_if_bfloat16_is_slow(
    device: "torch.device", hidden_size: int, least: int
) -> None:
    """Warn if layers are slower in bfloat16 than in float32 on this device.

    On a CPU, those of fewer than ``least`` units are.
    """
    if device.type != "cpu":
        return
    reason = ""
    if not _has_bfloat16():
        reason = "this processor has no instructions for bfloat16"
    elif hidden_size < least:
        reason = (
            f"on a CPU, layers of fewer than {least} units of this cell are too small "
            f"(hidden_size={hidden_size})"
        )
    if reason:
        warn_user(
            f'precision="bfloat16" is slower than float32 here, because {reason}. '
            'Set precision="float32".'
        )


def _has_bfloat16() -> bool:
    """Return whether the CPU multiplies in bfloat16; True if this is not known."""
    import torch

    find = getattr(torch.cpu, "get_capabilities", dict)  # not in older versions
    found: dict[str, Any] = find()
    if found.get("architecture") != "x86_64":
        return True
    return bool(found.get("avx512_bf16") or found.get("amx_bf16"))


@contextmanager
def borrow_default_dtype(dtype: "torch.dtype") -> Iterator[None]:
    """Let foreign code create tensors of ``dtype``; torch's default is restored."""
    import torch

    before = torch.get_default_dtype()
    try:
        torch.set_default_dtype(dtype)
        yield
    finally:
        torch.set_default_dtype(before)
