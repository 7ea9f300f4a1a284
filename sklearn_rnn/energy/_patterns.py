"""Validation of patterns, which are the rows of a table."""

from typing import Any

import numpy as np

from sklearn_rnn._data.cells import read_table


def validate_patterns(
    estimator: Any, X: Any, *, reset: bool, **options: Any
) -> np.ndarray:
    """Validate X as a 2-D table; the error for images names ImageFlattener."""
    try:
        return read_table(estimator, X, reset=reset, **options)
    except ValueError as error:
        if "Found array with dim" not in str(error):
            raise
        raise ValueError(
            f"{error} Turn images into rows first: make_pipeline(ImageFlattener(), "
            f"{type(estimator).__name__}())."
        ) from error
