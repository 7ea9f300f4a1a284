"""Displays find the model inside searches and pipelines."""

import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn.display._models import find_best_estimator, find_last_step

X, Y = [[0.0], [1.0]] * 6, [0, 1] * 6


def test_the_last_step_is_found_at_any_depth():
    inner = make_pipeline(StandardScaler(), LogisticRegression())
    search = GridSearchCV(make_pipeline(StandardScaler(), inner), {}, cv=2).fit(X, Y)
    last = search.best_estimator_[-1][-1]
    assert isinstance(last, LogisticRegression)
    assert find_last_step(search) is last
    assert find_last_step(FrozenEstimator(search)) is last
    assert find_best_estimator(search) is search.best_estimator_
    assert find_last_step(last) is last
    regressor = TransformedTargetRegressor(make_pipeline(StandardScaler(), Ridge()))
    assert find_last_step(regressor.fit(X, Y)) is regressor.regressor_[-1]


def test_a_search_without_a_refitted_estimator_is_refused():
    search = GridSearchCV(LogisticRegression(), {}, cv=2, refit=False).fit(X, Y)
    with pytest.raises(ValueError, match=r"refit=False.*Set refit=True"):
        find_best_estimator(search)


def test_unfitted_estimators_are_refused():
    with pytest.raises(NotFittedError):
        find_last_step(make_pipeline(StandardScaler(), LogisticRegression()))
