"""Windows of series as training examples, and which of them validate."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from sklearn_rnn._data.sequences import Sequences
from sklearn_rnn._training.examples import Examples
from sklearn_rnn._training.holdout import split_rows
from sklearn_rnn.forecasting._encoding import SeriesEncoding


@dataclass(frozen=True)
class HeldOut:
    """What a training does not predict: of some series, the steps from a first one on.

    A single series gives its last steps. Of several, whole ones are held out; the first
    step is then the one after a whole window.
    """

    series: np.ndarray  # places among the series
    first_step: int


def make_windows(
    encoding: SeriesEncoding,
    values: list[np.ndarray],
    exog: list[np.ndarray] | None,
    dtype: np.dtype,
) -> Examples:
    """All windows of series (T_i, C), each shifted by one step from the one before.

    Every step of a window has its targets, or the last one only. The values are not
    copied from window to window.
    """
    parts = [
        encoding.make_examples(v, None if exog is None else exog[i])
        for i, v in enumerate(values)
    ]
    inputs = np.concatenate([inputs for inputs, _ in parts]).astype(dtype)
    targets = np.concatenate([targets for _, targets in parts]).astype(dtype)
    sizes = np.array([len(inputs) for inputs, _ in parts])
    window, n_windows = encoding.window, np.maximum(sizes - encoding.window + 1, 0)
    offsets = np.cumsum(sizes) - sizes - np.cumsum(n_windows) + n_windows
    starts = np.repeat(offsets, n_windows)
    starts = starts + np.arange(len(starts))
    sequences = Sequences(inputs, starts, np.full(len(starts), window))
    if encoding.last_only:
        targets = targets[starts + window - 1]
    return Examples(
        sequences,
        torch.from_numpy(targets),
        weights=None,
        rows=np.arange(len(starts)),
        first=None if encoding.last_only else starts,
    )


def split_windows(
    windows: Examples,
    encoding: SeriesEncoding,
    values: list[np.ndarray],
    fraction: Any,
    rng: np.random.Generator,
) -> tuple[Examples, Examples, HeldOut]:
    """Windows that train, windows that validate, and what the latter predict.

    ``fraction`` is a share of the steps of a single series or of several series, or a
    splitter of several series.
    """
    if len(values) == 1:
        return _split_by_time(windows, encoding, len(values[0]), fraction)
    rows = np.arange(len(values))
    _, series = split_rows(rows, fraction, rng)
    sizes = np.array([len(v) for v in values]) - encoding.lag - encoding.horizon
    owners = np.searchsorted(np.cumsum(sizes), windows.sequences.starts, side="right")
    validates = np.isin(owners, series)
    held_out = HeldOut(series, encoding.context)
    return _select(windows, ~validates), _select(windows, validates), held_out


def _split_by_time(windows, encoding, n_steps, fraction):
    """The same of a series of ``n_steps``, of which the last steps validate.

    No value that validation predicts is a training target, or read in training.
    """
    if hasattr(fraction, "split"):
        raise ValueError(
            "validation_fraction is a splitter, which splits series, but X is a single "
            "series. Give the share of its last steps that validate."
        )
    first_step = n_steps - int(np.ceil(fraction * n_steps))
    last = windows.sequences.starts + encoding.context - 1  # step of each window
    trains, validates = last + encoding.horizon < first_step, last + 1 >= first_step
    if not (trains.any() and validates.any()):
        raise ValueError(
            f"validation_fraction={fraction} of {n_steps} steps leaves no window of "
            f"{encoding.window} steps and a horizon of {encoding.horizon} on each "
            "side. Give a longer series, a smaller window, or early_stopping=False."
        )
    valid = _select(windows, validates)
    if windows.first is not None:  # only targets from first_step on are judged
        next_steps = np.arange(len(windows.targets)) + encoding.lag + 1
        weights = (next_steps >= first_step).astype(np.float64)
        valid = replace(valid, weights=torch.from_numpy(weights))
    return _select(windows, trains), valid, HeldOut(np.array([0]), first_step)


def _select(windows: Examples, mask: np.ndarray) -> Examples:
    return replace(windows, rows=windows.rows[mask])
