"""Scores of answers at each step, over the valid steps of all sequences.

y may be an array ``(n_sequences, n_timesteps)`` or ``(n_sequences, n_timesteps,
n_outputs)``, or a list, object array or Series of rows of any length. NaN in y_true is
padding, and so is what a row of an array y_true has beyond the end of y_pred's, or
NaN of an array y_pred beyond the end of y_true's row.
:func:`sklearn.metrics.make_scorer` makes scorers of them.
"""

from sklearn_rnn.metrics._forecasts import mean_absolute_scaled_error
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
    "mean_absolute_scaled_error",
    "sequence_accuracy_score",
    "step_accuracy_score",
    "step_mean_absolute_error",
    "step_mean_squared_error",
    "step_r2_score",
    "token_accuracy_score",
]
