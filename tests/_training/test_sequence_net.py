"""Batches, losses and validation of sequences with their targets."""

import copy

import numpy as np
import pytest
import sklearn
import torch
from sklearn.metrics import accuracy_score
from skorch.callbacks import Callback

from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn._core.randomness import SPLIT, numpy_generator
from sklearn_rnn._data.sequences import from_ragged
from sklearn_rnn._nn.states import map_states
from sklearn_rnn._training.examples import Examples
from sklearn_rnn._training.holdout import draw_holdout
from sklearn_rnn._training.net import make_net
from sklearn_rnn._training.options import TrainingOptions
from sklearn_rnn._training.sequence_net import SequenceNet


def test_training_loss_is_the_mean_loss_of_a_row(ragged):
    X, y = ragged
    model = RNNClassifier(
        "gru", 4, max_epochs=1, batch_size=64, learning_rate=1e-30, random_state=0
    ).fit(X, y)
    proba = model.predict_proba(X)
    chosen = proba[np.arange(len(y)), np.searchsorted(model.classes_, y)]
    assert model.loss_curve_[0] == pytest.approx(-np.log(chosen).mean(), rel=1e-6)


def test_recorded_validation_score_is_the_score_on_rows_that_did_not_train(ragged):
    X, y = ragged
    model = RNNClassifier("gru", 4, early_stopping=True, max_epochs=1, random_state=1)
    model.fit(X, y)
    held = draw_holdout(np.arange(len(y)), 0.1, numpy_generator(1, SPLIT), strata=y)
    assert len(held) == 4
    score = accuracy_score(y[held], model.predict([X[i] for i in held]))
    assert model.best_validation_score_ == score


def test_dropout_takes_embedded_codes_too(monkeypatch):
    seen = []
    for name in ("drop", "drop_tokens"):
        monkeypatch.setattr(
            f"sklearn_rnn._nn.sequence.{name}",
            lambda x, p, training, generator: seen.append((x.shape[2:], p)) or x,
        )
    codes = np.tile(np.arange(4, 9), (6, 1))
    y = [0, 1] * 3
    model = RNNClassifier("gru", 4, embedding=3, max_epochs=1)
    model.set_params(dropout=0.25).fit(codes, y)
    assert seen[:2] == [((3,), 0.25), ((), 0.25)]
    seen.clear()
    model.set_params(dropout="auto").fit(codes, y)
    assert seen[:2] == [((3,), 0.1), ((), 0.1)]
    seen.clear()
    model.set_params(embedding="auto").fit(codes, y)
    assert seen[:1] == [((), 0.0)]


def test_validation_weights_weigh_the_validation_loss(ragged):
    X, y = ragged
    model = RNNClassifier("gru", 4, early_stopping=True, max_epochs=6, random_state=0)
    weight = np.array([2, 0, 1, 1, 1, 0, 3, 1, 1, 1])
    weighted = sklearn.clone(model).fit(
        X[:30], y[:30], X_val=X[30:], y_val=y[30:], sample_weight_val=weight
    )
    rows = np.repeat(np.arange(30, 40), weight)
    repeated = model.fit(X[:30], y[:30], X_val=[X[i] for i in rows], y_val=y[rows])
    np.testing.assert_allclose(
        weighted.net_.history[:, "valid_loss"], repeated.net_.history[:, "valid_loss"]
    )
    assert weighted.validation_scores_ == pytest.approx(repeated.validation_scores_)


# ------------------------------------------------------------------ batches and losses


SEQUENCES = from_ragged([[1.0, 2.0], [3.0], [4.0, 5.0, 6.0]])


class LastStep(torch.nn.Module):
    """A network that returns the last step of each sequence, or all valid steps."""

    def __init__(self, each_step=False):
        super().__init__()
        self.each_step = each_step
        self.weight = torch.nn.Parameter(torch.zeros((), dtype=torch.float64))

    def forward(self, inputs, generator=None):
        values, (T, B) = inputs.values, inputs.values.shape[:2]
        lengths = torch.full((B,), T) if inputs.lengths is None else inputs.lengths
        if self.each_step:
            return values[torch.arange(T)[:, None] < lengths] + self.weight
        return values[lengths - 1, torch.arange(B)] + self.weight


def make_sequence_net(each_step=False):
    net = make_net(
        SequenceNet,
        LastStep(each_step),
        torch.nn.MSELoss(reduction="none"),
        optimizer="sgd",
        learning_rate=0.1,
        weight_decay=0.0,
        average=False,
        callbacks=None,
        device=torch.device("cpu"),
    )
    net.dropout_generator = None
    return net


