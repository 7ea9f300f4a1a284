"""Checks of transformers of steps, on estimators that break one rule each."""

from unittest import SkipTest

import numpy as np
import pytest
from checked_estimators import (
    BrokenStrangers,
    Centered,
    find_noticing_checks,
    list_checks,
    steps_of,
)

from sklearn_rnn.conformance import _checks_transformers

BROKEN = BrokenStrangers()
noticed_by = BROKEN.noticed_by


@noticed_by(
    "check_transform_keeps_steps",
    "check_transform_keeps_padding",
    "check_inverse_transform",
    "check_padding_as_ragged",
    "check_more_padding",
    "check_other_lengths",
)
class DropsTheLastStep(Centered):
    def transform(self, X):
        result = super().transform(X)
        return [x[:-1] for x in result] if isinstance(result, list) else result[:, :-1]


@noticed_by(
    "check_transform_keeps_padding", "check_padding_as_ragged", "check_more_padding"
)
class PadsWithZero(Centered):
    def filled(self, X, rows, padding=0.0):
        return super().filled(X, rows, padding)


@noticed_by("check_inverse_transform")
class InvertsNothing(Centered):
    def inverse_transform(self, X):
        return X


class Totals(Centered):
    def transform(self, X):
        return np.array([x.sum(axis=0) for x in steps_of(X)])


@pytest.mark.parametrize(("broken", "checks"), BROKEN)
def test_broken_estimator_fails_exactly_these_checks(broken, checks):
    assert find_noticing_checks(broken) == checks


def test_every_check_can_fail():
    assert list_checks(_checks_transformers) <= BROKEN.checks


def test_steps_are_not_checked_if_transform_returns_one_row_per_sequence():
    with pytest.raises(SkipTest, match="returns one row per sequence"):
        _checks_transformers.check_transform_keeps_steps("Totals", Totals())
