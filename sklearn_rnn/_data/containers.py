"""Conversion of containers of other libraries, or errors that say what to do.

All numbers and text pass through one of the two functions ``unwrap`` and
``unwrap_documents`` first. Afterwards they are in containers of numpy, pandas, polars
or in Python lists.
"""

import sys
from array import array
from collections.abc import Iterator, KeysView, Mapping, Sequence, Set, ValuesView
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import sparse

from sklearn_rnn._data.ragged import object_array
from sklearn_rnn._data.tokens import TokenArray

# Types whose elements are inspected, types that are kept, and types that are converted
# or refused.
LISTS = (list, tuple)
PLAIN = (str, bytes, int, float, np.generic, np.ndarray, type(None))
UNUSUAL = (
    *(Mapping, Set, memoryview, np.ma.MaskedArray),
    *(sparse.sparray, sparse.spmatrix),
)


def unwrap(X: Any, name: str = "X", *, missing: bool | None = None) -> Any:
    """Convert other containers of numbers to an array, a list or a frame.

    ``name`` is the name of X in error messages. Masked values become NaN if ``missing``
    is True, and raise an error if it is False. By default they become NaN only in a 3-D
    array, where NaN is padding.
    """
    if type(X) is np.ndarray and X.dtype != object:
        return X
    if _is_from("torch", type(X)):  # first, because a PackedSequence is a tuple
        return _read_torch(X, name)
    if isinstance(X, TokenArray):
        return X
    if type(X) is np.ndarray or isinstance(X, LISTS):
        return _unwrap_rows(X, name, missing)
    if isinstance(X, np.ma.MaskedArray):
        return _fill_masked(X, name, X.ndim == 3 if missing is None else missing)
    if isinstance(X, Mapping) and not sparse.issparse(X):  # a dok_array is both
        raise TypeError(
            f"{name} is a {type(X).__name__}, whose keys would be lost. Pass a list of "
            f"its values, as list({name}.values()) does, or a data frame."
        )
    _refuse_unordered(X, name)
    if isinstance(X, Iterator):
        raise TypeError(
            f"{name} is a {type(X).__name__}, which can be read only once. Pass "
            f"list({name})."
        )
    if isinstance(X, (memoryview, bytearray, array)):
        return np.asarray(X)
    if isinstance(X, (Sequence, ValuesView)) and not isinstance(X, (str, bytes)):
        return _unwrap_rows(list(X), name, missing)  # such as a deque
    if _is_from("pyarrow", type(X)) and not hasattr(X, "columns"):
        return _read_arrow(X)
    if hasattr(X, "columns"):
        return _take_column_of_sequences(X)
    is_known = hasattr(X, "iloc") or _is_from("polars", type(X))
    if not is_known and hasattr(X, "__array__"):
        return _read_foreign(X, name)
    return X


def unwrap_documents(X: Any, name: str = "X") -> Any:
    """Return X as an iterable of documents; a table must have a single column."""
    if isinstance(X, Mapping) and not hasattr(X, "columns"):
        raise TypeError(
            f"{name} is a {type(X).__name__}; only its keys would be read as "
            f"documents. Pass list({name}.values()) or list({name})."
        )
    _refuse_unordered(X, name)
    is_record = isinstance(X, np.ndarray) and X.dtype.kind == "V"
    if is_record or sparse.issparse(X) or holds_only_numbers(X):
        kind = "record array" if is_record else type(X).__name__
        raise TypeError(
            f"{name} is a {kind}; expected documents, which are texts or "
            "lists of tokens."
        )
    if isinstance(X, TokenArray):
        return X
    shape: Any = getattr(X, "shape", ())
    if isinstance(X, np.ndarray) and not shape:
        raise TypeError(
            f"{name} is a single value, {X!r}; expected documents, which are texts or "
            "lists of tokens."
        )
    if len(shape) == 2 and shape[1] == 1:
        column = _take_column(X)
        return column if column is X else unwrap_documents(column, name)
    if _is_from("pyarrow", type(X)) and hasattr(X, "to_pylist"):
        return X if hasattr(X, "columns") else X.to_pylist()
    return X


def holds_only_numbers(X: Any) -> bool:
    """Return whether X is a container that cannot hold documents."""
    return isinstance(X, memoryview) or _is_from("torch", type(X))


def refuse_sparse(X: Any, name: str = "X") -> None:
    """Raise an error if X is a sparse matrix."""
    if sparse.issparse(X):
        raise TypeError(
            f"Sparse data was passed for {name}, but dense data is required. Convert "
            f"it with {name}.toarray()."
        )


def _refuse_unordered(X: Any, name: str) -> None:
    if isinstance(X, Set) and not isinstance(X, KeysView):  # keys have an order
        raise TypeError(
            f"{name} is a {type(X).__name__}, which has no order and no duplicates. "
            "Pass a list."
        )


def _unwrap_rows(X: Any, name: str, missing: bool | None) -> Any:
    """Unwrap the unusual rows of a list or array."""
    if isinstance(X, np.ndarray):
        if X.ndim not in (1, 2) or not X.size:
            return X
        if X.ndim == 2:
            return _take_column_of_sequences(X)
    types = set(map(type, X))
    if not any(map(_is_unusual, types)):
        if not isinstance(X[0] if len(X) else None, LISTS):
            return X
        if not any(map(_is_unusual, set(map(type, X[0])))):
            return X
    rows = [_unwrap_row(x, f"row {i} of {name}", missing) for i, x in enumerate(X)]
    return object_array(rows) if isinstance(X, np.ndarray) else rows


