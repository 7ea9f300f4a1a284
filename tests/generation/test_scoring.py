"""Bits of texts: their tokens, and what tokens do not show."""

import numpy as np
import pytest

from sklearn_rnn import CharVectorizer, SequenceGenerator, WordVectorizer
from sklearn_rnn.generation._scoring import SpellingRecorder, find_folding

TEXT = "the cat sat on the mat and the dog sat on the log. " * 12
DOCUMENTS = ["the cat sat", "the dog sat", "a cat", "on the mat", "", "the log"] * 4
SMALL = {"hidden_size": 12, "max_epochs": 3, "window": 16, "random_state": 0}


def small(*args, **changes):
    return SequenceGenerator(*args, **(SMALL | changes))


def test_bits_are_those_of_predict_proba_step_by_step(learned):
    text = "the dog sat."
    proba = learned.predict_proba([text[:k] for k in range(len(text) + 1)])
    codes = [learned.classes_.tolist().index(c) for c in [*text, "<end>"]]
    bits = -np.log2(proba[np.arange(len(codes)), codes]).sum()
    # predict_proba shares out what the model leaves to tokens that are never written
    assert learned.bits_per_character(text) == pytest.approx(bits / len(text), rel=1e-2)
    assert learned.perplexity(text) == pytest.approx(2 ** (bits / len(codes)), rel=1e-2)
    assert learned.score(text) == -learned.bits_per_character(text)


def test_an_unknown_character_pays_for_the_unseen_code_points(learned):
    n_known = len(learned.classes_) - 1
    with_unknown = learned.bits_per_character("the Z") * 5
    assert with_unknown > np.log2(0x110000 - 0x800 - n_known)


def test_fewer_tokens_do_not_make_a_better_score():
    pieces = [TEXT[:300]]
    all_words = small(WordVectorizer(lowercase=False)).fit(pieces)
    few_words = small(WordVectorizer(lowercase=False, max_features=1)).fit(pieces)
    assert few_words.perplexity(pieces) < all_words.perplexity(pieces)
    learned_well = small(WordVectorizer(lowercase=False), max_epochs=60).fit(pieces)
    assert learned_well.score(pieces) > few_words.score(pieces)


@pytest.mark.parametrize(
    "vectorizer",
    [
        WordVectorizer(),
        CharVectorizer(lowercase=True),
        CharVectorizer(strip_accents="unicode"),
        CharVectorizer(preprocessor=str.upper),
        WordVectorizer(lowercase=False, tokenizer=lambda text: ["zzz"]),
    ],
)
def test_a_vectorizer_that_changes_text_cannot_be_scored(vectorizer):
    model = small(vectorizer).fit(DOCUMENTS)
    with pytest.raises(ValueError, match="comparable"):
        model.score(DOCUMENTS)
    assert model.perplexity(DOCUMENTS) > 1


def test_an_empty_text_cannot_be_scored(learned):
    with pytest.raises(ValueError, match="no characters"):
        learned.score("")


def test_tokens_that_are_no_text_are_scored_in_bits_a_token():
    melody = [[60, 62, 64, 60]] * 20
    model = small(max_epochs=30).fit(melody)
    bits = 5 * np.log2(model.perplexity(melody))  # with the end of each document
    assert model.bits_per_character(melody) == pytest.approx(bits / 4)


def test_scoring_single_characters_is_refused_too(learned):
    with pytest.raises(ValueError, match="single characters"):
        learned.score(list("the cat"))


@pytest.mark.parametrize("score", ["score", "bits_per_character", "perplexity"])
def test_no_document_cannot_be_scored(learned, score):
    with pytest.raises(ValueError, match="X holds no document"):
        getattr(learned, score)([])


def test_documents_of_tokens_hide_a_text_that_is_not_known():
    model = small(WordVectorizer(lowercase=False)).fit(DOCUMENTS)
    assert np.isfinite(model.score(["the cat"]))
    with pytest.raises(ValueError, match="documents are given as tokens"):
        model.score([["the", "cat"]])


@pytest.mark.parametrize(
    ("vectorizer", "is_recorded"),
    [
        (None, True),
        (CharVectorizer(), False),  # nothing is hidden
        (CharVectorizer(tokenizer=str.split), True),
        (WordVectorizer(lowercase=False), True),
        (WordVectorizer(lowercase=True), False),  # cannot be compared
    ],
)
def test_spelling_is_recorded_where_tokens_hide_text(vectorizer, is_recorded):
    recorder = SpellingRecorder(vectorizer)
    recorder("a cat", ["a", "cat"])
    recorder(None, ["a"])  # without a text there is nothing to record
    assert (recorder.fit_spelling({"a"}) is not None) == is_recorded


def test_spelling_is_given_up_when_a_token_is_not_in_its_text():
    recorder = SpellingRecorder(WordVectorizer(lowercase=False))
    recorder("a cat", ["a", "feline"])
    recorder("a cat", ["a", "cat"])
    assert recorder.fit_spelling({"a"}) is None


def test_folding_is_named_as_in_a_call():
    assert find_folding(WordVectorizer()) == "lowercase=True"
    assert (
        find_folding(CharVectorizer(strip_accents="ascii")) == "strip_accents='ascii'"
    )
    assert find_folding(CharVectorizer()) is None
