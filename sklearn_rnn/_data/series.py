"""The containers of time series, read into one inner form.

==========================================  ===========================================
X                                           read as
==========================================  ===========================================
1-D or 2-D array, Series or frame, list of  one series: rows are time, columns are
numbers                                     channels
list, object array or Series of such, or    n series, of unequal length too
array ``(n_series, n_timesteps, C)``
==========================================  ===========================================

A missing value is NaN. The index of one Series or frame is kept, to be continued.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class SeriesSet:
    """Series of (T_i, C) numbers, and what their container looked like."""

    values: list[np.ndarray]
    single: bool
    has_channels: bool  # whether the container had an axis for them
    index: Any = None  # that of pandas
    names: Any = None  # columns of a frame, or the name of a Series

    def __len__(self) -> int:
        return len(self.values)

    @property
    def n_channels(self) -> int:
        return self.values[0].shape[1]

    @property
    def lengths(self) -> np.ndarray:
        return np.array([len(values) for values in self.values])

    def shaped(self, answers: np.ndarray) -> Any:
        """Answers (n_series, n_steps, C) to what follows, as the container was."""
        if not self.has_channels:
            answers = answers[..., 0]
        if not self.single:
            return answers
        if self.index is None:
            return answers[0]
        import pandas as pd

        index = continue_index(self.index, answers.shape[1])
        if self.has_channels:
            return pd.DataFrame(answers[0], index=index, columns=self.names)
        return pd.Series(answers[0], index=index, name=self.names)


def read_series(X, name: str = "X") -> SeriesSet:
    """X as floating-point series; a ValueError if it is none of the table above."""
    if _holds_series(X):
        values = [_steps(x, f"series {i} of {name}") for i, x in enumerate(X)]
        if len({v.shape[1] for v in values}) > 1:
            i = next(
                i for i, v in enumerate(values) if v.shape[1:] != values[0].shape[1:]
            )
            raise ValueError(
                f"series {i} of {name} has {values[i].shape[1]} channels, series 0 has "
                f"{values[0].shape[1]}. All series need the same channels."
            )
        dtype = np.result_type(*values)
        first = next(iter(X))
        values = [v.astype(dtype, copy=False) for v in values]
        return SeriesSet(values, False, np.ndim(first) == 2)
    values = [_steps(X, name)]
    if not hasattr(X, "iloc"):
        return SeriesSet(values, True, np.ndim(X) == 2)
    _check_index(X.index, name)
    names = X.columns if np.ndim(X) == 2 else X.name
    return SeriesSet(values, True, np.ndim(X) == 2, X.index, names)


def _holds_series(X):
    n_dimensions = getattr(X, "ndim", 1)
    if n_dimensions == 3:
        return True
    if n_dimensions == 2 or not hasattr(X, "__len__") or not len(X):
        return False
    return np.ndim(X.iloc[0] if hasattr(X, "iloc") else X[0]) > 0


def _steps(x, name):
    """One series as floating-point numbers (T, C)."""
    values = np.asarray(x)
    if values.dtype.kind in "OSU":
        try:
            values = values.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name} cannot be read as numbers: {error}.") from error
    if values.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {name}.")
    if values.dtype.kind in "biu":
        values = values.astype(np.float64)
    if values.dtype.kind != "f":
        raise ValueError(f"{name} has dtype {values.dtype}; expected numbers.")
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


def _check_index(index, name):
    """Refuse an index that is not in the order of time, or that skips some."""
    if not index.is_unique:
        raise ValueError(
            f"the index of {name} holds {index[index.duplicated()][0]} more than once. "
            "Aggregate such rows first, or reset_index(drop=True)."
        )
    if not index.is_monotonic_increasing:
        raise ValueError(
            f"the index of {name} is not sorted. Put the rows in the order of time by "
            "sort_index(), or reset_index(drop=True) if they are."
        )
    if len(index) > 1 and _step_of(index) is None:
        raise ValueError(
            f"the index of {name} is not regular, so what follows it is unknown. Set a "
            'frequency, as X.asfreq("D") does (it fills gaps with NaN, which are '
            "handled), or reset_index(drop=True)."
        )


def _step_of(index):
    """From one entry to the next: a number or an offset, or None if it varies."""
    import pandas as pd

    if isinstance(index, pd.PeriodIndex):
        return 1 if len(index) == len(pd.period_range(index[0], index[-1])) else None
    if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)):
        if index.freq is not None:
            return index.freq
        if len(index) > 2:
            return type(index)(index, freq="infer").freq
        steps = np.unique(np.diff(index))
        return pd.Timedelta(steps[0]) if len(steps) == 1 else None
    if pd.api.types.is_numeric_dtype(index.dtype):
        steps = np.diff(index.to_numpy())
        regular = not len(steps) or np.allclose(steps, steps[0], rtol=1e-9)
        return (steps[0] if len(steps) else 1) if regular else None
    return 1  # labels: what follows them is numbered


def continue_index(index, n_steps: int):
    """The ``n_steps`` entries that follow a regular pandas index."""
    import pandas as pd

    step, name = _step_of(index), index.name
    if step is None or _holds_labels(index):  # of a single date, say
        return pd.RangeIndex(1, n_steps + 1, name=name)
    if isinstance(index, pd.PeriodIndex):
        return pd.period_range(index[-1] + 1, periods=n_steps, name=name)
    if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)):
        make = (
            pd.date_range if isinstance(index, pd.DatetimeIndex) else pd.timedelta_range
        )
        return make(index[-1], periods=n_steps + 1, freq=step, name=name)[1:]
    return pd.Index(index[-1] + step * np.arange(1, n_steps + 1), name=name)


def _holds_labels(index):
    """Whether an index says nothing of what follows it."""
    import pandas as pd

    times = (pd.PeriodIndex, pd.DatetimeIndex, pd.TimedeltaIndex)
    return not isinstance(index, times) and not pd.api.types.is_numeric_dtype(
        index.dtype
    )


def extend_index(index, n_steps: int):
    """An index that ends ``n_steps`` later, of which the beginning may be left out."""
    if _holds_labels(index):
        return index
    further = continue_index(index, n_steps)
    known = getattr(further, "freq", None) is not None
    return further if known else index.append(further)


def check_follows(index, before, name: str) -> None:
    """Refuse an index that does not begin where the one ``before`` ends."""
    expected = continue_index(before, 1)[0]
    if index[0] != expected and not _holds_labels(before):
        raise ValueError(
            f"{name} begins at {index[0]}, but what is known ends at {before[-1]}, so "
            f"the next step is {expected}. Give the steps between as NaN rows."
        )


def number_of_variables(exog) -> int:
    """Exogenous variables a step; 0 without any."""
    return 0 if exog is None else read_series(exog, "exog").n_channels


def read_exog(exog, n_variables: int, lengths, what: str) -> list[np.ndarray] | None:
    """Exogenous rows (T_i, K) for each step of series that are ``lengths`` long.

    ``what`` names these steps in an error.
    """
    if exog is None:
        if n_variables:
            raise ValueError(
                f"exog is missing: RNNForecaster was fitted with {n_variables} "
                f"exogenous variables. Give those of the steps of {what}."
            )
        return None
    if not n_variables:
        raise ValueError(
            "exog was given, but RNNForecaster was fitted without. Fit with exog, or "
            "leave it out."
        )
    values = read_series(exog, "exog").values
    if len(values) != len(lengths):
        raise ValueError(
            f"exog is of {len(values)} series, X of {len(lengths)}. Give exogenous "
            "variables for each of them."
        )
    for i, (rows, length) in enumerate(zip(values, lengths, strict=True)):
        if rows.shape != (length, n_variables):
            raise ValueError(
                f"exog of series {i} has the shape {rows.shape}, expected "
                f"{(int(length), n_variables)}: a row for each step of {what}, a "
                "column for each variable given to fit."
            )
        if np.isnan(rows).any():
            raise ValueError(
                f"exog of series {i} contains NaN at step "
                f"{np.isnan(rows).any(axis=1).argmax()}. Exogenous variables must be "
                f"known for all steps of {what}."
            )
    return values
