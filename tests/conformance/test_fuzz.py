"""The fuzzer finds the faults of broken estimators and none in ours."""

import sys
import time
import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.preprocessing import FunctionTransformer

from sklearn_rnn import (
    BoltzmannMachine,
    CharVectorizer,
    HopfieldDenoiser,
    ImageFlattener,
    RNNClassifier,
    RNNForecaster,
    RNNRegressor,
    SeasonalNaiveForecaster,
    SequenceGenerator,
    SequenceTranslator,
    SeriesScaler,
    StepwiseTransformer,
    TextStatisticsVectorizer,
    WordVectorizer,
)
from sklearn_rnn.conformance import fuzz_estimator

SMALL = {"hidden_size": 3, "max_epochs": 1}
OURS = [
    RNNClassifier(**SMALL),
    RNNClassifier(return_sequences=True, **SMALL),
    RNNRegressor(**SMALL),
    RNNForecaster(window=4, **SMALL),
    SeasonalNaiveForecaster(2),
    HopfieldDenoiser(),
    BoltzmannMachine(4, max_epochs=1, ais_steps=10),
    BoltzmannMachine(3, visible="gaussian", max_epochs=1, ais_steps=10),
    ImageFlattener(),
    SeriesScaler(),
    # a StandardScaler would overflow on 1e308, as it does without StepwiseTransformer
    StepwiseTransformer(FunctionTransformer(validate=True)),
    CharVectorizer(),
    WordVectorizer(),
    TextStatisticsVectorizer(),
    SequenceGenerator(window=8, **SMALL),
    SequenceTranslator(max_length=8, **SMALL),
]
of_ours = pytest.mark.parametrize("estimator", OURS, ids=lambda e: type(e).__name__)


@of_ours
def test_our_estimators_pass(estimator):
    report = fuzz_estimator(estimator, n_calls=30)
    assert report.n_calls >= 30 and not report.failures


@pytest.mark.slow
@of_ours
@pytest.mark.parametrize("seed", [0, 1])
def test_our_estimators_pass_ten_thousand_calls(estimator, seed):
    fuzz_estimator(estimator, n_calls=400, random_state=seed)


# ------------------------------------------------------------------ broken estimators


class Quiet(BaseEstimator):
    """Accepts any input and predicts 0 for each row."""

    def __init__(self, size=3):
        self.size = size

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def predict(self, X):
        return np.zeros(3)


class Raises(Quiet):
    def fit(self, X, y=None):
        raise KeyError("sequence")


class RaisesInRiddles(Quiet):
    def fit(self, X, y=None):
        raise ValueError("no")


class AnswersNaN(Quiet):
    def predict(self, X):
        return np.full(3, np.nan)


class LeavesTraces(Quiet):
    def fit(self, X, y=None):
        self.half_ = 1
        raise ValueError("X is wrong")


class Forgets(Quiet):
    def fit(self, X, y=None):
        first = not hasattr(self, "number_")
        self.number_ = getattr(self, "number_", 0) + 1
        if not first:
            raise ValueError("X is wrong")
        return self

    def predict(self, X):
        return np.full(3, self.number_)


class Warns(Quiet):
    def predict(self, X):
        warnings.warn("invalid value", RuntimeWarning, stacklevel=1)
        return np.zeros(3)


class ChangesInput(Quiet):
    def fit(self, X, y=None):
        if isinstance(X, np.ndarray) and X.dtype == np.float64 and X.size:
            if X.flags.writeable:
                X.reshape(-1)[0] = -3.25
        return self


class ChangesParameters(Quiet):
    def fit(self, X, y=None):
        self.size = [self.size]
        return self


class DrawsGlobally(Quiet):
    def predict(self, X):
        np.random.random_sample()
        return np.zeros(3)


class SetsErrors(Quiet):
    def predict(self, X):
        np.seterr(all="ignore")
        return np.zeros(3)


class FiltersWarnings(Quiet):
    def predict(self, X):
        warnings.simplefilter("ignore")
        return np.zeros(3)


class Sleeps(Quiet):
    def fit(self, X, y=None):
        time.sleep(1)


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        (Raises, "raised KeyError"),
        (
            RaisesInRiddles,
            "does not name an argument, row or .*: ValueError: no",
        ),
        (AnswersNaN, "the output for finite data is not finite"),
        (LeavesTraces, r"a failed fit changes the attributes \['half_'\]"),
        (Forgets, "a failed fit changes the output of predict"),
        (Warns, "a warning of another library: RuntimeWarning: invalid value"),
        (ChangesInput, "changes its input"),
        (ChangesParameters, r"changes the parameters \['size'\]"),
        (DrawsGlobally, "changes the random generator of numpy"),
        (SetsErrors, "changes the np.seterr"),
        (FiltersWarnings, "changes the warning filters"),
    ],
)
def test_faults_of_broken_estimators_are_found(broken, fault):
    before = np.geterr(), np.random.get_state()
    try:
        with pytest.raises(AssertionError, match=fault):
            fuzz_estimator(broken(), n_calls=60)
    finally:
        np.seterr(**before[0])
        np.random.set_state(before[1])


def test_estimator_without_faults_passes():
    report = fuzz_estimator(Quiet(), n_calls=60)
    assert report.outcomes["answered"] == report.n_calls >= 60
    assert report.summary() == str(report)
    assert "0 failures" in str(report)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGALRM")
def test_long_calls_are_interrupted():
    report = fuzz_estimator(Sleeps(), cases=[0], time_limit=0.02, on_fail=None)
    assert any(one.fault == "the call took too long" for one in report.failures)


def test_a_case_can_be_repeated_by_its_number():
    report = fuzz_estimator(AnswersNaN(), n_calls=40, random_state=3, on_fail=None)
    failure = report.failures[-1]
    again = fuzz_estimator(
        AnswersNaN(), cases=[failure.case], random_state=3, on_fail=None
    )
    assert again.n_cases == 1
    same = [one for one in report.failures if one.case == failure.case]
    assert again.failures == same
    assert f"cases=[{report.failures[0].case}], random_state=3" in report.summary()


def test_nothing_is_drawn_twice_from_one_seed():
    first, second = (
        fuzz_estimator(CharVectorizer(), n_calls=30, random_state=seed)
        for seed in (0, 1)
    )
    assert first.outcomes != second.outcomes
