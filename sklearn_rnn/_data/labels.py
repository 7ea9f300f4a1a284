"""Checks of y: labels, an indicator matrix or numbers, per sequence or step."""

from typing import Any

import numpy as np
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_array, column_or_1d

from sklearn_rnn._data.cells import name_in_errors
from sklearn_rnn._data.containers import unwrap

PER_STEP = "For one entry per time step, set return_sequences=True."


def _as_array(y: Any, dtype: Any, estimator: Any) -> np.ndarray:
    """Convert y to an array (n,) or (n, n_columns)."""
    y = unwrap(y, "y")
    rows = y if isinstance(y, (list, tuple)) else []
    if getattr(y, "ndim", None) == 1 and y.dtype == object:
        rows = [0, *y]  # so that arrays of the same length raise the error, too
    if len({np.shape(row) for row in rows}) > 1:
        raise ValueError(f"y contains one array per sequence. {PER_STEP}")
    options = {"ensure_2d": False, "input_name": "y", "estimator": estimator}
    try:
        with name_in_errors("y"):
            y = check_array(y, dtype=dtype, **options)
            if dtype == "numeric" and y.dtype == object:  # y was a list with None
                y = check_array(y, dtype=np.float64, **options)
    except (OverflowError, TypeError) as error:
        raise ValueError(
            f"y cannot be read as numbers ({error}). Pass one finite number, or one "
            "row of such numbers, per sequence."
        ) from error
    return y


def check_labels(y: Any, estimator: Any) -> np.ndarray:
    """Return y as labels (n,) or as an indicator matrix (n, n_labels)."""
    y = _as_array(y, None, estimator)
    with np.errstate(invalid="ignore"):  # scikit-learn casts large numbers to integers
        kind = type_of_target(y, input_name="y", raise_unknown=True)
        check_classification_targets(y)
    if kind == "multilabel-indicator":
        values = np.unique(y)
        if not np.isin(values, (0, 1)).all():
            raise ValueError(
                f"y is an indicator matrix of the values {values.tolist()}; expected 0 "
                "and 1. Pass y == value, where value marks a present label."
            )
        return y
    if kind == "multiclass-multioutput":
        raise ValueError(
            "Unknown label type: multiclass-multioutput. Pass one label per sequence, "
            "or an indicator matrix of 0 and 1 with one column per label. For several "
            f"columns of classes, use MultiOutputClassifier. {PER_STEP}"
        )
    return column_or_1d(y, warn=True)


def describe_misread_labels(y: np.ndarray, lengths: np.ndarray | None) -> str:
    """Explain why y may be one-hot classes or labels per step; "" if it is neither.

    ``lengths`` are the lengths of the sequences, or None if y has one row per step.
    """
    if y.ndim == 1:
        return ""
    n_columns = y.shape[1]
    if (y.sum(axis=1) == 1).all():
        return (
            f"y is an indicator matrix, so each of its {n_columns} columns is learned "
            "as a separate label, but every row has exactly one 1. If y is one-hot "
            "encoded, pass the classes: y.argmax(axis=-1)."
        )
    if lengths is not None and (lengths == n_columns).all():
        return (
            f"y has {n_columns} columns, which are learned as labels of the whole "
            f"sequence, and every sequence of X has {n_columns} steps. {PER_STEP}"
        )
    return ""


def check_numbers(y: Any, estimator: Any) -> np.ndarray:
    """Return y as numbers (n,) or (n, n_outputs)."""
    y = _as_array(y, "numeric", estimator)
    if y.dtype.kind in "mM":
        raise TypeError(
            f"y has dtype {y.dtype}; expected numbers. Convert times to numbers, such "
            "as days since the first one."
        )
    if y.ndim == 2 and y.shape[1] == 1:
        return column_or_1d(y, warn=True)
    return y
