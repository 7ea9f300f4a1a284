"""Containers of other libraries, read as ordinary ones or refused with a remedy.

Everything that is read as numbers or as text passes through one of the two functions
here first. After them, only numpy, pandas, polars and Python lists are left.
"""

import sys
from collections.abc import Iterator, Mapping, Set, ValuesView
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import sparse

from sklearn_rnn._data.ragged import object_array
from sklearn_rnn._data.tokens import TokenArray

# Types whose elements are looked at, and types that are left alone.
LISTS = (list, tuple)
PLAIN = (str, bytes, int, float, np.generic, np.ndarray, type(None))
UNUSUAL = (
    *(Mapping, Set, memoryview, np.ma.MaskedArray),
    *(sparse.sparray, sparse.spmatrix),
)


def unwrap(X: Any, name: str = "X", *, missing: bool = False) -> Any:
    """X as an array, a list or a frame, if it is another container of numbers.

    ``name`` is what an error calls it. Masked values become NaN in a 3-D array, where
    NaN may be padding, and with ``missing``, where it may be a missing value.
    """
    if _is_from("torch", type(X)):  # a PackedSequence is a tuple, too
        return _read_torch(X, name)
    if type(X) is np.ndarray or isinstance(X, (*LISTS, TokenArray)):
        return _unwrap_rows(X, name, missing)
    if isinstance(X, np.ma.MaskedArray):
        return _fill_masked(X, name, missing or X.ndim == 3)
    if isinstance(X, Mapping) and not sparse.issparse(X):  # a dok_array is both
        raise TypeError(
            f"{name} is a {type(X).__name__}, whose keys would be lost. Give a list of "
            "its values, as list(X.values()) does, or a data frame."
        )
    _refuse_unordered(X, name)
    if isinstance(X, Iterator):
        raise TypeError(
            f"{name} is a {type(X).__name__}, which can be read only once. Give "
            f"list({name})."
        )
    if isinstance(X, (range, ValuesView)) or type(X).__name__ == "deque":
        return _unwrap_rows(list(X), name, missing)
    if isinstance(X, (memoryview, bytearray)):
        return np.asarray(X)
    if _is_from("pyarrow", type(X)) and not hasattr(X, "columns"):
        return _read_arrow(X)
    if hasattr(X, "columns"):
        return _take_column_of_sequences(X)
    if hasattr(X, "__array_namespace__"):
        return _read_foreign(X, name)
    return X


def unwrap_documents(X: Any, name: str = "X") -> Any:
    """X as an iterable of documents, if it is one column of a table."""
    if isinstance(X, Mapping) and not hasattr(X, "columns"):
        raise TypeError(
            f"{name} is a {type(X).__name__}, of which only the keys would be read as "
            f"documents. Give list({name}.values()) or list({name})."
        )
    _refuse_unordered(X, name)
    if isinstance(X, memoryview) or _is_from("torch", type(X)):
        raise TypeError(
            f"{name} is a {type(X).__name__}; expected documents, which are texts or "
            "lists of tokens."
        )
    if isinstance(X, TokenArray):
        return X
    shape: Any = getattr(X, "shape", ())
    if len(shape) == 2 and shape[1] == 1:
        column = _take_column(X)
        return column if column is X else unwrap_documents(column, name)
    if _is_from("pyarrow", type(X)) and not hasattr(X, "columns"):
        return X.to_pylist()
    return X


def _refuse_unordered(X: Any, name: str) -> None:
    if isinstance(X, Set):
        raise TypeError(
            f"{name} is a {type(X).__name__}, which has no order and no duplicates. "
            "Give a list."
        )


def _unwrap_rows(X: Any, name: str, missing: bool) -> Any:
    """A list or array; the rows of a list that are unusual containers are unwrapped."""
    if isinstance(X, np.ndarray):
        if X.dtype != object or X.ndim > 2 or not X.size:
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


def _unwrap_row(x: Any, name: str, missing: bool) -> Any:
    return x.toarray() if sparse.issparse(x) else unwrap(x, name, missing=missing)


