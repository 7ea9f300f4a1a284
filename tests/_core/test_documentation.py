"""HTML representations link to the documentation and summarize the fit."""

import html
import re

import numpy as np
import pytest
from numpydoc.docscrape import NumpyDocString
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_html_repr

import sklearn_rnn
from sklearn_rnn import (
    BoltzmannMachine,
    CharVectorizer,
    RNNClassifier,
    SequenceGenerator,
    SequenceTranslator,
)
from sklearn_rnn._core.documentation import ENVIRONMENT_VARIABLE, DocumentedEstimator

X = np.random.default_rng(0).normal(size=(20, 6))
Y = np.where(X.sum(axis=1) > 0, "<b>up</b>", "down")
ESTIMATORS = sorted(
    name
    for name in sklearn_rnn.__all__
    if hasattr(getattr(sklearn_rnn, name), "get_params")
)


def read_body(estimator):
    """The HTML without style and script."""
    shown = estimator_html_repr(estimator)
    return re.sub(r"(?s)<(style|script)>.*?</\1>", "", shown)


def read_summary(estimator):
    """Names and values of the table of fitted attributes, without tooltips."""
    table = read_body(estimator).partition("Fitted attributes")[2]
    table = re.sub(r"(?s)<span.*?</span>", "", table)
    cells = re.findall(r"(?s)<td[^>]*>(.*?)</td>", table)
    cells = [html.unescape(re.sub("<[^>]*>", "", cell)).strip() for cell in cells]
    return dict(zip(cells[::3], cells[2::3], strict=False))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_estimators_link_to_their_page(name):
    kind = getattr(sklearn_rnn, name)
    assert issubclass(kind, DocumentedEstimator)
    parameters = [p.name for p in NumpyDocString(kind.__doc__)["Parameters"]]
    model = kind(*["x"] * (name == "StepwiseTransformer"))
    assert model._get_doc_link() == f"../../generated/sklearn_rnn.{name}.html"
    body = read_body(model)
    assert f'href="../../generated/sklearn_rnn.{name}.html"' in body
    assert body.count("param-doc-description") == len(parameters)


def test_the_environment_names_another_place(monkeypatch):
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, "https://docs.example/dev/")
    link = RNNClassifier()._get_doc_link()
    assert link == "https://docs.example/dev/generated/sklearn_rnn.RNNClassifier.html"
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, '"><script>alert(1)</script>')
    assert "<script>" not in read_body(RNNClassifier())


def test_subclasses_of_users_have_no_page():
    mine = type("Mine", (RNNClassifier,), {"__module__": "mine"})
    assert mine()._get_doc_link() == ""


def test_fitted_networks_are_summarized():
    model = RNNClassifier(
        "lstm", 4, num_layers=2, max_epochs=2, early_stopping=True, random_state=0
    )
    assert "Fitted attributes" not in read_body(model)
    summary = read_summary(model.fit(X, Y))
    n_weights = sum(weights.numel() for weights in model.module_.parameters())
    kept = model.best_epoch_
    expected = {
        "cell": "lstm",
        "layers": "2 with 4 units each",
        "weights": str(n_weights),
        "epochs": f"2, kept epoch {kept}",
        "training loss": f"{model.loss_curve_[kept - 1]:.4g}",
        "validation loss": f"{min(model.validation_loss_curve_):.4g}",
        "device": "cpu, float64",
    }
    assert list(summary)[: len(expected)] == list(expected)
    assert expected.items() <= summary.items()
    assert "<b>up</b>" in summary["classes_"]
    assert "<b>up" not in read_body(make_pipeline(model))


def test_the_vocabulary_is_counted_and_text_is_escaped():
    text = ["<i>a", "b</i>"] * 4
    model = SequenceGenerator(
        CharVectorizer(lowercase=False), hidden_size=3, max_epochs=1, random_state=0
    ).fit(text)
    assert read_summary(model)["vocabulary"] == f"{model.vocabulary_size_} codes"
    words = CharVectorizer(preprocessor=str, vocabulary=["<i>", "a"]).fit(text)
    for estimator in (model, words):
        assert "<i>" not in read_body(estimator)


def test_the_summary_of_a_translator_names_both_vocabularies():
    model = SequenceTranslator(hidden_size=3, max_epochs=1, random_state=0)
    summary = read_summary(model.fit(["abc", "b"] * 3, ["x", "xx"] * 3))
    assert summary["layers"] == "1 with 3 units, bidirectional"
    assert summary["source vocabulary"] == "7 codes"
    assert summary["target vocabulary"] == "5 codes"


@pytest.mark.parametrize(
    "network",
    [
        RNNClassifier("gru", 2, max_epochs=1, random_state=0),
        make_pipeline(
            BoltzmannMachine(2, max_epochs=1),
            RNNClassifier("gru", 2, max_epochs=1, random_state=0),
        ),
    ],
    ids=["network", "pipeline"],
)
def test_unfitted_estimators_of_fitted_ensembles_are_shown(network):
    up = X.sum(axis=1) > 0
    search = GridSearchCV(network, {}, cv=2, refit=False)
    for ensemble in (OneVsRestClassifier(network), search):
        body = read_body(ensemble.fit(X, up))
        assert "generated/sklearn_rnn.RNNClassifier.html" in body
        assert "training loss" not in body


def test_long_values_are_shortened():
    def cell(input_size, hidden_size):
        raise NotImplementedError

    model = RNNClassifier("gru", 3, max_epochs=1, random_state=0).fit(X, Y)
    model._fixed_on_warm_start = model._fixed_on_warm_start | {"cell": cell}
    assert len(read_summary(model)["cell"]) <= 30


def test_the_representation_estimates_no_partition_function():
    machine = BoltzmannMachine(22, max_epochs=1, random_state=0)
    machine.fit(np.random.default_rng(0).random((20, 30)) > 0.5)
    summary = read_summary(machine)
    assert summary["units"] == "30 visible, 22 hidden"
    assert summary["weights"] == "660"
    assert summary["training loss"] == f"{machine.loss_curve_[-1]:.4g}"
    assert "log_partition_" not in summary
    assert "estimate" not in vars(machine._log_partition)
    small = BoltzmannMachine(2, connections="full", max_epochs=1, random_state=0)
    small.fit(X > 0)
    assert read_summary(small)["weights"] == str(8 * 7 // 2)
    small.score(X > 0)
    assert float(read_summary(small)["log_partition_"]) == pytest.approx(
        small.log_partition_, rel=1e-3
    )
