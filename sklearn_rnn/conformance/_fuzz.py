"""Fuzzer: seeded calls of an estimator with data and parameters of many kinds."""

import sys
import warnings
from collections import Counter
from dataclasses import dataclass, field
from inspect import signature
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.utils import get_tags

from sklearn_rnn._core.sklearn_private import (
    Interval,
    StrOptions,
    _num_samples,
    validate_params,
)
from sklearn_rnn.conformance._fuzz_data import kinds_of_X, kinds_of_y
from sklearn_rnn.conformance._fuzz_guards import (
    CallTooLongError,
    find_fault_of_error,
    find_foreign_warning,
    hash_input,
    holds_nan,
    is_changed,
    is_finite,
    limit_time,
    read_global_state,
    remember_input,
)
from sklearn_rnn.conformance._fuzz_parameters import draw_parameters
from sklearn_rnn.conformance._harness import prepare

FITS = ("fit", "partial_fit", "fit_transform", "fit_predict")
ANSWERS = (
    *("predict", "predict_proba", "predict_log_proba", "decision_function"),
    *("transform", "score", "score_samples", "inverse_transform"),
)
FAMILIAR = {
    True: ("texts", "lists of tokens", "tokens", "frame of texts"),
    False: (
        *("float64 array (10, 6)", "float64 array (10, 4, 2)", "ragged", "tokens"),
        *("frame", "bits", "long series", "panel", "padded array", "object array"),
    ),
}


@dataclass(frozen=True)
class FuzzFailure:
    """One fault of one call."""

    case: int
    call: str
    fault: str

    def __str__(self):
        return f"case {self.case}: {self.call}: {self.fault}"


@dataclass
class FuzzReport:
    """Result of :func:`fuzz_estimator`.

    Parameters
    ----------
    estimator : estimator object
        The estimator that was passed.
    random_state : int
        The seed.
    n_calls : int
        Number of calls.
    n_cases : int
        Number of cases, each with a new copy of the estimator.
    outcomes : collections.Counter
        Number of calls that returned ("answered") and of calls that raised a proper
        error ("refused").
    failures : list of FuzzFailure
        Faults in the order of their cases, each with the attributes ``case``, ``call``
        and ``fault``.
    """

    estimator: object
    random_state: int
    n_calls: int = 0
    n_cases: int = 0
    outcomes: Counter = field(default_factory=Counter)
    failures: list = field(default_factory=list)

    def summary(self):
        """Summarize the results as text.

        Returns
        -------
        text : str
            One line with the counts, and one line for each distinct fault with a case
            that reproduces it.
        """
        name = type(self.estimator).__name__
        lines = [
            f"{name}: {self.n_calls} calls in {self.n_cases} cases: "
            f"{self.outcomes['answered']} returned, {self.outcomes['refused']} raised "
            f"a proper error, {len(self.failures)} failures"
        ]
        first: dict[Any, Any] = {}
        counts: Counter[Any] = Counter()
        for failure in self.failures:
            first.setdefault(failure.fault, failure)
            counts[failure.fault] += 1
        lines += [f"{counts[fault]} x {one}" for fault, one in first.items()]
        if self.failures:
            case = self.failures[0].case
            lines.append(
                f"Repeat a case with fuzz_estimator(estimator, cases=[{case}], "
                f"random_state={self.random_state})."
            )
        return "\n".join(lines)

    def __str__(self):
        return self.summary()


