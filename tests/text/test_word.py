"""WordVectorizer: words and punctuation as tokens."""

import pytest
from sklearn.utils._param_validation import InvalidParameterError
from text_examples import assert_tokens

from sklearn_rnn import WordVectorizer


def test_words_are_converted_to_lower_case_by_default():
    assert list(WordVectorizer().fit(["A a"]).vocabulary_) == ["a"]


def test_document_of_white_space_has_no_words():
    tokens = WordVectorizer().fit_transform([" \n\t", "a b"])
    assert_tokens(tokens, [[1, 0], [4, 5]], 6)


def test_words_and_punctuation_are_tokens_in_order():
    vectorizer = WordVectorizer()
    tokens = vectorizer.fit_transform(["Don't stop, now!"])
    assert list(vectorizer.vocabulary_) == ["!", "'", ",", "don", "now", "stop", "t"]
    assert_tokens(tokens, [[7, 5, 10, 9, 6, 8, 4]], 11)


@pytest.mark.parametrize(
    ("token_pattern", "expected"),
    [
        (r"[a-z]+", ["a", "is", "it", "x"]),
        (r"\b\w\w+\b", ["is", "it", "x1"]),
        (r"(\w)\d", ["x"]),
    ],
)
def test_token_pattern_finds_the_words(token_pattern, expected):
    vectorizer = WordVectorizer(token_pattern=token_pattern).fit(["It is x1 a?"])
    assert list(vectorizer.vocabulary_) == expected


def test_token_pattern_with_two_groups_is_an_error():
    with pytest.raises(ValueError, match="capturing group"):
        WordVectorizer(token_pattern=r"(a)(b)").fit(["ab"])


def test_stop_words_are_left_out():
    vectorizer = WordVectorizer(stop_words=["it", "."])
    assert_tokens(vectorizer.fit_transform(["It is.", "is it"]), [[4], [4]], 5)
    assert list(vectorizer.vocabulary_) == ["is"]
    assert_tokens(vectorizer.transform(["it is new"]), [[4, 1]], 5)


def test_english_stop_words_are_those_of_scikit_learn():
    vectorizer = WordVectorizer(stop_words="english").fit(["the whale and the sea"])
    assert list(vectorizer.vocabulary_) == ["sea", "whale"]


def test_stop_words_are_left_out_of_split_documents():
    vectorizer = WordVectorizer(stop_words=["the"])
    assert_tokens(vectorizer.fit_transform([["the", "sea"], ["the"]]), [[4], [1]], 5)


def test_stop_words_that_leave_no_token_are_an_error():
    with pytest.raises(ValueError, match="stop_words exclude"):
        WordVectorizer(stop_words=["a"]).fit(["a", "a a"])


def test_words_are_restored_with_marks_attached():
    vectorizer = WordVectorizer()
    tokens = vectorizer.fit_transform(["Call me,  Ishmael!", "שלום עולם"])
    assert vectorizer.inverse_transform(tokens) == [
        "call me, ishmael!",
        "שלום עולם",
    ]


def test_a_detokenizer_replaces_the_rules_that_attach_marks():
    texts = ["don't , go"]
    for params, expected in [
        ({}, "don't, go"),
        ({"detokenizer": " ".join}, "don ' t , go"),
        ({"detokenizer": "|".join, "tokenizer": str.split}, "don't|,|go"),
        ({"tokenizer": str.split}, "don't , go"),
    ]:
        vectorizer = WordVectorizer(**params)
        tokens = vectorizer.fit_transform(texts)
        assert vectorizer.inverse_transform(tokens) == [expected]


def test_tokenizer_replaces_the_pattern_but_not_the_stop_words():
    vectorizer = WordVectorizer(
        tokenizer=str.split, token_pattern="never", stop_words=["a-b"]
    )
    assert list(vectorizer.fit(["c-d a-b"]).vocabulary_) == ["c-d"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stop_words", "german"),
        ("stop_words", 3),
        ("token_pattern", None),
        ("detokenizer", " "),
    ],
)
def test_invalid_parameter_of_words_is_named(name, value):
    with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter of"):
        WordVectorizer(**{name: value}).fit(["a"])
