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


def holds_several(X: Any) -> bool:
    """Whether the elements of X are series themselves."""
    n_dimensions = getattr(X, "ndim", 1)
    if n_dimensions == 0:
        return False
    if n_dimensions == 3:
        return True
    is_frame = n_dimensions == 2 or hasattr(X, "columns")  # polars has no ndim
    if is_frame or not hasattr(X, "__len__") or not len(X):
        return False
    return np.ndim(X.iloc[0] if hasattr(X, "iloc") else X[0]) > 0


def split_steps(flat: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Steps of all sequences (n_steps, ...), as an object array of (T_i, ...)."""
    return object_array(np.split(flat, np.cumsum(lengths)[:-1]))


def check_columns(rows: Iterable[Any], kind: str, name: str = "X") -> None:
    """Refuse rows of X, each a ``kind``, that are frames of different columns.

    ``name`` is what an error calls X.
    """
    columns = [list(getattr(row, "columns", ())) for row in rows]
    for i, names in enumerate(columns):
        if names != columns[0]:
            raise ValueError(
                f"{kind} {i} of {name} has the columns {names}, {kind} 0 has "
                f"{columns[0]}. "
                "All of them need to be frames of the same columns in the same order, "
                "or none of them a frame."
            )


def drop_padding(values: np.ndarray, name: str) -> np.ndarray:
    """Values (T, C) without the steps at the end where all are NaN."""
    known = np.flatnonzero(~np.isnan(values).all(axis=1))
    if not len(known):
        raise ValueError(
            f"{name} has no steps: all of it is NaN, and trailing NaN steps of a "
            "3-D array are padding. Leave it out, or give a list of series, where NaN "
            "is a missing value."
        )
    return values[: known[-1] + 1]


def concatenate_ranges(first: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The integers from ``first[i]`` to ``first[i] + lengths[i] - 1`` for each i."""
    ends = np.cumsum(lengths)
    return np.repeat(first - ends + lengths, lengths) + np.arange(ends[-1])
