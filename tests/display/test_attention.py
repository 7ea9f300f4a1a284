"""AttentionDisplay shows the weights that the translator returns."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_rnn import SequenceTranslator, WordVectorizer
from sklearn_rnn.display import AttentionDisplay


def labels(axis):
    return [tick.get_text() for tick in axis.get_ticklabels()]


def fitted(X, y, **params):
    model = SequenceTranslator(
        hidden_size=8, max_epochs=15, learning_rate=0.02, random_state=0, **params
    )
    return model.fit(X, y)


def test_characters_name_rows_and_columns():
    model = fitted(["abc", "ba", "c"] * 8, ["xyz", "yx", "z"] * 8)
    target, weights = model.predict(["abc"], return_attention=True)
    display = AttentionDisplay.from_estimator(model, "abc", cmap="viridis")
    assert_array_equal(display.image_.get_array(), weights[0])
    assert labels(display.ax_.xaxis) == ["a", "b", "c"]
    assert labels(display.ax_.yaxis) == [*target[0], "<end>"]
    assert display.image_.get_cmap().name == "viridis"
    assert display.image_.get_clim() == (0, weights[0].max())
    assert display.colorbar_.ax.get_ylabel() == "attention weight"


def test_words_name_rows_and_columns_and_a_cut_target_has_no_end():
    words = WordVectorizer()
    model = fitted(
        ["one two", "two"] * 8,
        ["un deux", "deux"] * 8,
        source_vectorizer=words,
        target_vectorizer=words,
    )
    ax = plt.figure().add_subplot()
    display = AttentionDisplay.from_estimator(model, "one two", max_length=1, ax=ax)
    assert display.ax_ is ax
    assert labels(ax.xaxis) == ["one", "two"]
    assert len(labels(ax.yaxis)) == 1


def test_numbers_have_no_names():
    rng = np.random.default_rng(0)
    model = fitted([rng.normal(size=5) for _ in range(10)], [["a", "b"]] * 10)
    display = AttentionDisplay.from_estimator(model, np.ones(5))
    assert display.source is None
    assert display.attention.shape[1] == 5


def test_models_without_attention_several_sources_and_wrong_values_are_refused():
    model = SequenceTranslator(hidden_size=2, max_epochs=1, random_state=0)
    search = GridSearchCV(model, {"hidden_size": [3]}, cv=2)
    search.fit(["ab", "b"] * 4, ["ba", "b"] * 4)
    display = AttentionDisplay.from_estimator(search, "ab")
    assert labels(display.ax_.xaxis) == ["a", "b"]
    with pytest.raises(ValueError, match="got a list with the text 'ab'"):
        AttentionDisplay.from_estimator(search, ["ab", "b"])
    with pytest.raises(TypeError, match="Pipeline has no attention"):
        AttentionDisplay.from_estimator(make_pipeline(search.best_estimator_), "ab")
    for attention in ([1.0], np.empty((0, 2))):
        with pytest.raises(ValueError, match="got the shape"):
            AttentionDisplay(attention).plot()
    with pytest.raises(ValueError, match="1 names for 2 steps or codes"):
        AttentionDisplay(np.full((1, 2), 0.5), source=["a"]).plot()
