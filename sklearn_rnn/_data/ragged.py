"""Arrays and frames of unequal length: in containers, and one after the other."""

from collections.abc import Iterable
from typing import Any

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


def check_columns(rows: Iterable[Any], kind: str) -> None:
    """Refuse rows of X, each a ``kind``, that are frames of different columns."""
    columns = [list(getattr(row, "columns", ())) for row in rows]
    for i, names in enumerate(columns):
        if names != columns[0]:
            raise ValueError(
                f"{kind} {i} of X has the columns {names}, {kind} 0 has {columns[0]}. "
                "All of them need to be frames of the same columns in the same order, "
                "or none of them a frame."
            )


def concatenate_ranges(first: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The integers from ``first[i]`` to ``first[i] + lengths[i] - 1`` for each i."""
    ends = np.cumsum(lengths)
    return np.repeat(first - ends + lengths, lengths) + np.arange(ends[-1])
