"""Several series as one container whose rows are time steps."""

from typing import Any

import numpy as np

from sklearn_rnn._data.ragged import drop_padding, holds_several
from sklearn_rnn._data.series_index import check_index, holds_labels


class SeriesPanel:
    """Several series as one X whose rows are time steps, for splits by time.

    Cross-validation selects rows of X. The rows of a list or of a 3-D array are series,
    so folds hold out whole series. The rows of a panel are time steps, so each fold
    contains the steps of all series between two times. An
    :class:`~sklearn_rnn.RNNForecaster` accepts a panel wherever it accepts a list, as X
    and as ``exog``.

    Parameters
    ----------
    series : list of array-like, Series or frames, or array
        The series, as :class:`~sklearn_rnn.RNNForecaster` reads them: a list of series
        of any lengths, or an array of shape ``(n_series, n_timesteps, n_channels)``
        with trailing steps of NaN as padding.

    Attributes
    ----------
    series : list
        The series.
    shape : tuple of int
        ``(n_timesteps,)``: the number of steps from the first step of any series to
        the last step of any series.

    Raises
    ------
    ValueError
        If ``series`` is not a list or array of several series, or if an index is not
        sorted and regular or its frequency differs from that of the others.

    See Also
    --------
    sklearn_rnn.model_selection.WindowSplit : Cross-validation forward in time.
    sklearn_rnn.RNNForecaster : Forecasts one or several series.

    Notes
    -----
    Series and frames are aligned by their index if it contains times or numbers.
    Otherwise, and if all indices count from 0, series are aligned by their last steps.
    A fold contains only the series that have steps in it.

    Only successive rows can be selected, as
    :class:`~sklearn_rnn.model_selection.WindowSplit` and
    :class:`~sklearn.model_selection.TimeSeriesSplit` do. The training sets of KFold
    have gaps and raise an error.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import cross_val_score
    >>> from sklearn_rnn import RNNForecaster
    >>> from sklearn_rnn.model_selection import SeriesPanel, WindowSplit
    >>> t = np.arange(80)
    >>> panel = SeriesPanel([np.sin(t / 4), np.cos(t[:60] / 3)])
    >>> panel
    SeriesPanel(2 series, 80 steps)
    >>> [len(series) for series in panel[:40].series]
    [40, 20]
    >>> model = RNNForecaster(
    ...     hidden_size=4, window=12, max_epochs=1, intervals=None, random_state=0
    ... )
    >>> cv = WindowSplit(2, window=12, test_size=10)
    >>> cross_val_score(model, panel, cv=cv).shape
    (2,)
    """

    def __init__(self, series: Any) -> None:
        if not holds_several(series):
            raise ValueError(
                "SeriesPanel accepts a list of series or an array (n_series, "
                f"n_timesteps, n_channels), got {type(series).__name__}. For a single "
                "series no panel is needed: WindowSplit and TimeSeriesSplit split its "
                "rows."
            )
        self.series = list(series)
        if getattr(series, "ndim", 1) == 3:
            self.series = [
                drop_padding(np.asarray(x), f"series {i}") for i, x in enumerate(series)
            ]
        lengths = np.array([len(x) for x in self.series])
        if not lengths.all():
            raise ValueError(f"series {lengths.argmin()} has no steps. Remove it.")
        firsts = _align_indices([getattr(x, "index", None) for x in self.series])
        self._firsts = lengths.max() - lengths if firsts is None else firsts
        self.shape = (int((self._firsts + lengths).max()),)

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"SeriesPanel({len(self.series)} series, {len(self)} steps)"

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        raise TypeError(
            "a SeriesPanel cannot be converted to an array. RNNForecaster accepts it; "
            "pass the list of series in its attribute series to other estimators."
        )

    def __getitem__(self, rows: Any) -> "SeriesPanel":
        """Return a panel of successive steps, given as a slice or as integers."""
        if isinstance(rows, tuple):  # scikit-learn indexes with [rows, ...]
            rows = rows[0]
        steps = np.arange(len(self))[rows]
        if steps.ndim != 1 or not len(steps) or (np.diff(steps) != 1).any():
            raise ValueError(
                "the rows of a SeriesPanel are time steps, and only successive rows "
                "can be selected. Split it with WindowSplit or TimeSeriesSplit."
            )
        panel = object.__new__(SeriesPanel)
        panel.shape = (len(steps),)
        panel.series, firsts = [], []
        for x, first in zip(self.series, self._firsts, strict=True):
            begin, end = max(steps[0] - first, 0), steps[-1] + 1 - first
            if begin < min(end, len(x)):
                part = slice(begin, end)
                panel.series.append(x.iloc[part] if hasattr(x, "iloc") else x[part])
                firsts.append(max(first - steps[0], 0))
        panel._firsts = np.array(firsts)
        return panel


def _align_indices(indices: list[Any]) -> np.ndarray | None:
    """Return the first step of each series on a common time axis; None without one."""
    import pandas as pd

    if any(index is None or holds_labels(index) for index in indices):
        return None
    for i, index in enumerate(indices):
        check_index(index, f"series {i}")
    if all(index.equals(pd.RangeIndex(len(index))) for index in indices):
        return None
    axis = indices[0].append(indices[1:]).unique().sort_values()
    places = [axis.get_indexer(index) for index in indices]
    for i, place in enumerate(places):
        if (np.diff(place) != 1).any():
            raise ValueError(
                f"the frequency of series {i} differs from that of the other series, "
                "so the panel has no common time steps. Convert the series with asfreq "
                "or resample."
            )
    return np.array([place[0] for place in places])
