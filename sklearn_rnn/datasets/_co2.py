"""Carbon dioxide in the air, week by week."""

import numpy as np
from sklearn.utils import Bunch

from sklearn_rnn.datasets._bundled import read_bundled


def load_co2(*, as_frame=False):
    """Load the weekly carbon dioxide of the air at Mauna Loa, 1958 to 2001.

    ==============  ================================
    Weeks           2284, of which 59 are missing
    Values          313 to 373.9 parts per million
    ==============  ================================

    Parameters
    ----------
    as_frame : bool, default=False
        Make ``data`` a pandas Series with the Saturdays as its index.

    Returns
    -------
    co2 : :class:`~sklearn.utils.Bunch`
        With ``data``, an ndarray of float of shape (2284,) in which NaN is missing,
        ``dates``, an ndarray of datetime64[D] of the same shape, and ``DESCR``.

    Raises
    ------
    ImportError
        If ``as_frame=True`` and pandas is not installed.

    Notes
    -----
    From the package statsmodels 0.15.0, public domain.

    Examples
    --------
    >>> from sklearn_rnn.datasets import load_co2
    >>> co2 = load_co2()
    >>> str(co2.dates[-1]), float(co2.data[-1])
    ('2001-12-29', 371.5)
    """
    rows = [row.split(",") for row in read_bundled("co2.csv").split()[1:]]
    dates = np.array([f"{d[:4]}-{d[4:6]}-{d[6:]}" for d, _ in rows], "datetime64[D]")
    data = np.array([float(value or "nan") for _, value in rows])
    if as_frame:
        import pandas as pd

        index = pd.DatetimeIndex(
            dates.astype("datetime64[ns]"), freq="W-SAT", name="week"
        )
        data = pd.Series(data, index=index, name="co2")
    return Bunch(data=data, dates=dates, DESCR=read_bundled("co2-LICENSE.txt"))
