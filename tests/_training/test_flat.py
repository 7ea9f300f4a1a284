"""Weights and the state of Adam as views of vectors, during a training."""

import copy
import inspect
from contextlib import nullcontext

import numpy as np
import pytest
import skorch
import torch
from network_weights import weights
from torch import nn

from sklearn_rnn import RNNClassifier
from sklearn_rnn._nn.compiled import without_compiled_kernels
from sklearn_rnn._training import optimizers
from sklearn_rnn._training.averaging import WeightAverage
from sklearn_rnn._training.flat import FlatWeights
from sklearn_rnn._training.optimizers import Adam, can_flatten, flat_weights


class Watcher(skorch.callbacks.Callback):
    """A callback that calls a function after each gradient or batch."""

    def __init__(self, on_gradient=None, on_batch=None):
        self.on_gradient, self.on_batch = on_gradient, on_batch

    def on_grad_computed(self, net, **kwargs):
        if self.on_gradient is not None:
            self.on_gradient(net)

    def on_batch_end(self, net, **kwargs):
        if self.on_batch is not None:
            self.on_batch(net)


def separate(net):
    """Replace a gradient, so that the weights become tensors of their own."""
    weight = next(net.module_.parameters())
    weight.grad = weight.grad.clone()


def fit(ragged, *callbacks, **settings):
    model = RNNClassifier("gru", 4, max_epochs=3, random_state=0, **settings)
    return model.set_params(callbacks=callbacks, batch_size=16).fit(*ragged)


def make_optimizer(*modules):
    return Adam([p for m in modules for p in m.parameters()], fused=True, lr=0.1)