def make_examples(targets, weights=None, first=None):
    targets = torch.tensor(targets, dtype=torch.float64)[:, None]
    weights = None if weights is None else torch.tensor(weights, dtype=torch.float64)
    return Examples(SEQUENCES, targets, weights, np.arange(3), first)


@pytest.mark.parametrize("batch_size", [1, 2, 3])
@pytest.mark.parametrize(
    ("targets", "first"),
    [([2, 3, 6], None), ([1, 2, 3, 4, 5, 6], np.array([0, 2, 3]))],
    ids=["one per sequence", "one per step"],
)
def test_a_batch_holds_the_targets_and_weights_of_its_answers(
    batch_size, targets, first
):
    net = make_sequence_net(each_step=first is not None)
    examples = make_examples(targets, targets, first)  # each weight is its target
    batches = list(net._batches(examples, batch_size, np.random.default_rng(0)))
    seen = []
    for inputs, batch_targets, weights, mean_size, continues in batches:
        assert continues is None
        torch.testing.assert_close(net.module_(inputs), batch_targets)
        torch.testing.assert_close(weights, batch_targets[:, 0])
        seen += weights.tolist()
        assert mean_size == len(targets) / len(batches)
    assert sorted(seen) == targets


def test_the_loss_of_a_batch_is_the_weighted_mean():
    net, rng = make_sequence_net(), np.random.default_rng(0)
    (batch,) = net._batches(make_examples([0, 0, 0]), 3, rng)
    loss, outputs, n_rows = net._loss(batch)
    assert loss.item() == pytest.approx((4 + 9 + 36) / 3)
    assert outputs.shape == (3, 1) and n_rows == 3
    (batch,) = net._batches(make_examples([0, 0, 0], [3, 0, 1]), 3, rng)
    assert net._loss(batch)[0].item() == pytest.approx((3 * 4 + 36) / 3)


@pytest.mark.parametrize("weights", [None, [3, 0, 1, 2, 0, 0]])
@pytest.mark.parametrize("batch_size", [1, 2, 3])
@pytest.mark.parametrize("each_step", [False, True])
def test_a_target_counts_the_same_in_a_batch_of_any_size(
    weights, batch_size, each_step
):
    net, n = make_sequence_net(each_step), 6 if each_step else 3
    weights = None if weights is None else weights[:n]
    first = np.array([0, 2, 3]) if each_step else None
    whole = make_examples([0] * n, weights, first)
    rng = np.random.default_rng(0)
    losses = [net._loss(b) for b in net._batches(whole, batch_size, rng)]
    (batch,) = net._batches(whole, 3, rng)
    expected = net._loss(batch)[0].item()
    assert sum(loss.item() for loss, *_ in losses) / len(losses) == pytest.approx(
        expected
    )
    total = sum(loss.item() * size for loss, _, size in losses)
    assert total / sum(size for *_, size in losses) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("weights", "loss"), [(None, (4 + 9 + 36) / 3), ([3, 0, 1], (3 * 4 + 36) / 4)]
)
def test_validation_records_the_weighted_loss_and_the_score(weights, loss):
    net, seen = make_sequence_net(), []

    def score(outputs, targets, weights):
        seen.append((outputs[:, 0].tolist(), targets[:, 0].tolist(), weights))
        return 0.75

    net.history.new_epoch()
    options = TrainingOptions(max_epochs=1, batch_size=2, seed=0, score=score)
    net._record_validation(make_examples([0, 0, 0], weights), options)
    assert net.history[-1, "valid_loss"] == pytest.approx(loss)
    assert net.history[-1, "valid_score"] == 0.75
    ((outputs, targets, given),) = seen
    assert outputs == [2, 3, 6] and targets == [0, 0, 0]
    assert (given if weights is None else given.tolist()) == weights


def test_outputs_of_held_out_rows_that_overflow_end_the_fit(rng):
    model = RNNRegressor(
        hidden_size=2, max_epochs=2, early_stopping=True, learning_rate=1e300
    )
    with pytest.raises(ValueError, match="diverged in epoch 1"):
        model.fit(rng.normal(size=(12, 3)), rng.normal(size=12))


# ------------------------------------------------------------------ windows


