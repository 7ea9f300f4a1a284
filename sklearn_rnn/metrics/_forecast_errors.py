"""Errors of forecasts, bounds and sampled paths; missing true values are left out."""

import numpy as np

from sklearn_rnn._core.scalars import check_number


def mean_absolute_error(y_true, y_pred):
    """Compute the mean absolute error (MAE) of forecasts.

    In contrast to :func:`sklearn.metrics.mean_absolute_error`, missing true values are
    left out, and y may have any shape.

    Parameters
    ----------
    y_true : array-like
        True values, of any shape. Missing values (NaN) are left out.
    y_pred : array-like
        Forecasts, of the same shape.

    Returns
    -------
    loss : float
        In the unit of y; 0 is best.

    Raises
    ------
    ValueError
        If shapes or indices differ, if a forecast is NaN where the true value is not,
        or if all true values are NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.metrics import mean_absolute_error
    >>> mean_absolute_error([1.0, 2.0, np.nan], [2.0, 2.0, 2.0])
    0.5
    """
    true, pred = select_known(y_true, y_pred=y_pred)
    return float(np.abs(true - pred).mean())


def root_mean_squared_error(y_true, y_pred):
    """Compute the root mean squared error (RMSE) of forecasts.

    In contrast to :func:`sklearn.metrics.root_mean_squared_error`, missing true values
    are left out, and y may have any shape.

    Parameters
    ----------
    y_true : array-like
        True values, of any shape. Missing values (NaN) are left out.
    y_pred : array-like
        Forecasts, of the same shape.

    Returns
    -------
    loss : float
        In the unit of y; 0 is best.

    Raises
    ------
    ValueError
        If shapes or indices differ, if a forecast is NaN where the true value is not,
        or if all true values are NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.metrics import root_mean_squared_error
    >>> root_mean_squared_error([1.0, 2.0, np.nan], [4.0, 6.0, 2.0])
    3.5355339059327378
    """
    true, pred = select_known(y_true, y_pred=y_pred)
    return float(np.sqrt(np.square(true - pred).mean()))


def symmetric_mean_absolute_percentage_error(y_true, y_pred):
    r"""Compute the symmetric mean absolute percentage error (sMAPE), in percent.

    Parameters
    ----------
    y_true : array-like
        True values, of any shape. Missing values (NaN) are left out.
    y_pred : array-like
        Forecasts, of the same shape.

    Returns
    -------
    loss : float
        From 0, which is best, to 200 percent.

    Raises
    ------
    ValueError
        If shapes or indices differ, if a forecast is NaN where the true value is not,
        or if all true values are NaN.

    Notes
    -----
    The error is the mean of :math:`200 |y - \hat y| / (|y| + |\hat y|)`, as in the M3
    and M4 competitions [1]_. A term is 0 if true value and forecast are both 0. The
    error is meant for positive values. It penalizes forecasts that are too low more
    than forecasts that are too high.

    References
    ----------
    .. [1] S. Makridakis, M. Hibon, "The M3-Competition: results, conclusions and
       implications", International Journal of Forecasting 16, 2000.

    Examples
    --------
    >>> from sklearn_rnn.metrics import symmetric_mean_absolute_percentage_error
    >>> symmetric_mean_absolute_percentage_error([100.0, 50.0], [100.0, 150.0])
    50.0
    """
    true, pred = select_known(y_true, y_pred=y_pred)
    size = np.abs(true) + np.abs(pred)
    return float((200 * np.abs(true - pred) / np.where(size, size, 1.0)).mean())


