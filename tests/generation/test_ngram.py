"""Interpolated Witten-Bell n-gram models."""

import pickle
from collections import Counter
from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_rnn.generation._ngram import WittenBell


def probabilities(model, sequence):
    return 2 ** model.log2_probabilities(sequence)


def by_definition(sequences, n_symbols, order, sequence):
    """Evaluate the equation symbol by symbol, with counts in dicts."""
    followers = {}
    for s in sequences:
        for t, symbol in enumerate(s):
            for k in range(min(order, t) + 1):
                followers.setdefault(tuple(s[t - k : t]), Counter())[symbol] += 1
    result = []
    for t, symbol in enumerate(sequence):
        p = 1 / n_symbols
        for k in range(min(order, t) + 1):
            seen = followers.get(tuple(sequence[t - k : t]))
            if seen:
                types = len(seen)
                p = (seen[symbol] + types * p) / (seen.total() + types)
        result.append(p)
    return result


def test_probabilities_equal_those_computed_by_hand():
    model = WittenBell(order=1).fit(["abab"], n_symbols=3)
    # empty context: 4 symbols, 2 kinds; a was followed by b twice, b by a once
    first = {"a": (2 + 2 / 3) / 6, "b": (2 + 2 / 3) / 6, "c": (0 + 2 / 3) / 6}
    expected = {
        "ab": [first["a"], (2 + first["b"]) / 3],
        "ba": [first["b"], (1 + first["a"]) / 2],
        "bb": [first["b"], (0 + first["b"]) / 2],
        "ca": [
            first["c"],
            first["a"],
        ],  # c is not a context: only the shorter one counts
    }
    for sequence, p in expected.items():
        assert_allclose(probabilities(model, sequence), p, rtol=1e-12)


@pytest.mark.parametrize("order", range(5))
def test_probabilities_follow_the_equation(order):
    rng = np.random.default_rng(order)
    sequences = [rng.choice(list("abcd"), n).tolist() for n in (40, 0, 1, 25, 3)]
    model = WittenBell(order).fit(sequences, n_symbols=7)
    sequence = [*rng.choice(list("abcdef"), 200)]
    expected = by_definition(sequences, 7, order, sequence)
    assert_allclose(probabilities(model, sequence), expected, rtol=1e-12)


@pytest.mark.parametrize("context", ["", "a", "ab", "bba", "cab", "dd"])
def test_probabilities_after_any_context_sum_to_one(context):
    model = WittenBell(order=3).fit(["abbab", "bbabca", "a"], n_symbols=4)
    last = [probabilities(model, context + symbol)[-1] for symbol in "abcd"]
    assert min(last) > 0
    assert_allclose(sum(last), 1, rtol=1e-12)


def test_a_context_that_occurs_only_at_the_end_backs_off_completely():
    model = WittenBell(order=1).fit(["abc"], n_symbols=3)
    assert_allclose(probabilities(model, "ca")[1], probabilities(model, "a")[0])


def test_contexts_do_not_extend_beyond_the_start_of_a_sequence():
    model = WittenBell(order=1).fit(["ab", "ba"], n_symbols=2)
    # in a single text, b would be followed by b once
    assert_allclose(probabilities(model, "bb"), [1 / 2, (0 + 1 / 2) / 2])


def test_code_lengths_of_sequences_are_independent():
    model = WittenBell(order=2).fit(["abcab", "ca"], n_symbols=5)
    sequences = ["", "abc", "x", "cabcab"]
    alone = [-model.log2_probabilities(s).sum() for s in sequences]
    assert_allclose(model.code_lengths(sequences), alone, rtol=1e-12)
    assert model.code_lengths([]).shape == (0,)


def test_a_weight_is_the_number_of_times_a_sequence_counts():
    weighted = WittenBell(2).fit(["abc", "ca"], n_symbols=4, weights=[3, 1])
    repeated = WittenBell(2).fit(["abc", "ca", "abc", "abc"], n_symbols=4)
    assert_allclose(
        weighted.log2_probabilities("abcadc"), repeated.log2_probabilities("abcadc")
    )


@pytest.mark.parametrize(
    "sequence", [[1, 2, 1], np.array([1, 2, 1]), (None, 1, None), ["the", "a", "the"]]
)
def test_symbols_can_be_any_hashable_objects(sequence):
    model = WittenBell(1).fit([sequence], n_symbols=2)
    assert_array_equal(
        model.log2_probabilities(sequence),
        WittenBell(1).fit(["aba"], n_symbols=2).log2_probabilities("aba"),
    )


@pytest.mark.parametrize("sequences", [[], [""]])
def test_without_data_all_symbols_are_equally_likely(sequences):
    model = WittenBell(3).fit(sequences, n_symbols=8)
    assert_array_equal(model.log2_probabilities("abc"), [-3, -3, -3])


def test_all_texts_of_one_length_have_probabilities_that_sum_to_one():
    model = WittenBell(2).fit(["abacab", "cc"], n_symbols=3)
    texts = ["".join(symbols) for symbols in product("abc", repeat=5)]
    assert_allclose(np.sum(2 ** -model.code_lengths(texts)), 1, rtol=1e-12)


def test_too_few_symbols_are_an_error():
    with pytest.raises(ValueError, match=r"n_symbols=2, but .* contain 3 different"):
        WittenBell(1).fit(["abc"], n_symbols=2)


def test_a_negative_order_is_an_error():
    with pytest.raises(ValueError, match="at least 0, got -1"):
        WittenBell(-1)


def test_a_refit_replaces_all_counts():
    model = WittenBell(2).fit(["xyzxyz"], n_symbols=9).fit(["abab"], n_symbols=4)
    fresh = WittenBell(2).fit(["abab"], n_symbols=4)
    assert_array_equal(model.log2_probabilities("abx"), fresh.log2_probabilities("abx"))


def test_a_pickled_model_returns_the_same_probabilities():
    model = WittenBell(2).fit(["abacab"], n_symbols=4)
    copy = pickle.loads(pickle.dumps(model))
    assert_array_equal(copy.log2_probabilities("bad"), model.log2_probabilities("bad"))
