"""Rows of sequences of any length, and which of their steps count."""

import numpy as np
from sklearn.utils.validation import check_consistent_length


def count_axes(y):
    """Axes of an array; of a list or the like, one more than those of its entries."""
    n_axes = getattr(y, "ndim", 1)
    return n_axes if n_axes > 1 else 1 + np.ndim(next(iter(y), 0))


def as_rows(y, name):
    """One array per sequence, ``(T_i,)`` or ``(T_i, n_outputs)``."""
    y = np.asarray(y) if getattr(y, "ndim", 1) > 1 else y
    rows = [np.asarray(row) for row in y]
    for i, row in enumerate(rows):
        if row.ndim not in (1, 2) or row.shape[1:] != rows[0].shape[1:]:
            raise ValueError(
                f"row {i} of {name} has the shape {row.shape}. Give sequences: "
                "(n_timesteps,) or (n_timesteps, n_outputs) in every row."
            )
        if _is_text_beside_numbers(row, rows[0]):
            raise ValueError(
                f"row 0 of {name} is of {rows[0].dtype}, row {i} of {row.dtype}. Give "
                "text or numbers."
            )
    return rows


def _is_text_beside_numbers(a, b):
    """Whether the rows cannot be compared, which numpy would answer with all wrong."""
    kinds = a.dtype.kind + b.dtype.kind
    return "O" not in kinds and (kinds[0] in "US") != (kinds[1] in "US")


def align_steps(y_true, y_pred, sample_weight):
    """The steps of each sequence that count: true, predicted, and their weights."""
    arrays = [getattr(y, "ndim", 1) > 1 for y in (y_true, y_pred)]
    y_true, y_pred = as_rows(y_true, "y_true"), as_rows(y_pred, "y_pred")
    check_consistent_length(y_true, y_pred)
    weights = [1] * len(y_true) if sample_weight is None else sample_weight
    if getattr(weights, "ndim", 1) > 1:
        weights = np.asarray(weights)
    check_consistent_length(y_true, weights)
    result = []
    for i, rows in enumerate(zip(y_true, y_pred, weights, strict=True)):
        true, pred = _without_padding(*rows[:2], *arrays)
        if true.shape != pred.shape or _is_text_beside_numbers(true, pred):
            raise ValueError(
                f"row {i} of y_true has the shape {rows[0].shape} of {true.dtype}, "
                f"that of y_pred {rows[1].shape} of {pred.dtype}. Give an entry a "
                "step of the same sequences."
            )
        weight = np.asarray(rows[2])
        if weight.ndim and weight.shape not in {row.shape[:1] for row in rows[:2]}:
            raise ValueError(
                f"row {i} of sample_weight has the shape {weight.shape}, that of "
                f"y_true {rows[0].shape}. Give one weight per step or per sequence."
            )
        weight = weight[: len(true)] if weight.ndim else np.repeat(weight, len(true))
        valid = np.ones(len(true), dtype=bool)
        if true.dtype.kind == "f":
            valid = ~np.isnan(true.reshape(len(true), -1)).any(axis=1)
        result.append((true[valid], pred[valid], weight[valid]))
    return result


def _without_padding(true, pred, true_is_padded, pred_is_padded):
    """Both rows, the padding of an array cut off at the length of a ragged row."""
    if true_is_padded and not pred_is_padded:
        return true[: len(pred)], pred
    beyond = pred[len(true) :]
    if pred_is_padded and not true_is_padded and beyond.dtype.kind == "f":
        return true, pred[: len(true)] if np.isnan(beyond).all() else pred
    return true, pred


def concatenate_steps(rows):
    """The steps of all sequences behind each other."""
    check_any_step([steps for steps, _, _ in rows if len(steps)])
    return tuple(map(np.concatenate, zip(*rows, strict=True)))


def check_any_step(sequences):
    if not sequences:
        raise ValueError(
            "y_true holds no valid step: all are NaN, or beyond the rows of y_pred."
        )
