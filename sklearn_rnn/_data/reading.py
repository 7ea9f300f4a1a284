"""Reading of X into sequences, in fit and in prediction."""

from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from sklearn_rnn._core.device import resolve_dtype
from sklearn_rnn._core.sklearn_private import _check_feature_names
from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn._data.cells import explain_errors, refuse_dates
from sklearn_rnn._data.containers import unwrap
from sklearn_rnn._data.ragged import check_columns
from sklearn_rnn._data.sequences import (
    Sequences,
    as_codes,
    check_codes,
    find_kind,
    from_array,
    from_ragged,
    from_table,
    from_tokens,
    holds_integers,
)

ONE_SEQUENCE = "If X is a single sequence, put it into a list: [X]."


@contextmanager
def explain_one_dimension(X: Any) -> Iterator[None]:
    """Replace scikit-learn's advice for 1-D arrays, which means rows of features."""
    try:
        yield
    except ValueError as error:
        if "got 1D array" not in str(error):
            raise
        raise ValueError(
            f"Expected 2D array, got 1D array instead: X has the shape {np.shape(X)}. "
            f"Reshape your data. {ONE_SEQUENCE} If it contains one value per sequence, "
            "use X.reshape(-1, 1)."
        ) from error


class SequenceReader(BaseEstimator):
    """Base that reads X, and in fit records its kind, features, vocabulary and dtype.

    It uses the parameters ``embedding``, ``input_size`` and ``precision``.
    """

    _reads_from_files = (
        False  # whether memory-mapped rows of a list stay in their files
    )

    def _read(self, X: Any, *, reset: bool) -> Sequences:
        """Read X as checked sequences of the dtype that this model computes in."""
        X = unwrap(X)
        kind = find_kind(X)
        if kind == "table":
            sequences = from_table(self._read_table(X, reset), self.input_size)
        elif kind == "tokens":
            sequences = from_tokens(X)
        elif kind == "array":
            sequences = from_array(X)
        else:
            sequences = from_ragged(X, in_files=self._reads_from_files)
        if sequences.vocabulary_size is None and not _is_auto(self.embedding):
            size = None if reset else self._vocabulary_size
            if reset and is_table(self.embedding):
                size = len(np.asarray(self.embedding))
            sequences = as_codes(sequences, size)
        if reset:
            self._remember_input(sequences, kind)
        if kind == "ragged":
            self._check_columns(X, reset)
        return self._check_against_fit(sequences)

    def _read_table(self, X: Any, reset: bool) -> np.ndarray:
        """Read X as a table of numbers; errors suggest other containers."""
        both_tables = reset or self._fitted_on_table
        with explain_errors(X), explain_one_dimension(X):
            if both_tables:
                table = self._validate_table(X, reset)
            else:
                table = check_array(X, dtype="numeric", estimator=self, input_name="X")
            refuse_dates(table)
            if table.dtype.kind in "OSU":  # pandas categories, or None
                table = check_array(
                    table, dtype=np.float64, estimator=self, input_name="X"
                )
        if both_tables:
            return table
        if table.shape[1] == self.input_size_:
            self._check_not_one_sequence(table)
        return table

    def _validate_table(self, X: Any, reset: bool) -> np.ndarray:
        """Check that X has the columns of fit; the error explains other containers."""
        try:
            return validate_data(self, X, reset=reset, dtype="numeric")
        except ValueError as error:
            if "is expecting" not in str(error):
                raise
            raise ValueError(f"{error} {self._explain_width(X)}") from error

    def _explain_width(self, X: Any) -> str:
        """Explain how to pass sequences of another length than the rows in fit."""
        if np.shape(X)[1] == self.input_size_ and len(X) > 1:
            return ONE_SEQUENCE
        array = "np.array(x)"
        if self.input_size is not None:
            array = f"np.reshape(x, (-1, {self.input_size}))"
        return (
            "A table, such as a list of equally long lists, needs as many columns as "
            "in fit. Pass sequences of another length as a list of arrays: "
            f"[{array} for x in X]."
        )

    def _check_not_one_sequence(self, table: np.ndarray) -> None:
        """Raise an error or warn if a table is probably a single sequence."""
        n, size = table.shape
        name = type(self).__name__
        if size > 1 and self.input_size is None:
            raise ValueError(
                f"X has the shape {table.shape} and is read as {n} sequences of {size} "
                f"steps with 1 feature, but {name} was fitted with {size} features per "
                f"step. {ONE_SEQUENCE}"
            )
        if n > 1:
            warn_user(
                f"X has the shape {table.shape} and is read as {n} sequences of one "
                f"step. {ONE_SEQUENCE}"
            )

    def _remember_input(self, sequences: Sequences, kind: str) -> None:
        """Record the properties that later inputs must share."""
        self._fitted_on_table = kind == "table"
        if kind != "table":  # both describe the columns of a table
            for name in ("n_features_in_", "feature_names_in_"):
                if hasattr(self, name):
                    delattr(self, name)
        self.input_size_ = sequences.input_size
        self._vocabulary_size = sequences.vocabulary_size
        if self._vocabulary_size is not None and is_table(self.embedding):
            n_vectors = len(np.asarray(self.embedding))
            if n_vectors != self._vocabulary_size:
                raise ValueError(
                    f"embedding has {n_vectors} vectors, but X has a vocabulary of "
                    f"size {self._vocabulary_size}. Set embedding to an array with one "
                    "vector per code, in the order of the vectorizer's "
                    "get_feature_names_out."
                )
        self._choose_number_type(sequences)

    def _choose_number_type(
        self, sequences: Sequences, rows: np.ndarray | slice = slice(None)
    ) -> None:
        """Choose the dtype to compute in; ``rows`` are the sequences that train."""
        number_type = sequences.values.dtype
        if self._vocabulary_size:
            number_type = np.dtype(np.float32)
        elif not holds_integers(sequences.values, np.float32):
            number_type = np.dtype(np.float64)
        n_values = int(sequences.lengths[rows].sum()) * sequences.input_size
        self._number_type = resolve_dtype(self.precision, number_type, n_values)

    def _check_columns(self, X: Any, reset: bool) -> None:
        """Raise an error for frames whose columns differ from those in fit."""
        rows = list(X)
        check_columns(rows, "sequence")
        if hasattr(rows[0], "columns") and (reset or not self._fitted_on_table):
            _check_feature_names(self, rows[0], reset=reset)

    def _check_against_fit(self, sequences: Sequences) -> Sequences:
        """Check that the sequences agree with fit, and return them."""
        name = type(self).__name__
        if (sequences.vocabulary_size is None) != (self._vocabulary_size is None):
            got, fitted = ("numbers", "codes of a vocabulary")
            if sequences.vocabulary_size is not None:
                got, fitted = fitted, got
            raise ValueError(
                f"X contains {got}, but {name} was fitted on {fitted}. Pass the same "
                "kind of input as in fit; to read plain integers as codes, set "
                "embedding=."
            )
        if self._vocabulary_size is not None:
            check_codes(sequences, self._vocabulary_size)
            return sequences
        if self.input_size not in (None, sequences.input_size):
            raise ValueError(
                f"X has {sequences.input_size} features per step, but "
                f"input_size={self.input_size}. Pass sequences with that many "
                "features, or change input_size."
            )
        if sequences.input_size != self.input_size_:
            raise ValueError(
                f"X has {sequences.input_size} features per step, but {name} was "
                f"fitted with {self.input_size_} features per step. Select the same "
                "features as in fit."
            )
        return sequences


def is_table(embedding: Any) -> bool:
    """Return whether ``embedding`` is an array of vectors."""
    return not isinstance(embedding, (str, Integral))


def _is_auto(embedding: Any) -> bool:
    """Return whether ``embedding`` is "auto", without comparing an array."""
    return isinstance(embedding, str) and embedding == "auto"
