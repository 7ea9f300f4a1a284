"""Sequences from a long table, which has one row per time step."""

from typing import Any

import numpy as np


def sequences_from_frame(
    df, by, order=None, *, values=None, target=None, return_ids=False
):
    """Convert a long table to a list of sequences.

    A long table has one row per time step, with columns for the id of the sequence, the
    time and the measured values. The rows of each id become one array, sorted by time.

    Parameters
    ----------
    df : pandas.DataFrame or polars.DataFrame of shape (n_rows, n_columns)
        The long table.
    by : column name
        Column of the ids. Rows with the same id form one sequence. The sequences are
        sorted by id, as the groups of ``groupby`` in pandas.
    order : column name or None, default=None
        Column of the times, of any type that can be sorted. An id must not have two
        rows with the same time. None keeps the order of the rows.
    values : column name, list of them, or None, default=None
        Columns of the features, which contain numbers or bools. Missing values become
        NaN. None selects all columns except ``by``, ``order`` and ``target``.
    target : column name, list of them, or None, default=None
        Columns of the targets, which must be the same in all rows of an id.
    return_ids : bool, default=False
        Whether to return the ids of the sequences as well.

    Returns
    -------
    X : list of ndarray of shape (n_timesteps_i, n_features)
        One array per id, of the common type of all ``values``: float32 stays float32.
    y : ndarray of shape (n_sequences,) or (n_sequences, n_targets)
        Target of each sequence; 2-D if ``target`` is a list. Only returned if
        ``target`` is given.
    ids : ndarray of shape (n_sequences,)
        Id of each sequence. Only returned if ``return_ids=True``.

    Raises
    ------
    ValueError
        If a column does not exist or does not contain numbers, if an id, time or target
        is missing, if an id has two rows with the same time or different targets, or if
        the table has no rows.
    TypeError
        If ``df`` is not a data frame.

    See Also
    --------
    StepwiseTransformer : Scales the features at every time step.
    sliding_windows : Cuts a single series into windows.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_rnn import sequences_from_frame
    >>> df = pd.DataFrame(
    ...     {
    ...         "patient": ["b", "a", "a", "b", "a"],
    ...         "day": [1, 3, 1, 2, 2],
    ...         "pulse": [60.0, 73.0, 71.0, 62.0, 72.0],
    ...         "ill": [False, True, True, False, True],
    ...     }
    ... )
    >>> X, y, ids = sequences_from_frame(
    ...     df, by="patient", order="day", target="ill", return_ids=True
    ... )
    >>> [x.ravel().tolist() for x in X]
    [[71.0, 72.0, 73.0], [60.0, 62.0]]
    >>> y
    array([ True, False])
    >>> ids.tolist()
    ['a', 'b']
    """
    names = _column_names(df)
    keys = [by] if order is None else [by, order]
    targets, values = _as_list(target) or [], _as_list(values)
    _check_columns_exist([*keys, *targets, *(values or ())], names)
    if values is None:
        values = [name for name in names if name not in [*keys, *targets]]
    if not values:
        raise ValueError(
            f"df has no columns of values besides {[*keys, *targets]}; a sequence "
            "needs at least one feature."
        )
    _check_no_missing(df, [*keys, *targets])
    rows = _sort_rows(df[list(dict.fromkeys([*keys, *targets, *values]))], keys)
    ids = rows[by].to_numpy()
    begins = np.concatenate([[True], ids[1:] != ids[:-1]])
    if order is not None:
        _check_unique_times(rows[order].to_numpy(), ids, begins, keys)
    starts = np.flatnonzero(begins)
    result: list[Any] = [np.split(_read_numbers(rows, values), starts[1:])]
    if targets:
        y = [_take_constant(rows[name], ids, begins, by) for name in targets]
        result.append(np.stack(y, axis=1) if _are_several(target) else y[0])
    if return_ids:
        result.append(ids[starts])
    return result[0] if len(result) == 1 else tuple(result)


