"""The training loop: stopping, progress, callbacks and continued training."""

import numpy as np
import pytest
import skorch
import torch
from network_weights import assert_same_weights
from sklearn.base import clone

from sklearn_rnn import RNNClassifier, RNNRegressor, StopTraining


class StopAfter(skorch.callbacks.Callback):
    def __init__(self, epochs):
        self.epochs = epochs

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) >= self.epochs:
            raise StopTraining


class StopAtBatch(skorch.callbacks.Callback):
    def on_batch_end(self, net, **kwargs):
        if len(net.history) == 3:
            raise StopTraining


class Recorder(skorch.callbacks.Callback):
    calls: list = []

    def on_train_begin(self, net, **kwargs):
        self.calls.append("train begin")

    def on_epoch_begin(self, net, **kwargs):
        self.calls.append("epoch begin")

    def on_batch_end(self, net, training, loss, **kwargs):
        assert np.isfinite(loss.item())

    def on_grad_computed(self, net, named_parameters, **kwargs):
        assert all(p.grad is not None for _, p in named_parameters)

    def on_epoch_end(self, net, **kwargs):
        self.calls.append(f"loss {net.history[-1, 'train_loss']:.6f}")

    def on_train_end(self, net, **kwargs):
        self.calls.append("train end")


def test_stale_training_loss_ends_training(model, ragged):
    model.set_params(max_epochs=200, tol=10.0, n_iter_no_change=4).fit(*ragged)
    assert model.n_iter_ == 5


def test_gradient_clip_bounds_the_norm(ragged):
    X, y = ragged
    norms = []

    class Norm(skorch.callbacks.Callback):
        def on_grad_computed(self, net, named_parameters, **kwargs):
            total = sum(p.grad.square().sum() for _, p in named_parameters)
            norms.append(float(total.sqrt()))

    common = {"max_epochs": 1, "callbacks": [Norm], "random_state": 0}
    RNNClassifier("gru", 4, gradient_clip=None, **common).fit(X, y)
    free = max(norms)
    norms.clear()
    RNNClassifier("gru", 4, gradient_clip=free / 4, **common).fit(X, y)
    assert max(norms) == pytest.approx(free / 4, rel=1e-4)


def test_verbose_prints_one_line_per_epoch(model, ragged, capsys):
    model.set_params(verbose=1, max_epochs=3, early_stopping=True).fit(*ragged)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[2].startswith("epoch    3  loss ")
    assert "validation loss" in lines[2] and "validation score" in lines[2]
    model.set_params(verbose=0).fit(*ragged)
    assert capsys.readouterr().out == ""


# ------------------------------------------------------------------ callbacks


def test_callbacks_are_called_in_order_and_copied(model, ragged):
    callback = Recorder()
    Recorder.calls.clear()
    model.set_params(callbacks=[callback, ("second", Recorder)], max_epochs=1)
    model.fit(*ragged)
    loss = f"loss {model.loss_curve_[0]:.6f}"
    order = ["train begin", "epoch begin", loss, "train end"]
    assert Recorder.calls == [call for call in order for _ in range(2)]
    assert vars(callback) == {}


def test_a_stop_by_a_callback_keeps_the_finished_epochs(model, ragged):
    stopped = clone(model).set_params(callbacks=[StopAfter(2)]).fit(*ragged)
    assert stopped.n_iter_ == 2
    assert_same_weights(stopped, model.set_params(max_epochs=2).fit(*ragged))


def test_a_stop_inside_an_epoch_goes_back_to_the_last_finished_one(model, ragged):
    stopped = clone(model).set_params(callbacks=[StopAtBatch()]).fit(*ragged)
    assert stopped.n_iter_ == 2
    assert_same_weights(stopped, model.set_params(max_epochs=2).fit(*ragged))


def test_skorch_early_stopping_works(model, ragged):
    callback = skorch.callbacks.EarlyStopping(
        monitor="train_loss", patience=3, threshold=10, threshold_mode="abs"
    )
    model.set_params(callbacks=[callback], max_epochs=50).fit(*ragged)
    assert model.n_iter_ == 4


class Interrupted(skorch.callbacks.EarlyStopping):
    """An EarlyStopping that is interrupted at the end of the second epoch."""

    def on_epoch_end(self, net, **kwargs):
        super().on_epoch_end(net, **kwargs)
        if len(net.history) == 2:
            raise KeyboardInterrupt


class OwnInterrupt(skorch.callbacks.Callback):
    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == 2:
            raise KeyboardInterrupt


def test_an_interrupt_after_skorchs_early_stopping_is_the_users(model, ragged):
    class Subclass(skorch.callbacks.EarlyStopping):
        def on_train_end(self, net, **kwargs):
            raise KeyboardInterrupt

    callback = Subclass("train_loss", patience=2, threshold=10, threshold_mode="abs")
    with pytest.raises(KeyboardInterrupt):
        model.set_params(callbacks=[callback], max_epochs=9).fit(*ragged)
    assert not hasattr(model, "n_iter_")


