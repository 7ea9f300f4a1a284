"""Checks of sequences of numbers, on estimators that break one rule each."""

import re
import sys
from unittest import SkipTest

import numpy as np
import pytest
from checked_estimators import (
    BrokenStrangers,
    Sums,
    find_noticing_checks,
    list_checks,
    steps_of,
)
from sklearn.utils import check_array

from sklearn_rnn.conformance import _checks_numbers

BROKEN = BrokenStrangers()
noticed_by = BROKEN.noticed_by


@noticed_by("check_other_lengths")
class LimitsTheLength(Sums):
    def inputs(self, rows):
        if max(len(x) for x in rows) > 10:
            raise ValueError("too long")
        return super().inputs(rows)


@noticed_by("check_other_features_refused")
class TakesAnyFeatures(Sums):
    def read(self, X, n_features):
        return steps_of(X)

    def inputs(self, rows):
        return np.array([[x.sum()] for x in rows])


@noticed_by("check_mixed_features_refused")
class CutsFeaturesInFit(Sums):
    def read(self, X, n_features):
        if n_features is None and isinstance(X, list) and np.ndim(X[0]) == 2:
            X = [np.asarray(x)[:, :2] for x in X]
        return super().read(X, n_features)


class Mends(Sums):
    """Repairs invalid input instead of raising an error."""

    def read(self, X, n_features):
        if getattr(X, "ndim", 1) == 2:
            return super().read(X, n_features)
        return super().read([self.mend(x) for x in X], n_features)


@noticed_by("check_nan_refused", "check_empty_sequence_refused")
class FillsNaN(Mends):
    def mend(self, x):
        x = np.asarray(x)
        return np.nan_to_num(x, posinf=np.inf) if x.dtype.kind == "f" else x


@noticed_by("check_infinity_refused")
class ClipsInfinity(Mends):
    def mend(self, x):
        x = np.asarray(x)
        return np.clip(x, -9, 9) if x.dtype.kind == "f" else x


@noticed_by("check_complex_refused")
class TakesRealParts(Mends):
    def mend(self, x):
        return np.asarray(x).real


@noticed_by("check_junk_refused")
class ReadsTextAsZero(Mends):
    def mend(self, x):
        x = np.asarray(x)
        if x.dtype.kind != "O":
            return x
        return np.where([[isinstance(v, str) for v in row] for row in x], 0, x)


@noticed_by("check_empty_sequence_refused")
class TakesEmptySequences(Mends):
    def mend(self, x):
        return x if len(x) else np.zeros((1, 2))


@noticed_by(
    "check_mixed_features_refused",
    "check_nan_refused",
    "check_infinity_refused",
    "check_junk_refused",
    "check_empty_sequence_refused",
)
class NamesNoRow(Sums):
    def read(self, X, n_features):
        try:
            return super().read(X, n_features)
        except ValueError as error:
            message = re.sub(r"sequence \d+", "a sequence", str(error))
            raise ValueError(message) from error


@noticed_by("check_ragged_containers")
class TakesNoTuple(Sums):
    def read(self, X, n_features):
        if isinstance(X, tuple):
            raise TypeError("expected a list")
        return super().read(X, n_features)


@noticed_by("check_ragged_series")
class CountsThroughASeries(Sums):
    def read(self, X, n_features):
        return super().read([X[i] for i in range(len(X))], n_features)


@noticed_by("check_one_feature")
class WantsColumns(Sums):
    def read(self, X, n_features):
        if not hasattr(X, "ndim") and any(np.ndim(x) != 2 for x in X):
            raise ValueError("expected arrays of shape (T_i, F)")
        return super().read(X, n_features)


@noticed_by(
    "check_equal_lengths_as_array",
    "check_table_as_sequences",
    "check_other_features_refused",
    "check_other_lengths",
)
class PutsFeaturesFirst(Sums):
    def read(self, X, n_features):
        if getattr(X, "ndim", 1) == 3:
            X = np.swapaxes(X, 1, 2)
        return super().read(X, n_features)


@noticed_by("check_table_as_sequences")
class ReadsATableAsOneStep(Sums):
    def read(self, X, n_features):
        if getattr(X, "ndim", 1) == 2:
            X = X[:, None, :]
        return super().read(X, n_features)


@noticed_by("check_padding_as_ragged", "check_more_padding")
class KnowsTheWidthOfAnArray(Sums):
    def read(self, X, n_features):
        rows = super().read(X, n_features)
        width = X.shape[1] if getattr(X, "ndim", 1) == 3 else 0
        return [x + width * (len(x) < width) for x in rows]


@pytest.mark.parametrize(("broken", "checks"), BROKEN)
def test_broken_estimator_fails_exactly_these_checks(broken, checks):
    assert find_noticing_checks(broken) == checks


def test_every_check_can_fail():
    assert list_checks(_checks_numbers) <= BROKEN.checks


def test_series_are_skipped_without_pandas(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(SkipTest, match="pandas is not installed"):
        _checks_numbers.check_ragged_series("Sums", Sums())


class RefusesPadding(Sums):
    def read(self, X, n_features):
        return super().read(check_array(X, allow_nd=True), n_features)


@pytest.mark.parametrize("check", ["check_padding_as_ragged", "check_more_padding"])
def test_padding_is_not_checked_if_it_is_rejected(check):
    with pytest.raises(SkipTest, match="rejects arrays padded with NaN: Input"):
        getattr(_checks_numbers, check)("RefusesPadding", RefusesPadding())
