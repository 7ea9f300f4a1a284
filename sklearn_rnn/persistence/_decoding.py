"""Values from the table of objects that :mod:`._encoding` describes.

The contents of a file are not trusted: anyone can write one with a valid checksum.
Each object is built after those it refers to, from the types of a fixed list, and
after its contents were checked.
"""

import functools
import inspect
import math
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils import Bunch

from sklearn_rnn._core.versions import KEY, is_newer
from sklearn_rnn._data.tokens import TokenArray
from sklearn_rnn._version import __version__
from sklearn_rnn.persistence._arrays import (
    check_shape,
    read_dtype,
    split_text,
    unpack_array,
)
from sklearn_rnn.persistence._checks import (
    check_hashes,
    check_sparse,
    find_arrays,
    restore_generator,
)
from sklearn_rnn.persistence._encoding import (
    DEEPEST,
    PACKED_TUPLE,
    SPARSE_CLASSES,
)
from sklearn_rnn.persistence._errors import ModelFileError, require
from sklearn_rnn.persistence._imports import import_trusted
from sklearn_rnn.persistence._pandas import RESTORE, restore_pandas
from sklearn_rnn.persistence._states import check_state, restore_request
from sklearn_rnn.persistence._types import (
    CALLABLES,
    CLASSES,
    ESTIMATORS,
    OBJECTS,
    TUPLES,
    list_fields,
)

# An object that refers to others several times is larger when it is written out, for
# example by repr or a copy. Its number of values may be at most this many times the
# number of values in the file, plus a constant.
LARGEST_FACTOR, LARGEST_CONSTANT = 50, 1_000_000
# Arrays are copied or checked whenever an object refers to them. The sum of their sizes
# may be at most this many times that of all arrays, plus a constant.
LARGEST_WORK_FACTOR, LARGEST_WORK_CONSTANT = 8, 2_000_000
GENERATOR_WORK = 1000  # bytes that could be copied while one generator is built
SPECIAL = {"nan": np.nan, "inf": math.inf, "-inf": -math.inf}


