"""Cross-validation of series without leaks."""

import numpy as np
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import indexable

from sklearn_rnn._core.scalars import check_integer
from sklearn_rnn._core.sklearn_private import _num_samples
from sklearn_rnn._data.ragged import holds_several
from sklearn_rnn._data.series_panel import SeriesPanel


class WindowSplit(BaseCrossValidator):
    """Folds forward in time that know windows and horizons.

    No step that a fold judges as a target was read or forecast in its training.

    Parameters
    ----------
    n_splits : int, default=5
        Folds.
    window : int
        Steps that are read before the first forecast. For an
        :class:`~sklearn_rnn.RNNForecaster` with ``differencing`` that many more.
    horizon : int, default=1
        Steps forecast.
    test_size : int or None, default=None
        Samples judged in each fold. None is as many as leave the first training part
        that many windows at least.
    of : {"steps", "windows"}, default="steps"
        What a sample is: a time step of one series, or of several in a
        :class:`SeriesPanel`, as in the X of :class:`~sklearn_rnn.RNNForecaster`; or a
        window and what follows it, as of :func:`~sklearn_rnn.sliding_windows` with
        ``step=1``.

    See Also
    --------
    SeriesPanel : Several series with time steps as rows.
    sklearn.model_selection.TimeSeriesSplit : Folds that know of no windows.

    Notes
    -----
    The folds are the last ``n_splits * test_size`` samples, one after the other, and
    everything before a fold trains. By default, ``test_size`` is
    ``(n_samples - skipped) // (n_splits + 1)``, where skipped is
    ``window + horizon - 1`` of steps (what the first window holds before its last
    target) and ``horizon - 1`` of windows.

    Of steps, a fold is preceded by the ``window`` steps before it, for reading only:
    the first forecast is that of the first step after training. Without them the score
    of a forecaster would skip the first steps of each fold, or all of them.

    Of windows, window i reads the steps i to i + window - 1 and forecasts the
    ``horizon`` steps after them. The first target of a fold that begins with window a
    is the step a + window, which the windows up to a - horizon do not hold. So the
    ``horizon - 1`` windows before a fold are left out.

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
        """Number of folds.

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
            Folds.
        """
        return self.n_splits

    def split(self, X, y=None, groups=None):
        """Indices of the training samples and of those of each fold.

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
            Samples to fit.
        test : ndarray of int
            Samples to score; of steps, with those before the fold that are read.

        Raises
        ------
        ValueError
            If a parameter is no number it can be, X has too few samples, or its rows
            are series.
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
                f"test_size={size} steps hold no forecast of horizon={self.horizon}. "
                "Give a larger test_size or a smaller horizon."
            )
        needed = skipped + self.n_splits * size + (1 if self.test_size else smallest)
        if n < needed:
            raise ValueError(
                f"{n} samples are too few; n_splits={self.n_splits} folds of {size} "
                f"with window={self.window} and horizon={self.horizon} need {needed}. "
                "Lower one of these, or give more samples."
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
                f"X holds {len(X)} series, but its rows have to be time steps. To "
                "split several series by time, give SeriesPanel(X) of "
                "sklearn_rnn.model_selection; to hold out whole series, use KFold; if "
                'X holds windows, set of="windows".'
            )

    def _check(self):
        for name in ("n_splits", "window", "horizon", "test_size"):
            value = getattr(self, name)
            if name == "test_size" and value is None:
                continue
            check_integer(name, value, minimum=1)
        if self.of not in ("steps", "windows"):
            raise ValueError(f'of={self.of!r}; expected "steps" or "windows".')
