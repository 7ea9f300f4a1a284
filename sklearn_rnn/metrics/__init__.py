"""Scores of forecasts, of predictions at each time step, and of translations.

Metrics of forecasts are functions of arrays, which leave out true values that are NaN.
:func:`score_backtest` computes a table of metrics from the frame that ``backtest`` of a
forecaster returns, and :func:`forecast_scorer` makes scorers for searches.

Metrics of predictions at each time step have names that begin with ``step_`` or
``sequence_``. y may be an array ``(n_sequences, n_timesteps)`` or ``(n_sequences,
n_timesteps, n_outputs)``, or a list, object array or Series of rows of any length. NaN
in y_true is padding. If one of the two is an array and the other one is ragged, steps
of the array after the end of the ragged row are also padding (if the array is y_pred,
they must be NaN). Use :func:`sklearn.metrics.make_scorer` to make scorers.
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
