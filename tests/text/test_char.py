"""CharVectorizer: characters as tokens, from which texts are restored exactly."""

import numpy as np
import pytest
from text_examples import assert_tokens

from sklearn_rnn import CharVectorizer


def test_characters_keep_their_case_by_default():
    assert list(CharVectorizer().fit(["Aa"]).vocabulary_) == ["A", "a"]


def test_white_space_characters_are_tokens():
    vectorizer = CharVectorizer()
    assert_tokens(vectorizer.fit_transform(["a b\n"]), [[6, 5, 7, 4]], 8)
    assert list(vectorizer.vocabulary_) == ["\n", " ", "a", "b"]


UNICODE = [
    "cafe\u0301",
    "नमस्ते दुनिया",
    "สวัสดี",
    "שלום עולם",
    "مَرْحَبًا \u200fabc\u200e",
    "👩\u200d👩\u200d👧 🏳️\u200d🌈",
    "a\x00b\tc\r\n\x0b\x85\u2028",
    "\ufeff\ufffd\U0010ffff",
]


@pytest.mark.parametrize("boundaries", [False, True])
def test_characters_are_restored_exactly(boundaries):
    vectorizer = CharVectorizer(boundaries=boundaries)
    assert vectorizer.inverse_transform(vectorizer.fit_transform(UNICODE)) == UNICODE


def test_random_characters_are_restored_exactly(rng):
    code_points = np.concatenate([np.arange(0xD800), np.arange(0xE000, 0x110000)])
    texts = [
        "".join(map(chr, rng.choice(code_points, size=length)))
        for length in rng.integers(1, 60, size=300)
    ]
    vectorizer = CharVectorizer()
    assert vectorizer.inverse_transform(vectorizer.fit_transform(texts)) == texts


def test_combining_marks_are_separate_characters():
    vectorizer = CharVectorizer()
    assert_tokens(vectorizer.fit_transform(["e\u0301é"]), [[4, 6, 5]], 7)
    assert vectorizer.vocabulary_ == {"e": 4, "é": 5, "\u0301": 6}


def test_right_to_left_text_keeps_the_order_of_reading():
    assert_tokens(CharVectorizer().fit_transform(["בא"]), [[5, 4]], 6)


def test_characters_beyond_16_bits_are_one_token():
    assert_tokens(CharVectorizer().fit_transform(["a😀a"]), [[4, 5, 4]], 6)


def test_tokens_of_a_custom_tokenizer_are_joined_without_spaces():
    vectorizer = CharVectorizer(tokenizer=lambda text: [text[:2], text[2:]])
    assert vectorizer.inverse_transform(vectorizer.fit_transform(["abcd"])) == ["abcd"]
