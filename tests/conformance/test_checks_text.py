"""Checks of text, on estimators that break one rule each."""

import numpy as np
import pytest
from checked_estimators import (
    BrokenStrangers,
    Letters,
    find_noticing_checks,
    list_checks,
)

from sklearn_rnn.conformance import _checks_text

BROKEN = BrokenStrangers()
noticed_by = BROKEN.noticed_by


@noticed_by("check_text_containers")
class WantsAList(Letters):
    def read(self, X):
        if isinstance(X, tuple):
            raise TypeError("expected a list")
        return super().read(X)


@noticed_by("check_text_series")
class CountsThroughASeriesOfText(Letters):
    def read(self, X):
        return super().read(X if isinstance(X, str) else [X[i] for i in range(len(X))])


@noticed_by("check_bare_string_refused")
class ReadsAStringAsDocuments(Letters):
    def read(self, X):
        return super().read(list(X))


@noticed_by("check_non_text_refused")
class WritesJunkOut(Letters):
    def read(self, X):
        return super().read(X if isinstance(X, str) else list(map(str, X)))


@noticed_by("check_non_text_refused")
class NamesNoDocument(Letters):
    def read(self, X):
        try:
            return super().read(X)
        except TypeError:
            raise TypeError("expected text") from None


@noticed_by("check_empty_document")
class DividesByTheLength(Letters):
    def transform(self, X):
        with np.errstate(invalid="ignore"):
            return super().transform(X) / [[len(text)] for text in X]


@noticed_by("check_unseen_characters")
class KnowsOnlyItsLetters(Letters):
    def transform(self, X):
        counts = super().transform(X)
        if set("".join(self.read(X))) - {*self.vocabulary_}:
            raise KeyError("unknown letter")
        return counts


@pytest.mark.parametrize(("broken", "checks"), BROKEN)
def test_broken_estimator_fails_exactly_these_checks(broken, checks):
    assert find_noticing_checks(broken) == checks


def test_every_check_can_fail():
    assert list_checks(_checks_text) <= BROKEN.checks
