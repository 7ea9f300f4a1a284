"""The structure of the package: layers of imports, test modules, and lengths."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from layers import LAYERS, WITHOUT_TORCH

import sklearn_rnn

PACKAGE = Path(sklearn_rnn.__file__).parent
TESTS = Path(__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

LAYER_OF = {"_version": -1} | {
    name: k for k, layer in enumerate(LAYERS) for name in layer
}


def module_name(path, package=PACKAGE):
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in FILES}


def imports_of(path):
    """Return the full names of the imports of a file, at any depth."""
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


def climbing_imports(package):
    """Return imports between subpackages that do not go down the layers."""
    found = []
    for path in sorted(package.rglob("*.py")):
        name = module_name(path, package)
        if name.count(".") == 0:  # the root, which imports lazily
            continue
        here = name.split(".")[1]
        for other in imports_of(path):
            root, _, rest = other.partition(".")
            there = rest.split(".")[0]
            if root != "sklearn_rnn" or there == here:
                continue
            if not there or LAYER_OF[there] >= LAYER_OF[here]:
                found.append(f"{name} -> {other}")
    return found


def test_every_subpackage_has_a_layer():
    packages = {name.split(".")[1] for name in MODULES if "." in name}
    assert packages <= LAYER_OF.keys()


def test_the_page_of_the_architecture_lists_the_layers():
    page = TESTS.parent / "docs" / "architecture.md"
    listed = {
        (name, int(layer))
        for layer, names in re.findall(
            r"^\| (\d) \| (.*?) \|", page.read_text("utf-8"), re.M
        )
        for name in re.findall(r"`(\w+)`", names)
    }
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert listed == {(name, LAYER_OF[name]) for name in packages}


def test_the_page_of_the_architecture_names_files_and_tests_that_exist():
    text = (TESTS.parent / "docs" / "architecture.md").read_text("utf-8")
    for file in re.findall(r"`([\w/]+\.py)`", text):
        roots = (PACKAGE, TESTS.parent)
        assert any((root / file).is_file() for root in roots), file
    for file, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text):
        assert f"def {name}(" in (TESTS.parent / file).read_text("utf-8"), name


def test_imports_go_down():
    assert climbing_imports(PACKAGE) == []


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("_training/net.py", "from sklearn_rnn.supervised._classifier import X"),
        ("_nn/layers.py", "import sklearn_rnn._data.tokens"),
        ("forecasting/_windows.py", "from sklearn_rnn.generation import _net"),
        ("text/_char.py", "def f():\n    from sklearn_rnn import RNNClassifier"),
    ],
)
def test_an_import_that_climbs_is_found(tmp_path, file, line):
    copy = tmp_path / "sklearn_rnn"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("data", "__pycache__"))
    assert climbing_imports(copy) == []
    with open(copy / file, "a", encoding="utf-8") as opened:
        opened.write(f"\n{line}\n")
    (found,) = climbing_imports(copy)
    assert found.startswith("sklearn_rnn." + file.removesuffix(".py").replace("/", "."))


def test_modules_of_the_root_are_packages():
    modules = {path.stem for path in PACKAGE.glob("*.py")}
    assert modules == {"__init__", "_version"}


def test_shared_machinery_is_imported_from_its_modules():
    for path in PACKAGE.rglob("__init__.py"):
        if path.parent.name.startswith("_") and path.parent.name != "cells":
            assert path.read_text("utf-8") == "", path


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


def users_of(library):
    return {
        name
        for name, path in MODULES.items()
        if any(other.split(".")[0] == library for other in imports_of(path))
    }


def test_only_nets_and_their_callbacks_import_skorch():
    assert users_of("skorch") == {
        "sklearn_rnn._training.net",
        "sklearn_rnn._training.net_callbacks",
    }


def test_networks_import_neither_scikit_learn_nor_skorch():
    assert not [name for name in users_of("sklearn") if "._nn" in name]


def private_imports(path):
    """Return the private names that a file imports from scikit-learn."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.startswith("sklearn.") and "._" in name:
                yield name


