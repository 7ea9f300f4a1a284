"""A hash of the values that determine the predictions, or the training, of a model."""

import dis
import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

Digest = Callable[[Any], bytes]

# Folders of installed packages. Their classes and functions are hashed by name and by
# the version of the package.
INSTALLED = {"dist-packages", "site-packages"}

# Attributes of classes that do not affect what their objects do.
NOT_READ = {
    *("__dict__", "__doc__", "__firstlineno__", "__slotnames__"),
    *("__static_attributes__", "__weakref__"),
}


def digest(value: Any, other: Digest | None = None) -> bytes:
    """Return a SHA-256 digest of parameters or arrays, the same in every process.

    For estimators and dataclasses, the class and the attributes are hashed. ``other``
    hashes other objects, such as functions. If it is None, only their type and name
    are hashed.
    """
    found = hashlib.sha256(type(value).__qualname__.encode())
    if other is not None and not is_known(type(value)):
        found.update(other(type(value)))
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        found.update(repr(value).encode("utf-8", "surrogatepass"))
    elif isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        found.update(f"{array.dtype.str} {array.shape}".encode())
        is_plain = not array.dtype.hasobject
        items = None if is_plain else array.ravel().tolist()
        found.update(_view_bytes(array) if is_plain else digest(items, other))
    elif isinstance(value, (list, tuple)):
        for part in value:
            found.update(digest(part, other))
    elif isinstance(value, (set, frozenset)):
        for part in sorted(digest(one, other) for one in value):
            found.update(part)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            found.update(digest(key, other) + digest(part, other))
    elif isinstance(value, BaseEstimator):
        found.update(digest(dict(sorted(vars(value).items())), other))
    elif is_dataclass(value) and not isinstance(value, type):
        parts = [getattr(value, field.name) for field in fields(value)]
        found.update(digest(parts, other))
    elif other is not None:
        found.update(other(value))
    else:
        found.update(getattr(value, "__qualname__", "").encode())
    return found.digest()


def digest_exactly(value: Any, *, without: Iterable[Any] = ()) -> bytes:
    """Return a digest of everything that ``value`` consists of, the same everywhere.

    Functions and classes are hashed by their bytecode and by the values that they refer
    to, or by name and version if they belong to Python or to an installed package.
    Tensors are hashed by their values, except those listed in ``without``, and other
    objects by their state.

    Raises
    ------
    TypeError
        If ``value`` contains an object whose state is not accessible, such as a
        generator or an open file, or a function that uses a user's module as a value.
    """
    return _ExactDigest(without)(value)


class _ExactDigest:
    """A function that hashes objects and can read each of them several times."""

    def __init__(self, without: Iterable[Any]) -> None:
        self._without = {id(tensor) for tensor in without}
        # the digests of the objects read so far; None while an object is being read
        self._found: dict[int, bytes | None] = {}
        self._kept: list[Any] = []  # so that no other object gets the same id

    def __call__(self, value: Any) -> bytes:
        return digest(value, self._digest_other)

    def _digest_other(self, value: Any) -> bytes:
        """Hash an object that ``digest`` does not know."""
        if isinstance(value, ModuleType):
            return self(_read_module(value))
        if id(value) in self._found:  # in a cycle, the place where it began is known
            return self._found[id(value)] or self("cycle")
        self._kept.append(value)
        self._found[id(value)] = None
        name = f"{type(value).__module__}.{getattr(value, '__qualname__', '')}"
        if _is_tensor(value):
            parts = _read_tensor(value, id(value) not in self._without)
        else:
            parts = _list_parts(value)
        result = self([name, *parts])
        self._found[id(value)] = result
        return result


def is_known(value: Any) -> bool:
    """Return whether a class or function is part of Python or of an installed package.

    Otherwise, a user has written it.
    """
    return _find_origin(str(getattr(value, "__module__", None) or "builtins")) != ""


def _find_origin(module: str) -> str:
    """Return name and version of the installed package of a module, if it has one."""
    package = module.partition(".")[0]
    return "" if package == "__main__" else _describe_package(package)


@cache
def _describe_package(package: str) -> str:
    """Return name and version of a package; "" if it is not installed."""
    if package in sys.stdlib_module_names:
        return package
    module = sys.modules.get(package)
    if module is None and package:  # a function will import it
        file = getattr(find_spec(package), "origin", None)
    else:
        file = getattr(module, "__file__", None)
    folders = Path(file or "").parts
    if package != "sklearn_rnn" and not INSTALLED.intersection(folders):
        return ""
    return f"{package} {getattr(module, '__version__', None) or _find_version(package)}"


