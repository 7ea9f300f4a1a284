"""Masks of a share of a batch are those of the whole batch."""

import numpy as np
import pytest
import torch

from sklearn_rnn._nn.masks import MaskGenerator, Share, draw_mask

LENGTHS = np.array([5, 2, 4, 1, 3])


def draw(x, share=None):
    generator = MaskGenerator().manual_seed(0)
    generator.share = share
    return draw_mask(x, 0.5, generator)


@pytest.mark.parametrize("columns", [slice(0, None, 2), slice(1, None, 2), slice(1)])
def test_a_share_gets_its_part_of_the_masks(columns):
    share = Share(LENGTHS, columns)
    own = LENGTHS[columns]
    steps = draw(torch.ones(5, 5, 3))  # (T, B, H)
    assert torch.equal(
        draw(torch.ones(own.max(), len(own), 3), share), steps[: own.max(), columns]
    )
    pooled = draw(torch.ones(5, 3))  # (B, H)
    assert torch.equal(draw(torch.ones(len(own), 3), share), pooled[columns])


@pytest.mark.parametrize("columns", [slice(0, None, 2), slice(3, 4), slice(1)])
def test_a_share_gets_its_part_of_the_masks_of_steps(columns):
    share, own = Share(LENGTHS, columns, each_step=True), LENGTHS[columns]
    valid = torch.from_numpy(np.arange(5)[:, None] < LENGTHS)  # (T, B)
    every = draw(torch.ones(LENGTHS.sum(), 3))  # (n_steps, H)
    placed = torch.zeros(5, 5, 3)
    placed[valid] = every
    assert torch.equal(
        draw(torch.ones(own.sum(), 3), share), placed[:, columns][valid[:, columns]]
    )


def test_a_share_is_cut_to_a_segment():
    share = Share(LENGTHS, slice(0, None, 2), each_step=True).cut(2, 2)
    assert share.lengths.tolist() == [2, 0, 2, 0, 1]
    own, every = share.lengths[::2], draw(torch.ones(5, 3))  # 5 steps in all
    assert torch.equal(draw(torch.ones(own.sum(), 3), share), every)  # none of others


def test_without_a_share_masks_are_those_of_any_generator():
    x = torch.ones(4, 3, 2)
    expected = torch.empty(4, 3, 2).bernoulli_(
        0.5, generator=torch.Generator().manual_seed(0)
    )
    assert torch.equal(draw(x), expected)
