"""Sequences from Parquet files that do not fit into memory."""

import os
from itertools import chain
from numbers import Integral
from pathlib import Path

import numpy as np
from sklearn.utils import check_random_state, check_scalar

# Number of rows of a long table that are read at a time.
ROWS_PER_READ = 2**16


def iter_batches(
    source,
    values=None,
    target=None,
    *,
    by=None,
    batch_size=8192,
    shuffle=False,
    random_state=None,
):
    """Read sequences from Parquet files, one batch after the other.

    Only one batch is in memory at a time. Pass the batches to ``partial_fit``, or to
    ``predict``. Requires pyarrow.

    Parameters
    ----------
    source : str, path-like, or list of them
        Parquet file, folder or list of these. Of a folder, all files that end with
        ``.parquet`` are read, in alphabetical order, and those in its subfolders. All
        files must have the columns that are read.
    values : column name, list of them, or None, default=None
        Columns of the sequences. Each row of the files is a sequence, in one of these
        forms:

        - one column of lists of numbers, or of lists of equally long lists with the
          features of each time step;
        - several columns of lists of numbers, one per feature;
        - columns of numbers, one per time step.

        With ``by``, each row is one time step, and each of the columns contains the
        numbers of one feature. None selects all columns except ``by`` and ``target``.
    target : column name, list of them, or None, default=None
        Columns of the targets. A column of lists contains one target per time step.
    by : column name or None, default=None
        Column of the ids of the sequences, if each row of the files is one time step.
        Each file must be sorted by id and, for each id, by time. All rows of an id must
        be in the same file, and have the same target. The order of the times is not
        checked. Of ids in several files, only those at the beginning or end of a file
        are found, which is where a table that was cut into files has them.
    batch_size : int, default=8192
        Number of sequences per batch. The last batch may have fewer.
    shuffle : bool, default=False
        Whether to read the files in random order. ``partial_fit`` shuffles the
        sequences of a batch in any case. If a file contains only some of the classes,
        sort its rows at random before.
    random_state : int, RandomState instance or None, default=None
        Seed of the order of the files. Pass another seed for each pass over the data.

    Returns
    -------
    batches : generator of X or of tuples (X, y)
        Batches of sequences, with their targets if ``target`` is given. X is a list of
        arrays of shape ``(n_timesteps_i, n_features)`` or ``(n_timesteps_i,)``, or an
        array of shape ``(n_sequences, n_timesteps)`` if each column contains the
        numbers of one time step. y is an array of shape ``(n_sequences,)``, or
        ``(n_sequences, n_targets)`` if ``target`` is a list. It is a list of arrays
        ``(n_timesteps_i,)`` if there is one target per time step.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    FileNotFoundError
        If a file does not exist, or a folder contains no Parquet file.
    TypeError
        If columns do not contain numbers or lists of numbers, or if their types differ
        between the files.
    ValueError
        If a column does not exist, contains missing values or lists of different
        lengths for the same sequence, if a file is not sorted by id, or if an id is in
        two files.

    See Also
    --------
    sequences_from_frame : Converts a long table in memory.

    Examples
    --------
    >>> import os
    >>> import tempfile
    >>> import pandas as pd
    >>> from sklearn_rnn import RNNClassifier
    >>> from sklearn_rnn.datasets import iter_batches
    >>> df = pd.DataFrame({"pulse": [[61.0, 64.0], [70.0]] * 50, "ill": [0, 1] * 50})
    >>> model = RNNClassifier(hidden_size=4, random_state=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     df.to_parquet(os.path.join(folder, "part-0.parquet"))
    ...     for X, y in iter_batches(folder, "pulse", "ill", batch_size=40):
    ...         print(len(X), X[0].ravel().tolist(), y[:2])
    ...         model = model.partial_fit(X, y, classes=[0, 1])
    40 [61.0, 64.0] [0 1]
    40 [61.0, 64.0] [0 1]
    20 [61.0, 64.0] [0 1]
    """
    check_scalar(batch_size, "batch_size", Integral, min_val=1)
    files = _find_files(source)
    if shuffle:
        order = check_random_state(random_state).permutation(len(files))
        files = [files[k] for k in order]
    values, targets = _choose_columns(files[0], values, target, by)
    several = isinstance(target, list)
    return _iterate(files, values, targets, several, by, int(batch_size))


def _import_parquet():
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise ImportError(
            "iter_batches needs pyarrow, which is not installed. Run: pip install "
            "pyarrow"
        ) from error
    return parquet


