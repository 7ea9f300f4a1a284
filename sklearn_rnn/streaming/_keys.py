"""Streams by key: each key has a row of the state."""

from numbers import Integral

import numpy as np


class KeyedRows:
    """Which row of the state belongs to which key. Rows of removed keys are reused."""

    def __init__(self, n_rows):
        self.n_rows, self.rows = n_rows, {}
        self.free = list(range(n_rows))[::-1]

    def rows_of(self, keys):
        """A row for each of ``keys``, and the rows of those that :meth:`add` adds."""
        new = [key for key in keys if key not in self.rows]
        for key in new:
            if not isinstance(key, (str, Integral)) or isinstance(key, bool):
                raise TypeError(
                    f"the key {key!r} is of type {type(key).__name__}; expected str or "
                    "int, which a file can hold too."
                )
        while len(self.free) < len(new):
            self.free[:0] = range(self.n_rows, 2 * self.n_rows)[::-1]
            self.n_rows *= 2
        joining = dict(zip(new, reversed(self.free), strict=False))
        rows = [self.rows[key] if key in self.rows else joining[key] for key in keys]
        return np.array(rows, dtype=np.intp), joining

    def add(self, joining):
        """Assign the rows that were set aside for new keys."""
        self.rows.update(joining)
        del self.free[len(self.free) - len(joining) :]

    def select(self, which):
        """A list of the keys that ``which`` names."""
        if which is None:
            return list(self.rows)
        keys = [which] if isinstance(which, (str, Integral)) else list(which)
        for key in keys:
            if key not in self.rows:
                raise ValueError(f"no sequence has the key {key!r}.")
        return list(dict.fromkeys(keys))

    def remove(self, keys):
        """Free the rows of ``keys``, and return them."""
        rows = [self.rows.pop(key) for key in keys]
        self.free += rows
        return rows