@lru_cache(maxsize=256)
def _is_unusual(kind: type) -> bool:
    """Whether rows of this type have to be unwrapped, or refused."""
    if issubclass(kind, UNUSUAL):
        return True
    if issubclass(kind, (*PLAIN, *LISTS)):
        return False
    foreign = _is_from("torch", kind) or _is_from("pyarrow", kind)
    return foreign or hasattr(kind, "__array_namespace__")


def _is_from(library: str, kind: type) -> bool:
    """Whether a type is one of a library that has been imported."""
    return library in sys.modules and any(
        base.__module__.partition(".")[0] == library for base in kind.__mro__
    )


def _fill_masked(X: np.ma.MaskedArray, name: str, missing: bool) -> np.ndarray:
    """A masked array as an ordinary one, with NaN for what is masked."""
    mask = np.ma.getmaskarray(X)
    if X.dtype.names or not mask.any():
        return np.asarray(X.data)
    if not missing or X.dtype.kind not in "biuf":
        place = tuple(map(int, np.argwhere(mask)[0]))
        raise ValueError(
            f"{name} is a masked array with {np.count_nonzero(mask)} masked values, "
            f"the first at {place}. Masks are not ignored: fill the values with "
            "the method filled(value), or leave such rows out."
        )
    numbers = X.data.astype(np.result_type(X.dtype, np.float32))
    return np.where(mask, np.nan, numbers).astype(numbers.dtype)


def _read_torch(X: Any, name: str) -> Any:
    """A tensor as an array; nested tensors and packed sequences as lists of arrays."""
    torch = sys.modules["torch"]
    if isinstance(X, torch.nn.utils.rnn.PackedSequence):
        return [_read_torch(x, name) for x in torch.nn.utils.rnn.unpack_sequence(X)]
    if not isinstance(X, torch.Tensor):
        return X
    if X.is_nested:
        return [_read_torch(x, name) for x in X.unbind()]
    if X.layout is not torch.strided:
        raise TypeError(
            f"{name} is a sparse tensor, but dense data is required. Give "
            f"{name}.to_dense()."
        )
    if X.device.type == "meta":
        raise ValueError(
            f"{name} is a tensor on the meta device, which holds no values. Give a "
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
    """An array of pyarrow: lists as an object array of arrays, others as they are."""
    values = X.to_pylist()
    if not any(isinstance(value, list) for value in values):
        is_chunked = hasattr(X, "chunks")
        return X.to_numpy() if is_chunked else X.to_numpy(zero_copy_only=False)
    return object_array(
        np.array(value) if _is_regular(value) else value for value in values
    )


def _is_regular(value: Any) -> bool:
    """Whether a list holds numbers, or lists of numbers of one length."""
    if not isinstance(value, list):
        return False
    lengths = {len(x) if isinstance(x, list) else -1 for x in value}
    return len(lengths) == 1


def _read_foreign(X: Any, name: str) -> np.ndarray:
    """An array of another library with the array API."""
    try:
        return np.asarray(X)
    except Exception as error:  # each library has its own
        raise TypeError(
            f"{name} is a {type(X).__module__}.{type(X).__name__}, which cannot be "
            f"converted to numpy ({error}). Convert it first."
        ) from error


def _take_column_of_sequences(X: Any) -> Any:
    """The cells of the only column, if they are sequences; X otherwise."""
    if len(getattr(X, "shape", ())) != 2 or X.shape[1] != 1 or not X.shape[0]:
        return X
    column = _take_column(X)
    if _is_from("pyarrow", type(column)):
        column = _read_arrow(column)
    first = column.iloc[0] if hasattr(column, "iloc") else column[0]
    is_sequence = hasattr(first, "__len__") and not isinstance(
        first, (str, bytes, Mapping, Set)
    )
    return column if is_sequence and getattr(first, "ndim", 1) > 0 else X


def _take_column(X: Any) -> Any:
    """The only column of a frame, table or array; X if it is something else."""
    if hasattr(X, "iloc"):
        return X.iloc[:, 0]
    if hasattr(X, "to_series"):
        return X.to_series(0)
    if _is_from("pyarrow", type(X)):
        return X.column(0)
    return X[:, 0] if isinstance(X, np.ndarray) else X
