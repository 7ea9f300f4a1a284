"""Nested lists, tuples and dicts of plain values and arrays, as JSON and named arrays.

Only these types are written and read, so that reading a file runs no code.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

TEXT = "tree"  # name of the array that contains the JSON text


def flatten_tree(tree: Any) -> dict[str, np.ndarray]:
    """Convert a tree to arrays; that called ``TEXT`` describes how they are nested.

    Raises
    ------
    TypeError
        If the tree contains objects other than None, booleans, numbers, strings, arrays
        of numbers, lists, tuples and dicts.
    """
    arrays: dict[str, np.ndarray] = {}
    text = json.dumps(_describe(tree, arrays), allow_nan=False)
    return {TEXT: np.frombuffer(text.encode("utf-8"), np.uint8), **arrays}


def unflatten_tree(arrays: Mapping[str, np.ndarray]) -> Any:
    """Return the tree that :func:`flatten_tree` converted.

    Raises
    ------
    ValueError
        If the arrays do not describe a tree.
    """
    try:
        return _rebuild(json.loads(arrays[TEXT].tobytes()), arrays)
    except (LookupError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(f"its content is not well-formed ({error!r}).") from error


def _describe(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Describe a tree by JSON values, and collect its arrays."""
    if isinstance(value, np.ndarray):
        name = str(len(arrays))
        arrays[name] = value
        return {"array": name}
    if isinstance(value, (np.number, np.bool_)):
        value = value.item()
    if type(value) is float:
        return value if math.isfinite(value) else {"float": repr(value)}
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is list:
        return [_describe(part, arrays) for part in value]
    if type(value) is tuple:
        return {"tuple": [_describe(part, arrays) for part in value]}
    if type(value) is dict:
        pairs = [[_describe(part, arrays) for part in pair] for pair in value.items()]
        return {"dict": pairs}
    raise TypeError(f"an object of type {type(value).__name__} cannot be stored")


def _rebuild(found: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """Rebuild a tree from its description."""
    if isinstance(found, list):
        return [_rebuild(part, arrays) for part in found]
    if not isinstance(found, dict):
        return found
    ((kind, content),) = found.items()
    if kind == "array":
        return arrays[content]
    if kind == "float":
        return float(content)
    if kind == "tuple":
        return tuple(_rebuild(part, arrays) for part in content)
    if kind == "dict":
        return {
            _rebuild(key, arrays): _rebuild(value, arrays) for key, value in content
        }
    raise ValueError(f"unknown kind {kind!r}")
