"""The last values that a forecaster has read, for displays."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sklearn_rnn._data.series import SeriesSet
from sklearn_rnn._data.series_index import holds_labels

RECENT_STEPS = 100  # maximum number of steps kept of each series


@dataclass(frozen=True)
class RecentPast:
    """The last steps of each series, and its total number of steps."""

    series: SeriesSet
    n_steps: np.ndarray  # (n_series,)

    def extend(self, later: SeriesSet) -> "RecentPast":
        """Return the last steps after ``later`` steps were appended."""
        values = [
            np.concatenate([before, after])[-RECENT_STEPS:]
            for before, after in zip(self.series.values, later.values, strict=True)
        ]
        placed = later.place_after(self.series)
        indices = [
            None if before is None else before.append(after)[-RECENT_STEPS:]
            for before, after in zip(self.series.indices, placed.indices, strict=True)
        ]
        series = replace(self.series, values=values, indices=indices)
        return RecentPast(series, self.n_steps + later.lengths)

    def to_container(self, i: int) -> Any:
        """Return the last steps of series ``i``, as a Series or frame if indexed."""
        values, series = self.series.values[i], self.series
        if not series.has_channels:
            values = values[:, 0]
        index, names = series.indices[i], series.names[i]
        if index is None:
            return values
        import pandas as pd

        if series.has_channels:
            return pd.DataFrame(values, index, names)
        return pd.Series(values, index, name=names)


def keep_recent(series: SeriesSet) -> RecentPast:
    """Keep the last steps of series.

    An index of labels is dropped, because it cannot be continued.
    """
    indices = [
        None if index is None or holds_labels(index) else index[-RECENT_STEPS:]
        for index in series.indices
    ]
    values = [v[-RECENT_STEPS:].copy() for v in series.values]
    return RecentPast(replace(series, values=values, indices=indices), series.lengths)