class Decoder:
    """Reader of a table of objects.

    Parameters
    ----------
    objects : object
        The table, from JSON.
    arrays : dict of str to ndarray
        The arrays of the file. They are removed as they are used.
    trusted : iterable of str, function or class
        What may be imported in addition to the fixed list.
    only_checks : bool, default=False
        Whether networks and estimators of users are not built.
    """

    def __init__(
        self,
        objects: Any,
        arrays: dict[str, np.ndarray],
        trusted: Any,
        only_checks: bool = False,
    ):
        require(
            type(objects) is list
            and all(
                type(entry) is list and entry and type(entry[0]) is str
                for entry in objects
            ),
            "its table of objects is damaged.",
        )
        self._objects, self._arrays = objects, arrays
        self._imports = import_trusted(objects, trusted)
        self._only_checks = only_checks
        self._values: list[Any] = []
        self._sizes: list[int] = []  # numbers of values, if written out
        self._depths: list[int] = []
        self._n_values = 0  # in all objects so far
        self._size, self._depth = 0, 0  # of the object that is being built
        n_bytes = sum(array.nbytes for array in arrays.values())
        self._work = LARGEST_WORK_CONSTANT + LARGEST_WORK_FACTOR * n_bytes  # left
        self._hashed = 0  # sizes of all keys

    def decode(self, root: Any) -> Any:
        """Build all objects, and return the value ``root``."""
        for kind, *contents in self._objects:
            if kind not in READERS:  # messages are slow if they are not needed
                raise ModelFileError(f"it contains the unknown type {kind!r:.60}.")
            self._size, self._depth = 1, 0
            read, n_contents = READERS[kind]
            if len(contents) != n_contents:
                raise ModelFileError(
                    f"an object of type {kind!r} has {len(contents)} parts instead of "
                    f"{n_contents}."
                )
            value = read(self, kind, *contents)
            self._values.append(value)
            # An index of pandas is not written out as a whole.
            self._sizes.append(1 if kind in RESTORE else self._size)
            self._depths.append(self._depth + 1)
        require(not self._arrays, "it contains arrays that no object refers to.")
        return self._value(root)

    # ------------------------------------------------------------------ values

    def _value(self, item: Any) -> Any:
        """Return the value of an item in JSON."""
        kind = type(item)
        self._count(1)
        if item is None or kind in (bool, int, str):
            return item
        if kind is float:
            require(math.isfinite(item), "it contains a number that is not finite.")
            return item
        if kind is not list or len(item) != 1:
            raise ModelFileError(f"it contains {item!r:.60}.")
        (number,) = item
        if type(number) is str and number in SPECIAL:
            return SPECIAL[number]
        if type(number) is not int or not 0 <= number < len(self._values):
            raise ModelFileError(
                f"it contains the reference {number!r:.60} to an object that is not "
                "there."
            )
        self._size += self._sizes[number]
        self._require_share(self._size)
        self._depth = max(self._depth, self._depths[number])
        require(
            self._depth <= DEEPEST + 5, "it contains objects that are nested too deep."
        )
        return self._values[number]

    def _require_share(self, size: int) -> None:
        """Check that objects do not refer to others too often."""
        require(
            size <= LARGEST_CONSTANT + LARGEST_FACTOR * self._n_values,
            "it contains objects that refer to others too often.",
        )

    def _work_on(self, *items: Any) -> list[Any]:
        """Return the values of items that are copied or checked as a whole."""
        values = [self._value(item) for item in items]
        for value in values:
            self._spend_work(value)
            if type(value) is list:  # such as the levels of an index
                for one in value:
                    self._spend_work(one)
        return values

    def _spend_work(self, value: Any) -> None:
        """Count a value that is copied or checked as a whole."""
        if isinstance(value, np.ndarray):
            self._work -= value.nbytes
        elif hasattr(value, "__len__") and type(value) is not str:
            self._work -= 8 * len(value)
        require(self._work >= 0, "it contains arrays that are referred to too often.")

    def _count(self, n: int) -> None:
        """Count values of the object that is being built."""
        self._n_values += n
        self._size += n

    def _array(self, name: Any) -> np.ndarray:
        """Take an array of the file, which may be used once."""
        if type(name) is not str or name not in self._arrays:
            raise ModelFileError(f"the array {name!r:.60} is missing or used twice.")
        return self._arrays.pop(name)

    def _vector(self, name: Any) -> np.ndarray:
        array = unpack_array(self._array(name), {})
        require(array.ndim == 1, "an array of values is damaged.")
        return array

    def _column(self, column: Any) -> list:
        """Return a list of values."""
        if type(column) is list:
            return [self._value(item) for item in column]
        require(type(column) is dict and len(column) == 1, "a list is damaged.")
        ((kind, names),) = column.items()
        if kind == "tuples":
            require(
                type(names) is list
                and 1 <= len(names) <= PACKED_TUPLE
                and not any(type(one) is dict and "tuples" in one for one in names),
                "a list of tuples is damaged.",
            )
            columns = [self._column(one) for one in names]
            self._count(len(columns[0]))
            require(len({*map(len, columns)}) == 1, "a list of tuples is damaged.")
            return list(zip(*columns, strict=True))
        if kind == "texts":
            require(type(names) is list and len(names) == 2, "a text is damaged.")
            values: list = split_text(*map(self._vector, names))
        else:
            require(kind in ("numbers", "scalars"), "a list is damaged.")
            array = self._vector(names)
            values = array.tolist() if kind == "numbers" else list(array)
        self._count(len(values))
        return values

    def _keys(self, column: Any) -> list:
        """Return the keys of a dict or the members of a set, which are distinct."""
        before = self._size
        keys = self._column(column)
        self._hashed += self._size - before
        self._require_share(self._hashed)
        check_hashes(keys)
        return keys

    # ----------------------------------------------------------------- objects

    def _read_sequence(self, kind: str, column: Any) -> Any:
        values = self._column(column)
        return values if kind == "list" else tuple(values)

    def _read_set(self, kind: str, column: Any) -> Any:
        members = self._keys(column)
        found = set(members) if kind == "set" else frozenset(members)
        require(len(found) == len(members), "a set contains a value twice.")
        return found

    def _read_mapping(self, kind: str, keys: Any, values: Any) -> Any:
        names, contents = self._keys(keys), self._column(values)
        require(len(names) == len(contents), "a dict has no value for each key.")
        if kind == "Bunch":
            require(all(type(key) is str for key in names), "a key is not a text.")
        mapping = dict(zip(names, contents, strict=True))
        require(len(mapping) == len(names), "a dict contains a key twice.")
        return MAPPINGS[kind](mapping)

    def _read_array(self, kind: str, name: Any, options: Any) -> np.ndarray:
        return unpack_array(self._array(name), options)

    def _read_objects(
        self, kind: str, shape: Any, order: Any, writeable: Any, column: Any
    ) -> np.ndarray:
        values = self._column(column)
        require(check_shape(shape) == len(values), "an array of objects is damaged.")
        require(order in ("C", "F"), "an array of objects is damaged.")
        flat = np.empty(len(values), dtype=object)
        flat[:] = values
        array = np.array(flat.reshape(shape), order=order)
        array.flags.writeable = writeable is True
        return array

    def _read_tokens(self, kind: str, codes: Any, size: Any) -> TokenArray:
        (array,) = self._work_on(codes)
        require(
            type(array) is np.ndarray and array.dtype == np.int32 and type(size) is int,
            "a TokenArray is damaged.",
        )
        return TokenArray(array, size)

    def _read_masked(self, kind: str, data: Any, mask: Any, fill: Any) -> Any:
        array, hidden, value = self._work_on(data, mask, fill)
        require(type(array) is np.ndarray, "a masked array is damaged.")
        shape = () if hidden is None else np.shape(hidden)
        require(
            hidden is None or (hidden.dtype == bool and shape == array.shape),
            "the mask of an array is damaged.",
        )
        hidden = np.ma.nomask if hidden is None else hidden
        return np.ma.MaskedArray(array, hidden, fill_value=value)

    def _read_sparse(
        self, kind: str, name: Any, shape: Any, data: Any, indices: Any, starts: Any
    ) -> Any:
        arrays = self._work_on(data, indices, starts)
        require(name in SPARSE_CLASSES, f"the sparse type {name!r:.60} is unknown.")
        check_shape(shape)
        require(
            len(shape) == 2
            and all(type(one) is np.ndarray and one.ndim == 1 for one in arrays)
            and arrays[0].dtype.kind in "biuf"
            and all(one.dtype in (np.int32, np.int64) for one in arrays[1:]),
            "a sparse matrix is damaged.",
        )
        n_rows, n_columns = shape if name.startswith("csr") else shape[::-1]
        check_sparse(arrays, n_rows, n_columns)
        matrix = getattr(sparse, name)(tuple(arrays), shape=tuple(shape))
        matrix.check_format(full_check=True)
        return matrix

    # --------------------------------------------------------------- constants

    def _read_slice(self, kind: str, *items: Any) -> slice:
        return slice(*map(self._value, items))

    def _read_range(self, kind: str, *items: Any) -> range:
        return range(*items)

    def _read_complex(self, kind: str, real: Any, imaginary: Any) -> complex:
        return complex(self._value(real), self._value(imaginary))

    def _read_bytes(self, kind: str, text: Any) -> bytes:
        content = bytes.fromhex(text)
        return content if kind == "bytes" else np.bytes_(content)

    def _read_str(self, kind: str, text: Any) -> np.str_:
        require(type(text) is str, "a text is damaged.")
        return np.str_(text)

    def _read_path(self, kind: str, text: Any) -> Path:
        require(type(text) is str, "a path is damaged.")
        return Path(text)

    def _read_scalar(self, kind: str, name: Any, text: Any) -> np.generic:
        dtype, content = read_dtype(name), bytes.fromhex(text)
        require(
            dtype.kind not in "SU" and len(content) == dtype.itemsize,
            "a number is damaged.",
        )
        if dtype.kind == "b":
            require(content in (b"\0", b"\1"), "a boolean is damaged.")
        return np.frombuffer(content, dtype)[0]

    def _read_dtype(self, kind: str, name: Any) -> np.dtype:
        return np.dtype(object) if name == "|O" else read_dtype(name)

    def _read_generator(self, kind: str, item: Any) -> Any:
        self._work -= GENERATOR_WORK
        return restore_generator(kind, *self._work_on(item))

    def _read_pandas(self, kind: str, *items: Any) -> Any:
        return restore_pandas(kind, self._work_on(*items))

    # -------------------------------------------------- classes and their objects

    def _read_class(self, kind: str, name: Any) -> type:
        return CLASSES.find(name)

    def _read_function(self, kind: str, name: Any) -> Any:
        return CALLABLES.find(name)

    def _read_import(self, kind: str, path: Any) -> Any:
        return self._imports[path]

    def _read_partial(self, kind: str, *items: Any) -> functools.partial:
        function, args, keywords = map(self._value, items)
        source = self._objects[items[0][0]][0] if type(items[0]) is list else None
        require(
            source in ("function", "import")
            and type(args) is list
            and type(keywords) is dict,
            "a functools.partial is damaged.",
        )
        return functools.partial(function, *args, **keywords)

    def _read_estimator(self, kind: str, name: Any, keys: Any, items: Any) -> Any:
        if type(name) is str:
            cls = ESTIMATORS.find(name)
        else:
            cls = self._value(name)
            require(
                isinstance(cls, type) and issubclass(cls, BaseEstimator),
                "the class of an estimator is damaged.",
            )
        state = self._attributes(cls.__name__, keys, items)
        request = state.pop("_metadata_request", None)
        check_state(cls, state, listed=type(name) is str)
        if KEY in state and not is_newer(state[KEY]):
            state[KEY] = __version__  # unlike pickles, files of earlier versions load
        for array in find_arrays(state.get("net_")):
            self._spend_work(array)
        model: Any = object.__new__(cls)
        if self._only_checks:
            vars(model).update(state)
        else:
            model.__setstate__(state)
        if request is not None:
            model._metadata_request = restore_request(model, request)
        return model

    def _read_object(self, kind: str, name: Any, keys: Any, items: Any) -> Any:
        cls = OBJECTS.find(name)
        state = self._attributes(name, keys, items)
        known, required = list_fields(cls)
        require(
            state.keys() <= set(known) and set(required) <= state.keys(),
            f"{name} has the fields {sorted(state)!r:.200} instead of {known}.",
        )
        if is_dataclass(cls):
            for one in fields(cls):  # fields that an earlier version did not have
                if one.default_factory is not MISSING:
                    state.setdefault(one.name, one.default_factory())
                elif one.default is not MISSING:
                    state.setdefault(one.name, one.default)
        found = object.__new__(cls)
        vars(found).update(state)
        return found

    def _read_namedtuple(self, kind: str, name: Any, column: Any) -> Any:
        return TUPLES.find(name)._make(self._column(column))

    def _attributes(self, name: str, keys: Any, items: Any) -> dict[str, Any]:
        """Return the names and values of attributes."""
        require(
            type(keys) is list
            and type(items) is list
            and len(keys) == len(items) == len(set(map(repr, keys)))
            and all(
                type(key) is str and key.isidentifier() and not key.startswith("__")
                for key in keys
            ),
            f"the attributes of {name} are damaged.",
        )
        return dict(zip(keys, map(self._value, items), strict=True))


