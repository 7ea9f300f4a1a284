"""Kinds of X and y that the fuzzer draws: valid, unusual and invalid ones."""

import datetime
from collections import OrderedDict, deque
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from scipy import sparse

from sklearn_rnn._data.ragged import object_array
from sklearn_rnn._data.tokens import TokenArray
from sklearn_rnn.conformance._examples import TEXTS

N = 10
LENGTHS = (3, 1, 5, 2, 4, 3, 6, 2, 5, 4)
# Values that replace one number of the data, or all of them.
VALUES = {
    "0": 0.0,
    "1e-300": 1e-300,
    "1e150": 1e150,
    "1e308": 1e308,
    "NaN": np.nan,
    "infinity": np.inf,
    "-infinity": -np.inf,
    "2**53": 2.0**53,
    "-1e30": -1e30,
}
DTYPES = (
    *("float64", "float32", "float16", "longdouble", "int64", "int8", "uint8", "bool"),
    *("complex64", "object", "datetime64[s]", "timedelta64[s]", "S8", "U8", ">f8"),
)
SHAPES: tuple[tuple[int, ...], ...] = (
    *((0,), (N,), (0, 4), (1, 1), (N, 0), (N, 1), (1, 6), (N, 6), (N, 4, 2)),
    *((0, 4, 2), (N, 0, 2), (N, 4, 0), (N, 1, 1), (N, 3, 2, 2), ()),
)

Makers = dict[str, Callable[[Any], Any]]  # functions of a random generator


def numbers(rng, shape, dtype="float64"):
    """Draw random numbers of a shape and type."""
    return (rng.normal(size=shape) * 3).astype(dtype)


def rows(rng, n_features=2, dtype="float64"):
    """Draw a list of (T_i, n_features) arrays."""
    return [numbers(rng, (length, n_features), dtype) for length in LENGTHS]


def _with_value(rng, value, make):
    """Replace one number of the data by ``value``."""
    X = make(rng)
    where = X[3] if isinstance(X, list) else X
    where.reshape(-1)[rng.integers(where.size)] = value
    return X


def _full(rng, shape, value):
    return np.full(shape, value)


def _give(rng, value):
    return value


def _table(rng):
    return numbers(rng, (N, 6))


def _array(rng):
    return numbers(rng, (N, 4, 2))


def _tokens(rng, vocabulary_size=9):
    codes = rng.integers(4, 9, size=(N, 6))
    codes[np.arange(6) >= np.array(LENGTHS)[:, None]] = 0
    return TokenArray(codes, vocabulary_size)


def kinds_of_X():
    """Map the name of each kind of X to a function of a random generator."""
    found: Makers = {}
    for shape, dtype in product(SHAPES, DTYPES):
        if dtype == "float64" or shape in ((N, 6), (N, 4, 2)):
            found[f"{dtype} array {shape}"] = partial(numbers, shape=shape, dtype=dtype)
    for dtype in DTYPES:
        found[f"list of {dtype} arrays"] = partial(rows, dtype=dtype)
    for label, value in VALUES.items():
        for make in (_table, _array, rows):
            found[f"{label} in {make.__name__.strip('_')}"] = partial(
                _with_value, value=value, make=make
            )
        found[f"table of {label}"] = partial(_full, shape=(N, 6), value=value)
        found[f"series of {label}"] = partial(_full, shape=60, value=value)
    for more in (_lists, _arrays, _junk, _texts, _foreign, _frames, _tensors):
        found |= more()
    return found


