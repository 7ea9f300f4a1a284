"""Scores of answers at each step, over the valid steps of all sequences.

y may be an array ``(n_sequences, n_timesteps)`` or ``(n_sequences, n_timesteps,
n_outputs)``, or a list, object array or Series of rows of any length. NaN in y_true is
padding, and so is what a row of an array y_true has beyond the end of y_pred's.
:func:`sklearn.metrics.make_scorer` makes scorers of them.
"""

import numpy as np
from sklearn import metrics as of_rows
from sklearn.utils.validation import check_consistent_length

__all__ = [
    "mean_absolute_scaled_error",
    "sequence_accuracy_score",
    "step_accuracy_score",
    "step_mean_absolute_error",
    "step_mean_squared_error",
    "step_r2_score",
]


def step_accuracy_score(y_true, y_pred, *, sample_weight=None):
    """Share of steps with the right label.

    Parameters
    ----------
    y_true : array-like or list of arrays
        Labels of each step of each sequence.
    y_pred : array-like or list of arrays
        Labels predicted.
    sample_weight : array-like or list of arrays, default=None
        A weight a sequence, or a weight a step.

    Returns
    -------
    score : float
        From 0 to 1.

    Examples
    --------
    >>> from sklearn_rnn.metrics import step_accuracy_score
    >>> step_accuracy_score([["D", "N"], ["N", "V"]], [["D", "V"], ["N", "V"]])
    0.75
    """
    true, pred, weights = _steps(y_true, y_pred, sample_weight)
    return of_rows.accuracy_score(true, pred, sample_weight=weights)


def sequence_accuracy_score(y_true, y_pred, *, sample_weight=None):
    """Share of sequences of which every step has the right label.

    Parameters
    ----------
    y_true : array-like or list of arrays
        Labels of each step of each sequence.
    y_pred : array-like or list of arrays
        Labels predicted.
    sample_weight : array-like of shape (n_sequences,), default=None
        Weights of the sequences.

    Returns
    -------
    score : float
        From 0 to 1.

    Examples
    --------
    >>> from sklearn_rnn.metrics import sequence_accuracy_score
    >>> sequence_accuracy_score([["D", "N"], ["N", "V"]], [["D", "V"], ["N", "V"]])
    0.5
    """
    right = [np.all(true == pred) for true, pred, _ in _rows(y_true, y_pred)]
    return float(np.average(right, weights=sample_weight))


def step_r2_score(y_true, y_pred, *, sample_weight=None):
    """Coefficient of determination (R2) over all steps.

    Parameters
    ----------
    y_true : array-like or list of arrays
        Numbers of each step of each sequence.
    y_pred : array-like or list of arrays
        Numbers predicted.
    sample_weight : array-like or list of arrays, default=None
        A weight a sequence, or a weight a step.

    Returns
    -------
    score : float
        At most 1; the mean over the outputs, if there are several.

    Examples
    --------
    >>> from sklearn_rnn.metrics import step_r2_score
    >>> step_r2_score([[1.0, 2.0], [3.0]], [[1.0, 1.0], [3.0]])
    0.5
    """
    true, pred, weights = _steps(y_true, y_pred, sample_weight)
    return of_rows.r2_score(true, pred, sample_weight=weights)


def step_mean_squared_error(y_true, y_pred, *, sample_weight=None):
    """Mean squared error over all steps.

    Parameters
    ----------
    y_true : array-like or list of arrays
        Numbers of each step of each sequence.
    y_pred : array-like or list of arrays
        Numbers predicted.
    sample_weight : array-like or list of arrays, default=None
        A weight a sequence, or a weight a step.

    Returns
    -------
    loss : float
        In the squared unit of y; the mean over the outputs, if there are several.

    Examples
    --------
    >>> from sklearn_rnn.metrics import step_mean_squared_error
    >>> step_mean_squared_error([[1.0, 2.0], [3.0]], [[1.0, 1.0], [3.0]])
    0.333...
    """
    true, pred, weights = _steps(y_true, y_pred, sample_weight)
    return of_rows.mean_squared_error(true, pred, sample_weight=weights)


