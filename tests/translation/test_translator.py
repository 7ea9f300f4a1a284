"""SequenceTranslator: training, predictions and behavior as an estimator."""

import copy
import itertools
import pickle
import re

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from sklearn_rnn import (
    CharVectorizer,
    SequenceTranslator,
    TokenArray,
    WordVectorizer,
)
from sklearn_rnn._data.tokens import END, UNKNOWN
from sklearn_rnn._nn.translation import Memory
from sklearn_rnn._training.holdout import split_rows
from sklearn_rnn.translation._beam_search import Hypothesis
from sklearn_rnn.translation._translator import is_exact

WORDS = ["".join(w) for n in (1, 2, 3) for w in itertools.product("abc", repeat=n)] * 3
TURNED = [word[::-1] for word in WORDS]


def translator(**params):
    given = {"hidden_size": 12, "max_epochs": 3, "batch_size": 16, "random_state": 0}
    return SequenceTranslator(**given | params)


def learner(**params):
    """A translator that learns to reverse words in a few epochs."""
    return translator(hidden_size=24, learning_rate=0.03, max_epochs=12, **params)


@pytest.fixture(scope="module")
def fitted():
    return translator().fit(WORDS, TURNED)


@pytest.fixture(scope="module", params=["dot", "additive"])
def attentive(request):
    return translator(attention=request.param, precision="float64").fit(WORDS, TURNED)


# ---------------------------------------------------------------- training


