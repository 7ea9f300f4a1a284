"""Selection of checks by tags, methods and small fits."""

from unittest import SkipTest

import pytest
from checked_estimators import (
    OURS,
    Centered,
    Drift,
    Letters,
    Sums,
    containers_of_ours,
    failures,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils import check_array

from sklearn_rnn.conformance import (
    check_sequence_estimator,
    sequence_checks_generator,
)
from sklearn_rnn.conformance._selection import Check, select_checks


@pytest.mark.parametrize("estimator", OURS, ids=repr)
def test_tags_and_small_fits_detect_containers_of_our_estimators(estimator):
    told = sequence_checks_generator(
        estimator, containers=containers_of_ours(estimator)
    )
    guessed = {check for _, check in sequence_checks_generator(estimator)}
    refused = {check for check in guessed if check.skipped_because}
    assert guessed - refused == {check for _, check in told}
    assert {check.container for check in refused} <= {"ragged", "tokens"}


class Flat(Sums):
    """Accepts 3-D arrays of one length only, as many third-party estimators do."""

    def read(self, X, n_features):
        if X.ndim != 3:
            raise ValueError("expected a 3-D array")
        return [x.reshape(1, -1) for x in check_array(X, allow_nd=True)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        return tags


def test_estimator_of_3d_arrays_gets_only_their_checks():
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
    assert "Flat rejects arrays padded with NaN: Input" in padding


def test_given_containers_are_not_guessed():
    with pytest.raises(AttributeError, match="'list' object has no attribute 'ndim'"):
        check_sequence_estimator(Flat(), containers=("ragged",))


def test_estimator_of_tables_is_checked_with_tables_and_the_report_says_why():
    results = check_sequence_estimator(LogisticRegression(), on_skip=None)
    assert results.counts == {"passed": 16, "failed": 0, "xfail": 0, "skipped": 2}
    ran = [one["check_name"] for one in results if one["status"] == "passed"]
    assert all("container=table" in name for name in ran)
    counts, others, ragged, tokens, *reasons = str(results).splitlines()
    assert counts == "16 checks ran: 16 passed, 0 failed, 0 xfail"
    assert others == f"{2 + len(results.not_applicable)} checks do not apply:"
    assert "not seem to accept ragged lists (ValueError: setting an" in ragged
    assert "not seem to accept tokens (it accepts codes of any" in tokens
    assert ragged.endswith(": check_fit_and_answer(container=ragged)")
    named = {name for line in reasons for name in line.split(": ")[1].split(", ")}
    assert named == set(results.not_applicable)


def test_forecaster_is_recognized_by_a_predict_without_X():
    checks, not_applicable = select_checks(Drift())
    assert {check.container for check in checks} == {"series", None}
    assert not_applicable["check_nan_refused"] == "its tags allow NaN"
    assert not_applicable["check_stream"] == "it has no method stream"


class NeedsX(Drift):
    def predict(self, X):
        return super().predict(X)


def test_containers_may_be_given_for_a_forecaster_whose_predict_needs_X():
    results = check_sequence_estimator(NeedsX(), containers=("series",))
    for check in ("update", "known_past", "failed_update_leaves_no_trace"):
        assert results.not_applicable[f"check_{check}"] == "its predict needs X"
    reason = "its predict has no parameter horizon"
    assert results.not_applicable["check_horizon"] == reason
    assert results.counts["passed"] == len(results) == 27


def test_pipeline_accepts_the_containers_of_its_first_step():
    pipeline = make_pipeline(make_pipeline("passthrough", Letters()), Sums())
    names = [str(check) for _, check in sequence_checks_generator(pipeline)]
    assert "check_empty_document" in names
    assert not [name for name in names if "ragged" in name]


def test_optional_methods_add_checks():
    def names(estimator):
        pairs = sequence_checks_generator(estimator, containers=("ragged",))
        return {check.function.__name__ for _, check in pairs}

    only_classifiers = names(Sums()) - names(Centered())
    assert only_classifiers == {
        "check_cross_validation",
        "check_string_labels",
        "check_zero_weight_leaves_out",
    }
    assert names(Centered()) - names(Sums()) == {
        "check_transform_keeps_steps",
        "check_inverse_transform",
    }


class ToleratesNaN(Sums):
    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def test_tag_allow_nan_removes_the_checks_of_nan_and_infinity():
    checks = sequence_checks_generator(ToleratesNaN(), containers=("3d",))
    names = [check.function.__name__ for _, check in checks]
    assert "check_complex_refused" in names
    assert not {"check_nan_refused", "check_infinity_refused"} & {*names}


def names_of_checks(estimator, *containers):
    return {
        check.function.__name__ for check in select_checks(estimator, containers)[0]
    }


class ValidatesNothing(Sums):
    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.no_validation = True
        tags.requires_fit = False
        return tags


def test_tags_remove_the_checks_of_errors_and_fitting():
    spared = names_of_checks(Sums(), "3d") - names_of_checks(ValidatesNothing(), "3d")
    assert spared == {
        "check_failed_fit_leaves_no_trace",
        "check_unfitted_refused",
        "check_other_features_refused",
        "check_nan_refused",
        "check_infinity_refused",
        "check_complex_refused",
        "check_junk_refused",
        "check_empty_sequence_refused",
    }


def test_containers_are_compared_if_both_are_accepted():
    both = names_of_checks(Sums(), "3d", "ragged")
    one_by_one = names_of_checks(Sums(), "3d") | names_of_checks(Sums(), "ragged")
    assert both - one_by_one == {
        "check_equal_lengths_as_array",
        "check_padding_as_ragged",
    }
    with_table = names_of_checks(Sums(), "table", "3d")
    assert with_table - names_of_checks(Sums(), "3d") == {"check_table_as_sequences"}


def test_containers_must_be_a_tuple_of_known_names():
    for containers in (("4d",), "3d", ""):
        with pytest.raises(ValueError, match="must be a tuple of some of"):
            select_checks(Sums(), containers)


def test_a_check_is_called_with_the_name_and_the_container():
    calls = []

    def check_calls(*args, **options):
        calls.append((args, options))

    check = Check(check_calls, "Sums", "3d")
    check("the estimator")
    Check(check_calls, "Sums")("another one")
    assert str(check) == "check_calls(container=3d)"
    assert str(Check(check_calls, "Sums")) == "check_calls"
    assert calls == [
        (("Sums", "the estimator"), {"container": "3d"}),
        (("Sums", "another one"), {}),
    ]
    with pytest.raises(SkipTest, match="for no reason"):
        Check(check_calls, "Sums", skipped_because="for no reason")("a third")
    assert len(calls) == 2
