"""load_letters: bitmaps of the alphabet."""

import numpy as np
from numpy.testing import assert_array_equal

from sklearn_rnn.datasets import load_letters


def test_letters_are_the_alphabet_in_bits():
    letters = load_letters()
    assert "".join(letters.target) == "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    assert letters.data.shape == (26, 64) and set(letters.data.ravel()) == {0, 1}
    assert_array_equal(letters.images.reshape(26, 64), letters.data)
    assert letters.images[0, 3].tolist() == [1, 1, 1, 1, 1, 1, 1, 0]  # the bar of A
    X, y = load_letters(return_X_y=True)
    assert_array_equal(X, letters.data)
    assert_array_equal(y, letters.target)


def test_letter_t_has_the_right_orientation():
    X, y = load_letters(return_X_y=True)
    assert X.dtype == np.uint8
    rows = [
        ".######.",
        ".######.",
        ".#.##.#.",
        "...##...",
        "...##...",
        "...##...",
        "..####..",
        "........",
    ]
    (bitmap,) = X[y == "T"]
    assert "".join(".#"[pixel] for pixel in bitmap) == "".join(rows)
