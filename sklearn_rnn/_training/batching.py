"""Batches of sequences of similar length, padded to the longest in the batch."""

from collections.abc import Callable, Iterator

import numpy as np
import torch

from sklearn_rnn._data.sequences import Sequences
from sklearn_rnn._nn.sequence import Inputs

# Rows are shuffled, then sorted by length within chunks of this many batches. Larger
# chunks need less padding; smaller ones give batches that differ more between epochs.
BATCHES_PER_CHUNK = 50

# A prediction batch holds at most this many steps, which bounds its memory.
STEPS_PER_PREDICTION_BATCH = 2**16


def training_batches(
    rows: np.ndarray, lengths: np.ndarray, batch_size: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """``rows`` in random batches of similar length, in random order."""
    rows = rng.permutation(rows)
    if lengths[rows].min() < lengths[rows].max():
        chunk = BATCHES_PER_CHUNK * batch_size
        rows = np.concatenate(
            [
                part[np.argsort(lengths[part], kind="stable")]
                for part in np.split(rows, range(chunk, len(rows), chunk))
            ]
        )
    batches = np.split(rows, range(batch_size, len(rows), batch_size))
    return [batches[i] for i in rng.permutation(len(batches))]


def prediction_batches(
    rows: np.ndarray, lengths: np.ndarray, batch_size: int
) -> Iterator[np.ndarray]:
    """``rows`` in batches of similar length and bounded size, the longest first."""
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
) -> torch.Tensor:
    """What ``compute`` returns for batches of ``rows``, in the order of the rows.

    ``compute`` returns one row per sequence, or with ``each_step`` one per valid step.
    The answer then holds ``lengths[i]`` consecutive rows for sequence i.
    """
    parts, order = [], []
    lengths = sequences.lengths if each_step else np.ones_like(sequences.lengths)
    place = np.empty(len(sequences), dtype=np.int64)
    place[rows] = np.cumsum(lengths[rows]) - lengths[rows]
    with torch.inference_mode():
        for batch in prediction_batches(rows, sequences.lengths, batch_size):
            parts.append(compute(pad_batch(sequences, batch, device)).cpu())
            order.append(locate_steps(place[batch], lengths[batch]))
        joined = torch.cat(parts)
        answers = torch.empty_like(joined)
        answers[torch.from_numpy(np.concatenate(order))] = joined
    return answers


def locate_steps(first: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Places of the valid steps of a batch, in the order of time and then of the batch.

    Sequence i has the place ``first[i]`` and the ``lengths[i] - 1`` places after it.
    """
    steps = np.arange(lengths.max())[:, None]  # (T, 1)
    return (first + steps)[steps < lengths]


def pad_batch(sequences: Sequences, rows: np.ndarray, device: torch.device) -> Inputs:
    """The sequences of ``rows`` as one padded batch, with time first."""
    lengths = sequences.lengths[rows]
    widest = int(lengths.max())
    steps = np.arange(widest)[:, None]  # (T, 1)
    if lengths.min() == widest:
        values = sequences.values[sequences.starts[rows] + steps]
        return Inputs(torch.from_numpy(values).to(device), None)
    index = sequences.starts[rows] + np.minimum(steps, lengths - 1)  # (T, B)
    values = sequences.values[index]
    values[steps >= lengths] = 0
    return Inputs(
        torch.from_numpy(values).to(device), torch.from_numpy(lengths).to(device)
    )
