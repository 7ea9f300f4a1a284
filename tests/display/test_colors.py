"""Colors of values, and of text on them."""

import numpy as np
import pytest

from sklearn_rnn.display._colors import choose_colors, is_dark, merge_colors


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [([-2, 1], -2, 2), ([0.5, 3], 0, 3), ([0, 0], 0, 1), ([-1, np.nan], -1, 1)],
)
def test_limits(values, low, high):
    found = choose_colors(values)
    assert (found["vmin"], found["vmax"]) == (low, high)
    assert found["cmap"] == ("RdBu_r" if low < 0 else "Blues")


def test_fractions_have_fixed_limits():
    found = choose_colors([0.2, 0.3], kind="fraction")
    assert (found["vmin"], found["vmax"]) == (0, 1)


def test_a_norm_replaces_the_limits():
    colors = choose_colors([-2, 1])
    assert merge_colors(colors, {"norm": "log"}) == {"cmap": "RdBu_r", "norm": "log"}
    assert merge_colors(colors, {"vmax": 3})["vmax"] == 3


def test_text_can_be_read():
    assert is_dark((0, 0, 0.5)) and not is_dark((1, 1, 0.5, 1.0))
