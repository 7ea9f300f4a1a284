"""Generation of text and other token sequences by networks that learn them."""

from sklearn_rnn.generation._copies import CopiedSpan
from sklearn_rnn.generation._generator import SequenceGenerator
from sklearn_rnn.generation._scoring import TokenScores
from sklearn_rnn.generation._session import WritingSession

__all__ = ["CopiedSpan", "SequenceGenerator", "TokenScores", "WritingSession"]
