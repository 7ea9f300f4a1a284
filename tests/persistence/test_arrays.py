"""Arrays of all data types and layouts are restored, and damaged ones are refused."""

import numpy as np
import pytest
from model_values import copy_value, same

from sklearn_rnn.persistence._arrays import (
    check_shape,
    is_storable,
    pack_array,
    read_dtype,
    unpack_array,
)
from sklearn_rnn.persistence._errors import ModelFileError


def read_only(array):
    array.flags.writeable = False
    return array


ARRAYS = {
    "float64": np.arange(6.0).reshape(2, 3),
    "float16": np.arange(3, dtype=np.float16),
    "special": np.array([np.nan, np.inf, -np.inf, -0.0]),
    "bool": np.array([[True], [False]]),
    "uint64": np.array([2**64 - 1], np.uint64),
    "longlong": np.array([2**63 - 1], np.longlong),
    "big-endian": np.arange(3, dtype=">f4"),
    "longdouble": np.array([1, 3], np.longdouble) / 3,
    "complex": np.array([1 + 2j, np.nan]),
    "complex64": np.array([1 + 2j], np.complex64),
    "text": np.array([["a", "äöü"], ["", "\U0001f600"]]),
    "bytes": np.array([b"ab", b""]),
    "dates": np.array(["2020-01", "NaT"], "M8[M]"),
    "times": np.array([1, 2], "m8[25s]"),
    "generic times": np.array([1], "m8"),
    "0-d": np.array(3.5),
    "empty": np.zeros((0, 4), np.int16),
    "empty text": np.zeros((2, 0), "U3"),
    "Fortran": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    "Fortran 3-D": np.asfortranarray(np.arange(24).reshape(2, 3, 4)),
    "Fortran text": np.asfortranarray([["a", "b"], ["c", "d"]]),
    "read-only": read_only(np.arange(3)),
    "read-only Fortran": read_only(np.asfortranarray(np.eye(3)[:2])),
}


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
def test_arrays_are_restored(array):
    assert same(copy_value(array), array)


def test_views_are_stored_contiguously():
    array = np.arange(20.0).reshape(4, 5)[::2, ::-2]
    restored = copy_value(array)
    np.testing.assert_array_equal(restored, array)
    assert restored.flags.c_contiguous
    broadcast = np.broadcast_to(np.arange(3), (2, 3))
    np.testing.assert_array_equal(copy_value(broadcast), broadcast)


def test_structured_and_empty_types_cannot_be_stored():
    assert not is_storable(np.dtype([("a", int)]))
    assert not is_storable(np.dtype(object)) and not is_storable(np.dtype("U"))
    assert is_storable(np.dtype(">i4")) and is_storable(np.dtype("M8[ns]"))


TEXT = pack_array(np.array(["ab", "c"]))[0]
INVALID = {
    "unknown option": (np.zeros(3), {"align": True}),
    "not a dict": (np.zeros(3), [1]),
    "order": (np.zeros(3), {"order": "K"}),
    "readonly": (np.zeros(3), {"readonly": 1}),
    "no shape": (TEXT, {"dtype": "<U2"}),
    "short": (TEXT[:-4], {"dtype": "<U2", "shape": [2]}),
    "other shape": (TEXT, {"dtype": "<U2", "shape": [3]}),
    "negative": (TEXT, {"dtype": "<U2", "shape": [-1, -2]}),
    "floats in shape": (TEXT, {"dtype": "<U2", "shape": [2.0]}),
    "not bytes": (np.zeros(4, np.int32), {"dtype": "<U2", "shape": [2]}),
    "characters": (np.full(8, 255, np.uint8), {"dtype": "<U2", "shape": [1]}),
    "object": (np.zeros(8, np.uint8), {"dtype": "|O", "shape": [1]}),
    "structured": (np.zeros(8, np.uint8), {"dtype": "i4,i4", "shape": [1]}),
    "no size": (np.zeros(0, np.uint8), {"dtype": "<U0", "shape": [2**40]}),
    "huge": (np.zeros(0, np.uint8), {"dtype": "<U9", "shape": [2**62, 2**62]}),
    "huge and empty": (np.zeros(0, np.uint8), {"dtype": "<U9", "shape": [0, 2**62]}),
    "boolean": (np.array([0, 2], np.uint8).view(bool), {}),
    "complex": (np.zeros(2, np.complex64), {}),
}


@pytest.mark.parametrize(("stored", "options"), INVALID.values(), ids=INVALID)
def test_invalid_arrays_are_refused(stored, options):
    with pytest.raises((ModelFileError, TypeError)):
        unpack_array(stored, options)


def test_shapes_are_checked():
    assert check_shape([]) == 1 and check_shape((2, 3)) == 6
    for shape in ("12", [True], [-1], [1.0], [1] * 65, None, [0, 2**40]):
        with pytest.raises(ModelFileError):
            check_shape(shape)


def test_data_types_are_restored():
    for dtype in ("f8", "?", ">i4", "U5", "S2", "M8[ns]", "m8[25s]", "O", "c16"):
        assert copy_value(np.dtype(dtype)) == np.dtype(dtype)
    for name in ("V8", "i4,i4", "float64", "", 8, None, "<U0", "<x4", "O", "[]"):
        with pytest.raises((ModelFileError, TypeError)):
            read_dtype(name)
