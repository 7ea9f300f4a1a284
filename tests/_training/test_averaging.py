"""The mean of the weights over all training steps."""

import numpy as np
import pytest
import skorch
import torch
from network_weights import assert_same_weights, weights
from sklearn.base import clone

from sklearn_rnn import RNNClassifier
from sklearn_rnn._training.averaging import WeightAverage


class EveryStep(skorch.callbacks.Callback):
    """Record the first weight matrix in training after each step."""

    seen: list = []

    def on_batch_end(self, net, **kwargs):
        self.seen.append(next(net.module_.parameters()).detach().clone())


def test_the_average_counts_late_steps_most(ragged):
    EveryStep.seen = []
    model = RNNClassifier(
        "gru", 4, max_epochs=3, batch_size=16, callbacks=[EveryStep()], random_state=0
    ).fit(*ragged)
    live = EveryStep.seen
    assert len(live) == 9
    shares = [s * (s + 1) * (s + 2) for s in range(1, 10)]  # result of the recursion
    mean = sum(share * w for share, w in zip(shares, live, strict=True)) / sum(shares)
    torch.testing.assert_close(weights(model)[0], mean)


def test_without_average_the_last_step_counts_alone(ragged):
    EveryStep.seen = []
    model = RNNClassifier(
        "gru", 4, max_epochs=3, average=False, callbacks=[EveryStep()], random_state=0
    ).fit(*ragged)
    assert torch.equal(weights(model)[0], EveryStep.seen[-1])


def test_averaging_does_not_change_the_training_itself(ragged):
    seen = {}
    for average in (True, False):
        EveryStep.seen = seen[average] = []
        RNNClassifier(
            *("gru", 4),
            max_epochs=4,
            average=average,
            early_stopping=True,
            callbacks=[EveryStep()],
            random_state=0,
        ).fit(*ragged)
    for ours, theirs in zip(seen[True], seen[False], strict=True):
        assert torch.equal(ours, theirs)


def test_training_goes_on_from_the_weights_behind_the_average(ragged):
    X, y = ragged
    model = RNNClassifier("gru", 4, max_epochs=4, weight_decay=0.1, random_state=0)
    whole = clone(model).fit(X, y)
    halves = clone(model).set_params(max_epochs=2, warm_start=True)
    halves.fit(X, y).fit(X, y)
    assert_same_weights(whole, halves)
    steps = clone(model)
    for _ in range(4):
        steps.partial_fit(X, y, classes=np.unique(y))
    assert_same_weights(whole, steps)


def test_early_stopping_judges_the_average(ragged):
    X, y = ragged
    model = RNNClassifier(
        "gru", 8, max_epochs=5, early_stopping=True, random_state=0
    ).fit(X[:30], y[:30], X_val=X[30:], y_val=y[30:])
    proba = model.predict_proba(X[30:])
    proba = proba[np.arange(10), np.searchsorted(model.classes_, y[30:])]
    assert -np.log(proba).mean() == pytest.approx(
        min(model.net_.history[:, "valid_loss"]), rel=1e-5
    )


# ------------------------------------------------------------------ alone


def test_a_constant_is_its_own_average():
    average = WeightAverage([torch.full((2,), 7.0)])
    for _ in range(5):
        average.update([torch.ones(2)])
    assert average.n_steps == 5
    torch.testing.assert_close(average.weights, [torch.ones(2)])


def test_the_mean_of_the_last_steps_outweighs_that_of_the_first():
    average, steps = WeightAverage([torch.zeros(1)]), torch.arange(1.0, 101)
    for step in steps:
        average.update([step[None]])
    expected = 100 * 4 / 5  # the mean of s, where step s counts as s ** 3
    assert average.weights[0].item() == pytest.approx(expected, rel=0.02)


def weights_of(module):
    return [parameter.detach().clone() for parameter in module.parameters()]


def test_a_swap_exchanges_the_weights_and_two_change_nothing():
    module = torch.nn.Linear(1, 1)
    ours, theirs = [torch.full((1, 1), 7.0), torch.full((1,), 8.0)], weights_of(module)
    average = WeightAverage([w.clone() for w in ours])
    average.swap(module)
    assert weights_of(module) == ours and average.weights == theirs
    average.swap(module)
    assert weights_of(module) == theirs and average.weights == ours


def test_a_swap_with_another_module_is_an_error():
    with pytest.raises(ValueError, match="longer"):
        WeightAverage([torch.zeros(1, 1)]).swap(torch.nn.Linear(1, 1))
