"""The baselines of the benchmark scripts."""

import importlib
import sys
from math import log2
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = str(Path(__file__).parents[1] / "benchmarks")


@pytest.fixture
def baselines(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    yield importlib.import_module("_baselines")
    del sys.modules["_baselines"]


def longest_by_trying_all(training_text, generated_text):
    n = len(generated_text)
    spans = (generated_text[i:j] for i in range(n) for j in range(i, n + 1))
    return max((len(span) for span in spans if span in training_text), default=0)


@pytest.mark.parametrize(
    ("training_text", "generated_text", "span"),
    [
        ("the white whale", "a whiter whale", " white"),
        ("abc", "xabcx", "abc"),
        ("abc", "abc", "abc"),
        ("abc", "xyz", ""),
        ("", "abc", ""),
        ("abc", "", ""),
        ("ab", "cab" * 5, "ab"),
        ("xab", "cd", ""),
        ("aaaaaaa", "aaaaa", "aaaaa"),
        ("ab𝄞鯨", "𝄞鯨a", "𝄞鯨"),
    ],
)
def test_the_longest_copied_span(training_text, generated_text, span, baselines):
    found = baselines.longest_copied_span(training_text, generated_text)
    assert found == (len(span), span)


def test_the_longest_copied_span_is_the_one_found_by_trying_all(baselines):
    rng = np.random.default_rng(0)
    for _ in range(200):
        one, other = (
            "".join(rng.choice(list("abc"), rng.integers(0, 40))) for _ in range(2)
        )
        length, span = baselines.longest_copied_span(one, other)
        assert length == len(span) == longest_by_trying_all(one, other)
        assert span in one
        assert span in other


def test_a_span_of_any_length_is_found_in_a_long_text(baselines):
    rng = np.random.default_rng(0)
    text = "".join(rng.choice(list("abcdefgh"), 20_000))
    for length in (63, 64, 65, 1000):
        copied = text[5000 : 5000 + length]
        found = baselines.longest_copied_span(text, f"{text[:20]}#{copied}#")
        assert found == (length, copied)


def test_a_character_ngram_is_learned_from_the_first_text_alone(baselines):
    # a is followed by b, and no context is longer: each order says the same
    bits = baselines.character_ngrams("ab", "ab", n_symbols=2, orders=[1, 2])
    expected = (log2(2) + log2(1 / ((1 + 1 / 2) / 2))) / 2
    assert bits == pytest.approx({1: expected, 2: expected})


def test_the_best_order_is_the_one_with_fewest_bits(baselines):
    training_text, test_text = "abcdabceabcd" * 5, "abcdabceabcdabce"
    bits = baselines.character_ngrams(training_text, test_text, n_symbols=5)
    assert list(bits) == [2, 3, 4, 5, 6]
    order, best = baselines.best_character_ngram(training_text, test_text, n_symbols=5)
    assert best == bits[order] == min(bits.values())


def test_bigram_perplexity_is_the_one_worked_out_by_hand(baselines):
    # first token: each of 2 kinds in 2 documents; "the" was followed by one kind once
    documents = [["the", "whale"]], [["the", "whale"], ["whale"]]
    p_first, p_whale = 1 / 2, (1 + 1 / 2) / 2
    expected = (p_first * p_whale * p_first) ** (-1 / 3)
    assert baselines.bigram_perplexity(*documents, n_symbols=2) == pytest.approx(
        expected
    )
