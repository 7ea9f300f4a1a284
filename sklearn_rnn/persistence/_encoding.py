"""Values as a flat table of objects, of which each refers to earlier ones only.

A value is encoded in JSON as

    null, true, 3, 0.5, "text"    itself
    ["nan"], ["inf"], ["-inf"]    a float that JSON does not have
    [7]                           the object 7 of the table

An object is a list of its kind and its contents: ``["tuple", [1, [7]]]``. Objects that
several others share are written once, so that they are the same object after loading.
A *column* is a list of values. A long one may be a dict instead: the name of an array
of numbers, the names of two arrays of texts and their lengths, or columns of tuples.
"""

import functools
import math
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch

from sklearn_rnn._core.container import DTYPES
from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn._data.tokens import TokenArray
from sklearn_rnn.persistence._arrays import is_storable, pack_array
from sklearn_rnn.persistence._checks import BIT_GENERATORS
from sklearn_rnn.persistence._errors import ModelFileError
from sklearn_rnn.persistence._imports import find_import, name_import
from sklearn_rnn.persistence._pandas import describe_pandas, is_pandas
from sklearn_rnn.persistence._types import (
    CALLABLES,
    CLASSES,
    ESTIMATORS,
    OBJECTS,
    TUPLES,
    list_fields,
)

DEEPEST = 100  # levels of objects in objects
PACKED_LENGTH = 16  # shorter lists are written as JSON
PACKED_TUPLE = 8  # longest tuples whose items are packed
CALLBACKS = {
    "callbacks": "set_params(callbacks=None)",
    "_skl_callbacks": "set_callbacks()",
}
SPARSE_CLASSES = ("csc_array", "csc_matrix", "csr_array", "csr_matrix")

SEQUENCES: dict[type, str] = {list: "list", tuple: "tuple"}
SETS: dict[type, str] = {set: "set", frozenset: "frozenset"}
MAPPINGS: dict[type, str] = {
    dict: "dict",
    Counter: "Counter",
    OrderedDict: "OrderedDict",
    Bunch: "Bunch",
}
# Objects that never change, so that equal ones are written once.
CONSTANTS = frozenset(
    [
        *("NA", "NaT", "Period", "Timedelta", "Timestamp", "bytes", "bytes_", "class"),
        *("complex", "dtype", "function", "import", "offset", "path", "range"),
        *("scalar", "slice", "str_"),
    ]
)


