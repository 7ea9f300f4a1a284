"""The common base of the supervised estimators: weights, validation data, features."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_rnn import CharVectorizer, RNNClassifier, RNNRegressor
from sklearn_rnn._core import device, threads


@pytest.fixture
def classifier():
    return RNNClassifier("gru", 8, max_epochs=3, random_state=0)


@pytest.fixture
def stopping():
    return RNNClassifier("gru", 4, early_stopping=True, max_epochs=6, random_state=0)


@pytest.fixture
def fitted(ragged):
    X, y = ragged
    return RNNClassifier(hidden_size=5, max_epochs=3, random_state=0).fit(X, y)


def pad(X):
    padded = np.full((len(X), max(map(len, X)), X[0].shape[1]), np.nan)
    for row, x in zip(padded, X, strict=True):
        row[: len(x)] = x
    return padded


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "concat"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_states_are_what_the_head_reads(ragged, pooling, bidirectional):
    X, y = ragged
    model = RNNClassifier(
        hidden_size=5,
        pooling=pooling,
        bidirectional=bidirectional,
        max_epochs=2,
        random_state=0,
    ).fit(X, y)
    states = model.transform(X)
    width = 5 * (1 + bidirectional) * (3 if pooling == "concat" else 1)
    assert states.shape == (40, width)
    logits = model.module_.head(torch.from_numpy(states)).detach()
    proba = torch.softmax(logits, 1).numpy()
    assert_allclose(model.predict_proba(X), proba, rtol=1e-6)
    names = model.get_feature_names_out()
    assert names.tolist() == [f"rnnclassifier{k}" for k in range(width)]


def test_states_do_not_depend_on_batch_order_or_padding(fitted, ragged):
    X, _ = ragged
    states = fitted.transform(X)
    assert_allclose(fitted.transform(pad(X)), states, rtol=1e-5)
    assert_allclose(fitted.transform(X[::-1])[::-1], states, rtol=1e-5)
    assert_allclose(fitted.transform(X[7:8])[0], states[7], rtol=1e-5)


def test_states_of_every_step(fitted, ragged):
    X, _ = ragged
    steps = fitted.transform_sequences(X)
    assert steps.dtype == object
    assert [row.shape for row in steps] == [(len(x), 5) for x in X]
    states = fitted.transform(X)
    assert_allclose([row[-1] for row in steps], states[:, :5], rtol=1e-5)
    assert_allclose([row.mean(0) for row in steps], states[:, 5:10], rtol=1e-5)
    assert_allclose([row.max(0) for row in steps], states[:, 10:], rtol=1e-5)
    padded = fitted.transform_sequences(pad(X))
    assert padded.shape == (40, max(map(len, X)), 5)
    for row, expected in zip(padded, steps, strict=True):
        assert_allclose(row[: len(expected)], expected, rtol=1e-5)
        assert np.isnan(row[len(expected) :]).all()


def test_models_of_every_step_pool_their_states_too(rng):
    X = rng.normal(size=(12, 6, 2))
    model = RNNRegressor(
        hidden_size=4,
        pooling="mean",
        return_sequences=True,
        max_epochs=2,
        random_state=0,
    ).fit(X, X.cumsum(1))
    steps = model.transform_sequences(X)
    assert steps.shape == (12, 6, 4)
    assert_allclose(model.transform(X), steps.mean(1), rtol=1e-5)
    head = model.module_.head
    outputs = head(torch.from_numpy(steps)).detach().numpy()
    decoded = model._targets.decode(outputs.reshape(-1, 2)).reshape(12, 6, 2)
    assert_allclose(model.predict(X), decoded, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_states_keep_the_number_type(rng, dtype):
    X, y = rng.normal(size=(20, 5)).astype(dtype), np.arange(20) % 2
    model = RNNClassifier(hidden_size=3, max_epochs=1, random_state=0)
    assert model.fit_transform(X, y).dtype == dtype


def test_states_of_text_train_another_classifier(names):
    texts, y = names
    model = make_pipeline(
        CharVectorizer(),
        RNNClassifier(hidden_size=8, max_epochs=10, random_state=0),
        LogisticRegression(),
    )
    search = GridSearchCV(model, {"rnnclassifier__pooling": ["last", "mean"]}, cv=2)
    assert search.fit(texts, y).best_score_ > 0.9
    features = search.best_estimator_[:-1].transform(texts)
    assert_array_equal(search.best_estimator_[-1].predict(features), y)


def test_states_come_as_frames(rng):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(rng.normal(size=(20, 5)), index=np.arange(20) + 100)
    model = RNNRegressor(hidden_size=2, pooling="last", max_epochs=1, random_state=0)
    states = model.set_output(transform="pandas").fit_transform(frame, np.arange(20.0))
    assert list(states.columns) == ["rnnregressor0", "rnnregressor1"]
    assert list(states.index) == list(frame.index)


def test_rows_of_weight_zero_have_no_influence(classifier, table):
    X, y = table
    y = y.copy()
    y[:3] = 9
    weight = np.ones(60)
    weight[:3] = 0
    with_them = clone(classifier).fit(X, y, sample_weight=weight)
    assert with_them.classes_.tolist() == [0, 1]
    without = clone(classifier).set_params(batch_size=64).fit(X[3:], y[3:])
    with_them.set_params(batch_size=64).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(
        with_them.predict_proba(X), without.predict_proba(X), rtol=1e-8
    )


@pytest.mark.parametrize("each_step", [False, True])
def test_rows_of_weight_zero_do_not_make_the_input_too_large_for_float64(
    classifier, monkeypatch, each_step
):
    monkeypatch.setattr(device, "LARGEST_FLOAT64", 40)
    X = [np.arange(4.0) * k for k in range(15)]
    y = np.arange(15) % 2
    weight = np.r_[np.ones(10), np.zeros(5)]
    if each_step:
        y, weight = [np.full(4, value) for value in y], [np.full(4, w) for w in weight]
    model = clone(classifier).set_params(return_sequences=each_step, max_epochs=1)
    model.fit(X, y, sample_weight=weight)
    assert model.module_.head.weight.dtype == torch.float64
    model.fit(X, y)
    assert model.module_.head.weight.dtype == torch.float32


def test_input_length_accepts_that_length_only(classifier, table):
    X, y = table
    classifier.set_params(input_length=6).fit(X, y)
    with pytest.raises(
        ValueError, match=r"sequence 1 of X has 5 steps.*input_length=6"
    ):
        classifier.predict([X[0], X[1, :5]])
    with pytest.raises(ValueError, match="input_length=7"):
        classifier.set_params(input_length=7).fit(X, y)


def test_only_zero_weights(classifier, table):
    with pytest.raises(ValueError, match="at least one non-zero"):
        classifier.fit(*table, sample_weight=np.zeros(60))


def test_negative_weights(classifier, table):
    with pytest.raises(ValueError, match="Negative values in data"):
        classifier.fit(*table, sample_weight=-np.ones(60))


def test_the_regressor_reads_validation_targets_in_the_unit_of_y(rng):
    X = rng.normal(size=(60, 5))
    y = 1000 + 50 * X.sum(axis=1)
    model = RNNRegressor("gru", 8, early_stopping=True, max_epochs=30, random_state=0)
    model.fit(X[:40], y[:40], X_val=X[40:], y_val=y[40:])
    assert model.best_validation_score_ == pytest.approx(model.score(X[40:], y[40:]))


@pytest.mark.parametrize(
    "break_, message",
    [
        (lambda X, y: (X[:, :, :1], y), "in X_val.*1 features per step.*fitted with 2"),
        (lambda X, y: (X, y[:-1]), "in X_val.*inconsistent numbers of samples"),
        (lambda X, y: (X, np.array(["sideways"] * 5)), "in X_val.*'sideways'"),
        (lambda X, y: (X * np.nan, y), "in X_val"),
    ],
)
def test_unreadable_validation_data_are_named_and_change_nothing(
    stopping, rng, break_, message
):
    X, y = rng.normal(size=(20, 4, 2)), np.array(["up", "down"] * 10)
    X_val, y_val = break_(X[:5], y[:5])
    with pytest.raises(ValueError, match=message):
        stopping.fit(X, y, X_val=X_val, y_val=y_val)
    assert not hasattr(stopping, "net_")


def test_parameters_set_after_fit_do_not_change_what_is_fitted(fitted, ragged):
    X, y = ragged
    states, labels, score = fitted.transform(X), fitted.predict(X), fitted.score(X, y)
    fitted.set_params(pooling="last", return_sequences=True)
    assert_array_equal(fitted.transform(X), states)
    assert_array_equal(fitted.predict(X), labels)
    assert fitted.score(X, y) == score
    assert len(fitted.get_feature_names_out()) == states.shape[1]


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_the_number_of_threads_changes_no_bit_of_a_prediction(cell, rng, monkeypatch):
    X = rng.normal(size=(300, 8, 3)).astype(np.float32)
    model = RNNClassifier(cell, 64, max_epochs=1, random_state=0)
    model.fit(X[:60], np.arange(60) % 3)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        expected = model.predict_proba(X)
        torch.set_num_threads(2)
        assert_array_equal(model.predict_proba(X), expected)
        monkeypatch.setattr(threads, "PREDICTION_WORTH_THREADS", 1)
        assert_array_equal(model.predict_proba(X), expected)
    finally:
        torch.set_num_threads(before)
