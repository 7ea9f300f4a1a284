"""Errors about table cells that are not numbers: dates, text and sequences."""

import datetime
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from sklearn_rnn._data.containers import unwrap
from sklearn_rnn._data.tokens import TokenArray

TEXT_HINT = (
    "Convert text to sequences with a vectorizer: "
    "make_pipeline(CharVectorizer(), RNNClassifier())."
)


def explain_unreadable(X: Any) -> str:
    """Describe the first column of X that contains no numbers; "" if there is none."""
    for label, values in _list_columns(X):
        kind = _find_kind(values)
        if kind is not None:
            return f"{_name_column(label, kind)} {_find_remedy(X, label, kind)}"
    return ""


@contextmanager
def explain_errors(X: Any, name: str = "X") -> Iterator[None]:
    """Add to errors about cells of X that are not numbers how to convert the cells.

    Numbers that are too large for the dtype they are cast to become infinite without a
    warning, because scikit-learn's checks raise an error for infinity.
    """
    try:
        with np.errstate(over="ignore"):
            yield
    except OverflowError as error:
        raise ValueError(
            f"{name} contains integers that are too large for float64 ({error}). Pass "
            "values in a larger unit."
        ) from error
    except (TypeError, ValueError) as error:
        if isinstance(X, (str, bytes)):
            raise ValueError(f"{name} is text: {X[:40]!r}. {TEXT_HINT}") from error
        remedy = explain_unreadable(X)
        if not remedy and str(error).startswith("float() argument"):
            kind = type(X).__name__
            raise TypeError(
                f"{name} of type {kind} cannot be read as numbers ({error}). Pass an "
                "array, a data frame or a list of lists of numbers."
            ) from error
        if not remedy:
            with name_in_errors(name):
                raise
        raise ValueError(f"{name} cannot be read as numbers. {remedy}") from error


@contextmanager
def name_in_errors(name: str) -> Iterator[None]:
    """Add the name of the argument to errors that lack it, such as scikit-learn's."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if re.search(rf"(?<!\w){name}(?!\w)", str(error)):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"in {name}: {error}") from error


def refuse_dates(table: np.ndarray) -> None:
    """Raise an error for a table of dates, which scikit-learn's check_array accepts."""
    if table.dtype.kind in "mM":
        raise TypeError(
            f"X has dtype {table.dtype}; expected numbers. Drop the dates, or encode "
            "them as numbers."
        )


def refuse_huge(table: np.ndarray) -> None:
    """Raise an error for integers in an object array that are too large for a float."""
    if table.dtype == object:
        for value in table.flat:
            if isinstance(value, int):
                float(value)  # or an OverflowError


def read_table(estimator: Any, X: Any, **options: Any) -> np.ndarray:
    """Validate X as a 2-D table of numbers, for estimators that do not read sequences.

    ``options`` are those of scikit-learn's ``validate_data``, which would convert codes
    and dates to numbers. Here they are errors.
    """
    if isinstance(X, TokenArray):
        raise TypeError(
            "X contains tokens, whose codes are labels, but "
            f"{type(estimator).__name__} reads numbers. Use a recurrent estimator, "
            "which embeds tokens, or convert the text to numbers with "
            "TextStatisticsVectorizer."
        )
    X = unwrap(X)
    with explain_errors(X):
        for _, values in _list_columns(X) if hasattr(X, "columns") else ((None, X),):
            if isinstance(values, np.ndarray):
                refuse_dates(values)
        table = validate_data(estimator, X, **options)
        if table.dtype == object:  # None is NaN only as a float
            table = check_array(
                table, dtype=np.float64, estimator=estimator, input_name="X"
            )
        return table


def _list_columns(X: Any) -> Iterator[tuple[Any, np.ndarray]]:
    """Yield label and values of each column of a frame or array; else nothing."""
    if hasattr(X, "columns"):
        for j, label in enumerate(getattr(X, "column_names", X.columns)):
            column = X.iloc[:, j] if hasattr(X, "iloc") else X[label]
            yield label, np.asarray(column)
        return
    try:
        array = X if isinstance(X, np.ndarray) else np.array(X, dtype=object)
    except ValueError:  # rows of different kinds
        return
    if array.ndim == 2:
        yield from ((None, array[:, j]) for j in range(array.shape[1]))
    elif array.ndim == 1:
        yield None, array


def _find_kind(values: np.ndarray) -> str | None:
    """Return "dates", "text" or "sequences" for values of that kind, otherwise None."""
    if values.dtype.kind in "mM":
        return "dates"
    if values.dtype.kind not in "OSU":
        return None
    for value in values:
        if isinstance(value, (datetime.date, datetime.timedelta, np.datetime64)):
            return "dates"
        if isinstance(value, (str, bytes)) and not _is_number(value):
            return "text"
        if isinstance(value, (list, tuple, np.ndarray)):
            return "sequences"
    return None


def _is_number(text: str | bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _name_column(label: Any, kind: str) -> str:
    subject = "It" if label is None else f"Column {label!r}"
    return f"{subject} contains {kind}."


def _find_remedy(X: Any, label: Any, kind: str) -> str:
    """Tell the user what to do with a column that contains ``kind``."""
    if kind == "dates":
        if hasattr(X, "set_index") and label is not None:
            return f"Make it the index with X.set_index({label!r}), or drop it."
        return "Drop them, or encode them as numbers."
    if kind == "text":
        return (
            f"{TEXT_HINT} Convert categories to numbers with an encoder; for a list of "
            "frames, use StepwiseTransformer(OneHotEncoder())."
        )
    if label is not None and len(X.columns) == 1:
        return f"Pass the column instead of the frame: X[{label!r}]."
    return (
        "Convert each row to one array of shape (n_timesteps, n_features), and pass a "
        "list of these arrays."
    )
