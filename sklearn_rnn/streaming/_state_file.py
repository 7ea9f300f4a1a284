"""The state of streams as named arrays: checks, and files."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from sklearn_rnn._core.container import Path, read_container, write_container
from sklearn_rnn._nn.states import Arrays
from sklearn_rnn.streaming._keys import Key, check_key

KIND = "stream state"
TEXTS = ("model", "keys")  # entries that a file stores in its header
ROUNDING = 1e-2  # relative tolerance, sufficient for bfloat16
MOST_STEPS = 2**53  # larger integers are not exact as floats
LONGEST_KEYS = 2**24  # characters of JSON


def write_state(path: Path, state: Arrays) -> None:
    """Write the arrays of ``state`` to a file atomically."""
    texts = {name: str(state[name]) for name in TEXTS if name in state}
    arrays = {name: array for name, array in state.items() if name not in texts}
    write_container(path, KIND, texts, arrays)


def read_state(path: Path) -> Arrays:
    """Read the arrays that :func:`write_state` wrote."""
    texts, arrays = read_container(path, KIND)
    return {**{name: np.array(text) for name, text in texts.items()}, **arrays}


def check_mapping(state: Any) -> None:
    """Raise a ValueError if ``state`` is not a dict with str keys."""
    if not isinstance(state, Mapping) or not all(isinstance(n, str) for n in state):
        raise ValueError(
            "a state must be a dict of arrays, as stream.state returns, got "
            f"{state!r:.200}."
        )


def check_state(
    arrays: Mapping[str, Any],
    beginning: Arrays,
    n: int,
    patch_size: int = 1,
    find_bounds: Callable[[np.ndarray], Arrays] = lambda n_read: {},
) -> Arrays:
    """Check a state, and return arrays of the types and shapes of ``beginning``.

    ``n`` is the number of sequences. ``find_bounds`` is called with the number of
    patches that each sequence has read. It returns upper bounds of the absolute values
    of some of the arrays.
    """
    missing, extra = beginning.keys() - arrays.keys(), arrays.keys() - beginning.keys()
    if missing or extra:
        raise ValueError(
            f"the state lacks the arrays {sorted(missing)} and has the unknown arrays "
            f"{sorted(extra)}; expected {list(beginning)}."
        )
    found = {
        name: _check_array(name, arrays[name], like, n)
        for name, like in beginning.items()
    }
    n_steps = found["n_steps"]
    if n_steps.min(initial=0) < 0:
        raise ValueError(
            "n_steps of the state contains negative values; expected numbers of steps."
        )
    if n_steps.max(initial=0) > MOST_STEPS:
        raise ValueError(f"n_steps of the state contains values above {MOST_STEPS}.")
    bounds = find_bounds(n_steps // patch_size)
    for name, array in found.items():
        if array.dtype.kind != "f":
            continue
        allowed = np.isfinite(array)
        if name == "max":  # minus infinity before the first patch
            allowed |= np.isneginf(array) & (n_steps < patch_size)[:, np.newaxis]
        elif np.isnan(beginning[name]).any():  # values that are not known yet
            allowed |= np.isnan(array)
        if not allowed.all():
            raise ValueError(f"{name} of the state contains NaN or infinity.")
        if name in bounds:
            _check_bound(name, array, bounds[name])
    return found


def _check_bound(name: str, array: np.ndarray, bound: np.ndarray) -> None:
    """Raise a ValueError if a row of ``array`` (n, H) exceeds its ``bound`` (n,)."""
    size = np.where(np.isinf(array), 0, np.abs(array)).max(axis=1, initial=0)
    beyond = np.flatnonzero(size > bound * (1 + ROUNDING))
    if len(beyond):
        row = beyond[0]
        raise ValueError(
            f"{name} of the state contains values of up to {size[row]:.3g} in row "
            f"{row}; in this network, no value can be above {bound[row]} after the "
            "number of steps in n_steps."
        )


def _check_array(name: str, given: Any, like: np.ndarray, n: int) -> np.ndarray:
    """Convert ``given`` to the type and shape of ``like``, but with ``n`` rows."""
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


def read_keys(array: Any) -> list[Key]:
    """Read the keys in the order of the state's rows."""
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
        f"keys of the state are {array!r:.200}; expected a JSON list of distinct keys "
        "of type str or int."
    )
