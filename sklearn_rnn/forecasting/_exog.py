"""Exogenous variables: those given to fit, and checks of later ones against X."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_rnn._data.series import SeriesSet, read_series
from sklearn_rnn._data.series_index import find_difference, holds_labels
from sklearn_rnn.forecasting._calendar import (
    choose_calendar,
    make_calendar,
    read_dates,
)


@dataclass(frozen=True)
class ExogVariables:
    """Number and names of the exogenous variables given to fit.

    The names are the columns of frames, or the name of a single Series; None for
    arrays. The inputs of the ``calendar`` follow the variables given.
    """

    n_variables: int
    names: list[Any] | None = None
    calendar: tuple[str, ...] = ()


def learn_exog(exog: Any, series: SeriesSet, calendar: str | None) -> ExogVariables:
    """Learn the variables of ``exog`` (None or a container) and of the calendar."""
    names = () if calendar is None else choose_calendar(series.indices)
    if exog is None:
        return ExogVariables(0, calendar=names)
    read = read_series(exog, "exog")
    return ExogVariables(read.n_channels, _find_names(read), names)


def count_rows_ahead(horizon: int, block: int) -> int:
    """Count the rows of exog that forecasts of ``horizon`` steps need."""
    return -(-horizon // block) * block


def read_exog(
    exog: Any,
    variables: ExogVariables,
    series: SeriesSet,
    lengths: np.ndarray | None = None,
    n_ahead: int = 0,
    steps: str = "the steps of X",
) -> list[np.ndarray] | None:
    """Read exogenous variables (T_i + n_ahead, K) of series; None without any.

    They belong to the last ``lengths`` steps of series, by default to all steps, and to
    the ``n_ahead`` steps after them. ``steps`` describes these steps in errors.
    """
    lengths = series.lengths if lengths is None else lengths
    arrays = _read_given(exog, variables, series, lengths, n_ahead, steps)
    if not variables.calendar:
        return arrays
    dates = [
        make_calendar(_find_index(series, i, n, n_ahead), variables.calendar)
        for i, n in enumerate(lengths)
    ]
    if arrays is None:
        return dates
    return [np.hstack(pair) for pair in zip(arrays, dates, strict=True)]


def _find_index(series: SeriesSet, i: int, length: int, n_ahead: int) -> Any:
    """Return the index of the last ``length`` steps of series i and of those ahead."""
    index = read_dates(series.indices[i])
    parts = [index[len(index) - length :]] if length else []
    if n_ahead:
        parts.append(read_dates(series.continue_index(i, n_ahead)))
    return parts[0].append(parts[1:])


def _read_given(
    exog: Any,
    variables: ExogVariables,
    series: SeriesSet,
    lengths: np.ndarray,
    n_ahead: int,
    steps: str,
) -> list[np.ndarray] | None:
    """Read the variables given, and check them against the series."""
    if exog is None:
        if variables.n_variables:
            raise ValueError(
                "exog is missing: RNNForecaster was fitted with "
                f"{variables.n_variables} exogenous variable(s). Pass their values at "
                f"{steps}."
            )
        return None
    if not variables.n_variables:
        raise ValueError(
            "exog was given, but RNNForecaster was fitted without exogenous variables. "
            "Fit with exog, or leave it out."
        )
    read = read_series(exog, "exog", step=series.common_step)
    if len(read) != len(series):
        raise ValueError(
            f"exog has {len(read)} series, but X has {len(series)}. Pass exogenous "
            "variables of each series."
        )
    _check_variables(read, variables)
    for i, (array, length) in enumerate(zip(read.values, lengths, strict=True)):
        label = read.describe(i, "exog")
        if len(array) != length + n_ahead:
            raise ValueError(
                f"{label} has {len(array)} rows, but {length + n_ahead} are needed: "
                f"one for each of {steps}."
            )
        if np.isnan(array).any():
            row, column = np.argwhere(np.isnan(array))[0]
            name = column if variables.names is None else repr(variables.names[column])
            raise ValueError(
                f"{label} contains NaN in row {row}, column {name}. Exogenous "
                f"variables must be known at {steps}."
            )
        _check_index(read.indices[i], series, i, int(length), n_ahead, label)
    return read.values


def read_exog_ahead(
    exog: Any,
    variables: ExogVariables,
    series: SeriesSet,
    lengths: np.ndarray,
    horizon: int,
    block: int,
) -> tuple[list[np.ndarray] | None, np.ndarray | None]:
    """Read exogenous variables of pasts of ``lengths`` steps, and of later steps.

    Those of the pasts are (T_i, K), those of the later steps (n, n_ahead, K). The
    network forecasts blocks of ``block`` steps, so n_ahead is ``horizon`` rounded up to
    whole blocks.
    """
    n_ahead = count_rows_ahead(horizon, block)
    steps = f"the {n_ahead} steps to forecast (horizon={horizon}"
    if n_ahead > horizon:
        steps += (
            f", rounded up to whole blocks of {block} steps, because the network was "
            f"fitted with horizon={block}"
        )
    steps += ")"
    if lengths.any():
        steps = f"the steps of X and {steps}"
    arrays = read_exog(exog, variables, series, lengths, n_ahead, steps)
    if arrays is None:
        return None, None
    past, ahead = [a[:-n_ahead] for a in arrays], [a[-n_ahead:] for a in arrays]
    return past, np.stack(ahead)


def _find_names(read: SeriesSet) -> list[Any] | None:
    """Return the names of variables; None for arrays and for numbered columns."""
    import pandas as pd

    names = read.names[0]
    if read.has_channels:
        return None if isinstance(names, pd.RangeIndex | None) else list(names)
    # several Series are named after the series, not after the variable
    return [names] if read.single and names is not None else None


def _check_variables(read: SeriesSet, variables: ExogVariables) -> None:
    """Raise a ValueError unless the columns of exog are those given to fit."""
    names, expected = _find_names(read), variables.names
    if names is not None and expected is not None and names != expected:
        problem = "Feature names must be in the same order as they were in fit."
        unseen = [name for name in names if name not in expected]
        missing = [name for name in expected if name not in names]
        if unseen or missing:
            problem = (
                f"Feature names unseen at fit time: {unseen}. Feature names seen at "
                f"fit time, yet now missing: {missing}."
            )
        raise ValueError(
            "The feature names of exog should match those that were passed during fit, "
            f"{expected}, but they are {names}. {problem}"
        )
    if read.n_channels != variables.n_variables:
        raise ValueError(
            f"exog has {read.n_channels} features, but RNNForecaster is expecting "
            f"{variables.n_variables} features of exog. Pass the same variables as in "
            "fit."
        )


def _check_index(
    index: Any, series: SeriesSet, i: int, length: int, n_ahead: int, label: str
) -> None:
    """Raise a ValueError unless an index equals that of series i, continued."""
    known = series.indices[i]
    if index is None or known is None:
        return
    expected = [known] if length else []
    if n_ahead and not holds_labels(known) and series.steps[i] is not None:
        expected.append(series.continue_index(i, n_ahead))
    first = 0
    for part in expected:
        row = find_difference(index[first : first + len(part)], part)
        if row is not None:
            raise ValueError(
                f"the index of {label} does not match {series.describe(i)}: row "
                f"{first + row} is {index[first + row]}, expected {part[row]}. Select "
                "the rows of exog that belong to the steps of X. If they already do, "
                "pass exog as an array."
            )
        first += len(part)