def test_one_module_imports_what_is_private_in_scikit_learn():
    users = {name for name, path in MODULES.items() if list(private_imports(path))}
    assert users == {"sklearn_rnn._core.sklearn_private"}


def run_python(code):
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return run.stdout


def loaded_by(statement):
    """Return the top-level modules that a statement loads in a new process."""
    code = f"import sys\n{statement}\nprint({{m.split('.')[0] for m in sys.modules}})"
    return ast.literal_eval(run_python(code))


def test_subpackages_without_networks_load_no_torch():
    code = """
import sys
from importlib import import_module

for name in {names}:
    import_module("sklearn_rnn." + name)
    if sys.modules.keys() & {{"torch", "skorch"}}:
        print(name)
        break
"""
    assert run_python(code.format(names=WITHOUT_TORCH)) == ""


def test_the_package_loads_no_torch_before_it_is_used():
    assert not loaded_by("import sklearn_rnn") & {"torch", "skorch", "matplotlib"}


def test_names_can_be_first_used_from_many_threads():
    code = """
import threading
import sklearn_rnn

names = [*sklearn_rnn.__all__, "metrics", "display", "conformance", "datasets"]
barrier, failed = threading.Barrier(len(names)), []

def use(name):
    barrier.wait()
    try:
        getattr(sklearn_rnn, name)
    except BaseException as error:
        failed.append((name, repr(error)))

threads = [threading.Thread(target=use, args=(name,)) for name in names]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(failed)
"""
    assert run_python(code).strip() == "[]"


def test_an_error_inside_a_subpackage_is_not_taken_for_a_missing_name(monkeypatch):
    def fail(name):
        raise AttributeError("broken inside")

    monkeypatch.setattr(sklearn_rnn, "import_module", fail)
    monkeypatch.delitem(vars(sklearn_rnn), "energy", raising=False)
    with pytest.raises(ImportError, match=r"energy cannot be imported: broken inside"):
        sklearn_rnn.energy


def test_estimators_load_no_optional_library():
    loaded = loaded_by(
        "import sklearn_rnn as s\nfor name in s.__all__: getattr(s, name)"
    )
    assert {"torch", "skorch"} <= loaded
    assert not loaded & {"matplotlib", "onnx", "onnxscript", "polars", "sacrebleu"}


def test_public_names_and_subpackages_are_attributes():
    code = (
        "import sklearn_rnn\n"
        "listed = dir(sklearn_rnn)\n"
        "sklearn_rnn.datasets.load_letters\n"
        "print(listed)"
    )
    listed = set(ast.literal_eval(run_python(code)))
    folders = {path.parent.name for path in PACKAGE.glob("[a-z]*/__init__.py")}
    assert folders | set(sklearn_rnn.__all__) <= listed
    for name in folders | set(sklearn_rnn.__all__):
        assert getattr(sklearn_rnn, name) is not None
    with pytest.raises(AttributeError, match="'sklearn_rnn' has no attribute 'nets'"):
        sklearn_rnn.nets


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


# -------------------------------------------------------------------------- tests

# Modules without behavior of their own need no tests of their own.
WITHOUT_Behavior = (
    "_core/sklearn_private.py",  # passes on names of scikit-learn
    "_training/descriptions.py",  # texts, which test_parameters.py checks
)

# Test modules that belong to no single module.
OF_NO_MODULE = (
    "_nn/cells/test_new_cell.py",  # adds a cell to all networks
)

# Folders of tests that mirror no subpackage: those of other libraries, which
# make test-clients runs in environments that have them.
OF_OTHER_LIBRARIES = ("clients",)


def expected_test_modules(package):
    """Return the relative paths of the test modules that a package should have."""
    return {
        path.relative_to(package).with_name(f"test_{path.stem.lstrip('_')}.py")
        for path in package.rglob("*.py")
        if path.stem not in ("__init__", "_version")
        and path.relative_to(package).as_posix() not in WITHOUT_Behavior
    }


