"""The last values that a forecaster has read, for pictures."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sklearn_rnn._data.series import SeriesSet
from sklearn_rnn._data.series_index import holds_labels

RECENT_STEPS = 100  # of each series are kept at most


@dataclass(frozen=True)
class RecentPast:
    """The last steps of each series, and the number of its steps."""

    series: SeriesSet
    n_steps: np.ndarray  # (n_series,)

    def extend(self, later: SeriesSet) -> "RecentPast":
        """The last steps after ``later`` ones have followed."""
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
        """The last steps of series ``i``: a Series or frame if it has an index."""
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
    """The last steps of series; labels of an index, which cannot be continued, go."""
    indices = [
        None if index is None or holds_labels(index) else index[-RECENT_STEPS:]
        for index in series.indices
    ]
    values = [v[-RECENT_STEPS:].copy() for v in series.values]
    return RecentPast(replace(series, values=values, indices=indices), series.lengths)