def _unwrap_row(x: Any, name: str, missing: bool | None) -> Any:
    return x.toarray() if sparse.issparse(x) else unwrap(x, name, missing=missing)


@lru_cache(maxsize=256)
def _is_unusual(kind: type) -> bool:
    """Return whether rows of this type have to be unwrapped or refused."""
    if issubclass(kind, UNUSUAL):
        return True
    if issubclass(kind, (*PLAIN, *LISTS)):
        return False
    foreign = _is_from("torch", kind) or _is_from("pyarrow", kind)
    return foreign or hasattr(kind, "__array_namespace__")


def _is_from(library: str, kind: type) -> bool:
    """Return whether a type, or one of its base classes, belongs to a library."""
    return any(base.__module__.partition(".")[0] == library for base in kind.__mro__)


def _fill_masked(X: np.ma.MaskedArray, name: str, missing: bool) -> np.ndarray:
    """Convert a masked array to an ordinary one, with NaN for masked values."""
    mask = np.ma.getmaskarray(X)
    if X.dtype.names or not mask.any():
        return np.asarray(X.data)
    if not missing or X.dtype.kind not in "biuf":
        place = tuple(map(int, np.argwhere(mask)[0]))
        raise ValueError(
            f"{name} is a masked array with {np.count_nonzero(mask)} masked values, "
            f"the first at {place}. Masked values are not supported here: fill them "
            "with the method filled(value), or remove such rows."
        )
    numbers = X.data.astype(np.result_type(X.dtype, np.float32))
    return np.where(mask, np.nan, numbers).astype(numbers.dtype)


def _read_torch(X: Any, name: str) -> Any:
    """Convert a tensor to an array, and nested or packed tensors to lists of arrays."""
    torch = sys.modules["torch"]
    if isinstance(X, torch.nn.utils.rnn.PackedSequence):
        return [_read_torch(x, name) for x in torch.nn.utils.rnn.unpack_sequence(X)]
    if not isinstance(X, torch.Tensor):
        return X
    if X.is_nested:
        return [_read_torch(x, name) for x in X.unbind()]
    if X.layout is not torch.strided:
        raise TypeError(
            f"{name} is a sparse tensor, but dense data is required. Convert it with "
            f"{name}.to_dense()."
        )
    if X.device.type == "meta":
        raise ValueError(
            f"{name} is a tensor on the meta device, which contains no values. Pass a "
            "tensor with values."
        )
    X = X.detach()
    if X.is_quantized:
        X = X.dequantize()
    if X.is_floating_point() and X.dtype not in (
        torch.float16,
        torch.float32,
        torch.float64,
    ):  # numpy has no bfloat16
        X = X.float()
    return X.cpu().resolve_conj().resolve_neg().numpy()


def _read_arrow(X: Any) -> Any:
    """Convert an array of pyarrow; an array of lists becomes an object array."""
    if hasattr(X, "as_py"):  # a scalar, such as a row of an array
        return _read_list(X.as_py())
    if not hasattr(X, "to_pylist"):  # a tensor
        return np.asarray(X)
    values = X.to_pylist()
    if not any(isinstance(value, list) for value in values):
        is_chunked = hasattr(X, "chunks")
        return X.to_numpy() if is_chunked else X.to_numpy(zero_copy_only=False)
    return object_array(map(_read_list, values))


def _read_list(value: Any) -> Any:
    """Convert a list of numbers, or of equally long lists, to an array.

    Other values are returned unchanged.
    """
    if not isinstance(value, list):
        return value
    lengths = {len(x) if isinstance(x, list) else -1 for x in value}
    return np.array(value) if len(lengths) == 1 else value


def _read_foreign(X: Any, name: str) -> np.ndarray:
    """Convert an array of another library that follows the array API."""
    try:
        return np.asarray(X)
    except Exception as error:  # libraries raise errors of different types
        raise TypeError(
            f"{name} is a {type(X).__module__}.{type(X).__name__}, which cannot be "
            f"converted to a numpy array ({error}). Convert it to one first."
        ) from error


def _take_column_of_sequences(X: Any) -> Any:
    """Return the cells of the only column if they are sequences, otherwise X."""
    if len(getattr(X, "shape", ())) != 2 or X.shape[1] != 1 or not X.shape[0]:
        return X
    column = _take_column(X)
    if _is_from("pyarrow", type(column)):
        column = _read_arrow(column)
    elif hasattr(X, "to_series"):  # of polars
        column = object_array(map(_read_list, column.to_list()))
    first = column.iloc[0] if hasattr(column, "iloc") else column[0]
    is_sequence = hasattr(first, "__len__") and not isinstance(
        first, (str, bytes, Mapping, Set)
    )
    return column if is_sequence and getattr(first, "ndim", 1) > 0 else X


def _take_column(X: Any) -> Any:
    """Return the only column of a frame, table or array; X if it is something else."""
    if hasattr(X, "iloc"):
        return X.iloc[:, 0]
    if hasattr(X, "to_series"):
        return X.to_series(0)
    if _is_from("pyarrow", type(X)):
        return X.column(0)
    return X[:, 0] if isinstance(X, np.ndarray) else X
