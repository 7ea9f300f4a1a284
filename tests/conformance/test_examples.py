"""Small sequences that the checks use."""

import sys
from unittest import SkipTest

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_rnn import (
    CharVectorizer,
    RNNClassifier,
    RNNForecaster,
    RNNRegressor,
    TokenArray,
)
from sklearn_rnn.conformance._examples import (
    CLASSES,
    LENGTHS,
    SERIES_LENGTHS,
    VOCABULARY_SIZE,
    answers_each_step,
    array,
    example,
    other_example,
    pad,
    sequences,
    series_of,
    spoil_last,
    targets,
    tokens,
)

CONTAINERS = ("3d", "ragged", "tokens", "text")


@pytest.mark.parametrize("container", CONTAINERS)
def test_an_example_is_the_same_at_each_call_and_never_shared(container):
    first, second = example(container), example(container)
    assert joblib.hash(first) == joblib.hash(second)
    assert first is not second
    assert len(first) == len(LENGTHS) == 24
    if container != "text":
        assert not np.shares_memory(first[0], second[0])


@pytest.mark.parametrize("container", CONTAINERS)
def test_other_example_has_equal_length_and_other_features(container):
    X, other = example(container), other_example(container)
    assert len(other) == len(X)
    if container == "text":
        assert set("".join(other)) - set("".join(X))
    elif container == "tokens":
        assert other.vocabulary_size > X.vocabulary_size
    else:
        assert (X[0].shape[1], other[0].shape[1]) == (2, 3)


def test_sequences_have_the_lengths_and_the_array_has_one():
    assert [x.shape for x in sequences(3)] == [(length, 3) for length in LENGTHS]
    assert array(3).shape == (24, 4, 3)
    assert len(set(LENGTHS)) > 1 and min(LENGTHS) > 1


def test_the_features_of_the_second_class_are_larger():
    means = np.array([x.mean() for x in sequences()])
    assert means[CLASSES == 1].mean() - means[CLASSES == 0].mean() > 0.5


def test_steps_after_the_end_are_padded_with_nan():
    X = sequences()
    table = pad(X, 7)
    assert table.shape == (24, 7, 2)
    for row, x in zip(table, X, strict=True):
        assert_array_equal(row[: len(x)], x)
        assert np.isnan(row[len(x) :]).all()


def test_tokens_are_padded_codes_and_the_classes_share_only_some():
    X = tokens()
    assert type(X) is TokenArray and X.vocabulary_size == VOCABULARY_SIZE
    codes = X.view(np.ndarray)
    for row, length in zip(codes, LENGTHS, strict=True):
        assert (row[:length] >= 4).all() and not row[length:].any()
    first, second = (set(codes[CLASSES == k].ravel()) for k in (0, 1))
    assert first - second and second - first and (first & second) - {0}


def test_series_are_longer_than_the_window_of_a_forecaster():
    X, other = example("series"), other_example("series")
    assert [x.shape for x in X] == [(length, 2) for length in SERIES_LENGTHS]
    assert [x.shape[1] for x in other] == [3] * len(X)
    assert min(SERIES_LENGTHS) > RNNForecaster().window + RNNForecaster().horizon
    assert joblib.hash(example("series")) == joblib.hash(X)


def test_tables_have_a_row_for_each_sequence():
    assert example("table").shape == (24, 4)
    assert other_example("table").shape == (24, 3)


@pytest.mark.parametrize("container", ["3d", "ragged", "tokens"])
def test_targets_of_steps_have_the_lengths_of_the_sequences(container):
    X = example(container)
    lengths = [4] * 24 if container == "3d" else list(LENGTHS)
    assert not answers_each_step(RNNClassifier())
    for kind in (RNNClassifier, RNNRegressor):
        y = targets(make_pipeline(kind(return_sequences=True)), container)
        assert len(y) == len(X) and [len(row) for row in y] == lengths
        assert all(len(set(row)) == 2 for row in y)  # steps differ


def test_texts_have_no_targets_of_steps():
    model = make_pipeline(CharVectorizer(), RNNClassifier(return_sequences=True))
    with pytest.raises(SkipTest, match="needs the token count of each text"):
        targets(model, "text")


def test_forecasters_have_no_targets():
    assert targets(RNNForecaster(), "series") is None


@pytest.mark.parametrize("container", [*CONTAINERS, "table", "series"])
def test_only_the_last_sequence_is_spoilt(container):
    X, before = example(container), example(container)
    spoilt = spoil_last(X, container)
    assert joblib.hash(X) == joblib.hash(before)
    assert len(spoilt) == len(X)
    for a, b in zip(spoilt[:-1], X[:-1], strict=True):
        assert_array_equal(a, b)
    assert not np.array_equal(spoilt[-1], X[-1])


def test_pandas_series_has_a_descending_index():
    X = sequences()
    series = series_of(X)
    assert isinstance(series, pd.Series)
    assert all(a is b for a, b in zip(series, X, strict=True))
    assert series.loc[series.index[0]] is X[0]
    assert not set(series.index[:5]) & set(range(5))


def test_a_series_without_pandas_skips_the_check(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(SkipTest, match="pandas is not installed"):
        series_of(sequences())


def test_targets_are_labels_for_a_classifier_and_numbers_for_others():
    labels = targets(LogisticRegression())
    assert_array_equal(labels, CLASSES)
    assert labels is not CLASSES and not np.shares_memory(labels, CLASSES)
    numbers = targets(LinearRegression())
    assert_array_equal(numbers, [x[:, 0].mean() for x in sequences()])
