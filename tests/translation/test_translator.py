"""SequenceTranslator: what it learns, and that its searches find what they say."""

import itertools
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_rnn import (
    CharVectorizer,
    SequenceTranslator,
    TokenArray,
    WordVectorizer,
)
from sklearn_rnn._nn.sequence import Inputs
from sklearn_rnn._nn.translation import Memory
from sklearn_rnn.translation._net import BeamSearch

WORDS = ["".join(w) for n in (1, 2, 3) for w in itertools.product("abc", repeat=n)] * 3
TURNED = [word[::-1] for word in WORDS]


def translator(**params):
    given = {"hidden_size": 12, "max_epochs": 3, "batch_size": 16, "random_state": 0}
    return SequenceTranslator(**given | params)


@pytest.fixture(scope="module", params=[None, "dot", "additive"], ids=str)
def fitted(request):
    return translator(attention=request.param).fit(WORDS, TURNED)


# ---------------------------------------------------------------- learning


@pytest.mark.parametrize("attention", [None, "dot", "additive"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_words_are_turned_round(cell, attention):
    model = translator(cell=cell, attention=attention, hidden_size=24, max_epochs=25)
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
def test_every_setting_learns(params):
    model = translator(max_epochs=40, hidden_size=24, **params).fit(WORDS, TURNED)
    assert model.loss_curve_[-1] < 0.6 * model.loss_curve_[0]
    assert model.score(WORDS, TURNED) > 0.5


def test_numbers_become_text_of_any_length():
    rng = np.random.default_rng(0)
    X = [rng.normal(loc, 0.1, size=(n, 2)) for loc in (-1, 1) for n in range(3, 9)] * 8
    y = [("low" if x.mean() < 0 else "very high") for x in X]
    model = translator(max_epochs=15).fit(X, y)
    assert model.input_size_ == 2
    assert set(model.predict(X[:6])) == {"low"}
    assert model.score(X, y) == 1.0


def test_codes_become_codes():
    codes = CharVectorizer().fit(WORDS)
    X, y = codes.transform(WORDS), codes.transform(TURNED)
    model = translator(max_epochs=25, hidden_size=24).fit(X, y)
    answer = model.predict(X[:30])
    assert isinstance(answer, TokenArray)
    assert np.mean(codes.inverse_transform(answer) == np.array(TURNED[:30])) > 0.9


def test_lists_of_tokens_are_written_as_lists():
    y = [[ord(letter) for letter in word] for word in TURNED]
    model = translator(max_epochs=25, hidden_size=24).fit(WORDS, y)
    assert model.predict(["abc"])[0] == [99, 98, 97]


def test_words_through_vectorizers_of_their_own():
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


def test_the_loss_is_the_mean_over_the_codes_of_the_targets():
    model = translator(max_epochs=1, batch_size=200, learning_rate=1e-30)
    model.fit(WORDS, TURNED)
    nats = [
        -_log_probability(model, x, y, None) for x, y in zip(WORDS, TURNED, strict=True)
    ]
    n_codes = sum(len(y) + 1 for y in TURNED)
    assert_allclose(model.loss_curve_[0], sum(nats) / n_codes, rtol=1e-4)


def _log_probability(model, source, target, never=3):
    """Of a target that ends, from the module's logits of it."""
    codes = [2, *(model._coder.code_of[letter] for letter in target)]
    inputs = torch.from_numpy(
        np.asarray(model.source_vectorizer_.transform([source])).T.astype(np.int64)
    )
    with torch.inference_mode():
        logits = model.module_(Inputs(inputs, None), torch.tensor(codes)[:, None])
        if never is not None:  # padding, unknown and start are never said
            logits[..., :never] = -np.inf
        logp = torch.log_softmax(logits.double(), dim=2)[:, 0]
    return float(logp[range(len(codes)), [*codes[1:], 3]].sum())


# ---------------------------------------------------------------- the search


def test_a_beam_of_one_is_greedy(fitted):
    for word in ("abc", "b", "ca"):
        said, codes = "", []
        while True:
            logp = {}
            for letter in "abc":
                logp[letter] = _log_probability_of_prefix(fitted, word, said + letter)
            logp[""] = _log_probability(fitted, word, said)
            best = max(logp, key=logp.get)
            if not best or len(said) == 5:
                break
            said += best
        assert fitted.predict([word])[0] == said
        assert codes == []


def _log_probability_of_prefix(model, source, prefix):
    """Of the codes of a prefix, whatever follows."""
    codes = [2, *(model._coder.code_of[letter] for letter in prefix)]
    inputs = torch.from_numpy(
        np.asarray(model.source_vectorizer_.transform([source])).T.astype(np.int64)
    )
    with torch.inference_mode():
        logits = model.module_(Inputs(inputs, None), torch.tensor(codes[:-1])[:, None])
        logits[..., :3] = -np.inf
        logp = torch.log_softmax(logits.double(), dim=2)[:, 0]
    return float(logp[range(len(codes) - 1), codes[1:]].sum())


@pytest.mark.parametrize("penalty", [0.0, 0.7, 1.0])
def test_a_beam_as_wide_as_all_targets_is_exhaustive(fitted, penalty):
    targets = ["".join(t) for n in range(4) for t in itertools.product("abc", repeat=n)]
    for word in ("abc", "b"):
        logp = {t: _log_probability(fitted, word, t) for t in targets}
        scores = {t: value / (len(t) + 1) ** penalty for t, value in logp.items()}
        best = max(scores, key=scores.get)
        found = fitted.predict_n_best(
            [word], 1, beam_size=300, length_penalty=penalty, max_length=4
        )[0][0]
        cut = max(  # the likeliest of those that reach max_length without an end
            _log_probability_of_prefix(fitted, word, "".join(t)) / 4**penalty
            for t in itertools.product("abc", repeat=4)
        )
        assert_allclose(found["score"], max(scores[best], cut), rtol=1e-4)
        if found["ended"]:
            assert found["target"] == best


def test_reported_probabilities_are_those_of_the_targets(fitted):
    for of_one, word in zip(fitted.predict_n_best(WORDS[:9], 4), WORDS, strict=False):
        scores = [found["score"] for found in of_one]
        assert scores == sorted(scores, reverse=True)
        assert len({found["target"] for found in of_one}) == len(of_one)
        for found in of_one:
            if found["ended"]:
                expected = _log_probability(fitted, word, found["target"])
                assert_allclose(found["log_probability"], expected, rtol=1e-4)
                n_codes = len(found["target"]) + 1
                assert_allclose(found["score"], expected / n_codes, rtol=1e-4)


@pytest.mark.parametrize("beam_size", [1, 3])
def test_batch_mates_padding_and_order_change_nothing(fitted, beam_size):
    words = WORDS[:39]
    together = fitted.predict(words, beam_size=beam_size)
    alone = [fitted.predict([word], beam_size=beam_size)[0] for word in words]
    assert together.tolist() == alone
    turned = fitted.predict(words[::-1], beam_size=beam_size)[::-1]
    assert_array_equal(turned, together)


def test_a_wider_beam_is_never_less_likely_of_these(fitted):
    narrow = fitted.predict_n_best(WORDS[:39], 1, beam_size=1, length_penalty=0.0)
    wide = fitted.predict_n_best(WORDS[:39], 1, beam_size=50, length_penalty=0.0)
    for one, other in zip(narrow, wide, strict=True):
        assert other[0]["score"] >= one[0]["score"] - 1e-6


def test_finished_sources_are_dropped(fitted):
    codes = fitted.source_vectorizer_.transform(["a", "abc"])
    inputs = Inputs(
        torch.from_numpy(np.asarray(codes).T.astype(np.int64)), torch.tensor([1, 3])
    )
    with torch.inference_mode():
        search = BeamSearch(fitted.module_, inputs, 1, 1.0)
        sizes = []
        step = search._step
        search._step = lambda: sizes.append(len(search.sources)) or step()
        found = search.run(30)
    lengths = sorted(len(said[0].codes) for said in found)
    assert sizes == [2] * lengths[0] + [1] * (lengths[1] - lengths[0])


def test_what_has_not_ended_is_flagged_and_returned_as_it_stands(fitted):
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
    model = translator(max_epochs=2).fit(WORDS, TURNED)
    wide = model.predict_n_best(["abc"], 1, beam_size=3)
    assert model.set_params(beam_size=3).predict_n_best(["abc"], 1) == wide


# ---------------------------------------------------------------- attention


@pytest.mark.parametrize("reverse_source", [False, True])
@pytest.mark.parametrize("attention", ["dot", "additive"])
def test_attention_is_a_distribution_over_the_source(attention, reverse_source):
    model = translator(
        attention=attention, reverse_source=reverse_source, max_epochs=30
    )
    model.fit(WORDS, TURNED)
    answers, looked = model.predict(["abc", "b"], return_attention=True)
    assert_array_equal(answers, model.predict(["abc", "b"]))
    for answer, weights, n_steps in zip(answers, looked, (3, 1), strict=True):
        assert weights.shape == (len(answer) + 1, n_steps)
        assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)
    alone = model.predict(["b"], return_attention=True)[1][0]
    assert_allclose(looked[1], alone, rtol=1e-5)


def test_attention_follows_its_equations():
    for kind in ("dot", "additive"):
        model = translator(attention=kind, precision="float64").fit(WORDS, TURNED)
        looking = model.module_.attention
        rng = np.random.default_rng(0)
        h, m = rng.normal(size=12), rng.normal(size=(4, 24))
        weight = {k: p.detach().numpy() for k, p in looking.named_parameters()}
        keys = m @ weight["of_memory.weight"].T + weight["of_memory.bias"]
        if kind == "dot":
            scores = keys @ h / np.sqrt(12)
        else:
            scores = np.tanh(keys + h @ weight["of_hidden"]) @ weight["v"]
        a = np.exp(scores) / np.exp(scores).sum()
        joined = np.r_[h, a @ m]
        out = np.tanh(weight["combine.weight"] @ joined + weight["combine.bias"])
        with torch.inference_mode():
            outputs = torch.from_numpy(m)[None]
            memory = Memory(outputs, None, looking.of_memory(outputs))
            found, weights = looking(torch.from_numpy(h)[None, None], memory)
        assert_allclose(weights[0, 0], a, rtol=1e-9)
        assert_allclose(found[0, 0], out, rtol=1e-9)


def test_no_attention_has_none_to_return():
    model = translator(attention=None, max_epochs=1).fit(WORDS, TURNED)
    with pytest.raises(ValueError, match="attention=None has no attention"):
        model.predict(["abc"], return_attention=True)


# ---------------------------------------------------------------- scikit-learn


def test_same_seed_same_bits_and_pickles():
    models = [translator(dropout=0.3).fit(WORDS, TURNED) for _ in range(2)]
    for a, b in zip(*(m.module_.parameters() for m in models), strict=True):
        assert torch.equal(a, b)
    again = pickle.loads(pickle.dumps(models[0]))
    assert_array_equal(again.predict(WORDS), models[0].predict(WORDS))
    assert clone(models[0]).get_params() == models[0].get_params()


def test_early_stopping_judges_whole_targets():
    model = translator(early_stopping=True, max_epochs=20, hidden_size=24)
    model.fit(WORDS, TURNED)
    assert len(model.validation_scores_) == model.n_iter_
    assert model.best_validation_score_ > 0.5
    plain = translator(max_epochs=1).fit(WORDS, TURNED)
    assert plain.validation_scores_ is None


def test_early_stopping_may_watch_whole_targets():
    model = translator(early_stopping=True, stop_on="accuracy", max_epochs=12)
    model.fit(WORDS, TURNED)
    assert model.best_validation_score_ == max(model.validation_scores_)
    losses = [row["valid_loss"] for row in model.net_.history]
    assert_allclose(losses, 1 - np.array(model.validation_scores_))


def test_unknown_words_are_copied_from_where_it_looks():
    rng = np.random.default_rng(0)
    names = ["".join(rng.choice(list("abcdefg"), 4)) for _ in range(300)]
    X = [f"open {name} now" for name in names] + [f"close {name}" for name in names]
    y = [f"{name} ouvrir" for name in names] + [f"{name} fermer" for name in names]
    words = WordVectorizer(min_count=50)
    model = translator(
        source_vectorizer=words,
        target_vectorizer=words,
        copy_unknown=True,
        attention="additive",
        max_epochs=20,
    ).fit(X, y)
    assert model.predict(["open zzz now", "close yyy"]).tolist() == [
        "zzz ouvrir",
        "yyy fermer",
    ]
    plain = model.set_params(copy_unknown=False).predict(["open zzz now"])[0]
    assert "zzz" not in plain
    assert "\ufffd" not in plain
    with pytest.raises(ValueError, match="copy_unknown=True copies words"):
        translator(copy_unknown=True, attention=None).fit(WORDS, TURNED)


def test_a_warm_start_with_another_dropout_changes_encoder_and_decoder():
    model = translator(num_layers=2, dropout=0.0, warm_start=True, max_epochs=1)
    model.fit(WORDS, TURNED).set_params(dropout=0.5).fit(WORDS, TURNED)
    module = model.module_
    assert module.dropout == module.stack.dropout == module.decoder.dropout == 0.5


def test_a_warm_start_goes_on():
    model = translator(warm_start=True, max_epochs=2).fit(WORDS, TURNED)
    assert model.fit(WORDS, TURNED).n_iter_ == 4
    with pytest.raises(ValueError, match="attention from 'dot' to None"):
        model.set_params(attention=None).fit(WORDS, TURNED)


def test_the_score_is_the_share_of_targets_exactly_right():
    model = translator(max_epochs=8).fit(WORDS, TURNED)
    right = model.predict(WORDS) == np.array(TURNED)
    assert model.score(WORDS, TURNED) == right.mean()
    assert model.score(["abc"], ["?"]) == 0


# ---------------------------------------------------------------- bad input


def test_pairs_that_do_not_fit_are_refused():
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
    "given", [{"beam_size": 0}, {"max_length": 0}, {"length_penalty": -1.0}]
)
def test_a_search_that_makes_no_sense_is_refused(fitted, given):
    with pytest.raises(ValueError, match=f"{next(iter(given))}="):
        fitted.predict(["ab"], **given)


def test_series_generators_and_tokens_from_a_pipeline():
    expected = translator().fit(WORDS, TURNED).predict(WORDS[:9])
    model = translator().fit(pd.Series(WORDS), pd.Series(TURNED))
    assert_array_equal(model.predict(word for word in WORDS[:9]), expected)
    pipeline = make_pipeline(CharVectorizer(), translator()).fit(WORDS, TURNED)
    assert_array_equal(pipeline.predict(WORDS[:9]), expected)
    assert 0 <= pipeline.score(WORDS, TURNED) <= 1


def test_a_failed_fit_leaves_the_translator(fitted):
    before = fitted.predict(WORDS[:5])
    with pytest.raises(ValueError, match="inconsistent"):
        fitted.fit(WORDS, TURNED[:-1])
    assert_array_equal(fitted.predict(WORDS[:5]), before)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
def test_translation_on_a_gpu():
    model = translator(device="cuda", max_epochs=25, hidden_size=24).fit(WORDS, TURNED)
    assert model.score(WORDS, TURNED) > 0.9
