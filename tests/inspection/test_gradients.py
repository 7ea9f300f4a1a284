"""Integrated gradients and occlusion of functions with known results."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_rnn.inspection import _gradients
from sklearn_rnn.inspection._gradients import integrate_gradients, occlude

WEIGHTS = torch.tensor([[1.0, -2.0], [0.5, 3.0], [0.0, 1.0]], dtype=torch.float64)
X = torch.tensor([[1.0, 2.0], [-1.0, 0.5], [2.0, 1.0]], dtype=torch.float64)
ZERO = torch.zeros_like(X)


def linear(x):
    return (x * WEIGHTS).sum((1, 2))


def square(x):
    return linear(x) ** 2


def rectify(x):
    return torch.relu(-linear(x) - 1.1)


def test_a_linear_output_is_attributed_exactly():
    found, n_evaluations = integrate_gradients(linear, X, ZERO, 1e-3, 1000)
    assert_allclose(found, WEIGHTS * X)
    assert n_evaluations == 32


def test_a_square_is_attributed_in_proportion():
    found, _ = integrate_gradients(square, X, ZERO, 1e-9, 1000)
    assert_allclose(found, WEIGHTS * X * linear(X[None]))


def test_intervals_with_a_kink_are_halved():
    x = X * 4
    rise = float(rectify(x[None]) - rectify(ZERO[None]))
    gaps = []
    for tol in (1, 1e-3, 1e-6):
        found, n_evaluations = integrate_gradients(rectify, x, ZERO, tol, 10_000)
        gaps.append(abs(float(found.sum()) - rise))
        assert gaps[-1] <= tol
    assert n_evaluations > 32
    assert gaps[0] > gaps[-1]


def test_the_number_of_evaluations_is_bounded():
    _, n_evaluations = integrate_gradients(rectify, 4 * X, ZERO, 1e-15, 100)
    assert 32 < n_evaluations <= 100


@pytest.mark.parametrize("method", [integrate_gradients, occlude])
def test_results_do_not_depend_on_the_size_of_batches(method, monkeypatch):
    arguments = (1e-6, 500) if method is integrate_gradients else (1,)
    found = method(square, X, ZERO, *arguments)
    monkeypatch.setattr(_gradients, "STEPS_AT_ONCE", 6)
    again = method(square, X, ZERO, *arguments)
    assert_allclose(np.asarray(found[0]), np.asarray(again[0]), rtol=1e-12)


def test_occluded_steps_share_their_effect():
    effects = (WEIGHTS * X).sum(1).numpy()
    assert_allclose(occlude(linear, X, ZERO, 1), effects)
    first = effects[:2].sum() / 2
    assert_allclose(occlude(linear, X, ZERO, 2), [first, first, effects[2]])
    assert_allclose(occlude(linear, X, ZERO, 5), effects.sum() / 3)
    assert_array_equal(occlude(linear, X, X, 1), 0)
