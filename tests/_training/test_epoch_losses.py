"""The losses of an epoch, read after each batch or at its end."""

import math

import pytest
import torch

from sklearn_rnn._training.epoch_losses import DivergenceError, EpochLosses

BATCHES = [(0.1, 2.0, 3), (0.7, 1.0, 4), (0.3, 0.5, 1.5)]


def add_all(losses, batches):
    for loss, norm, n_rows in batches:
        losses.add(torch.tensor(loss), torch.tensor(norm), n_rows)


def test_reading_at_the_end_gives_the_same_bits():
    each, once = EpochLosses(reads_each=True), EpochLosses(reads_each=False)
    add_all(each, BATCHES)
    add_all(once, BATCHES)
    assert each.last == torch.tensor(0.3).item()
    assert each.mean() == once.mean() == pytest.approx(3.55 / 8.5)


@pytest.mark.parametrize("norm", [math.inf, math.nan])
def test_a_gradient_that_is_not_finite_is_an_error(norm):
    bad = [*BATCHES, (9.0, norm, 2)]
    message = f"the loss is 9 and its gradient {norm}"
    with pytest.raises(DivergenceError, match=message):
        add_all(EpochLosses(reads_each=True), bad)
    once = EpochLosses(reads_each=False)
    add_all(once, bad)
    with pytest.raises(DivergenceError, match=message):
        once.mean()
