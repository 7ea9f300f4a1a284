"""Streams of a Pipeline, in which transformers process each step."""

import pickle

import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from stream_models import QUICK, F, N, T, close, same_state

from sklearn_rnn import (
    CharVectorizer,
    RNNClassifier,
    RNNRegressor,
    SequenceGenerator,
    SeriesScaler,
    StepwiseTransformer,
    WordVectorizer,
    open_stream,
)


def test_a_stream_through_a_nested_pipeline(X):
    scaler = make_pipeline("passthrough", StepwiseTransformer(StandardScaler()))
    model = make_pipeline(scaler, RNNRegressor(**QUICK)).fit(X, range(N))
    close(open_stream(model, N).predict(X), model.predict(X))


@pytest.mark.parametrize("n_streams", [N, None])
def test_a_stream_through_stepwise_transformers(n_streams, X):
    X = X * [1, 10, 100] + 5
    model = make_pipeline(
        "passthrough",
        StepwiseTransformer(StandardScaler()),
        RNNClassifier(**QUICK, pooling="mean"),
    ).fit(X, [0, 1, 0, 1])
    expected = model.predict_proba(X)
    stream = open_stream(model, n_streams)
    for t in range(4):
        stream.predict(X[:, t] if n_streams else dict(enumerate(X[:, t])))
    if n_streams:
        found = stream.predict_proba(X[:, 4:])
    else:
        stream.predict({0: X[0, 4:6], 1: X[1, 4:], 2: X[2, 4], 3: X[3, 4:]})
        found = stream.predict_proba({0: X[0, 6:], 2: X[2, 5:]})
        expected, found = expected[[0, 2]], np.array([found[0], found[2]])
    close(found, expected)
    twin = pickle.loads(pickle.dumps(stream))
    same_state(twin.state, stream.state)


def test_a_stream_through_transformers_of_rows(rng):
    X = rng.normal(size=(20, F)) * [1, 10, 100]
    model = make_pipeline(StandardScaler(), RNNRegressor(**QUICK, input_size=F))
    model.fit(X, X.sum(1))
    stream = open_stream(model, 20)
    close(stream.predict(X), model.predict(X))
    chunked = open_stream(model, 2)
    inner, scaled = model[-1], model[0].transform(X)
    found = chunked.predict(X[:8].reshape(2, 4, F))
    close(found, inner.predict(scaled[:8].reshape(2, 4, F)))
    ragged = open_stream(model, 2).predict([X[:3], X[3:8]])
    close(ragged, inner.predict([scaled[:3], scaled[3:8]]))


def test_missing_values_reach_an_imputer(X):
    model = make_pipeline(
        StepwiseTransformer(SimpleImputer()), RNNRegressor(**QUICK)
    ).fit(X, X.sum((1, 2)))
    step = np.full((1, F), np.nan)
    expected = model.predict([np.concatenate([X[0], step])])
    stream = open_stream(model)
    stream.predict(X[:1])
    close(stream.predict(step), expected)


def test_a_stream_of_text_through_a_vectorizer():
    texts = ["good good day", "bad day", "good film", "bad bad"]
    for vectorizer in (CharVectorizer(), WordVectorizer()):
        model = make_pipeline(vectorizer, RNNClassifier(**QUICK)).fit(texts, [1, 0] * 2)
        stream = open_stream(model, 2)
        stream.predict(["good ", "bad day "])
        whole = model.predict_proba(["good day", "bad day good"])
        close(stream.predict_proba(["day", "good"]), whole)
        by_key = open_stream(model, None)
        by_key.predict({"a": "good "})
        close(by_key.predict_proba({"a": "day"})["a"], whole[0])
    single = open_stream(model)
    close(single.predict_proba("good day"), whole[:1])
    writer = make_pipeline(CharVectorizer(), SequenceGenerator(**QUICK)).fit(texts)
    stream = open_stream(writer)
    stream.predict("go")
    close(stream.predict_proba("od"), writer.predict_proba(["good"]))


def test_pipelines_that_cannot_be_stepped_refuse(X, rng):
    table = rng.normal(size=(N, T))
    whole = make_pipeline(StandardScaler(), RNNRegressor(**QUICK)).fit(table, range(N))
    with pytest.raises(ValueError, match=r"StandardScaler transforms whole sequences"):
        open_stream(whole)
    function = make_pipeline(FunctionTransformer(), RNNRegressor(**QUICK))
    with pytest.raises(ValueError, match=r"StepwiseTransformer\(FunctionTransformer"):
        open_stream(function.fit(X, range(N)))
    for scaler in (SeriesScaler(), make_pipeline(SeriesScaler())):
        model = make_pipeline(scaler, RNNRegressor(**QUICK)).fit(X, range(N))
        with pytest.raises(ValueError, match="SeriesScaler may need whole sequences"):
            open_stream(model)
    for settings in ({"boundaries": True}, {"max_length": 2}):
        text = make_pipeline(CharVectorizer(**settings), RNNRegressor(**QUICK))
        text.fit(["ab", "ba"], [0, 1])
        with pytest.raises(ValueError, match=next(iter(settings))):
            open_stream(text)
