"""Functions of users are imported only if the caller trusts them."""

import json
import math

import pytest
from checked_estimators import Sums, steps_of
from model_values import copy_value, decode, encode
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_rnn.persistence import load
from sklearn_rnn.persistence._errors import ModelFileError
from sklearn_rnn.persistence._imports import find_import, name_import, read_trusted


def test_import_paths():
    assert name_import(math.sin) == "math:sin"
    assert find_import("math:sin") is math.sin
    for path in ("math:nothing", "no_such_module:f", "math", ":", "os:path.nothing"):
        assert find_import(path) is None


def trusted_function(x):
    return x


def test_functions_of_users_have_to_be_trusted():
    encoder = [
        ["import", "json:dumps"],
        ["import", "json:loads"],
        ["list", [[0], [1]]],
    ]
    message = r"json:dumps, json:loads.*trusted=\['json:dumps', 'json:loads'\]"
    with pytest.raises(ModelFileError, match=message):
        decode(encoder, {}, [2])
    with pytest.raises(ModelFileError, match=r"files: json:loads\."):
        decode(encoder, {}, [2], trusted="json:dumps")
    expected = [json.dumps, json.loads]
    assert decode(encoder, {}, [2], ["json:dumps", json.loads]) == expected


def test_trusted_objects_are_not_imported():
    name = f"{__name__}:trusted_function"
    assert decode([["import", name]], {}, [0], [trusted_function]) is trusted_function


def test_names_that_cannot_be_imported_are_an_error():
    with pytest.raises(ModelFileError, match="no_module:f cannot be imported"):
        decode([["import", "no_module:f"]], {}, [0], ["no_module:f"])
    with pytest.raises((ValueError, LookupError, TypeError)):
        decode([["import", ["os:system"]]], {}, [0], ["os:system"])


def test_functions_and_estimators_of_users_are_import_paths():
    model = make_pipeline(FunctionTransformer(steps_of), Sums(weight=3))
    objects, arrays, root = encode(model)
    paths = ["checked_estimators:Sums", "checked_estimators:steps_of"]
    for path in paths:
        assert ["import", path] in objects
    with pytest.raises(ModelFileError, match=f"files: {', '.join(paths)}"):
        decode(objects, arrays, root)
    for trusted in (paths, [Sums, steps_of]):
        restored = copy_value(model, trusted)
        assert restored[0].func is steps_of
        assert type(restored[1]) is Sums and restored[1].weight == 3


def test_functions_of_the_main_program_are_warned_of(monkeypatch):
    def tokenize(text):
        return text.split()

    tokenize.__module__, tokenize.__qualname__ = "__main__", "tokenize"
    monkeypatch.setattr("__main__.tokenize", tokenize, raising=False)
    with pytest.warns(UserWarning, match="__main__:tokenize is defined in the prog"):
        objects, arrays, root = encode([tokenize])
    for function in (str.split, "builtins:str.split"):
        trusted = {"__main__:tokenize": function}
        assert decode(objects, arrays, root, trusted) == [str.split]


@pytest.mark.parametrize("trusted", [str.split, "builtins:str.split", (str.split,)])
def test_a_single_function_can_be_trusted(trusted):
    assert read_trusted(trusted).keys() == {"builtins:str.split"}


@pytest.mark.parametrize("trusted", [True, 3, [3], {3: len}, "len", [None]])
def test_what_cannot_be_trusted_is_a_type_error(trusted):
    with pytest.raises(TypeError, match=r'trusted=\["module:name"'):
        load("there is no such file", trusted=trusted)
