"""The containers of time series, which are all read into :class:`SeriesSet`.

==========================================  ===========================================
X                                           read as
==========================================  ===========================================
1-D or 2-D array, Series or frame, list of  one series: rows are time, columns are
numbers                                     channels
list, object array or Series of such, or    n series, which may differ in length
array ``(n_series, n_timesteps, C)``
==========================================  ===========================================

A missing value is NaN. The index of a single Series or frame is kept, and forecasts
continue it.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sklearn_rnn._data.cells import explain_unreadable
from sklearn_rnn._data.ragged import check_columns
from sklearn_rnn._data.series_index import (
    check_follows,
    check_index,
    continue_index,
    extend_index,
)


@dataclass(frozen=True)
class SeriesSet:
    """Series of (T_i, C) numbers, and what is needed to restore their container."""

    values: list[np.ndarray]
    single: bool
    has_channels: bool  # whether the container had an axis for them
    index: Any = None  # of a Series or frame
    names: Any = None  # columns of a frame, or the name of a Series

    def __len__(self) -> int:
        return len(self.values)

    @property
    def n_channels(self) -> int:
        """Number of channels of each series."""
        return self.values[0].shape[1]

    @property
    def lengths(self) -> np.ndarray:
        """Number of steps of each series, (n_series,)."""
        return np.array([len(values) for values in self.values])

    def drop_axes(self, array: np.ndarray) -> np.ndarray:
        """(..., n_series, n_steps, C) without the axes that the container lacked."""
        if self.single:
            array = array[..., 0, :, :]
        return array if self.has_channels else array[..., 0]

    def to_container(self, forecasts: np.ndarray) -> Any:
        """Forecasts (n_series, n_steps, C) in the kind of container that was read."""
        n_steps, forecasts = forecasts.shape[1], self.drop_axes(forecasts)
        if self.index is None:
            return forecasts
        import pandas as pd

        index = continue_index(self.index, n_steps)
        if self.has_channels:
            return pd.DataFrame(forecasts, index=index, columns=self.names)
        return pd.Series(forecasts, index=index, name=self.names)

    def extend(self, later: "SeriesSet") -> "SeriesSet":
        """The same container, ending with ``later`` steps, which must follow it."""
        if self.index is None:
            return self
        if later.index is not None:
            check_follows(later.index, self.index, "X")
        return replace(self, index=extend_index(self.index, later.lengths[0]))


def read_series(X: Any, name: str = "X") -> SeriesSet:
    """Floating-point series of X, or a ValueError for a container not listed above."""
    if _holds_several(X):
        check_columns(X, "series")
        values = [_read_one(x, f"series {i} of {name}") for i, x in enumerate(X)]
        for i, v in enumerate(values):
            if v.shape[1] != values[0].shape[1]:
                raise ValueError(
                    f"series {i} of {name} has {v.shape[1]} channels, series 0 has "
                    f"{values[0].shape[1]}. All series need the same channels."
                )
        dtype = np.result_type(*values)
        first = next(iter(X))
        values = [v.astype(dtype, copy=False) for v in values]
        return SeriesSet(values, False, np.ndim(first) == 2)
    values = [_read_one(X, name)]
    if not hasattr(X, "iloc"):
        return SeriesSet(values, True, np.ndim(X) == 2)
    check_index(X.index, name)
    names = X.columns if np.ndim(X) == 2 else X.name
    return SeriesSet(values, True, np.ndim(X) == 2, X.index, names)


def _holds_several(X: Any) -> bool:
    """Whether the elements of X are series themselves."""
    n_dimensions = getattr(X, "ndim", 1)
    if n_dimensions == 3:
        return True
    if n_dimensions == 2 or not hasattr(X, "__len__") or not len(X):
        return False
    return np.ndim(X.iloc[0] if hasattr(X, "iloc") else X[0]) > 0


def _read_one(x: Any, name: str) -> np.ndarray:
    """One series as floating-point numbers (T, C)."""
    values = np.asarray(x)
    if values.dtype.kind in "OSU":
        try:
            values = values.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{name} cannot be read as numbers ({error}). {explain_unreadable(x)}"
            ) from error
    if values.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {name}.")
    if values.dtype.kind in "biu":
        values = values.astype(np.float64)
    if values.dtype.kind != "f":
        raise ValueError(
            f"{name} has dtype {values.dtype}; expected numbers. "
            f"{explain_unreadable(x)}"
        )
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2 or 0 in values.shape:
        raise ValueError(
            f"{name} has the shape {np.shape(x)}; expected time steps in rows and "
            "channels in columns: (n_timesteps,) or (n_timesteps, n_channels)."
        )
    if np.isinf(values).any():
        step = int(np.argmax(np.isinf(values).any(axis=1)))
        raise ValueError(
            f"{name} contains infinity at step {step}. Mark missing values as NaN."
        )
    return values
