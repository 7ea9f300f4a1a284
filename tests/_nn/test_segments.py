"""Functions of segments that are computed again in the backward pass."""

import pytest
import torch
from small_networks import normal

from sklearn_rnn._nn.segments import read_segments

SEGMENTS = normal(3, 2, 4)  # (segment, row, feature)


def test_segments_have_the_gradients_of_the_function():
    weight, unused = (normal(4, 4, seed=k).requires_grad_() for k in (0, 1))
    frozen, state, calls = normal(4, seed=2), normal(2, 4, seed=3), []

    def read(k, states):
        calls.append((k, torch.is_grad_enabled()))
        after = torch.tanh(states[0] @ weight + frozen + SEGMENTS[k])
        return after[: 1 + k % 2] * 2, [after, weight.sum() * SEGMENTS[k]]

    def run(state):
        rows, last = read_segments(read, 3, 4, [state], [weight, unused, frozen])
        return rows, *last

    torch.autograd.gradcheck(run, state.requires_grad_())
    calls.clear()
    results = run(state)
    assert calls == [(0, True), (1, True), (2, True)]
    sum(result.sum() for result in results).backward()
    assert calls[3:] == [(2, True), (1, True), (0, True)]
    with torch.no_grad():
        for result, expected in zip(run(state), results, strict=True):
            assert torch.equal(result, expected) and result.grad_fn is None
    states, total = [state], 0
    for k in range(3):
        part, states = read(k, states)
        total = total + part.sum()
    total = total + sum(last.sum() for last in states)
    expected = torch.autograd.grad(total, weight)
    torch.testing.assert_close(weight.grad, *expected)
    assert not unused.grad.any() and frozen.grad is None


@pytest.mark.parametrize("is_first_frozen", [False, True])
def test_some_segments_may_not_depend_on_weights(is_first_frozen):
    weight = torch.ones(2, dtype=torch.float64, requires_grad=True)

    def read(k, states):
        is_used = (k > 0) == is_first_frozen
        return None, [SEGMENTS[k, 0, :2] * (weight if is_used else 1)]

    _, (last,) = read_segments(read, 2, 0, [], [weight])
    last.sum().backward()
    expected = SEGMENTS[1, 0, :2] if is_first_frozen else torch.zeros(2).double()
    assert torch.equal(weight.grad, expected)
