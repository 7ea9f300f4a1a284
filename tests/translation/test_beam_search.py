"""Beam search of a translator."""

import itertools

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from sklearn_rnn import SequenceTranslator
from sklearn_rnn._data.tokens import END, UNKNOWN
from sklearn_rnn._nn.sequence import Inputs
from sklearn_rnn.translation._beam_search import BeamSearch, Hypothesis, beam_search
from sklearn_rnn.translation._options import SearchOptions

WORDS = ["".join(w) for n in (1, 2, 3) for w in itertools.product("abc", repeat=n)]


@pytest.fixture(scope="module", params=[None, "dot", "additive"], ids=str)
def fitted(request):
    model = SequenceTranslator(
        hidden_size=12,
        attention=request.param,
        max_epochs=3,
        batch_size=16,
        random_state=0,
    )
    return model.fit(WORDS * 3, [word[::-1] for word in WORDS] * 3)


def search(model, words, max_length=5, **options):
    sources = model._read_sources(words, reset=False)
    return beam_search(model.module_, sources, SearchOptions(max_length, **options))


def targets(model, found):
    return [model._codec.decode(hypotheses[0].codes) for hypotheses in found]


def log_probabilities(model, source, target, end):
    """Compute log-probabilities of the codes of a target from the module's logits."""
    codes = [2, *(model._codec.code_of[letter] for letter in target), *[3] * end]
    inputs = torch.from_numpy(
        np.asarray(model.source_vectorizer_.transform([source])).T.astype(np.int64)
    )
    with torch.inference_mode():
        logits = model.module_(Inputs(inputs, None), torch.tensor(codes[:-1])[:, None])
        logits[..., :3] = -np.inf  # padding, unknown and start are never predicted
        logp = torch.log_softmax(logits.double(), dim=2)[:, 0]
    return float(logp[range(len(codes) - 1), codes[1:]].sum())


def test_is_ended_tells_whether_a_hypothesis_has_ended():
    assert Hypothesis([4, END], -1.0, -0.5).is_ended
    assert not Hypothesis([4, 5], -1.0, -0.5).is_ended


def test_a_beam_of_size_one_is_greedy(fitted):
    for word in ("abc", "b", "ca"):
        target = ""
        while len(target) < 5:
            logp = {
                letter: log_probabilities(fitted, word, target + letter, end=False)
                for letter in "abc"
            }
            logp[""] = log_probabilities(fitted, word, target, end=True)
            best = max(logp, key=logp.get)
            if not best:
                break
            target += best
        assert targets(fitted, search(fitted, [word])) == [target]


@pytest.mark.parametrize("penalty", [0.0, 0.7, 1.0])
def test_a_beam_as_large_as_the_number_of_targets_is_exhaustive(fitted, penalty):
    complete = [
        "".join(t) for n in range(4) for t in itertools.product("abc", repeat=n)
    ]
    for word in ("abc", "b"):
        scores = {
            target: log_probabilities(fitted, word, target, end=True)
            / (len(target) + 1) ** penalty
            for target in complete
        }
        best = max(scores, key=scores.get)
        cut = max(  # the likeliest target that reaches max_length without an end
            log_probabilities(fitted, word, "".join(t), end=False) / 4**penalty
            for t in itertools.product("abc", repeat=4)
        )
        found = search(fitted, [word], 4, beam_size=300, length_penalty=penalty)
        assert_allclose(found[0][0].score, max(scores[best], cut), rtol=1e-4)
        if found[0][0].is_ended:
            assert targets(fitted, found) == [best]


def test_reported_probabilities_are_those_of_the_targets(fitted):
    found = search(fitted, WORDS[:9], 6, beam_size=4, n_best=4)
    for hypotheses, word in zip(found, WORDS, strict=False):
        scores = [one.score for one in hypotheses]
        assert scores == sorted(scores, reverse=True)
        assert len({tuple(one.codes) for one in hypotheses}) == len(hypotheses)
        for one in hypotheses:
            target = fitted._codec.decode(one.codes)
            end = one.is_ended
            expected = log_probabilities(fitted, word, target, end)
            assert_allclose(one.log_probability, expected, rtol=1e-4)
            assert_allclose(one.score, expected / (len(target) + end), rtol=1e-4)


@pytest.mark.parametrize("beam_size", [1, 3])
def test_hypotheses_do_not_depend_on_batch_padding_or_order(fitted, beam_size):
    together = targets(fitted, search(fitted, WORDS, beam_size=beam_size))
    for word, expected in zip(WORDS, together, strict=True):
        alone = search(fitted, [word], beam_size=beam_size)
        assert targets(fitted, alone) == [expected]
    backwards = search(fitted, WORDS[::-1], beam_size=beam_size)
    assert targets(fitted, backwards)[::-1] == together


def test_a_larger_beam_is_at_least_as_likely_for_these_sources(fitted):
    narrow = search(fitted, WORDS, length_penalty=0.0)
    wide = search(fitted, WORDS, length_penalty=0.0, beam_size=50)
    for one, other in zip(narrow, wide, strict=True):
        assert other[0].score >= one[0].score - 1e-6


def test_finished_sources_are_dropped(fitted):
    codes = fitted.source_vectorizer_.transform(["a", "abc"])
    inputs = Inputs(
        torch.from_numpy(np.asarray(codes).T.astype(np.int64)), torch.tensor([1, 3])
    )
    with torch.inference_mode():
        beams = BeamSearch(fitted.module_, inputs, SearchOptions(30))
        sizes = []
        predict_next = beams._predict_next
        beams._predict_next = lambda: sizes.append(len(beams.sources)) or predict_next()
        found = beams.run()
    lengths = sorted(len(hypotheses[0].codes) for hypotheses in found)
    assert sizes == [2] * lengths[0] + [1] * (lengths[1] - lengths[0])


def test_hypotheses_that_have_not_ended_are_returned_without_an_end(fitted):
    (one,), (other,) = search(fitted, ["abc", "ab"], 1)
    assert not one.is_ended
    assert not other.is_ended
    assert len(one.codes) == len(other.codes) == 1


@pytest.mark.parametrize("fitted", ["dot", "additive"], indirect=True)
def test_attention_is_kept_if_requested(fitted):
    assert search(fitted, ["abc"])[0][0].attention is None
    for beam_size in (1, 3):
        found = search(fitted, ["abc", "b"], beam_size=beam_size, keep_attention=True)
        for hypotheses, n_steps in zip(found, (3, 1), strict=True):
            for one in hypotheses:
                assert one.attention.shape == (len(one.codes), n_steps)
                assert_allclose(one.attention.sum(axis=1), 1, rtol=1e-5)
        alone = search(fitted, ["b"], beam_size=beam_size, keep_attention=True)
        assert_allclose(found[1][0].attention, alone[0][0].attention, rtol=1e-5)


def test_unknown_tokens_are_predicted_only_if_allowed(fitted):
    def codes(allow):
        found = search(fitted, ["abc"], 1, beam_size=6, allow_unknown=allow)
        return {one.codes[0] for one in found[0]}

    assert codes(False) == {END, 4, 5, 6}
    assert codes(True) == {END, UNKNOWN, 4, 5, 6}


def test_results_do_not_depend_on_the_size_of_batches(fitted, monkeypatch):
    expected = [one[0].codes for one in search(fitted, WORDS, beam_size=3)]
    name = "sklearn_rnn.translation._beam_search.MAX_HYPOTHESES_PER_BATCH"
    monkeypatch.setattr(name, 7)
    found = [one[0].codes for one in search(fitted, WORDS, beam_size=3)]
    assert found == expected
