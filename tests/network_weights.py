"""Weights of fitted networks, for exact comparisons."""

import torch


def weights(model):
    return [p.detach().clone() for p in model.module_.parameters()]


def assert_same_weights(model, other):
    for ours, theirs in zip(weights(model), weights(other), strict=True):
        assert torch.equal(ours, theirs)
