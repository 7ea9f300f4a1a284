"""Functions that are computed again in the backward pass."""

import torch
from small_networks import normal

from sklearn_rnn._nn.segments import recompute


def test_recomputed_results_have_the_gradients_of_the_function():
    weight, unused = (normal(4, 4, seed=k).requires_grad_() for k in (0, 1))
    frozen, state, calls = normal(4, seed=2), normal(4, seed=3), []

    def step(states):
        calls.append(torch.is_grad_enabled())
        return [torch.tanh(states[0] @ weight + frozen), weight.sum()]

    def run(state):
        return recompute(step, [state], [weight, unused, frozen])

    torch.autograd.gradcheck(run, state.requires_grad_())
    calls.clear()
    results = run(state)
    assert calls == [False]
    (results[0].sum() + results[1]).backward()
    assert calls == [False, True]
    expected = torch.autograd.grad(sum(r.sum() for r in step([state])), weight)
    torch.testing.assert_close(weight.grad, *expected)
    assert unused.grad is None and frozen.grad is None


def test_nothing_is_kept_without_gradients():
    with torch.no_grad():
        (result,) = recompute(lambda states: [states[0] * 2], [torch.ones(1)], [])
    assert result.grad_fn is None
