"""Numbers made ready: transformers of steps and images, sequences from long tables."""

from sklearn_rnn.preprocessing._frames import sequences_from_frame
from sklearn_rnn.preprocessing._images import ImageFlattener
from sklearn_rnn.preprocessing._stepwise import StepwiseTransformer

__all__ = ["ImageFlattener", "StepwiseTransformer", "sequences_from_frame"]
