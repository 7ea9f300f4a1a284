"""The state of streams as named arrays: checked, written to a file and read again."""

import json
import os
import threading
import zipfile
import zlib
from contextlib import suppress

import numpy as np

DAMAGED = (EOFError, zipfile.BadZipFile, zlib.error)


def write_state(path, state):
    """Write the arrays of ``state`` to a file, all of them or nothing."""
    path = os.fspath(path)
    draft = f"{path}.{os.getpid()}.{threading.get_ident()}.part"
    try:
        with open(draft, "xb") as file:
            np.savez(file, **state)
        os.replace(draft, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.remove(draft)
        raise


def read_state(path):
    """The arrays that :func:`write_state` wrote."""
    with open(path, "rb") as file:
        try:
            with np.load(file, allow_pickle=False) as archive:
                return dict(archive)
        except (ValueError, TypeError, LookupError, OSError, *DAMAGED) as error:
            raise ValueError(
                f"{os.fspath(path)!r} is not a file that Stream.save wrote, or it is "
                f"damaged: {error}"
            ) from error


def check_state(arrays, beginning, n, patch_size=1):
    """Arrays of the type and shape of ``beginning``, for ``n`` sequences."""
    missing, extra = beginning.keys() - arrays.keys(), arrays.keys() - beginning.keys()
    if missing or extra:
        raise ValueError(
            f"the state lacks {sorted(missing)} and has {sorted(extra)} too many; "
            f"expected {list(beginning)}."
        )
    found = {}
    for name, like in beginning.items():
        array = np.asarray(arrays[name])
        if array.shape != (n, *like.shape[1:]):
            raise ValueError(
                f"{name} of the state has the shape {array.shape}; this stream has "
                f"{(n, *like.shape[1:])}."
            )
        if not np.can_cast(array.dtype, like.dtype, "same_kind"):
            raise ValueError(
                f"{name} of the state has dtype {array.dtype}, expected {like.dtype}."
            )
        found[name] = array.astype(like.dtype)
    if found["n_steps"].min(initial=0) < 0:
        raise ValueError("n_steps of the state are negative.")
    for name, array in found.items():
        if name == "max":  # minus infinity before the first patch
            array = array[found["n_steps"] >= patch_size]
        if not np.isfinite(array).all():
            raise ValueError(f"{name} of the state holds NaN or infinity.")
    return found


def read_keys(array):
    """The keys in the order of the state's rows."""
    try:
        keys = json.loads(str(array))
        if isinstance(keys, list) and len(set(keys)) == len(keys):
            return keys
    except (TypeError, ValueError):
        pass
    raise ValueError(
        f"keys of the state are {array!r}, not a JSON list of distinct keys."
    )
