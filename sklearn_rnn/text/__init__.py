"""Text encoded as sequences of codes, or summed up in numbers."""

from sklearn_rnn.text._char import CharVectorizer
from sklearn_rnn.text._statistics import TextStatisticsVectorizer
from sklearn_rnn.text._word import WordVectorizer

__all__ = ["CharVectorizer", "TextStatisticsVectorizer", "WordVectorizer"]
