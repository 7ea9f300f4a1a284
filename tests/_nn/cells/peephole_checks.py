"""Estimators with the cell of peephole.py; test_new_cell.py runs these tests."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.utils._param_validation import InvalidParameterError

import sklearn_rnn
from sklearn_rnn import (
    CharVectorizer,
    RNNClassifier,
    RNNForecaster,
    RNNRegressor,
    SequenceGenerator,
    SequenceTranslator,
)

COMMON = {"cell": "peephole", "hidden_size": 5, "max_epochs": 2, "random_state": 0}


def test_the_copy_is_what_is_tested(request):
    assert sklearn_rnn.__file__.startswith(str(request.config.rootpath))


@pytest.mark.parametrize("num_layers", [1, 2])
def test_stepping_equals_reading(ragged, num_layers):
    model = RNNClassifier(**COMMON, num_layers=num_layers).fit(*ragged)
    x = ragged[0][0]
    stream = model.stream()
    for step in x:
        found = stream.predict_proba(step[None])
    assert_allclose(found, model.predict_proba([x]), rtol=1e-5)
    assert {"hidden_0", "cell_0"} <= stream.state.keys()


def test_both_directions_ignore_padding(ragged):
    X, y = ragged
    model = RNNClassifier(**COMMON, num_layers=2, bidirectional=True).fit(X, y)
    one_by_one = np.concatenate([model.predict_proba([x]) for x in X])
    assert_allclose(model.predict_proba(X), one_by_one, rtol=1e-5)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_it_learns():
    X = np.random.default_rng(0).normal(size=(100, 4, 1))
    y = X.sum(axis=(1, 2))
    model = RNNRegressor("peephole", 16, max_epochs=40, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9


@pytest.mark.parametrize("embedding", ["onehot", 3])
def test_a_generator_continues_text(names, embedding):
    model = SequenceGenerator(CharVectorizer(), embedding=embedding, **COMMON)
    model.fit(names[0])
    assert model.generate("ann", 1, temperature=0) == model.predict(["ann"])[0]
    assert np.isfinite(model.score(names[0]))


@pytest.mark.parametrize("cells", [{}, {"cell": "gru", "decoder_cell": "peephole"}])
def test_a_translator_reads_and_writes(names, cells):
    model = SequenceTranslator(**COMMON | {"num_layers": 2} | cells)
    model.fit(names[0], [name[::-1] for name in names[0]])
    assert model.predict(names[0]).shape == (len(names[0]),)


def test_a_forecaster_continues_a_series():
    series = np.sin(np.arange(60) / 5)
    model = RNNForecaster(**COMMON, window=10, horizon=3).fit(series)
    assert np.isfinite(model.predict(series)).all()


def test_an_unknown_cell_is_refused_with_the_names_of_all(ragged):
    with pytest.raises(InvalidParameterError, match="'peephole'"):
        RNNClassifier("peepholes").fit(*ragged)
