"""SequenceDisplay shows states and answers as streams have them."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import CharVectorizer, RNNClassifier, RNNRegressor, StepwiseTransformer
from sklearn_rnn.display import SequenceDisplay

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 7, 2))
Y = np.where(X.sum(axis=(1, 2)) > 0, "up", "down")


def classifier(cell="lstm", units=4, **params):
    return RNNClassifier(cell, units, max_epochs=1, random_state=0, **params)


def curves(display):
    return np.column_stack([line.get_ydata() for line in display.lines_])


def test_probabilities_after_each_step_of_a_label_a_sequence():
    model = classifier().fit(X, Y)
    display = SequenceDisplay.from_estimator(model, X[0])
    expected = [model.predict_proba(X[:1, :t])[0] for t in range(1, 8)]
    assert_allclose(curves(display), expected, rtol=1e-5)
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["down", "up"]
    assert display.ax_.get_ylabel() == "probability"


def test_probabilities_of_a_label_a_step():
    y = np.where(X[:, :, 0].cumsum(axis=1) > 0, "up", "down")
    model = classifier(return_sequences=True).fit(X, y)
    display = SequenceDisplay.from_estimator(
        model, X[0], units=[1], labels=list("abcdefg"), color="red"
    )
    assert_allclose(
        curves(display)[:, 0], model.predict_proba(X[:1])[0, :, 1], rtol=1e-5
    )
    assert [t.get_text() for t in display.ax_.get_xticklabels()] == list("abcdefg")
    assert display.lines_[0].get_color() == "red"


@pytest.mark.parametrize("what", ["hidden", "cell"])
def test_states_are_those_of_the_stream(what):
    model = classifier(num_layers=2).fit(X, Y)
    stream, expected = model.stream(), []
    for x in X[0]:
        stream.predict(x)
        expected.append(stream.state[f"{what}_0"][0])
    display = SequenceDisplay.from_estimator(model, X[0], what=what, layer=0)
    assert_array_equal(curves(display), expected)
    top = SequenceDisplay.from_estimator(model, X[0], what=what)
    assert not np.array_equal(curves(top), expected)
    assert display.ax_.get_ylabel() == f"{what} state"


def test_many_units_are_a_heat_map():
    model = classifier(units=12).fit(X, Y)
    ax = plt.figure().add_subplot()
    display = SequenceDisplay.from_estimator(model, X[0], what="hidden", ax=ax)
    assert display.ax_ is ax
    assert display.lines_ is None
    assert display.image_.get_array().shape == (12, 7)
    lines = SequenceDisplay.from_estimator(model, X[0], what="hidden", heatmap=False)
    assert_array_equal(curves(lines).T, display.image_.get_array())


def test_numbers_and_tokens():
    model = RNNRegressor("gru", 4, max_epochs=1, random_state=0)
    model.fit(X, X.sum(axis=1))
    display = SequenceDisplay.from_estimator(model, X[0], what="prediction")
    assert_allclose(curves(display)[-1], model.predict(X[:1])[0], rtol=1e-5)
    words = ["otto", "anna"] * 5
    tokens = CharVectorizer().fit_transform(words)
    tagger = classifier("gru").fit(tokens, [0, 1] * 5)
    display = SequenceDisplay.from_estimator(tagger, tokens[0], labels=list("otto"))
    assert_allclose(curves(display)[-1], tagger.predict_proba(tokens[:1])[0], rtol=1e-5)


def test_pipelines_read_what_they_were_fitted_on():
    scaled = make_pipeline(StepwiseTransformer(StandardScaler()), classifier())
    scaled.fit(X, Y)
    display = SequenceDisplay.from_estimator(scaled, X[0])
    assert_allclose(curves(display)[-1], scaled.predict_proba(X[:1])[0], rtol=1e-5)
    tags = [[0, 1, 1, 0], [1, 0, 0, 1]] * 5
    tagger = make_pipeline(CharVectorizer(), classifier("gru", return_sequences=True))
    tagger.fit(["otto", "anna"] * 5, tags)
    display = SequenceDisplay.from_estimator(tagger, "otto", labels=list("otto"))
    assert_allclose(curves(display), tagger.predict_proba(["otto"])[0], rtol=1e-5)


def test_rows_of_a_frame_are_steps():
    model = classifier().fit(X, Y)
    display = SequenceDisplay.from_estimator(model, pd.DataFrame(X[0]))
    like = SequenceDisplay.from_estimator(model, X[0])
    assert_allclose(curves(display), curves(like), rtol=1e-6)


def test_layers_count_from_the_first_also_beyond_ten():
    model = classifier("rnn", num_layers=11).fit(X, Y)
    stream = model.stream()
    stream.predict(X[:1])
    display = SequenceDisplay.from_estimator(model, X[0], what="hidden")
    assert_allclose(curves(display)[-1], stream.state["hidden_10"][0], rtol=1e-5)


def test_what_is_not_there_is_refused():
    with pytest.raises(NotFittedError):
        SequenceDisplay.from_estimator(classifier(), X[0])
    model = classifier("gru").fit(X, Y)
    with pytest.raises(ValueError, match=r"no cell state of layer -1; .*hidden_0"):
        SequenceDisplay.from_estimator(model, X[0], what="cell")
    with pytest.raises(ValueError, match="no hidden state of layer 3"):
        SequenceDisplay.from_estimator(model, X[0], what="hidden", layer=3)
    with pytest.raises(ValueError, match="what='gates'"):
        SequenceDisplay.from_estimator(model, X[0], what="gates")
    with pytest.raises(ValueError, match='Ask for what="proba"'):
        SequenceDisplay.from_estimator(model, X[0], what="prediction")
    regressor = RNNRegressor("gru", 4, max_epochs=1).fit(X, X.sum(axis=(1, 2)))
    with pytest.raises(ValueError, match="has no probabilities"):
        SequenceDisplay.from_estimator(regressor, X[0])
    both = classifier(bidirectional=True).fit(X, Y)
    with pytest.raises(ValueError, match="bidirectional"):
        SequenceDisplay.from_estimator(both, X[0])
    with pytest.raises(TypeError, match="LogisticRegression has no streams"):
        SequenceDisplay.from_estimator(LogisticRegression().fit(X[:, 0], Y), X[0])
    with pytest.raises(ValueError, match=r"units=\[9\]; expected integers below 4"):
        SequenceDisplay.from_estimator(model, X[0], what="hidden", units=[9])
    with pytest.raises(ValueError, match="sequence is empty"):
        SequenceDisplay.from_estimator(model, X[0][:0])
    with pytest.raises(ValueError, match="2 labels for 7 steps"):
        SequenceDisplay.from_estimator(model, X[0], labels=["a", "b"])
