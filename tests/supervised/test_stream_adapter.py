"""Streams of classifiers and regressors."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from stream_models import QUICK, F, N, T, UsersGRU, V, close, fitted

from sklearn_rnn import RNNClassifier, RNNRegressor, SequenceGenerator, TokenArray


@pytest.fixture
def X(rng):
    return rng.normal(size=(N, T, F)).astype(np.float32)


@pytest.fixture
def model(X):
    return fitted(X, pooling="concat")


@pytest.fixture
def one_feature(rng):
    X = rng.normal(size=(N, T, 1))
    return fitted(X, RNNRegressor, cell="lstm"), X


@pytest.mark.parametrize(
    ("precision", "rtol"), [("float64", 1e-10), ("float32", 1e-5), ("bfloat16", 1e-2)]
)
@pytest.mark.parametrize("pooling", ["last", "concat"])
def test_every_number_type(precision, rtol, pooling, X):
    model = fitted(X, RNNRegressor, precision=precision, pooling=pooling)
    stream = model.stream(N)
    for t in range(T):
        answers = stream.predict(X[:, t])
    close(answers, model.predict(X), rtol)
    number = np.float64 if precision == "float64" else np.float32
    assert stream.state["hidden_0"].dtype == number


@pytest.mark.parametrize(
    ("embedding", "cell"),
    [
        ("auto", "lstm"),
        ("auto", UsersGRU),
        ("onehot", "gru"),
        (3, "rnn"),
        (np.random.default_rng(0).normal(size=(V, 4)), "lstm"),
    ],
    ids=["auto", "of a user", "onehot", "dimension", "vectors"],
)
def test_stepping_through_tokens(embedding, cell, rng):
    codes = TokenArray(rng.integers(1, V, size=(N, T)), V)
    model = fitted(codes, cell=cell, embedding=embedding)
    expected = model.predict_proba(codes)
    plain, chunked = codes.view(np.ndarray), model.stream(N)
    stream = model.stream(N)
    for t in range(T):
        proba = stream.predict_proba(plain[:, t])
    close(proba, expected)
    chunked.predict(codes[:, :4])
    close(chunked.predict_proba(plain[:, 4:]), expected)
    close(model.stream().predict_proba(codes[0]), expected[:1])


def test_answers_have_the_shapes_of_predict(rng, X):
    y = rng.normal(size=(N, 2))
    model = RNNRegressor(**QUICK).fit(X, y)
    assert model.stream(N).predict(X[:, 0]).shape == (N, 2)
    steps = RNNRegressor(**QUICK, return_sequences=True).fit(
        X, rng.normal(size=X.shape)
    )
    assert steps.stream(N).predict(X[:, 0]).shape == (N, F)
    assert steps.stream(N).predict(X[:, :4]).shape == (N, 4, F)
    assert steps.stream().predict(X[:1, :1]).shape == (1, 1, F)
    ragged = steps.stream(2).predict([X[0, :3], X[1, :2]])
    assert ragged.dtype == object
    assert [part.shape for part in ragged] == [(3, F), (2, F)]
    labels = RNNClassifier(**QUICK).fit(X, [[1, 0], [0, 1], [1, 1], [0, 0]])
    close(labels.stream(N).predict_proba(X), labels.predict_proba(X))
    np.testing.assert_array_equal(labels.stream(N).predict(X), labels.predict(X))


def test_predict_proba_exists_for_classifiers_only(one_feature, model):
    assert not hasattr(one_feature[0].stream(), "predict_proba")
    assert hasattr(model.stream(), "predict_proba")


def test_a_later_fit_does_not_change_a_stream(model, X):
    expected = model.predict_proba(X)
    stream = model.stream(N)
    stream.predict(X[:, :4])
    model.fit(X[:, :, :2], [1, 0, 1, 0])
    close(stream.predict_proba(X[:, 4:]), expected)


def test_models_that_need_complete_sequences_have_no_streams(X):
    with pytest.raises(ValueError, match="needs complete sequences"):
        fitted(X, bidirectional=True).stream()
    with pytest.raises(ValueError, match=f"input_length={T}"):
        fitted(X, input_length=T).stream()
    for model in (RNNClassifier(), RNNRegressor(), SequenceGenerator()):
        with pytest.raises(NotFittedError):
            model.stream()
