"""Data and scores of the exercises of textbooks."""

import importlib
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = str(Path(__file__).parents[1] / "benchmarks")


@pytest.fixture
def textbooks(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # which one of the scripts sets
    return importlib.import_module("bench_textbooks")


def test_human_numbers_are_those_of_the_book(textbooks):
    train, valid = textbooks.human_numbers()
    assert len(train) == 50_464
    assert len(train) + len(valid) == 63_095
    assert len(set(train + valid)) == 30
    assert " ".join((train + valid)[:9]) == "one . two . three . four . five"
    assert textbooks.spell(8365) == "eight thousand three hundred sixty five".split()


def test_next_words_are_compared_with_the_words_that_follow(textbooks):
    class Stub:
        def stream(self, n_streams):
            return self

        def predict(self, X):
            return np.array([{"a": "b", "b": "a"}[word] for (word,) in X])

    words = ["a", "b"] * 100
    assert textbooks.next_word_accuracy(Stub(), words, n_streams=4) == 1
    words[16] = "b"  # a wrong word, and a wrong next word, in the first of four parts
    assert textbooks.next_word_accuracy(Stub(), words, 4) == 1 - 2 / (4 * 48)


def test_the_target_of_the_adding_problem_is_the_sum_of_two_marked_values(textbooks):
    X, y = textbooks.adding_problem(200, np.random.default_rng(0))
    assert {len(pairs) for pairs in X} == set(range(100, 111))
    for pairs, target in zip(X, y, strict=True):
        marked = np.flatnonzero(pairs[:, 1] == 1)
        assert len(marked) == 2
        assert marked[0] < 10
        assert marked[1] < 50
        assert pairs[-1, 1] == -1
        assert 0.5 + pairs[marked, 0].sum() / 4 == pytest.approx(target)


@pytest.mark.parametrize(
    "greater, measured, met",
    [(True, 0.9, "yes"), (True, 0.8, "no"), (False, 0.9, "no"), (False, 0.8, "yes")],
)
def test_a_published_number_is_met_in_its_direction(textbooks, greater, measured, met):
    exercise = textbooks.Exercise(
        "name", "measure", 0.85, "source", lambda: measured, greater
    )
    row = textbooks.run(exercise)
    assert row["measured"] == measured
    assert row["met"] == met
