"""Shared parameters: signatures and docstrings agree with their source."""

import inspect
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import sklearn_rnn
from sklearn_rnn._training.descriptions import DESCRIPTIONS
from sklearn_rnn._training.parameters import (
    CELLS,
    FORECASTER,
    LOSSES,
    NETWORKS,
    OPTIMIZERS,
    OVERRIDES,
    SHARED,
    constraints_of,
    parameters_of,
)

PACKAGE = Path(sklearn_rnn.__file__).parent
TOOL = PACKAGE.parent / "tools" / "sync_parameters.py"
SOURCE = Path("_training") / "parameters.py"
DESCRIBED = Path("_training") / "descriptions.py"


def signature(name):
    return inspect.signature(getattr(sklearn_rnn, name)).parameters


# ------------------------------------------------------------------------- source


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_has_the_parameters_that_the_source_gives_it(name):
    shared = parameters_of(name)
    own = {"scaling"} if name == FORECASTER else set()  # it has other options
    assert shared.keys() == signature(name).keys() & SHARED.keys() - own
    for parameter, given in shared.items():
        assert signature(name)[parameter].default == given.default, parameter


def test_what_networks_share_is_in_the_source():
    users = Counter(parameter for name in NETWORKS for parameter in signature(name))
    assert {parameter for parameter, n in users.items() if n > 1} <= SHARED.keys()


@pytest.mark.parametrize("name", NETWORKS)
def test_scikit_learn_checks_the_constraints_of_the_source(name):
    cls = getattr(sklearn_rnn, name)
    assert cls._parameter_constraints.keys() == signature(name).keys()
    for parameter, constraint in constraints_of(name).items():
        assert cls._parameter_constraints[parameter] == constraint
    cls()._validate_params()


@pytest.mark.parametrize("name", NETWORKS)
def test_descriptions_are_sentences_without_placeholders(name):
    for parameter, given in parameters_of(name).items():
        assert not set("{}\n") & set(given.description), parameter
        assert given.description[0].isupper() and given.description[-1] == "."


def test_words_fit_the_network():
    text = {
        name: " ".join(p.description for p in parameters_of(name).values())
        for name in NETWORKS
    }
    assert "direction" in text["RNNClassifier"]
    assert "direction" not in text[FORECASTER] + text["SequenceGenerator"]
    assert "embedded codes" not in text[FORECASTER]
    assert "stratified by class" in text["RNNClassifier"]
    assert "stratified by class" not in text["RNNRegressor"]
    assert "training pairs" in text["SequenceTranslator"]


def test_every_parameter_is_described_and_overrides_replace_something():
    assert DESCRIPTIONS.keys() == SHARED.keys()
    for name, changes in OVERRIDES.items():
        for parameter, fields in changes.items():
            assert name in SHARED[parameter].estimators
            for field, value in fields.items():
                assert getattr(SHARED[parameter], field) != value, (name, parameter)


def test_options_are_those_that_exist():
    for name in CELLS:
        assert f'"{name}"' in SHARED["cell"].type
        assert SHARED["cell"].constraint[0].is_satisfied_by(name)
    for name in OPTIMIZERS:
        assert f'"{name}"' in SHARED["optimizer"].type
        assert SHARED["optimizer"].constraint[0].is_satisfied_by(name)


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_can_be_trained(loss):
    X = np.sin(np.arange(60.0)).reshape(6, 10)
    forecaster = sklearn_rnn.RNNForecaster(window=3, intervals=None, baseline=None)
    for model in (sklearn_rnn.RNNRegressor(), forecaster):
        model.set_params(hidden_size=2, max_epochs=1, loss=loss)
        given = (X, X[:, 0]) if "pooling" in model.get_params() else (X[0],)
        assert np.isfinite(model.fit(*given).loss_curve_).all()


# ------------------------------------------------------------------------- tool


@pytest.fixture
def copy(tmp_path):
    package = tmp_path / "sklearn_rnn"
    ignored = shutil.ignore_patterns("data", "__pycache__")
    return Path(shutil.copytree(PACKAGE, package, ignore=ignored))


def sync(package, *options):
    return subprocess.run(
        [sys.executable, TOOL, *options, package],
        **{"capture_output": True, "text": True, "check": "--check" not in options},
    )


def texts(package):
    return {
        path.relative_to(package): path.read_text("utf-8")
        for path in package.rglob("*.py")
    }


def replace_once(path, old, new):
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")


def test_what_is_out_of_step_is_shown_and_restored(copy):
    intact = texts(copy)
    edits = {  # a default, an assignment and a description
        "supervised/_classifier.py": ("        tol=0.0001,\n", "        tol=0.5,\n"),
        "generation/_generator.py": ("        self.average = average\n", ""),
        "forecasting/_forecaster.py": ("Initial learning rate.", "Of the optimizer."),
    }
    for file, (old, new) in edits.items():
        replace_once(copy / file, old, new)
    edited = texts(copy)
    run = sync(copy, "--check")
    assert run.returncode == 1
    for line in ("-        tol=0.5,", "+        self.average = average"):
        assert line in run.stdout
    assert "-        Of the optimizer. Larger values" in run.stdout
    assert texts(copy) == edited
    sync(copy)
    assert texts(copy) == intact


USE = """
import inspect
import sklearn_rnn
from numpydoc.docscrape import ClassDoc

for name in {networks}:
    cls = getattr(sklearn_rnn, name)
    ridge = inspect.signature(cls).parameters["ridge"]
    assert ridge.kind is ridge.KEYWORD_ONLY
    assert ridge.default == cls().ridge == 0.5
    assert cls(ridge=2).ridge == 2
    documented = ClassDoc(cls)["Parameters"]
    assert [p.name for p in documented] == list(inspect.signature(cls).parameters)
    (entry,) = [p for p in documented if p.name == "ridge"]
    assert entry.type == "float, default=0.5"
    assert entry.desc == ["Strength of the ridge."]
    try:
        cls(ridge=-1).fit([[0.0], [1.0]], [0, 1])
    except ValueError as error:
        assert "The 'ridge' parameter" in str(error), error
    else:
        raise AssertionError(f"{{name}} accepts ridge=-1")
print(sklearn_rnn.__file__)
"""


@pytest.mark.slow
def test_a_new_shared_parameter_is_written_once(copy):
    intact = texts(copy)
    entry = '    "ridge": Parameter("float", 0.5, [NOT_NEGATIVE]),\n'
    after_cell = '    "hidden_size": Parameter('
    replace_once(copy / SOURCE, after_cell, entry + after_cell)
    description = '    "ridge": "Strength of the ridge.",\n'
    after_cell = '    "hidden_size": """'
    replace_once(copy / DESCRIBED, after_cell, description + after_cell)
    sync(copy)
    run = subprocess.run(
        [sys.executable, "-c", USE.format(networks=NETWORKS)],
        cwd=copy.parent,
        capture_output=True,
        text=True,
    )
    assert run.stdout.strip() == str(copy / "__init__.py"), run.stderr
    written = texts(copy)
    sync(copy)
    assert texts(copy) == written
    changed = [path for path in written if written[path] != intact[path]]
    assert len(changed) == 2 + len(NETWORKS)
    for path in set(changed) - {SOURCE, DESCRIBED}:
        # one line in two places, and two lines of the docstring
        added = set(written[path].split("\n")) - set(intact[path].split("\n"))
        assert len(added) == 4
        assert len(written[path].split("\n")) == len(intact[path].split("\n")) + 4
