"""split_text: one book as several pieces, so that it can be cross-validated."""

import re
from itertools import pairwise
from numbers import Integral

from sklearn_rnn._core.sklearn_private import Interval, validate_params


@validate_params(
    {"text": [str], "n_pieces": [Interval(Integral, 1, None, closed="left")]},
    prefer_skip_nested_validation=True,
)
def split_text(text, n_pieces):
    """Cut one long text into pieces of about equal length.

    Searches and splits take every element of a list for a sample. A book is one sample,
    and its characters are none; its pieces are.

    Parameters
    ----------
    text : str
        The text.
    n_pieces : int
        How many pieces; at most as many as the text has characters.

    Returns
    -------
    pieces : list of str
        None is empty, and ``"".join(pieces) == text``. A cut is after the end of a line
        if one is near, else after white space, else in the middle of a word; near is
        within a tenth of a piece.

    Raises
    ------
    ValueError
        If ``text`` is no str, ``n_pieces`` no positive integer, or the text too short.

    See Also
    --------
    SequenceGenerator : Learns how text goes on.

    Examples
    --------
    >>> from sklearn_rnn import split_text
    >>> split_text("one two\\nthree\\nfour five\\nsix", n_pieces=2)
    ['one two\\nthree\\n', 'four five\\nsix']
    """
    if n_pieces > len(text):
        raise ValueError(
            f"n_pieces={n_pieces} is more than the text has characters, {len(text)}; "
            "no piece may be empty."
        )
    reach = len(text) // (10 * n_pieces)  # a tenth of a piece
    cuts = [
        _cut_near(text, i * len(text) // n_pieces, reach) for i in range(1, n_pieces)
    ]
    edges = [0, *cuts, len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


def _cut_near(text, even, reach):
    """The best place for a cut at most ``reach`` characters from the ``even`` one."""
    first = even - reach - 1  # a cut is after what it follows
    near = text[first : even + reach]
    for mark in (r"\n", r"\s"):
        ends = [first + found.end() for found in re.finditer(mark, near)]
        if ends:
            return min(ends, key=lambda end: abs(end - even))
    return even
