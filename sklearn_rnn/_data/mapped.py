"""Steps of memory-mapped arrays, which are read from their files when they are used."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

# Number of values that are read at a time to check whole arrays.
VALUES_PER_CHUNK = 2**16


def is_mapped(values: Any) -> bool:
    """Return whether an array is in a file, as those of ``np.load(mmap_mode="r")``."""
    while isinstance(values, np.ndarray):
        if getattr(values, "_mmap", None) is not None:
            return True
        values = values.base
    return False


class MappedSteps:
    """Concatenated arrays (T_i, F) in files; indices return ordinary arrays.

    ``convert`` is applied to the steps that an index selects. It must compute each step
    independently of the others. Its result is cast to ``dtype``.
    """

    ndim = 2

    def __init__(
        self,
        arrays: Sequence[np.ndarray],
        convert: Callable[[np.ndarray], np.ndarray] | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        self.arrays, self.convert = arrays, convert
        self.dtype = np.dtype(dtype or np.result_type(*arrays))
        lengths = np.array([len(array) for array in arrays])
        self._ends = np.cumsum(lengths)
        self._starts = self._ends - lengths
        self.shape = int(self._ends[-1]), arrays[0].shape[1]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: slice | np.ndarray) -> np.ndarray:
        """Return the steps of a slice or at places, an array of integers.

        If there are several arrays, the places are one-dimensional.
        """
        if len(self.arrays) == 1:
            steps = self.arrays[0][index]
        elif isinstance(index, slice):
            steps = _join(self._read_range(*index.indices(len(self))[:2]))
        else:
            steps = _join(self._read_places(index))
        if self.convert is not None:
            steps = self.convert(steps)
        with np.errstate(over="ignore"):
            return steps.astype(self.dtype, order="C")

    def take(self, places: np.ndarray, axis: int = 0) -> np.ndarray:
        """Return the steps at places, as the method of arrays does."""
        return self[places]

    def _read_range(self, start: int, stop: int) -> Iterator[np.ndarray]:
        first, last = np.searchsorted(self._ends, [start, stop - 1], side="right")
        for k in range(first, max(last, first) + 1):
            offset = self._starts[k]
            yield self.arrays[k][max(start - offset, 0) : stop - offset]

    def _read_places(self, places: np.ndarray) -> Iterator[np.ndarray]:
        numbers = np.searchsorted(self._ends, places, side="right")
        for part in np.split(places, np.flatnonzero(np.diff(numbers)) + 1):
            k = np.searchsorted(self._ends, part[0], side="right")
            yield self.arrays[k][part - self._starts[k]]


def _join(parts: Iterable[np.ndarray]) -> np.ndarray:
    """Concatenate arrays, without a copy if there is only one."""
    parts = list(parts)
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def can_gather(values: Any) -> bool:
    """Return whether steps at places of any order can be read at once."""
    is_one = isinstance(values, MappedSteps) and len(values.arrays) == 1
    return is_one or isinstance(values, np.ndarray)


def is_in_files(values: "np.ndarray | MappedSteps") -> bool:
    """Return whether steps are read from files when they are used."""
    return isinstance(values, MappedSteps) or is_mapped(values)


def convert_mapped(
    values: "np.ndarray | MappedSteps",
    convert: Callable[[np.ndarray], np.ndarray] | None,
    dtype: DTypeLike,
) -> MappedSteps:
    """Return steps in files that are converted when they are read."""
    arrays = values.arrays if isinstance(values, MappedSteps) else [values]
    return MappedSteps(arrays, convert, dtype)
