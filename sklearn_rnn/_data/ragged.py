"""Object arrays that hold one array per sequence."""

from collections.abc import Iterable

import numpy as np


def object_array(rows: Iterable) -> np.ndarray:
    """A 1-D object array of ``rows``, even if all of them have the same shape."""
    rows = list(rows)
    array = np.empty(len(rows), dtype=object)
    for i, row in enumerate(rows):
        array[i] = row
    return array


def split_steps(flat: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Steps of all sequences (n_steps, ...), as an object array of (T_i, ...)."""
    return object_array(np.split(flat, np.cumsum(lengths)[:-1]))
