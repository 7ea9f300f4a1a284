"""Choosing codes by their logits."""

import numpy as np
import pytest
from small_networks import SmallGenerator

from sklearn_rnn._data.tokens import END
from sklearn_rnn._nn.compiled import without_compiled_kernels
from sklearn_rnn.generation._options import DecodingOptions
from sklearn_rnn.generation._sampling import (
    Continuation,
    apply_constraints,
    generate_tokens,
    make_uniform_sampler,
    sample,
)

LOGITS = np.array([-np.inf, -np.inf, -np.inf, 0.5, 2.0, 1.0, 1.5, -1.0])
PROBA = np.exp(LOGITS) / np.exp(LOGITS).sum()


def frequencies(n=4000, **given):
    """Frequency of each code over an even grid of random numbers."""
    uniforms = np.arange(n) / n
    codes = sample(np.tile(LOGITS, (n, 1)), DecodingOptions(**given), uniforms)
    return np.bincount(codes, minlength=len(LOGITS)) / n


def test_zero_temperature_takes_the_likeliest():
    assert frequencies(temperature=0).tolist() == [0, 0, 0, 0, 1, 0, 0, 0]


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_codes_are_sampled_with_their_probabilities(temperature):
    expected = np.exp(LOGITS / temperature)
    expected /= expected.sum()
    np.testing.assert_allclose(
        frequencies(temperature=temperature), expected, atol=1e-3
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_at_a_huge_temperature_all_allowed_codes_are_equally_likely(dtype):
    logits = np.array([[-np.inf, 3, -40, -np.inf, 0]], dtype).repeat(3, axis=0)
    options = DecodingOptions(temperature=1e300)
    assert sample(logits, options, np.array([0.1, 0.5, 0.9])).tolist() == [1, 2, 4]


def test_top_k_keeps_the_k_likeliest():
    expected = np.where(np.isin(np.arange(8), [4, 6, 5]), PROBA, 0)
    np.testing.assert_allclose(
        frequencies(top_k=3), expected / expected.sum(), atol=1e-3
    )
    np.testing.assert_allclose(frequencies(top_k=99), PROBA, atol=1e-3)


def test_top_p_keeps_the_fewest_codes_that_reach_it():
    assert PROBA[4] < 0.5 < PROBA[4] + PROBA[6]
    expected = np.where(np.isin(np.arange(8), [4, 6]), PROBA, 0)
    np.testing.assert_allclose(
        frequencies(top_p=0.5), expected / expected.sum(), atol=1e-3
    )
    np.testing.assert_allclose(frequencies(top_p=1.0), PROBA, atol=1e-3)
    assert frequencies(top_p=1e-9)[4] == 1


def test_the_largest_and_smallest_numbers_choose_possible_codes():
    edges = np.array([0.0, np.nextafter(1, 0)])
    codes = sample(np.tile(LOGITS, (2, 1)), DecodingOptions(), edges)
    assert codes.tolist() == [3, 7]
    masked = np.tile(np.where(np.arange(8) == 7, -np.inf, LOGITS), (2, 1))
    assert sample(masked.astype(np.float32), DecodingOptions(), edges).tolist() == [
        3,
        6,
    ]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_kernel_draws_the_same_codes(dtype):
    rng = np.random.default_rng(0)
    logits = rng.normal(scale=3, size=(200, 90)).astype(dtype)
    uniforms = rng.random(200)
    codes = sample(logits.copy(), DecodingOptions(), uniforms)
    with without_compiled_kernels():
        expected = sample(logits.copy(), DecodingOptions(), uniforms)
    np.testing.assert_array_equal(codes, expected)


def test_an_error_is_raised_if_all_codes_are_banned():
    options = DecodingOptions(banned=(3, 4, 5))
    with pytest.raises(ValueError, match="no token is left"):
        apply_constraints(np.ones((1, 6)), options, [Continuation([])], 9)


def test_reserved_and_banned_codes_are_never_sampled():
    logits = apply_constraints(
        np.ones((1, 8)), DecodingOptions(banned=(5,)), [Continuation([])], 9
    )
    assert np.flatnonzero(np.isfinite(logits[0])).tolist() == [3, 4, 6, 7]


def test_the_repetition_penalty_lowers_the_logits_of_previous_codes():
    logits = np.array([[0.0, 0, 0, -2.0, 4.0, 3.0, -1.0, 1.0]])
    options = DecodingOptions(repetition_penalty=2.0)
    found = apply_constraints(logits, options, [Continuation([4], [6, 6])], 9)
    assert found[0, 3:].tolist() == [-2.0, 2.0, 3.0, -2.0, 1.0]


def test_the_repetition_penalty_does_not_affect_the_first_code():
    options = DecodingOptions(repetition_penalty=2.0)
    found = apply_constraints(np.ones((1, 8)), options, [Continuation([])], 9)
    assert found[0, 3:].tolist() == [1, 1, 1, 1, 1]


def test_required_codes_are_forced_when_no_other_step_is_left():
    options = DecodingOptions(required=(6, 7))
    text = Continuation([6], [])  # the prompt does not count
    free = apply_constraints(np.ones((1, 8)), options, [text], 3)
    assert np.isinf(free[0, END]) and np.isfinite(free[0, 4:]).all()
    forced = apply_constraints(np.ones((1, 8)), options, [text], 2)
    assert np.flatnonzero(np.isfinite(forced[0])).tolist() == [6, 7]
    done = apply_constraints(np.ones((1, 8)), options, [Continuation([], [6, 7])], 1)
    assert np.isfinite(done[0, END])


@pytest.mark.parametrize(
    ("codes", "n_left", "allowed"),
    [
        ([], 3, [4, 5, 6, 7]),
        ([], 2, [6]),  # the end comes after all others
        ([6], 2, [3, 4, 5, 6, 7]),
        ([6], 1, [3]),
    ],
)
def test_a_required_end_comes_last(codes, n_left, allowed):
    options = DecodingOptions(required=(END, 6))
    found = apply_constraints(
        np.ones((1, 8)), options, [Continuation([], codes)], n_left
    )
    assert np.flatnonzero(np.isfinite(found[0])).tolist() == allowed


def test_required_codes_count_as_often_as_they_are_listed():
    options = DecodingOptions(required=(6, 7, 6))
    assert Continuation([], [6]).missing(options.required) == [6, 7]
    found = apply_constraints(np.ones((1, 8)), options, [Continuation([], [6, 7])], 1)
    assert np.flatnonzero(np.isfinite(found[0])).tolist() == [6]


def test_a_mask_that_forbids_a_forced_code_is_an_error():
    def mask(codes, logits):
        logits[6] = -np.inf
        return logits

    classes = np.array(["<end>", "a", "b", "c", "d"], dtype=object)
    options = DecodingOptions(required=(6,), mask=mask, classes=classes)
    free = apply_constraints(np.ones((1, 8)), options, [Continuation([])], 2)
    assert np.flatnonzero(np.isfinite(free[0])).tolist() == [4, 5, 7]
    with pytest.raises(
        ValueError, match=r"required tokens \['c'\] are missing and only 1"
    ):
        apply_constraints(np.ones((1, 8)), options, [Continuation([])], 1)


def test_a_mask_receives_the_text_and_cannot_allow_banned_codes():
    seen = []

    def mask(codes, logits):
        seen.append(codes)
        return np.zeros_like(logits)

    options = DecodingOptions(mask=mask, banned=(4,))
    found = apply_constraints(np.ones((1, 8)), options, [Continuation([5], [6])], 9)
    assert seen == [[5, 6]]
    assert found[0].tolist() == [*[-np.inf] * 3, 0, -np.inf, 0, 0, 0]


def test_nothing_left_to_choose_is_an_error():
    options = DecodingOptions(banned=tuple(range(3, 8)))
    with pytest.raises(ValueError, match="no token is left"):
        apply_constraints(np.ones((1, 8)), options, [Continuation([])], 9)


def test_a_text_is_over_at_its_end_or_a_stop():
    options = DecodingOptions(stop=((5, 6),))
    assert not Continuation([END]).is_over(DecodingOptions())
    assert Continuation([], [5, END]).is_over(DecodingOptions())
    assert Continuation([], [4, 5, 6]).is_over(options)
    assert not Continuation([5], [6]).is_over(options)


def test_a_text_does_not_stop_before_its_required_codes():
    options = DecodingOptions(stop=((6,),), required=(4, 4))
    assert not Continuation([], [4, 6]).is_over(options)
    assert not Continuation([4], [4, 6]).is_over(options)  # the prompt does not count
    assert Continuation([], [4, 6, 4, 6]).is_over(options)


def test_texts_that_are_over_do_not_affect_the_others():
    model = SmallGenerator(1)
    uniforms = np.random.default_rng(0).random((30, 6))

    def write(columns):
        steps, logits = model.begin(len(columns))
        texts, draws = [Continuation([]) for _ in columns], iter(uniforms[:, columns])
        for _ in generate_tokens(
            steps, logits, DecodingOptions(), texts, 30, lambda: next(draws)
        ):
            pass
        return [text.codes for text in texts]

    together = write([0, 1, 2, 3, 4, 5])
    lengths = {len(codes) for codes in together}
    assert len(lengths) > 1  # some end earlier
    assert together == [write([k])[0] for k in range(6)]
    assert all(END not in codes[:-1] for codes in together)


def test_random_numbers_of_a_text_do_not_depend_on_other_texts():
    def draw(seed, *prompts):
        uniforms = make_uniform_sampler(seed, [Continuation(list(p)) for p in prompts])
        return np.array([uniforms() for _ in range(600)])  # of several blocks

    numbers = draw(7, [4], [5, 4], [4], [])
    assert numbers.shape == (600, 4)
    assert len(np.unique(numbers)) == numbers.size
    assert 0 <= numbers.min() and numbers.max() < 1
    np.testing.assert_array_equal(numbers[:, [0]], draw(7, [4]))
    np.testing.assert_array_equal(numbers[:, [1]], draw(7, [5, 4]))  # at any position
    moved = draw(7, [], [4], [5, 4], [4])
    np.testing.assert_array_equal(numbers[:, [3, 0, 1, 2]], moved)
    assert draw(8, [4])[0, 0] != numbers[0, 0]
