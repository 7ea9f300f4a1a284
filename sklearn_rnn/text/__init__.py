"""Encoding of texts as sequences of codes or as statistics, and splitting of texts."""

from sklearn_rnn._data.tokens import TokenArray
from sklearn_rnn.text._char import CharVectorizer
from sklearn_rnn.text._split import split_text
from sklearn_rnn.text._statistics import TextStatisticsVectorizer
from sklearn_rnn.text._word import WordVectorizer

__all__ = [
    "CharVectorizer",
    "TextStatisticsVectorizer",
    "TokenArray",
    "WordVectorizer",
    "split_text",
]
