"""Sunspots, year by year."""

import numpy as np
from sklearn.utils import Bunch

from sklearn_rnn.datasets._bundled import read_bundled


def load_sunspots(*, as_frame=False):
    """Load the yearly mean number of sunspots, 1700 to 2008.

    ==============  ==============
    Years           309
    Values          0 to 190.2
    ==============  ==============

    Parameters
    ----------
    as_frame : bool, default=False
        Make ``data`` a pandas Series with the years as its index.

    Returns
    -------
    sunspots : :class:`~sklearn.utils.Bunch`
        With ``data``, an ndarray of float of shape (309,), ``years``, an ndarray of int
        of the same shape, and ``DESCR``.

    Raises
    ------
    ImportError
        If ``as_frame=True`` and pandas is not installed.

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
    rows = read_bundled("sunspots.csv").split()[1:]
    table = np.array([row.split(",") for row in rows], dtype=np.float64)
    years, data = table[:, 0].astype(np.int64), table[:, 1].copy()
    if as_frame:
        import pandas as pd

        index = pd.Index(years, name="year")
        data = pd.Series(data, index=index, name="sunspots")
    return Bunch(data=data, years=years, DESCR=read_bundled("sunspots-LICENSE.txt"))
