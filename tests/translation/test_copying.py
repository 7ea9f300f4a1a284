"""Copying unknown words of targets from sources by attention."""

import numpy as np
import pytest

from sklearn_rnn import CharVectorizer, WordVectorizer
from sklearn_rnn._data.tokens import END, UNKNOWN
from sklearn_rnn.text._codecs import CodeCodec, TextCodec
from sklearn_rnn.translation._beam_search import Hypothesis
from sklearn_rnn.translation._copying import (
    WordCopier,
    check_copying,
    choose_steps,
    read_words,
)

KNOWN = ["open now", "close now"]


def hypothesis(codes, attention):
    attention = np.array(attention, dtype=np.float32)
    return Hypothesis(codes, -1.0, -1.0, attention)


TARGETS = WordVectorizer(vocabulary=["ouvrir", "et"]).fit([])  # codes 4 and 5


def copy(codes, attention, source, targets=TARGETS, **params):
    vectorizer = WordVectorizer(**params).fit(KNOWN)
    copier = WordCopier([source], vectorizer, targets)
    return copier.write(0, hypothesis(codes, attention))


def test_an_unknown_word_is_copied_from_the_step_with_the_largest_attention():
    attention = [[0.1, 0.7, 0.2], [0.6, 0.3, 0.1], [0.1, 0.1, 0.8]]
    codes = [UNKNOWN, 4, END]
    assert copy(codes, attention, "open zoe now") == "zoe ouvrir"


def test_unknown_words_of_the_source_are_preferred():
    attention = [[0.8, 0.1, 0.1], [0.1, 0.1, 0.8]]
    assert copy([UNKNOWN, END], attention, "open zoe now") == "zoe"
    assert copy([UNKNOWN, END], attention, "open now now") == "open"


def test_each_unknown_word_is_copied_from_its_own_step():
    attention = [[0.1, 0.8, 0.1], [0.4, 0.3, 0.3], [0.1, 0.3, 0.6]]
    codes = [UNKNOWN, 5, UNKNOWN]
    answer = copy(codes, attention, "open zoe ida")
    assert answer == "zoe et ida"


@pytest.mark.parametrize(("step", "word"), [(0, "open"), (1, "open"), (2, "now")])
def test_the_start_of_a_source_is_not_copied(step, word):
    attention = np.zeros((1, 4))
    attention[0, step] = 1
    text = copy([UNKNOWN], attention, "open now", boundaries=True)
    assert text == word


def test_the_end_of_a_source_is_not_copied():
    attention = [[0.1, 0.1, 0.1, 0.7]]
    assert copy([UNKNOWN], attention, "open now", boundaries=True) == "now"


def test_padding_is_not_copied():
    vectorizer = WordVectorizer().fit(KNOWN)
    hypotheses = [hypothesis([UNKNOWN], [[0.2, 0.8]]), hypothesis([UNKNOWN], [[1.0]])]
    copier = WordCopier(["open zoe", "ida"], vectorizer, TARGETS)
    assert list(map(copier.write, range(2), hypotheses)) == ["zoe", "ida"]


def test_texts_without_unknown_words_do_not_change():
    assert copy([4, END], [[1.0], [1.0]], "open") == "ouvrir"


def test_steps_are_chosen_for_unknown_codes_only():
    one = hypothesis([4, UNKNOWN, UNKNOWN], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    assert choose_steps(one, np.zeros(3, dtype=bool)).tolist() == [1, 0]
    assert choose_steps(one, np.array([True, False, True])).tolist() == [0, 0]


def test_a_copied_word_keeps_the_case_of_the_source_if_targets_keep_theirs():
    attention = [[0.1, 0.8, 0.1], [0.1, 0.1, 0.8]]
    codes = [UNKNOWN, UNKNOWN]
    any_case = WordVectorizer(vocabulary=["Salut"], lowercase=False).fit([])
    assert copy(codes, attention, "open Zoë IDA", any_case) == "Zoë IDA"
    assert copy(codes, attention, "open Zoë IDA") == "zoë ida"
    plain = WordVectorizer(vocabulary=["et"], lowercase=False, strip_accents="unicode")
    assert copy(codes, attention, "open Zoë IDA", plain.fit([])) == "Zoe IDA"


def test_words_have_the_steps_of_their_codes():
    sources = ["The cat sat there", "open"]
    for params, expected in [
        ({}, ["The", "cat", "sat", "there"]),
        ({"stop_words": ["the", "sat"]}, ["cat", "there"]),
        ({"max_length": 2, "truncation": "left"}, ["sat", "there"]),
        ({"preprocessor": str.upper}, ["THE", "CAT", "SAT", "THERE"]),
    ]:
        vectorizer = WordVectorizer(**params).fit(sources)
        assert next(iter(read_words(sources, vectorizer))) == expected
    (words,) = read_words([["A", "b c"]], WordVectorizer().fit(["a"]))
    assert words == ["A", "b c"]  # already split


def test_a_punctuation_mark_that_is_copied_is_attached_to_its_word():
    assert copy([4, UNKNOWN], [[0.5, 0.5], [0.1, 0.9]], "open !") == "ouvrir!"


def test_targets_are_compared_as_tokens():
    vectorizer = WordVectorizer().fit(KNOWN)
    copier = WordCopier(["open Zoe"] * 3, vectorizer, TARGETS)
    attention = [[0.1, 0.9], [0.5, 0.5], [0.5, 0.5]]
    ended = hypothesis([UNKNOWN, 4, END], attention)
    open_ended = hypothesis([UNKNOWN, 4], attention)
    hypotheses = [ended, open_ended, ended]
    truth = ["Zoe ouvrir", "Zoe ouvrir", "ida ouvrir"]
    assert copier.compare(hypotheses, truth) == [True, False, False]


def test_copying_requires_texts_and_attention():
    words, codec = WordVectorizer().fit(KNOWN), TextCodec(CharVectorizer())
    check_copying(words, codec, "dot")
    for given in [
        (words, codec, None),
        (words, CodeCodec(5), "dot"),
        (None, codec, "dot"),
        (object(), codec, "dot"),
    ]:
        with pytest.raises(ValueError, match="copy_unknown=True copies words"):
            check_copying(*given)
    words.set_params(handle_unknown="ignore")
    with pytest.raises(ValueError, match='Set its handle_unknown="unk"'):
        check_copying(words, codec, "dot")
