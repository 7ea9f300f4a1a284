"""Weekly carbon dioxide concentrations at Mauna Loa."""

import numpy as np
from sklearn.utils import Bunch

from sklearn_rnn.datasets._bundled import read_bundled


def load_co2(*, as_frame=False):
    """Load weekly carbon dioxide concentrations at Mauna Loa, 1958 to 2001.

    ==============  ================================
    Weeks           2284, of which 59 are missing
    Values          313 to 373.9 parts per million
    ==============  ================================

    Parameters
    ----------
    as_frame : bool, default=False
        Whether ``data`` is a pandas Series, whose index consists of Saturdays.

    Returns
    -------
    co2 : :class:`~sklearn.utils.Bunch`
        Dictionary-like object with the following attributes:

        data : ndarray of float of shape (2284,), or Series
            Concentrations in parts per million. Missing values are NaN.
        dates : ndarray of datetime64[D] of shape (2284,)
            Saturday of each week.
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
