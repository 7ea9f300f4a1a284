"""Rules that determine to which containers and estimators each check applies."""

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter, signature

from sklearn.base import is_classifier, is_regressor
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

from sklearn_rnn.conformance import (
    _checks_all,
    _checks_numbers,
    _checks_series,
    _checks_streams,
    _checks_text,
    _checks_tokens,
    _checks_transformers,
)
from sklearn_rnn.conformance._examples import example, targets
from sklearn_rnn.conformance._harness import collect_answers, fit_copy, has_method

CONTAINERS = ("table", "3d", "ragged", "tokens", "text", "series")
STEPS = ("3d", "ragged")
NUMBERS = (*STEPS, "series")


def find_first_step(estimator):
    """Find the estimator that receives X: a pipeline's first step, or itself."""
    while isinstance(estimator, Pipeline):
        steps = [step for _, step in estimator.steps if hasattr(step, "fit")]
        if not steps:  # all steps are "passthrough"
            break
        estimator = steps[0]
    return estimator


def predicts_from_past(estimator):
    """Return whether ``predict()`` needs no X: it continues the series of fit."""
    if not has_method(estimator, "predict"):
        return False
    parameters = list(signature(estimator.predict).parameters.values())
    return bool(parameters) and parameters[0].default is not Parameter.empty


# ------------------------------------------------------------- requirements of checks
# Functions of the estimator and its containers that return None if the estimator meets
# the requirement, and otherwise the reason why the check does not apply.


def needs_fit(estimator, taken):
    return None if get_tags(estimator).requires_fit else "its tags say it needs no fit"


def needs_validation(estimator, taken):
    """Read the tag of the first step, which receives the input."""
    unchecked = get_tags(find_first_step(estimator)).no_validation
    return "its tags say no_validation" if unchecked else None


def needs_refusal_of_nan(estimator, taken):
    allowed = get_tags(find_first_step(estimator)).input_tags.allow_nan
    return "its tags allow NaN" if allowed else None


def needs_refusal_of_infinity(estimator, taken):
    """Require an error for infinity; forecasters read only NaN as missing."""
    return None if "series" in taken else needs_refusal_of_nan(estimator, taken)


def needs_missing_values(estimator, taken):
    allowed = get_tags(find_first_step(estimator)).input_tags.allow_nan
    return None if allowed else "its tags do not allow NaN"


def needs_classifier(estimator, taken):
    return None if is_classifier(estimator) else "it is not a classifier"


def needs_transformer(estimator, taken):
    predicts = is_classifier(estimator) or is_regressor(estimator)
    if has_method(estimator, "transform") and not predicts:
        return None
    return "it is not a transformer"


def needs_weights(estimator, taken):
    weighted = has_fit_parameter(estimator, "sample_weight")
    return None if weighted else "its fit has no parameter sample_weight"


def needs_known_past(estimator, taken):
    return None if predicts_from_past(estimator) else "its predict needs X"


def needs_horizon(estimator, taken):
    parameters = signature(estimator.predict).parameters
    return None if "horizon" in parameters else "its predict has no parameter horizon"


def needs_any_length(estimator, taken):
    """Require sequences of any length, unlike arrays of one shape such as images."""
    if "3d" not in taken or "ragged" in taken:
        return None
    X = example("3d")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = fit_copy(estimator, X, targets(estimator, "3d"))
            collect_answers(model, X[:, :-1])
        except ValueError as error:
            lengths = {str(X.shape[1]), str(X.shape[1] - 1)}
            if lengths <= set(re.findall(r"\d+", str(error))):
                return f"it accepts arrays of one length only ({error})"
        except Exception:  # check_other_lengths reports it
            return None
    return None


def needs_method(method):
    def need(estimator, taken):
        has_it = has_method(estimator, method)
        return None if has_it else f"it has no method {method}"

    return need


# ------------------------------------------------------------- the rules


@dataclass(frozen=True)
class Rule:
    """A check and the containers and estimators to which it applies.

    The check runs once per container in ``containers`` that the estimator accepts; None
    stands for one run without a container. The estimator must also accept all
    containers in ``also`` and meet all requirements in ``needs``.
    """

    function: Callable
    containers: tuple = (None,)
    needs: tuple = ()
    also: tuple = ()

    def find_reason_against(self, estimator, taken):
        """Find the reason why the check does not apply; None if it does."""
        lacking = [container for container in self.also if container not in taken]
        if not any(container in (None, *taken) for container in self.containers):
            lacking += self.containers
        if lacking:
            return f"it is not checked with {' or '.join(lacking)}"
        reasons = (need(estimator, taken) for need in self.needs)
        return next((reason for reason in reasons if reason), None)


