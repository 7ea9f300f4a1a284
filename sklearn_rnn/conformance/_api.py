"""Functions that run the checks: one by one, through pytest, or all with a report."""

import re
from collections import Counter
from dataclasses import replace
from unittest import SkipTest

from sklearn import config_context
from sklearn.exceptions import EstimatorCheckFailedWarning, SkipTestWarning

from sklearn_rnn._core.sklearn_private import StrOptions, validate_params
from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn.conformance._selection import Check, select_checks


class CheckResults(list):
    """Results of :func:`check_sequence_estimator`: a list with one dict per check.

    ``print(results)`` shows how many checks ran, which of them failed, and which checks
    do not apply to the estimator and why.

    Parameters
    ----------
    iterable : iterable of dict, default=()
        Results with the keys ``estimator``, ``check_name``, ``exception``, ``status``
        (one of "passed", "failed", "xfail", "skipped"), ``expected_to_fail`` and
        ``expected_to_fail_reason``, as returned by scikit-learn's ``check_estimator``.
    not_applicable : dict of str to str, default=None
        Maps names of checks that do not apply to the estimator to the reasons.

    Attributes
    ----------
    not_applicable : dict of str to str
        The parameter of the same name; empty by default.
    """

    def __init__(self, iterable=(), *, not_applicable=None):
        super().__init__(iterable)
        self.not_applicable = dict(not_applicable or {})

    @property
    def counts(self):
        """Counts of checks that passed, failed, failed as expected or were skipped."""
        found = Counter(result["status"] for result in self)
        return {key: found[key] for key in ("passed", "failed", "xfail", "skipped")}

    def summary(self):
        """Summarize the results as text.

        Checks in ``not_applicable`` and checks that were skipped when they ran are
        both listed as checks that do not apply.

        Returns
        -------
        text : str
            One line with the numbers of checks, one line for each check that failed,
            and one line for each reason why checks do not apply, with their names.
        """
        counts = self.counts
        skipped = counts.pop("skipped")
        listed = ", ".join(f"{count} {status}" for status, count in counts.items())
        lines = [f"{_count_checks(len(self) - skipped)} ran: {listed}"]
        lines += [
            f"  {one['status']}: {one['check_name']}: {_join_lines(one['exception'])}"
            for one in self
            if one["status"] in ("failed", "xfail")
        ]
        groups: dict[str, list[str]] = {}
        for one in self:
            if one["status"] == "skipped":
                reason = _join_lines(one["exception"])
                groups.setdefault(reason, []).append(one["check_name"])
        for name, reason in self.not_applicable.items():
            groups.setdefault(reason, []).append(name)
        if groups:
            total = skipped + len(self.not_applicable)
            lines.append(f"{_count_checks(total)} do{'es' * (total == 1)} not apply:")
        lines += [f"  {why}: {', '.join(names)}" for why, names in groups.items()]
        return "\n".join(lines)

    __str__ = summary


def _count_checks(count):
    return f"{count} check{'s' * (count != 1)}"


def _join_lines(exception):
    return " ".join(str(exception).split())


