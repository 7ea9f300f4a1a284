"""Scores of translations, by hand and as sacrebleu answers them."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_rnn.metrics import bleu_score, chrf_score, token_accuracy_score


def test_tokens_are_right_place_by_place():
    assert token_accuracy_score(["abc", "xy"], ["abd", "x"]) == 3 / 5
    assert token_accuracy_score([[1, 2]], [[1, 2, 3]]) == 2 / 3
    score = token_accuracy_score(["abc", "xy"], ["abd", "x"], sample_weight=[0, 1])
    assert score == 0.5
    with pytest.raises(ValueError, match="inconsistent"):
        token_accuracy_score(["a"], [])


@pytest.mark.parametrize(
    ("score", "function", "options"),
    [
        (bleu_score, "corpus_bleu", {"force": True}),
        (chrf_score, "corpus_chrf", {}),
    ],
    ids=["bleu", "chrf"],
)
def test_sacrebleu_is_given_the_answers_and_one_set_of_references(
    monkeypatch, score, function, options
):
    calls = []

    def answer(*args, **kwargs):
        calls.append((args, kwargs))
        return SimpleNamespace(score=np.float64(12.5))

    library = SimpleNamespace(**{function: answer})
    monkeypatch.setitem(sys.modules, "sacrebleu", library)
    result = score(["right", np.str_("texts")], ["said", "so"])
    assert result == 12.5 and type(result) is float
    assert calls == [((["said", "so"], [["right", "texts"]]), options)]


@pytest.mark.parametrize("score", [bleu_score, chrf_score])
def test_as_many_answers_as_references_are_scored(monkeypatch, score):
    monkeypatch.setitem(sys.modules, "sacrebleu", SimpleNamespace())
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        score(["a", "b"], ["a"])


def test_bleu_and_chrf_are_those_of_sacrebleu(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "sacrebleu", None)
        with pytest.raises(ImportError, match="not installed"):
            bleu_score(["a"], ["a"])
    pytest.importorskip("sacrebleu", reason="sacrebleu is an optional extra")
    texts = ["the cat sat on the mat", "a dog ran far away"]
    assert_allclose([bleu_score(texts, texts), chrf_score(texts, texts)], 100)
    assert chrf_score(texts, texts[::-1]) < 50
