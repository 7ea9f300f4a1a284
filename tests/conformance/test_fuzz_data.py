"""Kinds of X and y: their numbers and their seeds."""

import warnings

import numpy as np

from sklearn_rnn.conformance._fuzz_data import kinds_of_X, kinds_of_y


def test_there_are_at_least_200_kinds_of_X_and_40_of_y():
    good, odd = kinds_of_y()
    assert len(kinds_of_X()) >= 200 and len(good | odd) >= 40


def test_kinds_depend_only_on_the_generator():
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for name, make in kinds_of_X().items():
            first, second = (make(np.random.default_rng(0)) for _ in range(2))
            assert type(first) is type(second), name
        good, odd = kinds_of_y()
        for n in (0, 1, 7):
            for make in (good | odd).values():
                make(np.random.default_rng(0), n)
