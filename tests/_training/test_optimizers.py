"""Optimizers by name or class, weight decay, and schedules of the learning rate."""

import numpy as np
import pytest
import skorch
import torch
from network_weights import assert_same_weights, weights
from sklearn.base import clone

from sklearn_rnn import RNNClassifier, SequenceTranslator
from sklearn_rnn._training.optimizers import (
    OPTIMIZERS,
    decay_weights,
    find_optimizer,
    make_schedule,
    resolve_rates,
    step_schedule,
)


def test_learning_rate_schedules(ragged):
    X, y = ragged
    rates = []

    class Rate(skorch.callbacks.Callback):
        def on_epoch_begin(self, net, **kwargs):
            rates.append(net.optimizer_.param_groups[0]["lr"])

    def run(schedule, **more):
        rates.clear()
        RNNClassifier(
            "gru",
            4,
            max_epochs=4,
            learning_rate=0.1,
            learning_rate_schedule=schedule,
            callbacks=[Rate],
            random_state=0,
            **more,
        ).fit(X, y)
        return list(rates)

    assert run("constant") == [0.1] * 4
    cosine = [0.1 * (1 + np.cos(np.pi * k / 4)) / 2 for k in range(4)]
    np.testing.assert_allclose(run("cosine"), cosine)
    np.testing.assert_allclose(
        run(lambda epoch: 0.5**epoch), [0.1, 0.05, 0.025, 0.0125]
    )


def test_plateau_halves_the_rate_when_the_loss_stays(ragged):
    X, y = ragged
    model = RNNClassifier(
        "gru",
        4,
        max_epochs=12,
        learning_rate=1e-12,
        learning_rate_schedule="plateau",
        n_iter_no_change=100,
        random_state=0,
    ).fit(X, y)
    assert model.net_.optimizer_.param_groups[0]["lr"] == pytest.approx(0.25e-12)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "rmsprop", "sgd"])
def test_every_named_optimizer_learns(optimizer, ragged):
    X, y = ragged
    model = RNNClassifier(
        "gru", 8, optimizer=optimizer, learning_rate=0.02, max_epochs=40, random_state=0
    )
    assert model.fit(X, y).score(X, y) > 0.9


def test_optimizer_may_be_a_class(model, ragged):
    model.set_params(optimizer=torch.optim.Adagrad, learning_rate=0.1).fit(*ragged)
    assert isinstance(model.net_.optimizer_, torch.optim.Adagrad)


def test_optimizer_that_evaluates_the_loss_itself(model, ragged):
    model.set_params(optimizer=torch.optim.LBFGS, weight_decay=0.0, learning_rate=0.1)
    model.set_params(batch_size=64, max_epochs=3).fit(*ragged)
    assert model.loss_curve_[-1] < model.loss_curve_[0]


def test_weight_decay_shrinks_the_weights(model, ragged):
    free = clone(model).set_params(weight_decay=0.0).fit(*ragged)
    held = clone(model).set_params(weight_decay=50.0).fit(*ragged)
    norm = lambda m: m.module_.head.weight.detach().norm()  # noqa: E731
    assert norm(held) < 0.1 * norm(free)


def test_something_else_than_an_optimizer_is_refused(model, ragged):
    with pytest.raises(
        TypeError, match=r"not a torch.optim.Optimizer. Set it to one of"
    ):
        model.set_params(optimizer=int).fit(*ragged)


@pytest.mark.parametrize("optimizer", [*OPTIMIZERS, torch.optim.AdamW, torch.optim.SGD])
def test_every_optimizer_decays_the_same_weights_alike(model, ragged, optimizer):
    # An L2 penalty of 0.5 in the gradient would leave weights near 0.
    common = {"learning_rate": 0.01, "average": False, "max_epochs": 1}
    model.set_params(optimizer=optimizer, batch_size=64, **common)
    free = clone(model).set_params(weight_decay=0.0).fit(*ragged)
    held = clone(model).set_params(weight_decay=0.5).fit(*ragged)
    for p, q in zip(weights(free), weights(held), strict=True):
        torch.testing.assert_close(q, p * (1 - 0.01 * 0.5) if p.ndim > 1 else p)


def test_adamw_is_adam_with_decoupled_decay(model, ragged):
    model.set_params(weight_decay=1.0)
    adamw, adam = (clone(model).set_params(optimizer=o) for o in ("adamw", "adam"))
    assert_same_weights(adamw.fit(*ragged), adam.fit(*ragged))


def test_auto_rates_suit_the_optimizer(model, ragged):
    for optimizer, rate, decay in [("adamw", 0.01, 0.1), ("sgd", 0.1, 0.01)]:
        automatic = clone(model).set_params(optimizer=optimizer).fit(*ragged)
        decay *= 10  # there are 2 batches per epoch
        given = clone(automatic).set_params(learning_rate=rate, weight_decay=decay)
        assert_same_weights(automatic, given.fit(*ragged))
    assert resolve_rates(torch.optim.SGD, "auto", "auto") == (0.01, 0.1)
    assert resolve_rates("sgd", 3, 0.01) == (3.0, 0.01)
    assert resolve_rates("sgd", "auto", 0) == (0.1, 0.0)
    assert [resolve_rates("adamw", 1e-3, "auto", n)[1] for n in (1, 10, 50, 99)] == [
        1.0,
        0.5,
        0.1,
        0.1,
    ]
    assert resolve_rates("adamw", 1, 0.3, 1)[1] == 0.3


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", torch.optim.Adadelta])
@pytest.mark.parametrize("n_batches", [1, 50])
def test_a_larger_learning_rate_shrinks_weights_no_more(optimizer, n_batches):
    rate, decay = resolve_rates(optimizer, "auto", "auto", n_batches)
    for factor in (3, 100):
        larger, less = resolve_rates(optimizer, factor * rate, "auto", n_batches)
        assert larger * less == pytest.approx(rate * decay)


