"""Values of parameters at and beyond the limits of their constraints."""

from numbers import Integral, Real

import numpy as np
from sklearn.linear_model import LinearRegression

from sklearn_rnn import RNNClassifier
from sklearn_rnn._core.sklearn_private import Interval, StrOptions
from sklearn_rnn.conformance._fuzz_parameters import HUGE, draw_parameters, list_values


def test_limits_and_their_neighbors_are_tried():
    values = list_values("size", [Interval(Integral, 1, 9, closed="both"), None])
    assert {0, 1, 2, 10, HUGE} <= {v for v in values if isinstance(v, int)}
    assert None in values and any(isinstance(v, np.int8) for v in values)
    values = list_values("rate", [Interval(Real, 0, None, closed="neither")])
    assert {-1e-3, 0, 1e300} <= {v for v in values if isinstance(v, (int, float))}


def test_numbers_of_repetitions_are_small():
    values = list_values("max_epochs", [Interval(Integral, 1, None, closed="left")])
    numbers = [v for v in values if isinstance(v, (int, float)) and v == v]
    assert max(v for v in numbers if np.isfinite(v)) <= 3


def test_options_are_tried_in_lower_and_upper_case():
    values = list_values("cell", [StrOptions({"gru", "lstm"})])
    assert {"gru", "lstm", "GRU"} <= {v for v in values if isinstance(v, str)}


def test_draws_are_seeded_and_do_not_change_random_state():
    rngs = [np.random.default_rng(4) for _ in range(2)]
    first, second = (
        [repr(draw_parameters(RNNClassifier(), rng)) for _ in range(50)] for rng in rngs
    )
    assert first == second and len(set(first)) > 10
    assert not any("random_state" in one or "device" in one for one in first)
    assert draw_parameters(LinearRegression(), np.random.default_rng(1), share=1)
