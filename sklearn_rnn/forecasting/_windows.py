"""Windows of series as training examples, and which of them validate."""

from dataclasses import replace

import numpy as np
import torch

from sklearn_rnn._data.sequences import Sequences
from sklearn_rnn._training.examples import Examples
from sklearn_rnn.forecasting._encoding import SeriesEncoding


def windows(form: SeriesEncoding, values, exog, number):
    """All windows of series (T_i, C), each a step after the one before.

    Every step has its targets, or the last one of each window. The values are not
    copied from window to window.
    """
    given = [None] * len(values) if exog is None else exog
    lessons = [form.make_examples(v, e) for v, e in zip(values, given, strict=True)]
    inputs = np.concatenate([inputs for inputs, _ in lessons]).astype(number)
    targets = np.concatenate([targets for _, targets in lessons]).astype(number)
    sizes = np.array([len(inputs) for inputs, _ in lessons])
    window, n_windows = form.window, np.maximum(sizes - form.window + 1, 0)
    begin = np.cumsum(sizes) - sizes - np.cumsum(n_windows) + n_windows
    starts = np.repeat(begin, n_windows)
    starts = starts + np.arange(len(starts))
    sequences = Sequences(inputs, starts, np.full(len(starts), window))
    rows, first = np.arange(len(starts)), starts
    if form.last_only:
        targets, first = targets[starts + window - 1], None
    return Examples(sequences, torch.from_numpy(targets), None, rows, first)


def split_by_series(
    train: Examples, form: SeriesEncoding, values, held_out: np.ndarray
):
    """Training windows, and those of the series held out."""
    sizes = np.array([len(v) for v in values]) - form.lag - form.horizon
    ends = np.cumsum(sizes)
    owner = np.searchsorted(ends, train.sequences.starts, side="right")
    out = np.isin(owner, held_out)
    return _part(train, ~out), _part(train, out)


def split_by_time(train: Examples, form: SeriesEncoding, n_steps: int, fraction: float):
    """Windows of the first steps of a series, those of the last, and where these begin.

    No target of the latter is one of the former, nor read by them.
    """
    if hasattr(fraction, "split"):
        raise ValueError(
            "validation_fraction is a splitter, which splits series, but X is a single "
            "one. Give the share of its last steps that validate."
        )
    cut = n_steps - int(np.ceil(fraction * n_steps))
    window = train.sequences.lengths[0]
    last = train.sequences.starts + window - 1 + form.lag
    trains, validates = last + form.horizon < cut, last + 1 >= cut
    if not (trains.any() and validates.any()):
        raise ValueError(
            f"validation_fraction={fraction} of {n_steps} steps leaves no window of "
            f"{window} steps and a horizon of {form.horizon} on each side. Give a "
            "longer series, a smaller window, or early_stopping=False."
        )
    valid = _part(train, validates)
    if train.first is not None:  # of each window, the steps after the cut are judged
        judged = np.arange(len(train.targets)) + form.lag + 1 >= cut
        valid = replace(valid, weights=torch.from_numpy(judged.astype(np.float64)))
    return _part(train, trains), valid, cut


def _part(examples, chosen):
    return replace(examples, rows=examples.rows[chosen])
