"""Scores of forecasts, and of answers at each step of sequences.

Forecasts: plain functions of arrays, which leave out true values that are NaN;
:func:`score_backtest` computes a table of them from the frame that ``backtest`` of a
forecaster returns, and :func:`forecast_scorer` makes scorers for searches.

Answers at each step (``step_...``, ``sequence_...``): y may be an array
``(n_sequences, n_timesteps)`` or ``(n_sequences, n_timesteps, n_outputs)``, or a list,
object array or Series of rows of any length. NaN in y_true is padding, and so is what a
row of an array y_true has beyond the end of y_pred's, or NaN of an array y_pred beyond
the end of y_true's row. :func:`sklearn.metrics.make_scorer` makes scorers of them.
"""

from sklearn_rnn.metrics._backtests import score_backtest
from sklearn_rnn.metrics._forecast_errors import (
    continuous_ranked_probability_score,
    interval_coverage,
    mean_absolute_error,
    mean_interval_score,
    mean_pinball_loss,
    root_mean_squared_error,
    symmetric_mean_absolute_percentage_error,
)
from sklearn_rnn.metrics._forecasts import mean_absolute_scaled_error
from sklearn_rnn.metrics._scorers import forecast_scorer
from sklearn_rnn.metrics._steps import (
    sequence_accuracy_score,
    step_accuracy_score,
    step_mean_absolute_error,
    step_mean_squared_error,
    step_r2_score,
)
from sklearn_rnn.metrics._translations import (
    bleu_score,
    chrf_score,
    token_accuracy_score,
)

__all__ = [
    "bleu_score",
    "chrf_score",
    "continuous_ranked_probability_score",
    "forecast_scorer",
    "interval_coverage",
    "mean_absolute_error",
    "mean_absolute_scaled_error",
    "mean_interval_score",
    "mean_pinball_loss",
    "root_mean_squared_error",
    "score_backtest",
    "sequence_accuracy_score",
    "step_accuracy_score",
    "step_mean_absolute_error",
    "step_mean_squared_error",
    "step_r2_score",
    "symmetric_mean_absolute_percentage_error",
    "token_accuracy_score",
]
