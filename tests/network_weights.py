"""Weights of fitted networks, to be compared bit by bit."""

import torch


def weights(model):
    return [p.detach().clone() for p in model.module_.parameters()]


def assert_same_weights(model, other):
    for ours, theirs in zip(weights(model), weights(other), strict=True):
        assert torch.equal(ours, theirs)
