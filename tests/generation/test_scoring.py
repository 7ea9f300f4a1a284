"""Bits of texts: of their tokens, and of text that tokens do not contain."""

import re
import warnings
from itertools import product

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from sklearn_rnn import CharVectorizer, SequenceGenerator, WordVectorizer
from sklearn_rnn.generation import _spelling
from sklearn_rnn.generation._scoring import (
    SpellingRecorder,
    drops_unknown,
    find_folding,
)

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
    # predict_proba distributes the probability of tokens that are never generated
    assert learned.bits_per_character(text) == pytest.approx(bits / len(text), rel=1e-2)
    assert learned.perplexity(text) == pytest.approx(2 ** (bits / len(codes)), rel=1e-2)
    assert learned.score(text) == -learned.bits_per_character(text)


def test_the_bits_of_an_unknown_character_identify_its_code_point(learned):
    n_known = len(learned.classes_) - 1
    with_unknown = learned.bits_per_character("the Z") * 5
    assert with_unknown > np.log2(0x110000 - 0x800 - n_known)


def log_proba_of_next(model, prefixes, tokens):
    """Log-probability of a token after each prefix, from predict_proba."""
    classes = model.classes_.tolist()
    proba = model.predict_proba(prefixes)
    return np.log(proba[np.arange(len(tokens)), [classes.index(t) for t in tokens]])


def test_scores_of_characters_are_those_of_predict_proba(learned):
    texts = ["the dog sat.", "", "mat"]
    scores = learned.score_tokens(texts)
    assert [score.tokens for score in scores] == [[*t, "<end>"] for t in texts]
    for text, score in zip(texts, scores, strict=True):
        prefixes = [text[:k] for k in range(len(text) + 1)]
        expected = log_proba_of_next(learned, prefixes, score.tokens)
        np.testing.assert_allclose(score.log_proba, expected, atol=0.06)
        assert score.total == score.log_proba.sum() and score.is_known.all()
        (alone,) = learned.score_tokens(text)
        np.testing.assert_allclose(alone.log_proba, score.log_proba, rtol=1e-5)
    perplexity = np.exp(-sum(score.total for score in scores) / 18)
    assert learned.perplexity(texts) == pytest.approx(perplexity)


def test_scores_do_not_distribute_the_probability_of_unknown_tokens(of_words):
    (score,) = of_words.score_tokens(["the"])
    (other,) = of_words.score_tokens(["a"])
    gap = log_proba_of_next(of_words, [""] * 2, ["the", "a"])
    gap -= [score.log_proba[0], other.log_proba[0]]
    assert gap[0] == pytest.approx(gap[1], abs=1e-5) and 0 < gap[0] < 0.1


def test_scores_of_words_mark_unknown_words(of_words):
    (score,) = of_words.score_tokens(["the whale sat"])
    assert score.tokens == ["the", "<unk>", "sat", "<end>"]
    assert score.is_known.tolist() == [True, False, True, True]
    dropping = WordVectorizer(lowercase=False, handle_unknown="ignore")
    (score,) = small(dropping).fit(DOCUMENTS).score_tokens(["the whale sat"])
    assert score.tokens == ["the", "sat", "<end>"] and score.is_known.all()


def test_scores_of_lists_and_codes():
    melody = [[(60, 1), (62, 2), (60, 1)]] * 8
    (score, _) = small().fit(melody).score_tokens([[(62, 2), "x"], []])
    assert score.tokens == [(62, 2), "<unk>", "<end>"]
    pipeline = make_pipeline(WordVectorizer(lowercase=False), small()).fit(DOCUMENTS)
    tokens = pipeline[:-1].transform(["the whale", "a", ""])
    scores = pipeline[-1].score_tokens(tokens)
    the, a = map(pipeline[0].vocabulary_.get, ["the", "a"])
    assert [score.tokens for score in scores] == [[the, 1, 3], [a, 3], [3]]
    expected = small(WordVectorizer(lowercase=False)).fit(DOCUMENTS)
    expected = expected.score_tokens(["the whale", "a", ""])
    for score, other in zip(scores, expected, strict=True):
        np.testing.assert_allclose(score.log_proba, other.log_proba, rtol=1e-5)


ALPHABET = "ab. "
SHORT_TEXTS = ["".join(t) for n in range(1, 5) for t in product(ALPHABET, repeat=n)]


def of_words_as_given(**changes):
    return WordVectorizer(lowercase=False, **changes)


