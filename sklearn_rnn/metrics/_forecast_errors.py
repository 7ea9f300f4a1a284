"""Errors of forecasts, bounds and sampled paths, without the steps of unknown truth."""

import numpy as np

from sklearn_rnn._core.scalars import check_number


def mean_absolute_error(y_true, y_pred):
    """Mean absolute error of forecasts.

    Unlike :func:`sklearn.metrics.mean_absolute_error`, missing true values are left
    out, and y may have any shape.

    Parameters
    ----------
    y_true : array-like
        True values, of any shape. NaN is left out.
    y_pred : array-like
        Forecasts, of the same shape.

    Returns
    -------
    loss : float
        In the unit of y; 0 is best.

    Raises
    ------
    ValueError
        If shapes or indices differ, if a forecast of a known value is NaN, or if no
        true value is known.

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
    """Root of the mean squared error of forecasts.

    Unlike :func:`sklearn.metrics.root_mean_squared_error`, missing true values are left
    out, and y may have any shape.

    Parameters
    ----------
    y_true : array-like
        True values, of any shape. NaN is left out.
    y_pred : array-like
        Forecasts, of the same shape.

    Returns
    -------
    loss : float
        In the unit of y; 0 is best.

    Raises
    ------
    ValueError
        If shapes or indices differ, if a forecast of a known value is NaN, or if no
        true value is known.

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
    r"""Symmetric mean absolute percentage error (sMAPE), in percent.

    Parameters
    ----------
    y_true : array-like
        True values, of any shape. NaN is left out.
    y_pred : array-like
        Forecasts, of the same shape.

    Returns
    -------
    loss : float
        From 0, which is best, to 200 percent.

    Raises
    ------
    ValueError
        If shapes or indices differ, if a forecast of a known value is NaN, or if no
        true value is known.

    Notes
    -----
    The mean of :math:`200 |y - \hat y| / (|y| + |\hat y|)`, as in the M3 and M4
    competitions [1]_. It is 0 where truth and forecast are both 0. It is meant for
    positive values; forecasts that are too low cost more than those that are too high.

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
    r"""Mean pinball loss (quantile loss) of forecast quantiles.

    Unlike :func:`sklearn.metrics.mean_pinball_loss`, missing true values are left out,
    and y may have any shape.

    Parameters
    ----------
    y_true : array-like
        True values, of any shape. NaN is left out.
    y_pred : array-like
        Forecasts of the quantile, of the same shape.
    alpha : float in (0, 1), default=0.5
        Level of the quantile. 0.5 gives half of the mean absolute error.

    Returns
    -------
    loss : float
        In the unit of y; 0 is best.

    Raises
    ------
    ValueError
        If shapes or indices differ, if a forecast of a known value is NaN, or if no
        true value is known.

    Notes
    -----
    The mean of :math:`\max(\alpha (y - q), (\alpha - 1) (y - q))` over forecasts q.

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
    r"""Mean interval score (Winkler score) of prediction intervals.

    Parameters
    ----------
    y_true : array-like
        True values, of any shape. NaN is left out.
    lower : array-like
        Lower bounds, of the same shape.
    upper : array-like
        Upper bounds, of the same shape.
    coverage : float in (0, 1)
        Nominal coverage of the intervals.

    Returns
    -------
    loss : float
        In the unit of y; smaller is better. Narrow intervals that cover are best.

    Raises
    ------
    ValueError
        If shapes or indices differ, if a bound of a known value is NaN, if a lower
        bound is above its upper one, or if no true value is known.

    Notes
    -----
    With :math:`\alpha = 1 - \text{coverage}`, the mean of [1]_

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
    """Share of true values inside their prediction intervals.

    Parameters
    ----------
    y_true : array-like
        True values, of any shape. NaN is left out.
    lower : array-like
        Lower bounds, of the same shape.
    upper : array-like
        Upper bounds, of the same shape.

    Returns
    -------
    coverage : float
        From 0 to 1, to compare with the nominal coverage. Bounds belong to the
        interval.

    Raises
    ------
    ValueError
        If shapes or indices differ, if a bound of a known value is NaN, if a lower
        bound is above its upper one, or if no true value is known.

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
    r"""Mean continuous ranked probability score (CRPS) of sampled values.

    It generalises the absolute error to distributions, step by step.

    Parameters
    ----------
    y_true : array-like
        True values, of any shape. NaN is left out.
    paths : array-like of shape (n_paths, ...)
        Samples of them, as ``sample_paths`` returns; each path has the shape of
        ``y_true``.

    Returns
    -------
    loss : float
        In the unit of y; 0 is best. With a single path it is the mean absolute error.

    Raises
    ------
    ValueError
        If shapes do not match, if a sample of a known value is NaN, or if no true value
        is known.

    Notes
    -----
    With samples x of a value y, and two independent draws x and x' of them,
    :math:`E |x - y| - \frac{1}{2} E |x - x'|` [1]_. Both expectations are means over
    the empirical distribution of the samples.

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
            f"{', '.join(map(str, true.shape))}) for y_true of the shape {true.shape}."
        )
    named = {f"paths[{i}]": path for i, path in enumerate(paths)}
    known, *samples = select_known(true, **named)
    return float(compute_crps(known, np.stack(samples)).mean())


def compute_crps(true, samples):
    """CRPS (...) of samples (n_paths, ...) of true values (...)."""
    samples, n = np.sort(samples, axis=0), len(samples)
    ranks = 2 * np.arange(1, n + 1) - n - 1
    spread = np.tensordot(ranks, samples, axes=1) / n**2  # half of the mean distance
    return np.abs(samples - true).mean(axis=0) - spread


# ---------------------------------------------------------------- checks


def as_numbers(name, values):
    """An array of finite numbers or NaN, or a ValueError that names it."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} cannot be read as one array of numbers ({error}). Concatenate "
            "sequences of unequal length."
        ) from error
    if np.isinf(array).any():
        raise ValueError(f"{name} contains infinity. Mark missing values as NaN.")
    return array


def select_known(y_true, **others):
    """True values that are known (n,), and the other arrays at their places."""
    true = as_numbers("y_true", y_true)
    known = ~np.isnan(true)
    if not known.any():
        raise ValueError("y_true holds no known value, so there is nothing to score.")
    selected = [true[known]]
    for name, values in others.items():
        array = as_numbers(name, values)
        if array.shape != true.shape:
            raise ValueError(
                f"{name} has the shape {array.shape}, y_true has the shape "
                f"{true.shape}. Give one value for each true value."
            )
        if hasattr(values, "iloc") and hasattr(y_true, "iloc"):
            if not values.index.equals(y_true.index):
                raise ValueError(
                    f"{name} and y_true have different indices. Align them first, for "
                    f"example with y_true.reindex({name}.index)."
                )
        if np.isnan(array[known]).any():
            raise ValueError(f"{name} contains NaN where y_true is known.")
        selected.append(array[known])
    return selected


def check_bounds(lower, upper):
    """Raise a ValueError if a lower bound is above its upper one."""
    if (lower > upper).any():
        i = int((lower > upper).argmax())
        raise ValueError(
            f"lower is above upper: {lower[i]} > {upper[i]}. Were the bounds swapped?"
        )
