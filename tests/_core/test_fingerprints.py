"""Hashes of the values that determine the predictions of a model."""

import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from sklearn_rnn._core.fingerprints import digest


@dataclass
class Facts:
    names: np.ndarray
    scale: float


def scaler(mean=0.0, **settings):
    fitted = StandardScaler(**settings)
    fitted.mean_ = np.array([mean])
    return fitted


PAIRS = [
    (1, 2),
    (1, 1.0),
    (1, True),
    ("a", b"a"),
    ([1, 2], (1, 2)),
    ([1, [2]], [[1], 2]),
    ({"a": 1}, {"a": 2}),
    ({"a": 1}, {"b": 1}),
    ({1, 2}, {1, 3}),
    (np.zeros(2), np.zeros((2, 1))),
    (np.zeros(2), np.zeros(2, np.float32)),
    (np.array(["a", "b"]), np.array(["a", "c"])),
    (np.array(["a", 1], object), np.array(["a", 2], object)),
    (Facts(np.array(["a"]), 1.0), Facts(np.array(["b"]), 1.0)),
    (scaler(), scaler(1.0)),
    (scaler(), scaler(with_std=False)),
    (len, sum),
    (None, "None"),
]


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=str)
def test_other_values_have_another_digest(one, other):
    assert digest(one) == digest(one) != digest(other)


def test_equal_values_have_the_same_digest():
    assert digest(Facts(np.array(["a"]), 1.0)) == digest(Facts(np.array(["a"]), 1.0))
    assert digest(scaler()) == digest(scaler())
    assert digest({1, 2, 3}) == digest({3, 2, 1})
    assert digest(object()) == digest(object())


def test_the_digest_does_not_depend_on_the_process():
    code = (
        "from sklearn_rnn._core.fingerprints import digest;"
        "print(digest([{'b', 'a'}, None, 1.5]).hex())"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.stdout.strip() == digest([{"a", "b"}, None, 1.5]).hex()
