"""Functions that run the checks: through pytest, one by one, and with a report."""

import subprocess
import sys
from pathlib import Path
from unittest import SkipTest

import pytest
from checked_estimators import (
    OURS,
    TAKEN,
    Bag,
    Centered,
    ClipsItsInput,
    Drift,
    Letters,
    NeedsWriteableInput,
    ReturnsNothingFromFit,
    SetsAttributeInPredict,
    Sums,
    containers_of_ours,
    find_skipped,
    find_working_class,
)
from sklearn.exceptions import EstimatorCheckFailedWarning, SkipTestWarning
from sklearn.linear_model import LogisticRegression

import sklearn_rnn
from sklearn_rnn import RNNForecaster
from sklearn_rnn.conformance import (
    check_sequence_estimator,
    parametrize_with_sequence_checks,
    sequence_checks_generator,
)

PACKAGE = Path(sklearn_rnn.__file__).parent


@parametrize_with_sequence_checks(OURS, containers=containers_of_ours)
@pytest.mark.filterwarnings("ignore::sklearn_rnn.energy.CapacityWarning")
@pytest.mark.filterwarnings("ignore:.*(token|unknown tokens)")
def test_sequence_check_passes_or_is_skipped_with_the_expected_reason(estimator, check):
    reason = find_skipped(estimator).get(check.function.__name__)
    if reason is None:
        try:
            check(estimator)
        except SkipTest as skip:
            pytest.fail(f"{check} was skipped: {skip}")
    else:
        with pytest.raises(SkipTest, match=reason):
            check(estimator)


def test_every_estimator_is_checked():
    public = {
        name
        for name in sklearn_rnn.__all__
        if hasattr(getattr(sklearn_rnn, name), "fit")
    }
    assert public <= {type(one).__name__ for one in OURS}


def test_number_of_checks_per_estimator_is_as_expected():
    found = {}
    for one in OURS:
        checks = sequence_checks_generator(one, containers=containers_of_ours(one))
        found.setdefault(type(one).__name__, []).append(len(list(checks)))
    assert found == {
        "RNNClassifier": [77, 77, 77, 56, 77],
        "RNNRegressor": [74, 74, 54, 74],
        "CharVectorizer": [19, 19],
        "WordVectorizer": [19],
        "TextStatisticsVectorizer": [19],
        "Pipeline": [21, 20, 47],
        "StepwiseTransformer": [48],
        "SeriesScaler": [54, 54],
        "ImageFlattener": [23],
        "HopfieldDenoiser": [14],
        "BoltzmannMachine": [13],
        "SeasonalNaiveForecaster": [31],
        "RNNForecaster": [32],
        "SequenceGenerator": [20],
        "SequenceTranslator": [20],
    }
    assert {
        name
        for name in sklearn_rnn.__all__
        if hasattr(getattr(sklearn_rnn, name), "fit")
    } < set(found)


@pytest.mark.slow
@pytest.mark.parametrize(
    "estimator",
    [RNNForecaster(hidden_size=4), RNNForecaster(hidden_size=4, baseline="mean")],
    ids=repr,
)
@pytest.mark.filterwarnings("ignore:the seasonal naive forecast")
def test_forecaster_with_a_baseline_passes_every_check(estimator):
    results = check_sequence_estimator(estimator)
    assert results.counts == {"passed": 32, "failed": 0, "xfail": 0, "skipped": 0}


@pytest.mark.parametrize(
    ("cls", "n_checks"),
    [(Sums, 55), (Bag, 21), (Letters, 19), (Centered, 52), (Drift, 31)],
)
def test_working_third_party_estimator_passes_every_check(cls, n_checks):
    results = check_sequence_estimator(cls(), containers=TAKEN[cls])
    assert results.counts == {
        "passed": n_checks,
        "failed": 0,
        "xfail": 0,
        "skipped": 0,
    }


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
    assert lines[0].startswith(f"{n_checks} checks ran: {n_checks - 3} passed, 1 ")
    assert [line.split(": ")[:2] for line in lines[1:4]] == [
        ["  xfail", "check_input_unchanged(container=ragged)"],
        ["  failed", "check_ragged_containers"],
        ["  xfail", "check_one_feature"],
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


def test_callback_is_called_after_every_check():
    heard = []
    results = check_sequence_estimator(
        Bag(),
        containers=("tokens",),
        on_fail=None,
        callback=lambda **result: heard.append(result),
    )
    assert heard == results
    with pytest.raises(ValueError, match='on_fail="raise" stops at the first'):
        check_sequence_estimator(Bag(), callback=print)


def marked(**options):
    mark = parametrize_with_sequence_checks(
        [Bag(), ClipsItsInput()],
        containers=lambda estimator: TAKEN[find_working_class(type(estimator))],
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
    assert len(values) == 21 + 55
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


def test_pytest_reports_counts_and_reasons_of_skipped_checks(tmp_path):
    (tmp_path / "test_third_party.py").write_text(
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
    assert "34 passed, 2 skipped, 1 xfailed in" in run.stdout
    assert "LogisticRegression does not seem to accept ragged lists" in run.stdout


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


def test_invalid_arguments_raise():
    with pytest.raises(TypeError, match="got the class Sums"):
        check_sequence_estimator(Sums)
    with pytest.raises(ValueError, match="must be a tuple of some of"):
        check_sequence_estimator(Sums(), containers=("4d",))
    with pytest.raises(ValueError, match="'on_fail' parameter"):
        check_sequence_estimator(Sums(), on_fail="ignore")


def test_checks_raise_if_assertions_are_disabled():
    path = PACKAGE / "conformance" / "_api.py"
    optimized = {"__name__": "optimized"}
    exec(compile(path.read_text("utf-8"), path, "exec", optimize=1), optimized)
    with pytest.raises(RuntimeError, match="disabled by python -O"):
        optimized["check_sequence_estimator"](Sums())


def test_conformance_does_not_import_our_estimators():
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
