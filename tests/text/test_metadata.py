"""Descriptions of vocabularies."""

from functools import partial

import pytest
from sklearn.exceptions import NotFittedError

from sklearn_rnn import CharVectorizer
from sklearn_rnn.text._metadata import describe_codes, list_names


def test_codes_are_described_with_their_names_and_the_vectorizer():
    vectorizer = CharVectorizer(lowercase=True).fit(["ab"])
    facts = describe_codes(6, list_names(vectorizer, 6), vectorizer)
    assert facts["vocabulary"] == ["<pad>", "<unk>", "<start>", "<end>", "a", "b"]
    assert facts["reserved_codes"]["end"] == 3
    assert facts["vectorizer"]["lowercase"] is True


def test_functions_are_described_by_their_names_with_a_warning():
    vectorizer = CharVectorizer(tokenizer=str.split, preprocessor=partial(str.lower))
    vectorizer.fit(["ab"])
    with pytest.warns(UserWarning, match=r"tokenizer=builtins:str\.split"):
        facts = describe_codes(6, None, vectorizer)
    assert facts["vectorizer"]["tokenizer"] == "builtins:str.split"
    assert facts["vectorizer"]["preprocessor"] == "functools:partial"


def test_without_a_vectorizer_only_the_codes_are_described():
    facts = describe_codes(6, list_names(None, 6), None)
    assert facts.keys() == {"vocabulary_size", "reserved_codes"}


def test_another_vectorizer_is_an_error():
    with pytest.raises(ValueError, match=r"has 5 codes.* vocabulary of 6 codes"):
        list_names(CharVectorizer().fit(["a"]), 6)
    with pytest.raises(NotFittedError):
        list_names(CharVectorizer(), 6)
