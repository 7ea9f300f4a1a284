"""Data of the tests with other libraries: 80 sequences of two classes."""

import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def y():
    return np.arange(80) % 2


@pytest.fixture(scope="session")
def padded(y):
    """A 3-D array (80, 6, 2)."""
    noise = np.random.default_rng(0).normal(size=(80, 6, 2))
    return noise + 2 * y[:, None, None]


@pytest.fixture(scope="session")
def ragged(padded):
    """Arrays (T_i, 2) of 3 to 6 steps."""
    return [x[: 3 + k % 4] for k, x in enumerate(padded)]


@pytest.fixture(scope="session")
def table(padded):
    return padded[:, :, 0].copy()


@pytest.fixture(scope="session")
def texts(y):
    letters = np.random.default_rng(1).choice(list("abcd"), size=(80, 8))
    return ["".join(row) + "xyx"[k] * 3 for row, k in zip(letters, y, strict=True)]


@pytest.fixture
def run_guide(tmp_path, monkeypatch, capsys):
    """Function that runs a section of docs/guide/other_libraries.md.

    It returns the words that the section prints.
    """
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "guide" / "other_libraries.md").read_text("utf-8")

    def run(title):
        introduction, *sections = re.split(r"^## ", text, flags=re.M)
        (section,) = [part for part in sections if part.startswith(f"{title}\n")]
        page = ModuleType("page")  # importable, so that its functions can be pickled
        monkeypatch.setitem(sys.modules, "page", page)
        for block in re.findall(r"```python\n(.*?)```", introduction, re.S):
            exec(compile(block, title, "exec"), vars(page))
        capsys.readouterr()  # what the introduction prints
        for block in re.findall(r"```{code-block} python\n(.*?)```", section, re.S):
            exec(compile(block, title, "exec"), vars(page))
        return capsys.readouterr().out.split()

    return run