@pytest.mark.parametrize(
    "vectorizer",
    [
        CharVectorizer(),
        CharVectorizer(max_features=2),
        CharVectorizer(max_features=2, handle_unknown="ignore"),
        CharVectorizer(min_count=9, handle_unknown="ignore", boundaries=True),
        CharVectorizer(vocabulary=["ab", "a"]),
        CharVectorizer(vocabulary=["ab", "a"], handle_unknown="ignore"),
        CharVectorizer(tokenizer=str.split, handle_unknown="ignore"),
        of_words_as_given(),
        of_words_as_given(max_features=2),
        of_words_as_given(max_features=2, handle_unknown="ignore"),
        of_words_as_given(max_features=1, handle_unknown="ignore"),
        of_words_as_given(min_count=3),
        of_words_as_given(min_count=3, handle_unknown="ignore"),
        of_words_as_given(min_df=2, max_df=0.9, handle_unknown="ignore"),
        of_words_as_given(stop_words=["a", "."]),
        of_words_as_given(stop_words=["a", "."], handle_unknown="ignore"),
        of_words_as_given(token_pattern="a+|b"),
        of_words_as_given(token_pattern="a+|b", max_features=1),
        of_words_as_given(token_pattern="a", handle_unknown="ignore"),
        of_words_as_given(tokenizer=str.split, handle_unknown="ignore"),
    ],
    ids=repr,
)
@pytest.mark.filterwarnings("ignore:X has unknown tokens")
def test_probabilities_of_all_texts_sum_to_at_most_one(vectorizer, monkeypatch):
    monkeypatch.setattr(_spelling, "N_CODE_POINTS", len(ALPHABET))
    texts = ["ab ab.", "a b a ab .", "ba. a a", "abab b .a"] * 3
    model = small(vectorizer, hidden_size=8, max_epochs=15, window=8).fit(texts)
    bits = [model.bits_per_character([text]) * len(text) for text in SHORT_TEXTS]
    assert 0.01 < (2.0 ** -np.array(bits)).sum() <= 1


def test_texts_of_known_tokens_are_scored_if_unknown_tokens_are_errors(monkeypatch):
    monkeypatch.setattr(_spelling, "N_CODE_POINTS", len(ALPHABET))
    model = small(CharVectorizer(handle_unknown="error")).fit(["aa", "a.", ".."] * 5)
    known = ["".join(t) for n in range(1, 5) for t in product("a.", repeat=n)]
    bits = [model.bits_per_character([text]) * len(text) for text in known]
    assert (2.0 ** -np.array(bits)).sum() <= 1
    with pytest.raises(ValueError, match="'b', which is not in the vocabulary"):
        model.score(["ab"])


def test_bits_include_the_positions_of_dropped_tokens():
    documents = ["abcab", "ab", "cc"]
    recorder = SpellingRecorder(CharVectorizer(handle_unknown="ignore"))
    for document in documents:
        recorder(document, list(document))
    share = recorder.fit_dropped_share(np.array([4, 2, 0]))
    assert share == (3 + 0.5) / (9 + 3 + 1)  # of 9 tokens and 3 ends
    assert SpellingRecorder(CharVectorizer()).fit_dropped_share(np.array([4])) is None
    assert drops_unknown(WordVectorizer(handle_unknown="ignore"))
    assert not drops_unknown(WordVectorizer(handle_unknown="error"))
    assert not drops_unknown(None)


def test_unknown_words_that_could_not_be_learned_raise_a_warning():
    text = ["the cat saw the whale"]
    every_word = small(of_words_as_given(), max_epochs=1).fit(DOCUMENTS)
    with pytest.warns(UserWarning, match="Set min_count=2"):
        every_word.score(text)
    every_word.score(DOCUMENTS)
    common = small(of_words_as_given(min_count=5), max_epochs=1).fit(DOCUMENTS)
    common.score(text)  # its training text has unknown words


