"""The state of streams as named arrays: checked, written to a file and read again."""

import json
from collections.abc import Mapping

import numpy as np

from sklearn_rnn._core.container import read_container, write_container
from sklearn_rnn.streaming._keys import check_key

KIND = "stream state"
TEXTS = ("model", "keys")  # of a state, which a file holds in its header
ROUNDING = 1e-2  # also that of bfloat16
MOST_STEPS = 2**53  # exact as floats, too
LONGEST_KEYS = 2**24  # characters of JSON


def write_state(path, state):
    """Write the arrays of ``state`` to a file, all of them or nothing."""
    texts = {name: str(state[name]) for name in TEXTS if name in state}
    arrays = {name: array for name, array in state.items() if name not in texts}
    write_container(path, KIND, texts, arrays)


def read_state(path):
    """The arrays that :func:`write_state` wrote."""
    texts, arrays = read_container(path, KIND)
    return {**{name: np.array(text) for name, text in texts.items()}, **arrays}


def check_mapping(state):
    """Raise ValueError if ``state`` is not a dict with names."""
    if not isinstance(state, Mapping) or not all(isinstance(n, str) for n in state):
        raise ValueError(
            f"a state is a dict of arrays, as stream.state returns, got {state!r:.200}."
        )


def check_state(arrays, beginning, n, patch_size=1, find_bounds=lambda n_read: {}):
    """Arrays of the type and shape of ``beginning``, for ``n`` sequences.

    ``find_bounds`` is called with the number of patches that each has read, and returns
    the largest absolute value that some of the arrays can have then.
    """
    missing, extra = beginning.keys() - arrays.keys(), arrays.keys() - beginning.keys()
    if missing or extra:
        raise ValueError(
            f"the state lacks {sorted(missing)} and has {sorted(extra)} too many; "
            f"expected {list(beginning)}."
        )
    found = {
        name: _check_array(name, arrays[name], like, n)
        for name, like in beginning.items()
    }
    n_steps = found["n_steps"]
    if n_steps.min(initial=0) < 0:
        raise ValueError("n_steps of the state are negative.")
    if n_steps.max(initial=0) > MOST_STEPS:
        raise ValueError(f"n_steps of the state are above {MOST_STEPS}.")
    bounds = find_bounds(n_steps // patch_size)
    for name, array in found.items():
        if array.dtype.kind != "f":
            continue
        allowed = np.isfinite(array)
        if name == "max":  # minus infinity before the first patch
            allowed |= np.isneginf(array) & (n_steps < patch_size)[:, np.newaxis]
        elif np.isnan(beginning[name]).any():  # of values that are not known yet
            allowed |= np.isnan(array)
        if not allowed.all():
            raise ValueError(f"{name} of the state holds NaN or infinity.")
        if name in bounds:
            _check_bound(name, array, bounds[name])
    return found


def _check_bound(name, array, bound):
    """Raise ValueError if a row of ``array`` (n, H) is beyond its ``bound`` (n,)."""
    size = np.where(np.isinf(array), 0, np.abs(array)).max(axis=1, initial=0)
    beyond = np.flatnonzero(size > bound * (1 + ROUNDING))
    if len(beyond):
        row = beyond[0]
        raise ValueError(
            f"{name} of the state holds values of up to {size[row]:.3g} in row {row}; "
            f"in this network, none can be above {bound[row]} after the "
            "steps that n_steps tells."
        )


def _check_array(name, given, like, n):
    """An array of the type of ``like`` and of its shape, but with ``n`` rows."""
    try:
        array = np.asarray(given)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} of the state is not an array: {error}") from error
    if array.shape != (n, *like.shape[1:]):
        raise ValueError(
            f"{name} of the state has the shape {array.shape}; this stream has "
            f"{(n, *like.shape[1:])}."
        )
    if array.dtype == object or not np.can_cast(array.dtype, like.dtype, "same_kind"):
        raise ValueError(
            f"{name} of the state has dtype {array.dtype}, expected {like.dtype}."
        )
    with np.errstate(over="ignore"):  # infinity is found below
        return array.astype(like.dtype)


def read_keys(array):
    """The keys in the order of the state's rows."""
    try:
        text = str(array)
        if len(text) > LONGEST_KEYS:
            raise ValueError(f"{len(text)} characters")
        keys = json.loads(text)
        if isinstance(keys, list):
            for key in keys:
                check_key(key)
            if len(set(keys)) == len(keys):
                return keys
    except (RecursionError, TypeError, ValueError):
        pass
    raise ValueError(
        f"keys of the state are {array!r:.200}, not a JSON list of distinct keys, "
        "which are str or int."
    )
