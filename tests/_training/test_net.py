"""The training loop: stopping, schedules, callbacks, interrupts, divergence."""

import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import skorch
import torch
from sklearn.base import clone
from sklearn.metrics import accuracy_score

from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn._core.randomness import SPLIT, numpy_generator
from sklearn_rnn._training.holdout import draw_holdout


def weights(model):
    return [p.detach().clone() for p in model.module_.parameters()]


def assert_same_weights(model, other):
    for ours, theirs in zip(weights(model), weights(other), strict=True):
        assert torch.equal(ours, theirs)


class StopAfter(skorch.callbacks.Callback):
    def __init__(self, epochs):
        self.epochs = epochs

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) >= self.epochs:
            raise KeyboardInterrupt


class StopAtBatch(skorch.callbacks.Callback):
    def on_batch_end(self, net, **kwargs):
        if len(net.history) == 3:
            raise KeyboardInterrupt


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


class Poison(skorch.callbacks.Callback):
    """Make a weight NaN, or an interrupt arrive as a signal does, in epoch 3."""

    def __init__(self, how):
        self.how = how

    def on_batch_begin(self, net, **kwargs):
        if len(net.history) == 3:
            if self.how == "nan":
                with torch.no_grad():
                    net.module_.head.weight[0, 0] = float("nan")
            else:
                os.kill(os.getpid(), signal.SIGINT)
                for _ in range(10**6):  # the signal arrives at some instruction
                    pass


@pytest.fixture
def model():
    return RNNClassifier("gru", 6, max_epochs=6, batch_size=8, random_state=0)


def test_loss_curve_falls_and_counts_epochs(model, ragged):
    model.set_params(max_epochs=30).fit(*ragged)
    assert model.n_iter_ == len(model.loss_curve_) == 30
    assert model.loss_curve_[-1] < 0.5 * model.loss_curve_[0]


def test_training_loss_is_the_mean_loss_of_a_row(ragged):
    X, y = ragged
    model = RNNClassifier(
        "gru", 4, max_epochs=1, batch_size=64, learning_rate=1e-30, random_state=0
    ).fit(X, y)
    proba = model.predict_proba(X)
    chosen = proba[np.arange(len(y)), np.searchsorted(model.classes_, y)]
    assert model.loss_curve_[0] == pytest.approx(-np.log(chosen).mean(), rel=1e-6)


def test_stale_training_loss_ends_training(model, ragged):
    model.set_params(max_epochs=200, tol=10.0, n_iter_no_change=4).fit(*ragged)
    assert model.n_iter_ == 5


def test_early_stopping_keeps_the_weights_of_the_lowest_validation_loss(ragged):
    X, y = ragged
    stopped = RNNClassifier(
        "gru",
        8,
        early_stopping=True,
        validation_fraction=0.3,
        n_iter_no_change=8,
        max_epochs=200,
        learning_rate=0.05,
        random_state=0,
    ).fit(X, y)
    losses = np.array(stopped.net_.history[:, "valid_loss"])
    best = int(np.argmin(losses))
    assert stopped.n_iter_ == len(losses) < 200
    assert best + 1 < stopped.n_iter_
    assert stopped.best_validation_score_ == stopped.validation_scores_[best]
    until_best = clone(stopped).set_params(max_epochs=best + 1).fit(X, y)
    assert_same_weights(stopped, until_best)


def test_recorded_validation_score_is_the_score_on_rows_that_did_not_train(ragged):
    X, y = ragged
    model = RNNClassifier("gru", 4, early_stopping=True, max_epochs=1, random_state=1)
    model.fit(X, y)
    held = draw_holdout(np.arange(len(y)), 0.1, numpy_generator(1, SPLIT), strata=y)
    assert len(held) == 4
    score = accuracy_score(y[held], model.predict([X[i] for i in held]))
    assert model.best_validation_score_ == score


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


