"""scikit-learn's callbacks: alone, in pipelines, in searches, on ragged sequences."""

import pickle
import re

import numpy as np
import pytest
import skorch
from network_weights import assert_same_weights
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.callback._callback_context import get_context_path
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import (
    BoltzmannMachine,
    CharVectorizer,
    RNNClassifier,
    RNNRegressor,
    StepwiseTransformer,
    StopTraining,
)
from sklearn_rnn._core.callbacks import describe_fit, list_changes

SCORING = {RNNClassifier: "accuracy", RNNRegressor: "r2"}


class Recorder:
    """A callback that records every call, and can stop after some epochs."""

    max_propagation_depth = None

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.calls, self.fitted, self.seen = [], [], []

    def setup(self, estimator, context):
        self.calls.append("setup")

    def teardown(self, estimator, context):
        self.calls.append("teardown")

    def on_fit_task_begin(self, estimator, context, *, fitted_estimator=None):
        self.calls.append(f"{context.task_name} begins")
        if context.task_name == "epoch":
            self.fitted.append(fitted_estimator)

    def on_fit_task_end(
        self,
        estimator,
        context,
        *,
        X=None,
        y=None,
        metadata=None,
        fitted_estimator=None,
    ):
        self.calls.append(f"{context.task_name} ends")
        self.seen.append((X, y, metadata))
        if context.task_name == "epoch":
            self.fitted.append(fitted_estimator)
            return context.task_id + 1 == self.stop_after
        return False


@pytest.fixture(params=[RNNClassifier, RNNRegressor], ids=["classifier", "regressor"])
def model(request):
    return request.param("gru", 4, max_epochs=3, random_state=0)


@pytest.fixture
def data(model, ragged):
    X, y = ragged
    return X, y if isinstance(model, RNNClassifier) else (y == "up").astype(float)


def test_a_fit_is_a_task_and_each_epoch_a_subtask(model, data):
    recorder = Recorder()
    model.set_callbacks(recorder).fit(*data)
    epoch = ["epoch begins", "epoch ends"]
    assert recorder.calls == [
        *("setup", "fit begins"), *epoch, *epoch, *epoch, *("fit ends", "teardown")
    ]  # fmt: skip


def test_callbacks_change_no_bit(model, data):
    plain = clone(model).fit(*data)
    watched = model.set_callbacks(
        Recorder(), ScoringMonitor(scoring=SCORING[type(model)])
    ).fit(*data)
    assert_same_weights(plain, watched)


def test_callbacks_see_what_fit_was_given(model, data):
    X, y = data
    recorder, weight = Recorder(), np.ones(len(y))
    model.set_callbacks(recorder).fit(X, y, sample_weight=weight)
    for seen_X, seen_y, metadata in recorder.seen:
        assert seen_X is X and seen_y is y
        assert metadata["sample_weight"] is weight


def test_the_fitted_estimator_is_the_one_of_that_epoch(model, data):
    recorder = Recorder()
    model.set_callbacks(recorder).fit(*data)
    before_first, *after = recorder.fitted
    assert before_first.n_iter_ == 0
    for k, epochs in zip((0, 2, 4), (1, 2, 3), strict=True):
        shorter = clone(model).set_params(max_epochs=epochs).set_callbacks()
        shorter.fit(*data)
        assert_same_weights(after[k], shorter)
        assert after[k].loss_curve_ == shorter.loss_curve_
        np.testing.assert_array_equal(
            after[k].predict(data[0]), shorter.predict(data[0])
        )
        assert not after[k].module_.training


def test_under_early_stopping_the_fitted_estimator_has_the_best_weights(data, model):
    recorder = Recorder()
    X, y = data
    y = np.random.default_rng(0).permutation(y)  # nothing to learn: the loss will rise
    model.set_params(early_stopping=True, max_epochs=30, learning_rate=0.05)
    model.set_callbacks(recorder).fit(X, y)
    losses = model.net_.history[:, "valid_loss"]
    best = int(np.argmin(losses))
    assert 0 < best < len(losses) - 1
    at_its_end, later = recorder.fitted[2 * best + 1], recorder.fitted[2 * best + 3]
    assert_same_weights(at_its_end, model)
    assert_same_weights(later, model)
    assert later.best_validation_score_ == model.best_validation_score_


def test_true_ends_the_training_after_that_epoch(model, data):
    recorder = Recorder(stop_after=2)
    stopped = clone(model).set_callbacks(recorder).fit(*data)
    assert stopped.n_iter_ == 2
    assert recorder.calls[-3:] == ["epoch ends", "fit ends", "teardown"]
    assert_same_weights(stopped, model.set_params(max_epochs=2).fit(*data))


def test_a_stop_by_skorch_ends_the_task_of_the_epoch(model, data):
    class Stop(skorch.callbacks.Callback):
        def on_epoch_end(self, net, **kwargs):
            raise StopTraining

    recorder = Recorder()
    model.set_params(callbacks=[Stop()]).set_callbacks(recorder).fit(*data)
    assert model.n_iter_ == 1
    assert recorder.calls[2:] == ["epoch begins", "epoch ends", "fit ends", "teardown"]


