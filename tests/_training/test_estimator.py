"""Fits of the network estimators: results, errors, interrupts and warm starts."""

import pickle
import signal
import subprocess
import sys
import textwrap
from types import SimpleNamespace

import numpy as np
import pytest
import skorch
import torch
from network_weights import assert_same_weights, weights
from sklearn.base import clone

from sklearn_rnn import (
    RNNClassifier,
    RNNForecaster,
    RNNRegressor,
    SequenceGenerator,
    SequenceTranslator,
)
from sklearn_rnn._training.estimator import is_same_setting


class Poison(skorch.callbacks.Callback):
    """Make a weight NaN, or raise an interrupt as a signal does, in epoch 3."""

    def __init__(self, how):
        self.how = how

    def on_batch_begin(self, net, **kwargs):
        if len(net.history) == 3:
            if self.how == "nan":
                with torch.no_grad():
                    net.module_.head.weight[0, 0] = float("nan")
            else:
                signal.raise_signal(signal.SIGINT)
                for _ in range(10**6):  # the signal may arrive at any instruction
                    pass


def GRUOfTorch(input_size, hidden_size):
    return torch.nn.GRU(input_size, hidden_size, batch_first=True)


def fit_lstm(X, y):
    model = RNNClassifier("lstm", 4, pooling="concat", bidirectional=True, dropout=0.2)
    return model.set_params(max_epochs=2, early_stopping=True, random_state=0).fit(X, y)


SMALL = {"hidden_size": 4, "max_epochs": 2, "random_state": 0}
WORDS = ["anna", "hannah", "nana", "otto", "bobo", "toto"]

every_network = pytest.mark.parametrize(
    "fit",
    [
        fit_lstm,
        lambda X, y: RNNClassifier(cell=GRUOfTorch, **SMALL).fit(X, y),
        lambda X, y: RNNRegressor(
            precision="bfloat16", optimizer="sgd", loss="huber", **SMALL
        ).fit(X, np.arange(len(X))),
        lambda X, y: RNNForecaster("rnn", window=8, intervals="quantile", **SMALL).fit(
            np.sin(np.arange(60, dtype=np.float32))
        ),
        lambda X, y: SequenceGenerator(tie_weights=True, **SMALL).fit(WORDS),
        lambda X, y: SequenceGenerator(embedding="onehot", **SMALL).fit(WORDS),
        lambda X, y: SequenceTranslator(
            attention="additive", teacher_forcing=0.5, **SMALL
        ).fit(WORDS, WORDS[::-1]),
    ],
    ids="classifier cell regressor forecaster generator onehot translator".split(),
)


@every_network
def test_torchs_default_type_is_left_alone_and_changes_no_result(fit, ragged):
    expected = fit(*ragged)
    torch.set_default_dtype(torch.float64)
    try:
        found = fit(*ragged)
        assert torch.get_default_dtype() is torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert_same_weights(found, expected)


@every_network
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_fit_works_where_torch_records_no_gradients(fit, mode, ragged):
    expected = fit(*ragged)
    with mode():
        found = fit(*ragged)
        assert not torch.is_grad_enabled()
    assert_same_weights(found, expected)


def test_loss_curve_falls_and_counts_epochs(model, ragged):
    model.set_params(max_epochs=30).fit(*ragged)
    assert model.n_iter_ == len(model.loss_curve_) == 30
    assert model.loss_curve_[-1] < 0.5 * model.loss_curve_[0]


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
    assert stopped.validation_loss_curve_ == losses.tolist()
    assert stopped.best_epoch_ == best + 1
    until_best = clone(stopped).set_params(max_epochs=best + 1).fit(X, y)
    assert_same_weights(stopped, until_best)


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
        import signal, threading
        import numpy as np
        from sklearn.model_selection import GridSearchCV
        from sklearn_rnn import RNNClassifier
        signal.signal(signal.SIGINT, signal.default_int_handler)
        X = np.random.default_rng(0).normal(size=(200, 30))
        threading.Timer(2, signal.raise_signal, (signal.SIGINT,)).start()
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
    model.set_params(max_epochs=3, learning_rate=1e30, weight_decay=1.0)
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
    model.set_params(weight_decay=0.1)
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
    assert model.best_epoch_ == best + 1
    restored = pickle.loads(pickle.dumps(model))
    assert restored.validation_loss_curve_ == model.validation_loss_curve_
    assert len(restored.validation_loss_curve_) == 8


