"""Models of all kinds predict and train the same after loading, as do earlier files."""

import pickle
import warnings

import numpy as np
import pytest
from saved_models import (
    BITS,
    FILES,
    LABELS,
    MODELS,
    PAIRS,
    PATTERNS,
    STEPS,
    TEXTS,
    TRUSTED,
    WAVE,
    list_answers,
)
from sklearn.base import clone
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.pipeline import Pipeline

from sklearn_rnn import RNNClassifier, RNNForecaster, SequenceGenerator, load, save
from sklearn_rnn.persistence._types import OWN_ESTIMATORS

FIXTURES = sorted(FILES.glob("*/*.skrnn"))


def load_fixture(file):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        return load(file, trusted=TRUSTED)


@pytest.fixture(scope="module")
def loaded():
    """The models of the files of the current version, which are loaded once."""
    return {file.stem: load_fixture(file) for file in FIXTURES}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("file", FIXTURES, ids=lambda f: f"{f.parent.name}-{f.stem}")
def test_files_of_this_and_earlier_versions_are_read(file):
    model = load_fixture(file)
    with np.load(file.with_suffix(".npz")) as arrays:
        expected = [arrays[str(k)] for k in range(len(arrays))]
    answers = list_answers(file.stem, model)
    assert len(answers) == len(expected)
    for found, array in zip(answers, expected, strict=True):
        if array.dtype.kind in "fc":
            np.testing.assert_allclose(found, array, rtol=1e-5, atol=1e-7)
        else:
            np.testing.assert_array_equal(found, array)


def test_every_model_and_every_estimator_has_a_file(loaded):
    assert loaded.keys() == MODELS.keys()
    models = list(loaded.values())
    for model in loaded.values():
        if isinstance(model, Pipeline):
            models += [step for _, step in model.steps]
    listed = {name for names in OWN_ESTIMATORS.values() for name in names}
    assert listed <= {type(model).__name__ for model in models}
    assert sum(file.stat().st_size for file in FIXTURES) < 300_000


@pytest.mark.parametrize("name", MODELS)
def test_a_loaded_model_is_saved_as_the_same_bytes(name, loaded, tmp_path):
    model, first, second = loaded[name], tmp_path / "first", tmp_path / "second"
    save(model, first)
    again = load(first, trusted=TRUSTED)
    save(again, second)
    assert first.read_bytes() == second.read_bytes()
    assert repr(again) == repr(model) == repr(clone(again))
    params, expected = again.get_params(deep=False), model.get_params(deep=False)
    assert repr(params) == repr(expected)


def same_bits(one, other):
    """Return whether two models consist of the same values."""
    return pickle.dumps(vars(one)) == pickle.dumps(vars(other))


CONTINUED = {
    "classifier": ("fit", STEPS, LABELS),
    "classifier-lstm": ("partial_fit", STEPS, [[0, 1], [1, 1], [1, 0]] * 4),
    "classifier-cell": ("partial_fit", STEPS, LABELS),
    "generator": ("partial_fit", TEXTS),
    "translator": ("fit", *PAIRS),
    "forecaster": ("partial_fit", WAVE[:57]),
    "boltzmann": ("partial_fit", BITS),
    "hopfield": ("partial_fit", PATTERNS, list("abc")),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CONTINUED)
def test_training_and_predictions_continue_with_the_same_bits(name, tmp_path):
    method, *data = CONTINUED[name]
    model = MODELS[name][0]()
    if method == "fit":
        model.set_params(warm_start=True)
    save(model, tmp_path / "model")
    again = load(tmp_path / "model", trusted=TRUSTED)
    for _ in range(2):
        for found, expected in zip(
            list_answers(name, again), list_answers(name, model), strict=True
        ):
            np.testing.assert_array_equal(found, expected)
        getattr(model, method)(*data)
        getattr(again, method)(*data)
    curves = [getattr(one, "loss_curve_", None) for one in (model, again)]
    assert curves[0] == curves[1]


def test_streams_continue_with_the_same_bits(loaded, tmp_path):
    stream = loaded["classifier"].stream()
    stream.predict(STEPS[0][:1])
    stream.save(tmp_path / "state")
    save(loaded["classifier"], tmp_path / "model")
    again = load(tmp_path / "model").stream().load(tmp_path / "state")
    expected = stream.predict_proba(STEPS[0][1:2])
    np.testing.assert_array_equal(again.predict_proba(STEPS[0][1:2]), expected)


def test_the_vectorizer_stays_shared(loaded):
    model = loaded["generator"]
    assert model._codec.vectorizer is model.vectorizer_
    assert model._codec.classes is model.classes_


def test_a_model_that_is_loaded_can_be_pickled(loaded):
    model = loaded["forecaster-table"]
    expected = model.predict()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(), expected)


def test_optimizers_of_torch_are_listed(tmp_path):
    import torch

    save(RNNClassifier(optimizer=torch.optim.NAdam), tmp_path / "model")
    assert load(tmp_path / "model").optimizer is torch.optim.NAdam


def test_models_of_other_precisions(tmp_path):
    for precision in ("float32", "float64", "bfloat16"):
        model = SequenceGenerator(
            hidden_size=2, max_epochs=1, window=8, precision=precision
        ).fit(TEXTS)
        save(model, tmp_path / precision)
        again = load(tmp_path / precision)
        np.testing.assert_array_equal(
            again.predict_proba(TEXTS[:2]), model.predict_proba(TEXTS[:2])
        )


def test_a_forecaster_that_was_updated_is_saved_with_its_past(tmp_path):
    model = RNNForecaster(
        hidden_size=2, max_epochs=1, window=6, horizon=2, intervals=None
    ).fit(WAVE[:50])
    model.update(WAVE[50:53])
    save(model, tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.predict().equals(model.predict())
    assert again.update(WAVE[53:]).predict().equals(model.update(WAVE[53:]).predict())
