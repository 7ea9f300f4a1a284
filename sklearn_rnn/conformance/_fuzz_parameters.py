"""Values of parameters at and beyond the limits of an estimator's constraints."""

from numbers import Integral
from typing import Any

import numpy as np

from sklearn_rnn._core.sklearn_private import Interval, StrOptions
from sklearn_rnn.conformance._harness import TRAINING_LENGTH

# Parameters that are numbers of repetitions, for which large values would be slow.
REPETITIONS = (*TRAINING_LENGTH, "n_gibbs_steps", "ais_steps", "n_iter", "n_estimators")
KEPT = ("random_state", "verbose", "callbacks", "checkpoint", "device", "n_jobs")
WRONG: tuple[Any, ...] = (
    *(None, -1, 0, 1.5, np.nan, np.inf, "junk", (), [], {}, object(), len, int, b"a"),
)
HUGE = 2**63


def draw_parameters(model, rng, share=0.5):
    """Draw some parameters of a model, with values at, beyond or far from limits."""
    names = [name for name in model.get_params(deep=False) if name not in KEPT]
    if not names or rng.random() > share:
        return {}
    size = min(len(names), int(rng.integers(1, 4)))
    chosen = rng.choice(names, size=size, replace=False)
    constraints = getattr(model, "_parameter_constraints", None) or {}
    drawn = {}
    for name in chosen.tolist():
        values = list_values(name, constraints.get(name, []))
        current = model.get_params(deep=False)[name]
        values += [current, *_near(name, current)]
        drawn[name] = values[rng.integers(len(values))]
    return drawn


def list_values(name, constraints):
    """List the values to try for a parameter with these constraints."""
    values = [] if hasattr(constraints, "__len__") and len(constraints) else list(WRONG)
    for constraint in constraints:
        if isinstance(constraint, Interval):
            values += _list_limits(name, constraint)
        elif isinstance(constraint, StrOptions):
            options = sorted(constraint.options)
            values += [*options, options[0].upper()]
        elif constraint == "boolean":
            values += [True, False, np.True_]
        elif constraint is None:
            values.append(None)
    wrong = [WRONG[(k * len(name) + k // 2) % len(WRONG)] for k in (1, 7)]
    if any(constraint is callable for constraint in constraints):
        wrong = [value for value in wrong if not callable(value)]
    return [*values, *wrong]


def _list_limits(name, interval):
    """List numbers at the limits of an interval, beyond them, and inside it."""
    whole = interval.type is Integral
    left = 0 if interval.left is None else interval.left
    step = 1 if whole else 1e-3
    values = [left - step, left, left + step, left + 2 * step]
    if interval.right is not None:
        values += [interval.right + step]
        if not whole:
            values += [interval.right - step, interval.right]
    if whole:
        values += [np.int8(3), np.uint8(2), True, 2]
        if name not in REPETITIONS:
            values.append(HUGE)
    else:
        values += [np.float32(left + 0.5), 1e-300]
        if interval.right is None:
            values += [1e6, 1e300]
    if name in REPETITIONS:
        values = [value for value in values if not value > 3]
    return values


def _near(name: str, value: Any) -> list[Any]:
    """List numbers near the current value, for parameters without constraints."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        return []
    return [np.int8(min(int(value), 3)), -value]