@pytest.mark.parametrize("attention", [None, "dot", "additive"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_words_are_reversed(cell, attention):
    model = learner(cell=cell, attention=attention)
    assert model.fit(WORDS, TURNED).score(WORDS, TURNED) > 0.9
    assert model.predict(["abc", "ca"]).tolist() == ["cba", "ac"]


@pytest.mark.parametrize(
    "params",
    [
        {"num_layers": 2, "dropout": 0.1},
        {"decoder_cell": "lstm", "decoder_size": 7, "decoder_layers": 2},
        {"bidirectional": False, "reverse_source": True},
        {"teacher_forcing": 0.5},
        {"label_smoothing": 0.1},
        {"embedding": 3},
        {"precision": "float64"},
    ],
    ids=str,
)
def test_the_loss_decreases_with_every_setting(params):
    model = learner(**params).fit(WORDS, TURNED)
    assert model.loss_curve_[-1] < 0.6 * model.loss_curve_[0]
    assert model.score(WORDS, TURNED) > 0.9


def test_numbers_become_text_of_any_length():
    rng = np.random.default_rng(0)
    X = [rng.normal(loc, 0.1, size=(n, 2)) for loc in (-1, 1) for n in range(3, 9)] * 8
    y = [("low" if x.mean() < 0 else "very high") for x in X]
    model = translator(max_epochs=15).fit(X, y)
    assert model.input_size_ == 2
    assert set(model.predict(X[:6])) == {"low"}
    assert model.score(X, y) == 1.0


def test_targets_that_are_codes_are_predicted_as_codes():
    codes = CharVectorizer().fit(WORDS)
    X, y = codes.transform(WORDS), codes.transform(TURNED)
    model = learner().fit(X, y)
    answer = model.predict(X[:30])
    assert isinstance(answer, TokenArray)
    assert np.mean(codes.inverse_transform(answer) == np.array(TURNED[:30])) > 0.9


def test_targets_that_are_lists_are_predicted_as_lists():
    y = [[ord(letter) for letter in word] for word in TURNED]
    model = learner().fit(WORDS, y)
    assert model.predict(["abc"])[0] == [99, 98, 97]


def test_sources_and_targets_have_their_own_vectorizers():
    numbers = {"one": "un", "two": "deux", "three": "trois"}
    X = [" ".join(pair) for pair in itertools.product(numbers, repeat=2)] * 6
    y = [" ".join(numbers[word] for word in x.split()) for x in X]
    model = translator(
        source_vectorizer=WordVectorizer(),
        target_vectorizer=WordVectorizer(),
        max_epochs=25,
    ).fit(X, y)
    assert model.predict(["two three"])[0] == "deux trois"
    assert model.source_vectorizer is not model.source_vectorizer_


# ---------------------------------------------------------------- the search


def test_several_targets_are_described(fitted):
    found = fitted.predict_n_best(WORDS[:9], 4)
    assert [of_one[0]["target"] for of_one in found] == list(
        fitted.predict(WORDS[:9], beam_size=4)
    )
    for of_one in found:
        assert len({one["target"] for one in of_one}) == len(of_one) == 4
        scores = [one["score"] for one in of_one]
        assert scores == sorted(scores, reverse=True)
        for one in of_one:
            n_codes = len(one["target"]) + one["ended"]
            assert_allclose(one["score"], one["log_probability"] / n_codes)


def test_predict_accepts_a_length_penalty(fitted):
    for one in fitted.predict_n_best(["abc"], 3, length_penalty=0.0)[0]:
        assert one["score"] == one["log_probability"]


def test_targets_that_have_not_ended_are_marked_and_returned(fitted):
    found = fitted.predict_n_best(["abc"], 1, max_length=1, beam_size=1)[0][0]
    assert not found["ended"]
    assert len(found["target"]) == 1
    assert fitted.predict(["abc"], max_length=1)[0] == found["target"]


def test_parameters_of_the_search_can_be_searched():
    grid = {"beam_size": [1, 2], "cell": ["gru", "lstm"], "hidden_size": [4]}
    grid |= {"attention": [None, "additive"]}
    search = GridSearchCV(translator(max_epochs=1), grid, cv=2).fit(WORDS, TURNED)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert len(search.predict(["ab"])) == 1


def test_parameters_of_the_search_apply_without_a_new_fit(fitted):
    model = copy.copy(fitted)
    wide = model.predict_n_best(["abc"], 1, beam_size=3)
    assert wide != model.predict_n_best(["abc"], 1)
    assert model.set_params(beam_size=3).predict_n_best(["abc"], 1) == wide


# ---------------------------------------------------------------- attention


@pytest.mark.parametrize("reverse_source", [False, True])
def test_attention_is_a_distribution_over_the_source(attentive, reverse_source):
    model = attentive
    if reverse_source:
        model = clone(model).set_params(reverse_source=True).fit(WORDS, TURNED)
    answers, attention = model.predict(["abc", "b"], return_attention=True)
    assert_array_equal(answers, model.predict(["abc", "b"]))
    for answer, weights, n_steps in zip(answers, attention, (3, 1), strict=True):
        assert weights.shape == (len(answer) + 1, n_steps)
        assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)
    alone = model.predict(["b"], return_attention=True)[1][0]
    assert_allclose(attention[1], alone, rtol=1e-5)


def test_attention_follows_its_equations(attentive):
    attention = attentive.module_.attention
    rng = np.random.default_rng(0)
    h, m = rng.normal(size=12), rng.normal(size=(4, 24))
    weight = {k: p.detach().numpy() for k, p in attention.named_parameters()}
    keys = m @ weight["of_memory.weight"].T + weight["of_memory.bias"]
    if attentive.attention == "dot":
        scores = keys @ h / np.sqrt(12)
    else:
        scores = np.tanh(keys + h @ weight["of_hidden"]) @ weight["v"]
    a = np.exp(scores) / np.exp(scores).sum()
    joined = np.r_[h, a @ m]
    out = np.tanh(weight["combine.weight"] @ joined + weight["combine.bias"])
    with torch.inference_mode():
        outputs = torch.from_numpy(m)[None]
        memory = Memory(outputs, None, attention.of_memory(outputs))
        found, weights = attention(torch.from_numpy(h)[None, None], memory)
    assert_allclose(weights[0, 0], a, rtol=1e-9)
    assert_allclose(found[0, 0], out, rtol=1e-9)


def test_returning_attention_requires_attention():
    model = translator(attention=None, max_epochs=1).fit(WORDS, TURNED)
    with pytest.raises(ValueError, match="require attention"):
        model.predict(["abc"], return_attention=True)
    with pytest.raises(ValueError, match="require attention"):
        model.set_params(copy_unknown=True).predict(["abc"])


# ---------------------------------------------------------------- scikit-learn


def test_same_seed_same_bits_and_pickles():
    models = [translator(dropout=0.3).fit(WORDS, TURNED) for _ in range(2)]
    for a, b in zip(*(m.module_.parameters() for m in models), strict=True):
        assert torch.equal(a, b)
    again = pickle.loads(pickle.dumps(models[0]))
    assert_array_equal(again.predict(WORDS), models[0].predict(WORDS))
    assert clone(models[0]).get_params() == models[0].get_params()


def test_validation_scores_refer_to_whole_targets():
    model = learner(early_stopping=True).fit(WORDS, TURNED)
    assert len(model.validation_scores_) == model.n_iter_
    assert model.best_validation_score_ > 0.5


def test_every_pair_trains_without_early_stopping(fitted):
    assert fitted.validation_scores_ is None


def test_early_stopping_can_monitor_whole_targets():
    model = translator(early_stopping=True, stop_on="accuracy", max_epochs=12)
    model.fit(WORDS, TURNED)
    assert model.best_validation_score_ == max(model.validation_scores_)
    losses = [row["valid_loss"] for row in model.net_.history]
    assert_allclose(losses, 1 - np.array(model.validation_scores_))


def test_unknown_words_are_copied_by_attention():
    rng = np.random.default_rng(0)
    names = ["".join(rng.choice(list("abcdefg"), 4)) for _ in range(100)]
    X = [f"open {name} now" for name in names] + [f"close {name}" for name in names]
    y = [f"{name} ouvrir" for name in names] + [f"{name} fermer" for name in names]
    words = WordVectorizer(min_count=20)
    model = translator(
        source_vectorizer=words,
        target_vectorizer=words,
        copy_unknown=True,
        attention="additive",
        learning_rate=0.03,
        max_epochs=15,
    ).fit(X, y)
    answers = ["zzz ouvrir", "yyy fermer"]
    sources = ["open ZZZ now", "close yyy"]
    assert model.predict(sources).tolist() == answers
    assert model.predict(source for source in sources).tolist() == answers
    assert model.score(sources, answers) == model.score(iter(sources), answers) == 1
    assert model.score(sources, ["ZZZ ouvrir", "xxx fermer"]) == 0.5
    found = model.predict_n_best(sources, 2)
    assert [of_one[0]["target"] for of_one in found] == answers
    plain = model.set_params(copy_unknown=False).predict(["open zzz now"])[0]
    assert "zzz" not in plain
    assert "\ufffd" not in plain


def test_targets_of_words_are_written_as_ordinary_text():
    X = ["aa", "bb", "cc"]
    y = ["Don't go (now).", 'He said, "wait!"', "It's a well-known 3.5%..."]
    model = translator(
        target_vectorizer=WordVectorizer(lowercase=False),
        learning_rate=0.03,
        max_epochs=60,
    ).fit(X, y)
    assert model.score(X, y) == 1.0
    assert model.predict(X).tolist() == y


def test_sources_of_mostly_unknown_tokens_warn():
    model = translator(max_epochs=1).fit(WORDS, TURNED)
    model.predict(["abz"])  # no warning for a single unknown letter
    with pytest.warns(UserWarning, match="3 of the 4 tokens of X are unknown"):
        model.predict(["azzz"])


def test_copying_that_cannot_be_learned_raises_a_warning():
    with pytest.warns(UserWarning, match="copy_unknown=True has no effect"):
        translator(copy_unknown=True, max_epochs=1).fit(WORDS, TURNED)


def test_fit_with_copying_requires_texts_and_attention():
    for params, X in [({"attention": None}, WORDS), ({}, [[1.0, 2.0]] * len(WORDS))]:
        with pytest.raises(ValueError, match="copy_unknown=True copies words"):
            translator(copy_unknown=True, **params).fit(X, TURNED)


def test_a_warm_start_with_another_dropout_changes_encoder_and_decoder():
    model = translator(num_layers=2, dropout=0.0, warm_start=True, max_epochs=1)
    model.fit(WORDS, TURNED).set_params(dropout=0.5).fit(WORDS, TURNED)
    module = model.module_
    assert module.dropout == module.stack.dropout == module.decoder.dropout == 0.5


def test_a_warm_start_continues_training():
    model = translator(warm_start=True, max_epochs=2).fit(WORDS, TURNED)
    assert model.fit(WORDS, TURNED).n_iter_ == 4
    with pytest.raises(ValueError, match="attention from 'dot' to None"):
        model.set_params(attention=None).fit(WORDS, TURNED)


def test_a_warm_start_with_new_tokens_or_longer_targets_warns():
    model = translator(warm_start=True, max_epochs=1).fit(
        ["ab", "b"] * 4, ["a", "b"] * 4
    )
    with pytest.warns(UserWarning, match="1 sequences of X, the first of them 1, have"):
        model.fit(["ab", "bc"] + ["b"] * 6, ["a", "b"] * 4)
    with pytest.warns(UserWarning, match="4 sequences of y, the first of them 0, have"):
        model.fit(["ab", "b"] * 4, ["c", "b"] * 4)
    with pytest.warns(UserWarning, match="up to 4 codes, .* the first fit has 2"):
        model.fit(["ab", "b"] * 4, ["aaa", "b"] * 4)
    assert model.max_length_ == 4
    model.set_params(max_length=2).fit(["ab", "b"] * 4, ["aaaaa", "b"] * 4)


def test_a_warm_start_does_not_warn_of_tokens_that_the_first_fit_left_out():
    rare = CharVectorizer(min_count=9)
    model = translator(
        source_vectorizer=rare, target_vectorizer=rare, warm_start=True, max_epochs=1
    )
    model.fit(["a", "a", "b"] * 5, ["a", "a", "c"] * 5).fit(["aa", "d"], ["a", "d"])


def test_a_warm_start_holds_out_the_same_pairs(monkeypatch):
    held = []

    def record(*args):
        train, valid = split_rows(*args)
        held.append(valid.tolist())
        return train, valid

    monkeypatch.setattr("sklearn_rnn.translation._net.split_rows", record)
    model = translator(
        early_stopping=True, warm_start=True, random_state=None, max_epochs=1
    )
    for _ in range(3):
        model.fit(WORDS, TURNED)
    assert held[0] == held[1] == held[2]
    clone(model).fit(WORDS, TURNED)
    assert held[3] != held[0]


def test_a_warm_start_may_change_options_of_training():
    model = translator(warm_start=True, max_epochs=1).fit(WORDS, TURNED)
    before = model.net_
    assert (before.sampling_rate, before.label_smoothing) == (0, 0)
    model.set_params(teacher_forcing=0.75, label_smoothing=0.1, stop_on="accuracy")
    net = model.fit(WORDS, TURNED).net_
    assert (net.sampling_rate, net.label_smoothing) == (0.25, 0.1)
    assert net.stop_on == "accuracy"
    assert (before.sampling_rate, before.stop_on) == (0, "loss")


def test_the_score_is_the_fraction_of_exactly_right_targets():
    model = translator(max_epochs=8).fit(WORDS, TURNED)
    right = model.predict(WORDS) == np.array(TURNED)
    assert model.score(WORDS, TURNED) == right.mean()
    assert model.score(["abc"], ["?"]) == 0


def test_a_target_with_an_unknown_token_is_never_right():
    assert is_exact(Hypothesis([4, END], -1.0, -0.5), np.array([4, END]))
    assert not is_exact(Hypothesis([4, END], -1.0, -0.5), np.array([4]))
    unknown = Hypothesis([UNKNOWN, END], -1.0, -0.5)
    assert not is_exact(unknown, np.array([UNKNOWN, END]))


# ---------------------------------------------------------------- invalid input


def test_invalid_pairs_are_errors():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        translator().fit(WORDS, TURNED[:-1])
    with pytest.raises(ValueError, match="source 1 is empty"):
        translator().fit(["ab", ""], ["ba", "x"])
    with pytest.raises(ValueError, match="target 1 is empty"):
        translator().fit(["ab", "cd"], ["ba", ""])
    with pytest.raises(ValueError, match="requires y"):
        translator().fit(WORDS, None)
    with pytest.raises(NotFittedError):
        translator().predict(["ab"])


def test_longer_sources_and_unknown_tokens_are_read(fitted):
    answers = fitted.predict(["abcabcabcabc", "xyz", "a?b"])
    assert len(answers) == 3


@pytest.mark.parametrize(
    "given",
    [
        {"beam_size": 0},
        {"beam_size": True},
        {"max_length": 0},
        {"length_penalty": -1.0},
        {"length_penalty": np.nan},
    ],
    ids=str,
)
def test_invalid_options_of_a_search_are_errors(fitted, given):
    for predict in (fitted.predict, fitted.predict_n_best):
        with pytest.raises(ValueError, match=f"{next(iter(given))} must be"):
            predict(["ab"], **given)


@pytest.mark.parametrize("n", [0, 2.5, True])
def test_invalid_numbers_of_targets_are_errors(fitted, n):
    with pytest.raises(ValueError, match=r"^n must be an integer of at least 1"):
        fitted.predict_n_best(["ab"], n)


def test_a_refit_on_numbers_removes_the_source_vectorizer(fitted):
    model = copy.copy(fitted).fit([[1.0, 2.0], [2.0, 1.0]] * 4, ["ab", "ba"] * 4)
    assert model.source_vectorizer_ is None
    with pytest.raises(ValueError, match="X contains texts, but SequenceTrans"):
        model.predict(["ab"])
    with pytest.raises(TypeError, match=r"contains the token 1\.0 of type float"):
        fitted.predict([[1.0, 2.0]])
    with pytest.raises(ValueError, match="fitted on texts, but X is a ndarray"):
        fitted.predict(np.array([[1.0, 2.0]]))


@pytest.mark.parametrize("value", [3, None, np.nan, pd.NA], ids=str)
def test_the_error_gives_the_row_of_a_source_that_is_not_a_text(fitted, value):
    for k, X in enumerate((["ab", value], [value, "ab"])):
        message = re.escape(f"document {1 - k} is {value!r} of type")
        for given in (X, pd.Series(X, dtype=object), np.array(X, dtype=object)):
            for method in (fitted.predict, fitted.predict_n_best):
                with pytest.raises(TypeError, match=message):
                    method(given)
            with pytest.raises(TypeError, match=message):
                fitted.score(given, ["ba", "ba"])
            with pytest.raises(TypeError, match=message):
                translator().fit(given, ["ba", "ba"])
        with pytest.raises(TypeError, match=message):
            translator().fit(["ab", "ba"], X)
    with pytest.raises(TypeError, match="document 0 is "):
        fitted.predict([value])


def test_texts_of_one_character_are_texts(fitted):
    alone = [fitted.predict([x])[0] for x in "abc"]
    assert fitted.predict(["a", "b", "c"]).tolist() == alone
    assert fitted.score(["a", "b"], ["a", "b"]) in (0, 0.5, 1)
    digits = [str(n) for n in range(10)]
    model = translator(max_epochs=1).fit(digits, digits)
    assert cross_val_score(model, digits * 2, digits * 2, cv=5).shape == (5,)


def test_lists_of_tokens_are_sources():
    X = [["one", "two"], ["two"], ["two", "one"], ["one"]] * 6
    y = ["ab", "b", "ba", "a"] * 6
    model = translator(max_epochs=25, learning_rate=0.03).fit(X, y)
    assert list(model.source_vectorizer_.vocabulary_) == ["one", "two"]
    assert model.score(X, y) == 1
    answers = model.predict([np.array(["two", "one"]), ("one",)])
    assert answers.tolist() == ["ba", "a"]
    with pytest.raises(ValueError, match=r"source 1 is empty: \[\] \(1 of 2 "):
        model.predict([["one"], []])


def test_frames_of_numbers_are_sources():
    X = pd.DataFrame({"a": [0.0, 1.0] * 8, "b": [1.0, 0.0] * 8})
    model = translator(max_epochs=1).fit(X, ["up", "down"] * 8)
    assert model.source_vectorizer_ is None
    assert len(model.predict(X)) == 16


def test_no_source_and_a_table_are_errors_for_a_model_of_texts(fitted):
    for X in ([], iter([]), pd.Series([], dtype=object)):
        with pytest.raises(ValueError, match=r"Found 0 sample\(s\) in X"):
            fitted.predict(X)
    with pytest.raises(ValueError, match="fitted on texts, but X is a DataFrame"):
        fitted.predict(pd.DataFrame({"text": ["ab"], "other": ["b"]}))


def test_a_column_of_texts_is_read_like_a_list(fitted):
    frame = pd.DataFrame({"text": ["ab", "b"]})
    assert fitted.predict(frame).tolist() == fitted.predict(["ab", "b"]).tolist()


def test_a_null_character_at_the_end_of_a_target_is_kept():
    X, y = ["a", "b"] * 4, ["x\0", "\0y\0\0"] * 4
    model = translator(learning_rate=0.03, max_epochs=60).fit(X, y)
    assert model.predict(["a", "b"]).tolist() == y[:2]
    assert model.predict_n_best(["a"], 1)[0][0]["target"] == y[0]


def test_series_generators_and_tokens_from_a_pipeline(fitted):
    expected = fitted.predict(WORDS[:9])
    model = translator().fit(pd.Series(WORDS), pd.Series(TURNED))
    assert_array_equal(model.predict(word for word in WORDS[:9]), expected)
    pipeline = make_pipeline(CharVectorizer(), translator()).fit(WORDS, TURNED)
    assert_array_equal(pipeline.predict(WORDS[:9]), expected)
    assert 0 <= pipeline.score(WORDS, TURNED) <= 1


def test_a_failed_fit_does_not_change_the_translator(fitted):
    before = fitted.predict(WORDS[:5])
    with pytest.raises(ValueError, match="inconsistent"):
        fitted.fit(WORDS, TURNED[:-1])
    assert_array_equal(fitted.predict(WORDS[:5]), before)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
def test_translation_on_a_gpu():
    model = learner(device="cuda").fit(WORDS, TURNED)
    assert model.score(WORDS, TURNED) > 0.9


def test_a_module_writes_the_same_target():
    sources, targets = ["ab", "bba", "a", "b"] * 4, ["x y", "y y x", "x", "y"] * 4
    model = SequenceTranslator(
        hidden_size=8, max_epochs=3, beam_size=1, max_length=4, random_state=0
    ).fit(sources, targets)
    module = model.to_torch()
    tokens = model.source_vectorizer_.transform(sources[:4])
    lengths = torch.tensor((np.asarray(tokens) > 0).sum(1))
    codes = torch.full((4, 1), 2)
    with torch.inference_mode():
        memory, state = module.encode(torch.tensor(np.asarray(tokens)), lengths)
        written = []
        for _ in range(4):
            logits, state, _ = module.decode(codes, state, memory, lengths)
            logits[..., :3] = -torch.inf  # padding, unknown and start
            codes = logits.argmax(2)
            written.append(codes)
    rows = torch.cat(written, 1).tolist()
    expected = [row[: (*row, 3).index(3)] for row in rows]
    found = model.target_vectorizer_.inverse_transform(
        TokenArray([[*row, *[0] * (4 - len(row))] for row in expected], 7)
    )
    assert list(found) == list(model.predict(sources[:4]))
