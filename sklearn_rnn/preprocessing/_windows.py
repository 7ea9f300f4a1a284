"""Windows of a series, as input of estimators of whole sequences."""

import numpy as np

from sklearn_rnn._core.scalars import check_integer
from sklearn_rnn._data.series import read_series


def sliding_windows(series, window, horizon=1, *, step=1):
    """Cut a series into windows and the values that follow each window.

    Parameters
    ----------
    series : array-like of shape (n_timesteps,) or (n_timesteps, n_channels)
        One series, as an array, Series or frame; rows are time steps.
    window : int
        Number of steps per window.
    horizon : int, default=1
        Number of steps to predict after each window.
    step : int, default=1
        Number of steps between the starts of successive windows.

    Returns
    -------
    X : ndarray of shape (n_windows, window, n_channels)
        Windows, as input of :class:`~sklearn_rnn.RNNRegressor`. This is a read-only
        view: windows share memory with each other and possibly with ``series``.
    y : ndarray of shape (n_windows,) or (n_windows, horizon * n_channels)
        Values that follow each window, as a copy: 1-D if there is one channel and
        ``horizon`` is 1, otherwise ordered by step and then by channel.

    Raises
    ------
    ValueError
        If the series is shorter than ``window + horizon``, or contains NaN.

    See Also
    --------
    sklearn_rnn.RNNForecaster : Cuts windows itself, and forecasts to any horizon.
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
        check_integer(name, value, minimum=1)
    read = read_series(series, "series")
    if not read.single:
        raise ValueError(
            f"sliding_windows expects a single series, got {len(read)}. Call it for "
            "each series and concatenate the results."
        )
    (values,) = read.values
    if len(values) < window + horizon:
        raise ValueError(
            f"the series has {len(values)} steps, fewer than window={window} plus "
            f"horizon={horizon}. Pass a longer series or set a smaller window."
        )
    if np.isnan(values).any():
        raise ValueError(
            f"the series contains NaN at step {np.isnan(values).any(axis=1).argmax()}. "
            "Fill the gaps first, or use RNNForecaster, which accepts missing values."
        )
    windows = np.lib.stride_tricks.sliding_window_view(values, window + horizon, axis=0)
    windows = windows[::step].transpose(0, 2, 1)  # (n, window + horizon, C)
    X, y = windows[:, :window], windows[:, window:].reshape(len(windows), -1).copy()
    return X, y[:, 0] if y.shape[1] == 1 else y
