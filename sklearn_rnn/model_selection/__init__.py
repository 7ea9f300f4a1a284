"""Cross-validation of series without leaks."""

from sklearn_rnn.model_selection._window_split import WindowSplit

__all__ = ["WindowSplit"]
