"""The number of threads for computations."""

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from sklearn_rnn._core import threads
from sklearn_rnn._core.threads import (
    PREDICTION_WORTH_THREADS,
    WORK_WORTH_THREADS,
    describe_linear_algebra,
    limit_step_threads,
    limit_threads,
    map_in_threads,
    use_one_thread,
)


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_small_work_runs_on_one_thread(two_threads):
    with limit_threads(WORK_WORTH_THREADS - 1):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


def test_large_work_keeps_its_threads(two_threads):
    with limit_threads(WORK_WORTH_THREADS):
        assert torch.get_num_threads() == 2
    assert torch.get_num_threads() == 2


def test_the_number_of_threads_is_restored_after_an_error(two_threads):
    with pytest.raises(KeyError), limit_threads(1):
        raise KeyError
    assert torch.get_num_threads() == 2


def test_nested_small_work_keeps_one_thread_to_the_end(two_threads):
    with limit_threads(1):
        with limit_threads(1):
            pass
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


def test_one_thread_is_kept():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with limit_threads(1):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def count_linear_algebra():
    return [library.num_threads for library in threads._list_linear_algebra()]


def test_linear_algebra_is_limited_until_the_last_thread_leaves():
    before = count_linear_algebra()
    for library in threads._list_linear_algebra():
        threads._set_library_threads(library, 2)
    first, second = use_one_thread(), use_one_thread()
    with ThreadPoolExecutor(2) as executor:
        for step in (first.__enter__, second.__enter__):
            executor.submit(step).result()
            assert set(count_linear_algebra()) == {1}
        first.__exit__(None, None, None)
        assert set(count_linear_algebra()) == {1}
        second.__exit__(None, None, None)
    assert set(count_linear_algebra()) == {2}
    for library, n in zip(threads._list_linear_algebra(), before, strict=True):
        threads._set_library_threads(library, n)


def test_a_token_that_never_leaves_does_not_keep_the_limit():
    before = count_linear_algebra()
    for library in threads._list_linear_algebra():
        library.set_num_threads(2)
    threads._linear_algebra.enter(threads.Token())  # as if its thread was interrupted
    assert set(count_linear_algebra()) == {1}
    with use_one_thread():
        assert set(count_linear_algebra()) == {1}
    assert set(count_linear_algebra()) == {2}
    for library, n in zip(threads._list_linear_algebra(), before, strict=True):
        library.set_num_threads(n)


def multiply(connection):
    ones = torch.ones(600, 600)
    connection.send((float((ones @ ones).sum()), torch.get_num_threads()))


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="needs fork"
)
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_computes_after_its_parent_used_two_threads(two_threads):
    ones = torch.ones(600, 600)
    assert float((ones @ ones).sum()) == 600**3
    assert float(torch.ones(10**6).sum()) == 10**6
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=multiply, args=(sender,))
    child.start()
    try:
        assert receiver.poll(60), "the child hangs"
        assert receiver.recv() == (600**3, 1)
        child.join(60)
        assert child.exitcode == 0
    finally:
        child.kill()
        child.join()


def test_threads_are_restored_in_any_order_of_leaving():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        first, second = limit_step_threads(10**6), limit_step_threads(10**6)
        first.__enter__()
        assert torch.get_num_threads() == 1
        second.__enter__()
        first.__exit__(None, None, None)
        second.__exit__(None, None, None)
        assert torch.get_num_threads() == 2
        with limit_step_threads(10**9):
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_libraries_of_linear_algebra_are_described():
    described = describe_linear_algebra()
    assert described == sorted(described)
    assert all(int(n_threads) > 0 for *_, n_threads in described)


@pytest.mark.parametrize("work", [0, PREDICTION_WORTH_THREADS])
def test_each_item_is_computed_on_one_thread(two_threads, work):
    def look(item):
        return item, torch.get_num_threads(), threading.get_ident()

    found = map_in_threads(look, range(8), work)
    assert [item for item, *_ in found] == list(range(8))
    assert {n_threads for _, n_threads, _ in found} == {1}
    is_parallel = threading.get_ident() not in {ident for *_, ident in found}
    assert is_parallel == (work > 0)
    assert torch.get_num_threads() == 2


def test_another_thread_does_not_change_the_number_of_threads_per_item(two_threads):
    def set_elsewhere():
        with ThreadPoolExecutor(1) as other:
            other.submit(torch.set_num_threads, 2).result()
        yield from range(2)

    def look(item):
        return torch.get_num_threads()

    found = map_in_threads(look, set_elsewhere(), PREDICTION_WORTH_THREADS)
    assert found == [1, 1]


def test_an_error_in_a_thread_is_raised(two_threads):
    with pytest.raises(ZeroDivisionError):
        map_in_threads(lambda item: 1 / item, range(3), PREDICTION_WORTH_THREADS)
    assert torch.get_num_threads() == 2
