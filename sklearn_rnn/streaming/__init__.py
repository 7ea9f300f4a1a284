"""State that persists between predictions."""

from sklearn_rnn.streaming._open_stream import open_stream
from sklearn_rnn.streaming._stream import Stream

__all__ = ["Stream", "open_stream"]
