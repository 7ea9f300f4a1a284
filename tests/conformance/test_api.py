"""The sequence checks on our estimators, and on strangers that break one rule each."""

import random
import re
import subprocess
import sys
from pathlib import Path
from unittest import SkipTest

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.exceptions import EstimatorCheckFailedWarning, SkipTestWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

import sklearn_rnn
from sklearn_rnn import CharVectorizer, RNNClassifier, RNNRegressor, WordVectorizer
from sklearn_rnn._data.tokens import TokenArray
from sklearn_rnn.conformance import (
    _checks_all,
    _checks_numbers,
    _checks_text,
    _checks_tokens,
    _checks_transformers,
    check_sequence_estimator,
    parametrize_with_sequence_checks,
    sequence_checks_generator,
)
from sklearn_rnn.preprocessing import StepwiseTransformer
from sklearn_rnn.text import TextStatisticsVectorizer

PACKAGE = Path(sklearn_rnn.__file__).parent

# ------------------------------------------------------------------ ours

OURS = [
    RNNClassifier("gru", 4),
    RNNClassifier("lstm", 4, bidirectional=True, class_weight="balanced"),
    RNNClassifier("rnn", 4, num_layers=2, dropout=0.5, pooling="last"),
    RNNRegressor("gru", 4, early_stopping=True),
    RNNRegressor("rnn", 4, pooling="mean"),
    CharVectorizer(),
    CharVectorizer(max_length=5, truncation="left", boundaries=True),
    WordVectorizer(handle_unknown="ignore"),
    TextStatisticsVectorizer(),
    make_pipeline(CharVectorizer(), RNNClassifier("lstm", 4)),
    make_pipeline(WordVectorizer(), RNNRegressor("gru", 4)),
    StepwiseTransformer(StandardScaler()),
    make_pipeline(StepwiseTransformer(StandardScaler()), RNNClassifier("gru", 4)),
]


def what_ours_take(estimator):
    if isinstance(estimator, (RNNClassifier, RNNRegressor)):
        return ("table", "3d", "ragged", "tokens")
    first = estimator[0] if isinstance(estimator, Pipeline) else estimator
    return ("3d", "ragged") if isinstance(first, StepwiseTransformer) else ("text",)


@parametrize_with_sequence_checks(OURS, containers=what_ours_take)
def test_sequence_check_passes_and_is_not_skipped(estimator, check):
    try:
        check(estimator)
    except SkipTest as skip:
        pytest.fail(f"{check} was skipped: {skip}")


@pytest.mark.parametrize("estimator", OURS, ids=repr)
def test_tags_and_small_fits_find_what_ours_take(estimator):
    told = sequence_checks_generator(estimator, containers=what_ours_take(estimator))
    guessed = {check for _, check in sequence_checks_generator(estimator)}
    refused = {check for check in guessed if check.skipped_because}
    assert guessed - refused == {check for _, check in told}
    assert {check.container for check in refused} <= {"tokens"}


# ------------------------------------------------------------------ good strangers


def steps_of(X, n_features=None):
    """Ragged lists, 3-D arrays padded with NaN, or tables, as (T, F) arrays."""
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
        self.n_features_in_ = rows[0].shape[1]
        inputs = self.inputs(rows)
        self.model_ = LogisticRegression().fit(inputs, y, sample_weight)
        self.classes_ = self.model_.classes_
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
    """Logistic regression on how often each code occurs in a sequence."""

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
    """How often each letter of fit occurs in a document."""

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


class Centred(TransformerMixin, BaseEstimator):
    """Every step less the mean of all steps."""

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


TAKEN = {
    Bag: ("tokens",),
    Sums: ("table", "3d", "ragged"),
    Letters: ("text",),
    Centred: ("3d", "ragged"),
}


@pytest.mark.parametrize(
    ("stranger", "n_checks"), [(Sums, 53), (Bag, 20), (Letters, 18), (Centred, 50)]
)
def test_good_stranger_passes_every_check(stranger, n_checks):
    results = check_sequence_estimator(stranger(), containers=TAKEN[stranger])
    assert results.counts == {
        "passed": n_checks,
        "failed": 0,
        "xfail": 0,
        "skipped": 0,
    }


# ------------------------------------------------------------------ broken strangers
# Each breaks one rule; the test below says which checks notice.

BROKEN = []


