"""Names of people and their nationalities."""

import csv

import numpy as np
from sklearn.utils import Bunch

from sklearn_rnn.datasets._bundled import read_bundled


def load_names(*, return_X_y=False):
    """Load 22,500 names of people of 15 nationalities.

    =================  =====================
    Samples total      22,500
    Classes            15
    Samples per class  1,500
    Features           characters of a name
    =================  =====================

    Parameters
    ----------
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    names : :class:`~sklearn.utils.Bunch`
        Dictionary-like object with the following attributes:

        data : list of str
            The names.
        target : ndarray of str of shape (22500,)
            Nationality of each person.
        target_names : ndarray of str of shape (15,)
            The nationalities, sorted.
        DESCR : str
            Source and license.

        If ``return_X_y=True``, the tuple ``(data, target)``.

    Notes
    -----
    The names were collected from Wikipedia for the package name2nat 0.5.1 by Kyubyong
    Park, Apache License 2.0.

    Examples
    --------
    >>> from sklearn_rnn.datasets import load_names
    >>> names = load_names()
    >>> names.data[0], str(names.target[0])
    ('Lenar Gilmullin', 'Russian')
    """
    lines = read_bundled("names.tsv.gz").splitlines()
    rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    pairs = [(row["name"], row["nationality"]) for row in rows]
    data, target = [name for name, _ in pairs], np.array([label for _, label in pairs])
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        target_names=np.unique(target),
        DESCR=read_bundled("names-LICENSE.txt"),
    )
