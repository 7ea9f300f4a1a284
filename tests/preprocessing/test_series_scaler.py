"""SeriesScaler: each sequence by its own mean and scale, in any container."""

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from sklearn_rnn import RNNClassifier, SeriesScaler, TokenArray

LENGTHS = [3, 5, 4, 1]


@pytest.fixture
def ragged(rng):
    """Sequences at levels and scales that differ by orders of magnitude."""
    scales = [1e-5, 1.0, 1e4, 1.0]
    return [
        scale * rng.normal([3, -7], size=(n, 2))
        for n, scale in zip(LENGTHS, scales, strict=True)
    ]


def padded(ragged):
    array = np.full((len(ragged), max(LENGTHS), ragged[0].shape[1]), np.nan)
    for row, x in zip(array, ragged, strict=True):
        row[: len(x)] = x
    return array


def by_hand(x):
    scale = np.where(x.max(axis=0) == x.min(axis=0), 1.0, x.std(axis=0))
    return (x - x.mean(axis=0)) / scale


def test_each_sequence_is_standardized_by_itself(ragged):
    scaler = SeriesScaler().fit(ragged)
    assert scaler.n_features_in_ == scaler.input_size_ == 2
    result = scaler.transform(ragged)
    assert isinstance(result, list)
    for x, z in zip(ragged, result, strict=True):
        np.testing.assert_allclose(z, by_hand(x), atol=1e-12)
        np.testing.assert_array_equal(scaler.transform([x])[0], z)
    series = scaler.transform(pd.Series(ragged))
    assert series.dtype == object and (series[1] == result[1]).all()
    array = padded(ragged)
    np.testing.assert_allclose(scaler.transform(array), padded(result))
    assert array is not scaler.transform(array)


def test_a_table_stays_a_table_without_statistics(rng):
    X = rng.normal(size=(6, 8)) * 10.0 ** np.arange(6)[:, None]
    frame = pd.DataFrame(X, columns=list("abcdefgh"))
    scaler = SeriesScaler().fit(frame)
    assert scaler.n_features_in_ == 8 and scaler.input_size_ == 1
    assert scaler.get_feature_names_out().tolist() == list("abcdefgh")
    np.testing.assert_allclose(scaler.transform(frame), [by_hand(x) for x in X])
    of_two = SeriesScaler(input_size=2).fit(X)
    assert of_two.transform(X).shape == (6, 8)
    steps = of_two.transform(X.reshape(6, 4, 2))  # the same sequences
    np.testing.assert_array_equal(of_two.transform(X).reshape(6, 4, 2), steps)
    with_statistics = SeriesScaler(input_size=2, add_statistics=True).fit(X)
    assert with_statistics.transform(X).shape == (6, 4, 6)
    assert len(with_statistics.get_feature_names_out()) == 6


def test_statistics_are_kept_as_constant_features(ragged):
    scaler = SeriesScaler(add_statistics=True).fit(ragged)
    mean, scale = scaler.compute_statistics(ragged)
    for i, z in enumerate(scaler.transform(ragged)):
        assert z.shape == (LENGTHS[i], 6)
        assert (z[:, 2:] == z[0, 2:]).all()
        np.testing.assert_allclose(np.sinh(z[0, 2:4]), mean[i])
        np.testing.assert_allclose(np.exp(z[0, 4:]), scale[i])
    assert scaler.get_feature_names_out(["a", "b"]).tolist() == [
        *("a", "b", "a_asinh_mean", "b_asinh_mean", "a_log_scale", "b_log_scale")
    ]


@pytest.mark.parametrize("container", [list, padded])
def test_inverse_transform_restores_sequences_from_statistics(ragged, container):
    X = container(ragged)
    kept = SeriesScaler(add_statistics=True).fit(X)
    back = kept.inverse_transform(kept.transform(X))
    for x, original in zip(back, X, strict=True):
        np.testing.assert_allclose(x, original, rtol=1e-9)
    plain = SeriesScaler().fit(X)
    back = plain.inverse_transform(plain.transform(X), plain.compute_statistics(X))
    for x, original in zip(back, X, strict=True):
        np.testing.assert_allclose(x, original, rtol=1e-9)