def existing_test_modules(tests):
    """Return the relative paths of the existing test modules of subpackages."""
    paths = {path.relative_to(tests) for path in tests.rglob("test_*.py")}
    return {
        path
        for path in paths
        if len(path.parts) > 1
        and path.parts[0] not in OF_OTHER_LIBRARIES
        and path.as_posix() not in OF_NO_MODULE
    }


def test_every_module_with_behavior_has_a_test_module():
    missing = expected_test_modules(PACKAGE) - existing_test_modules(TESTS)
    assert sorted(map(str, missing)) == []


def test_every_test_module_in_a_mirrored_folder_has_a_module():
    orphaned = existing_test_modules(TESTS) - expected_test_modules(PACKAGE)
    assert sorted(map(str, orphaned)) == []


def test_exceptions_from_the_mirror_exist():
    assert [name for name in WITHOUT_Behavior if not (PACKAGE / name).exists()] == []
    assert [name for name in OF_NO_MODULE if not (TESTS / name).exists()] == []


def test_every_client_has_a_test_module_and_pins():
    for folder in OF_OTHER_LIBRARIES:
        tests = {path.stem for path in (TESTS / folder).glob("test_*.py")}
        pins = {path.stem for path in (TESTS / folder / "requirements").glob("*.txt")}
        assert tests == {f"test_{name}" for name in pins} != set()


def test_gaps_in_the_mirror_are_found(tmp_path):
    package, tests = tmp_path / "package", tmp_path / "tests"
    for file in (
        *("package/__init__.py", "package/_version.py", "package/a/_one.py"),
        *("package/_b/two.py", "package/_b/c/three.py", "tests/test_all.py"),
        *("tests/a/test_one.py", "tests/a/conftest.py", "tests/_b/test_three.py"),
    ):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    expected, existing = expected_test_modules(package), existing_test_modules(tests)
    assert expected - existing == {Path("_b/test_two.py"), Path("_b/c/test_three.py")}
    assert existing - expected == {Path("_b/test_three.py")}


# ------------------------------------------------------------------------- length


def lines_of_code(source, node):
    """Count the lines of a module, class or function without blanks and docstrings.

    The signature of ``__init__`` is left out too, because scikit-learn needs every
    parameter in it.
    """
    left_out = set()
    for part in ast.walk(node):
        if isinstance(part, ast.FunctionDef) and part.name == "__init__":
            left_out |= set(range(part.lineno, part.body[0].lineno))
        if isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant):
            if isinstance(part.value.value, str):
                left_out |= set(range(part.lineno, part.end_lineno + 1))
    lines = source.splitlines()
    first, last = getattr(node, "lineno", 1), getattr(node, "end_lineno", len(lines))
    return sum(
        bool(lines[number - 1].strip()) and number not in left_out
        for number in range(first, last + 1)
    )


def long_parts(source):
    """Return the too long parts of a module, as (name, lines of code)."""
    tree = ast.parse(source)
    found = [("module", lines_of_code(source, tree), 400)]
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            found.append((node.name, lines_of_code(source, node), 300))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            longest = 40 if node.name == "fit" else 60
            found.append((node.name, lines_of_code(source, node), longest))
    return [(name, lines) for name, lines, longest in found if lines > longest]


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_modules_classes_and_functions_are_short(path):
    assert long_parts(path.read_text("utf-8")) == []


def test_what_is_too_long_is_found():
    body = "\n".join(f"        self.a = {k}" for k in range(59))
    source = f'''
class A:
    """Two
    lines."""

    def __init__(self, a, b=(
        1,
    )):
        self.a = a

    def f(self):
        """Documented."""
{body}
'''
    assert lines_of_code(source, ast.parse(source)) == 1 + 1 + 1 + 59
    assert long_parts(source) == []
    assert long_parts(source + "        return [\n        ]\n") == [("f", 62)]
