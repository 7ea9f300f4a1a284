"""Scores of translations, by hand and by sacrebleu."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_rnn.metrics import bleu_score, chrf_score, token_accuracy_score


def test_tokens_are_compared_by_position():
    assert token_accuracy_score(["abc", "xy"], ["abd", "x"]) == 3 / 5
    assert token_accuracy_score([[1, 2]], [[1, 2, 3]]) == 2 / 3
    score = token_accuracy_score(["abc", "xy"], ["abd", "x"], sample_weight=[0, 1])
    assert score == 0.5
    with pytest.raises(ValueError, match="inconsistent"):
        token_accuracy_score(["a"], [])


def test_sequences_without_tokens_raise_an_error():
    for y in ([], ["", ""]):
        with pytest.raises(ValueError, match="no token can be compared"):
            token_accuracy_score(y, y)
    with pytest.raises(ValueError, match="total weight of 0"):
        token_accuracy_score(["a"], ["a"], sample_weight=[0])


@pytest.mark.parametrize("score", [bleu_score, chrf_score, token_accuracy_score])
def test_a_single_text_raises_an_error(monkeypatch, score):
    monkeypatch.setitem(sys.modules, "sacrebleu", SimpleNamespace())
    for given in (("the cat", ["the cat"]), (["the cat"], "the cat")):
        with pytest.raises(ValueError, match="is a single text: 'the cat'"):
            score(*given)


@pytest.mark.parametrize("score", [bleu_score, chrf_score])
def test_anything_but_text_raises_an_error(monkeypatch, score):
    monkeypatch.setitem(sys.modules, "sacrebleu", SimpleNamespace())
    for y_true, y_pred, error in [
        ([None], ["a"], "y_true contains None of type NoneType"),
        (["a"], [["a", "b"]], "y_pred contains .* of type list"),
    ]:
        with pytest.raises(TypeError, match=error):
            score(y_true, y_pred)
    for y_true, y_pred in [([[]], ["a"]), ([], [])]:
        with pytest.raises(ValueError, match="y_true must have at least one text"):
            score(y_true, y_pred)
    with pytest.raises(ValueError, match=r"list\(zip\(\*y_true\)\)"):
        score([["a", "b", "c"], ["d", "e", "f"]], ["a", "b", "c"])


def test_references_are_regrouped_by_translator_for_sacrebleu(monkeypatch):
    calls = []

    def answer(said, references, **options):
        calls.append((said, references))
        return SimpleNamespace(score=1)

    monkeypatch.setitem(sys.modules, "sacrebleu", SimpleNamespace(corpus_bleu=answer))
    bleu_score([["a", "b"], "c", ("d",)], ["x", "y", "z"])
    assert calls == [(["x", "y", "z"], [["a", "c", "d"], ["b", None, None]])]


@pytest.mark.parametrize(
    ("score", "function", "options"),
    [
        (bleu_score, "corpus_bleu", {"force": True}),
        (chrf_score, "corpus_chrf", {}),
    ],
    ids=["bleu", "chrf"],
)
def test_sacrebleu_gets_the_predictions_and_one_set_of_references(
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
def test_unequal_numbers_of_texts_raise_an_error(monkeypatch, score):
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
    several = [[text, "another one entirely"] for text in texts]
    assert_allclose([bleu_score(several, texts), chrf_score(several, texts)], 100)