def _find_files(source):
    """List the Parquet files of a file, a folder or a list of them."""
    paths = [source] if isinstance(source, (str, bytes, os.PathLike)) else list(source)
    files = []
    for path in map(Path, map(os.fsdecode, paths)):
        found = [path]
        if path.is_dir():
            found = sorted(file for file in path.rglob("*.parquet") if file.is_file())
        if not found or not found[0].exists():
            what = (
                "contains no file that ends with .parquet"
                if not found
                else ("does not exist")
            )
            raise FileNotFoundError(f"{str(path)!r} {what}.")
        files += found
    if not files:
        raise FileNotFoundError("source is an empty list. Pass at least one file.")
    return files


def _choose_columns(file, values, target, by):
    """Return the names of the columns of values and targets, after checking them."""
    names = _import_parquet().read_schema(file).names
    targets = _as_list(target) or []
    used = [*targets, *([] if by is None else [by])]
    chosen = _as_list(values)
    if chosen is None:
        chosen = [name for name in names if name not in used]
    unknown = [name for name in [*chosen, *used] if name not in names]
    if unknown:
        raise ValueError(
            f"{file} has no column {unknown[0]!r}; its columns are {names}."
        )
    if not chosen:
        raise ValueError(
            f"{file} has no columns of values besides {used}; a sequence needs at "
            "least one feature."
        )
    return chosen, targets


def _as_list(names):
    return names if names is None or isinstance(names, list) else [names]


def _iterate(files, values, targets, several, by, batch_size):
    """Yield the batches; if ``several``, the targets become columns of an array."""
    parts = _read_files(files, values, targets, by, batch_size)
    for X, *y in _split_batches(parts, batch_size):
        if several and any(isinstance(column, list) for column in y):
            raise TypeError(
                f"there are lists in some of the target columns {targets}. Targets per "
                "step must be in a single column: pass its name instead of a list."
            )
        if not y:
            yield X
        else:
            yield X, np.stack(y, axis=1) if several else y[0]


def _read_files(files, values, targets, by, n_rows):
    """Yield sequences and targets of all files, whose columns must be alike."""
    first_of = None
    file_of: dict[object, object] = {}  # of ids at the edges of files
    for file in files:
        if by is None:
            parts = _read_rows(file, values, targets, n_rows)
        else:
            parts = _read_long(file, values, targets, by, file_of)
        for part in parts:
            kinds = [_find_kind(column) for column in part]
            first_of = first_of or (file, kinds)
            if kinds != first_of[1]:
                raise TypeError(
                    f"{file} has {' and '.join(kinds)} in the columns "
                    f"{[*values, *targets]}, but {first_of[0]} has "
                    f"{' and '.join(first_of[1])}. All files need the same types."
                )
            yield part


def _find_kind(column):
    if isinstance(column, list):
        return "lists"
    return "numbers" if column.dtype.kind in "biuf" else "other values"


def _split_batches(parts, batch_size):
    """Join parts and divide them into batches; a part is a tuple of columns."""
    waiting, n = [], 0
    for part in parts:
        waiting.append(part)
        n += len(part[0])
        while n >= batch_size:
            joined = _join(waiting)
            yield tuple(column[:batch_size] for column in joined)
            waiting = [tuple(column[batch_size:] for column in joined)]
            n -= batch_size
    if n:
        yield _join(waiting)


def _join(parts):
    if len(parts) == 1:
        return parts[0]
    return tuple(
        list(chain(*pieces)) if isinstance(pieces[0], list) else np.concatenate(pieces)
        for pieces in zip(*parts, strict=True)
    )


def _read_tables(file, columns, n_rows):
    """Yield dicts of columns with up to ``n_rows`` rows of a file."""
    parquet = _import_parquet()
    with parquet.ParquetFile(file, memory_map=True, pre_buffer=False) as opened:
        names = opened.schema_arrow.names
        unknown = [name for name in columns if name not in names]
        if unknown:
            raise ValueError(
                f"{file} has no column {unknown[0]!r}, which other files have; its "
                f"columns are {names}."
            )
        for batch in opened.iter_batches(n_rows, columns=list(dict.fromkeys(columns))):
            if len(batch):
                yield {name: batch.column(name) for name in batch.schema.names}


def _read_rows(file, values, targets, n_rows):
    """Yield sequences and targets from files in which each row is a sequence."""
    for columns in _read_tables(file, [*values, *targets], n_rows):
        features = [_read_numbers(columns[name], name, file) for name in values]
        if len({isinstance(feature, list) for feature in features}) > 1:
            raise TypeError(
                f"{file} has lists in some of the columns {values}, and single numbers "
                "in others. Select columns of one kind with values=."
            )
        X = _stack_lists(features, values, file)
        yield (X, *(_read_column(columns[name], name, file) for name in targets))


