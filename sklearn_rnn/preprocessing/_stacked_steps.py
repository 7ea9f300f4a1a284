"""Stacking of the steps of all sequences to one table, and the inverse."""

from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from sklearn_rnn._core.sklearn_private import (
    _check_method_params,
)
from sklearn_rnn._data.cells import (
    explain_errors,
    explain_unreadable,
    refuse_dates,
    refuse_huge,
)
from sklearn_rnn._data.containers import unwrap
from sklearn_rnn._data.ragged import object_array
from sklearn_rnn._data.sequences import (
    Sequences,
    find_kind,
    find_nonfinite,
    from_array,
    from_ragged,
    from_table,
    refuse_empty,
)


@dataclass(frozen=True)
class StackedSteps:
    """Stacked steps of all sequences, with a description of their container."""

    steps: Any  # array or frame (n_steps, F), without padding
    lengths: np.ndarray
    n_timesteps: int | None  # of a 3-D array; None for ragged sequences
    as_list: bool

    def repeat_metadata(self, metadata):
        """Repeat metadata with one entry per sequence to one entry per step."""
        owners = np.repeat(np.arange(len(self.lengths)), self.lengths)
        return _check_method_params(self.lengths, params=metadata, indices=owners)

    def restore_container(self, steps):
        """Put the steps that a transformer returned into the original container."""
        if sparse.issparse(steps):
            steps = steps.toarray()
        shape: tuple[int, ...] = getattr(steps, "shape", ())
        if len(shape) != 2 or shape[0] != self.steps.shape[0] or not shape[1]:
            raise ValueError(
                f"the transformer returned {type(steps).__name__} of shape {shape} for "
                f"{self.steps.shape[0]} time steps. It must return one row per step, "
                "with at least one feature."
            )
        if self.n_timesteps is not None:
            return self._pad(np.asarray(steps), self.n_timesteps)
        ends = np.cumsum(self.lengths)
        parts = [steps[a:b] for a, b in zip(ends - self.lengths, ends, strict=True)]
        if self.as_list:
            return parts
        return object_array(parts)

    def _pad(self, steps, n_timesteps):
        last = steps[np.cumsum(self.lengths) - 1]
        all_nan = np.isnan(last).all(axis=1) if last.dtype.kind == "f" else np.False_
        if all_nan.any():
            raise ValueError(
                f"the transformer returned NaN for the last step of sequence "
                f"{np.argmax(all_nan)} of X, which would be read as padding in a 3-D "
                "array. Pass X as a list of arrays, or use a transformer that returns "
                "numbers."
            )
        shape = len(self.lengths), n_timesteps, steps.shape[1]
        present = np.arange(n_timesteps) < self.lengths[:, None]
        if present.all():
            return steps.reshape(shape)
        numbers = steps.dtype.kind in "biuf"
        dtype = np.result_type(steps.dtype, np.float32 if numbers else object)
        array = np.full(shape, np.nan, dtype=dtype)
        array[present] = steps
        return array

    @contextmanager
    def name_sequences_in_errors(self):
        """Add the place of a NaN or infinity to errors that are raised meanwhile."""
        try:
            yield
        except ValueError as error:
            if "could not convert string to float" in str(error):
                remedy = explain_unreadable(self.steps)
                raise ValueError(
                    f"the transformer cannot convert X to numbers ({error}). {remedy}"
                ) from error
            if not str(error).startswith(("Input X contains", "Input contains")):
                raise
            starts = np.cumsum(self.lengths) - self.lengths
            place = find_nonfinite(
                Sequences(np.asarray(self.steps), starts, self.lengths)
            )
            if place is None:
                raise
            row, step, what = place
            raise ValueError(
                f"Input X contains {what} in sequence {row}, step {step}, which the "
                f"transformer does not accept: {error}"
            ) from error


def stack_steps(X, input_size):
    """Stack the steps of all sequences of X, without padding."""
    X = unwrap(X, missing=True)
    kind = find_kind(X)
    if kind == "ragged":
        as_list, X = isinstance(X, (list, tuple)), list(X)
        if any(hasattr(x, "columns") for x in X):
            return _stack_frames(X, as_list)
        sequences = from_ragged(X, finite=False)
        n_timesteps = None
    elif kind == "array":
        sequences, as_list = from_array(X, finite=False), False
        n_timesteps = X.shape[1]
    elif kind == "table":
        with explain_errors(X):
            X = check_array(X, ensure_all_finite=False, input_name="X")
            refuse_dates(X)
            refuse_huge(X)
        sequences, as_list = from_table(X, input_size), False
        n_timesteps = X.shape[1] // sequences.input_size
    if kind == "tokens" or sequences.vocabulary_size is not None:
        raise TypeError(
            "X contains tokens, whose codes are categories and not numbers to "
            "transform. Leave this transformer out, because the recurrent estimators "
            "embed tokens."
        )
    steps, lengths = sequences.values, sequences.lengths
    if n_timesteps is not None:
        present = np.arange(n_timesteps) < lengths[:, None]
        # always a copy, because a transformer may work in place
        steps = steps[present.reshape(-1)]
    return StackedSteps(steps, lengths, n_timesteps, as_list)


def _stack_frames(frames, as_list):
    names = list(getattr(frames[0], "columns", ()))
    for row, frame in enumerate(frames):
        columns = list(getattr(frame, "columns", ()))
        if not columns or columns != names:
            raise ValueError(
                f"sequence {row} of X has the columns {columns}, but sequence 0 has "
                f"{names}. Pass frames that all have the same columns in the same "
                "order, or pass no frames at all."
            )
    lengths = np.array([len(frame) for frame in frames], dtype=np.int64)
    refuse_empty(lengths)
    if hasattr(frames[0], "iloc"):
        import pandas as pd

        steps = pd.concat(frames, ignore_index=True)
    else:
        import polars as pl

        steps = pl.concat(frames, how="vertical_relaxed")
    return StackedSteps(steps, lengths, None, as_list)
