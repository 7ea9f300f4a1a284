"""Several series as one container whose rows are time steps."""

from typing import Any

import numpy as np

from sklearn_rnn._data.ragged import drop_padding, holds_several
from sklearn_rnn._data.series_index import check_index, holds_labels


class SeriesPanel:
    """Several series as one X whose rows are time steps, for splits by time.

    Cross-validation selects rows of X. Those of a list or of a 3-D array are series, so
    that folds hold out whole series. The rows of a panel are time steps: each fold has
    the steps of all series from one time to another. An
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
        ``(n_timesteps,)``, from the first step of any series to the last one.

    Raises
    ------
    ValueError
        If there are no several series, or if an index is not sorted and regular or has
        another frequency than the others.

    See Also
    --------
    sklearn_rnn.model_selection.WindowSplit : Folds forward in time.

    Notes
    -----
    Series and frames are aligned by their index if it holds times or numbers.
    Otherwise, also if each is numbered from 0, series are aligned by their last steps.
    Series without any step in a fold are left out of it.

    Only successive rows can be selected, as by
    :class:`~sklearn_rnn.model_selection.WindowSplit` or
    :class:`~sklearn.model_selection.TimeSeriesSplit`; the training parts of KFold have
    gaps.

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
                "SeriesPanel takes a list of series or an array (n_series, "
                f"n_timesteps, n_channels), got {type(series).__name__}. A single "
                "series needs no panel: WindowSplit and TimeSeriesSplit split its rows."
            )
        self.series = list(series)
        if getattr(series, "ndim", 1) == 3:
            self.series = [
                drop_padding(np.asarray(x), f"series {i}") for i, x in enumerate(series)
            ]
        lengths = np.array([len(x) for x in self.series])
        if not lengths.all():
            raise ValueError(f"series {lengths.argmin()} has no steps. Leave it out.")
        firsts = _align_indices([getattr(x, "index", None) for x in self.series])
        self._firsts = lengths.max() - lengths if firsts is None else firsts
        self.shape = (int((self._firsts + lengths).max()),)

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"SeriesPanel({len(self.series)} series, {len(self)} steps)"

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        raise TypeError(
            "a SeriesPanel cannot be read as an array. RNNForecaster accepts it; give "
            "other estimators the list of series in its attribute series."
        )

    def __getitem__(self, rows: Any) -> "SeriesPanel":
        """The panel of some successive steps: a slice, or an array of integers."""
        rows = (
            rows[0] if isinstance(rows, tuple) else rows
        )  # as [rows, ...] of an array
        steps = np.arange(len(self))[rows]
        if steps.ndim != 1 or not len(steps) or (np.diff(steps) != 1).any():
            raise ValueError(
                "the rows of a SeriesPanel are time steps, of which only successive "
                "ones can be selected. Split it with WindowSplit or TimeSeriesSplit."
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
    """The first step of each series on the common axis of time; None without one."""
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
                f"series {i} has not the frequency of the other series, so the panel "
                "has no common time steps. Convert the series with asfreq or resample."
            )
    return np.array([place[0] for place in places])
