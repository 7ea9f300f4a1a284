"""States of streams by key; each key has one row of the state."""

from numbers import Integral
from typing import NamedTuple

import numpy as np

from sklearn_rnn._nn.states import Arrays
from sklearn_rnn._nn.steppers import resize_state, take_rows

Key = str | int


class Change(NamedTuple):
    """The change that one call makes: keys that join or leave, and rows that are set.

    ``table`` and ``free`` may be larger than the current ones. The first ``n_free`` of
    the free rows remain free, and the rows ``freed`` are appended to them.
    """

    table: Arrays
    free: list[int]
    n_free: int
    freed: list[int]
    joining: dict[Key, int]
    leaving: list[Key]
    rows: np.ndarray
    states: Arrays


class KeyedStates:
    """The states of sequences by key, in the rows of a table.

    Rows of removed keys are used again. A change is recorded with one assignment before
    it is carried out in place. Since carrying it out twice has the same result as once,
    the next call completes a change that was interrupted.
    """

    def __init__(self, beginning: Arrays, n_rows: int = 8) -> None:
        self._beginning = beginning
        self._table = resize_state({}, beginning, n_rows)
        self._rows: dict[Key, int] = {}
        self._free = list(range(n_rows))[::-1]  # these rows hold the beginning
        self._change: Change | None = None

    @property
    def keys(self) -> list[Key]:
        """The keys in the order in which they were added."""
        self._complete()
        return list(self._rows)

    @property
    def state(self) -> Arrays:
        """A copy of the states, in the order of the keys."""
        self._complete()
        return take_rows(self._table, np.array(list(self._rows.values()), np.intp))

    def locate(self, keys: list[Key]) -> Change:
        """Prepare the change that adds the new ones of ``keys``, with their states."""
        self._complete()
        table, free, known = self._table, self._free, self._rows
        new = [key for key in keys if key not in known]
        for key in new:
            check_key(key)
        n_rows = n_grown = len(table["n_steps"])
        while len(free) + n_grown - n_rows < len(new):
            n_grown *= 2
        if n_grown > n_rows:
            free = [*reversed(range(n_rows, n_grown)), *free]
            table = resize_state(table, self._beginning, n_grown)
        joining = dict(zip(new, reversed(free), strict=False))
        rows = np.array(
            [known[key] if key in known else joining[key] for key in keys], np.intp
        )
        n_free = len(free) - len(new)
        states = take_rows(table, rows)
        return Change(table, free, n_free, [], joining, [], rows, states)

    def put(self, change: Change, states: Arrays) -> None:
        """Carry out a change from :meth:`locate`, with new ``states`` of its rows."""
        self._change = change._replace(states=states)
        self._complete()

    def select(self, which: Key | list[Key] | None) -> list[Key]:
        """List the keys that ``which`` names."""
        self._complete()
        if which is None:
            return list(self._rows)
        keys = [which] if isinstance(which, (str, int, Integral)) else list(which)
        for key in keys:
            if key not in self._rows:
                raise ValueError(
                    f"no sequence has the key {key!r}. The attribute keys lists all "
                    "keys."
                )
        return list(dict.fromkeys(keys))

    def remove(self, keys: list[Key]) -> None:
        """End the sequences of ``keys``, and free their rows."""
        self._complete()
        rows = [self._rows[key] for key in keys]
        self._change = Change(
            *(self._table, self._free, len(self._free), rows),
            *({}, keys, np.array(rows, np.intp), self._beginning),
        )
        self._complete()

    def _complete(self) -> None:
        """Carry out the change that was recorded, if there is one."""
        change = self._change
        if change is None:
            return
        self._table, self._free = change.table, change.free
        for name, array in change.states.items():
            self._table[name][change.rows] = array
        self._rows.update(change.joining)
        for key in change.leaving:
            self._rows.pop(key, None)
        self._free[change.n_free :] = change.freed
        self._change = None


def check_key(key: object) -> None:
    """Raise a TypeError if ``key`` is not a str or an integer."""
    if not isinstance(key, (str, Integral)) or isinstance(key, bool):
        raise TypeError(
            f"the key {key!r} is of type {type(key).__name__}; expected str or int, "
            "which can be saved to a file."
        )
