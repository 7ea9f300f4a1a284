"""Classifiers and regressors as torch modules and ONNX graphs."""

import copy
import json
import os
import pickle

import numpy as np
import pytest
import torch
from small_networks import UsersGRU

from sklearn_rnn import CharVectorizer, RNNClassifier, RNNRegressor, TokenArray

REASON = "needs the extra onnx: pip install sklearn-rnn[onnx]"
FAST = {"hidden_size": 4, "max_epochs": 1, "learning_rate": 0.1, "random_state": 0}
LENGTHS = np.array([7, 3, 1, 5, 6, 2])

rng = np.random.default_rng(0)
X = [rng.normal(5, 3, (n, 2)) for n in LENGTHS]
PADDED = np.full((len(X), 7, 2), np.nan)
for row, x in zip(PADDED, X, strict=True):
    row[: len(x)] = x
VALID = np.arange(7) < LENGTHS[:, None]
LABELS = np.array(list("abcabc"))
NUMBERS = 1e5 + rng.normal(size=6)
STEP_NUMBERS = [np.arange(n) for n in LENGTHS]
CODES = TokenArray(np.where(VALID, rng.integers(4, 9, (6, 7)), 0), 9)


def run_torch(model, x=PADDED):
    with torch.inference_mode():
        return model.to_torch()(torch.tensor(x), torch.tensor(LENGTHS)).numpy()


def open_session(path):
    onnxruntime = pytest.importorskip("onnxruntime", reason=REASON)
    return onnxruntime.InferenceSession(path)


def read_facts(session):
    facts = session.get_modelmeta().custom_metadata_map
    return {name: json.loads(text) for name, text in facts.items()}


def run_onnx(model, path, x=PADDED):
    pytest.importorskip("onnx", reason=REASON)
    model.to_onnx(path)
    session = open_session(path)
    outputs = session.run(None, {"X": x, "lengths": LENGTHS})
    return dict(zip([o.name for o in session.get_outputs()], outputs, strict=True))


def test_a_classifier_predicts_the_same(tmp_path):
    model = RNNClassifier(bidirectional=True, patch_size=2, **FAST).fit(X, LABELS)
    proba = model.predict_proba(X)
    np.testing.assert_allclose(run_torch(model), proba, atol=1e-12)
    found = run_onnx(model, tmp_path / "m.onnx")
    np.testing.assert_allclose(found["probabilities"], proba, atol=1e-6)
    assert found["label"].tolist() == model.predict(X).tolist()


@pytest.mark.parametrize(
    "labels",
    [
        [3, 7, 3],
        [1.0, 2.0, 2.0],
        [True, False, True],
        ["a", "é", "a"],
        list(np.array([1, 2, 1], dtype=np.longdouble)),
    ],
)
def test_labels_keep_their_type(labels, tmp_path):
    model = RNNClassifier(**FAST).fit(X[:3] + X[:3], labels * 2)
    found = run_onnx(model, tmp_path / "m.onnx")["label"]
    assert found.tolist() == model.predict(X).tolist()


def test_labels_without_a_type_in_onnx_are_strings(tmp_path):
    labels = np.array([2**63 + 5, 7] * 3, dtype=np.uint64)
    model = RNNClassifier(**FAST).fit(X, labels)
    found = run_onnx(model, tmp_path / "m.onnx")["label"]
    assert found.tolist() == [str(label) for label in model.predict(X)]
    facts = read_facts(open_session(tmp_path / "m.onnx"))
    assert facts["classes"] == ["7", str(2**63 + 5)]


def test_several_labels_per_sequence(tmp_path):
    y = np.array([[0, 1], [1, 1], [0, 0]] * 2)
    model = RNNClassifier(scaling=False, **FAST).fit(X, y)
    proba = model.predict_proba(X)
    np.testing.assert_allclose(run_torch(model), proba, atol=1e-12)
    found = run_onnx(model, tmp_path / "m.onnx")
    np.testing.assert_allclose(found["probabilities"], proba, atol=1e-6)
    assert found["label"].tolist() == model.predict(X).tolist()


@pytest.mark.parametrize("shape", [(6,), (6, 2)])
def test_a_regressor_predicts_in_the_unit_of_y(shape, tmp_path):
    y = np.resize(NUMBERS, shape)
    model = RNNRegressor(**FAST).fit(X, y)
    expected = model.predict(X)
    for found in (run_torch(model), run_onnx(model, tmp_path / "m.onnx")["variable"]):
        assert found.dtype == np.float64
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_the_type_of_y_is_kept(tmp_path):
    model = RNNRegressor(precision="float32", **FAST)
    model.fit(X, NUMBERS.astype(np.float32))
    for found in (run_torch(model), run_onnx(model, tmp_path / "m.onnx")["variable"]):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, model.predict(X), rtol=1e-6)


