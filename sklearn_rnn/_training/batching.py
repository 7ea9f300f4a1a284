"""Batches of sequences, padded to the longest sequence in the batch."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from sklearn_rnn._core.threads import map_in_threads
from sklearn_rnn._data.mapped import can_gather
from sklearn_rnn._data.sequences import Sequences
from sklearn_rnn._nn.sequence import Inputs

# Rows are drawn at random for groups of this many successive batches, and sorted by
# length within a group. Larger groups need less padding, but their batches differ more
# from each other, and targets that depend on the length are learned less well.
BATCHES_PER_GROUP = 2

# Up to this number of batches per epoch, batches are random: an epoch takes little time
# anyway, and with few training steps each batch should be representative.
MAX_RANDOM_BATCHES = 32

# Batches are also random if at most this fraction of their steps is padding.
MAX_RANDOM_PADDING = 0.2

# A prediction batch contains at most this many steps, which bounds its memory.
STEPS_PER_PREDICTION_BATCH = 2**16

# Longer sequences are copied to a batch one by one, shorter ones all at once, by an
# index of all steps.
STEPS_PER_GATHER = 256

# Data are copied to a GPU at once if they take at most this share of its free memory.
SHARE_OF_GPU = 0.25


def training_batches(
    rows: np.ndarray, lengths: np.ndarray, batch_size: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Divide ``rows`` into ``ceil(n / batch_size)`` random batches, in random order.

    Their sizes differ by at most one. If there are many batches with much padding, each
    group of successive batches is a random sample whose rows are sorted by length. A
    batch of long rows is then next to a batch of short rows, and their biases cancel in
    the optimizer's running mean of the gradient.
    """
    n_batches = -(-len(rows) // batch_size)
    batches = np.array_split(rng.permutation(rows), n_batches)
    batches = [batches[i] for i in rng.permutation(n_batches)]
    if n_batches <= MAX_RANDOM_BATCHES:
        return batches
    if _share_of_padding(batches, lengths) <= MAX_RANDOM_PADDING:
        return batches
    n_groups = -(-n_batches // BATCHES_PER_GROUP)
    groups = np.array_split(np.arange(n_batches), n_groups)
    return [
        batch
        for group in groups
        for batch in _split_by_length([batches[i] for i in group], lengths, rng)
    ]


def _share_of_padding(batches: list[np.ndarray], lengths: np.ndarray) -> float:
    """Compute the fraction of the steps of padded batches that is padding."""
    n_valid = sum(int(lengths[batch].sum()) for batch in batches)
    return 1 - n_valid / sum(int(lengths[b].max()) * len(b) for b in batches)


def _split_by_length(
    batches: list[np.ndarray], lengths: np.ndarray, rng: np.random.Generator
) -> list[np.ndarray]:
    """Divide the same rows into as many batches of similar length, in random order."""
    rows = np.concatenate(batches)
    rows = rows[np.argsort(lengths[rows], kind="stable")]
    parts = np.array_split(rows, len(batches))
    return [parts[i] for i in rng.permutation(len(parts))]


def prediction_batches(
    rows: np.ndarray, lengths: np.ndarray, batch_size: int
) -> Iterator[np.ndarray]:
    """Yield batches of rows of similar length and bounded size, longest first."""
    rows = rows[np.argsort(lengths[rows], kind="stable")]
    while len(rows):
        widest = int(lengths[rows[-1]])
        size = max(1, min(batch_size, STEPS_PER_PREDICTION_BATCH // widest))
        yield rows[-size:]
        rows = rows[:-size]


def predict_batches(
    compute: Callable[[Inputs], torch.Tensor],
    sequences: Sequences,
    rows: np.ndarray,
    batch_size: int,
    device: torch.device,
    *,
    each_step: bool = False,
    work: int = 0,
) -> torch.Tensor:
    """Apply ``compute`` to batches of ``rows``, and return results in their order.

    ``compute`` returns one row per sequence, or with ``each_step`` one per valid step.
    The result then contains ``lengths[i]`` consecutive rows for sequence i. If the
    number of multiply-adds in all, ``work``, is large, batches are read in parallel.
    """
    sequences = place_on_gpu(sequences, device)

    @torch.inference_mode()
    def read(batch: np.ndarray) -> torch.Tensor:
        return compute(pad_batch(sequences, batch, device))

    lengths = sequences.lengths if each_step else np.ones_like(sequences.lengths)
    place = np.empty(len(sequences), dtype=np.int64)
    place[rows] = np.cumsum(lengths[rows]) - lengths[rows]
    batches = list(prediction_batches(rows, sequences.lengths, batch_size))
    order = [locate_steps(place[batch], lengths[batch]) for batch in batches]
    with torch.inference_mode():
        work = work if device.type == "cpu" else 0
        joined = torch.cat(map_in_threads(read, batches, work))
        joined = joined.cpu()  # at the end, because it waits for a GPU
        answers = torch.empty_like(joined)
        answers[torch.from_numpy(np.concatenate(order))] = joined
    return answers


def locate_steps(first: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return the places of the valid steps of a batch, ordered by time, then by row.

    Sequence i has the place ``first[i]`` and the ``lengths[i] - 1`` places after it.
    """
    steps = np.arange(lengths.max())[:, None]  # (T, 1)
    return (first + steps)[steps < lengths]


def move_to(device: torch.device, array: np.ndarray | torch.Tensor) -> torch.Tensor:
    """Return an array as a tensor on ``device``, without waiting for a GPU.

    A copy from ordinary memory would wait for everything that the GPU has to compute.
    """
    # Unlike as_tensor, from_numpy ignores the default device.
    tensor = torch.from_numpy(array) if isinstance(array, np.ndarray) else array
    if torch.device(device).type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def place_on_gpu(sequences: Sequences, device: torch.device) -> Sequences:
    """Return the sequences with all values on a GPU, if they take little of its memory.

    Batches are then selected there.
    """
    values: Any = sequences.values
    is_array = isinstance(values, np.ndarray) and values.dtype.kind in "fi"
    if device.type != "cuda" or not is_array:
        return sequences
    if values.nbytes > torch.cuda.mem_get_info(device)[0] * SHARE_OF_GPU:
        return sequences
    # Unlike from_numpy, tensor also accepts read-only arrays without a warning.
    values = torch.tensor(values, device=device)
    return replace(sequences, values=values)


def pad_batch(
    sequences: Sequences,
    rows: np.ndarray,
    device: torch.device,
    start: int = 0,
    n_steps: int | None = None,
) -> Inputs:
    """Return the sequences of ``rows`` as one padded batch, with time first.

    It contains at most ``n_steps`` steps of each sequence, from ``start`` on.
    """
    starts, lengths = sequences.starts[rows] + start, sequences.lengths[rows] - start
    if n_steps is not None:
        lengths = np.minimum(lengths, n_steps)
    widest = int(lengths.max())
    is_full = lengths.min() == widest
    if isinstance(sequences.values, torch.Tensor):
        return _pad_on_gpu(sequences.values, starts, lengths)
    if widest > STEPS_PER_GATHER or not can_gather(sequences.values):
        values = _copy_rows(sequences.values, starts, lengths)
    else:
        steps = np.arange(widest)[:, None]  # (T, 1)
        index = starts + (steps if is_full else np.minimum(steps, lengths - 1))
        values = sequences.values.take(index, axis=0)  # faster than values[index]
        if not is_full:
            values[steps >= lengths] = 0
    return Inputs(
        move_to(device, values), None if is_full else move_to(device, lengths)
    )


def _copy_rows(values: Any, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Copy ranges of ``values`` to the columns of an array, padded with zeros."""
    shape = int(lengths.max()), len(lengths), *values.shape[1:]
    padded = np.zeros(shape, values.dtype)
    for column, (start, length) in enumerate(zip(starts, lengths, strict=True)):
        padded[:length, column] = values[start : start + length]
    return padded


def _pad_on_gpu(
    values: torch.Tensor, starts: np.ndarray, lengths: np.ndarray
) -> Inputs:
    """Return ranges of ``values`` as one padded batch; only their numbers are moved."""
    is_full = lengths.min() == lengths.max()
    ranges = move_to(values.device, np.stack([starts, lengths]))
    first, length = ranges[0], ranges[1]
    steps = torch.arange(int(lengths.max()), device=values.device)[:, None]  # (T, 1)
    if is_full:
        return Inputs(values[first + steps], None)
    padded = values[first + torch.minimum(steps, length - 1)]  # (T, B, ...)
    is_padding = (steps >= length).view(*padded.shape[:2], *[1] * (padded.ndim - 2))
    padded.masked_fill_(is_padding, 0)
    return Inputs(padded, length)