def sequence_checks_generator(
    estimator,
    *,
    containers=None,
    expected_failed_checks=None,
    mark=None,
    xfail_strict=True,
):
    """Yield the checks that apply to an estimator one by one.

    Parameters
    ----------
    estimator : estimator object
        Instance to check, with the settings to check it with. Checks work on seeded
        copies that train for at most 2 epochs.
    containers : tuple of str or None, default=None
        Kinds of X that the estimator accepts: some of "table", "3d", "ragged",
        "tokens", "text" and "series". With None they are detected as follows. An
        estimator whose ``predict`` does not need X is a forecaster of "series". For
        others, the tags are used; those of the first step for a pipeline. There is no
        tag for ragged lists and tokens, so a small fit tests whether they are accepted.
        If this fit fails, a check is yielded that is skipped with the error as its
        reason. y has one entry per step if a parameter ``return_sequences`` is True.
    expected_failed_checks : dict or None, default=None
        Maps names of checks that are expected to fail, with or without the container,
        to the reasons.
    mark : {"xfail", "skip"} or None, default=None
        Whether checks that are expected to fail are marked as "xfail" for pytest, or
        skipped.
    xfail_strict : bool, default=True
        Whether a check that is marked as "xfail" counts as a failure if it passes.

    Yields
    ------
    estimator : estimator object
        The estimator that was passed.
    check : callable
        Function of the estimator that raises an error if the check fails.
        ``str(check)`` is its name.

    See Also
    --------
    check_sequence_estimator : Runs all checks and returns the results.
    parametrize_with_sequence_checks : Runs all checks in pytest.

    Examples
    --------
    >>> from sklearn_rnn import CharVectorizer
    >>> from sklearn_rnn.conformance import sequence_checks_generator
    >>> for estimator, check in sequence_checks_generator(CharVectorizer()):
    ...     check(estimator)
    """
    _check_preconditions(estimator)
    for check in select_checks(estimator, containers)[0]:
        reason = _expected_failure(check, expected_failed_checks)
        if reason is None or mark is None:
            yield estimator, check
        elif mark == "skip":
            yield estimator, replace(check, skipped_because=reason)
        else:
            import pytest

            xfail = pytest.mark.xfail(reason=reason, strict=xfail_strict)
            yield pytest.param(estimator, check, marks=xfail)


def parametrize_with_sequence_checks(
    estimators, *, containers=None, expected_failed_checks=None, xfail_strict=True
):
    """Decorate a test so that pytest runs it with every check of every estimator.

    pytest then reports each check as one test; with ``-rs`` it shows why checks were
    skipped.

    Parameters
    ----------
    estimators : list of estimators
        Instances to check, with the settings to check them with.
    containers : tuple of str, callable or None, default=None
        Kinds of X that the estimators accept, as for
        :func:`sequence_checks_generator`, or a function of the estimator that returns
        them.
    expected_failed_checks : callable or None, default=None
        Function of the estimator that returns a dict as for
        :func:`sequence_checks_generator`.
    xfail_strict : bool, default=True
        Whether a check that is expected to fail counts as a failure if it passes.

    Returns
    -------
    decorator : pytest.mark.parametrize
        Decorator for a test with the arguments ``estimator`` and ``check``.

    See Also
    --------
    check_sequence_estimator : Runs all checks without pytest.

    Examples
    --------
    >>> from sklearn_rnn import CharVectorizer, RNNClassifier
    >>> from sklearn_rnn.conformance import parametrize_with_sequence_checks
    >>> @parametrize_with_sequence_checks([CharVectorizer(), RNNClassifier()])
    ... def test_sequence_check(estimator, check):
    ...     check(estimator)
    """
    import pytest

    pairs = [
        pair
        for estimator in estimators
        for pair in sequence_checks_generator(
            estimator,
            containers=containers(estimator) if callable(containers) else containers,
            expected_failed_checks=(
                expected_failed_checks and expected_failed_checks(estimator)
            ),
            mark="xfail",
            xfail_strict=xfail_strict,
        )
    ]
    return pytest.mark.parametrize("estimator, check", pairs, ids=_test_id)


