"""Arrays of all data types as arrays that the container can store, and back."""

import math
import re
from typing import Any

import numpy as np

from sklearn_rnn._core.container import DTYPES
from sklearn_rnn.persistence._errors import require

# Stored as bytes: text, times, complex and long numbers, and foreign byte orders.
RAW_DTYPE = re.compile(r"[<>|][iufcSUmM]\d{1,9}(\[\d{0,9}[a-zA-Z]{1,7}\])?")
LARGEST_CODE_POINT = 0x10FFFF
MOST_DIMENSIONS = 64
LARGEST_EMPTY = 2**20  # product of the other dimensions of an empty array

Options = dict[str, Any]


def is_storable(dtype: np.dtype) -> bool:
    """Return whether arrays of this data type can be stored."""
    return dtype.itemsize > 0 and (
        _is_plain(dtype) or bool(RAW_DTYPE.fullmatch(dtype.str))
    )


def _is_plain(dtype: np.dtype) -> bool:
    """Return whether the container stores this data type."""
    return dtype.char in DTYPES and dtype.isnative


def pack_array(array: np.ndarray) -> tuple[np.ndarray, Options]:
    """Return an array that the container can store, and how to restore this one.

    The memory layout is kept, because the last bits of matrix products depend on it.
    """
    options: Options = {}
    if not array.flags.writeable:
        options["readonly"] = True
    if array.flags.f_contiguous and not array.flags.c_contiguous:
        options["order"] = "F"
        array = array.T
    stored = np.asarray(array, order="C")
    if not _is_plain(array.dtype):
        options |= {"dtype": array.dtype.str, "shape": list(array.shape)}
        stored = np.frombuffer(stored.tobytes(), np.uint8)
    return stored, options


def unpack_array(stored: np.ndarray, options: Any) -> np.ndarray:
    """Restore an array of :func:`pack_array`, or raise a ModelFileError."""
    require(
        isinstance(options, dict)
        and options.keys() <= {"readonly", "order", "dtype", "shape"}
        and options.get("readonly", True) is True
        and options.get("order", "F") == "F"
        and ("dtype" in options) == ("shape" in options),
        "the options of an array are unknown.",
    )
    array = stored
    require(array.dtype.char in DTYPES, "an array has an unknown data type.")
    if "dtype" in options:
        array = _view_bytes(array, options["dtype"], options["shape"])
    check_shape(array.shape)
    if array.dtype.kind == "b":
        values = array.view(np.uint8)
        require(not array.size or values.max() <= 1, "an array of booleans is damaged.")
    if array.dtype.kind == "U" and array.size:
        order = array.dtype.byteorder.replace("=", "<")
        points = np.frombuffer(array.tobytes(), f"{order}u4")
        require(points.max() <= LARGEST_CODE_POINT, "an array of text is damaged.")
    if "order" in options:
        array = array.T
    array.flags.writeable = "readonly" not in options
    return array


def check_shape(shape: Any) -> int:
    """Check a shape, and return the number of elements."""
    require(
        isinstance(shape, (list, tuple))
        and len(shape) <= MOST_DIMENSIONS
        and all(type(n) is int and n >= 0 for n in shape),
        "the shape of an array is damaged.",
    )
    others = math.prod(n for n in shape if n)
    require(0 not in shape or others < LARGEST_EMPTY, "an empty array is too large.")
    return math.prod(shape)


def _view_bytes(raw: np.ndarray, name: Any, shape: Any) -> np.ndarray:
    """Return bytes as an array of another data type."""
    dtype = read_dtype(name)
    size = check_shape(shape) * dtype.itemsize
    require(
        raw.dtype == np.uint8 and raw.ndim == 1 and raw.size == size,
        f"an array of shape {shape!r:.80} has {raw.size} bytes instead of {size}.",
    )
    return np.ndarray(tuple(shape), dtype, raw)


def read_dtype(name: Any) -> np.dtype:
    """Return the data type with this name.

    It is never ``object``, because bytes of a file must not become pointers.
    """
    require(
        isinstance(name, str) and (name == "|b1" or RAW_DTYPE.fullmatch(name)),
        f"the data type {name!r:.80} is unknown.",
    )
    dtype = np.dtype(name)
    require(dtype.itemsize, f"the data type {name!r} has no size.")
    return dtype


def split_text(content: np.ndarray, lengths: np.ndarray) -> list[str]:
    """Return texts from all of their characters and their lengths."""
    require(
        content.dtype == np.uint8 and lengths.dtype.kind in "iu",
        "a list of texts is damaged.",
    )
    text = content.tobytes().decode("utf-8", "surrogatepass")
    numbers = lengths.tolist()
    require(
        all(n >= 0 for n in numbers) and sum(numbers) == len(text),
        "a list of texts is damaged.",
    )
    texts, start = [], 0
    for n in numbers:
        texts.append(text[start : start + n])
        start += n
    return texts
