"""Numbers made ready: transformers of every step, and sequences from long tables."""

from sklearn_rnn.preprocessing._frames import sequences_from_frame
from sklearn_rnn.preprocessing._stepwise import StepwiseTransformer

__all__ = ["StepwiseTransformer", "sequences_from_frame"]
