"""Checks of every container, on estimators that break one rule each."""

import random
from unittest import SkipTest

import numpy as np
import pytest
import torch
from checked_estimators import (
    BrokenStrangers,
    ClipsItsInput,
    NeedsWriteableInput,
    ReturnsNothingFromFit,
    SetsAttributeInPredict,
    Sums,
    find_noticing_checks,
    list_checks,
)

from sklearn_rnn import RNNClassifier
from sklearn_rnn.conformance import _checks_all

BROKEN = BrokenStrangers()
noticed_by = BROKEN.noticed_by


noticed_by("check_fit_and_answer")(ReturnsNothingFromFit)
noticed_by("check_answers_set_no_attribute")(SetsAttributeInPredict)
noticed_by("check_input_unchanged")(NeedsWriteableInput)
noticed_by("check_input_unchanged", "check_one_feature", "check_ragged_containers")(
    ClipsItsInput
)


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


@noticed_by(
    "check_answers_keep_no_state",
    "check_subset_invariance",
    "check_failed_fit_leaves_no_trace",
)
class CarriesState(Sums):
    def fit(self, X, y, sample_weight=None):
        self.state_ = np.full(1, 24)
        return super().fit(X, y, sample_weight)

    def predict_proba(self, X):
        proba = super().predict_proba(X) ** self.state_
        self.state_[0] = len(X)
        return proba / proba.sum(axis=1, keepdims=True)


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


@noticed_by("check_refit_forgets", "check_failed_fit_leaves_no_trace")
class RemembersItsFirstFit(Sums):
    def read(self, X, n_features):
        rows = super().read(X, n_features)
        self.first_ = getattr(self, "first_", rows[0].shape[1])
        return [x + self.first_ * x**2 for x in rows]


@noticed_by(
    "check_same_seed_same_bits",
    "check_failed_fit_leaves_no_trace",
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


@noticed_by("check_failed_fit_leaves_no_trace")
class ForgetsBeforeItReads(Sums):
    def fit(self, X, y, sample_weight=None):
        vars(self).pop("model_", None)
        return super().fit(X, y, sample_weight)


@noticed_by("check_failed_fit_leaves_no_trace")
class NotesFeaturesBeforeItReadsLabels(Sums):
    def fit(self, X, y, sample_weight=None):
        self.n_features_in_ = self.read(X, None)[0].shape[1]
        return super().fit(X, y, sample_weight)


@noticed_by("check_fit_and_answer")
class AnswersSequencesNotSteps(Sums):
    def __init__(self, weight=None, return_sequences=True):
        self.weight = weight
        self.return_sequences = return_sequences

    def fit(self, X, y, sample_weight=None):
        return super().fit(X, [row[0] for row in y], sample_weight)


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


@noticed_by("check_unfitted_refused", "check_failed_fit_leaves_no_trace")
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


@pytest.mark.parametrize(("broken", "checks"), BROKEN)
def test_broken_estimator_fails_exactly_these_checks(broken, checks):
    assert find_noticing_checks(broken) == checks


def test_every_check_can_fail():
    assert list_checks(_checks_all) <= BROKEN.checks


def test_refitting_is_not_checked_with_warm_start():
    model = RNNClassifier(max_epochs=1, warm_start=True)
    with pytest.raises(SkipTest, match="warm_start=True: a second fit continues"):
        _checks_all.check_refit_forgets("RNNClassifier", model)