@pytest.mark.parametrize("callback", [Interrupted("train_loss"), OwnInterrupt()])
def test_any_other_interrupt_is_raised_again_with_a_complete_model(
    model, ragged, callback
):
    model.set_params(callbacks=[callback], max_epochs=5)
    with pytest.raises(KeyboardInterrupt):
        model.fit(*ragged)
    assert model.n_iter_ == 2
    model.predict(ragged[0])


def test_a_subclass_of_skorchs_early_stopping_stops_as_skorchs_own(model, ragged):
    class Subclass(skorch.callbacks.EarlyStopping):
        pass

    callback = Subclass("train_loss", patience=2, threshold=10, threshold_mode="abs")
    assert model.set_params(callbacks=[callback], max_epochs=9).fit(*ragged).n_iter_ < 9


@pytest.mark.parametrize("event", ["on_train_begin", "on_epoch_begin", "on_batch_end"])
def test_a_stop_before_the_end_of_the_first_epoch_is_an_error(model, ragged, event):
    def stop(self, net, **kwargs):
        raise StopTraining

    callback = type("Stop", (skorch.callbacks.Callback,), {event: stop})()
    with pytest.raises(ValueError, match="before the first epoch was finished"):
        clone(model).set_params(callbacks=[callback]).fit(*ragged)
    model.set_params(warm_start=True, max_epochs=2).fit(*ragged)
    before = model.predict_proba(ragged[0])
    model.set_params(callbacks=[callback]).fit(*ragged)
    assert model.n_iter_ == 2
    np.testing.assert_array_equal(model.predict_proba(ragged[0]), before)


class Trial:
    """An object that must not be copied, such as an Optuna trial."""

    def __init__(self):
        self.losses = []

    def __deepcopy__(self, memo):
        raise AssertionError("copied")


class Reporter(skorch.callbacks.Callback):
    def __init__(self, trial):
        self.trial = trial

    def initialize(self):
        self.own_ = "of the copy"
        return self

    def on_epoch_end(self, net, **kwargs):
        self.trial.losses.append(net.history[-1, "train_loss"])


def test_fits_share_what_a_callback_refers_to(model, ragged):
    callback = Reporter(Trial())
    model.set_params(callbacks=[callback, ("named", Reporter(callback.trial))])
    model.set_params(max_epochs=2, warm_start=True).set_callbacks(KeepsFitted())
    model.fit(*ragged).fit(*ragged)
    assert callback.trial.losses == [v for v in model.loss_curve_ for _ in range(2)]
    clone(model).fit(*ragged)
    assert len(callback.trial.losses) == 12
    assert model.callbacks[0] is callback
    assert vars(callback) == {"trial": callback.trial}


class KeepsFitted:
    """A scikit-learn callback that stores the fitted model of each epoch."""

    def setup(self, estimator, context): ...

    def teardown(self, estimator, context): ...

    def on_fit_task_begin(self, estimator, context): ...

    def on_fit_task_end(self, estimator, context, *, X, fitted_estimator):
        fitted_estimator.predict(X)
        return False


def test_history_keeps_one_batch_an_epoch(model, ragged):
    model.fit(*ragged)
    assert all(len(row["batches"]) == 1 for row in model.net_.history)


# ------------------------------------------------------------------ finite results


class Spoiler(skorch.callbacks.Callback):
    """A callback that overwrites the weights in the second epoch, or at the end."""

    def __init__(self, event, value):
        self.event, self.value = event, value

    @torch.no_grad()
    def notify(self, event, net):
        if event == self.event and len(net.history) == 2:
            for weight in net.module_.parameters():
                weight.fill_(self.value)

    def on_epoch_begin(self, net, **kwargs):
        self.notify("epoch begin", net)

    def on_epoch_end(self, net, **kwargs):
        self.notify("epoch end", net)

    def on_train_end(self, net, **kwargs):
        self.notify("train end", net)


