"""Checks of streams, on estimators that break one rule each."""

from unittest import SkipTest

import numpy as np
import pytest
from checked_estimators import (
    BrokenStrangers,
    Sums,
    find_noticing_checks,
    list_checks,
)

from sklearn_rnn import RNNClassifier, RNNForecaster
from sklearn_rnn.conformance import _checks_streams

BROKEN = BrokenStrangers()
noticed_by = BROKEN.noticed_by


class StepByStep:
    """A stream that keeps every step."""

    def __init__(self, model):
        self.model, self.steps = model, []

    def predict(self, step):
        return self.model.predict(self.read_on(step))

    def predict_proba(self, step):
        return self.model.predict_proba(self.read_on(step))

    def read_on(self, step):
        self.steps.append(step)
        return [np.stack(self.steps)]


@noticed_by()
class Streams(Sums):
    def stream(self):
        return StepByStep(self)


@noticed_by("check_stream")
class StreamsForget(Sums):
    def stream(self):
        stream = StepByStep(self)
        stream.read_on = lambda step: [step[None]]
        return stream


@noticed_by("check_stream")
class StreamsShareTheirState(Sums):
    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.steps_ = []
        return self

    def stream(self):
        stream = StepByStep(self)
        stream.steps = self.steps_
        return stream


@pytest.mark.parametrize(("broken", "checks"), BROKEN)
def test_broken_estimator_fails_exactly_these_checks(broken, checks):
    assert find_noticing_checks(broken) == checks


def test_every_check_can_fail():
    assert list_checks(_checks_streams) <= BROKEN.checks


def test_streams_are_not_checked_if_not_supported():
    model = RNNClassifier("gru", 2, bidirectional=True)
    with pytest.raises(SkipTest, match="RNNClassifier does not support streams: "):
        _checks_streams.check_stream("RNNClassifier", model)


def test_streams_of_forecasters_are_checked():
    model = RNNForecaster(
        "gru", 2, window=4, baseline=None, intervals=None, max_epochs=1
    )
    _checks_streams.check_stream("RNNForecaster", model, container="series")
    model.scaling = "series"
    _checks_streams.check_stream("RNNForecaster", model, container="series")
