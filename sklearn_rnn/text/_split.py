"""split_text, which cuts one long text into pieces for cross-validation."""

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

    Cross-validation and searches split a list of samples. One long text is a single
    sample, so it has to be cut into pieces first.

    Parameters
    ----------
    text : str
        Text to cut.
    n_pieces : int
        Number of pieces, at most the number of characters of the text.

    Returns
    -------
    pieces : list of str
        Pieces of the text. None is empty, and ``"".join(pieces) == text``. The text is
        cut after the end of a line if one is near, otherwise after white space, and
        otherwise within a word. Near means within a tenth of the length of a piece.

    Raises
    ------
    ValueError
        If ``text`` is not a str, if ``n_pieces`` is not a positive integer, or if the
        text has fewer characters than ``n_pieces``.

    See Also
    --------
    SequenceGenerator : Learns to continue texts.

    Examples
    --------
    >>> from sklearn_rnn import split_text
    >>> split_text("one two\\nthree\\nfour five\\nsix", n_pieces=2)
    ['one two\\nthree\\n', 'four five\\nsix']
    """
    if n_pieces > len(text):
        raise ValueError(
            f"n_pieces={n_pieces}, but the text has only {len(text)} characters, and "
            "no piece may be empty. Reduce n_pieces or pass a longer text."
        )
    reach = len(text) // (10 * n_pieces)  # a tenth of a piece
    cuts = [
        _cut_near(text, i * len(text) // n_pieces, reach) for i in range(1, n_pieces)
    ]
    edges = [0, *cuts, len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


def _cut_near(text, even, reach):
    """Find the best cut within ``reach`` characters of the ``even`` cut."""
    first = even - reach - 1  # a cut follows the character that is matched
    near = text[first : even + reach]
    for mark in (r"\n", r"\s"):
        ends = [first + found.end() for found in re.finditer(mark, near)]
        if ends:
            return min(ends, key=lambda end: abs(end - even))
    return even
