"""Checks of numbers that are passed to methods."""

from fractions import Fraction

import numpy as np
import pytest

from sklearn_rnn._core.scalars import check_integer, check_number, is_integer
from sklearn_rnn._core.sklearn_private import InvalidParameterError


@pytest.mark.parametrize("value", [1, np.int8(3), 2**30])
def test_an_integer_is_returned(value):
    assert check_integer("k", value, minimum=1) == value


@pytest.mark.parametrize("value", [0, -1, 1.0, True, np.bool_(True), "1", None])
def test_anything_else_is_refused(value):
    message = rf"k must be an integer of at least 1, got {value!r}\."
    with pytest.raises(ValueError) as error:
        check_integer("k", value, minimum=1)
    assert str(error.value) == message.replace("\\", "")
    assert isinstance(error.value, TypeError)


def test_the_error_explains_none():
    with pytest.raises(ValueError, match="of at least 1, or None for all, got 0"):
        check_integer("k", 0, minimum=1, or_none="all")


@pytest.mark.parametrize(
    ("bounds", "good", "bad"),
    [
        (
            {"minimum": 0},
            [0, 0.5, np.float32(7), Fraction(1, 3), 10**300],
            [-0.1, np.nan, np.inf, True, "a", 10**400],
        ),
        ({"above": 0}, [1e-300, 3], [0, -1]),
        ({"above": 0, "maximum": 1}, [0.1, 1], [0, 1.01]),
        ({"above": 0, "below": 1}, [0.5], [0, 1]),
    ],
)
def test_numbers_between_bounds(bounds, good, bad):
    for value in good:
        assert check_number("p", value, **bounds) == value
    for value in bad:
        with pytest.raises(ValueError, match=r"p must be a number .*, got "):
            check_number("p", value, **bounds)


def test_all_bounds_are_named():
    with pytest.raises(ValueError, match="a number above 0 and of at most 1, got 2"):
        check_number("p", 2, maximum=1, above=0)
    with pytest.raises(ValueError, match="a number above 0 and below 1, got 2"):
        check_number("p", 2, above=0, below=1)


def test_is_integer_checks_the_range():
    assert is_integer(3, 3, 3)
    assert not is_integer(4, 3, 3)
    assert not is_integer(True)


def test_a_maximum_is_named():
    assert check_integer("k", 3, minimum=1, maximum=3) == 3
    with pytest.raises(InvalidParameterError, match="at least 1 and at most 3, got 4"):
        check_integer("k", 4, minimum=1, maximum=3)


def test_numbers_that_no_array_can_hold_are_refused():
    with pytest.raises(ValueError, match=r"size must be an integer .* at most 2147"):
        check_integer("size", 10**30, minimum=1)
    with pytest.raises(ValueError, match="rate must be a number above 0"):
        check_number("rate", 10**400, above=0)
