"""Patterns as networks of units read them: rows of a table."""

from typing import Any

import numpy as np

from sklearn_rnn._data.cells import read_table


def validate_patterns(
    estimator: Any, X: Any, *, reset: bool, **options: Any
) -> np.ndarray:
    """X as rows of numbers; the error for images says how to make rows of them."""
    try:
        return read_table(estimator, X, reset=reset, **options)
    except ValueError as error:
        if "Found array with dim" not in str(error):
            raise
        raise ValueError(
            f"{error} Make rows of images first: make_pipeline(ImageFlattener(), "
            f"{type(estimator).__name__}())."
        ) from error
