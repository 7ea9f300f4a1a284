"""Values and shared objects are written as a table, and others are named."""

import collections
import functools
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from model_values import copy_value, encode, same
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.callback import ProgressBar
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import Bunch

from sklearn_rnn import CharVectorizer, RNNClassifier, TokenArray
from sklearn_rnn.generation._ngram import Level
from sklearn_rnn.persistence._errors import ModelFileError

WORDS = [f"word {k}" for k in range(20)]
VALUES = {
    "constants": [None, True, False, 0, -1, 2**100, 0.1, -0.0, 1e308, 5e-324, ""],
    "floats": [math.inf, -math.inf, math.nan],
    "text": ["a\0b", "\ud800", "äöü", "\U0001f600", '"\\\n'],
    "nested": [[], (), {}, [[1], (2, [3])], {"a": {"b": ()}}],
    "keys": {1: "a", "1": "b", (1, "x"): None, None: 2, 1.5: 3, True + 1: 4, b"k": 5},
    "order": {"z": 1, "a": 2, "m": 3},
    "sets": [{1, 2}, {"b", "a", "c"}, frozenset({(1, 2)}), set(), frozenset()],
    "numpy": [np.float32(0.1), np.int8(-3), np.bool_(True), np.str_("a\0")],
    "more numpy": [np.bytes_(b"x"), np.datetime64("2020"), np.complex64(1j)],
    "scalars": list(np.linspace(0, 1, 20)),
    "bytes": [b"", b"\xff\0", slice(None), slice(1, None, 2), range(3), 1 + 2j],
    "paths": [Path("folder") / "file", Path("folder") / "file"],
    "types": [int, str, np.float32, np.dtype("<U3"), np.log1p, str.split, len],
    "long": [list(range(20)), [0.5] * 20, WORDS, tuple(WORDS), [True] * 20],
    "large": [list(range(2**40, 2**40 + 20)), [2**70] * 20, [1, 2.0] * 10],
    "packed": dict(zip(WORDS, range(20), strict=True)),
    "tuples": {("a", "b", str(k)): k for k in range(20)},
    "mixed tuples": [(k, "a") if k % 2 else (k,) for k in range(20)],
    "surrogates": ["\ud800", "\udc00"] * 10,
    "counter": collections.Counter("abca"),
    "ordered": collections.OrderedDict(b=1, a=2),
    "bunch": Bunch(a=1),
    "level": Level(*np.arange(8).reshape(4, 2)),
    "objects": np.array([["a", 1], [None, (2,)]], dtype=object),
    "object labels": np.array(WORDS, dtype=object),
    "empty objects": np.empty((0, 3), dtype=object),
    "masked": np.ma.MaskedArray([1.0, 2.0], [True, False], fill_value=-1),
    "unmasked": np.ma.MaskedArray([1, 2]),
    "csr": sparse.csr_matrix(np.eye(3)),
    "csc": sparse.csc_array(np.eye(3)[:2]),
    "generators": [np.random.default_rng(3), np.random.RandomState(3)],
    "Mersenne": np.random.Generator(np.random.MT19937(1)),
    "partial": functools.partial(np.exp, dtype="f4"),
    "unfitted": make_pipeline(CharVectorizer(), RNNClassifier("lstm")),
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_values_are_restored(value):
    restored = copy_value(value, trusted=["builtins:len"])
    if isinstance(value, functools.partial):
        assert restored.func is value.func and restored.keywords == value.keywords
    elif isinstance(value, BaseEstimator):
        assert repr(restored) == repr(value)
    else:
        assert same(restored, value)


def test_codes_keep_their_vocabulary():
    tokens = TokenArray([[4, 5, 0]], 7)
    restored = copy_value(tokens)
    assert type(restored) is TokenArray and restored.vocabulary_size == 7
    np.testing.assert_array_equal(restored, tokens)


def test_shared_objects_stay_shared():
    array, items = np.zeros(3), [1]
    value = {"a": array, "b": [array, items], "c": items, "d": np.zeros(3)}
    restored = copy_value(value)
    assert restored["a"] is restored["b"][0] is not restored["d"]
    assert restored["c"] is restored["b"][1]


def test_equal_constants_are_written_once():
    objects, arrays, _ = encode([np.dtype("f4"), np.dtype("f4"), int, int, np.int8(1)])
    assert [entry[0] for entry in objects] == ["dtype", "class", "scalar", "list"]
    assert not arrays


def test_sets_are_written_in_an_order_that_does_not_depend_on_hashes():
    objects, *_ = encode({"b", "a", "d", "c"})
    assert objects == [["set", ["a", "b", "c", "d"]]]


def test_long_lists_of_numbers_and_texts_are_packed():
    objects, arrays, _ = encode({"x": WORDS, "y": list(range(100))})
    assert len(str(objects)) < 150
    assert [array.dtype for array in arrays.values()] == [np.uint8, np.int8, np.int8]


class UsersArray(np.ndarray):
    """A subclass of arrays."""


class Schedule:
    """A callable object of a user, which has no import path."""

    def __call__(self, epoch):
        return 1.0


def nested(n_levels):
    value = []
    for _ in range(n_levels):
        value = [value]
    return value


def recursive():
    value = []
    value.append([value])
    return value


X = np.arange(8.0).reshape(4, 2)
SEARCH = GridSearchCV(LogisticRegression(), {"C": [1]}, cv=2)
UNSUPPORTED = {
    "lambda": (
        make_pipeline(FunctionTransformer(lambda x: x)),
        r"^steps\[0\]\[1\]\.func of type function .*lambda.* top level of a module",
    ),
    "callback": (
        make_pipeline(RNNClassifier(callbacks=[print])),
        r"^steps\[0\]\[1\]\.callbacks of type list .* set_params\(callbacks=None\)",
    ),
    "callback of scikit-learn": (
        RNNClassifier().set_callbacks(ProgressBar()),
        r"^_skl_callbacks of type list .* set_callbacks\(\)",
    ),
    "search": (SEARCH, "^the model of type .*GridSearchCV .* Save its best_estimator_"),
    "fitted search": (SEARCH.fit(X, [0, 1] * 2), "Save its best_estimator_"),
    "cache": (
        make_pipeline(CharVectorizer(), memory="folder"),
        r"^memory of type str .* pickles .* set_params\(memory=None\)",
    ),
    "trees": (
        Pipeline([("trees", RandomForestClassifier())]),
        r"^steps\[0\]\[1\] of type sklearn.*RandomForestClassifier cannot be saved",
    ),
    "schedule": (
        RNNClassifier(learning_rate_schedule=Schedule()),
        r"^learning_rate_schedule of type .*Schedule cannot be saved",
    ),
    "key": ({"a": {(1, object()): 2}}, r"^\['a'\]\[0\]\[1\] of type object"),
    "structured": (np.zeros(2, [("a", int)]), "dtype .* cannot be saved"),
    "structured type": (np.dtype([("a", int)]), "cannot be saved"),
    "subclass": ([np.zeros(2).view(UsersArray)], r"^\[0\] of type .*UsersArray"),
    "bit generator": (np.random.Generator(np.random.Philox()), "with Philox cannot"),
    "sparse": (sparse.coo_matrix(np.eye(2)), "coo_matrix cannot be saved"),
    "method": ([WORDS.append], r"^\[0\] of type builtin_function_or_method"),
    "module": (np, "^the model of type module cannot be saved"),
    "frame": (pd.DataFrame({"a": [1]}), "cannot be saved in a model file. Remove"),
    "depth": (nested(2000), r"^\[0\]\[0\]\[0\].* is nested too deep"),
    "itself": (recursive(), r"^\[0\]\[0\] of type list contains itself"),
}


@pytest.mark.parametrize(("value", "message"), UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_unsupported_objects_are_named(value, message):
    with pytest.raises(ModelFileError, match=message):
        encode(value)
