"""Bits of the text that tokens do not contain."""

import pickle
from itertools import product
from math import log2

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_rnn import WordVectorizer
from sklearn_rnn.generation import _spelling as _spelling
from sklearn_rnn.generation._spelling import (
    N_CODE_POINTS,
    Spelling,
    TextCounts,
    classify_token,
    dropping_bits,
    estimate_dropped_share,
    find_gaps,
    unseen_character_bits,
)


def split(text):
    return text, text.split()


def count_texts(*texts):
    counts = TextCounts()
    for text in texts:
        counts.update(*split(text))
    return counts


def bits_of(spelling, documents, known):
    """Bits of the text of documents that known tokens do not contain."""
    counts = TextCounts(longest_gap=None)
    for document in documents:
        counts.update(*document)
    return spelling.bits(counts, known)


def test_an_unseen_character_is_one_of_all_other_code_points():
    assert unseen_character_bits(0) == log2(1_112_064)
    assert unseen_character_bits(N_CODE_POINTS - 2) == 1.0
    assert unseen_character_bits(N_CODE_POINTS) == 0.0  # there is no other one


def test_bits_of_positions_follow_from_the_share_of_dropped_tokens():
    share = estimate_dropped_share(3, 0)
    assert share == 0.5 / 4
    assert_allclose(dropping_bits(share, 2, 1), -log2(0.875**2 * 0.125))
    assert dropping_bits(share, 0, 0) == 0.0


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("whale", "word"),
        ("3rd", "word"),
        ("don't", "word"),
        ("1851", "number"),
        (",", ","),
        ("—", "—"),
        ("...", "."),
        ("", ""),
    ],
)
def test_kinds_of_tokens(token, expected):
    assert classify_token(token) == expected


def test_gaps_are_the_text_between_tokens():
    assert list(find_gaps(" Ho, 7\n", ["Ho", ",", "7"])) == [
        ("", "word", " "),
        ("word", ",", ""),
        (",", "number", " "),
        ("number", "", "\n"),
    ]


def test_gaps_contain_text_that_the_tokenizer_dropped():
    dropped = list(find_gaps("sea of the whale, and so on", ["sea", "whale"]))
    assert [gap for *_, gap in dropped] == ["", " of the ", ", and so on"]


def test_a_text_without_tokens_is_one_gap():
    assert list(find_gaps(" \n", [])) == [("", "", " \n")]


@pytest.mark.parametrize("params", [{}, {"strip_accents": "unicode"}])
def test_a_vectorizer_that_changes_text_raises(params):
    vectorizer = WordVectorizer(**params)
    text = "Call me Élie"
    tokens = vectorizer._reader().build_analyzer()(text)
    with pytest.raises(ValueError, match="lowercase=False and strip_accents=None"):
        TextCounts().update(text, tokens)


def test_the_error_gives_the_token_and_the_text_where_it_is_missing():
    with pytest.raises(ValueError, match=r"token 1, 'me', .* ' Me too'\.\.\."):
        TextCounts().update("Call Me too", ["Call", "me"])


def test_a_vectorizer_that_keeps_text_can_be_scored():
    text = "Call me Ishmael — some years ago; never mind how long, precisely."
    tokens = WordVectorizer(lowercase=False)._reader().build_analyzer()(text)
    counts = TextCounts()
    counts.update(text, tokens)
    spelling = Spelling(counts, known=set(tokens))
    bits = bits_of(spelling, [(text, tokens)], known=set(tokens))
    assert 0 < bits < 4 * len(tokens)


def test_bits_of_an_unknown_word_equal_those_computed_by_hand():
    spelling = Spelling(count_texts("ab"), known=())
    # symbols edge, a, b, edge: 4 of 3 kinds, each context followed by one symbol
    base = 3 / (N_CODE_POINTS + 1)
    letter, edge = (1 + base) / 7, (2 + base) / 7
    p_a = (1 + letter) / 2  # after the edge
    p_b = (1 + (1 + letter) / 2) / 2  # after a, and after edge a
    p_end = (1 + (1 + (1 + edge) / 2) / 2) / 2  # after b, ab, and edge ab
    assert_allclose(spelling.word_bits(["ab"]), [-log2(p_a * p_b * p_end)])


def test_bits_of_a_seen_gap_equal_those_computed_by_hand():
    spelling = Spelling(count_texts("a b c\nd"), known=())
    spelled = 2 ** -_spelling._spelling_bits(spelling._gap_letters, [" ", "\n", "\t"])
    # between words: 3 gaps of 2 kinds
    expected = (np.array([2, 1, 0]) + 2 * spelled) / 5
    gaps = [("word", "word", gap) for gap in (" ", "\n", "\t")]
    assert_allclose(2 ** -spelling.gap_bits(gaps), expected)


def test_a_gap_between_kinds_that_were_never_neighbors_is_spelled():
    spelling = Spelling(count_texts("a b"), known=())
    assert_allclose(
        spelling.gap_bits([("number", "word", " ")]),
        _spelling._spelling_bits(spelling._gap_letters, [" "]),
    )


