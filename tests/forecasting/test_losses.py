"""Losses and the score of forecasts, by hand."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from sklearn_rnn.forecasting._losses import (
    LOSSES,
    MaskedLoss,
    QuantileLoss,
    score_outputs,
)

OUTPUTS = torch.tensor([[1.0, 5.0], [2.0, 4.0], [0.0, 0.0]])
TARGETS = torch.tensor([[1.5, 2.0], [torch.nan, 1.0], [torch.nan, torch.nan]])


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("squared_error", [(0.25 + 9) / 2, 9, 0]),
        ("absolute_error", [(0.5 + 3) / 2, 3, 0]),
        ("huber", [(0.125 + 2.5) / 2, 2.5, 0]),
    ],
)
def test_missing_targets_are_left_out(loss, expected):
    assert loss in LOSSES
    assert_allclose(MaskedLoss(loss)(OUTPUTS, TARGETS), expected)


def test_missing_targets_have_no_gradient():
    outputs = OUTPUTS.clone().requires_grad_()
    MaskedLoss("squared_error")(outputs, TARGETS).sum().backward()
    assert_allclose(outputs.grad, [[-0.5, 3], [0, 6], [0, 0]])
    outputs = OUTPUTS.repeat_interleave(3, dim=1).requires_grad_()
    QuantileLoss((0.1, 0.5, 0.9))(outputs, TARGETS).sum().backward()
    assert torch.isfinite(outputs.grad).all()
    assert (outputs.grad[2] == 0).all()


def test_pinball_loss():
    loss = QuantileLoss((0.1, 0.5, 0.9))
    outputs = torch.tensor([[0.0, 2.0, 3.0]])
    below, above = (
        loss(outputs, torch.tensor([[-1.0]])),
        loss(outputs, torch.tensor([[4.0]])),
    )
    assert_allclose(below, [(0.9 * 1 + 0.5 * 3 + 0.1 * 4) / 3], rtol=1e-6)
    assert_allclose(above, [(0.1 * 4 + 0.5 * 2 + 0.9 * 1) / 3], rtol=1e-6)


def test_pinball_loss_is_least_at_the_quantiles():
    rng = np.random.default_rng(0)
    targets = torch.from_numpy(rng.normal(size=(2000, 1)))
    levels = (0.25, 0.5, 0.75)
    best = np.quantile(targets.numpy(), levels)

    def mean_loss(quantiles):
        outputs = torch.tensor(quantiles).expand(2000, 3)
        return float(QuantileLoss(levels)(outputs, targets).mean())

    for place in range(3):
        for change in (-0.1, 0.1):
            moved = best.copy()
            moved[place] += change
            assert mean_loss(best) < mean_loss(moved)


def test_the_score_is_minus_the_mean_absolute_error_of_the_median():
    score = score_outputs(OUTPUTS, TARGETS, None, 1)
    assert_allclose(score, -(0.5 + 3 + 3) / 3)
    three = torch.stack([OUTPUTS - 9, OUTPUTS, OUTPUTS + 9], dim=2).flatten(1)
    assert score_outputs(three, TARGETS, None, 3) == score


def test_the_score_weighs_rows():
    weights = torch.tensor([0.0, 2.0, 1.0])
    assert_allclose(score_outputs(OUTPUTS, TARGETS, weights, 1), -3)
    weights = torch.tensor([1.0, 2.0, 1.0])
    expected = -(0.5 + 3 + 2 * 3) / (2 + 2)
    assert_allclose(score_outputs(OUTPUTS, TARGETS, weights, 1), expected)