def _lists():
    return {
        "ragged": rows,
        "ragged tuple": lambda rng: tuple(rows(rng)),
        "object array": lambda rng: object_array(rows(rng)),
        "object column": lambda rng: object_array(rows(rng))[:, None],
        "nested lists": lambda rng: [x.tolist() for x in rows(rng)],
        "table as lists": lambda rng: _table(rng).tolist(),
        "mixed features": lambda rng: [*rows(rng)[:-1], np.ones((2, 3))],
        "mixed dtypes": lambda rng: [*rows(rng)[:-1], np.ones((2, 2), dtype="int8")],
        "list with an empty sequence": lambda rng: [*rows(rng)[:-1], np.ones((0, 2))],
        "one sequence": lambda rng: rows(rng)[:1],
        "empty list": lambda rng: [],
        "list of an empty list": lambda rng: [[]],
        "long series": lambda rng: numbers(rng, 60),
        "series with gaps": lambda rng: np.where(
            np.arange(60) % 7 == 3, np.nan, numbers(rng, 60)
        ),
        "series of integers": lambda rng: rng.integers(0, 9, size=60),
        "panel": lambda rng: [numbers(rng, 40 + k) for k in range(3)],
        "bits": lambda rng: rng.integers(0, 2, size=(N, 6)),
        "signs": lambda rng: rng.choice([-1.0, 1.0], size=(N, 6)),
        "probabilities": lambda rng: rng.random((N, 6)),
    }


def _arrays():
    return {
        "constant table": lambda rng: np.ones((N, 6)),
        "padded array": lambda rng: _padded(rng),
        "Fortran order": lambda rng: np.asfortranarray(_table(rng)),
        "strided view": lambda rng: numbers(rng, (N, 12))[:, ::-2],
        "read-only": lambda rng: _read_only(_table(rng)),
        "masked table": lambda rng: np.ma.masked_greater(_table(rng), 2),
        "masked array": lambda rng: np.ma.masked_greater(_array(rng), 2),
        "no mask": lambda rng: np.ma.masked_array(_table(rng)),
        "np.matrix": lambda rng: np.matrix(_table(rng)),
        "record array": lambda rng: np.zeros(N, dtype=[("a", float), ("b", int)]),
        "tokens": _tokens,
        "tokens of a wide vocabulary": partial(_tokens, vocabulary_size=5000),
        "tokens of 2**30": partial(_tokens, vocabulary_size=2**30),
        "a row of tokens": lambda rng: _tokens(rng)[0],
        "list of tokens": lambda rng: list(_tokens(rng)),
        "codes": lambda rng: rng.integers(4, 9, size=(N, 6)),
        "negative codes": lambda rng: rng.integers(-3, 3, size=(N, 6)),
        "large codes": lambda rng: np.full((N, 6), 2**40),
    }


def _junk():
    junk = {
        "None": None,
        "NaN": np.nan,
        "str": "text",
        "bytes": b"ab",
        "dict": {"a": 1},
        "set": {1},
        "list": [],
        "array": np.ones((2, 2)),
        "object": object(),
        "date": datetime.date(2020, 1, 1),
        "Decimal": Decimal("1.5"),
        "function": len,
        "Fraction": Fraction(1, 3),
        "10**400": 10**400,
        "complex": 1j,
        "type": int,
    }
    found = {}
    for label, value in junk.items():
        found[f"{label} itself"] = lambda rng, v=value: v
        found[f"list of {label}"] = lambda rng, v=value: [v] * N
        found[f"{label} as a sequence"] = lambda rng, v=value: [*rows(rng)[:-1], v]
        found[f"{label} as a step"] = lambda rng, v=value: [
            *(x[:, 0].tolist() for x in rows(rng)[:-1]),
            [1.0, v],
        ]
    return found


def _padded(rng):
    array = _array(rng)
    array[np.arange(4) >= rng.integers(1, 5, size=N)[:, None]] = np.nan
    return array


def _read_only(array):
    array.setflags(write=False)
    return array