def noticed_by(*checks):
    """Say which checks, in any container, fail on the class: these and no others."""

    def register(cls):
        BROKEN.append(pytest.param(cls, set(checks), id=cls.__name__))
        return cls

    return register


def stranger_of(cls):
    return next(good for good in TAKEN if issubclass(cls, good))


@noticed_by("check_fit_and_answer")
class ReturnsNothingFromFit(Sums):
    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)


@noticed_by("check_fit_and_answer", "check_other_lengths")
class AnswersNaN(Sums):
    def predict_proba(self, X):
        proba = super().predict_proba(X)
        return np.where(proba > 0.6, np.nan, proba)


@noticed_by("check_subset_invariance")
class AveragesOverPadding(Sums):
    def inputs(self, rows):
        return super().inputs(rows) / max(len(x) for x in rows)


@noticed_by("check_subset_invariance", "check_order_invariance")
class CountsRows(Sums):
    def predict_proba(self, X):
        proba = super().predict_proba(X)
        return np.roll(proba, 1, axis=0)


@noticed_by("check_answers_keep_no_state", "check_subset_invariance")
class CarriesState(Sums):
    def fit(self, X, y, sample_weight=None):
        self.state_ = np.full(1, 24)
        return super().fit(X, y, sample_weight)

    def predict_proba(self, X):
        proba = super().predict_proba(X) ** self.state_
        self.state_[0] = len(X)
        return proba / proba.sum(axis=1, keepdims=True)


@noticed_by("check_answers_set_no_attribute")
class SetsAttributeInPredict(Sums):
    def predict(self, X):
        answer = super().predict(X)
        self.last_ = None
        return answer


@noticed_by("check_input_unchanged", "check_one_feature", "check_ragged_containers")
class ClipsItsInput(Sums):
    def read(self, X, n_features):
        rows = super().read(X, n_features)
        for x in X:
            if isinstance(x, np.ndarray) and x.dtype == float and x.flags.writeable:
                np.clip(x, -0.9, 0.9, out=x)
        return rows


@noticed_by("check_input_unchanged")
class NeedsWriteableInput(Sums):
    def read(self, X, n_features):
        if not all(x.flags.writeable for x in X if isinstance(x, np.ndarray)):
            raise ValueError("buffer source array is read-only")
        return super().read(X, n_features)


@noticed_by("check_parameters_unchanged")
class ResolvesItsParameter(Sums):
    def fit(self, X, y, sample_weight=None):
        self.weight = 1.0 if self.weight is None else self.weight
        return super().fit(X, y, sample_weight)


@noticed_by("check_pickle_and_clone")
class ForgetsInPickles(Sums):
    def __getstate__(self):
        state = super().__getstate__()
        return {k: v for k, v in state.items() if k != "n_features_in_"}


@noticed_by("check_pickle_and_clone")
class StaysFittedInClones(Sums):
    def __sklearn_clone__(self):
        copy = type(self)(self.weight)
        vars(copy).update(vars(self))
        return copy


@noticed_by("check_refit_forgets")
class RemembersItsFirstFit(Sums):
    def read(self, X, n_features):
        rows = super().read(X, n_features)
        self.first_ = getattr(self, "first_", rows[0].shape[1])
        return [x + self.first_ * x**2 for x in rows]


@noticed_by(
    "check_same_seed_same_bits",
    "check_refit_forgets",
    "check_zero_weight_leaves_out",
    "check_string_labels",
    "check_ragged_containers",
    "check_ragged_series",
    "check_one_feature",
    "check_equal_lengths_as_array",
    "check_table_as_sequences",
    "check_padding_as_ragged",
    "check_more_padding",
)
class DrawsFreshEntropy(Sums):
    def fit(self, X, y, sample_weight=None):
        self.noise_ = np.random.default_rng().random()
        return super().fit(X, y, sample_weight)

    def predict_proba(self, X):
        proba = super().predict_proba(X) ** (1 + self.noise_)  # the same is likeliest
        return proba / proba.sum(axis=1, keepdims=True)


@noticed_by("check_global_generators_untouched")
class SeedsNumpy(Sums):
    def fit(self, X, y, sample_weight=None):
        np.random.seed(0)
        return super().fit(X, y, sample_weight)


@noticed_by("check_global_generators_untouched")
class DrawsFromRandom(Sums):
    def predict_proba(self, X):
        random.random()
        return super().predict_proba(X)


