"""Private random generators are reproducible; global generators are not changed."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from sklearn_rnn._core.randomness import (
    DROPOUT,
    SHUFFLING,
    SPLIT,
    WEIGHTS,
    borrow_global_generator,
    draw_seed,
    numpy_generator,
    torch_generator,
)


def draws_of(seed, n=5):
    return torch.rand(n, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("random_state", [7, np.int64(7)])
def test_an_integer_is_its_own_seed(random_state):
    seed = draw_seed(random_state)
    assert seed == 7
    assert type(seed) is int


def test_a_random_state_is_advanced():
    random_state, twin = np.random.RandomState(3), np.random.RandomState(3)
    seeds = [draw_seed(random_state), draw_seed(random_state)]
    assert seeds == twin.randint(2**31, size=2).tolist()


def test_none_takes_fresh_entropy_and_no_global_state():
    before = np.random.get_state()[1].copy()
    seeds = {draw_seed(None) for _ in range(5)}
    assert len(seeds) > 1
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_numpy_streams_are_reproducible_and_differ():
    streams = (WEIGHTS, SHUFFLING, DROPOUT, SPLIT)
    draws = [numpy_generator(5, stream).random(4) for stream in streams]
    again = [numpy_generator(5, stream).random(4) for stream in streams]
    np.testing.assert_array_equal(draws, again)
    assert len({row[0] for row in draws}) == 4
    assert not np.array_equal(numpy_generator(6, WEIGHTS).random(4), draws[0])


def test_torch_streams_are_reproducible_and_differ():
    streams = (WEIGHTS, SHUFFLING, DROPOUT, SPLIT)
    draws = [torch.rand(4, generator=torch_generator(5, s)) for s in streams]
    again = [torch.rand(4, generator=torch_generator(5, s)) for s in streams]
    assert torch.equal(torch.stack(draws), torch.stack(again))
    assert len({row[0].item() for row in draws}) == 4
    other = torch.rand(4, generator=torch_generator(6, WEIGHTS))
    assert not torch.equal(other, draws[0])


def test_a_stream_may_have_several_numbers():
    seeds = {torch_generator(5, DROPOUT, k).initial_seed() for k in range(3)}
    assert len(seeds) == 3


def test_private_generators_leave_the_global_ones_alone():
    torch_before = torch.get_rng_state()
    numpy_before = np.random.get_state()[1].copy()
    torch.rand(3, generator=torch_generator(0, WEIGHTS))
    numpy_generator(0, SHUFFLING).random(3)
    assert torch.equal(torch.get_rng_state(), torch_before)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)


def test_the_global_generator_is_seeded_and_restored():
    before = torch.get_rng_state()
    with borrow_global_generator(11):
        drawn = torch.rand(5)
    assert torch.equal(drawn, draws_of(11))
    assert torch.equal(torch.get_rng_state(), before)


def test_the_global_generator_is_restored_after_an_error():
    before = torch.get_rng_state()
    with pytest.raises(KeyError), borrow_global_generator(11):
        torch.rand(5)
        raise KeyError
    assert torch.equal(torch.get_rng_state(), before)
    with borrow_global_generator(12):
        assert torch.equal(torch.rand(5), draws_of(12))


def test_threads_that_borrow_do_not_disturb_each_other():
    def draw_slowly(seed):
        with borrow_global_generator(seed):
            draws = []
            for _ in range(5):
                draws.append(torch.rand(1))
                time.sleep(0.001)
        return torch.cat(draws)

    before = torch.get_rng_state()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(draw_slowly, range(8)))
    for seed, draws in enumerate(found):
        expected = torch.Generator().manual_seed(seed)
        ones = [torch.rand(1, generator=expected) for _ in range(5)]
        assert torch.equal(draws, torch.cat(ones))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("seed", [-1, 1.5, np.nan, np.inf, "junk", (), [1], 1j])
def test_an_invalid_seed_is_an_error_that_names_the_parameter(seed):
    with pytest.raises(ValueError, match="random_state must be an integer of at least"):
        draw_seed(seed)