def test_after_an_error_callbacks_are_torn_down_and_the_estimator_is_unfitted(
    model, data
):
    class Failing(Recorder):
        def on_fit_task_end(self, estimator, context):
            raise RuntimeError("no more")

    callback = Failing()
    with pytest.raises(RuntimeError, match="no more"):
        model.set_callbacks(callback).fit(*data)
    assert callback.calls[-1] == "teardown"
    assert not hasattr(model, "net_")


def test_a_stop_by_an_interrupt_of_the_user_ends_no_task(model, data):
    class Press(Recorder):
        def on_fit_task_end(self, estimator, context):
            super().on_fit_task_end(estimator, context)
            if context.task_id == 1:
                raise KeyboardInterrupt

    callback = Press()
    with pytest.raises(KeyboardInterrupt):
        model.set_callbacks(callback).fit(*data)
    assert callback.calls[-2:] == ["epoch ends", "teardown"]
    assert model.n_iter_ == 2


def test_partial_fit_is_a_fit_of_one_epoch(data):
    X, y = data
    recorder = Recorder()
    model = RNNClassifier("gru", 4, random_state=0).set_callbacks(recorder)
    model.partial_fit(X, y, classes=np.unique(y))
    assert recorder.calls.count("epoch ends") == 1


def test_fitted_estimators_do_not_keep_callback_contexts(model, data):
    recorder = Recorder()
    model.set_callbacks(recorder).fit(*data)
    kept = [name for name in vars(model) if "callback" in name and name != "callbacks"]
    assert kept == ["_skl_callbacks"]
    assert clone(model)._skl_callbacks == [recorder]


def test_scoring_monitor_logs_the_score_of_every_epoch(model, data):
    scoring = SCORING[type(model)]
    monitor = ScoringMonitor(scoring=scoring)
    model.set_callbacks(monitor).fit(*data)
    rows = monitor.get_logs().data
    epochs = [row[scoring] for row in rows if row["task_name"] == "epoch"]
    expected = [
        clone(model).set_callbacks().set_params(max_epochs=n).fit(*data).score(*data)
        for n in (1, 2, 3)
    ]
    assert epochs == pytest.approx(expected)


def test_a_pipeline_passes_its_callbacks_on_to_both_its_steps(names):
    recorder = Recorder()
    pipeline = make_pipeline(
        CharVectorizer(), RNNClassifier("gru", 4, max_epochs=2, random_state=0)
    )
    pipeline.set_callbacks(recorder).fit(*names)
    assert recorder.calls.count("epoch ends") == 2
    assert recorder.calls.count("setup") == recorder.calls.count("teardown") == 1
    assert recorder.calls.count("fit begins") == recorder.calls.count("fit ends") == 3


def test_a_stepwise_transformer_is_one_task(ragged):
    recorder = Recorder()
    pipeline = make_pipeline(
        StepwiseTransformer(StandardScaler()),
        RNNClassifier("gru", 4, max_epochs=1, random_state=0),
    )
    pipeline.set_callbacks(recorder).fit(*ragged)
    assert recorder.calls.count("fit begins") == recorder.calls.count("fit ends") == 3


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_one_monitor_over_candidate_fold_and_epoch(names, n_jobs):
    X, y = names
    pipeline = make_pipeline(
        CharVectorizer(), RNNClassifier("gru", 4, max_epochs=2, random_state=0)
    )
    monitor = ScoringMonitor(scoring="accuracy")
    pipeline.steps[-1][1].set_callbacks(monitor)
    grid = {"rnnclassifier__cell": ["rnn", "lstm"]}
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=n_jobs).fit(X, y)
    rows = [r for r in monitor.get_logs().data if r["task_name"] == "epoch"]
    assert len(rows) == (2 * 2 + 1) * 2  # candidates, folds, the refit; epochs
    assert len({row["task_id_path"] for row in rows}) == len(rows)
    assert rows[0]["estimator_name"] == "RNNClassifier"
    assert search.best_score_ > 0.4


def test_a_search_stops_every_fit_by_one_callback(names):
    X, y = names
    recorder = Recorder(stop_after=1)
    pipeline = make_pipeline(
        CharVectorizer(), RNNClassifier("gru", 4, max_epochs=5, random_state=0)
    )
    search = GridSearchCV(pipeline, {"rnnclassifier__hidden_size": [3, 4]}, cv=2)
    search.set_callbacks(recorder).fit(X, y)
    assert recorder.calls.count("epoch ends") == 2 * 2 + 1
    assert search.best_estimator_["rnnclassifier"].n_iter_ == 1