def test_predictions_at_every_step(tmp_path):
    model = RNNRegressor(return_sequences=True, bidirectional=True, **FAST)
    model.fit(X, STEP_NUMBERS)
    expected = np.concatenate(list(model.predict(X)))
    for found in (run_torch(model), run_onnx(model, tmp_path / "m.onnx")["variable"]):
        np.testing.assert_allclose(found[VALID], expected, atol=1e-5)


@pytest.mark.parametrize("embedding", ["auto", "onehot"])
def test_codes(embedding, tmp_path):
    model = RNNClassifier(embedding=embedding, **FAST).fit(CODES, LABELS)
    x, proba = np.asarray(CODES, dtype=np.int64), model.predict_proba(CODES)
    np.testing.assert_allclose(run_torch(model, x), proba, atol=1e-6)
    found = run_onnx(model, tmp_path / "m.onnx", x)
    np.testing.assert_allclose(found["probabilities"], proba, atol=1e-6)


def test_logits_come_before_the_probabilities():
    model = RNNClassifier(**FAST).fit(X, LABELS)
    module = model.to_torch()
    x, lengths = torch.tensor(PADDED), torch.tensor(LENGTHS)
    torch.testing.assert_close(
        module.logits(x, lengths).softmax(1), module(x, lengths), rtol=0, atol=0
    )


def test_no_lengths_mean_no_padding():
    model = RNNClassifier(**FAST).fit(X, LABELS)
    with torch.inference_mode():
        found = model.to_torch()(torch.tensor(X[0]).unsqueeze(0))
    np.testing.assert_allclose(found.numpy(), model.predict_proba(X[:1]), atol=1e-12)


def test_later_fits_do_not_change_a_module():
    model = RNNClassifier(warm_start=True, **FAST).fit(X, LABELS)
    module, before = model.to_torch(), run_torch(model)
    model.fit(X, LABELS)
    with torch.inference_mode():
        found = module(torch.tensor(PADDED), torch.tensor(LENGTHS))
    np.testing.assert_allclose(found.numpy(), before, atol=1e-12)
    assert not np.allclose(run_torch(model), before, atol=1e-6)


def test_a_module_is_pickled_and_has_gradients():
    model = RNNClassifier(**FAST).fit(X, LABELS)
    for module in (model.to_torch(), copy.deepcopy(model.to_torch())):
        module = pickle.loads(pickle.dumps(module))
        x = torch.tensor(np.nan_to_num(PADDED), requires_grad=True)
        module(x, torch.tensor(LENGTHS))[:, 0].sum().backward()
        gradient = x.grad.abs().sum(2).numpy()
        assert (gradient[VALID] > 0).all()
        assert (gradient[~VALID] == 0).all()


def test_a_users_cell_is_copied():
    model = RNNClassifier(UsersGRU, num_layers=2, **FAST).fit(X, LABELS)
    np.testing.assert_allclose(run_torch(model), model.predict_proba(X), atol=1e-6)


# ------------------------------------------------------------------------ streams

TYPES = {"tensor(float)": "f4", "tensor(double)": "f8", "tensor(int64)": "i8"}


def check_stream(model, path, sequences):
    """Check that a graph of one step predicts what a stream does at each step."""
    pytest.importorskip("onnx", reason=REASON)
    model.to_onnx(path, stream=True)
    session, stream = open_session(path), model.stream(2)
    names = [output.name for output in session.get_outputs()]
    state = {
        given.name: np.zeros([2, *given.shape[1:]], TYPES[given.type])
        for given in session.get_inputs()[1:]
    }
    assert read_facts(session)["states"] == list(state)
    assert names == ["label", "probabilities", *("next_" + name for name in state)]
    for x in sequences:
        outputs = dict(zip(names, session.run(None, {"X": x, **state}), strict=True))
        state = {name: outputs["next_" + name] for name in state}
        expected = stream.predict_proba(x)
        np.testing.assert_allclose(outputs["probabilities"], expected, atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"cell": "lstm", "pooling": "last", "num_layers": 2},
        {"cell": "gru", "pooling": "concat"},
        {"cell": "rnn", "pooling": "concat", "patch_size": 3},
        {"cell": "lstm", "pooling": "mean", "patch_size": 2},
    ],
)
def test_a_step_of_a_stream(options, tmp_path):
    model = RNNClassifier(**options, **FAST).fit(X, LABELS)
    check_stream(model, tmp_path / "m.onnx", np.stack([X[0], X[0][::-1]], 1))


