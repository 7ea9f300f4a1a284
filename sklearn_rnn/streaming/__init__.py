"""Streams: predictions step by step, with a state that persists between calls."""

from sklearn_rnn.streaming._open_stream import open_stream
from sklearn_rnn.streaming._stream import Stream

__all__ = ["Stream", "open_stream"]