def test_the_path_of_an_epoch_names_candidate_and_fit(ragged):
    class Paths(Recorder):
        def on_fit_task_end(self, estimator, context):
            self.calls.append([c.task_name for c in get_context_path(context)])

    recorder = Paths()
    search = GridSearchCV(
        RNNClassifier("gru", 4, max_epochs=1), {"hidden_size": [3]}, cv=2
    )
    search.set_callbacks(recorder).fit(*ragged)
    paths = [call for call in recorder.calls if call[-1] == "epoch"]
    assert ["fit", "search", "fit", "epoch"] in paths


def test_one_progress_display_over_candidate_fold_and_epoch(names, capsys):
    X, y = names
    pipeline = make_pipeline(
        CharVectorizer(), RNNClassifier("gru", 4, max_epochs=2, random_state=0)
    )
    search = GridSearchCV(pipeline, {"rnnclassifier__hidden_size": [3, 4]}, cv=2)
    search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, y)
    shown = capsys.readouterr().out
    assert "GridSearchCV - fit" in shown
    assert shown.count("RNNClassifier - fit") == 5
    assert shown.count("CharVectorizer - fit") == 5
    assert shown.count("100%") == shown.count("%")


# ------------------------------------------------------------------ names of fits


def read_labels(capsys):
    """What stands in brackets before each line of ``verbose`` output; None without."""
    lines = capsys.readouterr().out.splitlines()
    assert all("epoch    1  loss" in line for line in lines)
    return [re.match(r"(?:\[(.*)\] )?epoch", line)[1] for line in lines]


def test_verbose_names_the_fits_of_a_search(capsys, model, data):
    model.set_params(verbose=1, max_epochs=1)
    search = GridSearchCV(model, {"cell": ["gru", "lstm"]}, cv=2).fit(*data)
    common = "hidden_size=4, max_epochs=1"
    lstm = f"cell='lstm', {common}"
    changed = [common, lstm]
    assert read_labels(capsys) == [
        *(f"fit {k} of 4, {changed[(k - 1) // 2]}" for k in (1, 2, 3, 4)),
        f"refit, {changed[search.best_index_]}",
    ]
    model.fit(*data)
    cross_val_score(model, *data, cv=2)
    assert read_labels(capsys) == [None] * 3


def test_verbose_names_fits_within_pipelines_and_iterations(capsys):
    X = np.random.default_rng(0).normal(size=(30, 5))
    y = X.sum(axis=1)
    network = RNNRegressor("gru", 2, max_epochs=1, verbose=1, random_state=0)
    pipeline = make_pipeline(StandardScaler(), network)
    search = HalvingGridSearchCV(
        pipeline, {"rnnregressor__hidden_size": [2, 3, 4]}, cv=2, min_resources=10
    )
    search.fit(X, y)
    labels = read_labels(capsys)
    assert labels[0] == "iteration 1, fit 1 of 6, hidden_size=2, max_epochs=1"
    assert labels[6].startswith("iteration 2, fit 1 of 2, hidden_size=")
    assert labels[-1].startswith("refit, hidden_size=")


def test_verbose_names_the_fits_of_machines_without_callbacks(capsys):
    X = np.random.default_rng(0).normal(size=(20, 3)) > 0
    machine = BoltzmannMachine(2, max_epochs=1, verbose=True, random_state=0)
    search = GridSearchCV(
        make_pipeline(machine), {"boltzmannmachine__n_hidden": [3]}, cv=2
    )
    search.fit(X)
    machine.fit(X)
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition("] epoch 1: ")[0] for line in lines] == [
        "[BoltzmannMachine, fit 1 of 2, max_epochs=1, n_hidden=3",
        "[BoltzmannMachine, fit 2 of 2, max_epochs=1, n_hidden=3",
        "[BoltzmannMachine, refit, max_epochs=1, n_hidden=3",
        "[BoltzmannMachine",
    ]


def test_another_process_finds_the_name_of_a_fit():
    network = RNNClassifier("lstm")
    search = GridSearchCV(network, {})
    root = search._init_callback_context(max_subtasks=4, sequential_subtasks=False)
    fit = root.subcontext(task_name="candidate-split-evaluation", task_id=2)
    with fit.propagate_callback_context(network):
        sent = pickle.loads(pickle.dumps(network))
    context = sent._init_callback_context()
    assert describe_fit(context, sent) == "fit 3 of 4, cell='lstm'"
    assert describe_fit(network._init_callback_context(), network) == ""


def test_numbers_of_numpy_are_plain_numbers():
    model = RNNClassifier(np.str_("lstm"), np.int64(3), learning_rate=np.float64(0.1))
    assert list_changes(model) == ["cell='lstm'", "hidden_size=3", "learning_rate=0.1"]


def test_long_parameters_are_shortened_to_one_line():
    model = RNNClassifier(
        embedding=np.zeros((50, 50)), random_state=1, verbose=1, callbacks=[]
    )
    (change,) = list_changes(model)
    assert change.startswith("embedding=array([[0.")
    assert len(change) < 60 and "\n" not in change