def test_dropout_takes_embedded_codes_too(monkeypatch):
    seen = []
    monkeypatch.setattr(
        "sklearn_rnn._nn.sequence.drop",
        lambda x, p, training, generator: seen.append((x.shape[2:], p)) or x,
    )
    codes = np.tile(np.arange(4, 9), (6, 1))
    y = [0, 1] * 3
    RNNClassifier("gru", 4, embedding=3, dropout=0.25, max_epochs=1).fit(codes, y)
    assert seen == [((3,), 0.25), ((), 0.25)]


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


def test_optimizer_that_knows_no_weight_decay(model, ragged):
    model.set_params(optimizer=torch.optim.LBFGS, weight_decay=0.0, learning_rate=0.1)
    model.set_params(batch_size=64, max_epochs=3).fit(*ragged)
    assert model.loss_curve_[-1] < model.loss_curve_[0]


def test_weight_decay_shrinks_the_weights(model, ragged):
    free = clone(model).set_params(weight_decay=0.0).fit(*ragged)
    held = clone(model).set_params(weight_decay=50.0).fit(*ragged)
    norm = lambda m: sum(float(p.square().sum()) for p in weights(m))  # noqa: E731
    assert norm(held) < 0.1 * norm(free)


def test_verbose_prints_a_line_an_epoch(model, ragged, capsys):
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


def test_something_else_than_a_callback_is_refused(model, ragged):
    with pytest.raises(TypeError, match="skorch callbacks, got 3 of type int"):
        model.set_params(callbacks=[3]).fit(*ragged)


# ------------------------------------------------------------------ faults


@pytest.mark.usefixtures("heard_interrupts")
def test_an_interrupt_installs_the_last_finished_epoch_and_goes_on(model, ragged):
    interrupted = clone(model).set_params(callbacks=[Poison("signal")])
    with pytest.raises(KeyboardInterrupt):
        interrupted.fit(*ragged)
    assert interrupted.n_iter_ == 2
    assert_same_weights(interrupted, model.set_params(max_epochs=2).fit(*ragged))


def test_an_interrupt_stops_a_whole_search(tmp_path):
    code = textwrap.dedent(
        """
        import os, signal, threading
        import numpy as np
        from sklearn.model_selection import GridSearchCV
        from sklearn_rnn import RNNClassifier
        signal.signal(signal.SIGINT, signal.default_int_handler)
        X = np.random.default_rng(0).normal(size=(200, 30))
        threading.Timer(2, os.kill, (os.getpid(), signal.SIGINT)).start()
        search = GridSearchCV(
            RNNClassifier(max_epochs=10**6, n_iter_no_change=10**6),
            {"hidden_size": [8, 16]},
        )
        try:
            search.fit(X, X.sum(axis=1) > 0)
        except KeyboardInterrupt:
            print("stopped")
        """
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60
    )
    assert run.stdout == "stopped\n", run.stderr


def test_divergence_raises_and_leaves_the_estimator_as_it_was(model, ragged):
    X, y = ragged
    model.fit(X, y)
    before = dict(vars(model))
    model.set_params(callbacks=[Poison("nan")])
    with pytest.raises(ValueError, match=r"diverged in epoch 3.*learning_rate"):
        model.fit(X[:30], y[:30])
    model.set_params(callbacks=None)
    assert vars(model) == before


def test_divergence_of_an_unfitted_estimator_leaves_it_unfitted(ragged):
    X, _ = ragged
    model = RNNRegressor("rnn", 8, learning_rate=1e38, activation="relu")
    with pytest.raises(ValueError, match="diverged"):
        model.fit(X, np.arange(len(X)))
    assert vars(model) == model.get_params()


def test_a_search_scores_a_diverging_candidate_as_nan(ragged):
    from sklearn.exceptions import FitFailedWarning
    from sklearn.model_selection import GridSearchCV

    X, _ = ragged
    search = GridSearchCV(
        RNNRegressor("rnn", 4, activation="relu", max_epochs=2, random_state=0),
        {"learning_rate": [0.01, 1e38]},
        cv=2,
    )
    with pytest.warns(FitFailedWarning), pytest.warns(UserWarning, match="non-finite"):
        search.fit(X, np.arange(float(len(X))))
    assert search.best_params_ == {"learning_rate": 0.01}


