"""Batches of similar length, padding, and predictions in the original order."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_rnn._data.sequences import Sequences, from_ragged
from sklearn_rnn._training import batching as _batching
from sklearn_rnn._training.batching import (
    pad_batch,
    predict_batches,
    prediction_batches,
    training_batches,
)

CPU = torch.device("cpu")


@pytest.fixture
def lengths():
    return np.random.default_rng(1).integers(1, 40, size=103)


@pytest.fixture
def long_run():
    lengths = np.random.default_rng(2).integers(5, 41, size=640)
    return lengths, training_batches(
        np.arange(640), lengths, 8, np.random.default_rng(0)
    )


@pytest.mark.parametrize("batch_size", [1, 2, 8, 200])
def test_training_batches_hold_every_row_once(lengths, batch_size):
    rows = np.arange(3, 103, 2)
    batches = training_batches(rows, lengths, batch_size, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(np.concatenate(batches)), rows)
    assert len(batches) == -(-50 // batch_size)
    sizes = set(map(len, batches))
    assert max(sizes) <= batch_size and max(sizes) - min(sizes) <= 1


def test_successive_training_batches_share_a_random_sample_by_length(long_run):
    lengths, batches = long_run
    assert {len(batch) for batch in batches} == {8}
    for k in range(0, len(batches), 2):
        spans = sorted((lengths[b].min(), lengths[b].max()) for b in batches[k : k + 2])
        for (_, highest), (lowest, _) in pairwise(spans):
            assert highest <= lowest
    means = [
        lengths[np.concatenate(batches[k : k + 2])].mean() for k in range(0, 80, 2)
    ]
    assert np.std(means) < 1.3 * lengths.std() / np.sqrt(16)


def test_training_batches_need_less_padding_than_random_ones(long_run):
    lengths, batches = long_run
    steps = sum(lengths[b].max() * len(b) for b in batches)
    assert steps < 1.4 * lengths.sum()
    rows = np.random.default_rng(0).permutation(640).reshape(80, 8)
    assert steps < 0.85 * 8 * lengths[rows].max(1).sum()


def test_rows_meet_different_rows_in_each_epoch():
    lengths, rng = np.arange(1, 601), np.random.default_rng(0)
    met = np.zeros((600, 600), dtype=bool)
    for _ in range(100):
        for batch in training_batches(np.arange(600), lengths, 15, rng):
            met[np.ix_(batch, batch)] = True
    assert met.mean() > 0.4


@pytest.mark.parametrize(
    "lengths",
    [np.arange(1, 257), np.random.default_rng(0).integers(18, 22, size=600)],
    ids=["few batches", "little padding"],
)
def test_training_batches_are_random_where_padding_costs_little(lengths):
    n, rng, twin = len(lengths), np.random.default_rng(0), np.random.default_rng(0)
    batches = training_batches(np.arange(n), lengths, 8, rng)
    expected = twin.permutation(n).reshape(-1, 8)
    expected = expected[twin.permutation(n // 8)]
    np.testing.assert_array_equal(batches, expected)


def test_the_longest_row_is_in_no_batch_of_its_own():
    lengths = np.arange(1, 34)
    batches = training_batches(np.arange(33), lengths, 32, np.random.default_rng(0))
    assert sorted(map(len, batches)) == [16, 17]


def test_training_batches_of_equal_lengths_are_fully_shuffled():
    lengths, rng = np.full(20, 7), np.random.default_rng(0)
    twin = np.random.default_rng(0)
    batches = training_batches(np.arange(20), lengths, 5, rng)
    expected = twin.permutation(20).reshape(4, 5)
    expected = expected[twin.permutation(4)]
    np.testing.assert_array_equal(batches, expected)


def test_training_batches_follow_the_generator(lengths):
    def joined(rng):
        return np.concatenate(training_batches(np.arange(103), lengths, 8, rng))

    rng = np.random.default_rng(0)
    first, second = joined(rng), joined(rng)
    np.testing.assert_array_equal(first, joined(np.random.default_rng(0)))
    assert not np.array_equal(first, second)


def test_training_batches_come_in_no_order_of_length(lengths):
    batches = training_batches(np.arange(103), lengths, 8, np.random.default_rng(0))
    widest = np.array([lengths[b].max() for b in batches])
    assert (np.diff(widest) < 0).any() and (np.diff(widest) > 0).any()


def test_training_batches_change_neither_rows_nor_lengths(lengths):
    rows, kept = np.arange(103), lengths.copy()
    training_batches(rows, lengths, 8, np.random.default_rng(0))
    np.testing.assert_array_equal(rows, np.arange(103))
    np.testing.assert_array_equal(lengths, kept)


def test_prediction_batches_start_with_the_longest_and_keep_equal_rows_in_order():
    lengths = np.array([2, 5, 1, 5, 2, 9])
    batches = list(prediction_batches(np.arange(6), lengths, 4))
    assert [b.tolist() for b in batches] == [[4, 1, 3, 5], [2, 0]]


def test_prediction_batches_read_only_the_given_rows(lengths):
    rows = np.array([90, 2, 17, 54])
    batches = list(prediction_batches(rows, lengths, 3))
    assert [len(b) for b in batches] == [3, 1]
    assert sorted(np.concatenate(batches).tolist()) == [2, 17, 54, 90]


def test_prediction_batches_hold_a_bounded_number_of_steps(lengths, monkeypatch):
    monkeypatch.setattr(_batching, "STEPS_PER_PREDICTION_BATCH", 60)
    batches = list(prediction_batches(np.arange(103), lengths, 50))
    assert sorted(np.concatenate(batches).tolist()) == list(range(103))
    assert max(lengths[b].max() * len(b) for b in batches) <= 60


def test_a_sequence_beyond_the_bound_is_a_batch_of_its_own(monkeypatch):
    monkeypatch.setattr(_batching, "STEPS_PER_PREDICTION_BATCH", 10)
    lengths = np.array([3, 99, 2, 25])
    batches = list(prediction_batches(np.arange(4), lengths, 50))
    assert [b.tolist() for b in batches] == [[1], [3], [2, 0]]


@pytest.fixture
def three():
    return from_ragged([[1.0, 2.0, 3.0], [4.0], [5.0, 6.0]])


def test_padded_puts_time_first_and_zeros_behind(three):
    inputs = pad_batch(three, np.array([2, 0, 1]), CPU)
    assert inputs.values[:, :, 0].tolist() == [[5, 1, 4], [6, 2, 0], [0, 3, 0]]
    assert inputs.lengths.tolist() == [2, 3, 1]


def test_padded_is_only_as_wide_as_its_longest(three):
    inputs = pad_batch(three, np.array([1, 2]), CPU)
    assert inputs.values[:, :, 0].tolist() == [[4, 5], [0, 6]]


@pytest.mark.parametrize("rows, values", [([2], [[5], [6]]), ([1, 1], [[4, 4]])])
def test_padded_has_no_lengths_when_all_are_equal(three, rows, values):
    inputs = pad_batch(three, np.array(rows), CPU)
    assert inputs.lengths is None
    assert inputs.values[:, :, 0].tolist() == values


def test_padded_keeps_features_together():
    sequences = from_ragged([[[1, 2], [3, 4]], [[5, 6]]])
    inputs = pad_batch(sequences, np.array([1, 0]), CPU)
    assert inputs.values.tolist() == [[[5, 6], [1, 2]], [[0, 0], [3, 4]]]


def test_padded_codes_have_padding_code_zero():
    codes = np.array([4, 5, 6, 7, 0, 0], dtype=np.int32)
    starts, lengths = np.array([0, 3]), np.array([3, 1])
    inputs = pad_batch(Sequences(codes, starts, lengths, 8), np.array([0, 1]), CPU)
    assert inputs.values.tolist() == [[4, 7], [5, 0], [6, 0]]
    assert inputs.values.dtype == torch.int32


def test_padded_never_reads_padding_of_the_container():
    values = np.array([[1.0], [np.nan], [2.0], [3.0]])
    sequences = Sequences(values, np.array([0, 2]), np.array([1, 2]))
    inputs = pad_batch(sequences, np.array([0, 1]), CPU)
    assert inputs.values[:, :, 0].tolist() == [[1, 2], [0, 3]]
    assert pad_batch(sequences, np.array([0]), CPU).values.tolist() == [[[1]]]


def test_padded_copies_out_of_a_read_only_file(tmp_path):
    np.save(tmp_path / "X.npy", np.arange(6.0)[:, None])
    values = np.load(tmp_path / "X.npy", mmap_mode="r")
    sequences = Sequences(values, np.array([0, 4]), np.array([4, 2]))
    inputs = pad_batch(sequences, np.array([1, 0]), CPU)
    inputs.values[0] = -1
    assert inputs.values[:, :, 0].tolist() == [[-1, -1], [5, 1], [0, 2], [0, 3]]
    np.testing.assert_array_equal(values, np.arange(6.0)[:, None])


class SumAndLength(nn.Module):
    def forward(self, inputs):
        values, lengths = inputs
        total = values[:, :, 0].sum(0)
        if lengths is None:
            lengths = torch.full_like(total, len(values))
        return torch.stack([total, lengths.to(total.dtype)], 1)


@pytest.mark.parametrize("batch_size", [1, 2, 3, 100])
def test_answers_come_in_the_order_of_rows(lengths, batch_size):
    X = [np.full(length, float(i)) for i, length in enumerate(lengths)]
    rows = np.random.default_rng(3).permutation(103)[:60]
    answers = predict_batches(SumAndLength(), from_ragged(X), rows, batch_size, CPU)
    expected = np.stack([rows * lengths[rows], lengths[rows]], 1)
    np.testing.assert_array_equal(answers.numpy(), expected)


def test_predicted_records_no_gradients(three):
    module = nn.Sequential(SumAndLength(), nn.Linear(2, 1, dtype=torch.float64))
    assert not predict_batches(module, three, np.arange(3), 2, CPU).requires_grad
