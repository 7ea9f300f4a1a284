"""Joining words and punctuation marks to a text."""

import re

import numpy as np
import pytest

from sklearn_rnn.datasets import load_moby_dick
from sklearn_rnn.text._detokenize import join_words
from sklearn_rnn.text._documents import TOKEN_PATTERN

TEXTS = [
    "Call me Ishmael.",
    "Don't go -- now (really): it's 3.50!",
    "Wait... what?! Yes; no, 50% of $20 [or £3].",
    "1,000,000 at 10:30, -5 of 7/8, pages 3–4",
    "“Look,” said Ahab’s mate—“there!” ‘Where?’",
    'He said, "come here," and "go".',
    "\"I can't,\" she said: 'it is late'.",
    "the whales' teeth, o'clock, y'all, ma'am, l'homme, qu'il, aujourd'hui",
    "a well-known go-between, e.g. this one, i.e. you, in the U.S.",
    "In 1984, 12 ships sailed. 20 came back.",
    "#tag, ¿qué? ¡no! {x} a + b = c & d",
    "the \ufffd's end, (\ufffd) and \ufffd-like",
    "שלום עולם",
    "",
]


def split(text):
    return re.findall(TOKEN_PATTERN, text)


@pytest.mark.parametrize("text", TEXTS)
def test_text_is_restored_from_its_words_and_marks(text):
    assert join_words(split(text)) == text


def test_tokens_of_other_patterns_are_joined_too():
    tokens = ["I", "do", "n't", "know", "it", "'s", "(", "maybe", ")...", "?!"]
    assert join_words(tokens) == "I don't know it's (maybe)...?!"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('5" long', '5" long'),
        ('He said, "come', 'He said, "come'),
        ("runnin' fast", "runnin' fast"),
        ("a ) b ( c", "a) b (c"),
        (". a", ". a"),
        ("well-", "well-"),
    ],
)
def test_marks_without_their_counterpart(text, expected):
    assert join_words(split(text)) == expected


def test_joined_text_has_the_same_tokens():
    rng = np.random.default_rng(0)
    alphabet = np.array([*"abst", "ll", "7", "000", "\ufffd", *".,:;!?'\"’“-–—(/$&#"])
    for _ in range(300):
        tokens = rng.choice(alphabet, size=12).tolist()
        assert split(join_words(tokens)) == tokens


@pytest.mark.parametrize(("n", "start"), [(900, 'a "b b'), (1100, 'a" b b')])
def test_a_distant_mark_does_not_close_a_quotation(n, start):
    text = join_words(["a", '"', *["b"] * n, '"', "c"])
    assert text.startswith(start)


def test_a_novel_is_restored_except_for_its_line_breaks():
    paragraphs = re.split(r"\n\s*\n", load_moby_dick().data)
    texts = [" ".join(text.split()) for text in paragraphs if text.strip()]
    wrong = [text for text in texts if join_words(split(text)) != text]
    assert len(wrong) / len(texts) < 0.06
