"""One sequence is read in any container, alone or through a Pipeline."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_rnn import (
    CharVectorizer,
    RNNClassifier,
    RNNForecaster,
    SequenceGenerator,
    SequenceTranslator,
    StepwiseTransformer,
    WordVectorizer,
)
from sklearn_rnn.inspection._steps import read_steps, restore_case

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 4, 3))
Y = [0, 1] * 10
FRAME = pd.DataFrame(X.reshape(20, 12), columns=[f"c{k}" for k in range(12)])


def classifier(**params):
    return RNNClassifier("gru", 3, max_epochs=1, random_state=0, **params)


@pytest.fixture(scope="module")
def array_model():
    return classifier().fit(X, Y)


def test_steps_of_arrays(array_model):
    frame, flat = pd.DataFrame(X[0]), X[0].ravel()
    for sequence in (X[0], X[:1], [X[0]], X[0].tolist(), frame, flat):
        model, steps, labels = read_steps(array_model, sequence)
        assert model is array_model and labels is None
        assert_allclose(steps, X[0], rtol=1e-6)


def test_a_pipeline_selects_columns_of_a_frame_by_name():
    frames = [pd.DataFrame(x, columns=list("abc")) for x in X]
    select = ColumnTransformer([("", "passthrough", ["c", "a"])])
    model = make_pipeline(StepwiseTransformer(select), classifier()).fit(frames, Y)
    for sequence in (frames[0], frames[:1]):
        assert_allclose(read_steps(model, sequence)[1], X[0][:, [2, 0]], rtol=1e-6)


def test_rows_of_a_table():
    table = FRAME.to_numpy()
    model = classifier(input_size=3).fit(table, Y)
    for sequence in (table[0], table[:1], X[0], X[:1], table[0].tolist()):
        assert_allclose(read_steps(model, sequence)[1], X[0], rtol=1e-6)
    model = classifier(input_size=3).fit(FRAME, Y)
    for sequence in (FRAME.iloc[0], FRAME[:1]):
        assert_allclose(read_steps(model, sequence)[1], X[0], rtol=1e-6)
    with pytest.raises(ValueError, match="feature names should match"):
        read_steps(model, FRAME[:1][FRAME.columns[::-1]])


@pytest.mark.parametrize(
    "sequence", [X[0, :, 0], X[:1, :, 0], X[0, :, :1], pd.Series(X[0, :, 0])]
)
def test_one_feature(sequence):
    model = classifier().fit(X[:, :, 0], Y)
    assert_allclose(read_steps(model, sequence)[1], X[0, :, :1], rtol=1e-6)


def test_padding_is_not_read(array_model):
    padded = np.full((6, 3), np.nan)
    padded[:4] = X[0]
    for sequence in (padded, padded[None]):
        assert_allclose(read_steps(array_model, sequence)[1], X[0], rtol=1e-6)


def test_transformers_of_a_pipeline_see_the_whole_sequence():
    scaled = make_pipeline(StandardScaler(), classifier(input_size=3)).fit(FRAME, Y)
    expected = scaled[0].transform(FRAME[:1]).reshape(4, 3)
    for sequence in (FRAME[:1], FRAME.iloc[0]):
        assert_allclose(read_steps(scaled, sequence)[1], expected, rtol=1e-5)
    table = make_pipeline(StandardScaler(), classifier(input_size=3))
    table.fit(FRAME.to_numpy(), Y)
    for sequence in (X[0], X[0].ravel(), X[:1].reshape(1, 12)):
        assert_allclose(read_steps(table, sequence)[1], expected, rtol=1e-5)
    steps = make_pipeline(StepwiseTransformer(StandardScaler()), classifier())
    steps.fit(X, Y)
    expected = steps[0].transform(X[:1])[0]
    for sequence in (X[0], X[:1], [X[0]], pd.DataFrame(X[0])):
        assert_allclose(read_steps(steps, sequence)[1], expected, rtol=1e-5)
    passing = make_pipeline(
        "passthrough", make_pipeline(FunctionTransformer(), classifier().fit(X, Y))
    )
    assert_allclose(read_steps(passing, X[0])[1], X[0], rtol=1e-6)


def test_texts_are_labeled_with_their_tokens():
    texts = ["otto", "anna"] * 5
    model = make_pipeline(CharVectorizer(), classifier()).fit(texts, Y[:10])
    codes = np.asarray(model[0].transform(["otto"]))[0]
    for sequence in ("otto", ["otto"], pd.Series(["otto"]), np.array(["otto"], object)):
        _, steps, labels = read_steps(model, sequence)
        assert_array_equal(steps, codes)
        assert labels == list("otto")
    assert read_steps(model, list("otx"))[2] == list("otx")  # x is unknown
    bounded = make_pipeline(CharVectorizer(boundaries=True), classifier())
    labels = read_steps(bounded.fit(texts, Y[:10]), "otto")[2]
    assert labels[1:-1] == list("otto") and len(labels) == 6
    cut = make_pipeline(CharVectorizer(max_length=2), classifier())
    assert read_steps(cut.fit(texts, Y[:10]), "anna")[2] == ["a", "n"]
    words = make_pipeline(WordVectorizer(), classifier()).fit(["a b", "c"] * 5, Y[:10])
    for sequence in ("c b", ["c", "b"]):
        assert read_steps(words, sequence)[2] == ["c", "b"]


def test_codes_have_no_labels():
    tokens = CharVectorizer().fit_transform(["otto", "an"] * 5)
    model = classifier().fit(tokens, Y[:10])
    for sequence in (tokens[1], tokens[1:2], np.asarray(tokens)[1]):
        _, steps, labels = read_steps(model, sequence)
        assert_array_equal(steps, np.asarray(tokens)[1, :2])
        assert labels is None
    assert_array_equal(read_steps(model, [4, 6])[1], [4, 6])


def test_generators_read_text_token_by_token():
    options = {"hidden_size": 3, "max_epochs": 1, "random_state": 0}
    words = SequenceGenerator(WordVectorizer(lowercase=False), **options).fit(
        ["a cat", "a dog"] * 3
    )
    for sequence in ("a dog", ["a dog"]):
        assert read_steps(words, sequence)[1:] == (["a", "dog"],) * 2
    tokens = SequenceGenerator(None, **options).fit([["x", "y"], ["y", "z"]] * 3)
    for sequence in (["y", "x"], [["y", "x"]]):
        assert read_steps(tokens, sequence)[1:] == (["y", "x"],) * 2
    codes = CharVectorizer().fit_transform(["otto", "an"] * 5)
    model = SequenceGenerator(**options).fit(codes)
    assert_array_equal(read_steps(model, codes[:1])[1], codes[0])
    for other in (None, 5):
        with pytest.raises(TypeError, match="expected a text or a list of tokens"):
            read_steps(words, other)
    with pytest.raises(TypeError, match="sequence is a dict"):
        read_steps(words, {"a": 1})


def test_series_are_read_step_by_step():
    series = np.arange(30.0)
    model = RNNForecaster(
        hidden_size=3, window=8, max_epochs=1, intervals=None, random_state=0
    ).fit(series)
    for sequence in (series, pd.Series(series), series[None, :, None]):
        assert_array_equal(np.ravel(read_steps(model, sequence)[1]), series)


def test_several_sequences_and_other_shapes_are_refused(array_model):
    for several in (X[:2], [X[0], X[1, :2]], [X[0][:, 0], X[0][:2, 0]]):
        with pytest.raises(ValueError, match=r"one sequence.*Select one: X\[i\]"):
            read_steps(array_model, several)
    for other in (X[None], None, [None], 5):
        with pytest.raises(ValueError, match="expected one sequence of shape"):
            read_steps(array_model, other)
    with pytest.raises(ValueError, match="fitted with 3 features"):
        read_steps(array_model, np.zeros((4, 2)))
    for empty in ("", [], X[0][:0], FRAME[:0]):
        with pytest.raises(ValueError, match="sequence is empty"):
            read_steps(array_model, empty)
    translator = SequenceTranslator(hidden_size=2, max_epochs=1)
    translator.fit(["ab", "b"] * 3, ["b", "ab"] * 3)
    with pytest.raises(TypeError, match="SequenceTranslator has no streams"):
        read_steps(translator, "ab")


def test_several_rows_of_a_table_are_refused():
    model = classifier().fit(FRAME.to_numpy(), Y)
    with pytest.raises(ValueError, match=r"got 2 sequences.*Select one: X\[i\]"):
        read_steps(model, FRAME.to_numpy()[:2])


def test_several_texts_are_no_list_of_tokens():
    texts = ["ab", "b"] * 10
    pipeline = make_pipeline(CharVectorizer(), classifier()).fit(texts, Y)
    generator = SequenceGenerator(hidden_size=3, max_epochs=1, random_state=0)
    generator.fit(texts)
    for model in (pipeline, generator):
        assert list(read_steps(model, ["a", "b"])[2]) == ["a", "b"]
        with pytest.raises(ValueError, match="got a list with the text 'ab'"):
            read_steps(model, ["ab", "b"])
    # a token of several words that is unknown is a token nevertheless
    places = [["New York", "is", "big"], ["big", "York"]] * 10
    pipeline = make_pipeline(WordVectorizer(lowercase=False), classifier())
    pipeline.fit(places, Y)
    labels = read_steps(pipeline, ["New Delhi", "is", "big"])[2]
    assert labels == ["New Delhi", "is", "big"]


def test_tokens_are_written_as_in_the_text():
    text = "The CAT sat, the End"
    assert restore_case(text, ["the", "cat", "the", "end"]) == [
        *("The", "CAT", "the", "End")
    ]
    assert restore_case(text, list(text.lower())) == list(text)
    for tokens in (["dog"], ["end", "the"], ["cat", ""]):
        assert restore_case(text, tokens) is tokens
    assert restore_case(["a"], ["b"]) == ["b"]
    assert restore_case("\u0130x", ["x"]) == ["x"]  # longer in lower case
