"""SearchOptions: arguments of a call, and parameters of the translator."""

from types import SimpleNamespace

import numpy as np
import pytest

from sklearn_rnn.translation._options import SearchOptions


def options(parameters=(), **given):
    translator = {"beam_size": 2, "length_penalty": 0.5, "max_length": 9}
    translator |= {"max_length_": 5, "copy_unknown": False} | dict(parameters)
    return SearchOptions.from_call(SimpleNamespace(**translator), **given)


def test_parameters_are_the_defaults_of_a_call():
    assert options() == SearchOptions(9, beam_size=2, length_penalty=0.5)


def test_arguments_of_a_call_override_the_parameters():
    given = {"beam_size": 3, "length_penalty": 0.0, "max_length": 4}
    assert options(**given) == SearchOptions(4, beam_size=3, length_penalty=0.0)
    assert options({"beam_size": None}, beam_size=np.int64(3)).beam_size == 3


@pytest.mark.parametrize(("longest", "expected"), [(1, 2), (4, 6), (5, 8)])
def test_the_default_length_is_one_and_a_half_times_the_longest(longest, expected):
    parameters = {"max_length": None, "max_length_": longest}
    assert options(parameters).max_length == expected


def test_the_beam_has_at_least_n_hypotheses():
    assert options(n=7).beam_size == 7
    assert options(n=7).n_best == 7
    assert options(n=1).beam_size == 2


def test_attention_is_kept_to_be_returned_or_to_copy_words():
    assert not options().keep_attention
    assert options(return_attention=True) == SearchOptions(9, 2, 0.5, 1, True, False)
    assert options({"copy_unknown": True}) == SearchOptions(9, 2, 0.5, 1, True, True)


@pytest.mark.parametrize("value", [0, -1, 2.5, True, "3"], ids=str)
@pytest.mark.parametrize("name", ["beam_size", "max_length", "n"])
def test_counts_are_positive_integers(name, value):
    message = f"^{name} must be an integer of at least 1.*, got {value!r}"
    with pytest.raises(ValueError, match=message):
        options(**{name: value})


@pytest.mark.parametrize("value", [-0.1, np.nan, np.inf, True, "1"], ids=str)
def test_the_length_penalty_is_a_number_that_is_not_negative(value):
    with pytest.raises(ValueError, match="length_penalty must be a number"):
        options(length_penalty=value)


def test_parameters_that_were_set_after_fit_are_checked_too():
    with pytest.raises(ValueError, match="beam_size must be an integer"):
        options({"beam_size": 0})


@pytest.mark.parametrize(
    "given",
    [
        {"beam_size": 2**31 - 1},
        {"n": 2**20},
        {"max_length": 10**30},
        {"length_penalty": 1e300},
    ],
    ids=str,
)
def test_options_that_a_search_cannot_honour_are_errors(given):
    (name,) = given
    with pytest.raises(ValueError, match=rf"{name} must be .* at most"):
        options(**given)
