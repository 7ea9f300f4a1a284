"""Gates at all steps, and explanations of one sequence."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.pipeline import make_pipeline

from sklearn_rnn import CharVectorizer, RNNClassifier, RNNForecaster, SequenceGenerator
from sklearn_rnn.inspection import attribute, explain_step
from sklearn_rnn.inspection._gates import attribute_one, compute_gates

X = np.random.default_rng(0).normal(size=(12, 5, 2))
Y = X[:, 0, 0] > 0
TEXTS = ["anna", "otto"] * 6


def test_gates_are_those_of_each_step():
    model = RNNClassifier("lstm", 3, bidirectional=True, max_epochs=1, random_state=0)
    model.fit(X, Y)
    found = compute_gates(model, X[0], direction="backward")
    assert list(found.values) == ["i", "f", "g", "o", "c", "h"]
    assert found.labels is None
    for t in range(5):
        frame = explain_step(model, X[0], t).frame.loc[0, "backward"]
        for name, values in found.values.items():
            assert_allclose(values[t], frame[f"{name}_t"])
    assert found.find("cell") is found.values["c"]
    assert found.find("hidden") is found.values["h"]
    with pytest.raises(ValueError, match=r"no gate or state 'z'; this cell has \['i'"):
        found.find("z")


def test_a_start_code_is_left_out():
    model = SequenceGenerator(hidden_size=3, max_epochs=1, random_state=0).fit(TEXTS)
    found = compute_gates(model, "otto")
    assert found.labels == list("otto") and found.values["f"].shape == (4, 3)


def test_layers_and_directions_that_do_not_exist():
    model = RNNClassifier(hidden_size=3, max_epochs=1, random_state=0).fit(X, Y)
    with pytest.raises(ValueError, match="layer=1; expected an integer below 1"):
        compute_gates(model, X[0], layer=1)
    with pytest.raises(ValueError, match=r"expected one of \['forward'\]"):
        compute_gates(model, X[0], direction="backward")


def test_one_sequence_is_explained_in_any_container():
    model = RNNClassifier(hidden_size=3, max_epochs=1, random_state=0).fit(X, Y)
    expected = attribute(model, X[:1]).attributions[0]
    for sequence in (X[0], X[:1]):
        assert_allclose(attribute_one(model, sequence).attributions[0], expected)
    pipeline = make_pipeline(CharVectorizer(), model).fit(TEXTS, [0, 1] * 6)
    assert attribute_one(pipeline, "otto").tokens == [list("otto")]


def test_one_text_or_series_is_explained():
    model = SequenceGenerator(hidden_size=3, max_epochs=1, random_state=0).fit(TEXTS)
    for text in ("otto", ["otto"]):
        assert attribute_one(model, text).tokens == [list("otto")]
    series = np.sin(np.arange(60) / 3)
    forecaster = RNNForecaster(
        hidden_size=2, max_epochs=1, intervals=None, random_state=0
    ).fit(series)
    result = attribute_one(forecaster, series[:9], method="occlusion")
    assert result.attributions[0].shape == (9,)
