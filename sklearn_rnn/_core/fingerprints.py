"""A hash of the values that determine the predictions of a model."""

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator


def digest(value: Any) -> bytes:
    """Return a SHA-256 digest of parameters or arrays, the same in every process.

    For estimators and dataclasses, the class and the attributes are hashed. For other
    objects, such as functions, only the type and the name are.
    """
    found = hashlib.sha256(type(value).__qualname__.encode())
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        found.update(repr(value).encode("utf-8", "surrogatepass"))
    elif isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        found.update(f"{array.dtype.str} {array.shape}".encode())
        is_plain = array.dtype != object
        found.update(array.tobytes() if is_plain else digest(array.ravel().tolist()))
    elif isinstance(value, (list, tuple)):
        for part in value:
            found.update(digest(part))
    elif isinstance(value, (set, frozenset)):
        for part in sorted(map(digest, value)):
            found.update(part)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            found.update(digest(key) + digest(part))
    elif isinstance(value, BaseEstimator):
        found.update(digest(dict(sorted(vars(value).items()))))
    elif is_dataclass(value) and not isinstance(value, type):
        found.update(digest([getattr(value, field.name) for field in fields(value)]))
    else:
        found.update(getattr(value, "__qualname__", "").encode())
    return found.digest()
