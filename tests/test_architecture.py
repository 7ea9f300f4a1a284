"""Imports run one way, and each kind of knowledge stays in its room."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "sklearn_rnn"
FILES = sorted(PACKAGE.rglob("*.py"))


def module_name(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in FILES}


def imports_of(path):
    """Full names of what a file imports, at any depth."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            submodules = {f"{node.module}.{alias.name}" for alias in node.names}
            known = submodules & MODULES.keys()
            found |= known or {node.module}
    return found


def test_there_is_no_import_cycle():
    graph = {name: imports_of(path) & MODULES.keys() for name, path in MODULES.items()}
    done, open_ = set(), []

    def visit(name):
        assert name not in open_, f"cycle: {' -> '.join([*open_, name])}"
        if name in done:
            return
        open_.append(name)
        for other in graph[name]:
            visit(other)
        open_.pop()
        done.add(name)

    for name in graph:
        visit(name)


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_only_training_imports_skorch(path):
    uses = any(name.split(".")[0] == "skorch" for name in imports_of(path))
    assert uses == (module_name(path) == "sklearn_rnn._training.net")


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_nothing_imports_the_package_root(path):
    assert "sklearn_rnn" not in imports_of(path)


@pytest.mark.parametrize(
    "path", sorted((PACKAGE / "_nn").glob("*.py")), ids=module_name
)
def test_nets_do_not_know_estimators(path):
    for name in imports_of(path):
        assert name.split(".")[0] not in {"sklearn", "skorch"}
        if name.startswith("sklearn_rnn"):
            assert name.startswith(("sklearn_rnn._nn", "sklearn_rnn._core.randomness"))


@pytest.mark.parametrize(
    "path", [p for p in FILES if "class Recurrent" in p.read_text("utf-8")], ids=str
)
def test_base_rooms_do_not_import_estimators(path):
    assert not imports_of(path) & {
        "sklearn_rnn.supervised._classifier",
        "sklearn_rnn.supervised._regressor",
    }


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_global_generators_are_left_alone(path):
    forbidden = (
        "np.random.seed",
        "random.seed(",
        "torch.manual_seed",
        "np.random.rand",
    )
    text = path.read_text("utf-8")
    assert not [word for word in forbidden if word in text]


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_no_room_grows_past_400_lines_of_code(path):
    tree = ast.parse(path.read_text("utf-8"))
    lines = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.expr | ast.stmt):
            is_text = isinstance(node, ast.Expr) and isinstance(
                node.value, ast.Constant
            )
            docstring = is_text and isinstance(node.value.value, str)
            if not docstring and not isinstance(node, ast.Constant):
                lines.add(node.lineno)
    assert len(lines) <= 400


def test_importing_the_package_loads_no_optional_library():
    code = (
        "import sys, sklearn_rnn; "
        "print([m for m in ('matplotlib', 'pandas', 'polars') if m in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = set(ast.literal_eval(run.stdout))
    assert not loaded & {"matplotlib", "polars"}
