"""Unknown words of targets are copied from the sources by the attention."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_rnn import CharVectorizer, TokenArray, WordVectorizer
from sklearn_rnn._data.tokens import END, UNKNOWN
from sklearn_rnn.text._codecs import CodeCodec, TextCodec
from sklearn_rnn.translation._beam_search import Hypothesis
from sklearn_rnn.translation._copying import (
    check_copying,
    choose_steps,
    copy_unknown_words,
    fill_placeholders,
)

KNOWN = ["open now", "close now"]


def hypothesis(codes, attention):
    attention = np.array(attention, dtype=np.float32)
    return Hypothesis(codes, -1.0, -1.0, attention)


def copy(target, codes, attention, source, **params):
    vectorizer = WordVectorizer(**params).fit(KNOWN)
    one = hypothesis(codes, attention)
    return copy_unknown_words([target], [one], [source], vectorizer)[0]


def test_an_unknown_word_comes_from_the_step_with_the_largest_attention():
    attention = [[0.1, 0.7, 0.2], [0.6, 0.3, 0.1], [0.1, 0.1, 0.8]]
    codes = [UNKNOWN, 4, END]
    assert copy("\ufffd ouvrir", codes, attention, "open zoe now") == "zoe ouvrir"


def test_words_that_are_unknown_themselves_come_first():
    attention = [[0.8, 0.1, 0.1], [0.1, 0.1, 0.8]]
    assert copy("\ufffd", [UNKNOWN, END], attention, "open zoe now") == "zoe"
    assert copy("\ufffd", [UNKNOWN, END], attention, "open now now") == "open"


def test_each_unknown_word_has_its_own_step():
    attention = [[0.1, 0.8, 0.1], [0.4, 0.3, 0.3], [0.1, 0.3, 0.6]]
    codes = [UNKNOWN, 4, UNKNOWN]
    answer = copy("\ufffd et \ufffd", codes, attention, "open zoe ida")
    assert answer == "zoe et ida"


@pytest.mark.parametrize(("step", "word"), [(0, "open"), (1, "open"), (2, "now")])
def test_the_start_of_a_source_is_no_word(step, word):
    attention = np.zeros((1, 4))
    attention[0, step] = 1
    text = copy("\ufffd", [UNKNOWN], attention, "open now", boundaries=True)
    assert text == word


def test_the_end_of_a_source_is_no_word():
    attention = [[0.1, 0.1, 0.1, 0.7]]
    assert copy("\ufffd", [UNKNOWN], attention, "open now", boundaries=True) == "now"


def test_padding_of_other_sources_is_left_out():
    vectorizer = WordVectorizer().fit(KNOWN)
    hypotheses = [hypothesis([UNKNOWN], [[0.2, 0.8]]), hypothesis([UNKNOWN], [[1.0]])]
    answers = copy_unknown_words(
        ["\ufffd", "\ufffd"], hypotheses, ["open zoe", "ida"], vectorizer
    )
    assert_array_equal(answers, ["zoe", "ida"])


def test_texts_without_unknown_words_stay():
    assert copy("ouvrir", [4, END], [[1.0], [1.0]], "open") == "ouvrir"


def test_steps_are_chosen_for_unknown_codes_only():
    one = hypothesis([4, UNKNOWN, UNKNOWN], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    assert choose_steps(one, np.zeros(3, dtype=bool)).tolist() == [1, 0]
    assert choose_steps(one, np.array([True, False, True])).tolist() == [0, 0]


def test_placeholders_are_filled_in_order():
    assert fill_placeholders("\ufffd b \ufffd", ["a", "c"]) == "a b c"
    assert fill_placeholders("A\ufffd \ufffd", ["a"]) == "Aa \ufffd"


def test_a_placeholder_inside_a_copied_word_stays():
    assert fill_placeholders("\ufffd \ufffd", ["caf\ufffd", "b"]) == "caf\ufffd b"


def test_texts_on_both_sides_and_attention_are_needed():
    words, codec = WordVectorizer().fit(KNOWN), TextCodec(CharVectorizer())
    check_copying(KNOWN, words, codec, "dot")
    for given in [
        (KNOWN, words, codec, None),
        (KNOWN, words, CodeCodec(5), "dot"),
        (KNOWN, None, codec, "dot"),
        (KNOWN, object(), codec, "dot"),
        (TokenArray([[4]], 5), words, codec, "dot"),
    ]:
        with pytest.raises(ValueError, match="copy_unknown=True copies words"):
            check_copying(*given)
