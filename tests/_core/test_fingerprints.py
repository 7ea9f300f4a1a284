"""Hashes of the values that determine the predictions of a model."""

import copy
import importlib
import subprocess
import sys
import threading
from dataclasses import dataclass
from functools import partial

import joblib
import numpy as np
import pytest
import torch
from sklearn.preprocessing import StandardScaler

from sklearn_rnn._core import fingerprints
from sklearn_rnn._core.fingerprints import digest, digest_exactly


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


USERS_CODE = """
OFFSETS = {'b': 2, 'a': 1}
def g(x):
    return x + OFFSETS['a']
def f(x, names=frozenset(['p', 'q'])):
    return (g(x), x in {1, 2, 3}, lambda y: y + x)
"""


def test_the_digest_does_not_depend_on_the_process():
    code = (
        "from sklearn_rnn._core.fingerprints import digest, digest_exactly;"
        "names = {'__name__': 'users_module'};"
        f"exec({USERS_CODE!r}, names);"
        "print(digest([{'b', 'a'}, None, 1.5]).hex());"
        "print(digest_exactly([names['f'], len, {'b', 'a'}]).hex())"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    exact = digest_exactly([run_code(USERS_CODE)["f"], len, {"a", "b"}])
    here = [digest([{"a", "b"}, None, 1.5]), exact]
    assert found.stdout.split() == [one.hex() for one in here]


# ------------------------------------------------------------------ exact digests


def run_code(code):
    """Execute code of a user's module and return its names."""
    names = {"__name__": "users_module"}
    exec(code, names)
    return names


def digest_code(code, name="f"):
    return digest_exactly(run_code(code)[name])


CELL = """
import torch
SCALE = 2.0
def helper(x):
    return SCALE * x
class Cell(torch.nn.Module):
    def __init__(self, size=3):
        super().__init__()
        self.gru = torch.nn.GRU(size, size)
        self.size = size
    @property
    def wide(self):
        return self.size > 4
    @staticmethod
    def double(x):
        return 2 * x
    def forward(self, x, state=None):
        return self.gru(helper(x), state)
def f(i, h=4):
    return Cell(h)
"""
CHANGES = [
    ("SCALE = 2.0", "SCALE = 3.0"),
    ("return SCALE * x", "return SCALE + x"),
    ("h=4", "h=5"),
    ("self.size > 4", "self.size > 5"),
    ("return 2 * x", "return 3 * x"),
    ("helper(x), state", "x, state"),
    ("torch.nn.Module", "torch.nn.Identity"),
]


@pytest.mark.parametrize(("old", "new"), CHANGES)
def test_a_change_of_code_that_a_function_uses_changes_its_digest(old, new):
    assert old in CELL
    assert digest_code(CELL) == digest_code(f"# moved\n\n{CELL}")
    assert digest_code(CELL) != digest_code(CELL.replace(old, new))


def test_closures_and_bound_objects_are_hashed():
    def make(rate):
        return lambda epoch: rate**epoch

    assert digest_exactly(make(0.5)) == digest_exactly(make(0.5))
    assert digest_exactly(make(0.5)) != digest_exactly(make(0.6))
    assert digest_exactly(partial(make, 1)) != digest_exactly(partial(make, 2))
    assert digest_exactly([1].append) != digest_exactly([2].append)
    assert digest_exactly(Facts(np.ones(1), 1.0)) != digest(Facts(np.ones(1), 1.0))


def test_tensors_and_modules_are_hashed_by_value():
    one, other = torch.zeros(2), torch.zeros(2)
    assert digest_exactly(one) == digest_exactly(other)
    other[1] = 1
    assert digest_exactly(one) != digest_exactly(other)
    stored = digest_exactly([one], without=[one])
    assert stored == digest_exactly([other], without=[other])
    assert stored != digest_exactly([one]) == digest_exactly([one], without=[other])
    assert digest_exactly(one) != digest_exactly(one.double())
    assert digest_exactly(one.bfloat16()) != digest_exactly(other.bfloat16())
    assert digest_exactly(torch.tensor(1.0)) != digest_exactly(torch.tensor(2.0))
    cell = run_code(CELL)["Cell"]()
    before = digest_exactly(cell)
    assert digest_exactly(copy.deepcopy(cell)) == before
    cell.gru.weight_hh_l0.data[0] += 1
    assert digest_exactly(cell) != before
    assert digest_exactly(torch.device("cpu")) != digest_exactly(torch.float32)


def test_installed_packages_are_hashed_by_name_and_version(monkeypatch):
    def find():
        fingerprints._describe_package.cache_clear()
        return digest_exactly([joblib.Parallel, joblib, joblib.delayed])

    before = find()
    assert digest_exactly(joblib.Parallel) != digest_exactly(joblib.Memory)
    monkeypatch.setattr(joblib, "__version__", "0")
    assert find() != before
    monkeypatch.delattr(joblib, "__version__")
    assert find() == before
    fingerprints._describe_package.cache_clear()


def test_attributes_of_tensors_are_hashed():
    def digest_with(change):
        weight = torch.nn.Parameter(torch.zeros(2))
        change(weight)
        return digest_exactly(weight)

    def scale(gradient):
        return 2 * gradient

    changes = [
        lambda weight: None,
        lambda weight: weight.requires_grad_(False),
        lambda weight: setattr(weight, "rate", 1),
        lambda weight: weight.register_hook(scale),
        lambda weight: weight.register_post_accumulate_grad_hook(scale),
    ]
    found = [digest_with(change) for change in changes]
    assert len(set(found)) == len(changes)
    assert [digest_with(change) for change in changes] == found


def test_hooks_of_torch_modules_are_hashed_without_their_numbers():
    def double(module, inputs, outputs=None):
        return 2 * (inputs[0] if outputs is None else outputs)

    def digest_with(*hooks):
        layer = torch.nn.Identity()
        for hook, options in hooks:
            layer.register_forward_hook(hook, **options)
        return digest_exactly(layer)

    plain, named = (double, {}), (double, {"with_kwargs": True})
    assert digest_with(plain, named) == digest_with(plain, named)
    found = [digest_with(plain, named), digest_with(named, plain), digest_with()]
    assert len(set(found)) == 3


USERS_MODULES = {
    "users_package/__init__.py": "from . import ops",
    "users_package/ops.py": "SCALE = 1\nNOISE = 1",
}
READERS = """
import users_package
def f(x):
    def inner(y):
        return y * users_package.ops.SCALE
    return inner(x)
def unknown(x):
    return x * getattr(users_package, 'ops').SCALE
def missing(x):
    return x * users_package.ops.OTHER
def imports(x):
    from users_package.ops import SCALE
    return x * SCALE
def imports_relative(x):
    from .math import SCALE
    return x * SCALE
def imports_installed(x):
    import math, pytest
    return x * math.pi
"""


def test_values_in_modules_of_the_user_are_hashed(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "users_package").mkdir()
    for name, text in USERS_MODULES.items():
        (tmp_path / name).write_text(text)
    module = importlib.import_module("users_package")
    before = digest_code(READERS)
    module.ops.NOISE = 2
    assert digest_code(READERS) == before
    module.ops.SCALE = 2
    assert digest_code(READERS) != before
    for name in ("unknown", "missing", "imports", "imports_relative"):
        with pytest.raises(TypeError, match=r"users_package|imports 'math'"):
            digest_code(READERS, name)
    monkeypatch.delitem(sys.modules, "pytest")  # not imported yet
    fingerprints._describe_package.cache_clear()
    digest_code(READERS, "imports_installed")
    with pytest.raises(TypeError, match="users_package is used as a value"):
        digest_exactly([module])


def test_what_refers_to_itself_can_be_hashed():
    class Node:
        pass

    first, second = Node(), Node()
    first.next, second.next = second, first
    assert digest_exactly(first) == digest_exactly(second)
    first.value = 1
    assert digest_exactly(first) != digest_exactly(second)


@pytest.mark.parametrize("value", [threading.Lock(), (i for i in range(3))], ids=type)
def test_what_has_no_accessible_state_is_an_error(value):
    with pytest.raises(TypeError, match="cannot be hashed"):
        digest_exactly({"a": [value]})
