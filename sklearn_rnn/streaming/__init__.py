"""State that persists between predictions."""

from sklearn_rnn.streaming._stream import Stream, open_stream

__all__ = ["Stream", "open_stream"]
