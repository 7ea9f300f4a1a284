"""Selection of the checks for an estimator by its tags, methods and small fits."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from unittest import SkipTest

from sklearn.utils import get_tags

from sklearn_rnn.conformance import _checks_all, _checks_tokens
from sklearn_rnn.conformance._examples import example, targets
from sklearn_rnn.conformance._harness import collect_answers, fit_copy
from sklearn_rnn.conformance._rules import (
    CONTAINERS,
    GENERAL,
    OF_NUMBERS,
    ONCE,
    find_first_step,
    predicts_from_past,
)


@dataclass(frozen=True)
class Check:
    """A check of one container, called with the estimator.

    As a string it is the name of the check with the container.
    """

    function: Callable
    name: str
    container: str | None = None
    skipped_because: str | None = None

    def __str__(self):
        container = f"(container={self.container})" if self.container else ""
        return self.function.__name__ + container

    def __call__(self, estimator):
        if self.skipped_because:
            raise SkipTest(self.skipped_because)
        options = {"container": self.container} if self.container else {}
        return self.function(self.name, estimator, **options)


def select_checks(estimator, containers=None):
    """Select checks for the containers, or for those that the estimator accepts.

    Returns
    -------
    checks : list of Check
        Checks that apply, and a skipped check for each container that is rejected.
    not_applicable : dict of str to str
        Maps names of all other checks to the reasons why they do not apply.
    """
    name = type(estimator).__name__
    if containers is None:
        refusals = guess_containers(estimator)
    else:
        refusals = dict.fromkeys(check_containers(containers))
    taken = [container for container, refusal in refusals.items() if refusal is None]
    # scikit-learn's check_estimator covers tables if there are checks of sequences
    general = taken if taken == ["table"] else [c for c in taken if c != "table"]
    not_applicable = {}

    def apply(rules, taken):
        order = [None, *taken]
        pairs = []
        for rule in rules:
            reason = rule.find_reason_against(estimator, taken)
            if reason is not None:
                not_applicable[rule.function.__name__] = reason
                continue
            pairs += [(rule.function, c) for c in rule.containers if c in order]
        pairs.sort(key=lambda pair: order.index(pair[1]))
        return [Check(function, name, container) for function, container in pairs]

    refused = [
        Check(_checks_all.check_fit_and_answer, name, container, refusal)
        for container, refusal in refusals.items()
        if refusal is not None
    ]
    checks = [
        *apply(GENERAL, general),
        *refused,
        *apply(OF_NUMBERS, taken),
        *apply(ONCE, taken),
    ]
    return checks, not_applicable


def check_containers(containers):
    unknown = [c for c in containers if c not in CONTAINERS]
    if unknown or isinstance(containers, str):
        raise ValueError(
            f"containers must be a tuple of some of {CONTAINERS}. Got {containers!r}."
        )
    return containers


def guess_containers(estimator):
    """Map containers to None, or to the reason why they seem not to be accepted.

    A forecaster is recognized by a ``predict`` that does not need X. scikit-learn has
    no tags for ragged lists and tokens, so a small fit tests whether they are accepted.
    """
    if predicts_from_past(estimator):
        return {"series": None}
    tags = get_tags(find_first_step(estimator)).input_tags
    if tags.string:
        return {"text": None}
    by_tag = {"table": tags.two_d_array, "3d": tags.three_d_array}
    refusals = {container: None for container, takes in by_tag.items() if takes}
    for container, what in (("ragged", "ragged lists"), ("tokens", "tokens")):
        refusal = find_rejection(estimator, container)
        if refusal is not None:
            refusal = (
                f"{type(estimator).__name__} does not seem to accept {what} "
                f'({refusal}); containers=("{container}", ...) requires it'
            )
        refusals[container] = refusal
    return refusals


def find_rejection(estimator, container):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            y = targets(estimator, container)
            model = fit_copy(estimator, example(container), y)
            collect_answers(model, example(container))
        except Exception as error:  # other libraries raise various errors
            return f"{type(error).__name__}: {error}"
        if container == "tokens":
            try:
                _checks_tokens.check_other_vocabulary_refused("", estimator)
            except AssertionError:
                return "it accepts codes of any vocabulary as plain integers"
    return None