MAPPINGS: dict[str, Callable[[dict], dict]] = {
    "dict": dict,
    "Counter": Counter,
    "OrderedDict": OrderedDict,
    "Bunch": lambda mapping: Bunch(**mapping),
}

# The reader of each kind of object, and the number of its contents.
READERS: dict[str, tuple[Callable[..., Any], int]] = {
    "array": (Decoder._read_array, 2),
    "bytes": (Decoder._read_bytes, 1),
    "bytes_": (Decoder._read_bytes, 1),
    "class": (Decoder._read_class, 1),
    "complex": (Decoder._read_complex, 2),
    "dtype": (Decoder._read_dtype, 1),
    "estimator": (Decoder._read_estimator, 3),
    "frozenset": (Decoder._read_set, 1),
    "function": (Decoder._read_function, 1),
    "Generator": (Decoder._read_generator, 1),
    "import": (Decoder._read_import, 1),
    "list": (Decoder._read_sequence, 1),
    "masked": (Decoder._read_masked, 3),
    "namedtuple": (Decoder._read_namedtuple, 2),
    "object": (Decoder._read_object, 3),
    "objects": (Decoder._read_objects, 4),
    "partial": (Decoder._read_partial, 3),
    "RandomState": (Decoder._read_generator, 1),
    "path": (Decoder._read_path, 1),
    "range": (Decoder._read_range, 3),
    "scalar": (Decoder._read_scalar, 2),
    "set": (Decoder._read_set, 1),
    "slice": (Decoder._read_slice, 3),
    "sparse": (Decoder._read_sparse, 5),
    "str_": (Decoder._read_str, 1),
    "tokens": (Decoder._read_tokens, 2),
    "tuple": (Decoder._read_sequence, 1),
    **dict.fromkeys(MAPPINGS, (Decoder._read_mapping, 2)),
    **{
        kind: (Decoder._read_pandas, len(inspect.signature(restore).parameters))
        for kind, restore in RESTORE.items()
    },
}
