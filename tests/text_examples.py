"""Three small texts, their tokens, and comparisons for tests of vectorizers."""

import numpy as np
from numpy.testing import assert_array_equal

from sklearn_rnn import CharVectorizer, TokenArray, WordVectorizer

SEPARATOR = {CharVectorizer: "", WordVectorizer: " "}
CODES = [[6, 4, 5], [5, 4, 0], [5, 0, 0]]  # of cab, ba and b


def assert_tokens(actual, codes, vocabulary_size):
    assert type(actual) is TokenArray
    assert actual.vocabulary_size == vocabulary_size
    assert_array_equal(actual.view(np.ndarray), codes)
