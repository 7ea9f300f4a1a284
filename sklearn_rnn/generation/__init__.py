"""Learn to continue text or other token sequences, and generate new ones."""

from sklearn_rnn.generation._generator import SequenceGenerator
from sklearn_rnn.generation._scoring import TokenScores
from sklearn_rnn.generation._session import WritingSession

__all__ = ["SequenceGenerator", "TokenScores", "WritingSession"]
