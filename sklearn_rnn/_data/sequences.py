"""The containers of sequences, which are all read into :class:`Sequences`.

===========================================  ==========================================
X                                            read as
===========================================  ==========================================
table: 2-D array, frame, list of equally     n sequences of ``m / input_size`` steps of
long lists, ``(n, m)``                       ``input_size`` features
3-D array ``(n, T, F)``                      n sequences of T steps of F features;
                                             trailing all-NaN steps are padding
list, object array or Series of ``(T_i,)``   n sequences of any length
or ``(T_i, F)`` arrays
TokenArray                                   n sequences of codes
===========================================  ==========================================
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from scipy import sparse
from sklearn.utils import check_array

from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn._data.cells import TEXT_HINT, explain_errors, explain_unreadable
from sklearn_rnn._data.containers import unwrap
from sklearn_rnn._data.mapped import (
    VALUES_PER_CHUNK,
    MappedSteps,
    convert_mapped,
    is_in_files,
    is_mapped,
)
from sklearn_rnn._data.ragged import concatenate_ranges
from sklearn_rnn._data.tokens import PADDING, TokenArray, find_absent_codes

# If the size of the vocabulary is not given, a code of at least this size is treated as
# a mistake, because an embedding would need one vector for every code up to it.
LARGEST_INFERRED_VOCABULARY = 2**22
LARGEST_VOCABULARY = 2**24


@dataclass(frozen=True)
class Sequences:
    """Flat sequences: number i is ``values[starts[i] : starts[i] + lengths[i]]``.

    ``values`` are (n_steps, F) numbers, or (n_steps,) codes below ``vocabulary_size``.
    Numbers in files may be :class:`~sklearn_rnn._data.mapped.MappedSteps`.
    If X was rectangular, ``width`` is the number of steps per row, with padding.
    """

    values: Any
    starts: np.ndarray
    lengths: np.ndarray
    vocabulary_size: int | None = None
    width: int | None = None

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def input_size(self) -> int:
        """Number of features per step; 1 for codes."""
        return 1 if self.values.ndim == 1 else self.values.shape[1]

    def absent_codes(self, rows: np.ndarray) -> np.ndarray:
        """Return the codes of the vocabulary that do not occur in ``rows``."""
        if self.vocabulary_size is None:
            return np.empty(0, dtype=np.int64)
        places = concatenate_ranges(self.starts[rows], self.lengths[rows])
        return find_absent_codes(self.values[places], self.vocabulary_size)


def find_kind(X: Any) -> str:
    """Return the kind of container: "tokens", "array", "ragged" or "table".

    The table above describes them.
    """
    if isinstance(X, TokenArray):
        return "tokens"
    if isinstance(X, (list, tuple)):
        return _find_kind_of_list(X)
    if sparse.issparse(X) or hasattr(X, "columns"):
        return "table"
    n_dimensions = len(getattr(X, "shape", ()))
    if n_dimensions == 3:
        return "array"
    if n_dimensions == 1 and len(X):
        first = X.iloc[0] if hasattr(X, "iloc") else X[0]
        return _find_kind_of_list([first], one_d=True)
    return "table"


def _find_kind_of_list(X: Any, one_d: bool = False) -> str:
    """Return the kind of a list or, if ``one_d``, of a 1-D container of such rows."""
    if not len(X):
        return "table"  # which raises scikit-learn's own error
    if isinstance(X[0], (str, bytes)):
        raise ValueError(f"X contains text: {X[0][:40]!r}. {TEXT_HINT}")
    if _is_scalar(X[0]):
        return "table"  # its single dimension raises scikit-learn's own error
    if one_d or any(_is_scalar(x) or hasattr(x, "__array__") for x in X):
        return "ragged"
    if len({len(x) for x in X}) > 1 or (len(X[0]) and not _is_scalar(X[0][0])):
        return "ragged"
    return "table"


def _is_scalar(x: Any) -> bool:
    """Return whether ``x`` is one step rather than a sequence of steps."""
    if isinstance(x, (str, bytes, dict)) or not hasattr(x, "__len__"):
        return True
    return getattr(x, "ndim", None) == 0


def from_table(X: np.ndarray, input_size: int | None = None) -> Sequences:
    """Read each row of a validated (n, m) table as a sequence.

    scikit-learn's ``check_array`` converts a TokenArray to a plain array. If its dtype
    still contains the size of the vocabulary, X is read as codes.
    """
    metadata: Mapping[str, Any] = X.dtype.metadata or {}
    vocabulary_size = metadata.get("vocabulary_size")
    if vocabulary_size is not None:
        return _from_codes(X, vocabulary_size)
    size = int(input_size or 1)
    n, m = X.shape
    if m % size:
        raise ValueError(
            f"X has {m} columns, which is not a multiple of input_size={size}. Pass a "
            f"table whose number of columns is a multiple of {size}, or set another "
            "input_size."
        )
    return _from_rectangle(np.ascontiguousarray(X).reshape(n, m // size, size))


def _from_rectangle(X: np.ndarray) -> Sequences:
    """Read an (n, T, F) array in which every step is valid."""
    n, T, F = X.shape
    starts = np.arange(n, dtype=np.int64) * T
    lengths = np.full(n, T, dtype=np.int64)
    return Sequences(X.reshape(n * T, F), starts, lengths, width=T)


def from_array(X: Any, *, finite: bool = True) -> Sequences:
    """Read an (n, T, F) array; trailing steps with all values NaN are padding."""
    if type(X) is not np.ndarray or X.dtype.kind not in "biuf" or not len(X):
        with explain_errors(X):
            X = check_array(X, allow_nd=True, ensure_all_finite=False, input_name="X")
    if X.shape[2] == 0:
        raise ValueError(
            f"Found array with 0 feature(s) (shape={X.shape}) while a minimum of 1 is "
            "required."
        )
    sequences = _from_rectangle(np.ascontiguousarray(X))
    if X.dtype.kind == "f" and np.isnan(X[:, -1:]).any():
        sequences = replace(sequences, lengths=_count_steps(X))
    refuse_empty(sequences.lengths)
    return refuse_nonfinite(sequences) if finite else sequences


def _count_steps(X: np.ndarray) -> np.ndarray:
    """Count the steps of each sequence of (n, T, F) without those that are padding."""
    n, T, F = X.shape
    lengths = np.empty(n, dtype=np.int64)
    size = 1 + VALUES_PER_CHUNK // (T * F)
    for start in range(0, n, size):
        present = ~np.isnan(X[start : start + size]).all(axis=2)  # (size, T)
        part = T - np.argmax(present[:, ::-1], axis=1)
        lengths[start : start + size] = np.where(present.any(axis=1), part, 0)
    return lengths


def from_ragged(X: Any, *, finite: bool = True, in_files: bool = False) -> Sequences:
    """Read a list, object array or Series of (T_i,) or (T_i, F) arrays.

    With ``in_files``, memory-mapped arrays of numbers stay in their files.
    """
    X = list(X)
    if any(isinstance(x, TokenArray) for x in X):
        return _from_token_rows(X)
    rows = [_as_steps(x, i) for i, x in enumerate(X)]
    lengths = np.array([len(x) for x in rows], dtype=np.int64)
    refuse_empty(lengths)
    sizes = {x.shape[1] for x in rows}
    if len(sizes) > 1:
        row = next(i for i, x in enumerate(rows) if x.shape[1] != rows[0].shape[1])
        raise ValueError(
            f"sequence {row} of X has {rows[row].shape[1]} features per step, but "
            f"sequence 0 has {rows[0].shape[1]}. Pass sequences with the same features."
        )
    stays = in_files and all(x.dtype.kind == "f" and is_mapped(x) for x in rows)
    values = MappedSteps(rows) if stays else np.concatenate(rows)
    sequences = Sequences(values, np.cumsum(lengths) - lengths, lengths)
    return refuse_nonfinite(sequences) if finite else sequences


def _from_token_rows(X: list[Any]) -> Sequences:
    """Read the rows of a TokenArray that was split, as ``list(tokens)`` does."""
    sizes = {getattr(x, "vocabulary_size", None) for x in X}
    if len(sizes) > 1 or any(x.ndim != 1 for x in X):
        raise TypeError(
            "X mixes tokens of different vocabularies, or tokens and other arrays "
            f"(vocabulary sizes {sorted(sizes, key=str)}). Pass all sequences as rows "
            "of one TokenArray."
        )
    lengths = np.array([len(x) for x in X], dtype=np.int64)
    refuse_empty(lengths)
    codes = np.concatenate([x.view(np.ndarray) for x in X])
    return _from_flat_codes(codes, np.cumsum(lengths) - lengths, lengths, sizes.pop())


def _as_steps(x: Any, row: int) -> np.ndarray:
    """Convert one sequence to a (T, F) array of numbers."""
    if isinstance(x, (str, bytes)):
        raise ValueError(f"sequence {row} of X is text: {x[:40]!r}. {TEXT_HINT}")
    if _is_scalar(x) and not hasattr(x, "__array__"):
        raise ValueError(
            f"sequence {row} of X is {x!r} of type {type(x).__name__}; expected an "
            "array of shape (n_timesteps,) or (n_timesteps, n_features)."
        )
    try:
        steps = np.asarray(unwrap(x, f"sequence {row} of X"))
        if steps.dtype.kind in "SU":
            raise TypeError("it contains text")
        if steps.dtype.kind == "O":
            steps = np.array(steps.tolist(), dtype=np.float64)  # elements may be arrays
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError(
            f"sequence {row} of X cannot be read as numbers ({error}); expected an "
            "array of shape (n_timesteps,) or (n_timesteps, n_features). "
            f"{explain_unreadable(x)}"
        ) from error
    if steps.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: sequence {row} of X.")
    if steps.dtype.kind not in "biuf":
        raise ValueError(
            f"sequence {row} of X has dtype {steps.dtype}; expected numbers. "
            f"{explain_unreadable(x)}"
        )
    if steps.ndim == 1:
        return steps.reshape(-1, 1)
    if steps.ndim != 2 or steps.shape[1] == 0:
        raise ValueError(
            f"sequence {row} of X has the shape {steps.shape}; expected "
            "(n_timesteps,) or (n_timesteps, n_features) with at least one feature. "
            f"{explain_unreadable(x)}"
        )
    return steps


def refuse_empty(lengths: np.ndarray) -> None:
    """Raise an error that names the first sequence without steps, if there is one."""
    empty = np.flatnonzero(lengths == 0)
    if len(empty):
        raise ValueError(
            f"sequence {empty[0]} of X has no steps ({len(empty)} of {len(lengths)} "
            "sequences have none). Every sequence needs at least one step: remove the "
            "empty ones."
        )


def refuse_nonfinite(sequences: Sequences) -> Sequences:
    """Raise an error that names the first NaN or infinity in a valid step."""
    place = find_nonfinite(sequences)
    if place is not None:
        row, step, what = place
        raise ValueError(
            f"Input X contains {what}: sequence {row}, step {step}. Fill or drop such "
            "steps first; only trailing steps of a 3-D array that are NaN in every "
            "feature are read as padding."
        )
    return sequences


def find_nonfinite(sequences: Sequences) -> tuple[int, int, str] | None:
    """Return sequence, step and kind of the first value that is not finite, or None."""
    values = sequences.values
    if values.dtype.kind != "f":
        return None
    size = 1 + VALUES_PER_CHUNK // values.shape[1]
    for start in range(0, len(values), size):
        chunk = values[start : start + size]
        with np.errstate(over="ignore", invalid="ignore"):
            total = chunk.sum()
        if np.isfinite(total):
            continue
        bad = np.flatnonzero(~np.isfinite(chunk).all(axis=1))
        rows = np.searchsorted(sequences.starts, start + bad, side="right") - 1
        steps = start + bad - sequences.starts[rows]
        valid = np.flatnonzero(steps < sequences.lengths[rows])
        if len(valid):
            first = valid[0]
            what = "NaN" if np.isnan(chunk[bad[first]]).any() else "infinity"
            return int(rows[first]), int(steps[first]), what
    return None


def from_tokens(X: TokenArray) -> Sequences:
    """Read a TokenArray without copying its codes."""
    codes, size = X.view(np.ndarray), check_vocabulary_size(X.vocabulary_size)
    if codes.ndim != 2:
        raise ValueError(
            f"Expected tokens of shape (n_sequences, n_timesteps), got {X.shape}. "
            "Select a single row as tokens[i : i + 1]."
        )
    return _from_codes(codes, size)


def check_vocabulary_size(size: int | None) -> int | None:
    """Check that a network can embed a vocabulary of this size, and return it."""
    if size is not None and size > LARGEST_VOCABULARY:
        raise ValueError(
            f"X has a vocabulary of size {size}, and a network needs one embedding "
            f"vector per code; at most {LARGEST_VOCABULARY} are accepted. Limit the "
            "vocabulary with max_features or min_count of the vectorizer."
        )
    return size


def as_codes(sequences: Sequences, vocabulary_size: int | None = None) -> Sequences:
    """Interpret plain integers as codes, because ``embedding`` is not "auto".

    If ``vocabulary_size`` is None, it is the largest code + 1. Padding is removed.
    """
    values = sequences.values
    if values.ndim == 1:
        return sequences
    if values.shape[1] != 1 or values.dtype.kind not in "iu":
        raise TypeError(
            f"embedding= reads X as codes, but X has dtype {values.dtype} and "
            f"{values.shape[1]} feature(s) per step; expected one integer per step. "
            'Use embedding="auto" for numbers.'
        )
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > np.iinfo(np.int32).max:
        raise ValueError(
            f"codes must lie in 0..{np.iinfo(np.int32).max}, got {low}..{high}."
        )
    if vocabulary_size is None and high >= LARGEST_INFERRED_VOCABULARY:
        raise ValueError(
            f"X contains the code {high}, from which a vocabulary of that size would "
            "be inferred. Number the codes without gaps, or set embedding= to an array "
            "with one vector per code."
        )
    size = high + 1 if vocabulary_size is None else vocabulary_size
    codes = values[:, 0].astype(np.int32, copy=False)
    coded = _from_flat_codes(codes, sequences.starts, sequences.lengths, size)
    return replace(coded, width=sequences.width)


def _from_flat_codes(
    codes: np.ndarray,
    starts: np.ndarray,
    lengths: np.ndarray,
    vocabulary_size: int | None,
) -> Sequences:
    """Read concatenated sequences of codes, without the padding at the end of each."""
    places = np.flatnonzero(codes != PADDING)
    rows = np.searchsorted(starts, places, side="right") - 1
    ends = np.zeros(len(lengths), dtype=np.int64)
    ends[rows] = places - starts[rows] + 1  # keeps the last assignment to each row
    refuse_empty(ends)
    _refuse_padding_inside(np.bincount(rows, minlength=len(ends)) < ends)
    return Sequences(codes, starts, ends, vocabulary_size)


def _from_codes(codes: np.ndarray, vocabulary_size: int | None) -> Sequences:
    """Read an (n, T) array of codes, padded on the right."""
    n, T = codes.shape
    if n == 0:
        raise ValueError(
            f"Found array with 0 sample(s) (shape={codes.shape}) while a minimum of 1 "
            "is required."
        )
    lengths = np.count_nonzero(codes, axis=1)
    refuse_empty(lengths)
    first_padding = np.argmin(codes != PADDING, axis=1)
    _refuse_padding_inside((lengths < T) & (first_padding < lengths))
    values = np.ascontiguousarray(codes).reshape(-1)
    starts = np.arange(n, dtype=np.int64) * T
    return Sequences(values, starts, lengths.astype(np.int64), vocabulary_size, T)


def _refuse_padding_inside(bad: np.ndarray) -> None:
    """Raise an error that names the first sequence that ``bad`` (n,) marks."""
    if bad.any():
        raise ValueError(
            f"sequence {np.argmax(bad)} of X has padding (code 0) before its end. "
            "Codes must be padded on the right, and unknown tokens must have code 1. "
            "The codes of two text columns cannot be joined: fit one estimator per "
            "column."
        )


def check_codes(sequences: Sequences, vocabulary_size: int) -> None:
    """Raise an error for codes that are not in the fitted vocabulary."""
    if sequences.vocabulary_size not in (None, vocabulary_size):
        raise ValueError(
            f"X has a vocabulary of size {sequences.vocabulary_size}, but the model "
            f"was fitted with {vocabulary_size}. Transform X with the vectorizer that "
            "was fitted together with the model, as a Pipeline does."
        )
    lowest, highest = int(sequences.values.min()), int(sequences.values.max())
    if lowest < 0 or highest >= vocabulary_size:
        raise ValueError(
            f"X contains the code {lowest if lowest < 0 else highest}, but the "
            f"vocabulary has only the codes 0..{vocabulary_size - 1}. Transform X with "
            "the vectorizer that was fitted. If X contains plain integers and the "
            "training data lack some of them, set embedding= to an array with one "
            "vector per code."
        )


def holds_integers(values: np.ndarray, dtype: DTypeLike) -> bool:
    """Return whether ``dtype`` represents all integers in the range of ``values``."""
    if values.dtype.kind not in "iu" or not values.size:
        return True
    largest = max(-int(values.min()), int(values.max()))
    return largest <= 2 ** (np.finfo(dtype).nmant + 1)


def cast(sequences: Sequences, dtype: DTypeLike) -> Sequences:
    """Convert numbers to ``dtype``; raise an error if one is too large for it.

    If ``dtype`` rounds integers, a warning is issued.
    """
    values = sequences.values
    if sequences.vocabulary_size is not None or values.dtype == dtype:
        return sequences
    warn_of_rounding(values, dtype)
    if is_in_files(values):
        values = convert_mapped(values, None, dtype)
        return refuse_overflow(replace(sequences, values=values))
    with np.errstate(over="ignore"):
        return refuse_overflow(replace(sequences, values=values.astype(dtype)))


def warn_of_rounding(values: np.ndarray, dtype: DTypeLike) -> None:
    """Warn if ``dtype`` rounds some of the integer values."""
    if not holds_integers(values, dtype):
        remedy = "" if dtype == np.float64 else ', or set precision="float64"'
        warn_user(
            f"X contains integers that {np.dtype(dtype)} rounds to "
            f"{np.finfo(dtype).nmant + 1} bits, so that some become equal. Subtract an "
            f"offset from X{remedy}."
        )


def refuse_overflow(sequences: Sequences) -> Sequences:
    """Raise an error if a valid step has a value that is too large for its dtype."""
    place = find_nonfinite(sequences)
    if place is not None:
        raise ValueError(
            "Input X contains infinity or a value too large for "
            f"{sequences.values.dtype!r}: sequence {place[0]}, step {place[1]}. Scale "
            'X, or set precision="float64".'
        )
    return sequences
