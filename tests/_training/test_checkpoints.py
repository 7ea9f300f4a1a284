"""Trainings that continue from checkpoints, and what determines their keys."""

import copy
import multiprocessing
import os
import pickle
import signal
import threading
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from joblib import parallel_config
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    GroupShuffleSplit,
    HalvingGridSearchCV,
    ShuffleSplit,
)
from skorch.callbacks import (
    Callback,
    EarlyStopping,
    GradientNormClipping,
    LRScheduler,
    PrintLog,
)
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from sklearn_rnn import (
    RNNClassifier,
    RNNForecaster,
    RNNRegressor,
    SequenceGenerator,
    SequenceTranslator,
    WordVectorizer,
)
from sklearn_rnn._core import checkpoints as folders
from sklearn_rnn._core.callbacks import EpochTasks
from sklearn_rnn._core.fingerprints import digest_exactly
from sklearn_rnn._training import checkpoints
from sklearn_rnn._training import estimator as estimator_module
from sklearn_rnn._training.checkpoints import compute_key
from sklearn_rnn._training.net import RecurrentNet
from sklearn_rnn._training.options import NoCheckpoints

X = np.random.default_rng(0).normal(size=(24, 6))
Y = X.sum(axis=1) > 0
RUN_EPOCH = RecurrentNet._run_epoch


class Killed(BaseException):
    """What ends a training in these tests, like a signal that cannot be handled."""


@pytest.fixture
def count(monkeypatch):
    """Count the epochs that are trained, and kill the training in one of them."""
    counted = {"epochs": 0, "killed": None}

    def run_epoch(net, *args):
        if counted["epochs"] == counted["killed"]:
            raise Killed
        counted["epochs"] += 1
        return RUN_EPOCH(net, *args)

    monkeypatch.setattr(RecurrentNet, "_run_epoch", run_epoch)
    return counted


