"""Pooling over time, compared with known values."""

import pytest
import torch
from small_networks import close

from sklearn_rnn._nn.pooling import Pooling, pool

OUTPUTS = torch.tensor(
    [
        [[-1.0, -8.0], [-3.0, -1.0]],
        [[-5.0, -2.0], [9.0, 7.0]],
        [[-6.0, -5.0], [8.0, 6.0]],
    ]
)


@pytest.mark.parametrize(
    "how, both, expected",
    [
        ("last", False, [[-6, -5], [-3, -1]]),
        ("last", True, [[-6, -8], [-3, -1]]),
        ("mean", False, [[-4, -5], [-3, -1]]),
        ("max", False, [[-1, -2], [-3, -1]]),
        ("concat", False, [[-6, -5, -4, -5, -1, -2], [-3, -1, -3, -1, -3, -1]]),
        ("concat", True, [[-6, -8, -4, -5, -1, -2], [-3, -1, -3, -1, -3, -1]]),
    ],
)
def test_pool_reads_only_valid_steps(how, both, expected):
    assert pool(OUTPUTS, torch.tensor([3, 1]), how, both).tolist() == expected


@pytest.mark.parametrize(
    "how, both, expected",
    [
        ("last", False, [[-6, -5], [8, 6]]),
        ("last", True, [[-6, -8], [8, -1]]),
        ("mean", False, [[-4, -5], [14 / 3, 4]]),
        ("max", True, [[-1, -2], [9, 7]]),
        ("concat", True, [[-6, -8, -4, -5, -1, -2], [8, -1, 14 / 3, 4, 9, 7]]),
    ],
)
def test_pool_reads_every_step_of_full_sequences(how, both, expected):
    close(pool(OUTPUTS, None, how, both), expected, 1e-6)


def test_mean_and_max_send_no_gradient_into_padding():
    outputs = OUTPUTS.clone().requires_grad_()
    for how in ("mean", "max"):
        pool(outputs, torch.tensor([3, 1]), how, False).sum().backward()
    assert outputs.grad[1:, 1].tolist() == [[0, 0], [0, 0]]
    assert outputs.grad[0, 1].tolist() == [2, 2]


@pytest.mark.parametrize("how", ["last", "mean", "max", "concat"])
def test_a_sequence_may_end_before_a_segment(how):
    lengths = torch.tensor([3, 1])
    pooling, parts = Pooling(how, False), []
    for t in range(3):
        n_valid = (lengths - t).clamp(0, 1)
        _, parts = pooling.reduce(OUTPUTS[t : t + 1], n_valid, parts, None)
    close(pooling.join(None, parts, lengths), pool(OUTPUTS, lengths, how, False), 1e-6)
