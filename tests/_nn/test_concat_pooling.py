"""Pooling of training batches by compiled kernels, compared with torch."""

import pytest
import torch

from sklearn_rnn._nn.compiled import can_compile, without_compiled_kernels
from sklearn_rnn._nn.pooling import pool

pytestmark = pytest.mark.skipif(
    not can_compile(torch.zeros(1)), reason="needs numba (extra fast)"
)


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("lengths", [None, torch.tensor([5, 1, 3])])
def test_kernels_pool_as_torch_does(lengths, both):
    generator = torch.Generator().manual_seed(0)
    outputs = torch.randint(-2, 3, (5, 3, 4), generator=generator)  # with equal maxima
    factors = torch.randn(3, 12, generator=generator)
    outputs = outputs.float().requires_grad_()

    def compute():
        pooled = pool(outputs, lengths, "concat", both)
        (pooled * factors).sum().backward()
        gradient, outputs.grad = outputs.grad, None
        return pooled, gradient

    with without_compiled_kernels():
        expected = compute()
    torch.testing.assert_close(compute(), expected)


def test_nan_is_not_hidden():
    outputs = torch.zeros(3, 2, 4)
    outputs[1, 0, 2] = torch.nan
    pooled = pool(outputs.requires_grad_(), None, "concat", False)
    assert pooled.isnan().nonzero().tolist() == [[0, 6], [0, 10]]


def test_steps_do_not_have_to_be_contiguous():
    outputs = torch.randn(2, 3, 4).transpose(0, 1).requires_grad_()
    with without_compiled_kernels():
        expected = pool(outputs, None, "concat", False)
    torch.testing.assert_close(pool(outputs, None, "concat", False), expected)


def test_the_mean_of_many_steps_has_no_rounding_error():
    outputs = torch.full((100_000, 1, 2), 0.1).requires_grad_()
    pooled = pool(outputs, None, "concat", False)
    torch.testing.assert_close(pooled, torch.full((1, 6), 0.1))
