"""Explained outputs are those that models predict."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from sklearn_rnn import CharVectorizer, RNNClassifier, RNNRegressor, SequenceGenerator
from sklearn_rnn.inspection._outputs import (
    SequenceOutput,
    TextOutput,
    check_code,
    convert_logits,
    find_target,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 5, 2))
WORDS = ["anna", "otto", "nora"] * 4


def fit(model, X, y):
    return model.set_params(hidden_size=3, max_epochs=1, random_state=0).fit(X, y)


def outputs_of(output, values, k):
    with torch.no_grad():
        return float(output.compute(output.embed(values)[None], k)[0])


@pytest.mark.parametrize("bidirectional", [False, True])
def test_classes_have_probabilities_and_log_odds(bidirectional):
    model = fit(RNNClassifier(bidirectional=bidirectional), X, ["a", "b", "c"] * 4)
    proba = model.predict_proba(X[:1])[0]
    for k in range(3):
        found = outputs_of(SequenceOutput(model, "proba"), X[0], k)
        assert found == pytest.approx(proba[k], abs=1e-5)
        found = outputs_of(SequenceOutput(model, "auto"), X[0], k)
        assert found == pytest.approx(np.log(proba[k] / (1 - proba[k])), abs=1e-5)


def test_labels_of_an_indicator_matrix():
    model = fit(RNNClassifier(), X, RNG.integers(0, 2, size=(12, 3)))
    proba = model.predict_proba(X[:1])[0, 2]
    assert outputs_of(SequenceOutput(model, "proba"), X[0], 2) == pytest.approx(
        proba, abs=1e-5
    )
    assert outputs_of(SequenceOutput(model, "log_odds"), X[0], 2) == pytest.approx(
        np.log(proba / (1 - proba)), abs=1e-5
    )


def test_numbers_have_the_unit_of_y():
    model = fit(RNNRegressor(), X, 100 + 50 * X[:, 0])
    output = SequenceOutput(model, "auto")
    expected = model.predict(X[:1])[0, 1]
    assert outputs_of(output, X[0], 1) == pytest.approx(expected, abs=1e-3)
    assert output.find_unit(1) == pytest.approx(50 * X[:, 0, 1].std())


def test_predictions_at_a_step():
    model = fit(RNNClassifier(return_sequences=True), X, X[..., 0] > 0)
    output = SequenceOutput(model, "proba")
    output.select_step(-2, 5, "sequence 0")
    assert outputs_of(output, X[0], 1) == pytest.approx(
        model.predict_proba(X[:1])[0, -2, 1], abs=1e-5
    )
    with pytest.raises(ValueError, match=r"step=5.* 5, the number .* sequence 0"):
        output.select_step(5, 5, "sequence 0")


@pytest.mark.parametrize("embedding", ["auto", "onehot"])
def test_codes_and_their_baseline(embedding):
    tokens = CharVectorizer().fit_transform(WORDS)
    model = fit(RNNClassifier(embedding=embedding), tokens, [0, 1, 2] * 4)
    output, codes = SequenceOutput(model, "proba"), np.asarray(tokens[0])
    assert outputs_of(output, codes, 0) == pytest.approx(
        model.predict_proba(tokens[:1])[0, 0], abs=1e-5
    )
    unknown = output.embed(np.ones_like(codes))
    assert_allclose(output.embed_baseline(codes, None), unknown)
    assert_allclose(
        output.embed_baseline(codes, int(codes[1]))[0], output.embed(codes)[1]
    )
    with pytest.raises(ValueError, match="baseline=0; expected None or a code"):
        check_code(0, output.network)


def test_the_next_token():
    model = SequenceGenerator(hidden_size=3, max_epochs=1, random_state=0).fit(WORDS)
    output = TextOutput(model, "proba")
    codes = model.vectorizer_.transform(["ann"]).view(np.ndarray)[0]
    for k, proba in enumerate(model.predict_proba("ann")[0]):
        assert outputs_of(output, codes, k) == pytest.approx(proba, abs=1e-5)


def test_the_baseline_of_numbers_is_their_mean():
    model = fit(RNNClassifier(), X, X[:, 0, 0] > 0)
    output = SequenceOutput(model, "auto")
    mean = X.mean((0, 1))
    assert_allclose(output.embed_baseline(X[0], None), np.tile(mean, (5, 1)))
    assert_allclose(output.embed_baseline(X[0], [1, 2]), np.tile([1, 2], (5, 1)))
    assert_allclose(output.embed_baseline(X[0], X[1]), X[1])
    with pytest.raises(ValueError, match="one number for each of the 2 features"):
        output.embed_baseline(X[0], [1, 2, 3])


def test_targets_are_found_by_name():
    assert find_target(["a", "b"], "b") == 1
    assert find_target([False, True], True) == 1
    assert find_target([(60, 1), (62, 2)], (62, 2)) == 1
    with pytest.raises(ValueError, match="target='c' is not one of 'a', 'b'"):
        find_target(["a", "b"], "c")


def test_log_odds_of_extreme_probabilities_are_finite():
    logits = torch.tensor([[1000.0, 0.0, -1000.0]], dtype=torch.float64)
    assert float(convert_logits(logits, 0, "log_odds")) == 1000
    assert float(convert_logits(logits, 2, "log_odds")) == -2000


@pytest.mark.parametrize(
    ("model", "y", "kind"),
    [
        (RNNClassifier(), X[:, 0, 0] > 0, "prediction"),
        (RNNRegressor(), X[:, 0, 0], "proba"),
    ],
)
def test_outputs_that_a_model_lacks_are_refused(model, y, kind):
    with pytest.raises(ValueError, match=f"output='{kind}'; expected one of"):
        SequenceOutput(fit(model, X, y), kind)
