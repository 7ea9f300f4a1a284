"""Checks of values that could make other code slow or crash."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from sklearn_rnn.persistence._errors import require

BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM")
MOST_EQUAL_HASHES = 50  # keys of a dict with the same hash, which slow it down


def check_hashes(keys: Iterable[Any]) -> None:
    """Check that few keys have the same hash, because a dict of them would be slow."""
    hashes = np.array([hash(key) for key in keys if type(key) is not str])
    if len(hashes) > MOST_EQUAL_HASHES:
        most = np.unique(hashes, return_counts=True)[1].max()
        require(most <= MOST_EQUAL_HASHES, "too many keys have the same hash.")


def check_sparse(arrays: list[np.ndarray], n_rows: int, n_columns: int) -> None:
    """Check the indices of a compressed matrix, on which compiled code relies.

    scipy's own check computes differences of ``starts``, which can overflow.
    """
    data, indices, starts = arrays
    require(
        len(data) == len(indices)
        and len(starts) == n_rows + 1
        and starts[0] == 0
        and starts[-1] == len(data)
        and (starts[1:] >= starts[:-1]).all()
        and (not len(indices) or 0 <= indices.min() <= indices.max() < n_columns),
        "the indices of a sparse matrix are damaged.",
    )


def find_arrays(value: Any) -> Iterator[np.ndarray]:
    """Find all arrays in nested dicts, lists and tuples, each time that they occur."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, (dict, list, tuple)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from find_arrays(part)


def restore_generator(kind: str, state: Any) -> Any:
    """Return a random generator in a state, after checks."""
    require(
        type(state) is dict and state.get("bit_generator") in BIT_GENERATORS,
        "the state of a random generator is damaged.",
    )
    if state["bit_generator"] == "MT19937":
        inner = state.get("state")
        require(
            type(inner) is dict
            and type(key := inner.get("key")) is np.ndarray
            and (key.dtype, key.shape) == (np.dtype(np.uint32), (624,))
            and type(pos := inner.get("pos")) is int
            and 0 <= pos <= 624,
            "the state of a random generator is damaged.",
        )
    if kind == "RandomState":
        generator = np.random.RandomState(0)
        generator.set_state(state)
        return generator
    bits = getattr(np.random, state["bit_generator"])(0)
    bits.state = state
    return np.random.Generator(bits)
