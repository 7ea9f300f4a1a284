"""Yearly sunspot numbers."""

import numpy as np
from sklearn.utils import Bunch

from sklearn_rnn.datasets._bundled import read_bundled


def load_sunspots(*, as_frame=False):
    """Load yearly mean sunspot numbers, 1700 to 2008.

    ==============  ==============
    Years           309
    Values          0 to 190.2
    ==============  ==============

    Parameters
    ----------
    as_frame : bool, default=False
        Whether ``data`` is a pandas Series, whose index consists of the years.

    Returns
    -------
    sunspots : :class:`~sklearn.utils.Bunch`
        Dictionary-like object with the following attributes:

        data : ndarray of float of shape (309,), or Series
            Mean number of sunspots in each year.
        years : ndarray of int of shape (309,)
            The years.
        DESCR : str
            Source and license.

    Raises
    ------
    ImportError
        If ``as_frame=True`` and pandas is not installed.

    Notes
    -----
    The data are from the package statsmodels 0.15.0 and in the public domain.

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
