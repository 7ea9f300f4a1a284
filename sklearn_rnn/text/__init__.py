"""Text encoded as sequences of codes."""

from sklearn_rnn.text._char import CharVectorizer
from sklearn_rnn.text._word import WordVectorizer

__all__ = ["CharVectorizer", "WordVectorizer"]
