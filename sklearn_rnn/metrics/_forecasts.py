"""Mean absolute scaled error of forecasts."""

import numpy as np
from sklearn import metrics as of_rows
from sklearn.utils.validation import check_consistent_length

from sklearn_rnn._core.scalars import check_integer
from sklearn_rnn.metrics._ragged import (
    align_steps,
    as_rows,
    concatenate_steps,
    count_axes,
)


def mean_absolute_scaled_error(
    y_true, y_pred, *, y_train, season=1, sample_weight=None
):
    r"""Compute the mean absolute scaled error (MASE) of forecasts.

    The mean absolute error is divided by that of the seasonal naive forecast in
    training.

    Parameters
    ----------
    y_true : array-like or list of arrays
        True values, ``(n_timesteps,)`` or ``(n_timesteps, n_channels)`` like
        ``y_train``. Forecasts from several origins or of several series have one axis
        more, such as ``(n_sequences, n_timesteps)``. NaN is left out.
    y_pred : array-like or list of arrays
        Forecasts, of the same shape.
    y_train : array-like or list of arrays
        Training series, ``(n_train,)`` or ``(n_train, n_channels)``: one for all of y,
        or a list (or 3-D array) with one for each sequence of y. NaN is left out.
    season : int, default=1
        Length of the seasonal period in steps. The naive forecast is the value
        ``season`` steps before.
    sample_weight : array-like or list of arrays, default=None
        One weight per step, or one per sequence if y has several.

    Returns
    -------
    loss : float
        Mean over all steps and channels; 0 is best. Values below 1 mean that the errors
        are smaller than those of the seasonal naive forecast ``season`` steps ahead.

    Raises
    ------
    ValueError
        If ``y_train`` is not longer than ``season``, or if all its values equal those
        ``season`` steps before.

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
    check_integer("season", season, minimum=1)
    several = count_axes(y_train) > max(1, min(getattr(y_train, "ndim", 1), 2))
    if not several and count_axes(y_true) <= count_axes(y_train):
        y_true, y_pred = [y_true], [y_pred]
        sample_weight = None if sample_weight is None else [sample_weight]
    rows = align_steps(y_true, y_pred, sample_weight)
    past = as_rows(y_train, "y_train") if several else [np.asarray(y_train)] * len(rows)
    check_consistent_length(rows, past)
    scaled = []
    for i, ((true, pred, weight), train) in enumerate(zip(rows, past, strict=True)):
        if true.shape[1:] != train.shape[1:]:
            raise ValueError(
                f"row {i} of y_true has steps of shape {true.shape[1:]}, but its "
                f"y_train has steps of shape {train.shape[1:]}. Pass the same channels."
            )
        scale = compute_naive_error(train, season)
        scaled.append((true / scale, pred / scale, weight))
    true, pred, weights = concatenate_steps(scaled)
    return of_rows.mean_absolute_error(true, pred, sample_weight=weights)


def compute_naive_error(train, season, name="y_train"):
    """Compute the mean absolute change of each channel over a season."""
    changes = np.abs(train[season:] - train[:-season])  # (n_train - season, ...)
    known = ~np.isnan(changes)
    if not known.any(axis=0).all():
        raise ValueError(
            f"{name} has {len(train)} steps without any two observed values that are "
            f"season={season} steps apart. Pass a longer y_train."
        )
    scale = changes.mean(axis=0, where=known)
    if not scale.all():
        raise ValueError(
            f"{name} cannot scale the errors, because all its values equal those "
            f"season={season} steps before. Use mean_absolute_error instead."
        )
    return scale
