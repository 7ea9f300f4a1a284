"""Metrics of predictions at each step, over the valid steps of all sequences."""

import numpy as np
from sklearn import metrics as of_rows

from sklearn_rnn.metrics._ragged import align_steps, check_any_step, concatenate_steps


def step_accuracy_score(y_true, y_pred, *, sample_weight=None):
    """Compute the fraction of steps with the correct label.

    Parameters
    ----------
    y_true : array-like or list of arrays
        True labels of each step of each sequence.
    y_pred : array-like or list of arrays
        Predicted labels.
    sample_weight : array-like or list of arrays, default=None
        One weight per sequence, or one per step.

    Returns
    -------
    score : float
        From 0 to 1.

    Raises
    ------
    ValueError
        If y_true, y_pred and the weights do not match in length or shape, or if there
        is no valid step.

    Examples
    --------
    >>> from sklearn_rnn.metrics import step_accuracy_score
    >>> step_accuracy_score([["D", "N"], ["N", "V"]], [["D", "V"], ["N", "V"]])
    0.75
    """
    true, pred, weights = concatenate_steps(align_steps(y_true, y_pred, sample_weight))
    return of_rows.accuracy_score(true, pred, sample_weight=weights)


def sequence_accuracy_score(y_true, y_pred, *, sample_weight=None):
    """Compute the fraction of sequences whose steps all have the correct label.

    Parameters
    ----------
    y_true : array-like or list of arrays
        True labels of each step of each sequence.
    y_pred : array-like or list of arrays
        Predicted labels.
    sample_weight : array-like or list of arrays, default=None
        One weight per sequence, or one per step. Weights of steps are averaged over a
        sequence, and steps of weight 0 are ignored.

    Returns
    -------
    score : float
        From 0 to 1. Sequences without a valid step are left out.

    Raises
    ------
    ValueError
        If y_true, y_pred and the weights do not match in length or shape, or if there
        is no valid step.

    Examples
    --------
    >>> from sklearn_rnn.metrics import sequence_accuracy_score
    >>> sequence_accuracy_score([["D", "N"], ["N", "V"]], [["D", "V"], ["N", "V"]])
    0.5
    """
    right, weights = [], []
    for true, pred, weight in align_steps(y_true, y_pred, sample_weight):
        if len(true):
            right.append(np.all((true == pred)[weight != 0]))
            weights.append(weight.mean())
    check_any_step(right)
    return of_rows.accuracy_score([True] * len(right), right, sample_weight=weights)


def step_r2_score(y_true, y_pred, *, sample_weight=None):
    """Compute R², the coefficient of determination, over all steps.

    Parameters
    ----------
    y_true : array-like or list of arrays
        True values of each step of each sequence.
    y_pred : array-like or list of arrays
        Predicted values.
    sample_weight : array-like or list of arrays, default=None
        One weight per sequence, or one per step.

    Returns
    -------
    score : float
        At most 1; the mean over the outputs, if there are several.

    Raises
    ------
    ValueError
        If y_true, y_pred and the weights do not match in length or shape, or if there
        is no valid step.

    Examples
    --------
    >>> from sklearn_rnn.metrics import step_r2_score
    >>> step_r2_score([[1.0, 2.0], [3.0]], [[1.0, 1.0], [3.0]])
    0.5
    """
    true, pred, weights = concatenate_steps(align_steps(y_true, y_pred, sample_weight))
    return of_rows.r2_score(true, pred, sample_weight=weights)


def step_mean_squared_error(y_true, y_pred, *, sample_weight=None):
    """Compute the mean squared error over all steps.

    Parameters
    ----------
    y_true : array-like or list of arrays
        True values of each step of each sequence.
    y_pred : array-like or list of arrays
        Predicted values.
    sample_weight : array-like or list of arrays, default=None
        One weight per sequence, or one per step.

    Returns
    -------
    loss : float
        In the squared unit of y; the mean over the outputs, if there are several.

    Raises
    ------
    ValueError
        If y_true, y_pred and the weights do not match in length or shape, or if there
        is no valid step.

    Examples
    --------
    >>> from sklearn_rnn.metrics import step_mean_squared_error
    >>> step_mean_squared_error([[1.0, 2.0], [3.0]], [[1.0, 1.0], [3.0]])
    0.333...
    """
    true, pred, weights = concatenate_steps(align_steps(y_true, y_pred, sample_weight))
    return of_rows.mean_squared_error(true, pred, sample_weight=weights)


def step_mean_absolute_error(y_true, y_pred, *, sample_weight=None):
    """Compute the mean absolute error over all steps.

    Parameters
    ----------
    y_true : array-like or list of arrays
        True values of each step of each sequence.
    y_pred : array-like or list of arrays
        Predicted values.
    sample_weight : array-like or list of arrays, default=None
        One weight per sequence, or one per step.

    Returns
    -------
    loss : float
        In the unit of y; the mean over the outputs, if there are several.

    Raises
    ------
    ValueError
        If y_true, y_pred and the weights do not match in length or shape, or if there
        is no valid step.

    Examples
    --------
    >>> from sklearn_rnn.metrics import step_mean_absolute_error
    >>> step_mean_absolute_error([[1.0, 2.0], [3.0]], [[1.0, 1.0], [3.0]])
    0.333...
    """
    true, pred, weights = concatenate_steps(align_steps(y_true, y_pred, sample_weight))
    return of_rows.mean_absolute_error(true, pred, sample_weight=weights)