@pytest.mark.parametrize(
    ("vectorizer", "messages"),
    [
        (WordVectorizer(), [r"\(lowercase=True\).*cannot score", "the 3 that occur"]),
        (of_words_as_given(), ["keeps all words, including the 3 .* Set min_count=2"]),
        (of_words_as_given(min_count=2), []),
        (of_words_as_given(handle_unknown="ignore"), []),
        (of_words_as_given(handle_unknown="error"), []),
        (of_words_as_given(vocabulary=["the", "whale"]), []),
        (of_words_as_given(vocabulary=["a", "cat", "saw", "the", "whale"]), []),
        (CharVectorizer(), []),
        (CharVectorizer(strip_accents="unicode"), [r"\(strip_accents='unicode'\)"]),
        (None, []),
    ],
)
def test_fit_warns_if_texts_will_score_badly_or_not_at_all(vectorizer, messages):
    model = small(vectorizer, max_epochs=1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(["the cat saw the cat", "a whale"])
    assert len(caught) == len(messages)
    for warning, message in zip(caught, messages, strict=True):
        assert re.search(message, str(warning.message))
        assert warning.filename == __file__


def test_fit_does_not_warn_if_all_words_recur():
    small(of_words_as_given(), max_epochs=1).fit(["the cat saw the cat saw"])


def test_dropping_characters_does_not_improve_the_score():
    text = TEXT.replace("the", "thx")
    pieces = [text[:300]]
    few = CharVectorizer(max_features=2, handle_unknown="ignore")
    best = small(max_epochs=20).fit(pieces).score(pieces)
    assert small(few, max_epochs=20).fit(pieces).score(pieces) < best


def test_unknown_codes_cannot_be_scored():
    few_words = WordVectorizer(max_features=2)
    pipeline = make_pipeline(few_words, small()).fit(DOCUMENTS)
    with pytest.raises(ValueError, match="unknown codes"):
        pipeline.score(DOCUMENTS)
    assert pipeline[-1].perplexity(pipeline[:-1].transform(DOCUMENTS)) > 1
    assert np.isfinite(
        make_pipeline(WordVectorizer(), small()).fit(DOCUMENTS).score(["the cat", ""])
    )


def test_unknown_tokens_of_a_list_raise_a_warning():
    model = small().fit([[60, 62, 64]] * 4)
    with pytest.warns(UserWarning, match=r"X has 2 token\(s\) that the model"):
        assert np.isfinite(model.score([[60, 1, 2]]))


def test_a_smaller_vocabulary_does_not_improve_the_score():
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
    with pytest.warns(UserWarning, match="cannot score texts"):
        model = small(vectorizer).fit(DOCUMENTS)
    with pytest.raises(ValueError, match="comparable"):
        model.score(DOCUMENTS)
    assert model.perplexity(DOCUMENTS) > 1


def test_an_empty_text_cannot_be_scored(learned):
    with pytest.raises(ValueError, match="no characters"):
        learned.score("")


def test_documents_without_text_are_scored_in_bits_per_token():
    melody = [[60, 62, 64, 60]] * 20
    model = small(max_epochs=30).fit(melody)
    bits = 5 * np.log2(model.perplexity(melody))  # with the end of each document
    assert model.bits_per_character(melody) == pytest.approx(bits / 4)


def test_scoring_a_list_of_single_characters_is_an_error(learned):
    with pytest.raises(ValueError, match="single characters"):
        learned.score(list("the cat"))


def test_lists_of_single_characters_are_scored_as_documents(learned):
    together = learned.score_tokens(["t", " "])
    for found, text in zip(together, ["t", " "], strict=True):
        (alone,) = learned.score_tokens([text])
        assert found.total == pytest.approx(alone.total)


@pytest.mark.parametrize(
    "score", ["score", "bits_per_character", "perplexity", "score_tokens"]
)
def test_scoring_requires_a_document(learned, score):
    with pytest.raises(ValueError, match="X contains no document"):
        getattr(learned, score)([])


def test_lists_of_tokens_cannot_be_scored_as_text():
    model = small(WordVectorizer(lowercase=False)).fit(DOCUMENTS)
    assert np.isfinite(model.score(["the cat"]))
    with pytest.raises(ValueError, match="documents are passed as tokens"):
        model.score([["the", "cat"]])


@pytest.mark.parametrize(
    ("vectorizer", "is_recorded"),
    [
        (None, True),
        (CharVectorizer(), False),  # tokens contain the whole text
        (CharVectorizer(tokenizer=str.split), True),
        (WordVectorizer(lowercase=False), True),
        (WordVectorizer(lowercase=True), False),  # changes text
    ],
)
def test_spelling_is_recorded_if_tokens_do_not_contain_the_text(
    vectorizer, is_recorded
):
    recorder = SpellingRecorder(vectorizer)
    recorder("a cat", ["a", "cat"])
    recorder(None, ["a"])  # without a text there is nothing to record
    assert (recorder.fit_spelling({"a"}) is not None) == is_recorded


def test_spelling_is_not_recorded_if_a_token_is_not_in_its_text():
    recorder = SpellingRecorder(WordVectorizer(lowercase=False))
    recorder("a cat", ["a", "feline"])
    recorder("a cat", ["a", "cat"])
    assert recorder.fit_spelling({"a"}) is None


def test_the_parameter_that_changes_text_is_found():
    assert find_folding(WordVectorizer()) == "lowercase=True"
    assert (
        find_folding(CharVectorizer(strip_accents="ascii")) == "strip_accents='ascii'"
    )
    assert find_folding(CharVectorizer()) is None
