"""Helpers of the checks that fit estimators, collect outputs and compare them."""

import warnings

import numpy as np
import pandas as pd
import pytest
from checked_estimators import Sums
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import RNNClassifier, RNNForecaster, TokenArray
from sklearn_rnn.conformance._examples import example, targets
from sklearn_rnn.conformance._harness import (
    assert_finite,
    assert_refused,
    assert_refused_by_all,
    assert_refused_in_answers,
    assert_same,
    assert_same_from,
    collect_answers,
    fit,
    fit_copy,
    methods_of,
    prepare,
    rows_of,
)

X, Y = example("ragged"), targets(Sums())


# ------------------------------------------------------------------ fitting


def test_a_copy_has_a_seed_and_trains_briefly():
    model = make_pipeline(StandardScaler(), MLPClassifier(max_iter=9))
    copy = prepare(model)
    assert copy is not model
    assert copy[-1].get_params()["max_iter"] == 2
    assert copy[-1].get_params()["random_state"] == 0
    assert model[-1].max_iter == 9 and model[-1].random_state is None


def test_fewer_than_two_epochs_are_kept():
    assert prepare(RNNClassifier(max_epochs=1)).max_epochs == 1
    assert prepare(RNNClassifier(max_epochs="auto")).max_epochs == 2


class WarnsInFit(Sums):
    def fit(self, X, y, sample_weight=None):
        warnings.warn(*self.weight, stacklevel=1)
        return super().fit(X, y, sample_weight)


def test_only_convergence_warnings_are_ignored():
    fit(WarnsInFit(("too few", ConvergenceWarning)), X, Y)
    with pytest.warns(UserWarning, match="of something else"):
        fit(WarnsInFit(("of something else", UserWarning)), X, Y)


def test_the_estimator_stays_unfitted_and_its_copy_is_given_fit_parameters():
    estimator = Sums()
    weighted = fit_copy(estimator, X, Y, sample_weight=np.arange(24))
    assert not hasattr(estimator, "model_")
    plain = fit_copy(estimator, X, Y)
    assert not np.array_equal(weighted.predict_proba(X), plain.predict_proba(X))


# ------------------------------------------------------------------ outputs


def test_every_method_returns_one_array_per_sequence():
    model = fit_copy(Sums(), X, Y)
    assert methods_of(model) == ["predict", "predict_proba"]
    given = collect_answers(model, X)
    assert list(given) == ["predict", "predict_proba"]
    assert_array_equal(given["predict"], model.predict(X))
    assert_array_equal(given["predict_proba"], model.predict_proba(X))


def test_a_parameter_of_the_same_name_is_not_a_method():
    assert methods_of(RNNForecaster(transform="log")) == ["predict"]


class AnswersPaddedSteps:
    """Predicts for every step, with NaN as padding."""

    def get_params(self):
        return {"return_sequences": True}

    def predict(self, X):
        return np.array([[1.0, np.nan, 2.0, np.nan, np.nan], [np.nan] * 5])


def test_only_padding_is_removed_from_outputs_per_step():
    first, second = collect_answers(AnswersPaddedSteps(), X)["predict"]
    assert_array_equal(first, [1, np.nan, 2])
    assert second.size == 0


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (np.array([[1, 2], [3, 0]]), [[1, 2], [3, 0]]),
        (np.array([1.0, 2.0]), [1.0, 2.0]),
        (sparse.csr_array([[0, 2], [3, 0]]), [[0, 2], [3, 0]]),
        (pd.DataFrame({"a": [1, 2], "b": [3, 4]}), [[1, 3], [2, 4]]),
        (TokenArray([[4, 5, 0], [0, 4, 0]], 6), [[4, 5], [0, 4]]),
        ([np.array([1, 2]), [3]], [[1, 2], [3]]),
        (
            np.array([[[1, np.nan], [np.nan, np.nan]], [[np.nan] * 2, [2, 3]]]),
            [[[1, np.nan]], [[np.nan] * 2, [2, 3]]],
        ),
        (np.full((1, 2, 3), np.nan), [np.empty((0, 3))]),
    ],
    ids=["table", "column", "sparse", "frame", "tokens", "list", "padded", "empty"],
)
def test_outputs_become_rows_without_padding(answer, expected):
    rows = rows_of(answer)
    assert len(rows) == len(expected)
    for row, wanted in zip(rows, expected, strict=True):
        assert_array_equal(row, wanted)
        assert row.shape == np.shape(wanted)


# ------------------------------------------------------------------ comparing


def rows(*values):
    return {"predict": [np.asarray(value) for value in values]}


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (rows(1.0, 100.0), rows(1.0 + 9e-6, 100.0)),
        (rows(0.0, 100.0), rows(9e-4, 100.0)),  # relative to the largest of all
        (rows([1.0, np.nan]), rows([1.0, np.nan])),
        (rows("a"), rows("a")),
        (rows(), rows()),
    ],
)
def test_outputs_within_the_tolerance_are_equal(actual, expected):
    assert_same(actual, expected, "here")