@validate_params(
    {
        "containers": [tuple, list, None],
        "expected_failed_checks": [dict, None],
        "on_skip": [StrOptions({"warn"}), None],
        "on_fail": [StrOptions({"raise", "warn"}), None],
        "callback": [callable, None],
    },
    prefer_skip_nested_validation=False,
)
def check_sequence_estimator(
    estimator,
    *,
    containers=None,
    expected_failed_checks=None,
    on_skip="warn",
    on_fail="raise",
    callback=None,
):
    """Check that an estimator handles sequences correctly.

    The prediction for a sequence must not depend on its container, its padding, its
    position or the other sequences. Invalid input must raise an error that names the
    sequence. ``fit`` and ``predict`` must not change their input, parameters or global
    random generators. A fit that fails must leave a fitted estimator unchanged.

    Parameters
    ----------
    estimator : estimator object
        Instance to check: a classifier, regressor or transformer of sequences, text or
        tables, or a forecaster of series.
    containers : tuple of str or None, default=None
        Kinds of X that the estimator accepts, as for
        :func:`sequence_checks_generator`.
    expected_failed_checks : dict or None, default=None
        Maps names of checks that are expected to fail, with or without the container,
        to the reasons.
    on_skip : {"warn", None}, default="warn"
        Whether a skipped check issues a SkipTestWarning.
    on_fail : {"raise", "warn", None}, default="raise"
        Action for a check that fails unexpectedly: raise its error, issue an
        EstimatorCheckFailedWarning, or only record it in the results.
    callback : callable or None, default=None
        Function that is called after each check, with the entries of its result as
        keyword arguments. Requires that ``on_fail`` is "warn" or None.

    Returns
    -------
    results : CheckResults
        List of dicts as returned by scikit-learn's ``check_estimator``.
        ``print(results)`` shows how many checks ran, which of them failed, and which
        checks do not apply to the estimator and why.

    Raises
    ------
    Exception
        Error of the first check that fails unexpectedly, if ``on_fail="raise"``.

    See Also
    --------
    parametrize_with_sequence_checks : Runs all checks in pytest.
    sklearn.utils.estimator_checks.check_estimator : scikit-learn's checks on tables.

    Examples
    --------
    >>> from sklearn_rnn import CharVectorizer
    >>> from sklearn_rnn.conformance import check_sequence_estimator
    >>> results = check_sequence_estimator(CharVectorizer())
    >>> results.counts
    {'passed': 19, 'failed': 0, 'xfail': 0, 'skipped': 0}
    >>> print(results)  # doctest: +ELLIPSIS
    19 checks ran: 19 passed, 0 failed, 0 xfail
    ... checks do not apply:
    ...
    """
    if on_fail == "raise" and callback is not None:
        raise ValueError(
            'callback is called after every check, but on_fail="raise" stops at the '
            'first failure. Set on_fail="warn" or None.'
        )
    _check_preconditions(estimator)
    checks, not_applicable = select_checks(estimator, containers)
    results = CheckResults(not_applicable=not_applicable)
    for check in checks:
        reason = _expected_failure(check, expected_failed_checks)
        status, exception = _outcome(check, estimator, reason)
        if status == "failed" and on_fail == "raise":
            raise exception
        result = {
            "estimator": estimator,
            "check_name": str(check),
            "exception": exception,
            "status": status,
            "expected_to_fail": reason is not None,
            "expected_to_fail_reason": reason or "Check is not expected to fail",
        }
        if status == "skipped" and on_skip == "warn":
            warn_user(f"Skipping {check}: {exception}", SkipTestWarning)
        if status in ("failed", "xfail") and on_fail == "warn":
            warn_user(EstimatorCheckFailedWarning(**result))
        results.append(result)
        if callback is not None:
            callback(**result)
    return results


def _outcome(check, estimator, reason):
    try:
        check(estimator)
    except SkipTest as skip:
        return "skipped", skip
    except Exception as error:
        return ("failed" if reason is None else "xfail"), error
    return "passed", None


def _expected_failure(check, expected):
    """Return the reason why the check is expected to fail, or None."""
    expected = expected or {}
    return expected.get(str(check), expected.get(check.function.__name__))


def _check_preconditions(estimator):
    if not __debug__:
        raise RuntimeError(
            "Assertions are disabled by python -O, so checks cannot fail. Run Python "
            "without -O."
        )
    if isinstance(estimator, type):
        raise TypeError(
            f"estimator must be an instance, got the class {estimator.__name__}. Pass "
            f"{estimator.__name__}() with the settings to check."
        )


def _test_id(argument):
    if isinstance(argument, Check):
        return str(argument)
    with config_context(print_changed_only=True):
        return re.sub(r"\s", "", str(argument))
