"""Splitting chunks of text among streams; the streams are tested elsewhere."""

import numpy as np
import pytest

from sklearn_rnn import CharVectorizer, TokenArray
from sklearn_rnn.generation._stream_adapter import split_chunks
from sklearn_rnn.text._codecs import CodeCodec, TextCodec, TokenCodec


@pytest.mark.parametrize(
    ("x", "n", "expected"),
    [
        ("ab", 1, ["ab"]),
        (b"ab", 1, [b"ab"]),
        (["ab", "c"], 2, ["ab", "c"]),
        (np.array(["ab", "c"]), 2, ["ab", "c"]),
    ],
)
def test_texts_are_chunks(x, n, expected):
    assert split_chunks(x, n, TextCodec(CharVectorizer())) == expected


@pytest.mark.parametrize(
    ("x", "n", "expected"),
    [
        (60, 1, [[60]]),
        ((1, 2), 1, [[(1, 2)]]),  # a tuple is a token
        ([60, (1, 2)], 1, [[60, (1, 2)]]),
        ([[60, 62]], 1, [[60, 62]]),
        ([60, [62, 64]], 2, [[60], [62, 64]]),
        (np.array([60, 62]), 2, [[60], [62]]),
    ],
)
def test_lists_of_tokens_are_chunks(x, n, expected):
    assert split_chunks(x, n, TokenCodec()) == expected


@pytest.mark.parametrize(
    ("x", "n", "expected"),
    [
        (5, 1, [[5]]),
        ([5, 6], 2, [[5], [6]]),
        (TokenArray([[5, 6], [4, 0]], 7), 2, [[5, 6], [4, 0]]),
        ([np.array([5, 6]), np.array([4])], 2, [[5, 6], [4, 0]]),
    ],
)
def test_codes_are_padded_to_one_array(x, n, expected):
    found = split_chunks(x, n, CodeCodec(7))
    assert isinstance(found, TokenArray) and found.vocabulary_size == 7
    assert found.tolist() == expected