def _texts():
    texts = list(TEXTS[:N])
    made = {
        "texts": texts,
        "tuple of texts": tuple(texts),
        "one text": " ".join(texts),
        "array of texts": np.array(texts),
        "object texts": object_array(texts),
        "column of texts": np.array(texts, dtype=object)[:, None],
        "bytes": [text.encode() for text in texts],
        "a bytes": texts[0].encode(),
        "empty text": "",
        "list of empty texts": [""] * N,
        "blank texts": [" \n"] * N,
        "texts and None": [*texts[:-1], None],
        "texts and NaN": [*texts[:-1], np.nan],
        "texts and a number": [*texts[:-1], 3],
        "single characters": list("abcabcabca"),
        "lone surrogate": [*texts[:-1], "a\ud800"],
        "NUL": ["a\0b\0", *texts[1:]],
        "emoji": ["\U0001f409\U0001f409 a"] * N,
        "long text": ["ab " * 300] * N,
        "lists of tokens": [text.split() for text in texts],
        "lists of numbers as tokens": [[1, 2, 3]] * N,
        "empty token lists": [[]] * N,
        "tokens that are None": [[None, "a"]] * N,
        "one document": texts[:1],
        "file name": "notes.txt",
        "dict of texts": dict.fromkeys(texts),
        "set of texts": set(texts),
        "Ordered dict": OrderedDict.fromkeys(texts),
    }
    found: Makers = {
        label: partial(_give, value=value) for label, value in made.items()
    }
    found["iterator of texts"] = lambda rng: iter(list(texts))
    found["generator of texts"] = lambda rng: (text for text in texts)
    return found


def _foreign():
    found = {
        "memoryview": lambda rng: memoryview(_table(rng)),
        "memoryview of bytes": lambda rng: memoryview(b"abcdefghij"),
        "bytearray": lambda rng: bytearray(b"abcdefghij"),
        "range": lambda rng: range(60),
        "deque": lambda rng: deque(rows(rng)),
        "generator": lambda rng: (x for x in rows(rng)),
        "dict of sequences": lambda rng: dict(enumerate(rows(rng))),
        "sparse": lambda rng: sparse.csr_array(_table(rng)),
        "list of sparse": lambda rng: [sparse.csr_array(x) for x in rows(rng)],
    }
    return found


def _frames():
    try:
        import pandas as pd
    except ImportError:
        return {}
    days = pd.date_range("2020-01-01", periods=60)
    return {
        "frame": lambda rng: pd.DataFrame(_table(rng)).add_prefix("x"),
        "frame of texts": lambda rng: pd.DataFrame({"t": list(TEXTS[:N])}),
        "frame of sequences": lambda rng: pd.DataFrame({"x": object_array(rows(rng))}),
        "frame of dates": lambda rng: pd.DataFrame({"d": days[:N]}),
        "frame of categories": lambda rng: pd.DataFrame(
            {"c": pd.Categorical(["a", "b"] * 5)}
        ),
        "frame with NA": lambda rng: pd.DataFrame(
            {"x": pd.array([1, None] * 5, dtype="Int64")}
        ),
        "frame of duplicate columns": lambda rng: pd.DataFrame(
            _table(rng)[:, :2], columns=["a", "a"]
        ),
        "empty frame": lambda rng: pd.DataFrame(),
        "Series of sequences": lambda rng: pd.Series(rows(rng), index=range(9, -1, -1)),
        "Series of texts": lambda rng: pd.Series(list(TEXTS[:N])),
        "Series in time": lambda rng: pd.Series(numbers(rng, 60), index=days),
        "irregular Series": lambda rng: pd.Series(
            numbers(rng, 60), index=rng.permutation(60)
        ),
        "list of frames": lambda rng: [
            pd.DataFrame(x, columns=["a", "b"]) for x in rows(rng)
        ],
    }