def test_history_keeps_one_batch_an_epoch(model, ragged):
    model.fit(*ragged)
    assert all(len(row["batches"]) == 1 for row in model.net_.history)


@pytest.mark.parametrize("early_stopping", [True, False])
@pytest.mark.parametrize(
    "callback",
    [
        skorch.callbacks.PrintLog(sink=lambda text: None),
        skorch.callbacks.LRScheduler("StepLR", step_size=1),
        skorch.callbacks.GradientNormClipping(0.1),
        skorch.callbacks.EarlyStopping("train_loss", patience=1, load_best=True),
    ],
    ids=lambda callback: type(callback).__name__,
)
def test_skorch_callbacks_work(model, ragged, callback, early_stopping):
    model.set_params(callbacks=[callback], early_stopping=early_stopping)
    assert model.fit(*ragged).n_iter_ >= 2


@pytest.mark.parametrize("early_stopping", [True, False])
@pytest.mark.parametrize("kind", ["Checkpoint", "TrainEndCheckpoint"])
def test_skorch_checkpoints_work(model, ragged, kind, early_stopping, tmp_path):
    options = {"monitor": "train_loss_best"} if kind == "Checkpoint" else {}
    callback = getattr(skorch.callbacks, kind)(dirname=tmp_path, **options)
    model.set_params(callbacks=[callback], early_stopping=early_stopping).fit(*ragged)
    assert list(tmp_path.glob("*params.pt"))


def test_callbacks_that_need_skorchs_data_are_refused(model, ragged):
    model.set_params(callbacks=[skorch.callbacks.EpochScoring("accuracy")])
    with pytest.raises(TypeError, match=r"EpochScoring needs skorch's own .*history"):
        model.fit(*ragged)


def test_an_optimizer_that_is_none_or_knows_no_decay_says_so(model, ragged):
    with pytest.raises(TypeError, match=r"not a torch.optim.Optimizer. Give one of"):
        model.set_params(optimizer=int).fit(*ragged)
    with pytest.raises(ValueError, match=r"LBFGS does not support.*weight_decay=0"):
        model.set_params(optimizer=torch.optim.LBFGS).fit(*ragged)


# ------------------------------------------------------------------ continuing


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_warm_start_goes_on_where_fit_ended(cell, ragged):
    X, y = ragged
    common = {"batch_size": 8, "random_state": 0}
    once = RNNClassifier(cell, 6, max_epochs=4, **common).fit(X, y)
    twice = RNNClassifier(cell, 6, max_epochs=2, warm_start=True, **common)
    twice.fit(X, y)
    first = weights(twice)
    twice.fit(X, y)
    assert twice.n_iter_ == 4
    assert not torch.equal(first[-1], weights(twice)[-1])
    np.testing.assert_allclose(twice.loss_curve_, once.loss_curve_, rtol=1e-6)
    assert_same_weights(once, twice)


def test_a_failed_warm_start_keeps_the_fitted_weights(model, ragged):
    X, y = ragged
    model.set_params(warm_start=True).fit(X, y)
    before = weights(model)
    model.set_params(callbacks=[Poison("nan")], max_epochs=3, learning_rate=1e30)
    with pytest.raises(ValueError, match="diverged"):
        model.fit(X, y)
    for old, new in zip(before, weights(model), strict=True):
        assert torch.equal(old, new)


def test_warm_start_after_a_change_of_architecture_is_refused(model, ragged):
    model.set_params(warm_start=True).fit(*ragged)
    with pytest.raises(ValueError, match=r"hidden_size from 6 to 9.*warm_start=False"):
        model.set_params(hidden_size=9).fit(*ragged)