def test_weights_do_not_vanish_at_a_learning_rate_of_one(model, ragged):
    model.set_params(optimizer=torch.optim.Adadelta, learning_rate=1.0, max_epochs=20)
    head = model.fit(*ragged).module_.head.weight
    assert head.abs().max() > 0.1


def test_partial_fit_decays_as_with_many_batches(model, ragged):
    X, y = ragged
    automatic = clone(model).partial_fit(X, y, classes=np.unique(y))
    given = clone(model).set_params(weight_decay=0.1)
    assert_same_weights(automatic, given.partial_fit(X, y, classes=np.unique(y)))


def test_translators_learn_at_half_the_rate():
    model = SequenceTranslator(hidden_size=4, max_epochs=1)
    model.fit(["ab", "ba"], ["ab", "ba"])
    assert model.net_.lr == 0.005
    assert model.set_params(optimizer="sgd").fit(["a"], ["b"]).net_.lr == 0.05
    assert model.set_params(learning_rate=0.3).fit(["a"], ["b"]).net_.lr == 0.3


# ------------------------------------------------------------------ alone


@pytest.fixture
def optimizer():
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)


def rates(optimizer, schedule, losses):
    """Return the learning rates before each epoch and after the last one."""
    scheduler = make_schedule(optimizer, schedule, len(losses))
    found = [optimizer.param_groups[0]["lr"]]
    for loss in losses:
        optimizer.step()
        step_schedule(scheduler, loss)
        found.append(optimizer.param_groups[0]["lr"])
    return found


@pytest.mark.parametrize("name", list(OPTIMIZERS))
def test_a_name_stands_for_a_class_with_options(name):
    optimizer_class, options = find_optimizer(name)
    assert issubclass(optimizer_class, torch.optim.Optimizer)
    assert options == {**OPTIMIZERS[name][1], "weight_decay": 0.0}


def test_options_of_a_class_are_its_own_defaults():
    adamw, lbfgs = torch.optim.AdamW, torch.optim.LBFGS
    assert find_optimizer(adamw) == (adamw, {"weight_decay": 0.0})
    assert find_optimizer(lbfgs) == (lbfgs, {})


def test_weights_decay_with_the_rate_of_their_group_unless_frozen_or_biases():
    moved, fast, frozen = (torch.nn.Parameter(torch.ones(2, 1)) for _ in range(3))
    bias = torch.nn.Parameter(torch.ones(2))
    (moved.sum() + fast.sum() + bias.sum()).backward()
    groups = [{"params": [moved, frozen, bias]}, {"params": [fast], "lr": 0.5}]
    decay_weights(torch.optim.SGD(groups, lr=0.1), 0.2)
    found = torch.stack([moved[0, 0], frozen[0, 0], bias[0], fast[0, 0]])
    torch.testing.assert_close(found, torch.tensor([0.98, 1.0, 1.0, 0.9]))


def test_a_schedule_sets_the_rate_of_the_next_epoch(optimizer):
    assert rates(optimizer, "constant", [3.0, 2.0]) == [1, 1, 1]
    assert rates(optimizer, lambda epoch: 1 / (1 + epoch), [1.0] * 2) == [
        1,
        1 / 2,
        1 / 3,
    ]


def test_a_cosine_falls_to_zero_over_the_epochs(optimizer):
    np.testing.assert_allclose(
        rates(optimizer, "cosine", [1.0] * 4),
        [(1 + np.cos(np.pi * k / 4)) / 2 for k in range(5)],
        atol=1e-12,
    )


def test_a_plateau_of_four_epochs_halves_the_rate(optimizer):
    falling, flat = [5.0, 4.0, 3.0], [3.0] * 4
    assert rates(optimizer, "plateau", falling + flat) == [1.0] * 7 + [0.5]


@pytest.mark.parametrize("name", list(OPTIMIZERS))
def test_an_optimizer_by_name_steps_as_torchs_own_class(name):
    ours, options = find_optimizer(name)
    theirs = next(k for k in ours.__mro__ if k.__module__.startswith("torch.optim."))
    found = []
    for kind in (ours, theirs):
        weight = torch.nn.Parameter(torch.linspace(-1, 1, 6).view(2, 3))
        optimizer = kind([weight], lr=0.1, **options)
        for _ in range(3):
            optimizer.zero_grad()
            loss = optimizer.step(lambda w=weight: w.square().sum().backward() or 3)
            assert loss == 3
        found.append(weight.detach().clone())
        assert weight.requires_grad
    assert torch.equal(*found)
    assert not torch.equal(found[0], torch.linspace(-1, 1, 6).view(2, 3))
