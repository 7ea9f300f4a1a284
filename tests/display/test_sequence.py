"""SequenceDisplay shows the states and predictions that streams have."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
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


def test_probabilities_after_each_step_with_one_label_per_sequence():
    model = classifier().fit(X, Y)
    display = SequenceDisplay.from_estimator(model, X[0])
    expected = [model.predict_proba(X[:1, :t])[0] for t in range(1, 8)]
    assert_allclose(curves(display), expected, rtol=1e-5)
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["down", "up"]
    assert display.ax_.get_ylabel() == "probability"


def test_probabilities_with_one_label_per_step():
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


def test_predicted_numbers_and_models_of_tokens():
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
    for sequence in (X[0], X[:1]):
        display = SequenceDisplay.from_estimator(scaled, sequence)
        assert_allclose(curves(display)[-1], scaled.predict_proba(X[:1])[0], rtol=1e-5)
    search = GridSearchCV(scaled, {"rnnclassifier__hidden_size": [2]}, cv=2).fit(X, Y)
    display = SequenceDisplay.from_estimator(search, X[:1])
    assert_allclose(curves(display)[-1], search.predict_proba(X[:1])[0], rtol=1e-5)


def test_the_steps_of_a_text_are_labeled_with_its_letters():
    tags = [[0, 1, 1, 0], [1, 0, 0, 1]] * 5
    tagger = make_pipeline(CharVectorizer(), classifier("gru", return_sequences=True))
    tagger.fit(["ot o", "an\na"] * 5, tags)
    for text, shown in (("ot o", "ot\u2423o"), ("an\na", "an\u21b5a")):
        display = SequenceDisplay.from_estimator(tagger, text)
        assert_allclose(curves(display), tagger.predict_proba([text])[0], rtol=1e-5)
        assert [t.get_text() for t in display.ax_.get_xticklabels()] == list(shown)
    named = SequenceDisplay.from_estimator(tagger, "ot o", labels=["$a$", 2, 3, 4])
    assert named.ax_.get_xticklabels()[0].get_text() == "$a$"
    named.figure_.canvas.draw()


def test_labels_that_do_not_fit_given_axes_are_numbers():
    ax = plt.figure(figsize=(3, 3)).gca()
    labels = [f"word {k}" for k in range(100)]
    values = np.zeros((100, 2))
    SequenceDisplay(values, labels=labels).plot(ax=ax)
    assert ax.get_xlabel() == "step"
    own = SequenceDisplay(values, labels=labels).plot()
    assert [t.get_text() for t in own.ax_.get_xticklabels()] == labels
    assert own.figure_.get_figwidth() > 10


def test_probabilities_have_a_sequential_scale_from_0_to_1():
    values = np.full((5, 12), 0.2)
    names = [f"a class with a rather long name, {k}" for k in range(12)]
    display = SequenceDisplay(
        values, names=names, ylabel="probability", probabilities=True
    ).plot()
    assert display.image_.get_clim() == (0, 1)
    assert display.image_.get_cmap().name == "Blues"
    assert display.colorbar_.ax.get_ylabel() == "probability"
    display.figure_.canvas.draw()
    for label in display.ax_.get_yticklabels():
        assert label.get_text() in names and label.get_window_extent().x0 >= 0
    lines = SequenceDisplay(values, names=names, probabilities=True).plot(heatmap=False)
    assert lines.ax_.get_ylim() == (-0.03, 1.03)
    lines.figure_.canvas.draw()
    extent = lines.ax_.get_legend().get_window_extent()
    assert extent.x1 <= lines.figure_.bbox.x1
    assert extent.x0 >= lines.ax_.get_window_extent().x1


@pytest.mark.parametrize(
    ("low", "high", "cmap", "limits"),
    [
        (-1, 4, "RdBu_r", (-4, 4)),
        (100, 110, "viridis", (100, 110)),
        (-3, -1, "viridis", (-3, -1)),
    ],
)
def test_only_values_of_both_signs_have_a_diverging_scale(low, high, cmap, limits):
    values = np.full((5, 12), float(low))
    values[0, 0] = high
    image = SequenceDisplay(values).plot().image_
    assert (image.get_cmap().name, image.get_clim()) == (cmap, limits)
    assert SequenceDisplay(values).plot(cmap="Greys").image_.get_cmap().name == "Greys"


def test_a_single_step_is_drawn_with_markers():
    display = SequenceDisplay.from_estimator(classifier().fit(X, Y), X[0, :1])
    assert {line.get_marker() for line in display.lines_} == {"o"}


def test_rows_of_a_frame_are_steps():
    model = classifier().fit(X, Y)
    display = SequenceDisplay.from_estimator(model, pd.DataFrame(X[0]))
    like = SequenceDisplay.from_estimator(model, X[0])
    assert_allclose(curves(display), curves(like), rtol=1e-6)


def test_more_than_ten_layers_are_counted_from_the_first():
    model = classifier("rnn", num_layers=11).fit(X, Y)
    stream = model.stream()
    stream.predict(X[:1])
    display = SequenceDisplay.from_estimator(model, X[0], what="hidden")
    assert_allclose(curves(display)[-1], stream.state["hidden_10"][0], rtol=1e-5)


def test_values_that_the_model_does_not_have_are_refused():
    with pytest.raises(NotFittedError):
        SequenceDisplay.from_estimator(classifier(), X[0])
    model = classifier("gru").fit(X, Y)
    with pytest.raises(ValueError, match=r"no cell state of layer -1; .*hidden_0"):
        SequenceDisplay.from_estimator(model, X[0], what="cell")
    with pytest.raises(ValueError, match="no hidden state of layer 3"):
        SequenceDisplay.from_estimator(model, X[0], what="hidden", layer=3)
    with pytest.raises(ValueError, match="what='gates'"):
        SequenceDisplay.from_estimator(model, X[0], what="gates")
    with pytest.raises(ValueError, match='Set what="proba"'):
        SequenceDisplay.from_estimator(model, X[0], what="prediction")
    regressor = RNNRegressor("gru", 4, max_epochs=1).fit(X, X.sum(axis=(1, 2)))
    with pytest.raises(ValueError, match="predicts no probabilities"):
        SequenceDisplay.from_estimator(regressor, X[0])
    both = classifier(bidirectional=True).fit(X, Y)
    with pytest.raises(ValueError, match="bidirectional"):
        SequenceDisplay.from_estimator(both, X[0])
    with pytest.raises(TypeError, match="LogisticRegression has no streams"):
        SequenceDisplay.from_estimator(LogisticRegression().fit(X[:, 0], Y), X[0])
    for units in ([9], [True, False, True, False], [], 1, "0"):
        with pytest.raises(ValueError, match="; expected a list of integers below 4"):
            SequenceDisplay.from_estimator(model, X[0], what="hidden", units=units)
    with pytest.raises(ValueError, match="sequence is empty"):
        SequenceDisplay.from_estimator(model, X[0][:0])
    with pytest.raises(ValueError, match="2 labels for 7 steps"):
        SequenceDisplay.from_estimator(model, X[0], labels=["a", "b"])


def test_units_are_counted_from_the_end_by_negative_numbers():
    model = classifier().fit(X, Y)
    display = SequenceDisplay.from_estimator(model, X[0], what="hidden", units=[-1, 0])
    every = SequenceDisplay.from_estimator(model, X[0], what="hidden")
    assert_array_equal(display.values, every.values[:, [3, 0]])
    assert display.names == ["3", "0"]


def test_values_names_and_legends_fit_each_other():
    for shape in ((3,), (0, 3), (3, 0)):
        with pytest.raises(ValueError, match=r"got the shape \("):
            SequenceDisplay(np.ones(shape)).plot()
    with pytest.raises(ValueError, match="1 names for 2 curves"):
        SequenceDisplay(np.ones((5, 2)), names=["a"]).plot()
    many = SequenceDisplay(np.ones((5, 70)), names=range(70))
    assert many.plot(heatmap=False).ax_.get_legend() is None
    many.figure_.canvas.draw()  # a legend would leave no room for the axes
