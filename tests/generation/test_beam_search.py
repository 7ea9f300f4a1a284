"""The likeliest continuation, found by a beam search."""

import itertools

import numpy as np
import pytest
from small_networks import SmallGenerator

from sklearn_rnn._data.tokens import END
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
def test_a_beam_as_wide_as_the_space_finds_the_best(seed):
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
def test_a_beam_of_one_is_greedy(seed):
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


def test_a_beam_search_extends_every_text_as_if_alone():
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
