"""Sequences from a long table: one row a time step, one column that says whose."""

import numpy as np


def sequences_from_frame(
    df, by, order=None, *, values=None, target=None, return_ids=False
):
    """Turn a long table into a list of sequences.

    A long table has a row a time step: whose it is, when it was, what was measured.
    The rows of each id become one array, sorted by time. The order of the rows in the
    table changes nothing.

    Parameters
    ----------
    df : pandas.DataFrame or polars.DataFrame of shape (n_rows, n_columns)
        The long table.
    by : column name
        Whose row it is. The sequences are in the sorted order of these ids, as
        ``groupby`` of pandas has them.
    order : column name or None, default=None
        When it was: numbers, dates or anything that sorts. Every id has a time once at
        most. With None the steps keep the order of their rows.
    values : column name, list of them, or None, default=None
        What was measured, the features of a step; None takes all columns but ``by``,
        ``order`` and ``target``. Numbers or bools; missing ones become NaN.
    target : column name, list of them, or None, default=None
        What is to be learned, the same in all rows of an id.
    return_ids : bool, default=False
        Whether to return the ids of the sequences, too.

    Returns
    -------
    X : list of ndarray of shape (n_timesteps_i, n_features)
        One array an id, of the type that holds all ``values``: float32 stays float32.
    y : ndarray of shape (n_sequences,) or (n_sequences, n_targets)
        The target of each sequence; 2-D if ``target`` is a list. Only if ``target`` is
        given.
    ids : ndarray of shape (n_sequences,)
        The id of each sequence. Only if ``return_ids=True``.

    Raises
    ------
    ValueError
        If a column is not there or not of numbers, an id, time or target is missing, an
        id has a time twice or two targets, or the table has no rows.
    TypeError
        If ``df`` is not a data frame.

    See Also
    --------
    StepwiseTransformer : Scales the features of every step.

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
    _refuse_unknown([*keys, *targets, *(values or ())], names)
    if values is None:
        values = [name for name in names if name not in [*keys, *targets]]
    if not values:
        raise ValueError(
            f"df has no columns of values beside {[*keys, *targets]}; a sequence needs "
            "at least one feature."
        )
    _refuse_missing(df, [*keys, *targets])
    rows = _sort_rows(df[list(dict.fromkeys([*keys, *targets, *values]))], keys)
    ids = rows[by].to_numpy()
    begins = np.concatenate([[True], ids[1:] != ids[:-1]])
    if order is not None:
        _refuse_repeated_times(rows[order].to_numpy(), ids, begins, keys)
    starts = np.flatnonzero(begins)
    result = [np.split(_read_numbers(rows, values), starts[1:])]
    if targets:
        y = [_take_constant(rows[name], ids, begins, by) for name in targets]
        result.append(np.stack(y, axis=1) if _are_several(target) else y[0])
    if return_ids:
        result.append(ids[starts])
    return result[0] if len(result) == 1 else tuple(result)


def _column_names(df):
    """Names of the columns of a frame that can be read."""
    if not hasattr(df, "to_numpy") or not hasattr(df, "columns"):
        collect = " Call its collect() first." if hasattr(df, "collect") else ""
        raise TypeError(
            "df must be a pandas or polars DataFrame, got "
            f"{type(df).__module__}.{type(df).__qualname__}.{collect}"
        )
    names = list(df.columns)
    if len(set(names)) < len(names):
        raise ValueError(f"df has several columns of the same name: {names}.")
    if not len(df):
        raise ValueError(
            f"Found array with 0 sample(s) (shape={df.shape}) while a minimum of 1 is "
            "required: df has no rows."
        )
    return names


def _as_list(names):
    """Column names as a list; None stays."""
    if names is None:
        return None
    return list(names) if _are_several(names) else [names]


def _are_several(names):
    """Whether these are column names, such as ``df.columns[2:]``, and not one."""
    return isinstance(names, list) or getattr(names, "ndim", 0) > 0


def _refuse_unknown(used, names):
    unknown = [name for name in used if name not in names]
    if unknown:
        raise ValueError(
            f"df has no column {unknown[0]!r}; its columns are {names}. by and order "
            "name one column each; df.reset_index() makes columns of an index."
        )


def _refuse_missing(df, names):
    for name in names:
        missing = _is_missing(df[name])
        if missing.any():
            raise ValueError(
                f"column {name!r} has no value in {missing.sum()} of {len(df)} rows, "
                f"the first of them row {np.argmax(missing)}. Fill them, or leave "
                "those rows out."
            )


def _is_missing(column):
    if hasattr(column, "isna"):  # pandas
        return column.isna().to_numpy()
    missing = column.is_null()
    if column.dtype.is_float():
        missing |= column.is_nan()
    return missing.to_numpy()


def _sort_rows(df, keys):
    """Rows sorted by ``keys``, where they tie as they came."""
    if hasattr(df, "sort_values"):  # pandas
        return df.reset_index(drop=True).sort_values(keys, kind="stable")
    return df.sort(keys, maintain_order=True)


def _refuse_repeated_times(times, ids, begins, keys):
    repeated = ~begins[1:] & (times[1:] == times[:-1])
    if repeated.any():
        row, (by, order) = np.argmax(repeated), keys
        raise ValueError(
            f"{by}={ids[row]} has two rows of {order}={times[row]} ({repeated.sum()} "
            "such in df): their order would be chance. Drop or aggregate them."
        )


def _take_constant(column, ids, begins, by):
    """The target of each id, which may have only one."""
    target = column.to_numpy()
    changes = ~begins[1:] & (target[1:] != target[:-1])
    if changes.any():
        row = np.argmax(changes)
        raise ValueError(
            f"target {column.name!r} is {target[row]} and {target[row + 1]} for "
            f"{by}={ids[row]}. A sequence has one target: it must be the same in all "
            "of its rows."
        )
    return target[begins]


def _read_numbers(rows, names):
    """The columns as an array (n_rows, n_features), NaN where a number is missing."""
    columns = [_as_numbers(rows[name]) for name in names]
    refused = [name for name, x in zip(names, columns, strict=True) if x is None]
    if refused:
        types = [str(rows[name].dtype) for name in refused]
        raise ValueError(
            f"columns {refused} of df are of type {types}, not numbers. Name the "
            "columns to take in values=, or encode these as numbers first."
        )
    return np.stack(columns, axis=1)


def _as_numbers(column):
    """A column as an array of numbers, or None if it has others."""
    dtype, array = column.dtype, column.to_numpy()
    if hasattr(dtype, "kind"):  # pandas
        if dtype.kind not in "biuf":
            return None
        return column.to_numpy(float, na_value=np.nan) if _box_array(array) else array
    if _box_array(array) and (dtype.is_numeric() or str(dtype) == "Boolean"):
        return column.cast(float).to_numpy()  # decimals, or bools of which some miss
    return array if array.dtype.kind in "biuf" else None


def _box_array(array):
    return array.dtype.kind == "O"
