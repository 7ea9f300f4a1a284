"""Numbers at each step of three sequences, and weights, for tests of scores."""

import numpy as np

LENGTHS = [3, 5, 2]
_rng = np.random.default_rng(0)
TRUE = [_rng.normal(size=n) for n in LENGTHS]
PRED = [_rng.normal(size=n) for n in LENGTHS]
WEIGHTS = [_rng.uniform(size=n) for n in LENGTHS]


def padded(rows, filler=np.nan):
    """Return the rows as a table, padded on the right."""
    table = np.full((len(rows), max(map(len, rows))), filler)
    for i, row in enumerate(rows):
        table[i, : len(row)] = row
    return table
