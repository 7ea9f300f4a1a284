"""Features and blocks that matter have a large permutation importance."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from joblib import parallel_backend
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.inspection import permutation_importance as of_table
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import (
    CharVectorizer,
    RNNClassifier,
    RNNForecaster,
    RNNRegressor,
    SequenceTranslator,
    StepwiseTransformer,
)
from sklearn_rnn.inspection import permutation_importance
from sklearn_rnn.inspection._permutation import (
    find_block,
    read_exchangeable,
    stretch,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(100, 6, 3))


class Mean(BaseEstimator):
    """Predicts the mean of feature 1 in the first half of each sequence."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def predict(self, X):
        return np.array([np.mean(x[: (len(x) + 1) // 2, 1]) for x in X])

    def score(self, X, y, sample_weight=None):
        return -np.average((self.predict(X) - y) ** 2, weights=sample_weight)


@pytest.fixture(scope="module")
def mean():
    return Mean().fit(X)


@pytest.mark.parametrize("container", [lambda X: X, list])
def test_the_feature_and_the_time_that_matter(mean, container):
    given = container(X)
    y = mean.predict(X)
    found = permutation_importance(mean, given, y, random_state=0)
    assert found.score == 0 and found.edges is None
    assert found.importances.shape == (3, 5)
    assert_array_equal(found.importances[[0, 2]], 0)
    assert found.importances_mean[1] > 0.1
    found = permutation_importance(
        mean, given, y, by="blocks", n_blocks=2, random_state=0
    )
    assert found.importances_mean[0] > 0.1 and found.importances_mean[1] == 0
    assert_allclose(found.edges, [0, 0.5, 1])


def test_results_do_not_depend_on_the_number_of_jobs(mean):
    y = mean.predict(X)
    with parallel_backend("threading"):
        found = [
            permutation_importance(mean, X, y, n_jobs=n, random_state=3).importances
            for n in (1, 2)
        ]
    assert_array_equal(*found)


def test_a_table_with_one_step_is_that_of_scikit_learn():
    table = X[:, 0]
    y = table @ [1, 2, 0]
    model = LinearRegression().fit(table, y)
    expected = of_table(model, table, y, n_repeats=200, random_state=0)
    model.input_size_, model._fitted_on_table = 3, True
    found = permutation_importance(model, table, y, n_repeats=200, random_state=0)
    assert_allclose(
        found.importances_mean, expected.importances_mean, rtol=0.2, atol=1e-9
    )


def test_lengths_and_padding_stay():
    padded = X.copy()
    padded[0, 3:] = np.nan
    table = read_exchangeable(Mean().fit(X), padded)
    order = np.roll(np.arange(100), 1)
    rows = table.rebuild(table.exchange_feature(1, order))
    assert_array_equal(np.isnan(rows), np.isnan(padded))
    assert_array_equal(rows[1, :, 1], padded[0, [0, 0, 1, 1, 2, 2], 1])
    assert_array_equal(rows[1, :, 0], padded[1, :, 0])
    assert_array_equal(padded[1], X[1])


def test_frames_keep_their_columns():
    frame = pd.DataFrame(X.reshape(100, 18), columns=[f"c{k}" for k in range(18)])
    y = X[:, :, 1].mean(axis=1)
    model = RNNRegressor(hidden_size=4, max_epochs=5, input_size=3, random_state=0)
    found = permutation_importance(model.fit(frame, y), frame, y, random_state=0)
    assert found.importances_mean.argmax() == 1
    other = permutation_importance(
        model.fit(pl.DataFrame(frame), y), pl.DataFrame(frame), y, random_state=0
    )
    assert_allclose(other.importances, found.importances, rtol=1e-5)


def test_sequences_that_are_frames_keep_their_columns():
    frames = [pd.DataFrame(x, columns=list("abc")) for x in X[:20]]
    steps = StepwiseTransformer(ColumnTransformer([("", "passthrough", ["c", "a"])]))
    model = make_pipeline(
        steps, RNNClassifier(hidden_size=2, max_epochs=1, random_state=0)
    ).fit(frames, [0, 1] * 10)
    found = permutation_importance(model, frames, [0, 1] * 10, random_state=0)
    assert_array_equal(found.importances[1], 0)


def test_ragged_rows_of_a_pipeline():
    ragged = [x[: 3 + k % 4, 0] for k, x in enumerate(X)]
    y = np.array([x[0] > 0 for x in ragged])
    model = make_pipeline(
        StepwiseTransformer(StandardScaler()),
        RNNClassifier(hidden_size=4, max_epochs=1, random_state=0),
    ).fit(ragged, y)
    found = permutation_importance(model, ragged, y, random_state=0)
    assert found.importances.shape == (1, 5)


WORDS = ["".join(RNG.choice(list("abc"), size=4)) for _ in range(40)]


def test_texts_and_codes_have_blocks():
    y = [word[0] for word in WORDS]
    vectorizer = CharVectorizer()
    tokens = vectorizer.fit_transform(WORDS)
    model = RNNClassifier(hidden_size=8, max_epochs=20, random_state=0)
    pipeline = make_pipeline(vectorizer, model).fit(WORDS, y)
    found = permutation_importance(
        pipeline, WORDS, y, by="blocks", n_blocks=2, random_state=0, scoring="accuracy"
    )
    assert found.importances_mean[0] > found.importances_mean[1]
    found = permutation_importance(
        model, tokens, y, by="blocks", n_blocks=2, random_state=0
    )
    assert found.importances_mean[0] > found.importances_mean[1]
    with pytest.raises(ValueError, match='Set by="blocks"'):
        permutation_importance(pipeline, WORDS, y)
    rows = read_exchangeable(model, [row[row > 0] for row in tokens])
    assert_array_equal(rows.rebuild(rows.rows), tokens)
    assert rows.rebuild(rows.rows).vocabulary_size == tokens.vocabulary_size


def test_translators_read_texts():
    model = SequenceTranslator(hidden_size=2, max_epochs=1, random_state=0)
    model.fit(["ab", "ba"] * 5, ["ba", "ab"] * 5)
    rows = read_exchangeable(model, ["abcd", "uv"])
    assert rows.exchange_block(0, 2, [1, 0]) == ["ucd", "abv"]


def test_blocks_of_texts_are_joined():
    pipeline = make_pipeline(
        CharVectorizer(), RNNClassifier(hidden_size=2, max_epochs=1)
    ).fit(WORDS, [0, 1, 2, 3] * 10)
    texts = read_exchangeable(pipeline, ["abcdef", "uvwx"])
    assert texts.exchange_block(0, 2, [1, 0]) == ["uvdef", "abcwx"]
    assert texts.exchange_block(1, 2, [1, 0]) == ["abcwx", "uvdef"]


def test_blocks_cover_all_steps():
    blocks = [find_block(k, 4, 10) for k in range(4)]
    assert_array_equal(np.concatenate([np.arange(10)[b] for b in blocks]), range(10))
    assert_array_equal(stretch(np.arange(4), 8), [0, 0, 1, 1, 2, 2, 3, 3])
    assert_array_equal(stretch(np.arange(8), 4), [1, 3, 5, 7])


def test_weights_are_used(mean):
    weights = np.zeros(100)
    weights[0] = 1
    y = mean.predict(X)
    found = permutation_importance(
        mean, X, y, sample_weight=weights, n_repeats=1, random_state=0
    )
    assert found.importances_mean[1] >= 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "time"}, "by='time'"),
        ({"n_blocks": 0}, "n_blocks=0"),
        ({"n_repeats": 1.5}, "n_repeats=1.5"),
        ({"scoring": ["r2", "max_error"]}, "expected a single scorer"),
    ],
)
def test_invalid_options_are_errors(mean, options, message):
    with pytest.raises(ValueError, match=message):
        permutation_importance(mean, X, mean.predict(X), **options)


def test_one_sequence_cannot_be_exchanged(mean):
    with pytest.raises(ValueError, match="at least 2 are needed"):
        permutation_importance(mean, X[:1], [0])


def test_what_cannot_be_exchanged_is_an_error():
    series = np.sin(np.arange(60.0))
    model = RNNForecaster(
        hidden_size=2, window=8, max_epochs=1, intervals=None, random_state=0
    ).fit(series)
    with pytest.raises(TypeError, match="RNNForecaster forecasts series"):
        permutation_importance(model, series, series)
    model = RNNClassifier(hidden_size=2, max_epochs=1, random_state=0)
    model.fit(X, X[:, 0, 0] > 0)
    for other, message in ((None, "got scalar array"), ("abc", "X is text: 'abc'")):
        with pytest.raises(ValueError, match=message):
            permutation_importance(model, other, [0])
