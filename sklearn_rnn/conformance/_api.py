"""Running the checks: one by one, through pytest, or all with a report."""

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

    ``print(results)`` shows how many checks ran, what failed, and which checks do not
    apply to the estimator, with the reasons.

    Parameters
    ----------
    iterable : iterable of dict, default=()
        Results with the keys ``estimator``, ``check_name``, ``exception``, ``status``
        (one of "passed", "failed", "xfail", "skipped"), ``expected_to_fail`` and
        ``expected_to_fail_reason``, as scikit-learn's ``check_estimator`` has them.
    not_applicable : dict of str to str, default=None
        From names of checks that were not selected for the estimator to the reasons.

    Attributes
    ----------
    not_applicable : dict of str to str
        As given; empty by default.
    """

    def __init__(self, iterable=(), *, not_applicable=None):
        super().__init__(iterable)
        self.not_applicable = dict(not_applicable or {})

    @property
    def counts(self):
        """How many checks passed, failed, failed as expected and were skipped."""
        found = Counter(result["status"] for result in self)
        return {key: found[key] for key in ("passed", "failed", "xfail", "skipped")}

    def summary(self):
        """How many checks ran, which of them failed, and which do not apply and why.

        Checks that do not apply are those that were skipped when they ran and those in
        ``not_applicable``.

        Returns
        -------
        text : str
            A line of counts, a line for each check that failed, and one line for the
            checks that do not apply for the same reason.
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
        groups = {}
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
    """Yield the checks of an estimator one by one.

    Parameters
    ----------
    estimator : estimator object
        The estimator to check, with the settings to check it with. Checks work on
        seeded copies that train for 2 epochs at most.
    containers : tuple of str or None, default=None
        Kinds of X to check: some of "table", "3d", "ragged", "tokens", "text" and
        "series". With None they are found out. An estimator whose ``predict`` needs no
        X is a forecaster of "series". Of others the tags tell, those of the first step
        for a pipeline. No tag exists for ragged lists and tokens, so a small fit tries
        them; if it fails, one check is yielded that is skipped with the error as its
        reason. y has one entry per step if a parameter ``return_sequences`` is True.
    expected_failed_checks : dict or None, default=None
        From names of checks, with or without the container, to reasons.
    mark : {"xfail", "skip"} or None, default=None
        Mark expected failures for pytest, or have them skipped.
    xfail_strict : bool, default=True
        Whether a check that is marked "xfail" and passes is a failure.

    Yields
    ------
    estimator : estimator object
        The one given.
    check : callable
        Called with the estimator, it raises what it finds; ``str(check)`` is its name.

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

    pytest then counts the checks that ran; ``-rs`` shows why any were skipped.

    Parameters
    ----------
    estimators : list of estimators
        Instances, with the settings to check them with.
    containers : tuple of str, callable or None, default=None
        What they take, as for :func:`sequence_checks_generator`; a callable is given
        the estimator.
    expected_failed_checks : callable or None, default=None
        From the estimator to a dict from names of checks to reasons.
    xfail_strict : bool, default=True
        Whether a check that is expected to fail and passes is a failure.

    Returns
    -------
    decorator : pytest.mark.parametrize
        Of the arguments ``estimator`` and ``check``.

    See Also
    --------
    check_sequence_estimator : The same without pytest.

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

    The answer for a sequence may not depend on its container, its padding, its position
    or the other sequences. Input that cannot be read has to raise an error that names
    the sequence. ``fit`` and ``predict`` have to leave input, parameters and global
    random generators unchanged, and a fit that fails has to leave the old answers.

    Parameters
    ----------
    estimator : estimator object
        Instance to check: a classifier, regressor or transformer of sequences, text or
        tables, or a forecaster of series.
    containers : tuple of str or None, default=None
        What it takes, as for :func:`sequence_checks_generator`.
    expected_failed_checks : dict or None, default=None
        From names of checks, with or without the container, to reasons.
    on_skip : {"warn", None}, default="warn"
        Whether a skipped check gives a SkipTestWarning.
    on_fail : {"raise", "warn", None}, default="raise"
        Whether the first failure is raised, or each gives an
        EstimatorCheckFailedWarning, or is just noted.
    callback : callable or None, default=None
        Called with the entries of each result as keyword arguments; needs ``on_fail``
        to be "warn" or None.

    Returns
    -------
    results : CheckResults
        A list of dicts as scikit-learn's ``check_estimator`` returns it.
        ``print(results)`` shows how many checks ran, what failed, and which checks do
        not apply to the estimator and why.

    Raises
    ------
    Exception
        That of the first failure that is not expected, if ``on_fail="raise"``.

    See Also
    --------
    parametrize_with_sequence_checks : The same for pytest.
    sklearn.utils.estimator_checks.check_estimator : Checks on tables.

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
            'a callback hears of every check, but on_fail="raise" ends with the first '
            'that fails. Set on_fail="warn" or None.'
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
    """Why the check is expected to fail, or None."""
    expected = expected or {}
    return expected.get(str(check), expected.get(check.function.__name__))


def _check_preconditions(estimator):
    if not __debug__:
        raise RuntimeError("python -O leaves out every assertion: run checks without.")
    if isinstance(estimator, type):
        raise TypeError(
            f"Checks need an instance, got the class {estimator.__name__}. Give "
            f"{estimator.__name__}() with the settings to check."
        )


def _test_id(argument):
    if isinstance(argument, Check):
        return str(argument)
    with config_context(print_changed_only=True):
        return re.sub(r"\s", "", str(argument))
