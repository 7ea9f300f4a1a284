"""Translation of sequences into other sequences of any length."""

from sklearn_rnn.translation._translator import SequenceTranslator

__all__ = ["SequenceTranslator"]