@pytest.mark.parametrize("context", [nullcontext, without_compiled_kernels])
@pytest.mark.parametrize("average", [True, False])
def test_vectors_change_weights_as_single_tensors_do(ragged, average, context):
    options = {"average": average, "gradient_clip": 0.3, "weight_decay": 0.5}
    with context():
        flat, single = fit(ragged, **options), fit(ragged, Watcher(separate), **options)
    for ours, theirs in zip(weights(flat), weights(single), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_callbacks_see_weights_gradients_and_states_of_their_own_shapes(ragged):
    found = []

    def look(net):
        state, module = net.optimizer_.state, net.module_
        found.append(
            all(
                state[p]["exp_avg"].shape == p.shape == p.grad.shape
                and state[p]["step"] == len(found) + 1
                for p in module.parameters()
            )
        )

    fit(ragged, Watcher(on_batch=look))
    assert found == [True] * 9


def test_the_gradient_of_a_callback_is_used(ragged):
    def clear(net):
        for weight in net.module_.parameters():
            weight.grad = torch.zeros_like(weight)

    options = {"weight_decay": 0.0, "average": False}
    model = fit(ragged, Watcher(clear), **options)
    untrained = fit(ragged, learning_rate=1e-30, **options)
    for ours, theirs in zip(weights(model), weights(untrained), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-20)


@pytest.mark.parametrize("when", ["on_gradient", "on_batch"])
def test_weights_that_a_callback_freezes_stay(ragged, when):
    seen = []

    def freeze(net):
        weight = net.module_.head.weight
        weight.requires_grad_(False)
        weight.grad = None
        seen.append(weight.detach().clone())

    fit(ragged, Watcher(**{when: freeze}), average=False)
    assert all(torch.equal(weight, seen[0]) for weight in seen)


def load_state(optimizer, state):
    """Load a state without importing torch's compiler, which takes seconds."""
    inspect.unwrap(torch.optim.Optimizer.load_state_dict)(optimizer, state)


def of_first(net):
    """Return the first weight, its state in the optimizer, and the options."""
    optimizer, weight = net.optimizer_, next(net.module_.parameters())
    return weight, optimizer.state[weight], optimizer.param_groups[0]


def replace_weight(net):
    weight = of_first(net)[0]
    weight.data = weight.data * 0.9


def replace_data_of_gradient(net):
    weight = of_first(net)[0]
    weight.grad.data = weight.grad.data * 0.5


def replace_moment(net):
    state = of_first(net)[1]
    state["exp_avg"] = torch.full_like(state["exp_avg"], 0.01)


def replace_state(net):
    state = copy.deepcopy(net.optimizer_.state_dict())
    for of_weight in state["state"].values():
        of_weight["exp_avg"].fill_(0.01)
    load_state(net.optimizer_, state)


def restart_one_weight(net):
    of_first(net)[1].get("step", torch.zeros(())).fill_(2.0)


def store_another_value(net):
    of_first(net)[1]["note"] = "a string"
    of_first(net)[0].data = of_first(net)[0].data.clone()


def decay_more(net):
    net.weight_decay = 5.0


def decay_in_optimizer(net):
    of_first(net)[2]["weight_decay"] = 5.0


def maximize(net):
    of_first(net)[2]["maximize"] = True


def divide_groups(net):
    group = of_first(net)[2]
    if len(group["params"]) > 1:
        net.optimizer_.add_param_group({"params": [group["params"].pop()], "lr": 0.0})


def replace_average(net):
    net.average_ = copy.deepcopy(net.average_)
    net.average_.n_steps = 5


def call_hook(net):
    if not net.optimizer_._optimizer_step_post_hooks:
        weights = of_first(net)[2]["params"]
        shrink = [lambda *_, weight=w: weight.data.mul_(0.9) for w in weights]
        for hook in shrink:
            net.optimizer_.register_step_post_hook(hook)


def step_again(net):
    net.optimizer_.step()


ON_BATCH = [
    *(replace_weight, replace_moment, replace_state, restart_one_weight),
    *(store_another_value, decay_more, decay_in_optimizer, maximize, divide_groups),
    *(replace_average, call_hook, step_again),
]
ON_GRADIENT = [
    *(replace_weight, replace_data_of_gradient, maximize, divide_groups, step_again)
]


@pytest.mark.parametrize(
    ("when", "change"),
    [
        *(("on_batch", change) for change in ON_BATCH),
        *(("on_gradient", change) for change in ON_GRADIENT),
    ],
)
def test_what_a_callback_changes_has_the_effect_that_it_has_on_tensors(
    ragged, when, change, monkeypatch
):
    flat = fit(ragged, Watcher(**{when: change}))
    monkeypatch.setattr(optimizers, "can_flatten", lambda *_: False)
    single = fit(ragged, Watcher(**{when: change}))
    for ours, theirs in zip(weights(flat), weights(single), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("context", [nullcontext, without_compiled_kernels])
def test_an_optimizer_continues_from_the_state_in_the_middle_of_a_training(context):
    layer = nn.Linear(2, 3)
    optimizer = make_optimizer(layer)
    with context(), flat_weights(optimizer, layer, None, 0.0):
        for _ in range(2):
            optimizer.flat.gradient.fill_(1.0)
            optimizer.flat.step()
        state, twin = optimizer.state_dict(), copy.deepcopy(layer)
    other = make_optimizer(twin)
    load_state(other, copy.deepcopy(state))
    for layer_optimizer, module in ((optimizer, layer), (other, twin)):
        for weight in module.parameters():
            weight.grad = torch.full_like(weight, -3.0)
        layer_optimizer.step()
    for ours, theirs in zip(twin.parameters(), layer.parameters(), strict=True):
        np.testing.assert_allclose(ours.detach(), theirs.detach(), rtol=1e-6)


def test_tensors_are_their_own_after_a_training(ragged):
    net = fit(ragged).net_
    assert net.optimizer_.flat is None
    for p in net.module_.parameters():
        for tensor in (p, p.grad, *net.optimizer_.state[p].values()):
            assert tensor.untyped_storage().nbytes() == tensor.nbytes


def test_biases_come_after_the_matrices():
    layers = nn.Linear(3, 5), nn.Linear(5, 2)
    flat = FlatWeights(make_optimizer(*layers), None)
    assert flat.matrices.numel() == 16 + 16  # in units of 64 bytes
    assert flat.weights.numel() == 16 + 16 + 16 + 16
    total = sum(p.sum() for m in layers for p in m.parameters()).item()
    assert flat.weights.sum().item() == pytest.approx(total)
    assert all(p.data_ptr() % 64 == 0 for m in layers for p in m.parameters())


def test_an_existing_state_and_average_are_kept():
    layer, target = nn.Linear(2, 3), torch.ones(1, 3)
    optimizer = make_optimizer(layer)
    (layer(torch.ones(1, 2)) - target).square().sum().backward()
    optimizer.step()
    state = {p: dict(optimizer.state[p]) for p in layer.parameters()}
    average = WeightAverage([p.detach().clone() for p in layer.parameters()])
    before = [weight.clone() for weight in average.weights]
    with flat_weights(optimizer, layer, average, 0.0):
        assert optimizer.flat is not None
        for p in layer.parameters():
            assert torch.equal(optimizer.state[p]["exp_avg"], state[p]["exp_avg"])
            assert optimizer.state[p]["step"] == 1
    assert all(map(torch.equal, average.weights, before))


def test_other_optimizers_and_frozen_weights_are_left_as_they_are():
    layer = nn.Linear(2, 3)
    assert can_flatten(make_optimizer(layer), layer)
    assert not can_flatten(torch.optim.Adam(layer.parameters()), layer)
    assert not can_flatten(torch.optim.LBFGS(layer.parameters()), layer)
    layer.bias.requires_grad_(False)
    assert not can_flatten(make_optimizer(layer), layer)
