"""Checks of forecasters, on estimators that break one rule each."""

import sys
from unittest import SkipTest

import numpy as np
import pandas as pd
import pytest
from checked_estimators import (
    BrokenStrangers,
    Drift,
    find_noticing_checks,
    list_checks,
)

from sklearn_rnn.conformance import _checks_series

BROKEN = BrokenStrangers()
noticed_by = BROKEN.noticed_by

noticed_by()(Drift)


@noticed_by("check_series_containers")
class TakesNoTuple(Drift):
    def read(self, X):
        if isinstance(X, tuple):
            raise TypeError("expected a list")
        return super().read(X)


@noticed_by("check_series_as_array", "check_series_padding")
class ReadsAnArrayAsSeriesOfOneStep(Drift):
    def read(self, X):
        if getattr(X, "ndim", 1) == 3:
            X = list(X[:, :1])
        return super().read(X)


@noticed_by("check_series_padding")
class TakesPaddingAsMissing(Drift):
    def read(self, X):
        if getattr(X, "ndim", 1) == 3:
            X = list(X)
        return super().read(X)


@noticed_by(
    "check_one_series",
    "check_subset_invariance",
    "check_series_frames",
    "check_missing_values",
)
class ForecastsSeriesTogether(Drift):
    def forecast(self, series, last, horizon):
        if len(last) > 1:
            last = [x + 0.01 * len(last) for x in last]
        return super().forecast(series, last, horizon)


@noticed_by("check_one_channel")
class WantsColumns(Drift):
    def read(self, X):
        if not hasattr(X, "ndim") and any(np.ndim(x) != 2 for x in X):
            raise ValueError("expected arrays of shape (T_i, C)")
        return super().read(X)


@noticed_by("check_series_frames")
class ReadsDatesAsAChannel(Drift):
    def read(self, X):
        if isinstance(X, list) and hasattr(X[0], "columns"):
            X = [frame.assign(day=frame.index.day) for frame in X]
        return super().read(X)


@noticed_by("check_series_frames")
class DatesForecastsFromTheFirstStep(Drift):
    def predict(self, X=None, *, horizon=3):
        answer = super().predict(X, horizon=horizon)
        if isinstance(answer, pd.DataFrame):
            answer.index = X.index[:horizon]
        return answer


@noticed_by("check_known_past", "check_update", "check_failed_update_leaves_no_trace")
class ForgetsThePast(Drift):
    def predict(self, X=None, *, horizon=3):
        if X is None:
            raise ValueError("give X")
        return super().predict(X, horizon=horizon)


@noticed_by("check_horizon")
class StretchesToTheHorizon(Drift):
    def forecast(self, series, last, horizon):
        steps = np.linspace(1, 3, horizon)[:, None]
        return series.to_container(np.stack([x + steps * self.drift_ for x in last]))


@noticed_by("check_horizon")
class IgnoresTheHorizon(Drift):
    def predict(self, X=None, *, horizon=3):
        return super().predict(X)


@noticed_by("check_update", "check_failed_update_leaves_no_trace")
class UpdatesNothing(Drift):
    def update(self, X):
        return self


@noticed_by("check_failed_update_leaves_no_trace")
class UpdatesOneByOne(Drift):
    def update(self, X):
        for i, x in enumerate(X):
            self.last_[i] = self.read_known([x])[1][0]
        return super().update(X)


@noticed_by("check_missing_values")
class ForecastsNaN(Drift):
    def read_known(self, X):
        series, _ = super().read_known(X)
        return series, [v[-1] for v in series.values]


@noticed_by("check_missing_values")
class LearnsNaN(Drift):
    def fit(self, X, y=None):
        super().fit(X)
        self.drift_ = self.drift_ + 0 * sum(v.sum() for v in self.series_.values)
        return self


@noticed_by("check_unknown_series_refused")
class TakesUnknownAsZero(Drift):
    def fill(self, series):
        for values in series.values:
            if np.isnan(values).all():
                values[:] = 0
        return super().fill(series)


@noticed_by("check_other_features_refused")
class TakesAnyChannels(Drift):
    def read_known(self, X):
        series = self.read(X)
        return series, [v[-1] for v in self.fill(series)]

    def forecast(self, series, last, horizon):
        return series.to_container(np.stack([np.tile(x, (horizon, 1)) for x in last]))


@noticed_by("check_infinity_refused")
class ClipsInfinity(Drift):
    def read(self, X):
        if isinstance(X, list) and np.ndim(X[0]) == 2 and not hasattr(X[0], "iloc"):
            numbers = [np.asarray(x) for x in X]
            if all(x.dtype.kind == "f" for x in numbers):
                X = [np.clip(x, -1e9, 1e9) for x in numbers]
        return super().read(X)


@noticed_by("check_failed_fit_leaves_no_trace")
class ForgetsBeforeItReads(Drift):
    def fit(self, X, y=None):
        vars(self).pop("drift_", None)
        return super().fit(X)


@pytest.mark.parametrize(("broken", "checks"), BROKEN)
def test_broken_estimator_fails_exactly_these_checks(broken, checks):
    assert find_noticing_checks(broken) == checks


def test_every_check_can_fail():
    assert list_checks(_checks_series) <= BROKEN.checks


def test_frames_are_not_checked_without_pandas(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(SkipTest, match="pandas is not installed"):
        _checks_series.check_series_frames("Drift", Drift())
