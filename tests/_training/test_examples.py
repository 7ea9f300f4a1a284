"""Training examples: sequences with their targets and weights."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.base import clone

from sklearn_rnn import RNNClassifier
from sklearn_rnn._data.sequences import from_ragged
from sklearn_rnn._training.examples import Examples

SEQUENCES = from_ragged([[1.0, 2.0], [3.0], [4.0, 5.0, 6.0]])
FIRST = np.array([0, 2, 3])  # the first step of each sequence


def make_examples(rows, weights=None, first=None):
    n = 3 if first is None else 6
    weights = None if weights is None else torch.tensor(weights, dtype=torch.float64)
    return Examples(SEQUENCES, torch.arange(n), weights, np.array(rows), first)


def test_one_target_per_sequence_has_the_place_of_its_row():
    examples = make_examples([2, 0])
    assert examples.locate_targets(np.array([1, 2])).tolist() == [1, 2]
    assert examples.locate_all_targets().tolist() == [2, 0]


def test_targets_of_the_rows_are_counted():
    assert make_examples([2, 0]).n_targets == 2
    assert make_examples([2, 0], first=FIRST).n_targets == 5


def test_targets_of_a_batch_of_steps_are_in_the_order_of_time():
    examples = make_examples([0, 1, 2], first=FIRST)
    assert examples.locate_targets(np.array([2, 0])).tolist() == [3, 0, 4, 1, 5]


def test_all_targets_of_steps_are_row_by_row():
    assert make_examples([2, 0], first=FIRST).locate_all_targets().tolist() == [
        3,
        4,
        5,
        0,
        1,
    ]
    assert make_examples([1], first=FIRST).locate_all_targets().tolist() == [2]


def test_examples_without_weights_stay_as_they_are():
    examples = make_examples([0, 1])
    assert examples.normalize_weights(torch.float32) is examples


@pytest.mark.parametrize("scale", [1, 1e-300, 1e300])
def test_weights_have_mean_one_over_the_rows_that_take_part(scale):
    examples = make_examples([0, 2], np.array([1, 9, 3]) * scale)
    scaled = examples.normalize_weights(torch.float32)
    assert scaled.weights.dtype == torch.float32
    np.testing.assert_allclose(scaled.weights, [0.5, 4.5, 1.5], rtol=1e-6)
    assert scaled.rows is examples.rows
    assert examples.weights.tolist() == (np.array([1, 9, 3]) * scale).tolist()


def test_weights_of_steps_have_mean_one_over_all_steps_of_the_rows():
    examples = make_examples([0, 1], [1, 2, 3, 7, 7, 7], FIRST)
    weights = examples.normalize_weights(torch.float64).weights
    np.testing.assert_allclose(weights[:3], [0.5, 1.0, 1.5])


def test_huge_weights_weigh_as_small_ones(rng):
    X = rng.normal(size=(60, 6))
    y = (X.sum(axis=1) > 0).astype(int)
    model = RNNClassifier("gru", 8, max_epochs=3, random_state=0)
    small = clone(model).fit(X, y, sample_weight=np.ones(60)).predict_proba(X)
    huge = clone(model).fit(X, y, sample_weight=np.full(60, 1e308)).predict_proba(X)
    np.testing.assert_allclose(huge, small)


def test_windows_continue_the_longest_sequences_of_a_batch():
    examples = replace(make_examples([0, 1, 2], first=FIRST), window=2)
    assert examples.count_windows(np.array([2, 0, 1])).tolist() == [2, 1, 1]
    assert examples.longest == 2
    windows = list(examples.split_windows(np.array([0, 1, 2])))
    assert [(rows.tolist(), *rest) for rows, *rest in windows] == [
        ([2, 0, 1], 0, 2),
        ([2], 2, 2),
    ]
    places = [examples.locate_targets(*window).tolist() for window in windows]
    assert places == [[3, 0, 2, 4, 1], [5]]
