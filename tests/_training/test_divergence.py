"""Errors of trainings that diverge."""

import pytest
import torch

from sklearn_rnn._training.divergence import (
    are_finite,
    can_be_multiplied,
    describe_divergence,
    explain_large_rates,
)


def test_the_message_names_epoch_cause_and_remedy():
    message = describe_divergence(3, "the loss is inf")
    assert "epoch 3: the loss is inf. Decrease learning_rate" in message


def test_only_overflows_are_explained():
    with pytest.raises(ValueError, match="epoch 2: the learning rate is too large"):
        with explain_large_rates(2):
            raise RuntimeError("value cannot be converted to float without overflow")
    with pytest.raises(RuntimeError, match="another"), explain_large_rates(2):
        raise RuntimeError("another")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_finite_are_found(value):
    good, bad = torch.ones(2), torch.tensor([0.0, value])
    assert are_finite([good, good])
    assert not are_finite([good, bad])
    assert not can_be_multiplied([good, bad])


def test_finite_weights_may_be_too_large_to_be_multiplied():
    assert can_be_multiplied([torch.tensor([1e15])])
    assert are_finite([torch.tensor([1e25])])
    assert not can_be_multiplied([torch.tensor([1e25])])
