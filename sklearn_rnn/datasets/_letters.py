"""Bitmaps of letters."""

import numpy as np
from sklearn.utils import Bunch

from sklearn_rnn.datasets._bundled import read_bundled


def load_letters(*, return_X_y=False):
    """Load the 26 capital letters as bitmaps of 8 by 8 pixels.

    ==============  ==============
    Samples total   26
    Classes         26, one each
    Features        64 pixels, 0 or 1
    ==============  ==============

    Parameters
    ----------
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    letters : :class:`~sklearn.utils.Bunch`
        Dictionary-like object with the following attributes:

        data : ndarray of uint8 of shape (26, 64)
            Pixels of each letter, row by row.
        images : ndarray of uint8 of shape (26, 8, 8)
            The same pixels as images.
        target : ndarray of str of shape (26,)
            The letters.
        DESCR : str
            Source and license.

        If ``return_X_y=True``, the tuple ``(data, target)``.

    Notes
    -----
    The letters are from the console font VGA8 of Debian, in the public domain.

    Examples
    --------
    >>> from sklearn_rnn.datasets import load_letters
    >>> letters = load_letters()
    >>> for row in letters.images[letters.target == "T"][0]:
    ...     print("".join(".#"[pixel] for pixel in row))
    .######.
    .######.
    .#.##.#.
    ...##...
    ...##...
    ...##...
    ..####..
    ........
    """
    lines = read_bundled("letters.txt").split()
    images = np.array([[*line] for line in lines if len(line) > 1]) == "#"
    images = images.astype(np.uint8).reshape(-1, 8, 8)
    target = np.array([line for line in lines if len(line) == 1])
    data = images.reshape(-1, 64)
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        images=images,
        target=target,
        DESCR=read_bundled("letters-LICENSE.txt"),
    )