def test_bits_are_the_unknown_words_and_all_gaps():
    known = {"a", "b"}
    spelling = Spelling(count_texts("a b a", "zoo b a zoo"), known)
    words = spelling.word_bits(["zap", "zoo"])
    gaps = spelling.gap_bits(
        [("", "word", ""), ("word", "word", " "), ("word", "", "")]
    )
    expected = words @ [1, 2] + gaps @ [2, 4, 2]
    documents = [split("a zap zoo"), split("zoo b a")]
    assert_allclose(bits_of(spelling, documents, known), expected)
    assert_allclose(sum(bits_of(spelling, [d], known) for d in documents), expected)


@pytest.fixture
def two_code_points(monkeypatch):
    """Allow only the letters a and b, so that all texts can be enumerated."""
    monkeypatch.setattr(_spelling, "N_CODE_POINTS", 2)
    return ["".join(text) for n in range(13) for text in product("ab", repeat=n)]


def test_probabilities_of_all_words_sum_to_one(two_code_points):
    spelling = Spelling(count_texts("ab", "b", "aab"), known=())
    total = np.sum(2 ** -spelling.word_bits(two_code_points))
    # other words are longer or contain an edge
    assert 0.9 < total <= 1


@pytest.mark.parametrize("pair", [("7", "7"), (",", ";"), ("", "7")])
def test_probabilities_of_all_gaps_between_two_tokens_sum_to_one(pair, two_code_points):
    counts = TextCounts()
    for text in ("7a7", "7aa7b", "7b7ba", "b7;"):
        counts.update(text, [character for character in text if character in "7;"])
    spelling = Spelling(counts, known=())
    left, right = map(classify_token, pair)
    gaps = [(left, right, gap) for gap in two_code_points]
    total = np.sum(2 ** -spelling.gap_bits(gaps))
    assert 0.9 < total <= 1


@pytest.mark.parametrize(
    ("text", "known", "learned"),
    [
        ("ox ox cow cow gnu", {"ox"}, ["cow", "cow", "gnu"]),  # outside the vocabulary
        ("ox ox cow gnu", {"ox", "cow", "gnu"}, ["cow", "gnu"]),  # seen once
        ("ox ox gnu gnu", {"ox", "gnu"}, ["ox", "ox", "gnu", "gnu"]),  # all
    ],
)
def test_spelling_is_learned_from_rare_words(text, known, learned):
    spelling = Spelling(count_texts(text), known)
    alone = Spelling(count_texts(" ".join(learned)), known=())
    words = ["cod", "ox", "nu", "whale"]
    assert_allclose(spelling.word_bits(words), alone.word_bits(words))


def test_unseen_texts_have_finite_bits():
    spelling = Spelling(TextCounts(), known=())
    nats = log2(N_CODE_POINTS + 1)
    # no token: the character of the gap and its end
    assert_allclose(bits_of(spelling, [("鯨", [])], known=()), 2 * nats)
    # the character and end of the word, and the ends of two empty gaps
    assert_allclose(bits_of(spelling, [("鯨", ["鯨"])], known=()), 4 * nats)
    assert bits_of(spelling, [], known=()) == 0.0


def test_a_gap_with_an_underflowing_probability_has_finite_bits():
    spelling = Spelling(count_texts("a b"), known=())
    bits = bits_of(spelling, [("a" + 500 * "鯨" + "b", ["a", "b"])], known={"a", "b"})
    assert 500 * 20 < bits < 500 * 25


def test_bits_do_not_depend_on_the_order_of_documents():
    texts = ["a b , c", "b 7 c .", "c"]
    known, documents = {"a"}, [split("c 8 , d"), split("b .")]
    forwards, backwards = count_texts(*texts), count_texts(*texts[::-1])
    assert_allclose(
        bits_of(Spelling(forwards, known), documents, known),
        bits_of(Spelling(backwards, known), documents, known),
        rtol=1e-12,
    )


def test_the_rest_of_a_cut_document_is_counted_in_part_but_scored_completely():
    counts = TextCounts()
    counts.update("a" + 1000 * " b", ["a"])
    assert max(len(gap) for *_, gap in counts.gaps) == 64
    spelling = Spelling(counts, known={"a"})
    short, long = (("a" + n * " c", ["a"]) for n in (100, 200))
    assert bits_of(spelling, [long], {"a"}) > 1.5 * bits_of(spelling, [short], {"a"})


def test_a_pickled_spelling_returns_the_same_bits_and_has_no_common_word():
    spelling = Spelling(count_texts("whale ship ship ship"), known={"ship"})
    pickled = pickle.dumps(spelling)
    assert b"ship" not in pickled
    documents = [split("ship whale squid")]
    copy = pickle.loads(pickled)
    assert bits_of(copy, documents, {"ship"}) == bits_of(spelling, documents, {"ship"})