def test_partial_fit_runs_one_epoch_a_call(model, ragged):
    X, y = ragged
    for call in range(1, 4):
        model.partial_fit(X, y, classes=np.unique(y))
        assert model.n_iter_ == call
    assert_same_weights(model, clone(model).set_params(max_epochs=3).fit(X, y))


def test_warm_start_reports_the_best_epoch_of_its_own_run(ragged):
    X, y = ragged
    model = RNNClassifier(
        "gru", 6, early_stopping=True, warm_start=True, max_epochs=4, random_state=0
    ).fit(X, y)
    model.set_params(learning_rate=1e-30, weight_decay=0).fit(X, y)
    assert len(model.validation_scores_) == model.n_iter_ == 8
    losses = model.net_.history[4:, "valid_loss"]
    best = 4 + int(np.argmin(losses))
    assert model.best_validation_score_ == model.validation_scores_[best]


def test_a_stop_before_the_first_epoch_ends_keeps_the_initial_weights(ragged):
    X, y = ragged

    class StopAtOnce(skorch.callbacks.Callback):
        def on_batch_begin(self, net, **kwargs):
            raise KeyboardInterrupt

    common = {"early_stopping": True, "random_state": 0, "callbacks": [StopAtOnce()]}
    model = RNNClassifier("gru", 4, **common).fit(X, y)
    assert model.n_iter_ == 0 and model.validation_scores_ is None
    assert model.predict(X).shape == (40,)


def test_warm_start_takes_new_dropout_decay_and_callbacks(model, ragged):
    model.set_params(warm_start=True).fit(*ragged)
    model.set_params(dropout=0.5, weight_decay=0.25, callbacks=[StopAfter(7)])
    model.fit(*ragged)
    assert model.n_iter_ == 7
    assert model.module_.dropout == model.module_.stack.dropout == 0.5
    assert model.net_.optimizer_.param_groups[0]["weight_decay"] == 0.25


@pytest.mark.parametrize(
    "name, old, new",
    [
        ("embedding", 3, 5),
        ("embedding", np.eye(9), np.eye(9, 4)),
        ("optimizer", "adam", "sgd"),
        ("precision", "auto", "float64"),
        ("average", True, False),
        ("device", "cpu", "auto"),
    ],
    ids=["dimension", "vectors", "optimizer", "precision", "average", "device"],
)
def test_warm_start_refuses_what_it_cannot_change(name, old, new):
    codes = np.tile(np.arange(4, 9), (6, 1))
    model = RNNClassifier("gru", 4, embedding=3, max_epochs=1, warm_start=True)
    model.set_params(**{name: old}).fit(codes, [0, 1] * 3)
    with pytest.raises(ValueError, match=f"a change of {name} from"):
        model.set_params(**{name: new}).fit(codes, [0, 1] * 3)
    if name == "embedding" and not isinstance(old, int):
        model.set_params(embedding=old.copy()).fit(codes, [0, 1] * 3)
        assert model.n_iter_ == 2


def test_warm_start_takes_another_loss(ragged):
    X, _ = ragged
    model = RNNRegressor("gru", 4, max_epochs=1, warm_start=True)
    model.fit(X, np.arange(40)).set_params(loss="huber").fit(X, np.arange(40))
    assert isinstance(model.net_.criterion_, torch.nn.HuberLoss)


# ------------------------------------------------------------------ averaged weights


class EveryStep(skorch.callbacks.Callback):
    """Keep the first weight matrix as it is in training, after each step."""

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
    shares = [s * (s + 1) * (s + 2) for s in range(1, 10)]  # what the recursion gives
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
    whole = RNNClassifier("gru", 4, max_epochs=4, random_state=0).fit(X, y)
    halves = RNNClassifier("gru", 4, max_epochs=2, warm_start=True, random_state=0)
    halves.fit(X, y).fit(X, y)
    assert_same_weights(whole, halves)
    steps = RNNClassifier("gru", 4, random_state=0)
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