def _column_names(df):
    """Check that ``df`` is a frame with rows, and return the names of its columns."""
    if not hasattr(df, "to_numpy") or not hasattr(df, "columns"):
        collect = " Call its collect() first." if hasattr(df, "collect") else ""
        raise TypeError(
            "df must be a pandas or polars DataFrame, got "
            f"{type(df).__module__}.{type(df).__qualname__}.{collect}"
        )
    names = list(df.columns)
    if len(set(names)) < len(names):
        raise ValueError(
            f"df has several columns of the same name: {names}. Rename them."
        )
    if not len(df):
        raise ValueError(
            f"Found array with 0 sample(s) (shape={df.shape}) while a minimum of 1 is "
            "required: df has no rows."
        )
    return names


def _as_list(names):
    """Return column names as a list; None stays None."""
    if names is None:
        return None
    return list(names) if _are_several(names) else [names]


def _are_several(names):
    """Return whether ``names`` are several names, such as ``df.columns[2:]``."""
    return isinstance(names, list) or getattr(names, "ndim", 0) > 0


def _check_columns_exist(used, names):
    unknown = [name for name in used if name not in names]
    if unknown:
        raise ValueError(
            f"df has no column {unknown[0]!r}; its columns are {names}. Pass a single "
            "column name for by and for order. If the column is part of the index, "
            "call df.reset_index() first."
        )


def _check_no_missing(df, names):
    for name in names:
        missing = _is_missing(df[name])
        if missing.any():
            raise ValueError(
                f"column {name!r} has missing values in {missing.sum()} of {len(df)} "
                f"rows, first in row {np.argmax(missing)}. Fill them, or leave these "
                "rows out."
            )


def _is_missing(column):
    if hasattr(column, "isna"):  # pandas
        return column.isna().to_numpy()
    missing = column.is_null()
    if column.dtype.is_float():
        missing |= column.is_nan()
    return missing.to_numpy()


def _sort_rows(df, keys):
    """Sort rows by ``keys``; rows with equal keys keep their order."""
    if hasattr(df, "sort_values"):  # pandas
        return df.reset_index(drop=True).sort_values(keys, kind="stable")
    return df.sort(keys, maintain_order=True)


def _check_unique_times(times, ids, begins, keys):
    repeated = ~begins[1:] & (times[1:] == times[:-1])
    if repeated.any():
        row, (by, order) = np.argmax(repeated), keys
        raise ValueError(
            f"{by}={ids[row]} has two rows with {order}={times[row]}, so their order "
            f"is undefined ({repeated.sum()} such pairs in df). Drop or aggregate them."
        )


def _take_constant(column, ids, begins, by):
    """Return the target of each id; raise a ValueError if an id has several."""
    target = column.to_numpy()
    changes = ~begins[1:] & (target[1:] != target[:-1])
    if changes.any():
        row = np.argmax(changes)
        raise ValueError(
            f"target {column.name!r} is {target[row]} and {target[row + 1]} for "
            f"{by}={ids[row]}. The target must be the same in all rows of a sequence."
        )
    return target[begins]


def _read_numbers(rows, names):
    """Return columns as an array (n_rows, n_features), with NaN for missing values."""
    columns = [_as_numbers(rows[name]) for name in names]
    invalid = [name for name, x in zip(names, columns, strict=True) if x is None]
    if invalid:
        types = [str(rows[name].dtype) for name in invalid]
        raise ValueError(
            f"columns {invalid} of df have the types {types}, not numbers. Select "
            "columns of numbers with values=, or encode these columns first."
        )
    return np.stack(columns, axis=1)


def _as_numbers(column):
    """Return a column as an array of numbers, or None if it contains anything else."""
    dtype, array = column.dtype, column.to_numpy()
    if hasattr(dtype, "kind"):  # pandas
        if dtype.kind not in "biuf":
            return None
        if _holds_objects(array):
            return column.to_numpy(float, na_value=np.nan)
        return array
    if _holds_objects(array) and (dtype.is_numeric() or str(dtype) == "Boolean"):
        return column.cast(float).to_numpy()  # decimals, or bools with missing values
    return array if array.dtype.kind in "biuf" else None


def _holds_objects(array):
    return array.dtype.kind == "O"