def test_inverse_transform_restores_predictions_of_any_length(rng):
    X = 100 + 5 * rng.normal(size=(4, 12))
    scaler = SeriesScaler().fit(X)
    mean, scale = scaler.compute_statistics(X)
    predictions = rng.normal(size=(4, 3))
    expected = predictions * scale + mean
    np.testing.assert_allclose(
        scaler.inverse_transform(predictions, (mean, scale)), expected
    )
    with pytest.raises(ValueError, match=r"keep them in X with .*add_statistics=True"):
        scaler.inverse_transform(predictions)
    with pytest.raises(ValueError, match=r"shapes \[\(3, 1\), \(3, 1\)\]; .*\(4, 1\)"):
        scaler.inverse_transform(predictions, (mean[:3], scale[:3]))
    with pytest.raises(ValueError, match="2 features per step, but 1 are expected"):
        scaler.inverse_transform(np.ones((4, 3, 2)), (mean, scale))


@pytest.mark.parametrize("value", [0.0, 0.1, 1e300, -3e-300])
def test_a_constant_sequence_becomes_zero(value):
    """Also where the sum of its steps is rounded."""
    for n in (1, 3, 10):
        X = [np.full(n, value), np.arange(3.0)]
        scaler = SeriesScaler().fit(X)
        assert (scaler.transform(X)[0] == 0).all()
        mean, scale = scaler.compute_statistics(X)
        assert mean[0] == value and scale[0] == 1


def test_rounding_errors_do_not_count_as_variation():
    x = 0.1 + 0.2 * np.array([1, 1 + 4e-16, 1])
    assert abs(SeriesScaler().fit_transform([x])[0]).max() < 1e-15
    tiny = np.array([1e-200, 2e-200])
    np.testing.assert_allclose(
        SeriesScaler().fit_transform([tiny])[0].ravel(), [-1.0, 1.0]
    )


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize("add_statistics", [False, True])
def test_number_type(ragged, dtype, add_statistics):
    X = [(100 * x).astype(dtype) for x in ragged]
    expected = "float32" if dtype == "float32" else "float64"
    scaler = SeriesScaler(add_statistics=add_statistics).fit(X)
    result = scaler.transform(X)
    assert {x.dtype for x in result} == {np.dtype(expected)}
    statistics = None if add_statistics else scaler.compute_statistics(X)
    assert scaler.inverse_transform(result, statistics)[0].dtype == expected


def test_frames_have_named_features(ragged):
    frames = [pd.DataFrame(x, columns=["a", "b"]) for x in ragged]
    scaler = SeriesScaler().fit(frames)
    assert scaler.feature_names_in_.tolist() == ["a", "b"]
    assert scaler.get_feature_names_out().tolist() == ["a", "b"]
    for x, z in zip(ragged, scaler.transform(frames), strict=True):
        np.testing.assert_allclose(z, by_hand(x), atol=1e-12)
    with pytest.raises(ValueError, match="feature names should match"):
        scaler.transform([frame[["b", "a"]] for frame in frames])
    dated = [frame.assign(a=pd.Timestamp("2020-01-01")) for frame in frames]
    with pytest.raises(ValueError, match="Column 'a' contains dates"):
        SeriesScaler().fit(dated)


def test_invalid_input_raises_an_error(ragged):
    with pytest.raises(ValueError, match="NaN: sequence 1, step 2"):
        bad = [x.copy() for x in ragged]
        bad[1][2, 0] = np.nan
        SeriesScaler().fit(bad)
    with pytest.raises(TypeError, match="X contains tokens"):
        SeriesScaler().fit(TokenArray([[4, 5]], 6))
    scaler = SeriesScaler().fit(ragged)
    with pytest.raises(ValueError, match=r"1 features per step, .* fitted with 2"):
        scaler.transform([x[:, :1] for x in ragged])
    before = vars(scaler).copy()
    with pytest.raises(ValueError, match="has no steps"):
        scaler.fit([np.ones((0, 3)), np.ones((2, 3))])
    assert vars(scaler) == before


def test_shapes_are_classified_at_any_scale(rng):
    """Classify rising and falling sequences at scales from 1e-3 to 1e3."""
    y = rng.integers(0, 2, size=160)
    scales = 10.0 ** rng.uniform(-3, 3, size=(160, 1))
    slopes = np.where(y[:, None], 1.0, -1.0) * np.linspace(-1, 1, 12)
    X = scales * (slopes + 0.5 * rng.normal(size=(160, 12)) + 5)
    net = RNNClassifier("gru", 8, max_epochs=15, random_state=0)
    scores = [
        model.fit(X[:100], y[:100]).score(X[100:], y[100:])
        for model in (net, make_pipeline(SeriesScaler(), net))
    ]
    assert scores[1] > 0.95 and scores[1] > scores[0] + 0.1
