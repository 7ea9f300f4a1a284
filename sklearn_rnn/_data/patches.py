"""Patches: successive steps of a sequence that are joined to one step."""

from dataclasses import replace

import numpy as np

from sklearn_rnn._data.mapped import MappedSteps
from sklearn_rnn._data.ragged import concatenate_ranges
from sklearn_rnn._data.sequences import Sequences

# patch_size="auto" is 1 up to this number of steps. Longer sequences are divided into
# about 64 patches, because networks hardly learn dependencies over hundreds of steps.
LONGEST_WITHOUT_PATCHES = 100
N_PATCHES = 64


def choose_patch_size(lengths: np.ndarray) -> int:
    """Return the patch size for sequences with these numbers of steps."""
    typical = float(np.median(lengths))
    if typical <= LONGEST_WITHOUT_PATCHES:
        return 1
    return max(2, round(typical / N_PATCHES))


def join_steps(sequences: Sequences, patch_size: int) -> Sequences:
    """Join each ``patch_size`` successive steps of sequences of numbers to one step.

    An incomplete patch at the end of a sequence is filled with zeros.
    """
    if patch_size == 1:
        return sequences
    lengths = -(-sequences.lengths // patch_size)
    starts = np.cumsum(lengths) - lengths
    width = None if sequences.width is None else -(-sequences.width // patch_size)
    if isinstance(sequences.values, MappedSteps):
        patches = MappedPatches(sequences, starts, patch_size)
        return Sequences(patches, starts, lengths, width=width)
    values = np.zeros(
        (int(lengths.sum()) * patch_size, sequences.input_size), sequences.values.dtype
    )
    source = concatenate_ranges(sequences.starts, sequences.lengths)
    target = concatenate_ranges(starts * patch_size, sequences.lengths)
    values[target] = sequences.values[source]
    values = values.reshape(len(values) // patch_size, -1)
    return replace(
        sequences, values=values, starts=starts, lengths=lengths, width=width
    )


class MappedPatches:
    """Patches of sequences in files; slices, within one sequence, return arrays."""

    ndim = 2

    def __init__(
        self, sequences: Sequences, starts: np.ndarray, patch_size: int
    ) -> None:
        self.sequences, self.starts, self.patch_size = sequences, starts, patch_size
        self.dtype = sequences.values.dtype
        n_patches = int(starts[-1] + -(-sequences.lengths[-1] // patch_size))
        self.shape = n_patches, patch_size * sequences.input_size

    def __getitem__(self, index: slice) -> np.ndarray:
        row = np.searchsorted(self.starts, index.start, side="right") - 1
        first = (index.start - self.starts[row]) * self.patch_size
        last = (index.stop - self.starts[row]) * self.patch_size
        steps = np.zeros((last - first, self.sequences.input_size), self.dtype)
        start, length = self.sequences.starts[row], self.sequences.lengths[row]
        found = self.sequences.values[start + first : start + min(last, length)]
        steps[: len(found)] = found
        return steps.reshape(-1, self.shape[1])
