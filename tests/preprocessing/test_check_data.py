"""check_data: each finding, and no finding for good data."""

import numpy as np
import pandas as pd
import pytest

from sklearn_rnn import CharVectorizer, RNNClassifier, check_data
from sklearn_rnn.datasets import load_names


@pytest.fixture
def X(rng):
    return rng.normal(size=(40, 10, 2))


Y = np.arange(40) % 2


def find(X, y=None):
    """Return severity and message of each finding, by topic."""
    report = check_data(X, y)
    assert {f.severity for f in report.findings} <= {"error", "warning", "note"}
    return {f.topic: f"{f.severity}: {f.message}" for f in report.findings}


def test_good_data_have_no_findings(X):
    report = check_data(X, Y)
    assert report.findings == []
    assert (
        str(report)
        == repr(report)
        == ("40 sequences of 10 steps, 2 feature(s) per step\nnothing suspicious found")
    )
    ragged = [x[: 3 + i % 8] for i, x in enumerate(X)]
    assert "3 to 10 steps" in str(check_data(ragged, Y.astype(str)))
    assert check_data(ragged, X[:, 0, 0]).findings == []


def test_tokens_of_names_have_no_findings():
    names = load_names()
    tokens = CharVectorizer().fit_transform(names.data[:200])
    report = check_data(tokens)
    assert "codes of a vocabulary of" in report.summary
    assert {f.topic for f in report.findings} <= {"duplicates"}


@pytest.mark.parametrize(
    "bad",
    [
        [[1.0, np.nan], [1.0, 2.0]],
        ["text", "more"],
        [np.ones((0, 2)), np.ones((2, 2))],
        pd.DataFrame({"when": pd.date_range("2020-01-01", periods=3)}),
        np.ones(3),
        None,
        3,
        {"a": 1},
        [[[1.0], [1.0, 2.0]], [[1.0]]],
        [None, None],
        [],
        "book.txt",
    ],
)
def test_x_that_fit_rejects_is_an_error_with_the_same_message(bad):
    with pytest.raises((TypeError, ValueError, AttributeError)) as caught:
        RNNClassifier().fit(bad, [0, 1, 0])
    report = check_data(bad, [0, 1, 0])
    assert report.findings[0].severity == "error"
    assert report.findings[0].message == str(caught.value)


MIXED = np.array([*"ab" * 19, 1, 2], dtype=object)


@pytest.mark.parametrize(
    "y", [Y[:3], [None] * 40, np.full(40, np.nan), MIXED, np.zeros(40)]
)
def test_y_that_fit_rejects_is_an_error_with_the_same_message(X, y):
    with pytest.raises((TypeError, ValueError)) as caught:
        RNNClassifier().fit(X, y)
    (finding,) = check_data(X, y).findings
    assert finding.severity == "error" and finding.topic == "y"
    assert finding.message[:20] in (str(caught.value)[:20], "y has only the class")


def test_labels_of_steps(X):
    ragged = [np.arange(3 + i % 8) % 2 for i in range(40)]
    assert "return_sequences=True" in find(X, ragged)["y"]
    assert "return_sequences=True" in find(X, X[:, :, 0])["y"]
    assert "return_sequences=True" in find(X, (X[:, :, 0] > 0).astype(int))["y"]
    assert "y.argmax" in find(X, np.eye(2)[Y])["y"]


def test_imbalanced_classes(X):
    message = find(X, np.arange(40) < 3)["classes"]
    assert 'Set class_weight="balanced"' in message
    assert "class False has 37 sequences, class True only 3." in message


def test_integers_that_look_like_codes(rng):
    codes = rng.integers(4, 30, size=(50, 12))
    assert "RNNClassifier(embedding=16)" in find(codes)["codes"]
    assert "codes" in find(list(codes.astype(float)))
    gradual = np.abs(rng.integers(-1, 2, size=(50, 12)).cumsum(axis=1)) + 20
    assert "codes" not in find(gradual)
    assert "codes" not in find(rng.integers(0, 2, size=(50, 12)))


def test_channels_first(rng):
    series = rng.normal(size=(30, 3, 50)).cumsum(axis=2)
    assert "X.transpose(0, 2, 1)" in find(series)["channels first"]
    assert "X.transpose(0, 2, 1)" in find(list(series))["channels first"]
    assert "channels first" not in find(series.transpose(0, 2, 1))
    ragged = [x[:, : 20 + i] for i, x in enumerate(series)]
    found = find(ragged)
    assert "error" in found["X"] and "[x.T for x in X]" in found["channels first"]


def test_scales(X, rng):
    message = find(X * [1, 8] + [0, 1013])["scale"]
    assert "feature 1: mean 1.01e+03, standard deviation" in message
    assert "StepwiseTransformer(StandardScaler())" in message
    heavy = X.copy()
    heavy[0, 0, 0] = 1e6
    assert "QuantileTransformer" in find(heavy)["heavy tails"]
    own = X * 10.0 ** rng.uniform(-3, 3, size=(40, 1, 1))
    assert "SeriesScaler(add_statistics=True)" in find(own)["own scales"]
    resting = X.copy()
    resting[:20] = 0  # constant sequences have no scale
    assert "own scales" not in find(resting / 100)
    level = X + 100 * rng.normal(size=(40, 1, 1))
    assert "own scales" in find(level)


def test_constant_features_and_duplicates(X):
    X = X * [1, 0]
    X[5] = X[3]
    found = find(X)
    assert "1 of 2 features never change (1)" in found["constant features"]
    assert "1 of 40 sequences repeat an earlier one (3 and 5)" in found["duplicates"]


def test_lengths(rng):
    ragged = [rng.normal(size=n) for n in [5] * 20 + [200]]
    assert "Truncate long sequences" in find(ragged)["lengths"]
    assert "pass [X]" in find(rng.normal(size=(30, 1)))["lengths"]
    assert "over this many steps" in find(rng.normal(size=(3, 2000)))["lengths"]


def test_unknown_tokens():
    vectorizer = CharVectorizer().fit(["abc"])
    found = find(vectorizer.transform(["abxyz", "zzza"]))
    assert "of the tokens are unknown" in found["unknown tokens"]


def test_warnings_of_reading_are_findings():
    X = np.array([[2**60, 2**60 + 1], [3, 2**60 + 2]])
    assert "integers that float64 rounds" in find(X)["X"]


def test_huge_values_cause_no_numpy_warnings(rng):
    for X in (np.full((3, 2, 1), 1e308), 1e300 * rng.normal(size=(5, 9, 2))):
        assert str(check_data(X))
