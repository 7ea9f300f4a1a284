"""Reading step by step gives the same outputs as reading whole sequences."""

import numpy as np
import pytest
import torch
from small_networks import UsersGRU, each_cell, each_kind

from sklearn_rnn._core.randomness import torch_generator
from sklearn_rnn._nn.builders import build_language_network, build_network
from sklearn_rnn._nn.sequence import Inputs
from sklearn_rnn._nn.steppers import NumpyStepper, TorchStepper, make_stepper

V, B, T = 11, 3, 9
SETTINGS = [
    {},
    {"num_layers": 3},
    {"embedding": "onehot"},
    {"embedding": 5, "tie_weights": True},
    {"embedding": 8, "tie_weights": True, "num_layers": 2},
    {"dtype": torch.float64},
]


def network(cell, **settings):
    module = build_language_network(
        cell, V, 8, generator=torch_generator(0, 0), **settings
    )
    with torch.no_grad():
        for p in module.parameters():
            p.add_(0.3 * torch.randn(p.shape, generator=torch_generator(0, 1)))
    return module.eval()


@pytest.fixture
def codes():
    return torch.randint(0, V, (T, B), generator=torch_generator(0, 2))


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@each_kind
def test_steps_give_the_logits_of_the_module(cell, activation, settings, codes):
    module = network(cell, activation=activation, **settings)
    tight = module.head.weight.dtype == torch.float64
    with torch.inference_mode():
        expected, _ = module(codes)
        _, states = module(codes[:2])
    for make in (NumpyStepper, TorchStepper):
        steps = make(module, states)
        for t in range(2, T):
            found = steps.feed(codes[t].numpy())
            np.testing.assert_allclose(
                found, expected[t], rtol=1e-9 if tight else 1e-4, atol=1e-5
            )


@pytest.mark.parametrize("pooling", [None, "last", "mean", "max", "concat"])
@each_cell
def test_steps_give_the_answers_to_the_whole(cell, pooling):
    module = build_network(
        cell, 2, 6, 3, generator=torch_generator(0, 0), num_layers=2, pooling=pooling
    ).eval()
    x = torch.randn(T, B, 2, generator=torch_generator(0, 1))
    for make in (NumpyStepper, TorchStepper):
        steps = make(module, n_streams=B)
        for t in range(T):
            found = steps.feed(x[t].numpy())
            with torch.inference_mode():
                expected = module(Inputs(x[: t + 1], None))[-B:]
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
        assert steps.state["n_steps"].tolist() == [T] * B


def test_rows_are_put_back_and_new_ones_have_read_nothing():
    module = build_network("lstm", 2, 6, 3, generator=torch_generator(0, 0)).eval()
    x = np.ones((2, 2), dtype=np.float32)
    for make in (NumpyStepper, TorchStepper):
        steps = make(module, n_streams=2)
        first = np.array(steps.feed(x))
        second = np.array(steps.feed(x))
        steps.put(steps.beginning, [0])
        steps.resize(3)
        assert steps.state["n_steps"].tolist() == [0, 2, 0]
        third = steps.feed(np.ones((3, 2), dtype=np.float32))
        np.testing.assert_allclose(third[[0, 2]], first, rtol=1e-6)
        part = steps.branch(np.array([2]))
        np.testing.assert_allclose(part.feed(x[:1]), second[:1], rtol=1e-6)
        assert steps.state["n_steps"].tolist() == [1, 3, 1]


def test_states_come_back_exactly_and_by_row(codes):
    module = network("lstm", num_layers=2)
    with torch.inference_mode():
        _, states = module(codes[:1])
    for make in (NumpyStepper, TorchStepper):
        steps = make(module, states)
        saved = steps.state
        first = np.array(steps.feed(codes[1].numpy()))
        steps.feed(codes[2].numpy())
        steps.restore(saved)
        np.testing.assert_array_equal(steps.feed(codes[1].numpy()), first)
        steps.restore(saved, np.array([2, 0]))
        rows = steps.feed(codes[1].numpy()[[2, 0]])
        np.testing.assert_allclose(rows, first[[2, 0]], rtol=1e-5, atol=1e-6)


def test_a_branch_shares_no_state(codes):
    module = network("gru")
    with torch.inference_mode():
        _, states = module(codes[:1])
    for make in (NumpyStepper, TorchStepper):
        steps = make(module, states)
        twin = steps.branch()
        returned = steps.feed(codes[1].numpy())
        expected = returned.copy()
        twin.feed(codes[3].numpy())
        np.testing.assert_array_equal(returned, expected)
        twin = steps.branch()
        steps.feed(codes[4].numpy())
        again = make(module, states)
        again.feed(codes[1].numpy())
        np.testing.assert_array_equal(
            twin.feed(codes[2].numpy()), again.feed(codes[2].numpy())
        )
        assert expected.shape == (B, V)


def test_what_numpy_cannot_step_goes_through_torch(codes):
    def kind(module):
        with torch.inference_mode():
            _, states = module(codes[:1])
        return type(make_stepper(module, states))

    assert kind(network("lstm")) is NumpyStepper
    assert kind(network(UsersGRU)) is TorchStepper
    assert kind(network("gru", compute_dtype=torch.bfloat16)) is TorchStepper
