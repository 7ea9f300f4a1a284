"""load_names: names of people by nationality."""

import inspect
from collections import Counter

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_rnn.datasets import load_names

NATIONALITIES = [
    "Chinese",
    "Czech",
    "Dutch",
    "English",
    "French",
    "German",
    "Greek",
    "Hungarian",
    "Irish",
    "Italian",
    "Japanese",
    "Korean",
    "Portuguese",
    "Russian",
    "Vietnamese",
]


@pytest.fixture(scope="module")
def people():
    return load_names()


def test_there_are_equally_many_names_of_15_nationalities(people):
    assert Counter(people.target.tolist()) == dict.fromkeys(NATIONALITIES, 1500)
    assert len(people.data) == 22_500


def test_target_names_are_sorted(people):
    assert people.target_names.tolist() == NATIONALITIES


def test_names_have_their_own_nationality(people):
    pairs = list(zip(people.data, people.target.tolist(), strict=True))
    assert pairs[:4] == [
        ("Lenar Gilmullin", "Russian"),
        ("Nguyễn Thị Vạn", "Vietnamese"),
        ("David Cairnes", "Irish"),
        ("Catherine Procaccia", "French"),
    ]
    assert pairs[-1] == ("Vladimir Serov", "Russian")


def test_names_are_clean_text(people):
    assert {type(name) for name in people.data} == {str}
    assert all(name and name == name.strip() for name in people.data)
    assert not any("\t" in name or "\ufffd" in name for name in people.data)


def test_no_name_is_repeated_within_a_nationality(people):
    pairs = Counter(zip(people.data, people.target.tolist(), strict=True))
    assert max(pairs.values()) == 1


def test_nationalities_are_shuffled(people):
    assert np.unique(people.target[:500]).tolist() == NATIONALITIES


def test_return_X_y_gives_the_same_data(people):
    X, y = load_names(return_X_y=True)
    assert X == people.data
    assert_array_equal(y, people.target)


def test_return_X_y_is_keyword_only():
    with pytest.raises(TypeError, match="positional"):
        load_names(True)


def test_each_call_gives_its_own_data(people):
    X, y = load_names(return_X_y=True)
    X[0], y[0] = "changed", "Greek"
    again = load_names()
    assert again.data[0] == "Lenar Gilmullin"
    assert again.target[0] == "Russian"


def test_description_names_the_source_and_its_licence(people):
    assert "name2nat 0.5.1" in people.DESCR
    assert "Apache License, Version 2.0" in people.DESCR
    assert "name2nat 0.5.1" in inspect.getdoc(load_names)
