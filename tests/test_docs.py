"""Docstrings are complete and consistent; the code in README and docs runs."""

import inspect
import pydoc
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib import pyplot as plt
from numpydoc.docscrape import ClassDoc, NumpyDocString
from numpydoc.validate import validate
from page_code import FIGURES, PAGES, find_figures, run_blocks

import sklearn_rnn
from sklearn_rnn import (
    BoltzmannMachine,
    HopfieldDenoiser,
    RNNClassifier,
    RNNForecaster,
    RNNRegressor,
    SeasonalNaiveForecaster,
    SequenceGenerator,
    SequenceTranslator,
    conformance,
    datasets,
    display,
    energy,
    forecasting,
    generation,
    inspection,
    metrics,
    model_selection,
)

ROOT = Path(__file__).parents[1]
PACKAGES = (
    *(conformance, datasets, display, energy, forecasting),
    *(generation, inspection, metrics, model_selection),
)
PUBLIC = [
    *(f"sklearn_rnn.{name}" for name in sklearn_rnn.__all__ if name[0] != "_"),
    *(
        f"{room.__name__}.{name}"
        for room in PACKAGES
        for name in room.__all__
        if name not in sklearn_rnn.__all__
    ),
]
CLASSES = [name for name in PUBLIC if name.rpartition(".")[2][0].isupper()]

# numpydoc codes for missing or wrong content, not for style
CODES = {
    *("GL03", "GL06", "GL07", "GL08", "SS01", "SS02", "SS03", "SS04"),
    *("PR01", "PR02", "PR03", "PR04", "PR05", "PR07", "PR08", "PR10"),
    *("RT01", "RT03", "YD01"),
}


def public_methods():
    own = ("fit", "transform", "predict", "partial", "inverse", "to_", "get_feature")
    own += ("recall", "sample", "energy", "free_energy", "score", "plot", "update")
    own += ("backtest",)
    for name in CLASSES:
        cls = pydoc.locate(name)
        for method, function in inspect.getmembers(cls, inspect.isfunction):
            if method.startswith(own) and "sklearn_rnn" in function.__module__:
                yield f"{name}.{method}"


@pytest.mark.parametrize("name", [*PUBLIC, *public_methods()])
def test_docstring_is_complete(name):
    errors = [(code, text) for code, text in validate(name)["errors"] if code in CODES]
    assert errors == []


def parameters_of(cls):
    return {p.name: (p.type, p.desc) for p in ClassDoc(cls)["Parameters"]}


def test_shared_parameters_are_in_step_with_their_source():
    tool = ROOT / "tools" / "sync_parameters.py"
    run = subprocess.run([sys.executable, tool, "--check"], capture_output=True)
    assert run.returncode == 0, run.stdout.decode() + run.stderr.decode()


@pytest.mark.parametrize(
    "cls",
    [
        RNNClassifier,
        RNNForecaster,
        RNNRegressor,
        SeasonalNaiveForecaster,
        SequenceGenerator,
        SequenceTranslator,
        HopfieldDenoiser,
        BoltzmannMachine,
    ],
)
def test_documented_defaults_are_the_defaults(cls):
    for name, parameter in inspect.signature(cls).parameters.items():
        documented = parameters_of(cls)[name][0].rpartition("default=")[2]
        assert eval(documented) == parameter.default, name
    assert list(parameters_of(cls)) == list(inspect.signature(cls).parameters)


# as many patterns as units
@pytest.mark.filterwarnings("ignore::sklearn_rnn.energy.CapacityWarning")
@pytest.mark.parametrize(
    ("model", "missing"),
    [
        (RNNClassifier(max_epochs=1), {"module_"}),
        (RNNRegressor(max_epochs=1), {"module_"}),
        (HopfieldDenoiser("pseudo_inverse"), set()),
        (
            BoltzmannMachine(connections="full", early_stopping=True),
            {"scale_"},
        ),
        (
            BoltzmannMachine(visible="gaussian"),
            {"visible_weights_", "hidden_weights_", "free_energy_gap_"},
        ),
    ],
    ids=lambda value: repr(value) if hasattr(value, "fit") else "",
)
def test_fitted_attributes_are_those_documented(model, missing):
    model.fit(np.eye(4), [0, 1, 0, 1])
    cls = type(model)
    documented = {a.name for a in NumpyDocString(inspect.getdoc(cls))["Attributes"]}
    fitted = {name for name in vars(model) if name.endswith("_") and name[0] != "_"}
    assert fitted <= documented
    absent = {name for name in documented if not hasattr(model, name)}
    assert absent <= {"feature_names_in_"} | missing