@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize("event", ["epoch begin", "epoch end", "train end"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_a_callback_spoils_end_the_fit(
    model, ragged, event, value, average
):
    model.set_params(max_epochs=2, average=average).fit(*ragged)
    before = model.predict_proba(ragged[0])
    model.set_params(callbacks=[Spoiler(event, value)], max_epochs=3)
    if event == "train end":
        model.set_params(max_epochs=2)
    with pytest.raises(ValueError, match=r"diverged in .* estimator is unchanged"):
        model.fit(*ragged)
    np.testing.assert_array_equal(model.predict_proba(ragged[0]), before)


def test_finite_weights_whose_outputs_overflow_end_the_fit(model, ragged):
    model.set_params(callbacks=[Spoiler("train end", 1e150)], max_epochs=2)
    model.set_params(pooling="mean", activation="relu", cell="rnn")
    with pytest.raises(ValueError, match="its outputs are not finite"):
        model.fit(*ragged)
    assert not hasattr(model, "net_")


@pytest.mark.parametrize("average", [True, False])
def test_finite_weights_whose_products_overflow_end_the_fit(model, ragged, average):
    model.set_params(callbacks=[Spoiler("train end", 1e20)], average=average)
    with pytest.raises(ValueError, match="weights at its end are too large"):
        model.set_params(precision="float32", max_epochs=2).fit(*ragged)
    assert not hasattr(model, "net_")


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop"])
def test_a_learning_rate_beyond_the_precision_ends_the_fit(model, ragged, optimizer):
    model.set_params(learning_rate=1e100, optimizer=optimizer, precision="float32")
    with pytest.raises(ValueError, match="learning rate is too large for the prec"):
        model.fit(*ragged)


def test_the_check_of_the_outputs_leaves_no_traces(ragged):
    model = RNNClassifier("gru", 4, dropout=0.5, max_epochs=1).fit(*ragged)
    assert not model.module_.training
    assert not hasattr(model.net_, "dropout_generator")


# ------------------------------------------------------------------ continuing


def test_warm_start_takes_new_dropout_decay_and_callbacks(model, ragged):
    model.set_params(warm_start=True).fit(*ragged)
    model.set_params(dropout=0.5, weight_decay=0.25, callbacks=[StopAfter(7)])
    model.fit(*ragged)
    assert model.n_iter_ == 7
    assert model.module_.dropout == model.module_.stack.dropout == 0.5
    assert model.net_.weight_decay == 0.25


class Rates(skorch.callbacks.Callback):
    found: list = []

    def on_epoch_begin(self, net, **kwargs):
        self.found.append(net.optimizer_.param_groups[0]["lr"])


@pytest.mark.parametrize("schedule", ["constant", "plateau", "cosine", np.exp2])
def test_warm_start_takes_a_new_learning_rate(model, ragged, schedule):
    model.set_params(warm_start=True, max_epochs=2, callbacks=[Rates])
    model.set_params(learning_rate_schedule=schedule)
    model.set_params(learning_rate=0.01).fit(*ragged)
    Rates.found.clear()
    model.set_params(learning_rate=0.0001).fit(*ragged)
    factor = {"cosine": 0.5, np.exp2: 2}.get(schedule, 1)
    np.testing.assert_allclose(Rates.found, [0.0001, 0.0001 * factor])
    model.partial_fit(*ragged)
    assert Rates.found[-1] == 0.0001


def test_warm_start_goes_on_with_the_schedulers_of_skorch(model, ragged):
    falling = skorch.callbacks.LRScheduler("ExponentialLR", gamma=0.5)
    model.set_params(warm_start=True, max_epochs=2, callbacks=[falling, Rates])
    Rates.found.clear()
    model.fit(*ragged).fit(*ragged)
    np.testing.assert_allclose(Rates.found, [0.01, 0.005, 0.0025, 0.00125])


@pytest.mark.parametrize(
    "policy, options",
    [
        ("StepLR", {"step_size": 2, "gamma": 0.1}),
        ("MultiStepLR", {"milestones": [2, 3], "gamma": 0.1}),
        ("ExponentialLR", {"gamma": 0.5}),
        ("CosineAnnealingLR", {"T_max": 6}),
        ("LinearLR", {"total_iters": 4}),
        ("PolynomialLR", {"total_iters": 8, "power": 2}),
        ("LambdaLR", {"lr_lambda": lambda epoch: 1 / (1 + epoch)}),
    ],
)
def test_a_schedule_of_skorch_is_the_same_in_one_fit_and_in_several(
    model, ragged, policy, options
):
    policy = getattr(torch.optim.lr_scheduler, policy)
    schedule = skorch.callbacks.LRScheduler(policy, **options)
    model.set_params(warm_start=True, callbacks=[schedule, Rates])
    Rates.found.clear()
    whole = clone(model).set_params(max_epochs=6).fit(*ragged)
    rates = Rates.found.copy()
    Rates.found.clear()
    for _ in range(3):
        model.set_params(max_epochs=2).fit(*ragged)
    np.testing.assert_allclose(Rates.found, rates)
    np.testing.assert_allclose(
        model.net_.history[:, "event_lr"], whole.net_.history[:, "event_lr"]
    )


def test_warm_start_takes_another_loss(ragged):
    X, _ = ragged
    model = RNNRegressor("gru", 4, max_epochs=1, warm_start=True)
    model.fit(X, np.arange(40)).set_params(loss="huber").fit(X, np.arange(40))
    assert isinstance(model.net_.criterion_, torch.nn.HuberLoss)
