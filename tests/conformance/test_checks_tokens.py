"""Checks of tokens, on estimators that break one rule each."""

import numpy as np
import pytest
from checked_estimators import Bag, BrokenStrangers, find_noticing_checks, list_checks

from sklearn_rnn._data.tokens import TokenArray
from sklearn_rnn.conformance import _checks_tokens

BROKEN = BrokenStrangers()
noticed_by = BROKEN.noticed_by


@noticed_by("check_tokens_are_names")
class TakesNumbersForCodes(Bag):
    def read(self, X, n_features):
        if isinstance(X, list):
            return self.one_hot([x[:, 0].astype(int) for x in X], n_features)
        return super().read(X, n_features)


@noticed_by("check_tokens_in_parts")
class WantsContiguousCodes(Bag):
    def read(self, X, n_features):
        if isinstance(X, np.ndarray) and not X.flags.c_contiguous:
            raise ValueError("buffer is not contiguous")
        return super().read(X, n_features)


@noticed_by("check_token_padding")
class CountsPadding(Bag):
    def one_hot(self, codes, size):
        return [np.eye(size)[row] for row in codes]


@noticed_by("check_other_vocabulary_refused")
class TakesAnyVocabulary(Bag):
    def read(self, X, n_features):
        X = TokenArray(X, n_features) if isinstance(X, TokenArray) and n_features else X
        return super().read(X, n_features)


@noticed_by("check_broken_codes_refused")
class WrapsCodes(Bag):
    def read(self, X, n_features):
        if isinstance(X, TokenArray):
            X = TokenArray(X.view(np.ndarray) % X.vocabulary_size, X.vocabulary_size)
        return super().read(X, n_features)


@pytest.mark.parametrize(("broken", "checks"), BROKEN)
def test_broken_estimator_fails_exactly_these_checks(broken, checks):
    assert find_noticing_checks(broken) == checks


def test_every_check_can_fail():
    assert list_checks(_checks_tokens) <= BROKEN.checks
