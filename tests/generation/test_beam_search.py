"""Beam search for the likeliest continuation."""

import itertools
from collections import Counter

import numpy as np
import pytest
import torch
from small_networks import SmallGenerator

from sklearn_rnn._data.tokens import END
from sklearn_rnn._nn.functional import log_softmax
from sklearn_rnn.generation._beam_search import (
    extend_by_beam_search,
    search_continuation,
)
from sklearn_rnn.generation._options import DecodingOptions
from sklearn_rnn.generation._sampling import (
    Continuation,
    generate_tokens,
)


@pytest.mark.parametrize("seed", range(5))
def test_a_beam_as_large_as_the_search_space_finds_the_best(seed):
    model, n = SmallGenerator(seed), 4
    texts = [
        (*front, last)
        for length in range(1, n + 1)
        for front in itertools.product((4, 5, 6), repeat=length - 1)
        for last in ((END,) if length < n else (END, 4, 5, 6))
    ]
    best = max(texts, key=model.log_probability)
    codes, score = search_continuation(*model.begin(), DecodingOptions(), [], n, 200)
    assert tuple(codes) == best
    assert score == pytest.approx(model.log_probability(codes), rel=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_a_beam_of_size_one_is_greedy(seed):
    model = SmallGenerator(seed)
    steps, logits = model.begin()
    (text,) = list(
        generate_tokens(
            steps,
            logits,
            DecodingOptions(temperature=0),
            [Continuation([])],
            6,
            lambda: np.zeros(1),
        )
    )[-1]
    codes, _ = search_continuation(*model.begin(), DecodingOptions(), [], 6, 1)
    assert codes == text.codes


def test_a_beam_search_extends_texts_independently():
    model = SmallGenerator(2)
    steps, _ = model.begin(3)
    logits = steps.feed(np.array([4, 5, 6])).copy()
    texts = [Continuation([code]) for code in (4, 5, 6)]
    options = DecodingOptions(repetition_penalty=3.0, banned=(END,))
    extend_by_beam_search(steps, logits, options, texts, 5, 3)
    for text in texts:
        alone, _ = model.begin()
        logits = alone.feed(np.array(text.prompt))
        expected, _ = search_continuation(alone, logits, options, text.prompt, 5, 3)
        assert text.codes == expected
    assert len({tuple(text.codes) for text in texts}) > 1


# ------------------------------------------------------------------ constraints

CODES = (END, 4, 5, 6)
EACH = np.arange(7)
MASKS = (
    lambda codes, logits: np.where(EACH == 5, -np.inf, logits),
    lambda codes, logits: np.where(np.isin(EACH, codes[-1:]), -np.inf, logits),
    lambda codes, logits: np.where(EACH % 2 == len(codes) % 2, -np.inf, logits),
)


def draw_setting(seed):
    """Draw n_tokens and options that some text satisfies."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 7))
    n_required = int(rng.integers(0, min(n, 3) + 1))
    required = [int(code) for code in rng.choice(CODES[1:], n_required)]
    if rng.random() < 0.3 and len(required) < n:
        required.append(END)
    free = [code for code in CODES if code not in required]
    banned = [code for code in free if rng.random() < 0.3][: len(CODES) - 1]
    stop = [tuple(rng.choice(CODES[1:], rng.integers(1, 3)).tolist())]
    return n, DecodingOptions(
        banned=tuple(banned),
        required=tuple(rng.permutation(required).tolist()),
        stop=tuple(stop if rng.random() < 0.5 else []),
        mask=MASKS[seed % 3] if rng.random() < 0.4 else None,
    )


def search_exhaustively(model, n_tokens, options):
    """Find the likeliest text that the options allow; None if there is none."""
    prefixes = np.array(list(itertools.product(CODES[1:], repeat=n_tokens - 1)))
    inputs = np.insert(prefixes, 0, 2, axis=1).T.astype(int)
    with torch.inference_mode():
        logits = model.module(torch.tensor(inputs))[0].numpy()
    logp = {
        tuple(prefix[:t]): log_softmax(logits[t, k, END:])
        for k, prefix in enumerate(prefixes.tolist())
        for t in range(n_tokens)
    }

    def is_complete(text):
        at_stop = any(text[-len(part) :] == part for part in options.stop)
        lacks = Counter(options.required) - Counter(text)
        return text[-1:] == (END,) or (at_stop and not lacks) or len(text) == n_tokens

    found, texts = [], [((), 0.0)]
    while texts:
        text, score = texts.pop()
        if is_complete(text):
            if not Counter(options.required) - Counter(text):
                found.append((score, text))
            continue
        allowed = np.zeros(7)
        if options.mask is not None:
            allowed = options.mask(np.array(text, int), allowed)
        texts += [
            ((*text, code), score + logp[text][code - END])
            for code in CODES
            if code not in options.banned and allowed[code] == 0
        ]
    return max(found, default=None)


@pytest.mark.parametrize("seed", range(50))
def test_constrained_beams_agree_with_exhaustive_search(seed):
    model, (n, options) = SmallGenerator(seed), draw_setting(seed)
    best = search_exhaustively(model, n, options)
    if best is None:
        with pytest.raises(ValueError, match=r"no token is left|mask forbids all"):
            search_continuation(*model.begin(), options, [], n, 1000)
        return
    codes, score = search_continuation(*model.begin(), options, [], n, 1000)
    assert tuple(codes) == best[1]
    assert score == pytest.approx(best[0], rel=1e-5)


def test_a_small_beam_does_not_postpone_required_codes_to_the_end():
    found, postponed = [], []
    for seed in range(20):
        model = SmallGenerator(seed)
        options = DecodingOptions(required=(5,))
        codes, score = search_continuation(*model.begin(), options, [], 6, 2)
        assert score == pytest.approx(model.log_probability(codes), rel=1e-5)
        found.append(score)
        free, _ = search_continuation(
            *model.begin(), DecodingOptions(banned=(END,)), [], 5, 2
        )
        postponed.append(model.log_probability([*free, 5]))
    assert np.all(np.array(found) >= np.array(postponed) - 1e-5)
    assert np.mean(found) > np.mean(postponed) + 0.5


def test_log_probabilities_after_a_mask_are_at_most_zero():
    def bonus(codes, logits):
        logits[6] += 5
        return logits

    model, options = SmallGenerator(0), DecodingOptions(mask=bonus)
    codes, score = search_continuation(*model.begin(), options, [], 4, 100)
    assert codes == [6, 6, 6, 6] and -1 < score < 0
