"""Explained steps equal the states that networks compute."""

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from small_networks import UsersGRU

from sklearn_rnn import (
    CharVectorizer,
    RNNClassifier,
    RNNForecaster,
    RNNRegressor,
    SequenceGenerator,
    SequenceTranslator,
    StepwiseTransformer,
)
from sklearn_rnn.inspection import explain_step

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 7, 2))
Y = X[:, 0, 0] > 0
WORDS = ["anna", "Otto"] * 6


def classifier(cell="gru", **params):
    return RNNClassifier(cell, 3, max_epochs=1, random_state=0, **params)


def states_of(explanation, layer=0):
    """States of a layer, those of the forward direction first."""
    states = explanation.frame["h_t"][layer]
    directions = states.index.unique("direction").sort_values(ascending=False)
    return np.concatenate([states[direction] for direction in directions])


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_states_of_all_directions_and_layers(cell, precision):
    model = classifier(cell, precision=precision, num_layers=2, bidirectional=True)
    model.fit(X, Y)
    expected = model.transform_sequences(X[:1])[0]
    for t in (0, 3, -1):
        explanation = explain_step(model, X[0], t)
        found = states_of(explanation, layer=1)
        assert_allclose(found, expected[t], atol=1e-6, rtol=0)
        below = explanation.inputs[1, "forward"]
        assert_allclose(states_of(explanation), below, atol=1e-6, rtol=0)
    assert explanation.text.count("cell, layer 1, backward, step 6") == 1


def test_a_pipeline_and_its_standardized_input():
    model = make_pipeline(StepwiseTransformer(StandardScaler()), classifier("lstm"))
    model.fit(X, Y)
    explanation = explain_step(model, X[:1], 4)
    states = model[-1].transform_sequences(model[0].transform(X[:1]))[0, 4]
    assert_allclose(states_of(explanation), states, atol=1e-6, rtol=0)
    scaled = StandardScaler().fit_transform(X.reshape(-1, 2)).reshape(X.shape)
    assert_allclose(explanation.inputs[0, "forward"], scaled[0, 4], atol=1e-6)
    assert "(standardized input)" in str(explanation)
    assert explanation._repr_latex_().count(explanation.latex) == 1


def test_tables_and_patches():
    table = RNG.normal(size=(12, 8))
    model = classifier(patch_size=4, scaling=False).fit(table, Y)
    explanation = explain_step(model, table[0], 5)
    assert_allclose(explanation.inputs[0, "forward"], table[0, 4:])
    assert "(input, a patch of 4 steps)" in explanation.text
    states = model.transform_sequences(table[:1])[0, 1]
    assert_allclose(states_of(explanation), states, atol=1e-6, rtol=0)


@pytest.mark.parametrize("embedding", ["onehot", 2, "auto"])
def test_text(embedding):
    model = make_pipeline(CharVectorizer(), classifier("lstm", embedding=embedding))
    model.fit(WORDS, Y)
    explanation = explain_step(model, "Otto", 0)
    tokens = model[0].transform(["Otto"])
    states = model[-1].transform_sequences(tokens)[0][0]
    assert_allclose(states_of(explanation), states, atol=1e-6, rtol=0)
    kind = "one-hot vector" if embedding == "onehot" else "embedding vector"
    assert re.search(rf"{kind} of token 'O', code \d", explanation.text)


@pytest.mark.parametrize("tokens", ["text", "tokens", "codes"])
def test_generators_read_a_start_code_first(tokens):
    vectorizer = CharVectorizer()
    codes = vectorizer.fit_transform(WORDS)
    documents = {"text": WORDS, "tokens": [list(w) for w in WORDS], "codes": codes}
    model = SequenceGenerator(hidden_size=3, max_epochs=1, random_state=0)
    model.fit(documents[tokens])
    explanation = explain_step(model, documents[tokens][1], -1)
    states = model.transform(documents[tokens][1:2])[0]
    assert_allclose(states_of(explanation), states, atol=1e-6, rtol=0)
    assert "step 3\n" in explanation.text


@pytest.mark.parametrize("params", [{"differencing": 2}, {}])
def test_forecasters(params):
    series = np.sin(np.arange(80) / 3)
    model = RNNForecaster(hidden_size=3, max_epochs=1, intervals=None, **params)
    model.fit(series)
    stream = model.stream()
    for value in series[:20]:
        stream.predict(value)
    explanation = explain_step(model, series[:20])
    state = stream.state["hidden_0"][0]
    assert_allclose(states_of(explanation), state, atol=1e-6, rtol=0)


def test_the_first_steps_of_a_differenced_series_are_not_read():
    series = np.sin(np.arange(80) / 3)
    model = RNNForecaster(
        hidden_size=3, max_epochs=1, differencing=2, intervals=None
    ).fit(series)
    with pytest.raises(ValueError, match=r"first 2 steps .* got t=1"):
        explain_step(model, series, 1)


def test_units_layer_and_decimals_are_selected():
    model = RNNClassifier("rnn", 12, max_epochs=1, num_layers=2, random_state=0)
    model.fit(X, Y)
    explanation = explain_step(model, X[0], layer=-1, decimals=1)
    assert "units 0, 1, 2, 3, 4, 5, 6, 7 of 12" in explanation.text
    assert "x[t] has 12 numbers (states of layer 0)" in explanation.text
    assert len(explanation.frame) == 12
    last = explanation.text.splitlines()[-1]
    assert re.fullmatch(r" +=( ?\[?-?\d\.\d){8}\]", last)
    explanation = explain_step(model, X[0], layer=0, units=[-1, 2])
    assert "units 11, 2 of 12" in explanation.text


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"t": 7}, IndexError, "has 7 steps; there is no step t=7"),
        ({"t": 1.5}, TypeError, "t=1.5"),
        ({"layer": 1}, ValueError, "layer=1"),
        ({"units": [3]}, ValueError, r"units=\[3\]"),
        ({"units": 0}, ValueError, "units=0"),
        ({"decimals": -1}, ValueError, "decimals=-1"),
    ],
)
def test_what_does_not_exist_is_an_error(options, error, message):
    model = RNNRegressor("rnn", 3, max_epochs=1, random_state=0).fit(X, X[:, 0, 0])
    with pytest.raises(error, match=message):
        explain_step(model, X[0], **options)


def test_models_without_a_built_in_cell_are_refused():
    model = RNNClassifier(UsersGRU, 3, max_epochs=1, random_state=0).fit(X, Y)
    with pytest.raises(TypeError, match="equations are not known"):
        explain_step(model, X[0])
    translator = SequenceTranslator(hidden_size=2, max_epochs=1, random_state=0)
    with pytest.raises(TypeError, match="SequenceTranslator has no streams"):
        explain_step(translator.fit(WORDS, WORDS), "anna")
