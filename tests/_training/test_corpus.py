"""A corpus and its training windows."""

import numpy as np
import pytest

from sklearn_rnn._data.tokens import END, START
from sklearn_rnn._training import corpus as _corpus
from sklearn_rnn._training.corpus import (
    gather_window,
    make_corpus,
    overlapping_windows,
    tbptt_windows,
)


@pytest.fixture(autouse=True)
def short_lanes(monkeypatch):
    monkeypatch.setattr(_corpus, "WINDOWS_PER_LANE", 1)


def corpus_of(lengths, dtype=np.uint8):
    flat = np.concatenate([np.arange(4, 4 + n) % 200 + 4 for n in lengths] or [[]])
    return make_corpus(np.array(lengths), flat.astype(dtype))


def all_steps(corpus):
    steps = [
        np.arange(start, start + n)
        for start, n in zip(corpus.starts, corpus.lengths, strict=True)
    ]
    return np.concatenate(steps)


def steps_of(window):
    steps = [
        np.arange(start, start + n)
        for start, n in zip(window.starts, window.lengths, strict=True)
    ]
    return np.concatenate(steps)


def test_documents_stand_between_start_and_end():
    corpus = make_corpus(np.array([2, 0, 1]), np.array([7, 8, 9], dtype=np.uint8))
    assert corpus.codes.tolist() == [START, 7, 8, END, START, END, START, 9, END]
    assert corpus.starts.tolist() == [0, 4, 6] and corpus.lengths.tolist() == [3, 1, 2]
    assert corpus.n_steps == 6 and corpus.codes.dtype == np.uint8


def test_ends_can_be_left_out():
    corpus = make_corpus(np.array([2, 1]), np.array([7, 8, 9], dtype=np.uint8))
    cut = corpus.without_ends()
    assert cut.starts.tolist() == [0, 4] and cut.lengths.tolist() == [2, 1]
    np.testing.assert_array_equal(cut.codes, corpus.codes)


def test_a_document_is_cut_into_beginning_and_tail():
    corpus = corpus_of([9])
    front, tail = corpus.cut(3)
    np.testing.assert_array_equal(
        np.concatenate([all_steps(front), all_steps(tail)]), all_steps(corpus)
    )
    assert tail.n_steps == 3
    assert corpus_of([3, 5, 7]).part(np.array([2, 0])).lengths.tolist() == [8, 4]


def test_windows_hold_codes_and_those_that_follow():
    corpus = make_corpus(np.array([3, 1]), np.array([7, 8, 9, 6], dtype=np.uint8))
    window = _corpus.Window(np.array([0, 5]), np.array([4, 2]), np.ones(2, dtype=bool))
    inputs, targets, valid = gather_window(corpus, window)
    assert inputs[:, 0].tolist() == [START, 7, 8, 9]
    assert targets[:, 0].tolist() == [7, 8, 9, END]
    assert inputs[:2, 1].tolist() == [START, 6] and targets[:2, 1].tolist() == [6, END]
    np.testing.assert_array_equal(valid, [[1, 1], [1, 1], [1, 0], [1, 0]])
    full = _corpus.Window(np.array([0]), np.array([4]), np.ones(1, dtype=bool))
    assert gather_window(corpus, full)[2] is None


@pytest.mark.parametrize("seed", range(20))
def test_every_step_is_read_once_an_epoch(seed):
    rng = np.random.default_rng(seed)
    corpus = corpus_of(rng.integers(0, 60, size=rng.integers(1, 12)).tolist())
    lanes, window = int(rng.integers(1, 6)), int(rng.integers(1, 20))
    read = [steps_of(w) for w in tbptt_windows(corpus, window, lanes, rng)]
    np.testing.assert_array_equal(np.sort(np.concatenate(read)), all_steps(corpus))


@pytest.mark.parametrize("seed", range(10))
def test_a_column_goes_on_where_it_was_unless_it_is_fresh(seed):
    rng = np.random.default_rng(seed)
    corpus = corpus_of(rng.integers(0, 80, size=8).tolist())
    ends, begun, before = None, [], None
    for window in tbptt_windows(corpus, 7, 3, rng):
        assert (window.lengths <= 7).all()
        if ends is None:
            assert window.fresh.all()
        else:
            going = ~window.fresh
            assert len(window.starts) <= len(ends)
            np.testing.assert_array_equal(
                window.starts[going], ends[: len(going)][going]
            )
            assert (before[: len(going)][going] == 7).all()
        ends, before = window.starts + window.lengths, window.lengths
        begun += window.starts[window.fresh].tolist()
    assert set(corpus.starts.tolist()) <= set(begun)


def test_only_documents_longer_than_their_lane_are_cut_and_lanes_are_balanced():
    corpus = corpus_of([200, 30, 20, 25, 9, 14])
    n_lanes = 4
    totals, begun = np.zeros(n_lanes, dtype=int), []
    for window in tbptt_windows(corpus, 5, n_lanes, np.random.default_rng(0)):
        totals[: len(window.lengths)] += window.lengths
        begun += window.starts[window.fresh].tolist()
    cuts = set(begun) - set(corpus.starts.tolist())
    assert all(corpus.starts[0] < cut < corpus.starts[1] for cut in cuts)
    assert 1 <= len(cuts) <= 3
    assert totals.max() <= 1.4 * totals.mean()


def test_a_short_text_gets_fewer_lanes(monkeypatch):
    monkeypatch.setattr(_corpus, "WINDOWS_PER_LANE", 8)
    windows = list(tbptt_windows(corpus_of([399]), 10, 32, np.random.default_rng(0)))
    assert max(len(window.starts) for window in windows) == 5


def test_documents_that_fit_a_window_are_batched_whole():
    corpus = corpus_of([3, 5, 4, 6, 2])
    windows = list(tbptt_windows(corpus, 10, 2, np.random.default_rng(0)))
    assert sorted(len(w.starts) for w in windows) == [1, 2, 2]
    assert all(w.fresh.all() for w in windows)


def test_order_is_that_of_the_seed():
    corpus = corpus_of([30, 40, 20, 35])

    def read(seed):
        rng = np.random.default_rng(seed)
        return [w.starts.tolist() for w in tbptt_windows(corpus, 8, 2, rng)]

    assert read(0) == read(0) != read(1)


def test_independent_windows_begin_every_step_and_end_with_their_document():
    corpus = corpus_of([9, 4])
    found = []
    for window in overlapping_windows(corpus, 6, 4, 2, np.random.default_rng(0)):
        assert window.fresh.all()
        found += zip(window.starts.tolist(), window.lengths.tolist(), strict=True)
    assert sorted(found) == [(0, 6), (4, 6), (8, 2), (11, 5), (15, 1)]