DOCUMENTS = [ROOT / "README.md", *PAGES]


FLOAT = r"-?\d+\.\d+"


def assert_same_output(printed, shown):
    """The same words, and the same numbers but for what another machine may change."""
    words = [re.sub(FLOAT, "#", text).split() for text in (printed, shown)]
    assert words[0] == words[1], printed
    numbers = [np.float64(re.findall(FLOAT, text)) for text in (printed, shown)]
    np.testing.assert_allclose(*numbers, rtol=0, atol=0.05)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_code_blocks_print_and_draw_what_the_page_shows(path, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    n_figures = 0
    for printed, shown in run_blocks(path):
        if shown:
            assert_same_output(printed, shown)
        n_figures += len(plt.get_fignums())
        plt.close("all")
    names = [f"{path.stem}_{k + 1}.png" for k in range(n_figures)]
    assert find_figures(path) == names


def test_no_two_pages_draw_figures_of_the_same_name():
    names = [name for page in PAGES for name in find_figures(page)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_inside_lead_somewhere(path):
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text("utf-8")):
        if "://" in link or "$" in link:
            continue
        target, _, heading = link.partition("#")
        target = (path.parent / target).resolve() if target else path
        if "auto_examples" in target.parts:  # made from examples/
            parts = target.parts[target.parts.index("auto_examples") + 1 :]
            target = ROOT.joinpath("examples", *parts)
            if target.name == "index":
                target = target.with_name("GALLERY_HEADER.rst")
        if target.parent == FIGURES:  # drawn by the page
            continue
        found = [target, target.with_name(f"{target.name}.md")]
        found += [target.with_name(f"{target.name}.py")]
        found = [file for file in found if file.is_file()]
        assert found, link
        if heading:
            titles = re.findall(r"^#+ (.*)", found[0].read_text("utf-8"), re.M)
            assert heading in [re.sub(r"[^\w]+", "-", t.lower()) for t in titles], link


def test_every_public_name_is_in_the_api_reference():
    text = (ROOT / "docs" / "api.md").read_text("utf-8")
    assert re.findall(r"^\.\. currentmodule:: (.*)", text, re.M) == ["sklearn_rnn"]
    listed = re.findall(r"^   ([\w.]+)$", text, re.M)
    assert sorted(f"sklearn_rnn.{name}" for name in listed) == sorted(PUBLIC)


DOCS = ROOT / "docs"


def find_pages(page):
    """A page and all pages that its tables of contents lead to, at any depth."""
    yield page
    for toctree in re.findall(
        r"^```{toctree}(.*?)^```", page.read_text("utf-8"), re.S | re.M
    ):
        for entry in re.findall(r"^(?!:)(?:.*<)?([\w/.-]+)>?$", toctree, re.M):
            if "auto_examples" not in entry:  # made from examples/
                start = DOCS if entry.startswith("/") else page.parent
                path = (start / entry.lstrip("/")).resolve()
                yield from find_pages(path.with_name(f"{path.name}.md"))


def test_every_page_is_reached_from_the_index():
    reached = list(find_pages(DOCS / "index.md"))
    assert sorted(reached) == sorted(PAGES)


def test_titles_in_the_header_are_short():
    text = (DOCS / "index.md").read_text("utf-8")
    (toctree,) = re.findall(r"^```{toctree}(.*?)^```", text, re.S | re.M)
    titles = re.findall(r"^(?!:)(.+) <.*>$", toctree, re.M)
    assert len(titles) == len(re.findall(r"^[^:\n].*$", toctree, re.M))
    assert max(map(len, titles)) <= 15


GUIDES = [
    page for page in PAGES if page.parent.name == "guide" and page.stem != "index"
]


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_guide_pages_link_to_the_api_and_show_results(page):
    text = page.read_text("utf-8")
    assert re.search(r"{(class|func|meth)}`~?sklearn_rnn\.", text)
    assert "\n```text\n" in text or find_figures(page)


def test_every_public_name_is_in_the_changelog():
    text = (ROOT / "CHANGES.md").read_text("utf-8")
    missing = [name for name in PUBLIC if name.rpartition(".")[2] not in text]
    assert missing == []