@pytest.mark.parametrize(
    ("actual", "expected", "message"),
    [
        (
            rows(1.0, 1.0),
            rows(1.0, 1.001),
            "predict returns another result .* 1 here",
        ),
        (
            rows(0.0, 100.0),
            rows(0.01, 100.0),
            "another result for sequence 0 here",
        ),
        (rows([1.0]), rows([1.0, 2.0]), "another result for sequence 0 here"),
        (rows([1.0]), rows(1.0), "another result for sequence 0 here"),
        (rows(np.nan), rows(1.0), "another result for sequence 0 here"),
        (rows("a"), rows("b"), "another result for sequence 0 here"),
        (rows("1"), rows(1), "another result for sequence 0 here"),
        (rows(1.0), rows(1.0, 2.0), "returns 1 rows for 2 sequences here"),
        ({}, rows(1.0), r"the methods are \[\] instead of \['predict'\] here"),
    ],
)
def test_different_outputs_are_reported(actual, expected, message):
    with pytest.raises(AssertionError, match=message):
        assert_same(actual, expected, "here")


def test_tolerance_0_requires_equal_bits():
    assert_same(rows(1.0), rows(1.0), "here", tolerance=0)
    with pytest.raises(AssertionError):
        assert_same(rows(np.nextafter(1, 2)), rows(1.0), "here", tolerance=0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, [1.0, np.nan], []])
def test_outputs_must_be_finite(bad):
    assert_finite(rows(1.0, "a", [0, 1]), "here")
    with pytest.raises(AssertionError, match=r"predict returns .* for sequence 1 here"):
        assert_finite(rows(1.0, bad), "here")


# ------------------------------------------------------------------ errors


def raise_(error):
    raise error


def test_expected_error_with_expected_numbers_passes():
    assert_refused(lambda: raise_(ValueError("row 7 of 12")), "it", naming=(7, 12))
    assert_refused(lambda: raise_(NotFittedError()), "it", errors=NotFittedError)


@pytest.mark.parametrize(
    ("call", "options", "message"),
    [
        (lambda: None, {}, "it was accepted; expected ValueError"),
        (
            lambda: None,
            {"errors": (ValueError, TypeError)},
            "it was accepted; expected ValueError or TypeError",
        ),
        (
            lambda: raise_(KeyError("x")),
            {},
            "it raised KeyError instead of ValueError: 'x'",
        ),
        (
            lambda: raise_(ValueError("row 17 of 12")),
            {"naming": (7, 12)},
            r"the error message for it does not contain \[7\]: row 17 of 12",
        ),
    ],
    ids=["none", "none of two", "another", "unnamed"],
)
def test_missing_or_unexpected_errors_are_reported(call, options, message):
    with pytest.raises(AssertionError, match=message):
        assert_refused(call, "it", **options)


class AcceptsIn(Sums):
    """Ignores NaN in the method that ``weight`` names."""

    def read(self, X, n_features):
        method = "fit" if n_features is None else "predict_proba"
        if method == self.weight:
            X = [np.nan_to_num(x) for x in X]
        return super().read(X, n_features)

    def predict(self, X):
        super().read(X, self.n_features_in_)
        return super().predict(X)


BAD = [*X[:-1], np.full((3, 2), np.nan)]


@pytest.mark.parametrize("method", ["fit", "predict_proba"])
def test_fit_and_every_method_must_raise(method):
    assert_refused_by_all(Sums(), X, BAD, Y, "NaN", naming=(23,))
    with pytest.raises(AssertionError, match=f"{method} on NaN was accepted"):
        assert_refused_by_all(AcceptsIn(method), X, BAD, Y, "NaN")


def test_methods_of_a_fitted_model_must_raise():
    assert_refused_in_answers(fit_copy(Sums(), X, Y), BAD, "NaN", naming=(23,))
    model = fit_copy(AcceptsIn("predict_proba"), X, Y)
    with pytest.raises(AssertionError, match="predict_proba on NaN was accepted"):
        assert_refused_in_answers(model, BAD, "NaN")


class ReadsATuple(Sums):
    """Treats tuples differently in the methods that ``weight`` names."""

    def read(self, X, n_features):
        stage = "fit" if n_features is None else "answer"
        read = super().read(X, n_features)
        return (
            [x[:1] for x in read]
            if isinstance(X, tuple) and stage in self.weight
            else read
        )


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        (("answer",), "another result .* when X is a tuple"),
        (("fit",), "another result .* after a fit on a tuple"),
    ],
)
def test_other_containers_must_give_the_same_results(stages, message):
    assert_same_from(ReadsATuple(()), X, {"a tuple": tuple(X)}, Y)
    with pytest.raises(AssertionError, match=message):
        assert_same_from(ReadsATuple(stages), X, {"a tuple": tuple(X)}, Y)
