"""Which checks an estimator gets: by its tags, its methods and small fits."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from unittest import SkipTest

from sklearn.base import is_classifier, is_regressor
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

from sklearn_rnn.conformance import (
    _checks_all,
    _checks_numbers,
    _checks_text,
    _checks_tokens,
    _checks_transformers,
)
from sklearn_rnn.conformance._examples import example, targets
from sklearn_rnn.conformance._harness import collect_answers, fit_copy

CONTAINERS = ("table", "3d", "ragged", "tokens", "text")


@dataclass(frozen=True)
class Check:
    """A check that lacks only the estimator; as a string, its full name."""

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


def checks_of(estimator, containers=None):
    """Yield every check for the containers, or for those that it seems to take."""
    name = type(estimator).__name__
    if containers is None:
        refusals = guess_containers(estimator)
    else:
        refusals = dict.fromkeys(check_containers(containers))
    taken = [container for container, refusal in refusals.items() if refusal is None]
    for container, refusal in refusals.items():
        if refusal is not None:
            first = _checks_all.check_fit_and_answer
            yield Check(first, name, container, skipped_because=refusal)
        elif container != "table":
            for function in _general_checks(estimator):
                yield Check(function, name, container)
    for function, container in _particular_checks(estimator, set(taken)):
        yield Check(function, name, container)


def check_containers(containers):
    unknown = [c for c in containers if c not in CONTAINERS]
    if unknown or isinstance(containers, str):
        raise ValueError(
            f"containers={containers!r} must be a tuple of some of {CONTAINERS}."
        )
    return containers


def _first_step(estimator):
    """The estimator that meets X first: for a pipeline its first step."""
    while isinstance(estimator, Pipeline):
        steps = [step for _, step in estimator.steps if hasattr(step, "fit")]
        if not steps:  # they are all "passthrough"
            break
        estimator = steps[0]
    return estimator


def guess_containers(estimator):
    """From container to None, or to the reason why it seems not to be taken.

    scikit-learn has no tag for ragged lists and none for tokens: a small fit tells.
    """
    tags = get_tags(_first_step(estimator)).input_tags
    if tags.string:
        return {"text": None}
    by_tag = {"table": tags.two_d_array, "3d": tags.three_d_array}
    refusals = {container: None for container, takes in by_tag.items() if takes}
    for container, what in (("ragged", "ragged lists"), ("tokens", "tokens")):
        refusal = find_rejection(estimator, container)
        if refusal is not None:
            refusal = (
                f"{type(estimator).__name__} seems not to take {what} ({refusal}); "
                f'containers=("{container}", ...) demands it'
            )
        refusals[container] = refusal
    return refusals


def find_rejection(estimator, container):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = fit_copy(estimator, example(container), targets(estimator))
            collect_answers(model, example(container))
        except Exception as error:  # strangers refuse in many ways
            return f"{type(error).__name__}: {error}"
        if container == "tokens":
            try:
                _checks_tokens.check_other_vocabulary_refused("", estimator)
            except AssertionError:
                return "it reads them as plain integers, of any vocabulary"
    return None


def _general_checks(estimator):
    yield _checks_all.check_fit_and_answer
    yield _checks_all.check_subset_invariance
    yield _checks_all.check_order_invariance
    yield _checks_all.check_answers_keep_no_state
    yield _checks_all.check_answers_set_no_attribute
    yield _checks_all.check_input_unchanged
    yield _checks_all.check_parameters_unchanged
    yield _checks_all.check_pickle_and_clone
    yield _checks_all.check_refit_forgets
    yield _checks_all.check_same_seed_same_bits
    yield _checks_all.check_global_generators_untouched
    if get_tags(estimator).requires_fit:
        yield _checks_all.check_unfitted_refused
    if hasattr(estimator, "predict"):
        yield _checks_all.check_cross_validation
    if has_fit_parameter(estimator, "sample_weight"):
        yield _checks_all.check_zero_weight_leaves_out
    if is_classifier(estimator):
        yield _checks_all.check_string_labels


def _particular_checks(estimator, taken):
    """Pairs of a check and its container, or None if it has only one."""
    for container in ("3d", "ragged"):
        if container in taken:
            yield _checks_numbers.check_other_lengths, container
            for function in _refusal_checks(estimator):
                yield function, container
            if "table" in taken:
                yield _checks_numbers.check_table_as_sequences, container
            for function in _stepwise_checks(estimator):
                yield function, container
    if "ragged" in taken:
        yield _checks_numbers.check_ragged_containers, None
        yield _checks_numbers.check_ragged_series, None
        yield _checks_numbers.check_one_feature, None
        yield _checks_numbers.check_mixed_features_refused, None
    if "3d" in taken:
        yield _checks_numbers.check_more_padding, None
    if taken >= {"3d", "ragged"}:
        yield _checks_numbers.check_equal_lengths_as_array, None
        yield _checks_numbers.check_padding_as_ragged, None
    if "3d" in taken and _is_transformer(estimator):
        yield _checks_transformers.check_transform_keeps_padding, None
    if "tokens" in taken:
        yield _checks_tokens.check_tokens_are_names, None
        yield _checks_tokens.check_tokens_in_parts, None
        yield _checks_tokens.check_token_padding, None
        yield _checks_tokens.check_other_vocabulary_refused, None
        yield _checks_tokens.check_broken_codes_refused, None
    if "text" in taken:
        yield _checks_text.check_text_containers, None
        yield _checks_text.check_text_series, None
        yield _checks_text.check_bare_string_refused, None
        yield _checks_text.check_non_text_refused, None
        yield _checks_text.check_empty_document, None
        yield _checks_text.check_unseen_characters, None


def _refusal_checks(estimator):
    tags = get_tags(_first_step(estimator))
    if tags.no_validation:
        return
    yield _checks_numbers.check_other_features_refused
    if not tags.input_tags.allow_nan:
        yield _checks_numbers.check_nan_refused
        yield _checks_numbers.check_infinity_refused
    yield _checks_numbers.check_complex_refused
    yield _checks_numbers.check_junk_refused
    yield _checks_numbers.check_empty_sequence_refused


def _is_transformer(estimator):
    predicts = is_classifier(estimator) or is_regressor(estimator)
    return hasattr(estimator, "transform") and not predicts


def _stepwise_checks(estimator):
    if _is_transformer(estimator):
        yield _checks_transformers.check_transform_keeps_steps
        if hasattr(estimator, "inverse_transform"):
            yield _checks_transformers.check_inverse_transform