GENERAL = (
    Rule(_checks_all.check_fit_and_answer, CONTAINERS),
    Rule(_checks_all.check_subset_invariance, CONTAINERS),
    Rule(_checks_all.check_order_invariance, CONTAINERS),
    Rule(_checks_all.check_answers_keep_no_state, CONTAINERS),
    Rule(_checks_all.check_answers_set_no_attribute, CONTAINERS),
    Rule(_checks_all.check_input_unchanged, CONTAINERS),
    Rule(_checks_all.check_parameters_unchanged, CONTAINERS),
    Rule(_checks_all.check_pickle_and_clone, CONTAINERS),
    Rule(_checks_all.check_refit_forgets, CONTAINERS),
    Rule(_checks_all.check_failed_fit_leaves_no_trace, CONTAINERS, (needs_validation,)),
    Rule(_checks_all.check_same_seed_same_bits, CONTAINERS),
    Rule(_checks_all.check_global_generators_untouched, CONTAINERS),
    Rule(_checks_all.check_unfitted_refused, CONTAINERS, (needs_fit,)),
    Rule(_checks_all.check_cross_validation, CONTAINERS, (needs_method("predict"),)),
    Rule(_checks_all.check_zero_weight_leaves_out, CONTAINERS, (needs_weights,)),
    Rule(_checks_all.check_string_labels, CONTAINERS, (needs_classifier,)),
)

INVERTIBLE = (needs_transformer, needs_method("inverse_transform"))
NOT_NAN = (needs_validation, needs_refusal_of_nan)
NOT_INFINITY = (needs_validation, needs_refusal_of_infinity)
OF_NUMBERS = (
    Rule(_checks_numbers.check_other_lengths, STEPS, (needs_any_length,)),
    Rule(_checks_numbers.check_other_features_refused, NUMBERS, (needs_validation,)),
    Rule(_checks_numbers.check_nan_refused, NUMBERS, NOT_NAN),
    Rule(_checks_numbers.check_infinity_refused, NUMBERS, NOT_INFINITY),
    Rule(_checks_numbers.check_complex_refused, NUMBERS, (needs_validation,)),
    Rule(_checks_numbers.check_junk_refused, NUMBERS, (needs_validation,)),
    Rule(_checks_numbers.check_empty_sequence_refused, NUMBERS, (needs_validation,)),
    Rule(
        _checks_numbers.check_table_as_sequences,
        STEPS,
        (needs_any_length,),
        also=("table",),
    ),
    Rule(_checks_transformers.check_transform_keeps_steps, STEPS, (needs_transformer,)),
    Rule(_checks_transformers.check_inverse_transform, STEPS, INVERTIBLE),
    Rule(_checks_streams.check_stream, ("ragged", "series"), (needs_method("stream"),)),
)
UPDATED = (needs_known_past, needs_method("update"))
GAPS = (needs_missing_values,)
ONCE = (
    Rule(_checks_numbers.check_ragged_containers, also=("ragged",)),
    Rule(_checks_numbers.check_ragged_series, also=("ragged",)),
    Rule(_checks_numbers.check_one_feature, also=("ragged",)),
    Rule(_checks_numbers.check_mixed_features_refused, also=("ragged",)),
    Rule(_checks_numbers.check_more_padding, also=("3d",)),
    Rule(_checks_numbers.check_equal_lengths_as_array, also=STEPS),
    Rule(_checks_numbers.check_padding_as_ragged, also=STEPS),
    Rule(
        _checks_transformers.check_transform_keeps_padding,
        needs=(needs_transformer,),
        also=("3d",),
    ),
    Rule(_checks_tokens.check_tokens_are_names, also=("tokens",)),
    Rule(_checks_tokens.check_tokens_in_parts, also=("tokens",)),
    Rule(_checks_tokens.check_token_padding, also=("tokens",)),
    Rule(_checks_tokens.check_other_vocabulary_refused, also=("tokens",)),
    Rule(_checks_tokens.check_broken_codes_refused, also=("tokens",)),
    Rule(_checks_text.check_text_containers, also=("text",)),
    Rule(_checks_text.check_text_series, also=("text",)),
    Rule(_checks_text.check_bare_string_refused, also=("text",)),
    Rule(_checks_text.check_non_text_refused, also=("text",)),
    Rule(_checks_text.check_empty_document, also=("text",)),
    Rule(_checks_text.check_unseen_characters, also=("text",)),
    Rule(_checks_series.check_series_containers, also=("series",)),
    Rule(_checks_series.check_series_as_array, also=("series",)),
    Rule(_checks_series.check_series_padding, also=("series",)),
    Rule(_checks_series.check_one_series, also=("series",)),
    Rule(_checks_series.check_one_channel, also=("series",)),
    Rule(_checks_series.check_series_frames, also=("series",)),
    Rule(_checks_series.check_known_past, needs=(needs_known_past,), also=("series",)),
    Rule(_checks_series.check_horizon, needs=(needs_horizon,), also=("series",)),
    Rule(_checks_series.check_update, needs=UPDATED, also=("series",)),
    Rule(
        _checks_series.check_failed_update_leaves_no_trace,
        needs=UPDATED,
        also=("series",),
    ),
    Rule(_checks_series.check_missing_values, needs=GAPS, also=("series",)),
    Rule(_checks_series.check_unknown_series_refused, needs=GAPS, also=("series",)),
)