def _tensors():
    try:
        import torch
    except ImportError:
        return {}
    return {
        "tensor": lambda rng: torch.tensor(_table(rng)),
        "tensor that requires grad": lambda rng: torch.tensor(
            _array(rng), requires_grad=True
        ),
        "bfloat16 tensor": lambda rng: torch.tensor(_table(rng)).bfloat16(),
        "list of tensors": lambda rng: [torch.tensor(x) for x in rows(rng)],
        "sparse tensor": lambda rng: torch.tensor(_table(rng)).to_sparse(),
        "meta tensor": lambda rng: torch.empty(N, 6, device="meta"),
        "jagged tensor": lambda rng: torch.nested.nested_tensor(
            [torch.tensor(x) for x in rows(rng)], layout=torch.jagged
        ),
        "packed sequence": lambda rng: torch.nn.utils.rnn.pack_sequence(
            [torch.tensor(x) for x in rows(rng)], enforce_sorted=False
        ),
    }


def _end_with(rng, n, value):
    return [*rng.normal(size=max(n - 1, 0)).tolist(), value]


def kinds_of_y():
    """Map the name of each kind of y to a function of a generator and n_rows.

    Returns valid and invalid kinds separately.
    """
    good = {
        "labels": lambda rng, n: np.arange(n) % 2,
        "three labels": lambda rng, n: np.arange(n) % 3,
        "string labels": lambda rng, n: np.array(["no", "yes"])[np.arange(n) % 2],
        "numbers": lambda rng, n: rng.normal(size=n),
        "several outputs": lambda rng, n: rng.normal(size=(n, 2)),
        "indicators": lambda rng, n: rng.integers(0, 2, size=(n, 3)),
        "texts": lambda rng, n: [TEXTS[k % len(TEXTS)] for k in range(n)],
        "token lists": lambda rng, n: [["a", "b"][: 1 + k % 2] for k in range(n)],
        "none": lambda rng, n: None,
        "labels per step": lambda rng, n: rng.integers(0, 2, size=(n, 6)),
    }
    odd: dict[str, Callable[[Any, int], Any]] = {
        "bools": lambda rng, n: np.arange(n) % 2 == 0,
        "list": lambda rng, n: list(range(n)),
        "column": lambda rng, n: np.arange(n)[:, None] % 2,
        "one class": lambda rng, n: np.zeros(n),
        "too short": lambda rng, n: np.arange(max(n - 1, 0)) % 2,
        "too long": lambda rng, n: np.arange(n + 1) % 2,
        "empty": lambda rng, n: [],
        "3-D": lambda rng, n: np.zeros((n, 2, 2)),
        "no columns": lambda rng, n: np.zeros((n, 0)),
        "huge": lambda rng, n: rng.normal(size=n) * 1e300,
        "tiny": lambda rng, n: rng.normal(size=n) * 1e-300,
        "constant": lambda rng, n: np.full(n, 1e8),
        "complex": lambda rng, n: np.full(n, 1j),
        "dates": lambda rng, n: np.arange(n).astype("datetime64[D]"),
        "per step": lambda rng, n: [np.zeros(LENGTHS[k % N]) for k in range(n)],
        "per step, table": lambda rng, n: rng.normal(size=(n, 6)),
        "masked": lambda rng, n: np.ma.masked_array(np.arange(n) % 2, np.arange(n) > 2),
        "mixed types": lambda rng, n: [1, "a"] * (n // 2) + [1.5] * (n % 2),
        "objects": lambda rng, n: [object()] * n,
        "sets": lambda rng, n: [{1}, {2}] * (n // 2) + [{1}] * (n % 2),
        "set": lambda rng, n: set(range(n)),
        "dict": lambda rng, n: dict.fromkeys(range(n), 1),
        "str": lambda rng, n: "ab" * (n // 2) + "a" * (n % 2),
        "number": lambda rng, n: 3,
        "generator": lambda rng, n: (k % 2 for k in range(n)),
        "sparse": lambda rng, n: sparse.csr_array(np.eye(max(n, 1))),
        "ragged": lambda rng, n: [[0] * (k % 3) for k in range(n)],
    }
    for label, value in (*VALUES.items(), ("None", None), ("10**400", 10**400)):
        odd[f"numbers and {label}"] = partial(_end_with, value=value)
    return good, odd