def mean_pinball_loss(y_true, y_pred, *, alpha=0.5):
    r"""Compute the mean pinball loss (quantile loss) of forecast quantiles.

    In contrast to :func:`sklearn.metrics.mean_pinball_loss`, missing true values are
    left out, and y may have any shape.

    Parameters
    ----------
    y_true : array-like
        True values, of any shape. Missing values (NaN) are left out.
    y_pred : array-like
        Forecasts of the quantile, of the same shape.
    alpha : float in (0, 1), default=0.5
        Level of the quantile. With 0.5 the loss is half of the mean absolute error.

    Returns
    -------
    loss : float
        In the unit of y; 0 is best.

    Raises
    ------
    ValueError
        If shapes or indices differ, if a forecast is NaN where the true value is not,
        or if all true values are NaN.

    Notes
    -----
    The loss is the mean of :math:`\max(\alpha (y - q), (\alpha - 1) (y - q))` over
    forecasts q.

    Examples
    --------
    >>> from sklearn_rnn.metrics import mean_pinball_loss
    >>> mean_pinball_loss([1.0, 2.0, 3.0, 9.0], [4.0, 4.0, 4.0, 4.0], alpha=0.75)
    1.3125
    """
    check_number("alpha", alpha, above=0, below=1)
    true, pred = select_known(y_true, y_pred=y_pred)
    return float(np.maximum(alpha * (true - pred), (alpha - 1) * (true - pred)).mean())


def mean_interval_score(y_true, lower, upper, *, coverage):
    r"""Compute the mean interval score (Winkler score) of prediction intervals.

    Parameters
    ----------
    y_true : array-like
        True values, of any shape. Missing values (NaN) are left out.
    lower : array-like
        Lower bounds, of the same shape.
    upper : array-like
        Upper bounds, of the same shape.
    coverage : float in (0, 1)
        Nominal coverage of the intervals.

    Returns
    -------
    loss : float
        In the unit of y; smaller is better. Narrow intervals with the right coverage
        have the smallest loss.

    Raises
    ------
    ValueError
        If shapes or indices differ, if a bound is NaN where the true value is not, if a
        lower bound is above its upper bound, or if all true values are NaN.

    Notes
    -----
    With :math:`\alpha = 1 - \text{coverage}` and bounds l and u, the score [1]_ is the
    mean of

    .. math::
        u - l + \frac{2}{\alpha} \max(l - y, 0) + \frac{2}{\alpha} \max(y - u, 0)

    References
    ----------
    .. [1] T. Gneiting, A. E. Raftery, "Strictly proper scoring rules, prediction, and
       estimation", Journal of the American Statistical Association 102, 2007,
       equation 43.

    Examples
    --------
    >>> from sklearn_rnn.metrics import mean_interval_score
    >>> mean_interval_score([1.0, 5.0], [0.0, 0.0], [2.0, 4.0], coverage=0.5)
    5.0
    """
    check_number("coverage", coverage, above=0, below=1)
    true, low, high = select_known(y_true, lower=lower, upper=upper)
    check_bounds(low, high)
    missed = np.maximum(low - true, 0) + np.maximum(true - high, 0)
    return float((high - low + 2 / (1 - coverage) * missed).mean())


def interval_coverage(y_true, lower, upper):
    """Compute the fraction of true values inside their prediction intervals.

    Parameters
    ----------
    y_true : array-like
        True values, of any shape. Missing values (NaN) are left out.
    lower : array-like
        Lower bounds, of the same shape.
    upper : array-like
        Upper bounds, of the same shape.

    Returns
    -------
    coverage : float
        From 0 to 1; should be close to the nominal coverage. Values equal to a bound
        are inside.

    Raises
    ------
    ValueError
        If shapes or indices differ, if a bound is NaN where the true value is not, if a
        lower bound is above its upper bound, or if all true values are NaN.

    Examples
    --------
    >>> from sklearn_rnn.metrics import interval_coverage
    >>> interval_coverage([1.0, 5.0], [0.0, 0.0], [2.0, 4.0])
    0.5
    """
    true, low, high = select_known(y_true, lower=lower, upper=upper)
    check_bounds(low, high)
    return float(((low <= true) & (true <= high)).mean())


