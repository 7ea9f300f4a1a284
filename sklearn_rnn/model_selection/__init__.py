"""Cross-validation of time series without leaks."""

from sklearn_rnn._data.series_panel import SeriesPanel
from sklearn_rnn.model_selection._window_split import WindowSplit

__all__ = ["SeriesPanel", "WindowSplit"]
