"""Sunspots, year by year."""

import numpy as np
from sklearn.utils import Bunch

from sklearn_rnn.datasets._bundled import bundled


def load_sunspots():
    """Load the yearly mean number of sunspots, 1700 to 2008.

    ==============  ==============
    Years           309
    Values          0 to 190.2
    ==============  ==============

    Returns
    -------
    sunspots : :class:`~sklearn.utils.Bunch`
        With ``data``, an ndarray of float of shape (309,), ``years``, an ndarray of int
        of the same shape, and ``DESCR``.

    Notes
    -----
    From the package statsmodels 0.15.0, public domain.

    Examples
    --------
    >>> from sklearn_rnn.datasets import load_sunspots
    >>> sunspots = load_sunspots()
    >>> int(sunspots.years[-1]), float(sunspots.data[-1])
    (2008, 2.9)
    """
    rows = bundled("sunspots.csv").split()[1:]
    table = np.array([row.split(",") for row in rows], dtype=np.float64)
    return Bunch(
        data=table[:, 1].copy(),
        years=table[:, 0].astype(np.int64),
        DESCR=bundled("sunspots-LICENSE.txt"),
    )
