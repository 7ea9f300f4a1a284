"""Words of formal languages that only networks with memory can recognize."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state

from sklearn_rnn._core.sklearn_private import Interval, validate_params

# Reber's grammar: for each state, the possible letters and the next states. A word
# ends in the last state.
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
    """Generate the words a^n b^n or a^n b^n c^n, which require counting.

    Parameters
    ----------
    n : int or array-like of int
        Number of repetitions of each letter. An int generates one word for each number
        from 1 to n, an array one word for each of its numbers.
    n_letters : int, default=2
        Number of different letters: 2 generates a^n b^n, 3 generates a^n b^n c^n.

    Returns
    -------
    words : list of str
        One word per number, in the order of the numbers.

    Raises
    ------
    ValueError
        If a number is less than 1 or not an integer.

    Notes
    -----
    An LSTM network can learn to count the letters, while a GRU network can count only
    approximately [1]_.

    References
    ----------
    .. [1] G. Weiss, Y. Goldberg, E. Yahav, "On the practical computational power of
       finite precision RNNs for language recognition", ACL 2018.

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
        raise ValueError(
            f"n must be an integer or a 1-D array of integers of at least 1, got {n!r}."
        )
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
    """Generate strings of the embedded Reber grammar, and corrupted strings.

    A string is ``BT...TE`` or ``BP...PE`` with a string of Reber's grammar inside. A
    network has to remember the second letter, because the second-to-last letter must be
    the same.

    Parameters
    ----------
    n_strings : int, default=1000
        Number of strings. Each has at least 9 letters. Short strings occur repeatedly.
    corrupted : float, default=0.5
        Fraction of strings in which one letter is replaced so that they are not in the
        language. The position of the letter is random.
    random_state : int, RandomState instance or None, default=None
        Seed of the random strings, replaced letters and order.

    Returns
    -------
    X : list of str
        Strings of the letters B, E, P, S, T, V and X.
    y : ndarray of int of shape (n_strings,)
        1 for strings of the grammar [1]_ [2]_, 0 for corrupted strings.

    Notes
    -----
    If the grammar allows two letters, each is chosen with probability 1/2.

    References
    ----------
    .. [1] S. E. Fahlman, "The recurrent cascade-correlation architecture", NIPS 1990.
    .. [2] S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural
       Computation 9, 1997.

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
    words = [_draw_embedded_reber(rng) for _ in y]
    X = [
        word if is_legal else _corrupt(word, rng)
        for word, is_legal in zip(words, y, strict=True)
    ]
    return X, y


def _draw_embedded_reber(rng):
    outer = "TP"[rng.randint(2)]
    inner, state = "", 0
    while state < len(REBER):
        letters = list(REBER[state])
        letter = letters[rng.randint(len(letters))]
        inner, state = inner + letter, REBER[state][letter]
    return f"B{outer}{inner}{outer}E"


def _corrupt(word, rng):
    """Replace one letter so that the word is not in the language."""
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
