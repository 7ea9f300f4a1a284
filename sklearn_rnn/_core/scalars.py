"""Checks of numbers that are passed to methods.

scikit-learn checks the parameters of constructors, by ``_parameter_constraints``.
"""

import sys
from numbers import Integral, Real
from typing import Any

import numpy as np

from sklearn_rnn._core.sklearn_private import InvalidParameterError

# Larger numbers of steps or samples are mistakes, and may not fit a numpy integer.
LARGEST_INTEGER = 2**31 - 1


def is_integer(value: Any, low: float = -np.inf, high: float = np.inf) -> bool:
    """Return whether ``value`` is an integer from ``low`` to ``high``; no bool is."""
    whole = isinstance(value, Integral) and not isinstance(value, (bool, np.bool_))
    return whole and low <= value <= high


def check_integer(
    name: str,
    value: Any,
    *,
    minimum: int,
    maximum: float = LARGEST_INTEGER,
    or_none: str = "",
) -> int:
    """Return ``value`` if it is an integer from ``minimum`` to ``maximum``.

    If None is accepted too, ``or_none`` says in the error message what None means.
    """
    if not is_integer(value, minimum, maximum):
        hint = f", or None for {or_none}" if or_none else ""
        most = f" and at most {maximum}" if is_integer(value, maximum) else ""
        raise InvalidParameterError(
            f"{name} must be an integer of at least {minimum}{most}{hint}, got "
            f"{value!r}."
        )
    return int(value)


def check_number(
    name: str,
    value: Any,
    *,
    minimum: float | None = None,
    above: float | None = None,
    maximum: float | None = None,
    below: float | None = None,
) -> float:
    """Return ``value`` if it is a finite number between the bounds that are given."""
    bounds = {"of at least": minimum, "above": above, "of at most": maximum}
    bounds["below"] = below
    is_number = isinstance(value, Real) and not isinstance(value, (bool, np.bool_))
    if not (
        is_number
        and -np.inf < value < np.inf
        and (not isinstance(value, int) or abs(value) <= sys.float_info.max)
        and (minimum is None or value >= minimum)
        and (above is None or value > above)
        and (maximum is None or value <= maximum)
        and (below is None or value < below)
    ):
        wanted = " and ".join(f"{k} {v}" for k, v in bounds.items() if v is not None)
        raise InvalidParameterError(f"{name} must be a number {wanted}, got {value!r}.")
    return value
