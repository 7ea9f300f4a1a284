"""Where a network computes, and in which number type."""

import numpy as np


def resolve_device(device):
    """A torch device; "auto" is the first accelerator there is, else the CPU."""
    import torch

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


def number_type(precision, X_dtype):
    """The numpy dtype of data and weights.

    ``precision="auto"`` keeps float64 for float64 input, and is float32 for anything
    else. bfloat16 keeps its weights, its data and its head in float32.
    """
    if precision == "auto":
        precision = "float64" if X_dtype == np.float64 else "float32"
    return np.dtype("float32" if precision == "bfloat16" else precision)


def torch_types(precision, X_dtype):
    """Torch's dtype of weights, and that of the recurrent layers if it is another."""
    import torch

    weights = getattr(torch, number_type(precision, X_dtype).name)
    return weights, torch.bfloat16 if precision == "bfloat16" else None
