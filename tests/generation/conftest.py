"""Fitted generators that tests share and must not change."""

import pytest

from sklearn_rnn import SequenceGenerator, WordVectorizer

TEXT = "the cat sat on the mat and the dog sat on the log. " * 12
DOCUMENTS = ["the cat sat", "the dog sat", "a cat", "on the mat", "", "the log"] * 4
SETTINGS = {"hidden_size": 32, "max_epochs": 40, "window": 16, "random_state": 0}


@pytest.fixture(scope="session")
def learned():
    """A generator of characters that has memorized TEXT."""
    return SequenceGenerator(**SETTINGS).fit(TEXT)


@pytest.fixture(scope="session")
def of_words():
    """A generator of words that was fitted on DOCUMENTS."""
    return SequenceGenerator(WordVectorizer(lowercase=False), **SETTINGS).fit(DOCUMENTS)