@noticed_by("check_global_generators_untouched")
class DrawsFromTorch(Sums):
    def fit(self, X, y, sample_weight=None):
        torch.rand(1)
        return super().fit(X, y, sample_weight)


@noticed_by("check_unfitted_refused")
class AnswersBeforeFit(Sums):
    def predict(self, X):
        return super().predict(X) if hasattr(self, "model_") else np.zeros(len(X))


@noticed_by("check_cross_validation")
class WantsTwentyRows(Sums):
    def fit(self, X, y, sample_weight=None):
        if len(X) < 20:
            raise ValueError("too few sequences")
        return super().fit(X, y, sample_weight)


@noticed_by("check_zero_weight_leaves_out")
class IgnoresWeights(Sums):
    def fit(self, X, y, sample_weight=None):
        return super().fit(X, y)


@noticed_by("check_string_labels")
class WantsNumbersAsLabels(Sums):
    def fit(self, X, y, sample_weight=None):
        return super().fit(X, np.asarray(y, dtype=int), sample_weight)


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
    """Repairs what it should refuse."""

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


@noticed_by(
    "check_transform_keeps_steps",
    "check_transform_keeps_padding",
    "check_inverse_transform",
    "check_padding_as_ragged",
    "check_more_padding",
    "check_other_lengths",
)
class DropsTheLastStep(Centred):
    def transform(self, X):
        result = super().transform(X)
        return [x[:-1] for x in result] if isinstance(result, list) else result[:, :-1]


@noticed_by(
    "check_transform_keeps_padding", "check_padding_as_ragged", "check_more_padding"
)
class PadsWithZero(Centred):
    def filled(self, X, rows, padding=0.0):
        return super().filled(X, rows, padding)


@noticed_by("check_inverse_transform")
class InvertsNothing(Centred):
    def inverse_transform(self, X):
        return X


def failures(results):
    names = (one["check_name"] for one in results if one["status"] == "failed")
    return {name.partition("(")[0] for name in names}


@pytest.mark.parametrize(("broken", "checks"), BROKEN)
def test_broken_stranger_is_noticed_by_exactly_these_checks(broken, checks):
    containers = TAKEN[stranger_of(broken)]
    results = check_sequence_estimator(
        broken(), containers=containers, on_fail=None, on_skip=None
    )
    assert failures(results) == checks


def test_every_check_can_fail():
    rooms = (
        _checks_all,
        _checks_numbers,
        _checks_text,
        _checks_tokens,
        _checks_transformers,
    )
    there_are = {
        name
        for room in rooms
        for name, value in vars(room).items()
        if name.startswith("check_") and value.__module__ == room.__name__
    }
    assert there_are == {name for param in BROKEN for name in param.values[1]}


# ------------------------------------------------------------------ what applies


