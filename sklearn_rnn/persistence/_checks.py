"""Checks of values that could make other code slow or crash."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from sklearn_rnn.persistence._errors import require

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
