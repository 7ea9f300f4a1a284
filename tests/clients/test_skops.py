"""skops: models saved without pickle, whose types are inspected before loading."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.pipeline import make_pipeline
from skops import io

from sklearn_rnn import (
    BoltzmannMachine,
    CharVectorizer,
    HopfieldDenoiser,
    RNNClassifier,
    RNNRegressor,
)

# Any other type in a file is a reason not to load it.
TRUSTED_MODULES = ("numpy", "sklearn_rnn")


def load_trusted(data):
    unknown = io.get_untrusted_types(data=data)
    for name in unknown:
        assert name.split(".")[0] in TRUSTED_MODULES, name
    return io.loads(data, trusted=unknown)


@pytest.mark.parametrize("Model", [RNNClassifier, RNNRegressor])
@pytest.mark.parametrize("container", ["ragged", "table"])
def test_networks_are_saved_and_loaded(Model, container, request, y):
    X = request.getfixturevalue(container)
    model = Model(hidden_size=8, max_epochs=3, random_state=0).fit(X, 1.0 * y)
    again = load_trusted(io.dumps(model))
    assert_array_equal(again.predict(X), model.predict(X))


def test_a_pipeline_of_texts_is_saved_and_loaded(texts, y):
    model = make_pipeline(
        CharVectorizer(), RNNClassifier(hidden_size=8, max_epochs=3, random_state=0)
    ).fit(texts, y)
    again = load_trusted(io.dumps(model))
    assert_array_equal(again.predict_proba(texts), model.predict_proba(texts))


def test_energy_models_are_saved_and_loaded():
    X = np.sign(np.random.default_rng(0).normal(size=(6, 40)))
    model = HopfieldDenoiser().fit(X)
    again = load_trusted(io.dumps(model))
    assert_array_equal(again.predict(X), model.predict(X))
    machine = BoltzmannMachine(n_hidden=3, random_state=0).fit(X > 0)
    again = load_trusted(io.dumps(machine))
    assert_array_equal(again.score_samples(X > 0), machine.score_samples(X > 0))


def test_the_guide(run_guide):
    assert run_guide("skops") == ["True", "True"]