@pytest.mark.parametrize("options", [{}, {"patch_size": 2, "pooling": "max"}])
def test_streams_that_read_nan_predict_nan(options, tmp_path):
    pytest.importorskip("onnx", reason=REASON)
    model = RNNRegressor(**options, **FAST).fit(X, NUMBERS)
    model.to_onnx(tmp_path / "m.onnx", stream=True)
    session = open_session(tmp_path / "m.onnx")
    names = [output.name for output in session.get_outputs()]
    for n_rows in (2, 0):
        state = {
            given.name: np.zeros([n_rows, *given.shape[1:]], TYPES[given.type])
            for given in session.get_inputs()[1:]
        }
        for value in (0.0, np.nan, 0.0, 0.0):
            x = np.array([[1.0, value], [1, 2]])[:n_rows]
            outputs = dict(zip(names, session.run(None, {"X": x} | state), strict=True))
            state = {name: outputs["next_" + name] for name in state}
        assert np.isnan(outputs["variable"]).tolist() == [True, False][:n_rows]


def test_large_values_are_standardized_in_float64(tmp_path):
    x = 1e9 + PADDED
    model = RNNClassifier(precision="float32", **FAST)
    model.fit([1e9 + row for row in X], LABELS)
    proba = model.predict_proba([1e9 + row for row in X])
    found = run_onnx(model, tmp_path / "m.onnx", x)
    np.testing.assert_allclose(found["probabilities"], proba, atol=1e-6)


def test_a_step_of_a_stream_of_codes(tmp_path):
    model = RNNClassifier(**FAST).fit(CODES, LABELS)
    codes = np.asarray(CODES)[[0, 4], :6].T.astype(np.int64)
    check_stream(model, tmp_path / "m.onnx", codes)


def test_impossible_arguments_are_errors(tmp_path):
    pytest.importorskip("onnx", reason=REASON)
    model = RNNClassifier(**FAST).fit(X, LABELS)
    model.to_onnx(os.fsencode(tmp_path / "m.onnx"))
    assert len(list(tmp_path.iterdir())) == 1
    with pytest.raises(TypeError, match="stream='yes' is given; expected True or F"):
        model.to_onnx(tmp_path / "m.onnx", stream="yes")
    with pytest.raises(ValueError, match="path is empty"):
        model.to_onnx("")
    with pytest.raises(TypeError, match="not NoneType"):
        model.to_onnx(None)


def test_models_without_streams_are_errors(tmp_path):
    pytest.importorskip("onnx", reason=REASON)
    model = RNNClassifier(bidirectional=True, **FAST).fit(X, LABELS)
    with pytest.raises(ValueError, match="has bidirectional=True"):
        model.to_onnx(tmp_path / "m.onnx", stream=True)
    assert not list(tmp_path.iterdir())


# ----------------------------------------------------------------------- metadata


def test_names_and_scaling_are_in_the_metadata(tmp_path):
    pd = pytest.importorskip("pandas")
    pytest.importorskip("onnx", reason=REASON)
    frame = pd.DataFrame(rng.normal(size=(6, 3)), columns=["a", "b", "c"])
    model = RNNClassifier(input_length=3, **FAST).fit(frame, LABELS)
    model.to_onnx(str(tmp_path / "m.onnx"))
    session = open_session(tmp_path / "m.onnx")
    facts, scaling = read_facts(session), model._inputs.scaling
    assert facts["class"] == "RNNClassifier"
    assert facts["classes"] == ["a", "b", "c"]
    assert facts["feature_names"] == ["a", "b", "c"]
    assert facts["scaling"]["mean"] == scaling.mean.tolist()
    assert session.get_inputs()[0].shape == ["n_sequences", 3, 1]


def test_the_vocabulary_is_in_the_metadata(tmp_path):
    pytest.importorskip("onnx", reason=REASON)
    texts = ["ab", "ba", "aab", "b", "bb", "a"]
    vectorizer = CharVectorizer()
    model = RNNClassifier(**FAST).fit(vectorizer.fit_transform(texts), LABELS)
    model.to_onnx(tmp_path / "m.onnx", vectorizer=vectorizer)
    facts = read_facts(open_session(tmp_path / "m.onnx"))
    assert facts["vocabulary"][4:] == ["a", "b"]
    assert facts["reserved_codes"]["unknown"] == 1
    assert facts["vectorizer"]["class"] == "CharVectorizer"
    with pytest.raises(ValueError, match="has 5 codes, but the model was fitted on a"):
        model.to_onnx(tmp_path / "m.onnx", vectorizer=CharVectorizer().fit(["a"]))


def test_a_vectorizer_of_numbers_is_an_error(tmp_path):
    pytest.importorskip("onnx", reason=REASON)
    model = RNNClassifier(**FAST).fit(X, LABELS)
    with pytest.raises(ValueError, match="the model was fitted on numbers"):
        model.to_onnx(tmp_path / "m.onnx", vectorizer=CharVectorizer().fit(["a"]))