def test_epochs_that_held_nothing_out_have_no_validation_loss(ragged):
    X, y = ragged
    model = RNNClassifier("gru", 4, warm_start=True, max_epochs=2, random_state=0)
    assert model.fit(X, y).validation_loss_curve_ is None
    assert model.best_epoch_ is None
    model.set_params(early_stopping=True).fit(X, y)
    np.testing.assert_array_equal(
        np.isnan(model.validation_loss_curve_), [True, True, False, False]
    )
    assert model.best_epoch_ in (3, 4)
    assert len(model.validation_scores_) == 2


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


@pytest.mark.parametrize(("first", "best"), [(0, 0.7), (2, 0.9)])
def test_the_best_score_is_that_of_the_lowest_loss_of_the_last_fit(first, best):
    losses, scores = [0.1, 0.5, 0.4, 0.3, 0.6], [0.7, 0.6, 0.8, 0.9, 0.95]
    history = [
        {"train_loss": k, "valid_loss": loss, "valid_score": score}
        for k, (loss, score) in enumerate(zip(losses, scores, strict=True))
    ]
    state = RNNClassifier()._fitted_state(SimpleNamespace(history=history), first)
    assert state["best_validation_score_"] == best
    assert state["validation_scores_"] == scores
    assert state["validation_loss_curve_"] == losses
    assert state["best_epoch_"] == 1 + losses.index(min(losses[first:]))
    assert state["loss_curve_"] == [0, 1, 2, 3, 4] and state["n_iter_"] == 5


def test_a_fit_without_validation_rows_after_one_with_them_has_no_scores():
    judged = {"train_loss": 1.0, "valid_loss": 0.5, "valid_score": 0.7}
    net = SimpleNamespace(history=[judged, {"train_loss": 0.9}])
    state = RNNClassifier()._fitted_state(net, 1)
    assert state["validation_scores_"] is None
    assert state["best_validation_score_"] is None
    assert state["validation_loss_curve_"] is None and state["best_epoch_"] is None
    assert state["loss_curve_"] == [1.0, 0.9]


# ------------------------------------------------------------------ settings


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        (4, 4, True),
        (4, 5, False),
        ("gru", "gru", True),
        (np.eye(3), np.eye(3), True),
        (np.eye(3), np.eye(3, 4), False),
        (np.eye(3), 3, False),
        (torch.nn.GRU, torch.nn.GRU, True),
        (torch.nn.GRU, torch.nn.LSTM, False),
    ],
)
def test_settings_are_compared_by_value(old, new, same):
    assert is_same_setting(old, new) is same


@pytest.mark.parametrize(
    ("settings", "work"),
    [
        ({"cell": "rnn"}, 8 * 5 * (5 + 5)),
        ({"cell": "gru"}, 3 * 8 * 5 * (5 + 5)),
        ({"cell": "lstm"}, 4 * 8 * 5 * (5 + 5)),
        ({"cell": torch.nn.GRU}, 4 * 8 * 5 * (5 + 5)),  # of an unknown cell the most
        ({"cell": "rnn", "bidirectional": True}, 8 * 5 * (5 + 5)),
        (
            {"cell": "rnn", "bidirectional": True, "num_layers": 2},
            8 * 5 * (5 + 10),  # its second layer reads both directions
        ),
    ],
)
def test_the_work_of_a_step_counts_its_products(settings, work):
    assert RNNClassifier(hidden_size=5, **settings)._count_operations(8) == work


def test_a_fit_works_on_a_draft_of_the_estimator(model, ragged):
    seen = []

    class Watched(skorch.callbacks.Callback):
        def on_train_begin(self, net, **kwargs):
            seen.append(set(vars(model)))

    model.set_params(callbacks=[Watched]).fit(*ragged)
    assert seen == [set(model.get_params())]
    assert {"net_", "n_iter_", "loss_curve_"} <= vars(model).keys()
    assert model.module_ is model.net_.module_
