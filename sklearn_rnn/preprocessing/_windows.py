"""Series cut into windows, for estimators of whole sequences."""

from numbers import Integral

import numpy as np

from sklearn_rnn._data.series import read_series


def sliding_windows(series, window, horizon=1, *, step=1):
    """Cut a series into windows and what follows each of them.

    Parameters
    ----------
    series : array-like of shape (n_timesteps,) or (n_timesteps, n_channels)
        One series, Series or frame; rows are time.
    window : int
        Steps of a window.
    horizon : int, default=1
        Steps that follow it.
    step : int, default=1
        Steps from the start of one window to that of the next.

    Returns
    -------
    X : ndarray of shape (n_windows, window, n_channels)
        Windows, as :class:`~sklearn_rnn.RNNRegressor` takes them. They share memory
        with each other (or with ``series``) and are read-only.
    y : ndarray of shape (n_windows,) or (n_windows, horizon * n_channels)
        What follows: one number if ``horizon`` and channels are 1, otherwise step by
        step, the channels of a step side by side. A copy.

    Raises
    ------
    ValueError
        If the series is shorter than ``window + horizon``, or holds NaN.

    See Also
    --------
    sklearn_rnn.RNNForecaster : Does this inside, and forecasts to any horizon.
    sklearn_rnn.model_selection.WindowSplit : Cross-validation of windows.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.preprocessing import sliding_windows
    >>> X, y = sliding_windows(np.arange(6.0), window=3)
    >>> X[..., 0]
    array([[0., 1., 2.],
           [1., 2., 3.],
           [2., 3., 4.]])
    >>> y
    array([3., 4., 5.])
    """
    for name, value in (("window", window), ("horizon", horizon), ("step", step)):
        if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
            raise ValueError(f"{name}={value!r}; expected an integer of 1 or more.")
    read = read_series(series, "series")
    if not read.single:
        raise ValueError(
            f"sliding_windows takes one series, got {len(read)}. Call it for each and "
            "concatenate the outcomes."
        )
    (values,) = read.values
    if len(values) < window + horizon:
        raise ValueError(
            f"the series has {len(values)} steps, fewer than window={window} and "
            f"horizon={horizon} together."
        )
    if np.isnan(values).any():
        raise ValueError(
            f"the series contains NaN at step {np.isnan(values).any(axis=1).argmax()}. "
            "Fill gaps first; RNNForecaster takes them as they are."
        )
    windows = np.lib.stride_tricks.sliding_window_view(values, window + horizon, axis=0)
    windows = windows[::step].transpose(0, 2, 1)  # (n, window + horizon, C)
    X, y = windows[:, :window], windows[:, window:].reshape(len(windows), -1).copy()
    return X, y[:, 0] if y.shape[1] == 1 else y