@validate_params(
    {
        "n_calls": [Interval(Integral, 1, None, closed="left")],
        "random_state": [Interval(Integral, 0, None, closed="left")],
        "cases": ["array-like", None],
        "time_limit": [Interval(Real, 0, None, closed="neither")],
        "on_fail": [StrOptions({"raise"}), None],
    },
    prefer_skip_nested_validation=False,
)
def fuzz_estimator(
    estimator,
    *,
    n_calls=500,
    random_state=0,
    cases=None,
    time_limit=20.0,
    on_fail="raise",
):
    """Call an estimator with valid, unusual and invalid data and report faults.

    Each case makes a copy of the estimator and may set up to 3 parameters to values at
    or beyond their limits. It then calls ``fit``, ``predict``, ``transform`` and
    similar methods with data drawn from about 260 kinds of X and 45 kinds of y. A call
    is a failure if

    - it raises an error other than ValueError, TypeError, NotFittedError or
      MemoryError (or OSError with the name of a file, if ``input="filename"``),
    - it raises an error whose message does not name an argument, row or parameter,
    - it returns values that are not finite for finite data,
    - it is a fit that fails and changes the estimator: the attributes of an unfitted
      one, or the predictions of a fitted one,
    - a warning of numpy, torch or another library reaches the caller,
    - it changes its input or the parameters,
    - it changes global state: random generators, the number of threads, the default
      dtype and the grad mode of torch, ``np.seterr`` or the warning filters,
    - it takes longer than ``time_limit``.

    Parameters
    ----------
    estimator : estimator object
        Instance to test, with the settings to start from. Copies train for at most 2
        epochs.
    n_calls : int, default=500
        Minimum number of calls. The last case is always completed.
    random_state : int, default=0
        Seed of all data, parameters and calls.
    cases : array-like of int or None, default=None
        Numbers of the cases to run, to reproduce failures. With None, cases 0, 1, 2,
        ... run until there are ``n_calls`` calls.
    time_limit : float, default=20.0
        Maximum duration of a call in seconds. A call that takes longer is interrupted
        by a signal, as soon as it runs Python code. There is no limit outside the main
        thread and on Windows.
    on_fail : {"raise", None}, default="raise"
        Whether failures raise an AssertionError at the end or are only reported.

    Returns
    -------
    report : FuzzReport
        Counts and failures, which ``print(report)`` shows.

    Raises
    ------
    AssertionError
        If there are failures and ``on_fail="raise"``. The message is the report.

    See Also
    --------
    check_sequence_estimator : Checks that predictions are correct and consistent.

    Notes
    -----
    A case depends only on ``random_state`` and its number. Values of parameters are
    derived from ``_parameter_constraints`` if the estimator has this attribute.

    Examples
    --------
    >>> from sklearn_rnn import CharVectorizer
    >>> from sklearn_rnn.conformance import fuzz_estimator
    >>> report = fuzz_estimator(CharVectorizer(), n_calls=20)
    >>> len(report.failures)
    0
    """
    report = FuzzReport(estimator, int(random_state))
    numbers = iter(range(10**9)) if cases is None else iter(np.asarray(cases).tolist())
    for case in numbers:
        if cases is None and report.n_calls >= n_calls:
            break
        _Case(report, case, time_limit).run()
        report.n_cases += 1
    if report.failures and on_fail == "raise":
        raise AssertionError(report.summary())
    return report


