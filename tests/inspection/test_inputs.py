"""What networks read, for one sequence and for whole containers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import (
    CharVectorizer,
    RNNClassifier,
    RNNForecaster,
    SequenceGenerator,
    StepwiseTransformer,
    TokenArray,
    WordVectorizer,
)
from sklearn_rnn.inspection._inputs import encode_tokens, read_input, read_sequences

RNG = np.random.default_rng(0)
RAGGED = [RNG.normal(size=(n, 2)) for n in (3, 5, 4, 6)]
Y = [0, 1, 0, 1]
TEXTS = ["The cat sat.", "A dog", "cat", "Dog and cat"]


def classifier(**params):
    return RNNClassifier(hidden_size=2, max_epochs=1, random_state=0, **params)


def test_sequences_of_numbers_pass_through_the_transformers():
    model = make_pipeline(StepwiseTransformer(StandardScaler()), classifier())
    model.fit(RAGGED, Y)
    found = read_sequences(model, RAGGED)
    assert found.labels is None
    for values, expected in zip(found.values, model[0].transform(RAGGED), strict=True):
        assert_allclose(values, expected)


def test_texts_have_labels():
    model = make_pipeline(CharVectorizer(), classifier()).fit(TEXTS, Y)
    found = read_sequences(model, TEXTS)
    assert ["".join(labels) for labels in found.labels] == TEXTS  # not in lower case
    words = make_pipeline(WordVectorizer(), classifier()).fit(TEXTS, Y)
    assert read_sequences(words, TEXTS[:1]).labels == [["The", "cat", "sat", "."]]
    with pytest.raises(ValueError, match="single text: 'The cat"):
        read_sequences(model, TEXTS[0])


def test_what_is_no_document_is_an_error():
    model = SequenceGenerator(hidden_size=2, max_epochs=1, random_state=0).fit(TEXTS)
    with pytest.raises(TypeError, match="document 0 is 5 of type int"):
        read_sequences(model, [5])
    tokens = CharVectorizer().fit_transform(TEXTS)
    model.fit(tokens)
    with pytest.raises(TypeError, match=r"expected a list of tokens, got np.int32"):
        read_sequences(model, tokens[0])
    with pytest.raises(ValueError, match="vocabulary of size 99"):
        read_sequences(model, TokenArray([[98]], 99))
    with pytest.raises(TypeError, match="codes must be integers"):
        read_sequences(model, [[4.5]])


def test_codes_have_their_numbers_as_labels():
    tokens = CharVectorizer().fit_transform(TEXTS)
    model = classifier().fit(tokens, Y)
    found = read_sequences(model, tokens[1:2])
    assert found.labels == [[str(code) for code in tokens[1] if code]]
    assert read_input(model, tokens[1]).labels == found.labels[0]


def test_documents_of_a_generator():
    model = SequenceGenerator(hidden_size=2, max_epochs=1, random_state=0).fit(TEXTS)
    for given in (TEXTS[0], TEXTS[:1]):
        found = read_sequences(model, given)
        assert len(found.values) == 1
        assert "".join(found.labels[0]) == TEXTS[0]
    with pytest.raises(ValueError, match="no document"):
        read_sequences(model, [])


def test_dropped_tokens_have_no_label():
    vectorizer = WordVectorizer(handle_unknown="ignore", lowercase=False)
    model = SequenceGenerator(vectorizer, hidden_size=2, max_epochs=1, random_state=0)
    codec = model.fit(TEXTS)._codec
    codes, labels = encode_tokens(codec, "cat bird dog")
    assert labels[0] == "cat" and len(codes) == len(labels) == 2


def test_the_steps_of_the_sequence_are_found_in_those_of_the_network():
    series = np.sin(np.arange(60) / 3)
    model = RNNForecaster(
        hidden_size=2, max_epochs=1, differencing=3, random_state=0
    ).fit(series)
    given = read_input(model, series)
    assert given.locate(3) == 0 and len(given.values) == 57
    assert_array_equal(np.arange(57)[given.shown], np.arange(57))
    generator = SequenceGenerator(hidden_size=2, max_epochs=1, random_state=0)
    given = read_input(generator.fit(TEXTS), "cat")
    assert given.locate(0) == 1 and given.labels[given.shown] == list("cat")


def test_models_that_read_no_sequences_are_refused():
    series = np.sin(np.arange(60) / 3)
    model = RNNForecaster(hidden_size=2, max_epochs=1, random_state=0).fit(series)
    with pytest.raises(TypeError, match="RNNForecaster does not read"):
        read_sequences(model, series)


def test_exogenous_variables_are_refused():
    series = np.sin(np.arange(60) / 3)
    model = RNNForecaster(hidden_size=2, max_epochs=1, random_state=0)
    model.fit(series, exog=np.cos(np.arange(60)))
    with pytest.raises(ValueError, match="exogenous or calendar variables"):
        read_input(model, series)
