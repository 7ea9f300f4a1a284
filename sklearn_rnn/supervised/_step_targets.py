"""Targets, weights and predictions per step, concatenated or in the shape of X.

Flat arrays contain the valid steps of all sequences, ``(n_steps,)`` or ``(n_steps,
n_outputs)``, without padding.
"""

import numpy as np
from scipy import sparse

from sklearn_rnn._data.containers import unwrap
from sklearn_rnn._data.ragged import split_steps
from sklearn_rnn._data.sequences import Sequences


def flatten(y, sequences: Sequences, name: str = "y") -> np.ndarray:
    """Concatenate the entries of all steps, from a rectangle or rows of any length.

    A row may be longer than its sequence if the additional entries are padding: if its
    length is the width of the rectangular X, or if they are NaN.
    """
    y = y.toarray() if sparse.issparse(y) else unwrap(y, name, missing=True)
    rectangle = getattr(y, "ndim", 1) > 1
    if not hasattr(y, "__iter__"):
        raise ValueError(
            f"{name} is {y!r:.60}. return_sequences=True needs one entry per step: an "
            "array (n_timesteps,) or (n_timesteps, n_outputs) for each sequence."
        )
    y = np.asarray(y) if rectangle else list(y)
    if len(y) != len(sequences):
        raise ValueError(
            "Found input variables with inconsistent numbers of samples: "
            f"[{len(sequences)}, {len(y)}], the numbers of sequences of X and of rows "
            f"of {name}."
        )
    if rectangle:
        for i in np.flatnonzero(sequences.lengths != y.shape[1]):
            _check_length(y[i], i, sequences, name)
        return y[np.arange(y.shape[1]) < sequences.lengths[:, None]]
    rows = [_row(row, i, name) for i, row in enumerate(y)]
    if len({row.dtype.kind in "SUO" for row in rows}) > 1:
        raise ValueError(f"{name} mixes text and numbers. Pass entries of one type.")
    if len({row.shape[1:] for row in rows}) > 1:
        other = next(
            i for i, row in enumerate(rows) if row.shape[1:] != rows[0].shape[1:]
        )
        raise ValueError(
            f"row {other} of {name} has entries of the shape {rows[other].shape[1:]}, "
            f"but row 0 has entries of the shape {rows[0].shape[1:]}. Pass entries of "
            "one shape."
        )
    for i in np.flatnonzero([len(row) for row in rows] != sequences.lengths):
        _check_length(rows[i], i, sequences, name)
        rows[i] = rows[i][: sequences.lengths[i]]
    return np.concatenate(rows)


def _row(row, i, name):
    row = np.asarray(row)
    if row.ndim not in (1, 2):
        raise ValueError(
            f"row {i} of {name} is {row!r:.60}. return_sequences=True needs one entry "
            "per step: an array (n_timesteps,) or (n_timesteps, n_outputs) for each "
            "sequence."
        )
    return row


def _check_length(row, i, sequences, name):
    """Raise an error if a row has neither one entry per step nor padding."""
    length = sequences.lengths[i]
    beyond = row[length:]
    padded = len(row) == sequences.width or (
        beyond.dtype.kind == "f" and np.isnan(beyond).all()
    )
    if len(row) < length or not padded:
        raise ValueError(
            f"row {i} of {name} has {len(row)} entries, but sequence {i} of X has "
            f"{length} steps. return_sequences=True needs one entry per step."
        )


def flatten_weights(sample_weight, sequences: Sequences):
    """Concatenate weights of steps, or repeat weights of sequences for each step."""
    sample_weight = unwrap(sample_weight, "sample_weight")
    if getattr(sample_weight, "ndim", 1) > 1 or np.ndim(next(iter(sample_weight))):
        return flatten(sample_weight, sequences, "sample_weight")
    if len(sample_weight) != len(sequences):
        raise ValueError(
            f"sample_weight has {len(sample_weight)} entries for {len(sequences)} "
            "sequences. Pass one weight per sequence, or rows with one weight per step."
        )
    return np.repeat(np.asarray(sample_weight), sequences.lengths)


def unflatten(flat: np.ndarray, sequences: Sequences) -> np.ndarray:
    """Return concatenated predictions as (n, T, ...) or as (T_i, ...) in an array.

    The result is an array if X was a rectangle of numbers; padded steps of numbers are
    then NaN. For tokens, ragged sequences and padded steps of labels, it is an object
    array.
    """
    lengths, width = sequences.lengths, sequences.width
    if width is not None and sequences.vocabulary_size is None:
        shape = (len(lengths), width, *flat.shape[1:])
        if lengths.min() == width:
            return flat.reshape(shape)
        if flat.dtype.kind == "f":
            answers = np.full(shape, np.nan, dtype=flat.dtype)
            answers[np.arange(width) < lengths[:, None]] = flat
            return answers
    return split_steps(flat, lengths)
