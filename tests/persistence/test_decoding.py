"""Tables with valid checksums but forged contents are refused."""

import numpy as np
import pandas as pd
import pytest
from model_values import copy_value, decode, encode
from sklearn.preprocessing import FunctionTransformer

from sklearn_rnn import RNNClassifier
from sklearn_rnn._data.scaling import FeatureScaling
from sklearn_rnn.persistence._decoding import READERS
from sklearn_rnn.persistence._encoding import CONSTANTS, DEEPEST
from sklearn_rnn.persistence._errors import ModelFileError
from sklearn_rnn.supervised._inputs import InputEncoding

RAW = {"0": np.zeros(3, np.uint8)}
NUMBERS = {"0": np.arange(20)}
LAUGHS = [["list", []], *(["list", [[k], [k]]] for k in range(60))]
DEEP = [["list", []], *(["list", [[k]]] for k in range(DEEPEST + 10))]
MERSENNE = {"bit_generator": "MT19937", "state": {"key": [2], "pos": 9**9}}
COLLIDING = [k * (2**61 - 1) for k in range(5000)]

FORGED = {
    "no list": ({}, {}, None),
    "entry": ([3], {}, None),
    "empty entry": ([[]], {}, None),
    "kind": ([["module", "os"]], {}, [0]),
    "kind of kind": ([[["list"]]], {}, [0]),
    "parts": ([["list"]], {}, [0]),
    "more parts": ([["list", [], []]], {}, [0]),
    "itself": ([["list", [[0]]]], {}, [0]),
    "later": ([["list", [[1]]], ["list", []]], {}, [0]),
    "negative": ([["list", [[-1]]]], {}, [0]),
    "boolean": ([["list", []], ["list", [[True]]]], {}, [1]),
    "root": ([], {}, [0]),
    "no value": ([["list", [{}]]], {}, [0]),
    "special": ([["list", [["NaN"]]]], {}, [0]),
    "infinite": ([["list", [float("inf")]]], {}, [0]),
    "laughs": (LAUGHS, {}, [60]),
    "deep": (DEEP, {}, [DEEPEST + 10]),
    "column": ([["list", 3]], {}, [0]),
    "packed": ([["list", {"objects": "0"}]], RAW, [0]),
    "missing array": ([["list", {"numbers": "1"}]], RAW, [0]),
    "array twice": ([["list", {"numbers": "0"}]] * 2, RAW, [0]),
    "unused array": ([["list", []]], RAW, [0]),
    "matrix": ([["list", {"numbers": "0"}]], {"0": np.eye(2)}, [0]),
    "texts": ([["list", {"texts": ["0", "1"]}]], RAW | {"1": np.array([4])}, [0]),
    "negative texts": (
        [["list", {"texts": ["0", "1"]}]],
        RAW | {"1": np.array([4, -1])},
        [0],
    ),
    "UTF-8": (
        [["list", {"texts": ["0", "1"]}]],
        {"0": np.array([255], np.uint8), "1": np.array([1])},
        [0],
    ),
    "tuples": ([["list", {"tuples": []}]], {}, [0]),
    "nested tuples": ([["list", {"tuples": [{"tuples": [[1]]}]}]], {}, [0]),
    "long tuples": ([["list", {"tuples": [[1]] * 9}]], {}, [0]),
    "uneven tuples": ([["list", {"tuples": [[1], [1, 2]]}]], {}, [0]),
    "values": ([["dict", ["a"], []]], {}, [0]),
    "key twice": ([["dict", ["a", "a"], [1, 2]]], {}, [0]),
    "equal keys": ([["dict", [1, 1.0], [1, 2]]], {}, [0]),
    "list as key": ([["list", []], ["dict", [[0]], [1]]], {}, [1]),
    "member twice": ([["set", [1, 1]]], {}, [0]),
    "hashes": ([["set", COLLIDING]], {}, [0]),
    "bunch": ([["Bunch", [1], [2]]], {}, [0]),
    "objects": ([["objects", [3], "C", True, [1]]], {}, [0]),
    "order": ([["objects", [1], "A", True, [1]]], {}, [0]),
    "tokens": ([["list", []], ["tokens", [0], 5]], {}, [1]),
    "token": ([["array", "0", {}], ["tokens", [0], 5]], NUMBERS, [1]),
    "mask": ([["list", []], ["masked", [0], null := None, null]], {}, [1]),
    "sparse": ([["sparse", "coo_matrix", [1, 1], 1, 1, 1]], {}, [0]),
    "range": ([["range", "a", 1, 1]], {}, [0]),
    "bytes": ([["bytes", "xy"]], {}, [0]),
    "str": ([["str_", 3]], {}, [0]),
    "scalar": ([["scalar", "<f8", "00"]], {}, [0]),
    "object scalar": ([["scalar", "|O", "00" * 8]], {}, [0]),
    "bool": ([["scalar", "|b1", "02"]], {}, [0]),
    "dtype": ([["dtype", "i4,i4"]], {}, [0]),
    "generator": ([["dict", ["bit_generator"], ["x"]], ["RandomState", [0]]], {}, [1]),
    "class": ([["class", "subprocess.Popen"]], {}, [0]),
    "function": ([["function", "os.system"]], {}, [0]),
    "partial": (
        [["class", "int"], ["list", []], ["dict", [], []], ["partial", [0], [1], [2]]],
        {},
        [3],
    ),
    "estimator": ([["estimator", "sklearn.svm.SVC", [], []]], {}, [0]),
    "class as estimator": (
        [["class", "int"], ["estimator", [0], [], []]],
        {},
        [1],
    ),
    "object": ([["object", "Popen", [], []]], {}, [0]),
    "tuple class": ([["namedtuple", "Moment", []]], {}, [0]),
    "tuple length": ([["namedtuple", "Level", [1]]], {}, [0]),
    "fields": ([["object", "FeatureScaling", ["mean"], [1]]], {}, [0]),
    "more fields": (
        [["object", "FeatureScaling", ["mean", "scale", "x"], [1, 1, 1]]],
        {},
        [0],
    ),
    "field twice": ([["object", "FeatureScaling", ["mean"] * 2, [1, 1]]], {}, [0]),
    "dunder": ([["object", "FeatureScaling", ["__class__"], [1]]], {}, [0]),
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_forged_tables_are_refused(forged):
    with pytest.raises((ValueError, TypeError, LookupError)):
        decode(*forged)


def test_fields_of_later_versions_get_their_defaults():
    objects, arrays, root = encode(InputEncoding(np.dtype("f4"), None, 3))
    objects[-1][2:] = [["dtype"], [objects[-1][3][0]]]
    assert decode(objects, arrays, root) == InputEncoding(np.dtype("f4"))


def test_states_of_random_generators_are_checked():
    objects, arrays, root = encode(np.random.RandomState(0))
    for damage in ({"0": arrays["0"][:9]}, {"0": arrays["0"].astype(np.int64)}):
        with pytest.raises(ValueError):
            decode(objects, damage, root)
    inner = next(entry for entry in objects if entry[0] == "dict")
    inner[2][inner[1].index("pos")] = 10**6
    with pytest.raises(ModelFileError, match="random generator"):
        decode(objects, arrays, root)


def test_objects_that_many_share_are_accepted():
    shared = [0.5] * 1000
    value = [[shared] * 100, shared]
    assert copy_value(value) == value


def test_what_can_be_saved_is_not_too_deep_to_be_loaded():
    value: list = []
    for _ in range(DEEPEST - 1):
        value = [value]
    assert copy_value(value) == value


def test_work_that_is_repeated_is_limited():
    codes = [["array", "0", {}], *[["tokens", [0], 5]] * 5000]
    with pytest.raises(ModelFileError, match="arrays that are referred to too often"):
        decode(codes, {"0": np.zeros((9, 999), np.int32)}, [1])
    keys = [["tuple", list(range(5000))], *[["set", [[0]]]] * 2000]
    with pytest.raises(ModelFileError, match="refer to others too often"):
        decode(keys, {}, [1])
    categories = ["CategoricalIndex", [0], None, False, None]
    wide = [["RangeIndex", 0, 10**15, 1, None], categories]
    with pytest.raises(ModelFileError, match="referred to too often"):
        decode(wide, {}, [1])
    levels = [
        ["RangeIndex", 0, 3 * 10**9, 1, None],
        ["array", "0", {}],
        *[["list", [[0]]], ["list", [[1]]], ["list", [None]]],
        ["MultiIndex", [2], [3], [4]],
    ]
    objects, arrays, root = encode(np.random.default_rng(0))
    with pytest.raises(ModelFileError, match="referred to too often"):
        decode([*objects, *[objects[-1]] * 3000], arrays, root)
    with pytest.raises(ModelFileError, match="referred to too often"):
        decode(levels, {"0": np.zeros(3, np.int64)}, [5])


def test_weights_that_many_layers_share_are_limited():
    model = RNNClassifier(hidden_size=2, max_epochs=1).fit(np.eye(4), [0, 1] * 2)
    objects, arrays, root = encode(model)
    weights = next(o for o in objects if o[0] == "dict" and "head.weight" in o[1])
    weights[1] += [f"weight {k}" for k in range(9)]
    weights[2] += [weights[2][0]] * 9
    number = objects[weights[2][0][0]][1]
    arrays[number] = np.zeros((1000, 1000), np.float32)
    with pytest.raises(ModelFileError, match="referred to too often"):
        decode(objects, arrays, root)


def test_series_that_share_an_index_are_accepted():
    index = pd.Index([f"step {k}" for k in range(2000)], dtype=object)
    assert len(copy_value([[index] for _ in range(2000)])) == 2000


def test_frozen_dataclasses_are_restored():
    scaling = FeatureScaling(np.zeros(2), np.ones(2))
    restored = copy_value([scaling, scaling])
    assert type(restored[0]) is FeatureScaling and restored[0] is restored[1]
    np.testing.assert_array_equal(restored[0].scale, np.ones(2))


def test_listed_functions_need_no_trust():
    model = FunctionTransformer(np.log1p, inverse_func=np.expm1)
    restored = copy_value(model)
    assert restored.func is np.log1p and restored.inverse_func is np.expm1


def test_every_constant_has_a_reader():
    assert CONSTANTS <= READERS.keys()
