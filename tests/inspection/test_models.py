"""Displays find the model inside searches and pipelines."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import HopfieldDenoiser, ImageFlattener, SeasonalNaiveForecaster
from sklearn_rnn.inspection._models import (
    find_best_estimator,
    find_forecaster,
    find_last_step,
    find_memory,
)

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


def test_the_memory_of_a_pipeline_reads_transformed_patterns():
    images = np.sign(np.arange(6.0).reshape(1, 2, 3) - 2.5)
    flat = images.reshape(1, 6)
    pipeline = make_pipeline(ImageFlattener(), HopfieldDenoiser()).fit(images)
    memory, patterns, shape = find_memory(pipeline, images)
    assert memory is pipeline[-1] and shape == (2, 3)
    assert_array_equal(patterns, flat)
    memory, patterns, shape = find_memory(make_pipeline(memory), flat)
    assert memory is pipeline[-1] and patterns is flat and shape is None
    with pytest.raises(TypeError, match="Ridge recalls no patterns"):
        find_memory(Ridge().fit(X, Y), X)


def test_forecasters_are_found_in_searches_and_may_be_unfitted():
    naive = SeasonalNaiveForecaster(season=2)
    assert find_forecaster(naive) is naive
    series = np.sin(np.arange(40.0))
    search = GridSearchCV(naive, {"season": [3]}, cv=2).fit(series)
    assert find_forecaster(search) is search.best_estimator_
    assert find_forecaster(FrozenEstimator(search)) is search.best_estimator_
    with pytest.raises(TypeError, match=r"expected an RNNForecaster.*got Ridge"):
        find_forecaster(Ridge())
