"""Windows of series as training examples, split into training and validation."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from sklearn_rnn._data.sequences import Sequences
from sklearn_rnn._training.examples import Examples
from sklearn_rnn._training.holdout import split_rows
from sklearn_rnn.forecasting._encoding import SeriesEncoding, cast_numbers


@dataclass(frozen=True)
class HeldOut:
    """Steps held out of training: in some series, all steps from a first one on.

    If ``whole`` series are held out, ``first_steps`` are the steps after one window.
    """

    series: np.ndarray  # positions among the series
    first_steps: np.ndarray  # of each of these series
    whole: bool = False

    def leave_out(self, arrays: list[np.ndarray]) -> list[np.ndarray]:
        """Return the arrays (T_i, ...) of the series without the steps held out."""
        if self.whole:
            return [a for i, a in enumerate(arrays) if i not in self.series]
        rest = list(arrays)
        for i, first_step in zip(self.series, self.first_steps, strict=True):
            rest[i] = arrays[i][:first_step]
        return rest


def make_windows(
    encoding: SeriesEncoding,
    values: list[np.ndarray],
    exog: list[np.ndarray] | None,
    dtype: np.dtype,
) -> Examples:
    """Make one window from each step of series (T_i, C).

    Each step of a window has targets, or only the last step. Windows share the values
    of a series without copying them. A series shorter than a window yields one shorter
    window.
    """
    sizes = count_examples(encoding, values)
    trains = np.flatnonzero(sizes)
    parts = list(
        encoding.make_examples(
            [values[i] for i in trains], exog and [exog[i] for i in trains]
        )
    )
    inputs = cast_numbers(np.concatenate([inputs for inputs, _ in parts]), dtype)
    targets = cast_numbers(np.concatenate([targets for _, targets in parts]), dtype)
    n_windows = np.maximum(sizes - encoding.window, 0) + (sizes > 0)
    lengths = np.repeat(np.minimum(sizes, encoding.window), n_windows)
    offsets = np.cumsum(sizes) - sizes - np.cumsum(n_windows) + n_windows
    starts = np.repeat(offsets, n_windows)
    starts = starts + np.arange(len(starts))
    sequences = Sequences(inputs, starts, lengths)
    if encoding.last_only:
        targets = targets[starts + lengths - 1]
    return Examples(
        sequences,
        torch.from_numpy(targets),
        weights=None,
        rows=np.arange(len(starts)),
        first=None if encoding.last_only else starts,
    )


def count_examples(encoding: SeriesEncoding, values: list[np.ndarray]) -> np.ndarray:
    """Count the steps of each series whose targets lie inside it: (n_series,).

    A series that is too short for training counts 0.
    """
    lengths = np.array([len(v) for v in values])
    sizes = lengths - encoding.lag - encoding.horizon
    return np.where(lengths >= encoding.shortest, sizes, 0)


def hold_out_validation(
    values: list[np.ndarray],
    fraction: Any,
    context: int,
    horizon: int,
    rng: np.random.Generator,
) -> HeldOut:
    """Hold out the last steps of a single series, or some of several series.

    ``fraction`` is the fraction of the steps of a single series, or the fraction of the
    series that are long enough for ``context`` and ``horizon``, or a splitter of
    several series.
    """
    if len(values) > 1:
        rows = np.arange(len(values))
        if not hasattr(fraction, "split"):  # a splitter splits all series
            rows = np.flatnonzero([len(v) >= context + horizon for v in values])
        _, series = split_rows(rows, fraction, rng)
        return HeldOut(series, np.full(len(series), context), whole=True)
    if hasattr(fraction, "split"):
        raise ValueError(
            "validation_fraction is a splitter, which splits several series, but X is "
            "a single series. Set validation_fraction to the fraction of its last "
            "steps that are held out, such as 0.1."
        )
    n_steps = len(values[0])
    first_step = n_steps - int(np.ceil(fraction * n_steps))
    return HeldOut(np.array([0]), np.array([first_step]))


def split_windows(
    windows: Examples,
    encoding: SeriesEncoding,
    values: list[np.ndarray],
    held_out: HeldOut,
) -> tuple[Examples, Examples]:
    """Split into training windows and windows that predict the steps held out."""
    if not held_out.whole:
        return _split_by_time(
            windows, encoding, len(values[0]), int(held_out.first_steps[0])
        )
    sizes = count_examples(encoding, values)
    owners = np.searchsorted(np.cumsum(sizes), windows.sequences.starts, side="right")
    validates = np.isin(owners, held_out.series)
    long_enough = [len(values[i]) for i in held_out.series] > held_out.first_steps
    if not long_enough.any() or validates.all():
        raise ValueError(
            "validation_fraction leaves the training or the validation part without a "
            "series that is long enough for a window. Hold out other series, or set "
            "early_stopping=False."
        )
    return _select(windows, ~validates), _select(windows, validates)


def _split_by_time(windows, encoding, n_steps, first_step):
    """Split the windows of one series, whose steps from ``first_step`` are held out.

    No step that validation predicts is read, or is a target, in training.
    """
    sequences = windows.sequences
    last = sequences.starts + encoding.lag + sequences.lengths - 1  # of each window
    trains, validates = last + encoding.horizon < first_step, last + 1 >= first_step
    if not (trains.any() and validates.any()):
        raise ValueError(
            f"validation on {n_steps - first_step} of {n_steps} steps leaves the "
            f"training or the validation part without a window of {encoding.window} "
            f"steps and a horizon of {encoding.horizon}. Pass a longer series, set a "
            "smaller window, change validation_fraction, or set early_stopping=False."
        )
    valid = _select(windows, validates)
    if windows.first is not None:  # only targets from first_step on count
        next_steps = np.arange(len(windows.targets)) + encoding.lag + 1
        weights = (next_steps >= first_step).astype(np.float64)
        valid = replace(valid, weights=torch.from_numpy(weights))
    return _select(windows, trains), valid


def _select(windows: Examples, mask: np.ndarray) -> Examples:
    return replace(windows, rows=windows.rows[mask])
