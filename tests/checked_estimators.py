"""Estimators for the sequence checks: ours, working and broken third-party ones."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

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
    WordVectorizer,
)
from sklearn_rnn._data.series import read_series
from sklearn_rnn._data.tokens import TokenArray
from sklearn_rnn.conformance import check_sequence_estimator
from sklearn_rnn.preprocessing import SeriesScaler, StepwiseTransformer
from sklearn_rnn.text import TextStatisticsVectorizer

# ------------------------------------------------------------------ ours


OURS = [
    RNNClassifier("gru", 4),
    RNNClassifier("lstm", 4, bidirectional=True, class_weight="balanced"),
    RNNClassifier("rnn", 4, num_layers=2, dropout=0.5, pooling="last"),
    RNNRegressor("gru", 4, early_stopping=True),
    RNNRegressor("rnn", 4, pooling="mean"),
    RNNClassifier("gru", 4, patch_size=3, scaling=False),
    RNNRegressor("lstm", 4, patch_size=2),
    CharVectorizer(),
    CharVectorizer(max_length=5, truncation="left", boundaries=True),
    WordVectorizer(handle_unknown="ignore"),
    TextStatisticsVectorizer(),
    make_pipeline(CharVectorizer(), RNNClassifier("lstm", 4)),
    make_pipeline(WordVectorizer(), RNNRegressor("gru", 4)),
    StepwiseTransformer(StandardScaler()),
    SeriesScaler(add_statistics=True),
    make_pipeline(StepwiseTransformer(StandardScaler()), RNNClassifier("gru", 4)),
    RNNClassifier("rnn", 2, return_sequences=True),
    RNNRegressor("rnn", 2, return_sequences=True, max_epochs=1),
    SeriesScaler(),
    ImageFlattener(),
    HopfieldDenoiser("pseudo_inverse"),
    BoltzmannMachine(4),
    SeasonalNaiveForecaster(season=3),
    RNNForecaster(
        "rnn",
        4,
        window=4,
        horizon=2,
        baseline=None,
        intervals=None,
        max_epochs=1,
        batch_size=400,
    ),
    SequenceGenerator(hidden_size=3, window=8, max_epochs=1),
    SequenceTranslator(hidden_size=3, max_length=5, max_epochs=1),
]


# Reasons of checks that are skipped when they run.
ONE_DOCUMENT = {"check_bare_string_refused": "accepts a single str as one document"}
NO_STEPS = "returns one row per sequence, not per step"
NO_PADDING = "rejects arrays padded with NaN: Input X contains NaN."
SKIPPED = {
    "ImageFlattener": {
        "check_transform_keeps_steps": NO_STEPS,
        "check_inverse_transform": NO_STEPS,
        "check_more_padding": NO_PADDING,
        "check_transform_keeps_padding": NO_PADDING,
    },
    "SeriesScaler": {"check_inverse_transform": "inverse_transform needs statistics"},
    "SequenceGenerator": ONE_DOCUMENT,
    "SequenceTranslator": {
        **ONE_DOCUMENT,
        "check_empty_document": "rejects empty documents: source 0 is empty",
    },
}


def find_skipped(estimator):
    """Names of the checks that are skipped when they run, and the reasons."""
    if isinstance(estimator, RNNClassifier) and estimator.bidirectional:
        return {"check_stream": "needs complete sequences"}
    if isinstance(estimator, SeriesScaler) and estimator.add_statistics:
        return {}
    return SKIPPED.get(type(estimator).__name__, {})


def containers_of_ours(estimator):
    if isinstance(estimator, (RNNForecaster, SeasonalNaiveForecaster)):
        return ("series",)
    if isinstance(estimator, (HopfieldDenoiser, BoltzmannMachine)):
        return ("table",)
    if isinstance(estimator, ImageFlattener):
        return ("table", "3d")
    if isinstance(estimator, (RNNClassifier, RNNRegressor)):
        numbers = ("table", "3d", "ragged")
        return numbers if estimator.patch_size != "auto" else (*numbers, "tokens")
    if isinstance(estimator, SeriesScaler):
        return ("table", "3d", "ragged")
    first = estimator[0] if isinstance(estimator, Pipeline) else estimator
    return ("3d", "ragged") if isinstance(first, StepwiseTransformer) else ("text",)


# ------------------------------------------------ working third-party estimators


def steps_of(X, n_features=None):
    """Convert ragged lists, 3-D arrays padded with NaN, or tables to (T, F) arrays."""
    rows = []
    for i, x in enumerate(X):
        try:
            x = np.asarray(x)
            if np.iscomplexobj(x):
                raise ValueError("complex numbers")
            x = np.asarray(x.reshape(len(x), -1), dtype=np.float64)
            if getattr(X, "ndim", 1) == 3:
                present = np.flatnonzero(~np.isnan(x).all(axis=1))
                x = x[: present.max(initial=-1) + 1]
            if not x.size or not np.isfinite(x).all():
                raise ValueError("no steps, or a step that is not finite")
        except (TypeError, ValueError) as error:
            raise ValueError(f"sequence {i}: {error}") from error
        rows.append(x)
    n_features = n_features or rows[0].shape[1]
    for i, x in enumerate(rows):
        if x.shape[1] != n_features:
            raise ValueError(
                f"sequence {i} has {x.shape[1]} features, not {n_features}"
            )
    return rows


class Sums(ClassifierMixin, BaseEstimator):
    """Logistic regression on the sums of the features of each sequence."""

    def __init__(self, weight=None):
        self.weight = weight

    def fit(self, X, y, sample_weight=None):
        rows = self.read(X, None)
        model = LogisticRegression().fit(self.inputs(rows), y, sample_weight)
        self.n_features_in_ = rows[0].shape[1]
        self.model_, self.classes_ = model, model.classes_
        return self

    def read(self, X, n_features):
        return steps_of(X, n_features)

    def inputs(self, rows):
        return np.array([x.sum(axis=0) for x in rows])

    def predict(self, X):
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]

    def predict_proba(self, X):
        check_is_fitted(self)
        return self.model_.predict_proba(self.inputs(self.read(X, self.n_features_in_)))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


class Bag(Sums):
    """Logistic regression on the counts of the codes in a sequence."""

    def read(self, X, n_features):
        if not isinstance(X, TokenArray):
            raise TypeError("expected a TokenArray")
        size, codes = X.vocabulary_size, X.view(np.ndarray)
        if size != (n_features or size):
            raise ValueError(f"a vocabulary of {size}, not {n_features}")
        if codes.min() < 0 or codes.max() >= size:
            raise ValueError(f"a code is not in 0..{size - 1}")
        present = codes > 0
        if not present[:, 0].all() or (np.diff(present.astype(int)) > 0).any():
            raise ValueError("padding before the end")
        return self.one_hot(codes, size)

    def one_hot(self, codes, size):
        return [np.eye(size)[row[row > 0]] for row in codes]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = tags.input_tags.three_d_array = False
        return tags


class Letters(TransformerMixin, BaseEstimator):
    """Counts of the letters of fit in a document."""

    def fit(self, X, y=None):
        self.vocabulary_ = sorted(set("".join(self.read(X))))
        return self

    def read(self, X):
        if isinstance(X, str):
            raise ValueError("expected documents, got a str")
        for i, document in enumerate(X):
            if not isinstance(document, str):
                raise TypeError(f"document {i} is {document!r}")
        return list(X)

    def transform(self, X):
        check_is_fitted(self)
        counts = [[text.count(v) for v in self.vocabulary_] for text in self.read(X)]
        return np.array(counts)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string, tags.input_tags.two_d_array = True, False
        return tags


class Centered(TransformerMixin, BaseEstimator):
    """Every step minus the mean of all steps."""

    def fit(self, X, y=None):
        self.mean_ = np.concatenate(steps_of(X)).mean(axis=0)
        return self

    def transform(self, X):
        check_is_fitted(self)
        return self.filled(X, [x - self.mean_ for x in steps_of(X, len(self.mean_))])

    def inverse_transform(self, X):
        return self.filled(X, [x + self.mean_ for x in steps_of(X, len(self.mean_))])

    def filled(self, X, rows, padding=np.nan):
        if getattr(X, "ndim", 1) != 3:
            return rows
        result = np.full(X.shape, padding)
        for i, x in enumerate(rows):
            result[i, : len(x)] = x
        return result

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array, tags.input_tags.two_d_array = True, False
        return tags


class Drift(BaseEstimator):
    """Forecasts that continue from the last value by the mean change per step."""

    def fit(self, X, y=None):
        series = self.read(X)
        values = self.fill(series)
        self.drift_ = np.concatenate([np.diff(v, axis=0) for v in values]).mean(axis=0)
        self.n_features_in_ = series.n_channels
        self.series_, self.last_ = series, [v[-1] for v in values]
        return self

    def read(self, X):
        return read_series(X)

    def fill(self, series):
        """Values in which NaN is replaced by the last known value, or by 0 at first."""
        filled = []
        for i, values in enumerate(series.values):
            if np.isnan(values).all(axis=0).any():
                raise ValueError(f"series {i} has no known value")
            values = np.concatenate([np.zeros((1, values.shape[1])), values])
            for before, now in pairwise(values):
                np.copyto(now, before, where=np.isnan(now))
            filled.append(values[1:])
        return filled

    def read_known(self, X):
        series = self.read(X)
        if series.n_channels != self.n_features_in_:
            raise ValueError(
                f"X has {series.n_channels} channels, not {self.n_features_in_}"
            )
        return series, [v[-1] for v in self.fill(series)]

    def update(self, X):
        series, last = self.read_known(X)
        if len(last) != len(self.last_):
            raise ValueError("other series")
        self.series_, self.last_ = self.series_.extend(series), last
        return self

    def predict(self, X=None, *, horizon=3):
        check_is_fitted(self)
        known = (self.series_, self.last_) if X is None else self.read_known(X)
        return self.forecast(*known, horizon)

    def forecast(self, series, last, horizon):
        steps = np.arange(1, horizon + 1)[:, None]
        return series.to_container(np.stack([x + steps * self.drift_ for x in last]))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


TAKEN = {
    Drift: ("series",),
    Bag: ("tokens",),
    Sums: ("table", "3d", "ragged"),
    Letters: ("text",),
    Centered: ("3d", "ragged"),
}


def find_working_class(cls):
    """The working estimator that a class is derived from."""
    return next(good for good in TAKEN if issubclass(cls, good))


# ------------------------------------------------ broken third-party estimators


class ReturnsNothingFromFit(Sums):
    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)


class SetsAttributeInPredict(Sums):
    def predict(self, X):
        answer = super().predict(X)
        self.last_ = None
        return answer


class ClipsItsInput(Sums):
    def read(self, X, n_features):
        rows = super().read(X, n_features)
        for x in X:
            if isinstance(x, np.ndarray) and x.dtype == float and x.flags.writeable:
                np.clip(x, -0.9, 0.9, out=x)
        return rows


class NeedsWriteableInput(Sums):
    def read(self, X, n_features):
        if not all(x.flags.writeable for x in X if isinstance(x, np.ndarray)):
            raise ValueError("buffer source array is read-only")
        return super().read(X, n_features)


class BrokenStrangers(list):
    """Test parameters: broken estimators and the checks that fail."""

    def noticed_by(self, *checks):
        """Register a class and the checks that must fail on it, in any container."""

        def register(cls):
            self.append(pytest.param(cls, set(checks), id=cls.__name__))
            return cls

        return register

    @property
    def checks(self):
        """Names of all checks that fail on one of the classes."""
        return {name for param in self for name in param.values[1]}


def failures(results):
    """Return the names of the checks that failed."""
    names = (one["check_name"] for one in results if one["status"] == "failed")
    return {name.partition("(")[0] for name in names}


def find_noticing_checks(broken):
    """Names of the checks that fail on a class in the containers it accepts."""
    containers = TAKEN[find_working_class(broken)]
    results = check_sequence_estimator(
        broken(), containers=containers, on_fail=None, on_skip=None
    )
    return failures(results)


def list_checks(module):
    """Return the names of the checks that a module defines."""
    return {
        name
        for name, value in vars(module).items()
        if name.startswith("check_") and value.__module__ == module.__name__
    }
