"""Round trips of values through the format of model files, and comparisons."""

import functools
import json
import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as dump_arrays
from scipy import sparse

from sklearn_rnn.persistence._decoding import Decoder
from sklearn_rnn.persistence._encoding import Encoder


def encode(value):
    """Return (objects, arrays, root) of a value, as they are in a file."""
    encoder = Encoder()
    root = encoder.encode(value)
    objects, root = json.loads(json.dumps([encoder.objects, root], allow_nan=False))
    return objects, encoder.arrays, root


def decode(objects, arrays, root, trusted=()):
    """Read what :func:`encode` returned."""
    return Decoder(objects, load_arrays(dump_arrays(arrays)), trusted).decode(root)


def copy_value(value, trusted=()):
    """Return the value after writing and reading it."""
    return decode(*encode(value), trusted)


def same(one, other):
    """Return whether two values have the same types and contents, bit for bit."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return one == other or (math.isnan(one) and math.isnan(other))
    if isinstance(one, np.ndarray):
        if (one.dtype, one.shape) != (other.dtype, other.shape):
            return False
        if one.flags.writeable != other.flags.writeable:
            return False
        if one.flags.f_contiguous != other.flags.f_contiguous:
            return False
        if one.dtype == object:
            return all(map(same, one.flat, other.flat))
        return one.tobytes() == other.tobytes()
    if isinstance(one, Mapping):
        return same(list(one), list(other)) and same(
            list(one.values()), list(other.values())
        )
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if sparse.issparse(one):
        parts = ("data", "indices", "indptr")
        return one.shape == other.shape and all(
            same(getattr(one, part), getattr(other, part)) for part in parts
        )
    if isinstance(one, pd.Index):
        freq = [getattr(index, "freq", None) for index in (one, other)]
        names = one.names == other.names
        return one.equals(other) and one.dtype == other.dtype and names and same(*freq)
    if isinstance(one, (np.random.RandomState, np.random.Generator)):
        return one.normal(size=9).tobytes() == other.normal(size=9).tobytes()
    if type(one).__module__.startswith(("sklearn", "functools")):
        return same(describe(one), describe(other))
    return bool(one == other) or (one != one and other != other)


def describe(value):
    """Return the state of an object."""
    if isinstance(value, functools.partial):
        return [value.func, value.args, value.keywords]
    return dict(vars(value))