def _find_version(package: str) -> str:
    """Return the version of a package that is called like its distribution."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "of unknown version"


def _list_parts(value: Any) -> list[Any]:
    """List what an object consists of, besides its type and name."""
    if isinstance(value, CodeType):
        return [value.co_code, value.co_names, value.co_varnames, *value.co_consts]
    if isinstance(value, MethodType):
        return [value.__func__, value.__self__]
    if isinstance(value, type):
        return [value.__module__, *_read_class(value)]
    if isinstance(value, FunctionType):
        return [value.__module__, *_read_function(value)]
    try:
        parts = value.__reduce_ex__(2)
    except Exception as error:
        raise TypeError(f"{value!r} cannot be hashed: {error}") from error
    if isinstance(parts, str):  # a name, such as that of a built-in function
        return [parts, getattr(value, "__wrapped__", None)]
    if hasattr(value, "_forward_hooks") and isinstance(parts[2], dict):
        parts = [*parts[:2], _number_hooks(parts[2]), *parts[3:]]
    return [list(part) if isinstance(part, Iterator) else part for part in parts]


def _read_class(kind: type) -> list[Any]:
    """List the bases and the attributes of a class, if a user has written it."""
    if origin := _find_origin(kind.__module__):
        return [origin]
    attributes = {
        name: _unwrap(attribute)
        for name, attribute in sorted(vars(kind).items())
        if not (name in NOT_READ or name.startswith(("_abc_", "__annot")))
    }
    return [*kind.__bases__, attributes]


def _unwrap(attribute: Any) -> Any:
    """Return the functions of an attribute of a class that is a property or method."""
    if isinstance(attribute, property):
        return [attribute.fget, attribute.fset, attribute.fdel]
    if isinstance(attribute, (staticmethod, classmethod)):
        return [type(attribute).__name__, attribute.__func__]
    is_described = type(attribute).__name__.endswith("_descriptor")
    return type(attribute).__name__ if is_described else attribute


def _read_function(function: FunctionType) -> list[Any]:
    """List the code of a user's function and the values that it refers to."""
    if origin := _find_origin(function.__module__ or "builtins"):
        return [origin]
    cells = []
    for cell in function.__closure__ or ():
        try:
            cells.append(cell.cell_contents)
        except ValueError:  # not assigned yet
            cells.append(None)
    used = dict(_find_globals(function.__code__, function.__globals__))
    defaults = function.__defaults__, function.__kwdefaults__
    return [function.__code__, cells, *defaults, dict(sorted(used.items()))]


def _find_globals(code: CodeType, names: Mapping) -> Iterator[tuple[str, Any]]:
    """Yield the global names, with their values, that code and functions in it read.

    An attribute of a user's module is a name like "module.attribute".
    """
    found = dis.get_instructions(code)
    instructions = [one for one in found if one.opname != "EXTENDED_ARG"]
    for place, instruction in enumerate(instructions):
        name = instruction.argval
        if instruction.opname == "IMPORT_NAME" and (
            instructions[place - 2].argval  # the import is relative
            or not _find_origin(name)
        ):
            raise TypeError(f"{code.co_name} imports {name!r}; import it at the top")
        if instruction.opname not in ("LOAD_GLOBAL", "LOAD_NAME") or name not in names:
            continue
        value = names[name]
        while isinstance(value, ModuleType) and not _find_origin(value.__name__):
            place += 1
            attribute = instructions[place].argval
            is_read = instructions[place].opname in ("LOAD_ATTR", "LOAD_METHOD")
            if not is_read or not hasattr(value, attribute):
                raise TypeError(
                    f"the attributes of the module {name} that {code.co_name} uses are "
                    "not known"
                )
            name, value = f"{name}.{attribute}", getattr(value, attribute)
        yield name, value
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _find_globals(constant, names)


def _read_module(module: ModuleType) -> list[Any]:
    """Return name and version of a module of an installed package."""
    origin = _find_origin(module.__name__)
    if not origin:
        raise TypeError(f"the module {module.__name__} is used as a value")
    return [module.__name__, origin]


def _number_hooks(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of a torch module with its hooks numbered from 0.

    Torch numbers all hooks of a process.
    """
    hooks = {k: v for k, v in state.items() if k.endswith("_hooks") and v}
    numbers = sorted({number for found in hooks.values() for number in found})
    return {
        name: {numbers.index(key): hook for key, hook in value.items()}
        if "_hooks" in name and isinstance(value, dict)
        else value
        for name, value in state.items()
    }


def _is_tensor(value: Any) -> bool:
    return hasattr(value, "untyped_storage") and not isinstance(value, type)


def _read_tensor(tensor: Any, with_values: bool) -> list[Any]:
    """Return what a tensor of any device consists of; its bytes if ``with_values``."""
    names = ("_backward_hooks", "_post_accumulate_grad_hooks")
    hooks = [list((getattr(tensor, name, None) or {}).values()) for name in names]
    parts = [str(tensor.dtype), list(tensor.shape), tensor.requires_grad]
    parts += [vars(tensor), hooks]
    if not with_values or not tensor.numel():
        return parts
    values = tensor.detach().cpu().contiguous().reshape(-1)
    return [*parts, values.view(sys.modules["torch"].uint8).numpy()]


def _view_bytes(array: np.ndarray) -> Any:
    """Return the bytes of an array in C order, without a copy if possible."""
    if array.flags.c_contiguous and array.size and array.dtype.kind in "biufc":
        return array.reshape(-1).view(np.uint8)
    return array.tobytes()