class _Case:
    """A copy of an estimator and the calls of its methods."""

    def __init__(self, report, case, time_limit):
        self.report, self.case, self.time_limit = report, case, time_limit
        self.rng = np.random.default_rng([report.random_state, case])
        self.model = prepare(report.estimator)
        self.familiar = FAMILIAR[bool(get_tags(self.model).input_tags.string)]
        self.makers, (self.good, self.odd) = kinds_of_X(), kinds_of_y()
        self.targets = self._list_targets()
        self.is_classifier = is_classifier(self.model)
        self.changes = draw_parameters(self.model, self.rng)
        self.probe = None  # a method, an X and the output for it

    def run(self):
        try:
            self.model.set_params(**self.changes)
            self.model = clone(self.model)
        except Exception as error:  # a constructor that copies or converts
            self._note("set_params", f"raised {type(error).__name__}: {error}")
            return
        x_kind, y_kind = self._draw_X(), self._draw_y()
        self._fit("fit", x_kind, y_kind)
        for kind in (x_kind, self._draw_X()):
            self._answer(kind, y_kind)
        fits = self._list_methods(FITS)
        name = fits[self.rng.integers(len(fits))]
        self._fit(name, self._draw_X(), self._draw_y())
        self._answer(self._draw_X(), y_kind)

    def _draw_X(self):
        names = self.familiar if self.rng.random() < 0.5 else list(self.makers)
        return names[self.rng.integers(len(names))]

    def _draw_y(self):
        if self.rng.random() < 0.3:
            return list(self.odd)[self.rng.integers(len(self.odd))]
        return self.targets[self.rng.integers(len(self.targets))]

    def _list_targets(self):
        """List the kinds of y that the estimator should accept."""
        if self.model.get_params().get("return_sequences"):
            return ["labels per step", "per step"]
        if is_classifier(self.model):
            return ["labels", "three labels", "string labels", "indicators"]
        if is_regressor(self.model):
            return ["numbers", "several outputs"]
        return list(self.good)

    def _list_methods(self, names):
        """Select the names that are methods of the estimator."""
        parameters = self.model.get_params(deep=False)
        return [
            name
            for name in names
            if name not in parameters and callable(getattr(self.model, name, None))
        ]

    def _make(self, x_kind, y_kind):
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            X = self.makers[x_kind](self.rng)
            try:
                n = _num_samples(X)
            except Exception:  # X has no length
                n = 10
            return X, (self.good | self.odd)[y_kind](self.rng, min(n, 200))

    # ---------------------------------------------------------------- calls

    def _fit(self, method, x_kind, y_kind):
        X, y = self._make(x_kind, y_kind)
        before = dict(vars(self.model))
        options = {}
        if method == "partial_fit" and self.is_classifier:
            options["classes"] = [0, 1]
        call = f"{method}({x_kind}, {y_kind})"
        failed, _ = self._call(call, method, X, y, **options)
        if not failed:
            self.probe = None
            return
        if self.probe is None and method in ("fit", "partial_fit"):
            traces = sorted(before.keys() ^ vars(self.model).keys())
            if traces:
                self._note(call, f"a failed fit changes the attributes {traces}")
        if self.probe is None:
            return
        name, X, expected = self.probe
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            again = getattr(self.model, name)(X)
        if hash_input(again) != hash_input(expected):
            self._note(call, f"a failed fit changes the output of {name}")

    def _answer(self, x_kind, y_kind):
        methods = self._list_methods(ANSWERS)
        if not methods:
            return
        method = methods[self.rng.integers(len(methods))]
        X, y = self._make(x_kind, y_kind)
        given = (X, y) if method == "score" else (X,)
        call = f"{method}({x_kind}{', ' + y_kind if method == 'score' else ''})"
        failed, answer = self._call(call, method, *given)
        if failed or method in ("score", "inverse_transform"):
            return
        if is_finite(X) and holds_nan(answer):
            self._note(call, "the output for finite data is not finite")
        if not hasattr(X, "__next__"):
            self.probe = method, X, answer

    def _call(self, call, method, *given, **options):
        """Return whether a call failed, and its output."""
        self.report.n_calls += 1
        state, copies = read_global_state(), [remember_input(x) for x in given]
        parameters = self.model.get_params(deep=False)
        error = answer = None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            filters = list(warnings.filters)
            try:
                with limit_time(self.time_limit):
                    answer = getattr(self.model, method)(*given, **options)
            except (Exception, CallTooLongError) as raised:
                error = raised
            if filters != warnings.filters and state["modules"] == len(sys.modules):
                self._note(call, "changes the warning filters")
        self._compare(call, state, copies, given, parameters)
        fault = find_foreign_warning(caught)
        if fault:
            self._note(call, fault)
        if error is None:
            self.report.outcomes["answered"] += 1
            return False, answer
        names = [*parameters, *signature(getattr(self.model, method)).parameters]
        reads_files = parameters.get("input") == "filename"
        fault = find_fault_of_error(error, names, reads_files)
        if fault:
            self._note(call, fault)
        else:
            self.report.outcomes["refused"] += 1
        return True, None

    def _compare(self, call, state, copies, given, parameters):
        """Record changes of global state, input and parameters by a call."""
        after = read_global_state()
        for name in state.keys() - {"modules"}:
            if state[name] != after[name]:
                self._note(call, f"changes the {name}")
        for value, copy in zip(given, copies, strict=True):
            if is_changed(value, copy):
                self._note(call, "changes its input")
        now = self.model.get_params(deep=False)
        changed = [name for name in parameters if now[name] is not parameters[name]]
        if changed:
            self._note(call, f"changes the parameters {changed}")

    def _note(self, call, fault):
        if self.changes:
            shown = ", ".join(f"{k}={v!r:.60}" for k, v in self.changes.items())
            call = f"{call} with {shown}"
        self.report.failures.append(FuzzFailure(self.case, call, fault))