def continuous_ranked_probability_score(y_true, paths):
    r"""Compute the mean continuous ranked probability score (CRPS) of samples.

    The score generalizes the absolute error to distributions. It compares the
    distribution of the samples at each step with the true value.

    Parameters
    ----------
    y_true : array-like
        True values, of any shape. Missing values (NaN) are left out.
    paths : array-like of shape (n_paths, ...)
        Sampled paths, as ``sample_paths`` of a forecaster returns. Each path has the
        shape of ``y_true``.

    Returns
    -------
    loss : float
        In the unit of y; 0 is best. With a single path it is the mean absolute error.

    Raises
    ------
    ValueError
        If shapes do not match, if a sample is NaN where the true value is not, or if
        all true values are NaN.

    Notes
    -----
    The score of samples for a true value y is
    :math:`E |x - y| - \frac{1}{2} E |x - x'|`, where x and x' are two independent draws
    from the samples [1]_.

    References
    ----------
    .. [1] T. Gneiting, A. E. Raftery, "Strictly proper scoring rules, prediction, and
       estimation", Journal of the American Statistical Association 102, 2007,
       equation 21.

    Examples
    --------
    >>> from sklearn_rnn.metrics import continuous_ranked_probability_score
    >>> continuous_ranked_probability_score([1.0, 3.0], [[0.0, 3.0], [2.0, 3.0]])
    0.25
    """
    true, paths = as_numbers("y_true", y_true), as_numbers("paths", paths)
    if paths.shape[1:] != true.shape or not len(paths):
        raise ValueError(
            f"paths have the shape {paths.shape}, expected (n_paths, "
            f"{', '.join(map(str, true.shape))}) for y_true of shape {true.shape}."
        )
    named = {f"paths[{i}]": path for i, path in enumerate(paths)}
    known, *samples = select_known(true, **named)
    return float(compute_crps(known, np.stack(samples)).mean())


def compute_crps(true, samples):
    """Compute the CRPS (...) of samples (n_paths, ...) of true values (...)."""
    samples, n = np.sort(samples, axis=0), len(samples)
    ranks = 2 * np.arange(1, n + 1) - n - 1
    spread = np.tensordot(ranks, samples, axes=1) / n**2  # half of the mean distance
    return np.abs(samples - true).mean(axis=0) - spread


# ---------------------------------------------------------------- checks


def as_numbers(name, values):
    """Convert to an array of finite numbers or NaN; errors contain the ``name``."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} cannot be converted to one array of numbers ({error}). "
            "Concatenate sequences of unequal length first."
        ) from error
    if np.isinf(array).any():
        raise ValueError(f"{name} contains infinity. Mark missing values as NaN.")
    return array


def select_known(y_true, **others):
    """Select the true values that are not NaN, (n,), and the others at their places."""
    true = as_numbers("y_true", y_true)
    known = ~np.isnan(true)
    if not known.any():
        raise ValueError(
            "all values of y_true are missing (NaN), so there is nothing to score."
        )
    selected = [true[known]]
    for name, values in others.items():
        array = as_numbers(name, values)
        if array.shape != true.shape:
            raise ValueError(
                f"{name} has the shape {array.shape}, but y_true has the shape "
                f"{true.shape}. Pass one value for each true value."
            )
        if hasattr(values, "iloc") and hasattr(y_true, "iloc"):
            if not values.index.equals(y_true.index):
                raise ValueError(
                    f"{name} and y_true have different indices. Align them first, for "
                    f"example with y_true.reindex({name}.index)."
                )
        if np.isnan(array[known]).any():
            raise ValueError(
                f"{name} contains NaN where y_true has a value. Only true values may "
                "be missing."
            )
        selected.append(array[known])
    return selected


def check_bounds(lower, upper):
    """Raise a ValueError if a lower bound is above its upper bound."""
    if (lower > upper).any():
        i = int((lower > upper).argmax())
        raise ValueError(
            f"lower is above upper: {lower[i]} > {upper[i]}. Were the bounds swapped?"
        )