def step_mean_absolute_error(y_true, y_pred, *, sample_weight=None):
    """Mean absolute error over all steps.

    Parameters
    ----------
    y_true : array-like or list of arrays
        Numbers of each step of each sequence.
    y_pred : array-like or list of arrays
        Numbers predicted.
    sample_weight : array-like or list of arrays, default=None
        A weight a sequence, or a weight a step.

    Returns
    -------
    loss : float
        In the unit of y; the mean over the outputs, if there are several.

    Examples
    --------
    >>> from sklearn_rnn.metrics import step_mean_absolute_error
    >>> step_mean_absolute_error([[1.0, 2.0], [3.0]], [[1.0, 1.0], [3.0]])
    0.333...
    """
    true, pred, weights = _steps(y_true, y_pred, sample_weight)
    return of_rows.mean_absolute_error(true, pred, sample_weight=weights)


def mean_absolute_scaled_error(y_true, y_pred, *, y_train, season=1):
    r"""Mean absolute error of a forecast, in units of a naive forecast's in training.

    Parameters
    ----------
    y_true : array-like of shape (n_timesteps,) or (n_timesteps, n_channels)
        What came; NaN is left out.
    y_pred : array-like of shape (n_timesteps,) or (n_timesteps, n_channels)
        What was forecast.
    y_train : array-like of shape (n_train,) or (n_train, n_channels)
        The series before; NaN is left out.
    season : int, default=1
        The naive forecast is the value so many steps before.

    Returns
    -------
    loss : float
        Below 1 the forecast errs less than the naive one step (one season) ahead; the
        mean over channels.

    Raises
    ------
    ValueError
        If ``y_train`` is not longer than ``season``, or does not vary over it.

    References
    ----------
    R. J. Hyndman and A. B. Koehler, "Another look at measures of forecast accuracy",
    International Journal of Forecasting 22, 2006.

    Examples
    --------
    >>> from sklearn_rnn.metrics import mean_absolute_scaled_error
    >>> mean_absolute_scaled_error([5.0, 7.0], [5.0, 6.0], y_train=[1.0, 2.0, 4.0, 3.0])
    0.375
    """
    true, pred, train = (
        np.asarray(y, dtype=np.float64) for y in (y_true, y_pred, y_train)
    )
    if true.shape != pred.shape:
        raise ValueError(
            f"y_true has the shape {true.shape}, y_pred {pred.shape}; expected one."
        )
    if len(train) <= season:
        raise ValueError(
            f"y_train has {len(train)} steps; a naive forecast {season} steps ahead "
            "needs more."
        )
    scale = np.nanmean(np.abs(train[season:] - train[:-season]), axis=0)
    if not np.all(scale > 0):
        raise ValueError(
            f"y_train does not vary over {season} steps, which leaves nothing to scale "
            "by."
        )
    return float(np.mean(np.nanmean(np.abs(true - pred), axis=0) / scale))


def _rows(y_true, y_pred):
    """The valid steps of each sequence: true, predicted, and which of all they are."""
    rectangle = getattr(y_true, "ndim", 1) > 1
    y_true, y_pred = (
        np.asarray(y) if getattr(y, "ndim", 1) > 1 else list(y)
        for y in (y_true, y_pred)
    )
    check_consistent_length(y_true, y_pred)
    for i, (true, pred) in enumerate(zip(y_true, y_pred, strict=True)):
        true, pred = np.asarray(true), np.asarray(pred)
        if rectangle:
            true = true[: len(pred)]
        if true.shape != pred.shape:
            raise ValueError(
                f"row {i} of y_true has the shape {true.shape}, that of y_pred "
                f"{pred.shape}. Give an entry a step of the same sequences."
            )
        valid = np.ones(len(true), dtype=bool)
        if true.dtype.kind == "f":
            valid = ~np.isnan(true.reshape(len(true), -1)).any(axis=1)
        yield true[valid], pred[valid], valid


def _steps(y_true, y_pred, sample_weight):
    """The valid steps of all sequences behind each other, and their weights."""
    true, pred, valid = zip(*_rows(y_true, y_pred), strict=True)
    weights = None
    if sample_weight is not None:
        if getattr(sample_weight, "ndim", 1) > 1:
            sample_weight = np.asarray(sample_weight)
        sample_weight = list(sample_weight)
        check_consistent_length(true, sample_weight)
        weights = np.concatenate(
            [
                np.broadcast_to(
                    weight if np.ndim(weight) == 0 else weight[: len(v)], len(v)
                )[v]
                for weight, v in zip(sample_weight, valid, strict=True)
            ]
        )
    return np.concatenate(true), np.concatenate(pred), weights