def first_signs(rng, n=60, lengths=(20, 31)):
    """Sequences of noise, and the sign of their first step as the target of each."""
    X = [rng.normal(size=rng.integers(*lengths)) for _ in range(n)]
    for x in X:
        x[0] = rng.choice([-3, 3])
    return X, [np.full(len(x), x[0] > 0) for x in X]


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_windows_carry_the_state_and_cut_the_gradient(cell):
    X, y = first_signs(np.random.default_rng(0), n=5)
    model = RNNClassifier(
        cell, 4, num_layers=2, return_sequences=True, max_epochs=1, batch_size=5
    )
    model.set_params(learning_rate=1e-30, backprop_window=10, random_state=0)
    seen = []
    model.set_params(callbacks=[RecordLoss(seen)]).fit(X, y)
    sizes = [sum(min(max(len(x) - t, 0), 10) for x in X) for t in (0, 10, 20)]
    assert [n for _, n in seen] == [n for n in sizes if n]
    proba = model.predict_proba(X)  # of whole sequences, with the same weights
    for k, (loss, _) in enumerate(seen):
        nats = [
            -np.log(p[t, int(t_y)])
            for p, labels in zip(proba, y, strict=True)
            for t, t_y in enumerate(labels)
            if t // 10 == k
        ]
        mean_size = sum(map(len, X)) / len(seen)
        assert loss == pytest.approx(sum(nats) / mean_size, rel=1e-5)
    assert model.net_.states is None


class KeepFirstModule(Callback):
    def __init__(self, kept):
        self.kept = kept

    def on_train_begin(self, net, **kwargs):
        self.kept.append(copy.deepcopy(net.module_))


@pytest.mark.parametrize("window", [1, 5, 20])
def test_windows_take_the_steps_of_a_loop_of_truncated_backpropagation(window):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 2)) for n in (12, 5, 1, 9)]
    y = [x[:, 0] + np.append(0, x[:-1, 1]) for x in X]
    model = RNNRegressor("lstm", 4, num_layers=2, return_sequences=True, average=False)
    model.set_params(backprop_window=window, max_epochs=2, optimizer=torch.optim.SGD)
    model.set_params(learning_rate=0.1, weight_decay=0.0, gradient_clip=None)
    model.set_params(precision="float64", scaling=False, random_state=0)
    kept, lengths = [], np.array([12, 5, 1, 9])
    model.set_params(callbacks=[KeepFirstModule(kept)]).fit(X, y)

    (network,) = kept
    values, targets = torch.zeros(12, 4, 2).double(), torch.zeros(12, 4).double()
    for k, (x, target) in enumerate(zip(X, y, strict=True)):
        values[: len(x), k] = torch.from_numpy(x)
        standard = (target - np.concatenate(y).mean()) / np.concatenate(y).std()
        targets[: len(x), k] = torch.from_numpy(standard)
    valid = torch.from_numpy(np.arange(12)[:, None] < lengths)
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    starts = range(0, 12, window)
    for start in [*starts, *starts]:
        if not start:
            states = None
        part = slice(start, start + window)
        outputs, states = network.stack(values[part], None, states)
        states = map_states(states, torch.Tensor.detach)
        errors = network.head(outputs)[:, :, 0] - targets[part]
        loss = errors[valid[part]].square().sum() * len(starts) / lengths.sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    for ours, theirs in zip(
        model.module_.parameters(), network.parameters(), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


class RecordLoss(Callback):
    def __init__(self, seen):
        self.seen = seen

    def on_batch_end(self, net, batch, training, loss, **kwargs):
        self.seen.append((loss.item(), len(batch[1])))


@pytest.mark.parametrize("kind", [RNNClassifier, RNNRegressor])
def test_a_window_of_the_whole_sequence_truncates_nothing(kind):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 12)), rng.integers(2, size=(20, 12))
    model = kind("gru", 4, return_sequences=True, max_epochs=2, random_state=0)
    whole = model.fit(X, y).predict(X)
    windows = model.set_params(backprop_window=12).fit(X, y).predict(X)
    np.testing.assert_array_equal(windows, whole)


def test_a_network_trained_on_windows_remembers_earlier_ones():
    X, y = first_signs(np.random.default_rng(0), n=80)
    model = RNNClassifier(
        "gru", 8, return_sequences=True, backprop_window=8, max_epochs=30
    )
    model.set_params(random_state=0, early_stopping=True, class_weight="balanced")
    model.fit(X[:60], y[:60])
    assert model.score(X[60:], y[60:]) > 0.95


def test_windows_need_targets_of_steps_and_one_direction():
    X, y = np.zeros((4, 6)), np.arange(4)
    with pytest.raises(ValueError, match="only one target per sequence"):
        RNNRegressor(backprop_window=2).fit(X, y)
    model = RNNRegressor(backprop_window=2, return_sequences=True, bidirectional=True)
    with pytest.raises(ValueError, match="a bidirectional network"):
        model.fit(X, X)
