"""Attributions add up, find what decides, and have the shape of X."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import (
    CharVectorizer,
    RNNClassifier,
    RNNForecaster,
    RNNRegressor,
    SequenceGenerator,
    SequenceTranslator,
    StepwiseTransformer,
    WordVectorizer,
)
from sklearn_rnn.inspection import attribute

RNG = np.random.default_rng(0)
METHODS = ("integrated_gradients", "occlusion")


def make_marked(n):
    """Sequences of random numbers; y is the number at the marked step."""
    X = RNG.uniform(-1, 1, size=(n, 6, 2))
    X[..., 1] = 0
    places = RNG.integers(6, size=n)
    X[np.arange(n), places, 1] = 1
    X[np.arange(n), places, 0] = RNG.choice([-1, 1], n) * RNG.uniform(0.5, 1, n)
    return X, X[np.arange(n), places, 0], places


X, Y, PLACES = make_marked(300)


@pytest.fixture(scope="module")
def regressor():
    model = RNNRegressor("gru", 8, pooling="mean", max_epochs=40, random_state=0)
    return model.fit(X, Y)


@pytest.mark.parametrize("method", METHODS)
def test_the_marked_step_decides(regressor, method):
    result = attribute(regressor, X[:40], method=method)
    by_step = np.abs(result.attributions.reshape(40, 6, -1).sum(2))
    assert (by_step.argmax(1) == PLACES[:40]).mean() >= 0.95
    assert_allclose(result.outputs, regressor.predict(X[:40]), atol=1e-5)
    assert result.targets == [0] * 40 and result.output == "prediction"
    assert result.tokens is None
    if method == "integrated_gradients":
        assert (result.gap < 1e-3).all()
        sums = result.attributions.sum((1, 2))
        rise = result.outputs - result.baseline_outputs
        gaps = np.abs(sums - rise) / Y.std()
        assert_allclose(gaps, result.gap, atol=1e-12)


def test_no_attribution_depends_on_other_sequences(regressor):
    ragged = [X[0, :4], X[1], X[2, :3]]
    together = attribute(regressor, ragged)
    padded = np.full((3, 6, 2), np.nan)
    for row, x in zip(padded, ragged, strict=True):
        row[: len(x)] = x
    in_array = attribute(regressor, padded).attributions
    assert np.isnan(in_array[0, 4:]).all() and in_array.shape == (3, 6, 2)
    for k, x in enumerate(ragged):
        alone = attribute(regressor, [x]).attributions[0]
        assert_array_equal(together.attributions[k], alone)
        assert_array_equal(in_array[k, : len(x)], alone)


def test_scaling_before_the_network_changes_nothing():
    labels = Y > 0
    model = RNNClassifier(
        hidden_size=4, max_epochs=2, random_state=0, precision="float64"
    )
    pipeline = make_pipeline(StepwiseTransformer(StandardScaler()), model)
    alone = RNNClassifier(
        hidden_size=4, max_epochs=2, random_state=0, precision="float64"
    ).fit(X, labels)
    found = attribute(pipeline.fit(X, labels), X[:3], tol=1e-6)
    expected = attribute(alone, X[:3], tol=1e-6)
    assert_allclose(found.attributions, expected.attributions, atol=1e-4)


def test_patches_have_attributions_per_step():
    model = RNNClassifier(hidden_size=4, max_epochs=1, patch_size=4, random_state=0)
    result = attribute(model.fit(X, Y > 0), X[:2], target=True)
    assert result.attributions.shape == (2, 6, 2)
    assert (result.gap < 1e-3).all() and result.targets == [True, True]


TEXTS = ["a good film", "a bad film", "good acting", "bad acting"] * 10


@pytest.mark.parametrize("vectorizer", [CharVectorizer(), WordVectorizer()])
@pytest.mark.parametrize("method", METHODS)
def test_texts_have_attributions_per_token(vectorizer, method):
    model = make_pipeline(
        vectorizer, RNNClassifier(hidden_size=8, max_epochs=10, random_state=0)
    ).fit(TEXTS, ["+", "-"] * 20)
    result = attribute(model, ["a good film", "Bad acting"], method=method, target="+")
    if isinstance(vectorizer, WordVectorizer):
        assert result.tokens == [["a", "good", "film"], ["Bad", "acting"]]
        assert result.attributions[0].argmax() == 1
        assert result.attributions[1].argmin() == 0
    else:
        assert "".join(result.tokens[1]) == "Bad acting"
    assert [len(part) for part in result.attributions] == list(map(len, result.tokens))


def test_the_next_token_of_a_generator():
    model = SequenceGenerator(hidden_size=8, max_epochs=20, random_state=0)
    model.fit(["abab", "cdcd", "abab", "cdcd"] * 8)
    result = attribute(model, ["ab", "abc"], output="proba")
    proba = [model.predict_proba(text)[0].max() for text in ("ab", "abc")]
    assert_allclose(result.outputs, proba, atol=1e-5)
    assert result.tokens == [["a", "b"], ["a", "b", "c"]]
    assert attribute(model, "ab", target="c").targets == ["c"]


def test_predictions_at_a_step():
    model = RNNClassifier(
        "lstm", 4, return_sequences=True, max_epochs=1, random_state=0
    ).fit(X, X[..., 0] > 0)
    result = attribute(model, X[:2], step=2)
    assert not result.attributions[:, 3:].any()
    assert result.attributions[:, :3].any(axis=2).all()


def test_occlusion_of_a_forecaster():
    season = np.tile([0.0, 1, 5, 2], 15)
    model = RNNForecaster(hidden_size=3, max_epochs=1, intervals=None, random_state=0)
    model.fit(season)
    series = [season[:20], season[1:19]]
    result = attribute(model, series, method="occlusion", target=2, width=2)
    assert [part.shape for part in result.attributions] == [(20,), (18,)]
    expected = [model.predict(s, horizon=2)[1] for s in series]
    assert_allclose(result.outputs, expected)
    masked = series[0].copy()
    masked[-2:] = np.nan
    effect = (expected[0] - model.predict(masked, horizon=2)[1]) / 2
    assert_allclose(result.attributions[0][-2:], effect)
    model.fit(season[:, None])
    assert attribute(model, season[:20, None], method="occlusion").outputs.shape == (
        1,
        1,
    )
    with pytest.raises(ValueError, match='Set method="occlusion"'):
        attribute(model, series)
    with pytest.raises(ValueError, match="step=1, but this RNNForecaster"):
        attribute(model, series, method="occlusion", step=1)


def test_a_gap_that_is_too_large_is_reported():
    model = RNNClassifier("rnn", 8, pooling="max", max_epochs=1, random_state=0)
    model.fit(X, Y > 0)
    with pytest.warns(UserWarning, match="completeness gap of 1 of 1 sequences"):
        attribute(model, 5 * X[:1], max_evaluations=32, tol=1e-12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "lime"}, "method='lime'"),
        ({"width": 0}, "width=0"),
        ({"width": 2}, 'Set width=1 or method="occlusion"'),
        ({"step": 0}, "RNNRegressor does not predict at every step"),
        ({"tol": 0}, "tol=0"),
        ({"tol": "small"}, "tol='small'"),
        ({"max_evaluations": 0.5}, "max_evaluations=0.5"),
        ({"target": 1}, "target=1 is not one of 0"),
        ({"output": "proba"}, "output='proba'"),
        ({"target": np.array([0, 0])}, "is not one of 0"),
        ({"baseline": 1j}, "baseline=1j; expected a number"),
        ({"baseline": [1, 2, 3]}, "one number for each of the 2 features"),
    ],
)
def test_invalid_options_are_errors(regressor, options, message):
    with pytest.raises(ValueError, match=message):
        attribute(regressor, X[:1], **options)


def test_other_estimators_are_refused():
    translator = SequenceTranslator(hidden_size=2, max_epochs=1, random_state=0)
    translator.fit(["ab", "ba"] * 5, ["ba", "ab"] * 5)
    with pytest.raises(TypeError, match="SequenceTranslator does not read"):
        attribute(translator, ["ab"])
