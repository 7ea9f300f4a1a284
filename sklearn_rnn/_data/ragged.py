"""Arrays and frames of unequal length, in containers or concatenated."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np


def object_array(rows: Iterable) -> np.ndarray:
    """Return a 1-D object array of ``rows``, even if all have the same shape."""
    rows = list(rows)
    array = np.empty(len(rows), dtype=object)
    for i, row in enumerate(rows):
        array[i] = row
    return array


def holds_several(X: Any) -> bool:
    """Return whether the elements of X are themselves series."""
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
    """Split the steps of all sequences into an object array of (T_i, ...)."""
    return object_array(np.split(flat, np.cumsum(lengths)[:-1]))


def check_columns(rows: Iterable[Any], kind: str, name: str = "X") -> None:
    """Raise an error if some rows of X are frames with different columns.

    ``kind`` and ``name`` are the names of a row and of X in the error message.
    """
    columns = [list(getattr(row, "columns", ())) for row in rows]
    for i, names in enumerate(columns):
        if names != columns[0]:
            raise ValueError(
                f"{kind} {i} of {name} has the columns {names}, but {kind} 0 has "
                f"{columns[0]}. Pass frames with the same columns in the same order, "
                "or no frames."
            )


def drop_padding(values: np.ndarray, name: str) -> np.ndarray:
    """Remove the steps at the end of (T, C) in which all values are NaN."""
    known = np.flatnonzero(~np.isnan(values).all(axis=1))
    if not len(known):
        raise ValueError(
            f"{name} has no steps: all its values are NaN, and trailing NaN steps of a "
            "3-D array are padding. Remove it, or pass a list of series, in which NaN "
            "is a missing value."
        )
    return values[: known[-1] + 1]


def concatenate_ranges(first: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return the ``lengths[i]`` integers from ``first[i]`` on, for all i."""
    ends = np.cumsum(lengths)
    return np.repeat(first - ends + lengths, lengths) + np.arange(ends[-1])


def split_ranges(
    first: np.ndarray, lengths: np.ndarray, size: int
) -> Iterator[np.ndarray]:
    """Yield what :func:`concatenate_ranges` returns, ``size`` integers at a time."""
    ends = np.cumsum(lengths)
    for start in range(0, int(ends[-1]), size):
        stop = min(start + size, int(ends[-1]))
        a, b = np.searchsorted(ends, (start, stop - 1), side="right")
        rows = slice(a, b + 1)
        skipped = np.maximum(start - ends[rows] + lengths[rows], 0)
        counts = np.minimum(ends[rows], stop) - ends[rows] + lengths[rows] - skipped
        yield concatenate_ranges(first[rows] + skipped, counts)
