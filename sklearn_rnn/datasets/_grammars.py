"""Words of small formal languages, which take memory to tell from others."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state

from sklearn_rnn._core.sklearn_private import Interval, validate_params

# Reber's grammar: from each state, the letters that may come and where they lead. The
# last state ends a word.
REBER = (
    {"B": 1},
    {"T": 2, "P": 3},
    {"S": 2, "X": 4},
    {"T": 3, "V": 5},
    {"X": 3, "S": 6},
    {"P": 4, "V": 6},
    {"E": 7},
)


@validate_params(
    {
        "n": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "n_letters": [Interval(Integral, 1, 26, closed="both")],
    },
    prefer_skip_nested_validation=True,
)
def make_counting_words(n, n_letters=2):
    """Words of as many a as b (as c, and so on), which take counting to tell.

    Parameters
    ----------
    n : int or array-like of int
        How often each letter comes: 1 to n times, a word each, or these numbers.
    n_letters : int, default=2
        Letters of a word: 2 make the words a^n b^n, 3 make a^n b^n c^n.

    Returns
    -------
    words : list of str
        One for each number, in their order.

    References
    ----------
    G. Weiss, Y. Goldberg, E. Yahav, "On the practical computational power of finite
    precision RNNs for language recognition", ACL 2018.

    Examples
    --------
    >>> from sklearn_rnn.datasets import make_counting_words
    >>> make_counting_words(3)
    ['ab', 'aabb', 'aaabbb']
    >>> make_counting_words([2, 4], n_letters=3)
    ['aabbcc', 'aaaabbbbcccc']
    """
    counts = np.arange(1, int(n) + 1) if isinstance(n, Integral) else np.asarray(n)
    if counts.ndim != 1 or counts.dtype.kind not in "iu" or (counts < 1).any():
        raise ValueError(f"n={n!r}; expected integers of 1 or more.")
    letters = [chr(ord("a") + i) for i in range(n_letters)]
    return ["".join(letter * int(count) for letter in letters) for count in counts]


@validate_params(
    {
        "n_strings": [Interval(Integral, 1, None, closed="left")],
        "corrupted": [Interval(Real, 0, 1, closed="both")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_embedded_reber(n_strings=1000, *, corrupted=0.5, random_state=None):
    """Strings of the embedded Reber grammar, and such with a wrong letter.

    A string is ``BT...TE`` or ``BP...PE`` with a string of Reber's grammar inside: the
    second letter has to be kept in mind up to the last but one.

    Parameters
    ----------
    n_strings : int, default=1000
        Strings, of 9 letters at least. Short ones come repeatedly.
    corrupted : float, default=0.5
        Share of strings of which one letter, anywhere, is replaced so that the grammar
        does not have them.
    random_state : int, RandomState instance or None, default=None
        Decides strings, letters and their order.

    Returns
    -------
    X : list of str
        Strings of the letters BEPSTVX.
    y : ndarray of int of shape (n_strings,)
        1 for a string of the grammar, 0 for a corrupted one.

    Notes
    -----
    Where the grammar has two ways, each is taken with the same probability.

    References
    ----------
    S. E. Fahlman, "The recurrent cascade-correlation architecture", NIPS 1990;
    S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9,
    1997.

    Examples
    --------
    >>> from sklearn_rnn.datasets import make_embedded_reber
    >>> X, y = make_embedded_reber(2, random_state=0)
    >>> X
    ['BPBPTVVEPE', 'BPBPVPEPE']
    >>> y
    array([1, 0])
    """
    rng = check_random_state(random_state)
    y = np.ones(n_strings, dtype=np.int64)
    y[: round(corrupted * n_strings)] = 0
    y = rng.permutation(y)
    words = [_embedded_reber(rng) for _ in y]
    X = [
        word if legal else _corrupted(word, rng)
        for word, legal in zip(words, y, strict=True)
    ]
    return X, y


def _embedded_reber(rng):
    kept = "TP"[rng.randint(2)]
    inner, state = "", 0
    while state < len(REBER):
        ways = list(REBER[state])
        letter = ways[rng.randint(len(ways))]
        inner, state = inner + letter, REBER[state][letter]
    return f"B{kept}{inner}{kept}E"


def _corrupted(word, rng):
    """The word with another letter in one place, by which it leaves the language."""
    while True:
        place, letter = rng.randint(len(word)), "BEPSTVX"[rng.randint(7)]
        other = word[:place] + letter + word[place + 1 :]
        if not _is_embedded_reber(other):
            return other


def _is_embedded_reber(word):
    outer, inner = word[:2] + word[-2:], word[2:-2]
    return outer in ("BTTE", "BPPE") and _is_reber(inner)


def _is_reber(word):
    state = 0
    for letter in word:
        if state == len(REBER) or letter not in REBER[state]:
            return False
        state = REBER[state][letter]
    return state == len(REBER)
