"""Estimators of which a stream can be opened, and errors for others."""

import pytest
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from stream_models import N, close

from sklearn_rnn import CharVectorizer, RNNRegressor, open_stream


def test_open_stream_takes_models_alone(model, X):
    close(open_stream(model, N).predict_proba(X), model.predict_proba(X))
    pipeline = make_pipeline(model)
    close(open_stream(pipeline, N).predict_proba(X), model.predict_proba(X))


def test_what_has_no_streams_is_refused():
    with pytest.raises(TypeError, match="StandardScaler has no streams"):
        open_stream(StandardScaler())
    with pytest.raises(TypeError, match="best_estimator_"):
        open_stream(GridSearchCV(RNNRegressor(), {}))
    with pytest.raises(NotFittedError):
        open_stream(make_pipeline(CharVectorizer(), RNNRegressor()))
