"""WindowSplit: cross-validation of time series without leaks."""

import numpy as np
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import indexable

from sklearn_rnn._core.scalars import check_integer
from sklearn_rnn._core.sklearn_private import _num_samples
from sklearn_rnn._data.ragged import holds_several
from sklearn_rnn._data.series_panel import SeriesPanel


class WindowSplit(BaseCrossValidator):
    """Cross-validator for forecasts from windows, with training before testing.

    No step that is a target in the test part of a split is read or predicted in
    training.

    Parameters
    ----------
    n_splits : int, default=5
        Number of splits.
    window : int
        Number of steps that are read before the first forecast. For an
        :class:`~sklearn_rnn.RNNForecaster` with ``differencing``, add that number.
    horizon : int, default=1
        Number of steps that are forecast.
    test_size : int or None, default=None
        Number of samples that are scored in each split. By default, chosen so that the
        first training set contains at least that many windows.
    of : {"steps", "windows"}, default="steps"
        Type of the samples. "steps" are time steps of one series, or of several in a
        :class:`SeriesPanel`, as in the X of :class:`~sklearn_rnn.RNNForecaster`.
        "windows" are windows with the values that follow, as returned by
        :func:`~sklearn_rnn.sliding_windows` with ``step=1``.

    See Also
    --------
    SeriesPanel : Several series with time steps as rows.
    sklearn.model_selection.TimeSeriesSplit : Splits time series without regard to
        windows.

    Notes
    -----
    The last ``n_splits * test_size`` samples are scored, ``test_size`` of them in each
    split. All samples before them are used for training. By default, ``test_size`` is
    ``(n_samples - skipped) // (n_splits + 1)``. For steps, ``skipped`` is ``window +
    horizon - 1``, the steps of the first window before its last target. For windows, it
    is ``horizon - 1``.

    With ``of="steps"``, the test part also contains the ``window`` steps before those
    that are scored. They are only read, so that the first forecast is that of the first
    step after the training part. Without them, the score of a forecaster would skip the
    first steps of the test part, or all of them.

    With ``of="windows"``, window i reads the steps i to i + window - 1 and predicts the
    ``horizon`` steps after them. If the test part begins with window a, its first
    target is the step a + window. Only windows up to a - horizon do not contain it, so
    the ``horizon - 1`` windows before the test part are left out.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.model_selection import WindowSplit
    >>> for train, test in WindowSplit(2, window=3, test_size=2).split(np.zeros(10)):
    ...     print(train, test)
    [0 1 2 3 4 5] [3 4 5 6 7]
    [0 1 2 3 4 5 6 7] [5 6 7 8 9]
    >>> split = WindowSplit(2, window=3, horizon=2, test_size=2, of="windows")
    >>> for train, test in split.split(np.zeros((10, 3))):
    ...     print(train, test)
    [0 1 2 3 4] [6 7]
    [0 1 2 3 4 5 6] [8 9]
    """

    def __init__(self, n_splits=5, *, window, horizon=1, test_size=None, of="steps"):
        self.n_splits = n_splits
        self.window = window
        self.horizon = horizon
        self.test_size = test_size
        self.of = of

    def get_n_splits(self, X=None, y=None, groups=None):
        """Return the number of splits.

        Parameters
        ----------
        X : object
            Ignored.
        y : object
            Ignored.
        groups : object
            Ignored.

        Returns
        -------
        n_splits : int
            Number of splits.
        """
        return self.n_splits

    def split(self, X, y=None, groups=None):
        """Generate the indices of the training and test samples of each split.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            One series, a :class:`SeriesPanel`, or windows.
        y : object
            Ignored.
        groups : object
            Ignored.

        Yields
        ------
        train : ndarray of int
            Indices of the training samples.
        test : ndarray of int
            Indices of the test samples; for steps, preceded by the ``window`` steps
            that are only read.

        Raises
        ------
        ValueError
            If a parameter is not valid, if X has too few samples, or if the rows of X
            are series instead of time steps.
        """
        self._check()
        (X,) = indexable(X)
        self._check_container(X)
        n = _num_samples(X)
        context = self.window if self.of == "steps" else 0
        size = self._test_size(n, context + self.horizon - 1)
        first = n - self.n_splits * size
        rows = np.arange(n)
        gap = self.horizon - 1 if self.of == "windows" else 0
        for begin in range(first, n, size):
            yield rows[: begin - gap], rows[begin - context : begin + size]

    def _test_size(self, n, skipped):
        smallest = self.horizon if self.of == "steps" else 1
        size = self.test_size or max(smallest, (n - skipped) // (self.n_splits + 1))
        if size < smallest:
            raise ValueError(
                f"test_size={size} steps are too few for a forecast with "
                f"horizon={self.horizon}. Set a larger test_size or a smaller horizon."
            )
        needed = skipped + self.n_splits * size + (1 if self.test_size else smallest)
        if n < needed:
            raise ValueError(
                f"{n} samples are too few; n_splits={self.n_splits} with "
                f"test_size={size}, window={self.window} and horizon={self.horizon} "
                f"needs {needed}. Set smaller values, or pass more samples."
            )
        return size

    def _check_container(self, X):
        is_panel = isinstance(X, SeriesPanel)
        if self.of == "windows" and is_panel:
            raise ValueError(
                'X is a SeriesPanel, whose rows are time steps. Set of="steps".'
            )
        if self.of == "steps" and not is_panel and holds_several(X):
            raise ValueError(
                f"X contains {len(X)} series, but its rows must be time steps. To "
                "split several series by time, pass SeriesPanel(X) from "
                "sklearn_rnn.model_selection. To hold out whole series, use KFold. If "
                'X contains windows, set of="windows".'
            )

    def _check(self):
        for name in ("n_splits", "window", "horizon", "test_size"):
            value = getattr(self, name)
            if name == "test_size" and value is None:
                continue
            check_integer(name, value, minimum=1)
        if self.of not in ("steps", "windows"):
            raise ValueError(f'of must be "steps" or "windows", got {self.of!r}.')
