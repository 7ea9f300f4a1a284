"""A new cell needs a file, its entry in the registry, and a reference for the tests."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sklearn_rnn

PACKAGE = Path(sklearn_rnn.__file__).parent
HERE = Path(__file__).parent
TESTS = HERE.parent.parent
SYNCHRONIZE = TESTS.parent / "tools" / "sync_parameters.py"

REFERENCE = """

def peephole(x, weight_ih, weight_hh, bias, peephole, *, state, activation):
    (h, c), hidden, (p_i, p_f, p_o) = state, [], peephole
    for x_t in x:
        i, f, g, o = np.split(weight_ih @ x_t + weight_hh @ h + bias, 4)
        i, f = sigmoid(i + p_i * c), sigmoid(f + p_f * c)
        c = f * c + i * np.tanh(g)
        h = sigmoid(o + p_o * c) * np.tanh(c)
        hidden.append(h)
    return np.array(hidden), [h, c]


REFERENCES["peephole"] = peephole
"""


def edit(path, before, after):
    text = path.read_text("utf-8")
    assert text.count(before) == 1
    path.write_text(text.replace(before, after), "utf-8")


def copy_project(to):
    """Copy the package and the tests of its networks to a folder for editing."""
    unwanted = shutil.ignore_patterns("data", "__pycache__", "test_new_cell.py")
    shutil.copytree(PACKAGE, to / "sklearn_rnn", ignore=unwanted)
    shutil.copytree(TESTS / "_nn", to / "tests" / "_nn", ignore=unwanted)
    for name in ("conftest.py", "reference_cells.py", "small_networks.py"):
        shutil.copy(TESTS / name, to / "tests")
    shutil.copy(TESTS.parent / "pyproject.toml", to)


@pytest.mark.slow
def test_a_new_cell_is_a_file_an_entry_in_the_registry_and_a_reference(tmp_path):
    copy_project(tmp_path)
    cells, tests = tmp_path / "sklearn_rnn/_nn/cells", tmp_path / "tests"
    shutil.copy(HERE / "peephole.py", cells)
    edit(
        cells / "registry.py",
        "import LSTMLayer\n",
        "import LSTMLayer\nfrom sklearn_rnn._nn.cells.peephole import PeepholeLayer\n",
    )
    edit(cells / "registry.py", " GRULayer,\n", " GRULayer,\n    PeepholeLayer,\n")
    with open(tests / "reference_cells.py", "a", encoding="utf-8") as file:
        file.write(REFERENCE)
    shutil.copy(HERE / "peephole_checks.py", tests / "_nn/cells/test_peephole.py")
    subprocess.run([sys.executable, SYNCHRONIZE, tmp_path / "sklearn_rnn"], check=True)
    documented = (tmp_path / "sklearn_rnn/supervised/_classifier.py").read_text("utf-8")
    assert 'cell : {"rnn", "lstm", "gru", "peephole"' in documented
    assert '- "peephole", after F. A. Gers' in documented
    run = subprocess.run(
        [sys.executable, *"-m pytest -p no:cacheprovider -k peephole tests".split()],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-5000:]
    for name in ("test_base", "test_peephole"):
        assert f"{name}.py ...." in run.stdout
