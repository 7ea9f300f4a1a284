"""Standardization of features by statistics of the training steps."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from sklearn_rnn._data import scaling
from sklearn_rnn._data.scaling import FeatureScaling
from sklearn_rnn._data.sequences import from_array, from_ragged


@pytest.fixture
def ragged(rng):
    return [rng.normal(5, [1, 100, 0.01], (length, 3)) for length in (4, 9, 2, 7)]


def fit(X, rows=None, weights=None):
    sequences = from_ragged(X)
    rows = np.arange(len(X)) if rows is None else rows
    return FeatureScaling.fit(sequences, rows, weights), sequences


@pytest.mark.parametrize("chunk", [1, 5, 1000])
def test_features_are_standardized_over_all_steps(ragged, chunk, monkeypatch):
    monkeypatch.setattr(scaling, "STEPS_PER_CHUNK", chunk)
    fitted, sequences = fit(ragged)
    expected = StandardScaler().fit_transform(np.concatenate(ragged))
    found = fitted.apply(sequences, np.float64).values
    np.testing.assert_allclose(found, expected)
    np.testing.assert_array_equal(fitted.apply_to_steps(ragged[2]), found[13:15])
    assert fitted.apply(sequences, np.float32).values.dtype == np.float32


def test_only_the_rows_that_train_are_measured(ragged):
    fitted, _ = fit(ragged, rows=np.array([0, 3]))
    steps = np.concatenate([ragged[0], ragged[3]])
    np.testing.assert_allclose(fitted.mean, steps.mean(axis=0))
    np.testing.assert_allclose(fitted.scale, steps.std(axis=0))


def test_padding_does_not_count():
    X = np.array([[[1.0], [3.0], [np.nan]], [[5.0], [7.0], [9.0]]])
    sequences = from_array(X)
    fitted = FeatureScaling.fit(sequences, np.arange(2))
    assert fitted.mean == [5.0]
    assert np.isnan(fitted.apply(sequences, np.float32).values[2])


def test_a_step_of_weight_two_counts_as_two(ragged):
    lengths = [len(x) for x in ragged]
    weighted, _ = fit(ragged, weights=np.repeat([1.0, 2, 0, 1], lengths))
    repeated, _ = fit([ragged[k] for k in (0, 1, 1, 3)])
    np.testing.assert_allclose(weighted.mean, repeated.mean, rtol=1e-14)
    np.testing.assert_allclose(weighted.scale, repeated.scale, rtol=1e-14)


def test_a_nearly_constant_feature_is_not_scaled_up_without_bound(rng):
    X = rng.normal(size=(1000, 2))
    X[:, 1] = 0
    X[17, 1] = 1
    fitted, sequences = fit([X])
    assert X[:, 1].std() < 0.04
    assert fitted.apply(sequences, np.float64).values[17, 1] == pytest.approx(
        10, rel=0.01
    )


def test_a_feature_of_a_small_unit_keeps_its_own_scale(rng):
    X = rng.normal(size=(1000, 2)) * [1e6, 1e-6]
    fitted, _ = fit([X])
    np.testing.assert_allclose(fitted.scale, X.std(axis=0))


def test_a_constant_feature_has_the_scale_of_the_others(rng):
    X = rng.normal(size=(50, 3)) * [3, 4, 0] + 0.1
    X[:, 2] = 0.1
    fitted, sequences = fit([X])
    assert (fitted.apply(sequences, np.float64).values[:, 2] == 0).all()
    assert fitted.scale[2] == pytest.approx(np.sqrt((X[:, :2].var(axis=0)).mean()))
    fitted, _ = fit([np.full((4, 2), 0.1)])
    assert fitted.scale.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rounding_errors_of_a_constant_are_not_scaled_up(rng, dtype):
    X = rng.normal(size=(50, 2)).astype(dtype)
    X[:, 1] = 0.7
    X[::2, 1] = np.nextafter(X[0, 1], dtype(0))
    fitted, _ = fit([X])
    assert fitted.scale[1] == pytest.approx(X[:, 0].std(), rel=1e-5)


def test_small_changes_of_large_values_are_scaled(rng):
    pressure = (101_325 + rng.normal(size=(50, 1))).astype(np.float32)
    seconds = 1.7e9 + rng.normal(size=(50, 1))
    grey = rng.integers(250, 256, size=(50, 1)).astype(np.uint8)
    for X in (pressure, seconds, grey):
        fitted, _ = fit([X])
        np.testing.assert_allclose(fitted.scale, X.std(axis=0, dtype=float), rtol=1e-5)


def test_values_whose_squares_overflow_raise_an_error():
    with pytest.raises(
        ValueError, match=r"feature 1 of X are too large.*scaling=False"
    ):
        fit([np.array([[1.0, 1e300], [2.0, -1e300]])])