def _stack_lists(features, names, file):
    """Return the sequences (T_i, F) of lists per feature, or a table of numbers."""
    if not isinstance(features[0], list):
        return np.stack(features, axis=1)
    if len(features) == 1:
        return features[0]
    for name, feature in zip(names, features, strict=True):
        other = [len(x) != len(y) for x, y in zip(feature, features[0], strict=True)]
        if any(other):
            row = other.index(True)
            raise ValueError(
                f"{file} has a row with {len(features[0][row])} numbers in column "
                f"{names[0]!r} and {len(feature[row])} in column {name!r}. Each list "
                "must have one number per time step."
            )
    return [np.stack(steps, axis=-1) for steps in zip(*features, strict=True)]


def _read_long(file, values, targets, by, file_of):
    """Yield sequences and targets from files in which each row is a time step.

    The first and the last id of the file are added to ``file_of``.
    """
    rest = None
    for columns in _read_tables(file, [by, *values, *targets], ROWS_PER_READ):
        features = [_read_numbers(columns[name], name, file) for name in values]
        others = [_read_column(columns[name], name, file) for name in [by, *targets]]
        names = [*values, by, *targets]
        _refuse_lists([*features, *others], names, columns, by, file)
        part = np.stack(features, axis=1), *others
        steps, ids, *y = part if rest is None else _join([rest, part])
        if (ids != ids).any():
            raise ValueError(f"column {by!r} of {file} has ids that are NaN.")
        if rest is None:
            _refuse_second_file(ids[0], file_of, file, by)
        if (ids[1:] < ids[:-1]).any():
            raise ValueError(
                f"{file} is not sorted by {by!r}. Sort its rows by id and time, so "
                "that the rows of each sequence follow each other."
            )
        starts = np.flatnonzero(np.append(True, ids[1:] != ids[:-1]))
        _check_constant(y, targets, ids, by, file)
        last = starts[-1]
        if last:
            X = np.split(steps[:last], starts[1:-1])
            yield (X, *(column[starts[:-1]] for column in y))
        rest = tuple(column[last:] for column in (steps, ids, *y))
    if rest is not None:
        _refuse_second_file(rest[1][0], file_of, file, by)
        yield ([rest[0]], *(column[:1] for column in rest[2:]))


def _refuse_lists(found, names, columns, by, file):
    """Raise an error if one of the columns that were found contains lists."""
    for name, column in zip(names, found, strict=True):
        if isinstance(column, list):
            raise TypeError(
                f"column {name!r} of {file} has the type {columns[name].type}, but "
                f"with by={by!r} each row is one time step; expected one value per row."
            )


def _refuse_second_file(number, file_of, file, by):
    """Raise an error if another file begins or ends with the same id."""
    other = file_of.setdefault(number, file)
    if other != file:
        raise ValueError(
            f"{by}={number} is in two files, {other} and {file}. All rows of an id "
            "must be in the same file, because they form one sequence. If they are "
            "different sequences, give them different ids."
        )


def _check_constant(y, names, ids, by, file):
    """Raise an error if an id has several targets."""
    for name, column in zip(names, y, strict=True):
        changes = (ids[1:] == ids[:-1]) & (column[1:] != column[:-1])
        if changes.any():
            row = np.argmax(changes)
            raise ValueError(
                f"{file}: {name!r} is {column[row]} and {column[row + 1]} for "
                f"{by}={ids[row]}. The target must be the same in all rows of a "
                "sequence."
            )


def _read_numbers(column, name, file):
    """Return a column of numbers as an array, or one of lists as a list of arrays."""
    found = _read_column(column, name, file)
    kinds = found[0].dtype.kind if isinstance(found, list) else found.dtype.kind
    if kinds not in "biuf":
        raise TypeError(
            f"column {name!r} of {file} has the type {column.type}; expected numbers "
            "or lists of numbers. Select other columns with values=."
        )
    return found


def _read_column(column, name, file):
    """Return a column as an array, or as a list of arrays if it contains lists."""
    array, lengths = column, []
    while True:
        if array.null_count:
            raise ValueError(
                f"column {name!r} of {file} has missing values. Fill them, or remove "
                "these rows."
            )
        if not hasattr(array, "flatten") or not hasattr(array.type, "value_type"):
            break
        if hasattr(array, "dictionary_decode"):
            array = array.dictionary_decode()
            continue
        lengths.append(array.value_lengths().to_numpy(zero_copy_only=False))
        array = array.flatten()
    flat = array.to_numpy(zero_copy_only=False)
    if len(lengths) > 1:
        flat = _join_features(flat, lengths[1], name, file)
    return np.split(flat, np.cumsum(lengths[0])[:-1]) if lengths else flat


def _join_features(flat, lengths, name, file):
    """Return steps (n, F) from lists of features."""
    if not len(lengths) or not lengths.any():
        return flat.reshape(len(lengths), 0)
    if (lengths != lengths[0]).any():
        raise ValueError(
            f"column {name!r} of {file} has steps of {lengths[0]} and of "
            f"{lengths[lengths != lengths[0]][0]} features. All steps need the same "
            "features."
        )
    return flat.reshape(-1, int(lengths[0]))
