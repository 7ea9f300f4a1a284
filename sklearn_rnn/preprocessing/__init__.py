"""Preparation of sequences: transformers, long tables, windows and checks of data."""

from sklearn_rnn.preprocessing._check_data import check_data
from sklearn_rnn.preprocessing._frames import sequences_from_frame
from sklearn_rnn.preprocessing._images import ImageFlattener
from sklearn_rnn.preprocessing._series_scaler import SeriesScaler
from sklearn_rnn.preprocessing._stepwise import StepwiseTransformer
from sklearn_rnn.preprocessing._windows import sliding_windows

__all__ = [
    "ImageFlattener",
    "SeriesScaler",
    "StepwiseTransformer",
    "check_data",
    "sequences_from_frame",
    "sliding_windows",
]