class UsersCell(nn.Module):
    """A cell with dropout and a buffer that is not part of its state dict."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.gru = nn.GRU(input_size, hidden_size, batch_first=True)
        self.dropout = nn.Dropout(0.3)
        self.register_buffer("n_calls", torch.zeros(()), persistent=False)

    def forward(self, x, state=None):
        if self.training:
            self.n_calls += 1
        outputs, state = self.gru(self.dropout(x), state)
        return outputs + self.n_calls * 1e-3 * self.training, state


class CountingCell(UsersCell):
    """A cell that counts in an attribute, which no checkpoint contains."""

    n_batches = 0

    def forward(self, x, state=None):
        if self.training:
            self.n_batches += 1
        return self.gru(x, state)


class UsersSGD(torch.optim.Optimizer):
    """An optimizer with attributes besides its state."""

    def __init__(self, params, lr):
        super().__init__(params, {"lr": lr})
        self.n_steps, self.trace = 0, torch.zeros(2)

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        self.n_steps += 1
        self.trace[0] += 1
        self.state["t"] = 1 + self.state.pop("t", 0)
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                state["n"] = state.get("n", 0) + 1
                n = self.n_steps + self.trace[0] + self.state["t"] + state["n"]
                scale = group["lr"] / n
                p.data -= scale * p.grad
        return loss


def make_schedule():
    """Return a schedule with a state of its own."""
    rate = [1.0]

    def schedule(epoch):
        rate[0] *= 0.9
        return rate[0]

    return schedule


def fit_classes(**params):
    return lambda: RNNClassifier("gru", 3, **params), (X, Y)


SENTENCES = ["a b c", "b a", "c c a b", "a", "b c"] * 5
NOISE = np.random.default_rng(1).normal(size=40)
CASES = {
    "classifier": fit_classes(max_epochs=6),
    "early stopping": fit_classes(early_stopping=True, tol=0.0),
    "plateau": fit_classes(
        learning_rate_schedule="plateau", optimizer="sgd", average=False
    ),
    "schedule": (
        lambda: RNNClassifier("gru", 3, learning_rate_schedule=make_schedule()),
        (X, Y),
    ),
    "dropout": fit_classes(dropout=0.4, num_layers=2, precision="float32"),
    "bfloat16": fit_classes(precision="bfloat16", bidirectional=True),
    "cell": (lambda: RNNClassifier(UsersCell, 3, dropout=0.1), (X, Y)),
    "optimizer": fit_classes(optimizer=UsersSGD, learning_rate=0.1),
    "RMSprop": fit_classes(optimizer=torch.optim.RMSprop),
    "callbacks": fit_classes(
        callbacks=[
            GradientNormClipping(0.1),
            EarlyStopping("train_loss", 4, threshold=0.1, load_best=True),
        ]
    ),
    "regressor": (
        lambda: RNNRegressor("lstm", 3, return_sequences=True, early_stopping=True),
        (X, X.cumsum(axis=1)),
    ),
    "generator": (
        lambda: SequenceGenerator(hidden_size=4, window=8, early_stopping=True),
        ("to be or not to be, that is the question. " * 4,),
    ),
    "translator": (
        lambda: SequenceTranslator(hidden_size=4, teacher_forcing=0.5, dropout=0.2),
        (SENTENCES, [text[::-1] for text in SENTENCES]),
    ),
    "forecaster": (
        lambda: RNNForecaster("gru", 3, window=8, horizon=2, baseline=None),
        (NOISE,),  # the naive forecast of noise is worse
    ),
}


def make(name, folder=None, **params):
    """Make the estimator of a case, with short training."""
    build, data = CASES[name]
    model = build()
    given = {"max_epochs": 6, "batch_size": 8, "n_iter_no_change": 6}
    params = {**given, "random_state": 0, **params}
    return model.set_params(checkpoint=folder, checkpoint_every=1, **params), data


def assert_same(model, expected):
    """Assert that two fitted estimators are equal, except for durations."""
    ours, theirs = (read_state(one) for one in (model, expected))
    np.testing.assert_equal(ours, theirs)


def read_state(model):
    """Return the state of an estimator without durations and paths."""
    state = model.__getstate__()
    net = state["net_"]
    history = [{k: v for k, v in row.items() if k != "dur"} for row in net["history"]]
    found = {name: state[name] for name in ("loss_curve_", "best_epoch_")}
    for name in ("_intervals", "_state", "_encoding"):  # of forecasters
        found[name] = digest_exactly(state.get(name))
    return {**net, "network": None, "history": history, **found}


@pytest.mark.parametrize("name", CASES)
def test_a_killed_fit_continues_to_the_same_model(name, tmp_path, count, capsys):
    model, data = make(name)
    expected = model.fit(*data)
    n_epochs, count["epochs"] = count["epochs"], 0
    count["killed"] = n_epochs - 2
    resumed, _ = make(name, tmp_path)
    with pytest.raises(Killed):
        resumed.fit(*data)
    count["killed"] = None
    again = make(name, tmp_path, verbose=1)[0].fit(*data)
    assert count["epochs"] == n_epochs
    assert_same(again, expected)
    assert f"resumed after epoch {again.n_iter_ - 2}\n" in capsys.readouterr().out
    complete = make(name, tmp_path)[0].fit(*data)
    assert count["epochs"] == n_epochs
    assert_same(complete, expected)


def fit_until_killed(model, data):
    """Fit a model, and kill this process in its fourth epoch."""

    def kill_or_run(net, epoch, *args):
        if epoch == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return RUN_EPOCH(net, epoch, *args)

    RecurrentNet._run_epoch = kill_or_run
    model.fit(*data)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that are forked")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_another_process_continues_after_a_kill(tmp_path, count):
    model, data = make("classifier", tmp_path)
    context = multiprocessing.get_context("fork")
    process = context.Process(target=fit_until_killed, args=(model, data))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    model.fit(*data)
    assert count["epochs"] == 3
    assert_same(model, make("classifier")[0].fit(*data))


# ---------------------------------------------------------------- patience and epochs


def test_more_epochs_train_only_the_additional_ones(tmp_path, count):
    for n_epochs in (2, 4, 3, 6):
        model, data = make("classifier", tmp_path, max_epochs=n_epochs)
        model.fit(*data)
        count["epochs"], trained = 0, count["epochs"]
        expected = make("classifier", max_epochs=n_epochs)[0].fit(*data)
        assert_same(model, expected)
        assert trained == {2: 2, 4: 2, 3: 1, 6: 2}[n_epochs]
        count["epochs"] = 0


@pytest.mark.parametrize("tol", [9.0, 0.02])
def test_patience_ends_a_fit_where_it_would_have_ended_without_states(
    tmp_path, count, tol
):
    for patience in (3, "auto", 1, 2):
        settings = {"n_iter_no_change": patience, "tol": tol, "max_epochs": 12}
        model, data = make("early stopping", tmp_path, **settings)
        model.fit(*data)
        assert_same(model, make("early stopping", **settings)[0].fit(*data))
    count["epochs"] = 0
    model.fit(*data)
    assert count["epochs"] == 0


def test_a_warm_start_has_checkpoints_of_its_own(tmp_path, count):
    expected, data = make("dropout", warm_start=True)
    model, _ = make("dropout", tmp_path, warm_start=True)
    for _ in range(2):
        expected.fit(*data)
    model.fit(*data)
    count["killed"] = count["epochs"] + 3
    with pytest.raises(Killed):
        model.fit(*data)
    assert model.n_iter_ == 6
    count["killed"], count["epochs"] = None, 0
    model.fit(*data)
    assert count["epochs"] == 3
    assert_same(model, expected)
    assert len(os.listdir(tmp_path)) == 2
    model.partial_fit(*data)  # a single epoch
    assert len(os.listdir(tmp_path)) == 2


def test_the_calibration_of_a_forecaster_has_checkpoints_of_its_own(tmp_path, count):
    model, data = make("forecaster", tmp_path)
    for n_before in (2, 6):  # 6 epochs calibrate, 6 train the network
        count["epochs"], count["killed"] = 0, n_before
        with pytest.raises(Killed):
            model.fit(*data)
    count["killed"], count["epochs"] = None, 0
    model.fit(*data)
    assert count["epochs"] == 4


def test_a_forecaster_warns_once(tmp_path):
    for params in ({"random_state": None}, {"learning_rate_schedule": "cosine"}):
        model, data = make("forecaster", tmp_path, max_epochs=1, **params)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(*data)
        messages = [str(one.message) for one in caught]
        assert sum("is not used" in message for message in messages) == 1


def test_a_loaded_model_finds_the_checkpoints_of_its_warm_start(tmp_path, count):
    model, data = make("classifier", tmp_path, warm_start=True, gradient_clip=0.5)
    loaded = pickle.loads(pickle.dumps(model.fit(*data)))
    again = copy.deepcopy(loaded)
    model.fit(*data)
    count["epochs"] = 0
    loaded.fit(*data)
    again.fit(*data)
    assert count["epochs"] == 0
    assert_same(loaded, model)
    assert_same(again, model)


# ---------------------------------------------------------------- searches


def test_a_grid_search_that_was_killed_continues(tmp_path, count):
    model, data = make("classifier", tmp_path, max_epochs=3)
    plain = make("classifier", max_epochs=3)[0]
    grid = {"hidden_size": [2, 3]}
    expected = GridSearchCV(plain, grid, cv=2).fit(*data)
    assert count["epochs"] == 15
    count["epochs"], count["killed"] = 0, 8
    with pytest.raises(Killed):
        GridSearchCV(model, grid, cv=2).fit(*data)
    count["epochs"], count["killed"] = 0, None
    search = GridSearchCV(model, grid, cv=2).fit(*data)
    assert count["epochs"] == 7
    np.testing.assert_array_equal(
        search.cv_results_["split1_test_score"],
        expected.cv_results_["split1_test_score"],
    )
    assert_same(search.best_estimator_, expected.best_estimator_)


def test_a_halving_search_trains_only_the_additional_epochs(tmp_path, count):
    def search(folder):
        count["epochs"] = 0
        model, data = make("classifier", folder, n_iter_no_change="auto")
        found = HalvingGridSearchCV(
            model,
            {"hidden_size": [2, 3, 4, 5]},
            resource="max_epochs",
            min_resources=2,
            max_resources=8,
            factor=2,
            cv=2,
            refit=False,
            random_state=0,
        ).fit(*data)
        return found.cv_results_["mean_test_score"], count["epochs"]

    scores, n_epochs = search(None)
    assert n_epochs == 2 * (4 * 2 + 2 * 4 + 1 * 8)
    resumed_scores, n_epochs = search(tmp_path)
    assert n_epochs == 2 * (4 * 2 + 2 * 2 + 1 * 4)
    np.testing.assert_array_equal(resumed_scores, scores)
    assert search(tmp_path)[1] == 0


BACKENDS = ["threading", pytest.param("loky", marks=pytest.mark.slow)]


@pytest.mark.parametrize("backend", BACKENDS)
def test_fits_at_the_same_time_share_a_folder(tmp_path, backend):
    model, data = make("classifier", tmp_path)
    grid = {"hidden_size": [3, 3], "max_epochs": [3, 4, 3]}
    with parallel_config(backend, n_jobs=2):
        search = GridSearchCV(model, grid, cv=2, refit=False).fit(*data)
    plain = make("classifier")[0]
    expected = GridSearchCV(plain, grid, cv=2, refit=False).fit(*data)
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"]
    )
    names = os.listdir(tmp_path)
    assert len(names) == 4
    assert all(name.endswith("-end.checkpoint") for name in names)


# ---------------------------------------------------------------- what is excluded


class Recorder(Callback):
    pass


LOCK = threading.Lock()
EXCLUDED = [
    ({"learning_rate_schedule": "cosine"}, "depends on max_epochs"),
    ({"callbacks": [Recorder()]}, "the effect of the callback Recorder"),
    ({"callbacks": [LRScheduler()]}, "the effect of the callback LRScheduler"),
    ({"learning_rate_schedule": lambda epoch: 1 - LOCK.locked()}, "cannot be hashed"),
    ({"random_state": None}, "random_state=None makes every fit different"),
]


@pytest.mark.parametrize(("params", "message"), EXCLUDED)
def test_what_prevents_checkpoints_is_a_warning(tmp_path, params, message):
    model, data = make("classifier", tmp_path, **{"max_epochs": 1, **params})
    with pytest.warns(UserWarning, match=f"is not used, because .*{message}"):
        model.fit(*data)
    assert os.listdir(tmp_path) == []


class NoisyCell(UsersCell):
    """A cell with a generator of its own."""

    def __init__(self, input_size, hidden_size):
        super().__init__(input_size, hidden_size)
        self.generator = torch.Generator().manual_seed(0)

    def forward(self, x, state=None):
        if self.training:
            x = x + torch.randn(x.shape, generator=self.generator, dtype=x.dtype)
        return self.gru(x, state)


class ScalingCell(UsersCell):
    """A cell with a tensor that is neither a parameter nor a buffer."""

    def __init__(self, input_size, hidden_size):
        super().__init__(input_size, hidden_size)
        self.scale = torch.ones(1)

    def forward(self, x, state=None):
        if self.training:
            self.scale *= 0.5
        return self.gru(x, state)


class MomentumSGD(UsersSGD):
    """An optimizer with a list of tensors."""

    def __init__(self, params, lr):
        super().__init__(params, lr)
        self.momentum = [torch.zeros(1)]

    def step(self, closure=None):
        self.momentum[0] += 1
        return super().step(closure)


class CountingSGD(UsersSGD):
    """An optimizer that counts in an attribute of its class."""

    n_calls = 0

    def step(self, closure=None):
        CountingSGD.n_calls += 1
        return super().step(closure)


CHANGING = [
    *({"cell": cell} for cell in (CountingCell, NoisyCell, ScalingCell)),
    *({"optimizer": optimizer} for optimizer in (MomentumSGD, CountingSGD)),
]


@pytest.mark.parametrize("params", CHANGING)
def test_attributes_that_training_changes_prevent_checkpoints(tmp_path, params):
    model, data = make("classifier", tmp_path, max_epochs=2, **params)
    with pytest.warns(UserWarning, match="attributes of the cell or the optimizer"):
        model.fit(*data)
    assert os.listdir(tmp_path) == []


REGISTER = [
    nn.modules.module.register_module_forward_hook,
    register_optimizer_step_pre_hook,
]


@pytest.mark.parametrize("register", REGISTER)
def test_a_hook_of_all_modules_or_optimizers_prevents_checkpoints(tmp_path, register):
    model, data = make("classifier", tmp_path, max_epochs=1)
    hook = register(lambda *args: None)
    try:
        with pytest.warns(UserWarning, match="a hook of all torch modules"):
            model.fit(*data)
    finally:
        hook.remove()


def test_callbacks_of_scikit_learn_are_called_for_earlier_epochs(
    tmp_path, count, monkeypatch
):
    class Other:
        def setup(self, estimator, context):
            pass

        teardown = on_fit_task_begin = on_fit_task_end = setup

    model, data = make("classifier", tmp_path, max_epochs=2)
    model.fit(*data)
    calls = []
    begin = EpochTasks.begin_epoch
    monkeypatch.setattr(
        EpochTasks,
        "begin_epoch",
        lambda tasks, current: (calls.append(current is None), begin(tasks, current)),
    )
    model.set_params(max_epochs=3).fit(*data)
    assert calls == [True, True, False]
    model.set_callbacks(ScoringMonitor(scoring="accuracy"))
    with pytest.warns(UserWarning, match="a ScoringMonitor needs the network"):
        model.fit(*data)
    assert count["epochs"] == 6
    model.set_callbacks(Other())
    with pytest.warns(UserWarning, match="the effect of the callback Other"):
        model.fit(*data)


def test_callbacks_without_effect_are_allowed(tmp_path, count):
    model, data = make("classifier", tmp_path, max_epochs=2)
    model.fit(*data)
    model.set_params(callbacks=[PrintLog(sink=lambda text: None)]).fit(*data)
    assert count["epochs"] == 2


# ---------------------------------------------------------------- wrong files


def test_a_damaged_file_starts_the_training_at_its_beginning(tmp_path, count):
    model, data = make("classifier", tmp_path)
    model.fit(*data)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.warns(UserWarning, match="is not used: .*truncated"):
        again = make("classifier", tmp_path)[0].fit(*data)
    assert count["epochs"] == 12
    assert_same(again, model)
    again.fit(*data)  # the file was replaced
    assert count["epochs"] == 12


def change_shape(state):
    name = next(iter(state["weights"]))
    state["weights"][name] = state["weights"][name][:1]


FORGERIES = [
    change_shape,
    lambda state: state["optimizer"]["states"].pop(),
    lambda state: state["weights"].popitem(),
    lambda state: state["progress"].pop("lowest"),
    lambda state: state.update(dropout=np.zeros(3, np.uint8)),
    lambda state: state["average"]["weights"].pop(),
    lambda state: state.update(average=None),
    lambda state: state.pop("history"),
    lambda state: state["history"].pop(),
    lambda state: state["history"][0].pop("train_loss"),
    lambda state: state["history"][0].update(train_loss="1"),
    lambda state: state.update(history=[1, 2]),
    lambda state: state["progress"].update(n_finished=1),
    lambda state: state["progress"].update(n_stale=0.0),
    lambda state: state["progress"].update(lowest={"train_loss": None}),
    lambda state: state.update(has_stopped=1),
]


@pytest.mark.parametrize("change", FORGERIES)
def test_a_state_that_does_not_fit_is_not_used(tmp_path, count, monkeypatch, change):
    settings = {"max_epochs": 2, "learning_rate_schedule": "plateau"}
    model, data = make("classifier", tmp_path, **settings)
    model.fit(*data)
    original = folders.CheckpointFolder.find_states

    def find_changed(folder, n):
        for entry, state in original(folder, n):
            change(state)
            yield entry, state

    monkeypatch.setattr(folders.CheckpointFolder, "find_states", find_changed)
    with pytest.warns(UserWarning, match="is not used"):
        again = make("classifier", tmp_path, **settings)[0].fit(*data)
    assert count["epochs"] == 4
    assert_same(again, model)


def test_a_folder_that_cannot_be_written_is_an_error_before_training(tmp_path, count):
    (tmp_path / "file").write_text("")
    model, data = make("classifier", tmp_path / "file")
    with pytest.raises(ValueError, match="Pass a folder in which files can be created"):
        model.fit(*data)
    assert count["epochs"] == 0


@pytest.mark.parametrize("value", [0, -1.0, "1", True, None])
def test_the_interval_is_checked(tmp_path, value):
    model, data = make("classifier", tmp_path)
    with pytest.raises(ValueError, match="'checkpoint_every' parameter"):
        model.set_params(checkpoint_every=value).fit(*data)


# ---------------------------------------------------------------- keys

# Parameters that do not affect the training before its last epoch, those that matter
# for predictions only, and those that another test covers.
NOT_IN_KEY = {
    *("max_epochs", "n_iter_no_change", "verbose", "checkpoint", "checkpoint_every"),
    *("beam_size", "length_penalty", "max_length", "copy_unknown", "bounds"),
    *("input", "input_length", "warm_start", "callbacks", "device", "keep_text"),
}
# Another value of each other parameter, if necessary with values of other parameters
# without which it makes no difference.
OTHER_VALUES = {
    "activation": {"cell": "rnn", "activation": "relu"},
    "attention": "additive",
    "average": False,
    "backprop_window": {"return_sequences": True, "backprop_window": 2},
    "baseline": "theta",
    "batch_size": 7,
    "bidirectional": True,
    "calendar": "auto",
    "calibration_fraction": 0.4,
    "cell": "rnn",
    "class_weight": {False: 2.0, True: 1.0},
    "decoder_cell": "rnn",
    "decoder_layers": 2,
    "decoder_size": 5,
    "differencing": 1,
    "dropout": 0.3,
    "early_stopping": True,
    "embedding": 5,
    "gradient_clip": 0.5,
    "hidden_size": 5,
    "horizon": 3,
    "input_size": 2,
    "intervals": "quantile",
    "label_smoothing": 0.1,
    "learning_rate": 0.5,
    "learning_rate_schedule": "plateau",
    "loss": "huber",
    "num_layers": 2,
    "optimizer": "sgd",
    "patch_size": 2,
    "pooling": "mean",
    "precision": "float32",
    "quantiles": {"intervals": "quantile", "quantiles": (0.1, 0.5, 0.9)},
    "random_state": 1,
    "residual": True,
    "return_sequences": True,
    "reverse_source": True,
    "scaling": False,
    "season": {"baseline": "theta", "season": 3},
    "source_vectorizer": WordVectorizer(),
    "step": 3,
    "stop_on": {"early_stopping": True, "stop_on": "accuracy"},
    "target": "last",
    "target_vectorizer": WordVectorizer(),
    "teacher_forcing": 0.5,
    "tie_weights": True,
    "tol": 0.1,
    "transform": {"baseline": "theta", "transform": "log"},
    "validation_fraction": {"early_stopping": True, "validation_fraction": 0.4},
    "vectorizer": WordVectorizer(),
    "weight_decay": 0.3,
    "window": 6,
}
CODES = (np.abs(X) * 3).astype(int) + 4
LABELS = np.where(X > 0, "a", "b")
OWN_DATA = {
    ("RNNClassifier", "return_sequences"): (X, LABELS),
    ("RNNRegressor", "return_sequences"): (X, X.cumsum(axis=1)),
    ("RNNClassifier", "backprop_window"): (X, LABELS),
    ("RNNRegressor", "backprop_window"): (X, X.cumsum(axis=1)),
    ("RNNClassifier", "embedding"): (CODES, Y),
    ("RNNRegressor", "embedding"): (CODES, X[:, 0]),
    ("SequenceTranslator", "input_size"): (X, SENTENCES[:24]),
}
DATES = pd.Series(NOISE + 9, pd.date_range("2000", periods=40, freq="MS"))
ONE_KIND = {"return_sequences"}  # needs other data than without it
# Values that only one estimator needs.
OWN_VALUES = {
    ("SequenceTranslator", "bidirectional"): False,
    ("RNNClassifier", "embedding"): {"embedding": 4},
    ("RNNRegressor", "embedding"): {"embedding": 4},
    ("SequenceGenerator", "precision"): "float64",
    ("SequenceTranslator", "precision"): "float64",
    ("SequenceGenerator", "tie_weights"): {"embedding": 4, "tie_weights": True},
}
ESTIMATORS = {
    "RNNClassifier": (RNNClassifier("gru", 3), (X, Y)),
    "RNNRegressor": (RNNRegressor("gru", 3), (X, X[:, 0])),
    "RNNForecaster": (
        RNNForecaster("gru", 3, window=8, horizon=2, baseline=None, transform=None),
        (DATES,),
    ),
    "SequenceGenerator": (SequenceGenerator(hidden_size=4, window=8), (SENTENCES,)),
    "SequenceTranslator": (SequenceTranslator(hidden_size=4), (SENTENCES, SENTENCES)),
}
FIRST_KEYS = {}
KEYED = [
    (name, parameter)
    for name, (model, _) in ESTIMATORS.items()
    for parameter in model.get_params()
    if parameter not in NOT_IN_KEY
]


@pytest.fixture
def keys_of(monkeypatch):
    """Return a function that lists the keys of the trainings of a fit."""
    keys = []

    def record(net, train, valid, options):
        keys.append(compute_key(net, train, valid, options))
        return NoCheckpoints()

    monkeypatch.setattr(estimator_module, "open_checkpoints", record)
    monkeypatch.setattr(RecurrentNet, "train", lambda *args: None)  # saves time

    def fit(model, *data, given=None, **params):
        keys.clear()
        model = clone(model).set_params(max_epochs=1, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # forecasts after one epoch are bad
            model.set_params(**params).fit(*data, **(given or {}))
        return keys.copy()

    return fit


@pytest.mark.parametrize(("name", "parameter"), KEYED)
def test_every_parameter_changes_the_key(keys_of, name, parameter):
    model, data = ESTIMATORS[name]
    other = OWN_VALUES.get((name, parameter), OTHER_VALUES[parameter])
    params = (
        other if isinstance(other, dict) and parameter in other else {parameter: other}
    )
    base = {k: v for k, v in params.items() if k != parameter}
    own_data = OWN_DATA.get((name, parameter), data)
    if parameter == "embedding":
        base = {"embedding": 6}
    first_data = data if parameter in ONE_KIND else own_data
    known = (name, str(base), id(first_data))
    if known not in FIRST_KEYS:  # the same for many parameters
        FIRST_KEYS[known] = keys_of(model, *first_data, **base)
    first = FIRST_KEYS[known]
    assert first
    assert keys_of(model, *own_data, **params) != first


def test_parameters_that_do_not_matter_leave_the_key(keys_of):
    model, data = ESTIMATORS["RNNClassifier"]
    first = keys_of(model, *data)
    others = {"max_epochs": 2, "n_iter_no_change": 3, "checkpoint_every": 1}
    for name, value in {**others, "callbacks": [PrintLog(sink=print)]}.items():
        assert keys_of(model, *data, **{name: value}) == first
    assert keys_of(model, *data, callbacks=[EarlyStopping("train_loss", 9)]) != first


def change_one(array):
    array = array.copy()
    array[3] += 1e-9
    return array


DATA = {
    "rows": (X[1:], Y[1:]),
    "order": (X[::-1], Y[::-1]),
    "one value": (change_one(X), Y),
    "one target": (X, np.r_[~Y[:1], Y[1:]]),
    "weights": (X, Y, np.arange(24) + 1.0),
    "type": (X.astype(np.float32), Y),
    "lengths": ([*X[:-1], X[-1, :-1]], Y),
}


def make_frozen_cell(input_size, hidden_size):
    return UsersCell(input_size, hidden_size).requires_grad_(False)


def make_unnamed_cell(input_size, hidden_size):
    return UsersCell(input_size, hidden_size)


def test_the_function_that_makes_a_cell_changes_the_key(keys_of):
    model, data = ESTIMATORS["RNNClassifier"]
    cells = UsersCell, make_frozen_cell, make_unnamed_cell
    keys = [keys_of(model, *data, cell=cell)[0] for cell in cells]
    assert len(set(keys)) == 3


def test_precisions_of_torch_change_the_key(keys_of):
    model, data = ESTIMATORS["RNNClassifier"]
    first = keys_of(model, *data)
    settings = torch.backends.mkldnn.matmul
    before = settings.fp32_precision
    settings.fp32_precision = "bf16"  # the older functions of torch fail now
    try:
        assert keys_of(model, *data) != first
    finally:
        settings.fp32_precision = before
    assert keys_of(model, *data) == first


@pytest.mark.parametrize("name", DATA)
def test_the_data_change_the_key(keys_of, name):
    model, data = ESTIMATORS["RNNClassifier"]
    assert keys_of(model, *DATA[name]) != keys_of(model, *data)


def test_a_list_has_the_key_of_an_array(keys_of):
    model = ESTIMATORS["RNNClassifier"][0]
    array = X[:, :, np.newaxis]
    assert keys_of(model, list(array), Y) == keys_of(model, array, Y)


def test_validation_data_groups_and_splitters_change_the_key(keys_of):
    def key(fraction=0.1, **given):
        params = {"early_stopping": True, "validation_fraction": fraction}
        model, data = ESTIMATORS["RNNClassifier"]
        return keys_of(model, *data, given=given, **params)[0]

    groups = np.arange(24) // 2
    splitter = GroupShuffleSplit(1, test_size=0.2, random_state=0)
    keys = [
        key(X_val=X[:4], y_val=Y[:4]),
        key(X_val=X[:4] + 1e-9, y_val=Y[:4]),
        key(X_val=X[:4], y_val=~Y[:4]),
        key(splitter, groups=groups),
        key(splitter, groups=groups // 2),
        key(ShuffleSplit(1, random_state=0)),
    ]
    assert len(set(keys)) == len(keys)
    assert key(splitter, groups=groups) == keys[3]


def test_versions_and_threads_change_the_key(keys_of, monkeypatch):
    model, data = ESTIMATORS["RNNClassifier"]
    first = keys_of(model, *data)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    threads = keys_of(model, *data)
    monkeypatch.setattr(folders, "__version__", "0")
    versions = keys_of(model, *data)
    monkeypatch.setattr(checkpoints, "describe_kernels", lambda: ("numba", "0"))
    assert len({*first, *threads, *versions, *keys_of(model, *data)}) == 4