class Encoder:
    """Writer of the table of objects, and of the arrays it refers to.

    Attributes
    ----------
    objects : list
        The table, which is written as JSON.
    arrays : dict of str to ndarray
        The arrays.
    imports : dict of str to object
        The functions and classes that the table names, by their import paths.
    """

    def __init__(self) -> None:
        self.objects: list[list] = []
        self.arrays: dict[str, np.ndarray] = {}
        self.imports: dict[str, Any] = {}
        self._numbers: dict[Any, int] = {}  # by identity, or by content of constants
        self._kept: list[Any] = []  # temporary objects, whose identity must not recur
        self._place: list[str] = []

    def encode(self, value: Any) -> Any:
        """Return the JSON of a value, after adding its objects to the table."""
        if value is None or type(value) in (bool, int, str):
            return value
        if type(value) is float:
            return value if math.isfinite(value) else [str(value)]
        number = self._numbers.get(id(value))
        if len(self._place) >= DEEPEST:
            raise self._error("is nested too deep", value)
        if number is None:
            self._kept.append(value)
            self._numbers[id(value)] = -1
            number = self._numbers[id(value)] = self._add(self._describe(value))
        if number < 0:
            raise self._error("contains itself", value)
        return [number]

    def _add(self, entry: list) -> int:
        """Add an object to the table; a constant is added once."""
        if entry[0] not in CONSTANTS:
            self.objects.append(entry)
            return len(self.objects) - 1
        key = repr(entry)
        if key not in self._numbers:
            self._numbers[key] = len(self.objects)
            self.objects.append(entry)
        return self._numbers[key]

    @contextmanager
    def _at(self, place: str) -> Iterator[None]:
        """Add to the place in the model that errors name."""
        self._place.append(place)
        yield
        self._place.pop()

    def _error(self, problem: str, value: Any, advice: str = "") -> ModelFileError:
        place = "".join(self._place).lstrip(".") or "the model"
        place = place if len(place) < 200 else f"{place[:100]}...{place[-50:]}"
        name = f"{type(value).__module__}.{type(value).__qualname__}"
        return ModelFileError(
            f"{place} of type {name.removeprefix('builtins.')} {problem}"
            + (f". {advice}" if advice else ".")
        )

    # ----------------------------------------------------------------- objects

    def _describe(self, value: Any) -> list:
        """Return the entry of an object in the table."""
        kind = type(value)
        if kind in SEQUENCES:
            return [SEQUENCES[kind], self._column(value)]
        if kind in SETS:  # in an order that does not depend on hashes of texts
            ordered = sorted(value, key=lambda one: (type(one).__name__, repr(one)))
            return [SETS[kind], self._column(ordered)]
        if kind in MAPPINGS:
            return self._describe_mapping(value)
        if isinstance(value, np.ndarray):
            return self._describe_array(value)
        if isinstance(value, Path):
            return ["path", str(value)]
        if isinstance(value, (np.generic, np.dtype, complex, bytes, slice, range)):
            return self._describe_constant(value)
        if isinstance(value, BaseEstimator):
            return self._describe_estimator(value)
        if (name := OBJECTS.find_name(kind)) is not None:
            return self._describe_object(value, name)
        if (name := TUPLES.find_name(kind)) is not None:
            return ["namedtuple", name, self._column(value)]
        if isinstance(value, (np.random.RandomState, np.random.Generator)):
            return self._describe_generator(value)
        if sparse.issparse(value) and kind.__name__ in SPARSE_CLASSES:
            return self._describe_sparse(value)
        if is_pandas(value) and not hasattr(value, "iloc"):  # no frame or series
            entry = describe_pandas(value)
            if entry is not None:
                return [entry[0], *map(self.encode, entry[1:])]
            raise self._error(
                f"({_shorten_repr(value)}) cannot be saved",
                value,
                "If it is the index of a series, fit the model on series with another "
                "index, for example after reset_index(drop=True).",
            )
        if callable(value):
            return self._describe_callable(value)
        raise self._refuse(value)

    def _column(self, values: Iterable[Any], keys: Iterable[Any] = ()) -> Any:
        """Return the JSON of a list of values, whose keys errors name."""
        values = list(values)
        if len(values) >= PACKED_LENGTH and _is_packable(values):
            return self._pack(values)
        column = []
        for key, value in zip(keys or range(len(values)), values, strict=True):
            with self._at(f"[{key!r:.40}]"):
                column.append(self.encode(value))
        return column

    def _pack(self, values: list) -> dict[str, Any]:
        """Write the numbers or texts of a list as arrays."""
        kind = type(values[0])
        if kind is tuple:
            columns = zip(*values, strict=True)
            return {"tuples": [self._pack(list(column)) for column in columns]}
        if kind is str:
            lengths = np.array([len(text) for text in values])
            content = "".join(values).encode("utf-8", "surrogatepass")
            text = self._store(np.frombuffer(content, np.uint8))
            return {"texts": [text, self._store(_shrink(lengths))]}
        if kind is int:
            return {"numbers": self._store(_shrink(np.array(values, np.int64)))}
        if kind is float:
            return {"numbers": self._store(np.array(values))}
        return {"scalars": self._store(np.array(values))}

    def _store(self, array: np.ndarray) -> str:
        """Add an array to the file, and return its name."""
        name = str(len(self.arrays))
        self.arrays[name] = array
        return name

    def _describe_mapping(self, value: dict) -> list:
        keys = self._column(value)
        return [MAPPINGS[type(value)], keys, self._column(value.values(), value)]

    def _describe_array(self, array: np.ndarray) -> list:
        if type(array) is np.ma.MaskedArray:
            mask = None if array.mask is np.ma.nomask else array.mask
            fill = np.asarray(array.fill_value)
            return ["masked", *map(self.encode, (array.data, mask, fill))]
        if isinstance(array, TokenArray):
            plain = array.view(np.ndarray)
            return ["tokens", self.encode(plain), array.vocabulary_size]
        if type(array) not in (np.ndarray, np.memmap):
            raise self._refuse(array)
        if array.dtype == object:
            order = "F" if array.flags.fnc else "C"
            flags = [order, bool(array.flags.writeable)]
            return ["objects", list(array.shape), *flags, self._column(array.flat)]
        if not is_storable(array.dtype):
            raise self._error(f"and dtype {array.dtype} cannot be saved", array)
        stored, options = pack_array(np.asarray(array))
        return ["array", self._store(stored), options]

    def _describe_constant(self, value: Any) -> list:
        if isinstance(value, slice):
            return ["slice", *map(self.encode, (value.start, value.stop, value.step))]
        if type(value) is range:
            return ["range", value.start, value.stop, value.step]
        if type(value) is complex:
            return ["complex", self.encode(value.real), self.encode(value.imag)]
        if isinstance(value, np.dtype):
            if is_storable(value) or value.char == "O":
                return ["dtype", value.str]
            raise self._error(f"({value}) cannot be saved", value)
        if type(value) is np.str_:
            return ["str_", value[:]]  # str() drops null characters
        if type(value) in (bytes, np.bytes_):
            return [type(value).__name__, value.hex()]
        if isinstance(value, np.generic) and is_storable(value.dtype):
            array = np.asarray(value)
            return ["scalar", array.dtype.str, array.tobytes().hex()]
        raise self._refuse(value)

    def _describe_generator(self, value: Any) -> list:
        if isinstance(value, np.random.RandomState):
            return ["RandomState", self.encode(value.get_state(legacy=False))]
        name = type(value.bit_generator).__name__
        if name not in BIT_GENERATORS:
            raise self._error(f"with {name} cannot be saved", value)
        return ["Generator", self.encode(value.bit_generator.state)]

    def _describe_sparse(self, value: Any) -> list:
        arrays = (value.data, value.indices, value.indptr)
        shape = [int(n) for n in value.shape]
        return ["sparse", type(value).__name__, shape, *map(self.encode, arrays)]

    # ------------------------------------------------------ estimators and classes

    def _describe_estimator(self, model: BaseEstimator) -> list:
        cls = type(model)
        name: Any = ESTIMATORS.find_name(cls)
        if name is None:
            if cls.__module__.split(".")[0] in ("sklearn", "sklearn_rnn"):
                raise self._refuse(model)
            name = self.encode(cls)
        state: Any = model.__getstate__()
        if not isinstance(state, dict):
            name = type(state).__name__
            raise self._error(f"has a state of type {name} instead of a dict", model)
        state = dict(state)
        if state.get("memory") is not None and isinstance(model, Pipeline):
            with self._at(".memory"):
                raise self._error(
                    "cannot be saved, because joblib loads pickles from the cache",
                    state["memory"],
                    "Call set_params(memory=None) before saving.",
                )
        for attribute, call in CALLBACKS.items():
            if state.get(attribute) and isinstance(model, CallbackSupportMixin):
                with self._at(f".{attribute}"):
                    raise self._error(
                        "cannot be saved, because callbacks can be any objects",
                        state[attribute],
                        f"Call {call} before saving.",
                    )
        request = state.pop("_metadata_request", None)
        if request is not None:
            state["_metadata_request"] = {
                method: dict(one.requests)
                for method, one in vars(request).items()
                if method != "owner"
            }
        return ["estimator", name, list(state), self._attributes(state)]

    def _attributes(self, state: dict[str, Any]) -> list:
        values = []
        for key, value in state.items():
            with self._at(f".{key}"):
                values.append(self.encode(value))
        return values

    def _describe_object(self, value: Any, name: str) -> list:
        names, _ = list_fields(type(value))
        state = {key: getattr(value, key) for key in names}
        surplus = vars(value).keys() - state.keys()
        if surplus and not is_dataclass(value):
            raise self._error(f"has unknown attributes {sorted(surplus)}", value)
        return ["object", name, names, self._attributes(state)]

    def _describe_callable(self, value: Any) -> list:
        if isinstance(value, type) and (name := CLASSES.find_name(value)):
            return ["class", name]
        if name := CALLABLES.find_name(value):
            return ["function", name]
        if type(value) is functools.partial:
            with self._at(".func"):
                function = self.encode(value.func)
            arguments = (list(value.args), dict(value.keywords))
            return ["partial", function, *map(self.encode, arguments)]
        if not hasattr(value, "__qualname__"):
            raise self._refuse(value)
        path = name_import(value)
        if find_import(path) is not value:
            raise self._error(
                f"({path}) cannot be saved, because it cannot be imported under this "
                "name",
                value,
                "Define functions and classes at the top level of a module.",
            )
        if path.startswith("__main__:"):
            warn_user(
                f"{path} is defined in the program that runs now, and is saved under "
                "this name. Another program can load the file only with "
                f"trusted={{{path!r}: function}}. Define it in a module."
            )
        self.imports[path] = value
        return ["import", path]

    def _refuse(self, value: Any) -> ModelFileError:
        name = type(value).__name__
        advice = (
            "Remove or replace it. Pickle can store any object, but runs code from the "
            "file when it is loaded."
        )
        if hasattr(value, "best_estimator_"):
            advice = "Save its best_estimator_."
        elif hasattr(value, "estimator") and "Search" in name:
            advice = "Save its best_estimator_ after fit."
        return self._error("cannot be saved in a model file", value, advice)


def _is_packable(values: list) -> bool:
    """Return whether :meth:`Encoder._pack` accepts a list."""
    kinds = set(map(type, values))
    if len(kinds) != 1:
        return False
    (kind,) = kinds
    if kind is tuple:
        lengths = set(map(len, values))
        if len(lengths) != 1 or not 1 <= min(lengths) <= PACKED_TUPLE:
            return False
        columns = map(list, zip(*values, strict=True))
        return all(type(one[0]) is not tuple and _is_packable(one) for one in columns)
    if kind is int:
        return -(2**63) <= min(values) and max(values) < 2**63
    is_number = issubclass(kind, np.number) and values[0].dtype.char in DTYPES
    return kind in (str, float) or is_number


def _shorten_repr(value: Any) -> str:
    """Return a representation of at most 60 characters on one line."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _shrink(numbers: np.ndarray) -> np.ndarray:
    """Return integers as the smallest signed data type that holds them."""
    low, high = int(numbers.min(initial=0)), int(numbers.max(initial=0))
    dtypes = (np.int8, np.int16, np.int32, np.int64)
    dtype = next(one for one in dtypes if -max(-low, high + 1) >= np.iinfo(one).min)
    return numbers.astype(dtype)