class Flat(Sums):
    """Reads 3-D arrays of one length, as many strangers do."""

    def read(self, X, n_features):
        if X.ndim != 3:
            raise ValueError("expected a 3-D array")
        return [x.reshape(1, -1) for x in check_array(X, allow_nd=True)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        return tags


def test_stranger_of_3d_arrays_gets_only_their_checks():
    results = check_sequence_estimator(Flat(), on_fail=None, on_skip=None)
    ran = {one["check_name"] for one in results if one["status"] != "skipped"}
    assert all("container=3d" in name for name in ran)
    assert failures(results) == {"check_other_lengths", "check_other_features_refused"}
    skipped = {
        one["check_name"]: str(one["exception"])
        for one in results
        if one["status"] == "skipped"
    }
    assert list(skipped) == [
        "check_fit_and_answer(container=ragged)",
        "check_fit_and_answer(container=tokens)",
        "check_more_padding",
    ]
    ragged, _, padding = skipped.values()
    assert "AttributeError: 'list' object has no attribute 'ndim'" in ragged
    assert "Flat refuses arrays padded with NaN: Input" in padding


def test_container_that_is_demanded_is_not_guessed():
    with pytest.raises(AttributeError, match="'list' object has no attribute 'ndim'"):
        check_sequence_estimator(Flat(), containers=("ragged",))


def test_table_estimator_has_nothing_to_check_and_says_why():
    results = check_sequence_estimator(LogisticRegression(), on_skip=None)
    assert results.counts == {"passed": 0, "failed": 0, "xfail": 0, "skipped": 2}
    counts, ragged, tokens = results.summary().splitlines()
    assert counts == "0 of 2 checks ran: 0 passed, 0 failed, 0 xfail, 2 skipped"
    assert "seems not to take ragged lists (ValueError: setting an array" in ragged
    assert "seems not to take tokens (it reads them as plain integers" in tokens


def test_pipeline_takes_what_its_first_step_takes():
    pipeline = make_pipeline(make_pipeline("passthrough", Letters()), Sums())
    names = [str(check) for _, check in sequence_checks_generator(pipeline)]
    assert "check_empty_document" in names
    assert not [name for name in names if "ragged" in name]


def test_optional_methods_decide():
    def names(estimator):
        pairs = sequence_checks_generator(estimator, containers=("ragged",))
        return {check.function.__name__ for _, check in pairs}

    only_classifiers = names(Sums()) - names(Centred())
    assert only_classifiers == {
        "check_cross_validation",
        "check_string_labels",
        "check_zero_weight_leaves_out",
    }
    assert names(Centred()) - names(Sums()) == {
        "check_transform_keeps_steps",
        "check_inverse_transform",
    }


class ToleratesNaN(FillsNaN):
    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def test_tag_that_allows_nan_spares_the_checks_of_nan_and_infinity():
    checks = sequence_checks_generator(ToleratesNaN(), containers=("3d",))
    names = [check.function.__name__ for _, check in checks]
    assert "check_complex_refused" in names
    assert not {"check_nan_refused", "check_infinity_refused"} & {*names}


# ------------------------------------------------------------------ what is reported

BOTH = {
    "check_input_unchanged": "it clips",
    "check_one_feature": "after clipping",
    "check_ragged_containers(container=none)": "no such check",
}


def test_counts_and_results_are_those_of_scikit_learn():
    results = check_sequence_estimator(
        ClipsItsInput(),
        containers=("ragged",),
        expected_failed_checks=BOTH,
        on_fail=None,
    )
    n_checks = len(
        list(sequence_checks_generator(ClipsItsInput(), containers=["ragged"]))
    )
    assert results.counts == {
        "passed": n_checks - 3,
        "failed": 1,
        "xfail": 2,
        "skipped": 0,
    }
    lines = results.summary().splitlines()
    assert lines[0].startswith(f"{n_checks} of {n_checks} checks ran: ")
    assert [line.split(": ")[:2] for line in lines[1:]] == [
        ["xfail", "check_input_unchanged(container=ragged)"],
        ["failed", "check_ragged_containers"],
        ["xfail", "check_one_feature"],
    ]
    assert set(results[0]) == {  # the keys of check_estimator's results
        "estimator",
        "check_name",
        "exception",
        "status",
        "expected_to_fail",
        "expected_to_fail_reason",
    }
    reasons = [one["expected_to_fail_reason"] for one in results]
    assert [reason for reason in reasons if "clip" in reason] == [*BOTH.values()][:2]


def test_expected_failure_may_name_the_container():
    expected = {"check_fit_and_answer(container=3d)": "returns nothing"}
    results = check_sequence_estimator(
        ReturnsNothingFromFit(),
        containers=("3d", "ragged"),
        expected_failed_checks=expected,
        on_fail=None,
    )
    assert results.counts["xfail"] == results.counts["failed"] == 1


def test_first_failure_is_raised():
    with pytest.raises(AssertionError, match=r"predict sets .*last_ of the est"):
        check_sequence_estimator(SetsAttributeInPredict(), containers=("3d",))


def test_failures_and_skips_may_be_warnings():
    failed = pytest.warns(EstimatorCheckFailedWarning, match="check_input_unchanged")
    with failed as caught:
        check_sequence_estimator(
            NeedsWriteableInput(), containers=("3d",), on_fail="warn"
        )
    assert {warning.filename for warning in caught} == {__file__}
    with pytest.warns(SkipTestWarning, match="check_fit_and_answer") as caught:
        check_sequence_estimator(LogisticRegression())
    assert {warning.filename for warning in caught} == {__file__}


def test_callback_hears_of_every_check():
    heard = []
    results = check_sequence_estimator(
        Bag(),
        containers=("tokens",),
        on_fail=None,
        callback=lambda **result: heard.append(result),
    )
    assert heard == results
    with pytest.raises(ValueError, match='on_fail="raise" ends with the first'):
        check_sequence_estimator(Bag(), callback=print)


def marked(**options):
    mark = parametrize_with_sequence_checks(
        [Bag(), ClipsItsInput()],
        containers=lambda estimator: TAKEN[stranger_of(type(estimator))],
        expected_failed_checks=lambda estimator: (
            BOTH if isinstance(estimator, ClipsItsInput) else {}
        ),
        **options,
    ).mark
    names, values = mark.args
    assert names == "estimator, check"
    return values, mark.kwargs["ids"]


def test_decorator_marks_expected_failures_strictly():
    values, _ = marked()
    assert len(values) == 20 + 53
    marks = [mark for value in values for mark in getattr(value, "marks", ())]
    assert [mark.kwargs for mark in marks] == [
        {"reason": "it clips", "strict": True},
        {"reason": "it clips", "strict": True},
        {"reason": "after clipping", "strict": True},
    ]
    loose, _ = marked(xfail_strict=False)
    assert {m.kwargs["strict"] for v in loose for m in getattr(v, "marks", ())} == {
        False
    }


def test_pytest_reports_how_many_ran_and_why_others_did_not(tmp_path):
    (tmp_path / "test_strangers.py").write_text(
        """
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn_rnn.conformance import parametrize_with_sequence_checks

def expected(estimator):
    return {"check_non_text_refused": "raises AttributeError"}

@parametrize_with_sequence_checks(
    [CountVectorizer(), LogisticRegression()], expected_failed_checks=expected
)
def test_sequence_check(estimator, check):
    check(estimator)
"""
    )
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", tmp_path],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert "17 passed, 2 skipped, 1 xfailed in" in run.stdout
    assert "LogisticRegression seems not to take ragged lists" in run.stdout


def test_ids_name_estimator_check_and_container():
    values, ids = marked()
    estimator, check = values[0]
    assert ids(estimator) == "Bag()"
    assert ids(check) == "check_fit_and_answer(container=tokens)"


def test_expected_failures_may_be_skipped():
    pairs = sequence_checks_generator(
        Bag(),
        containers=("tokens",),
        expected_failed_checks={"check_token_padding": "as an example"},
        mark="skip",
    )
    check = next(check for _, check in pairs if str(check) == "check_token_padding")
    with pytest.raises(SkipTest, match="as an example"):
        check(Bag())


def test_skips_of_the_checks_themselves_have_reasons():
    model = RNNClassifier(max_epochs=1, warm_start=True)
    with pytest.raises(SkipTest, match="warm_start=True: a second fit goes on"):
        _checks_all.check_refit_forgets("RNNClassifier", model)
    with pytest.raises(SkipTest, match="answers one row a sequence"):
        _checks_transformers.check_transform_keeps_steps("Totals", Totals())


class Totals(Centred):
    def transform(self, X):
        return np.array([x.sum(axis=0) for x in steps_of(X)])


def test_series_are_skipped_without_pandas(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(SkipTest, match="pandas is not installed"):
        _checks_numbers.check_ragged_series("Sums", Sums())


def test_what_is_not_checkable_is_refused():
    with pytest.raises(TypeError, match="got the class Sums"):
        check_sequence_estimator(Sums)
    with pytest.raises(ValueError, match="must be a tuple of some of"):
        check_sequence_estimator(Sums(), containers=("4d",))
    with pytest.raises(ValueError, match="'on_fail' parameter"):
        check_sequence_estimator(Sums(), on_fail="ignore")


def test_checks_refuse_to_run_without_assertions():
    path = PACKAGE / "conformance" / "_api.py"
    optimized = {"__name__": "optimized"}
    exec(compile(path.read_text("utf-8"), path, "exec", optimize=1), optimized)
    with pytest.raises(RuntimeError, match="-O leaves out every assertion"):
        optimized["check_sequence_estimator"](Sums())


def test_conformance_loads_no_estimator_of_ours():
    code = (
        "import sys, sklearn_rnn.conformance\n"
        "print(sorted(m for m in sys.modules if m.startswith('sklearn_rnn.')))\n"
        "print('torch' in sys.modules, 'pytest' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    modules, loaded = run.stdout.splitlines()
    packages = {name.split(".")[1] for name in eval(modules)}
    assert packages == {"_core", "_data", "_version", "conformance"}
    assert loaded == "False False"
