"""The containers of time series, which are all read into :class:`SeriesSet`.

==========================================  ===========================================
X                                           read as
==========================================  ===========================================
1-D or 2-D array, Series or frame, list of  one series: rows are time, columns are
numbers                                     channels
list, object array or Series of such, or    n series, which may differ in length
array ``(n_series, n_timesteps, C)``, or
SeriesPanel
==========================================  ===========================================

A missing value is NaN. In a 3-D array, steps of NaN at the end of a series are padding.
The index of each Series or frame is kept, and forecasts continue it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sklearn_rnn._data.cells import explain_unreadable
from sklearn_rnn._data.containers import refuse_sparse, unwrap
from sklearn_rnn._data.ragged import check_columns, drop_padding, holds_several
from sklearn_rnn._data.series_index import (
    check_follows,
    check_index,
    continue_index,
    extend_index,
    holds_labels,
)
from sklearn_rnn._data.series_panel import SeriesPanel

# The square of a larger value, or of a sum of such values, may not be finite.
LARGEST = 1e150


@dataclass(frozen=True)
class SeriesSet:
    """Series of (T_i, C) numbers, with the properties of their container."""

    values: list[np.ndarray]
    single: bool  # whether the container was one series
    has_channels: bool  # whether the container had an axis for the channels
    indices: list[Any]  # indices of Series and frames; None for an array
    steps: list[Any]  # differences of successive entries of the indices
    names: list[Any]  # columns of a frame, or the name of a Series

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def n_channels(self) -> int:
        """Number of channels of each series."""
        return self.values[0].shape[1]

    @property
    def lengths(self) -> np.ndarray:
        """Number of steps of each series, (n_series,)."""
        return np.array([len(values) for values in self.values])

    @property
    def common_step(self) -> Any:
        """The step of all indices; None if they differ."""
        first = self.steps[0]
        return first if all(step == first for step in self.steps) else None

    def describe(self, i: int, name: str = "X") -> str:
        """Return the name of series ``i`` of ``name`` for error messages."""
        return name if self.single else f"series {i} of {name}"

    def drop_axes(self, array: np.ndarray) -> np.ndarray:
        """Remove the axes of (..., n_series, n_steps, C) that the container lacked."""
        if self.single:
            array = array[..., 0, :, :]
        return array if self.has_channels else array[..., 0]

    def to_container(self, forecasts: np.ndarray) -> Any:
        """Return forecasts (n_series, n_steps, C) in the container that was read.

        This is an array if arrays were read, otherwise a Series or frame per series.
        """
        if all(index is None for index in self.indices):
            return self.drop_axes(forecasts)
        if not self.has_channels:
            forecasts = forecasts[..., 0]
        restored = [self._restore(i, f) for i, f in enumerate(forecasts)]
        return restored[0] if self.single else restored

    def _restore(self, i: int, forecast: np.ndarray) -> Any:
        """Return the forecast (n_steps, C) or (n_steps,) of series i with its index."""
        import pandas as pd

        if self.indices[i] is None:
            return forecast
        index = self.continue_index(i, len(forecast))
        if self.has_channels:
            return pd.DataFrame(forecast, index=index, columns=self.names[i])
        return pd.Series(forecast, index=index, name=self.names[i])

    def continue_index(self, i: int, n_steps: int) -> Any:
        """Return the ``n_steps`` entries after the index of series i."""
        return continue_index(self.indices[i], n_steps, self.steps[i])

    def place_after(self, before: "SeriesSet") -> "SeriesSet":
        """Check that these series follow ``before``, and continue its indices."""
        indices = []
        for i, (index, known) in enumerate(
            zip(self.indices, before.indices, strict=True)
        ):
            if known is not None and index is not None:
                check_follows(index, known, self.describe(i), before.steps[i])
            elif known is not None and not holds_labels(known):
                index = before.continue_index(i, len(self.values[i]))
            indices.append(index)
        return replace(self, indices=indices)

    def extend(self, later: "SeriesSet") -> "SeriesSet":
        """Append the steps of ``later``, which must follow these series."""
        later.place_after(self)
        parts = zip(self.indices, later.values, self.steps, strict=True)
        indices = [
            None if index is None else extend_index(index, len(values), step)
            for index, values, step in parts
        ]
        return replace(self, indices=indices)


def read_series(X: Any, name: str = "X", *, step: Any = None) -> SeriesSet:
    """Read X as series of floating-point numbers.

    A container that is not listed above raises a ValueError.

    ``step`` is the step of the indices of earlier series, for an index that is too
    short to have one.
    """
    X = unwrap_panel(X)
    if isinstance(X, Mapping):
        raise ValueError(
            f"{name} is a {type(X).__name__}; expected series. Pass list(X.values()) "
            "for several series, or a frame for the channels of one series."
        )
    refuse_sparse(X, name)
    X = unwrap(X, name, missing=True)
    single = not holds_several(X)
    members = [X] if single else list(X)
    labels = [name if single else f"series {i} of {name}" for i in range(len(members))]
    if not members:
        raise ValueError(f"{name} contains no series. Pass at least one.")
    if not single:
        check_columns(members, "series", name)
    values = [_read_one(x, label) for x, label in zip(members, labels, strict=True)]
    if getattr(X, "ndim", 1) == 3:
        values = [
            drop_padding(v, label) for v, label in zip(values, labels, strict=True)
        ]
    for v, label in zip(values, labels, strict=True):
        if v.shape[1] != values[0].shape[1]:
            raise ValueError(
                f"{label} has {v.shape[1]} channels, but series 0 has "
                f"{values[0].shape[1]}. Pass series with the same channels."
            )
    dtype = np.result_type(*values)
    indices = [x.index if hasattr(x, "iloc") else None for x in members]
    return SeriesSet(
        [v.astype(dtype, copy=False) for v in values],
        single,
        np.ndim(members[0]) == 2,
        indices,
        [
            None if index is None else check_index(index, label, step)
            for index, label in zip(indices, labels, strict=True)
        ],
        [getattr(x, "columns", getattr(x, "name", None)) for x in members],
    )


def unwrap_panel(X: Any) -> Any:
    """Return the series of X if it is a panel, and X otherwise."""
    return X.series if isinstance(X, SeriesPanel) else X


def _read_one(x: Any, name: str) -> np.ndarray:
    """Read one series as floating-point numbers (T, C)."""
    values = np.asarray(unwrap(x, name, missing=True))
    if values.dtype.kind in "OSU":
        try:
            if hasattr(x, "iloc"):  # pandas.NA is also a missing value
                values = np.where(x.isna(), np.nan, values)
            values = values.astype(np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(
                f"{name} cannot be read as numbers ({error}). {explain_unreadable(x)}"
            ) from error
    if values.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {name}.")
    if values.dtype.kind in "biuf" and values.dtype != np.float32:
        values = values.astype(np.float64, copy=False)
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
    large = np.abs(values) > np.float64(LARGEST)  # also infinity
    if large.any():
        step, channel = np.argwhere(large)[0]
        if np.isinf(values[step, channel]):
            problem, advice = "infinity", "Use NaN for missing values."
        else:
            problem = f"the value {values[step, channel]:.3g}"
            advice = f"Pass values below {LARGEST:.0e}, for example in a larger unit."
        raise ValueError(f"{name} contains {problem} at step {step}. {advice}")
    return values
