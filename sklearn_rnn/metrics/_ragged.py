"""Alignment of true and predicted sequences of any length, without padding."""

import numpy as np
from sklearn.utils.validation import check_consistent_length


def count_axes(y):
    """Count the axes of an array, or of a list: one more than those of its entries."""
    n_axes = getattr(y, "ndim", 1)
    return n_axes if n_axes > 1 else 1 + np.ndim(next(iter(y), 0))


def as_rows(y, name):
    """Return one array per sequence, ``(T_i,)`` or ``(T_i, n_outputs)``."""
    y = np.asarray(y) if getattr(y, "ndim", 1) > 1 else y
    rows = [np.asarray(row) for row in y]
    for i, row in enumerate(rows):
        if row.ndim not in (1, 2) or row.shape[1:] != rows[0].shape[1:]:
            raise ValueError(
                f"row {i} of {name} has the shape {row.shape}. All rows must be "
                "sequences of shape (n_timesteps,) or (n_timesteps, n_outputs)."
            )
        if _mixes_text_and_numbers(row, rows[0]):
            raise ValueError(
                f"row 0 of {name} has the type {rows[0].dtype}, but row {i} has the "
                f"type {row.dtype}. Pass either text or numbers in all rows."
            )
    return rows


def _mixes_text_and_numbers(a, b):
    """Return whether one row has text and the other numbers, which differ."""
    kinds = a.dtype.kind + b.dtype.kind
    return "O" not in kinds and (kinds[0] in "US") != (kinds[1] in "US")


def align_steps(y_true, y_pred, sample_weight):
    """Return the true and predicted valid steps of each sequence, and their weights."""
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
        if true.shape != pred.shape or _mixes_text_and_numbers(true, pred):
            raise ValueError(
                f"row {i} of y_true has the shape {rows[0].shape} and type "
                f"{true.dtype}, but that of y_pred has the shape {rows[1].shape} and "
                f"type {pred.dtype}. Pass one entry per step of the same sequences."
            )
        weight = np.asarray(rows[2])
        if weight.ndim and weight.shape not in {row.shape[:1] for row in rows[:2]}:
            raise ValueError(
                f"row {i} of sample_weight has the shape {weight.shape}, but that of "
                f"y_true has the shape {rows[0].shape}. Pass one weight per step or "
                "per sequence."
            )
        weight = weight[: len(true)] if weight.ndim else np.repeat(weight, len(true))
        valid = np.ones(len(true), dtype=bool)
        if true.dtype.kind == "f":
            valid = ~np.isnan(true.reshape(len(true), -1)).any(axis=1)
        result.append((true[valid], pred[valid], weight[valid]))
    return result


def _without_padding(true, pred, true_is_padded, pred_is_padded):
    """Cut the padding of an array row off at the length of the ragged row."""
    if true_is_padded and not pred_is_padded:
        return true[: len(pred)], pred
    beyond = pred[len(true) :]
    if pred_is_padded and not true_is_padded and beyond.dtype.kind == "f":
        return true, pred[: len(true)] if np.isnan(beyond).all() else pred
    return true, pred


def concatenate_steps(rows):
    """Concatenate the steps of all sequences."""
    check_any_step([steps for steps, _, _ in rows if len(steps)])
    return tuple(map(np.concatenate, zip(*rows, strict=True)))


def check_any_step(sequences):
    if not sequences:
        raise ValueError(
            "y_true has no valid step: all steps are NaN, or after the end of the rows "
            "of y_pred."
        )
