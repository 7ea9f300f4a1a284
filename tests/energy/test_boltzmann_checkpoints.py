"""Trainings of Boltzmann machines that continue from checkpoints."""

import os

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sklearn_rnn import BoltzmannMachine
from sklearn_rnn._core import threads
from sklearn_rnn._core.checkpoints import CheckpointFolder
from sklearn_rnn._core.fingerprints import digest_exactly
from sklearn_rnn.energy import _boltzmann_checkpoints as checkpoints
from sklearn_rnn.energy._boltzmann_trainer import Trainer

X = np.random.default_rng(0).integers(0, 2, (30, 6)).astype(float)
LEARN = Trainer._learn
CASES = {
    "restricted": {"gradient": "pcd"},
    "exact": {"average": False},
    "full": {"connections": "full", "gradient": "pcd", "positive_phase": "gibbs"},
    "gaussian": {"visible": "gaussian", "gradient": "pcd"},
    "early stopping": {"early_stopping": True, "gradient": "pcd", "tol": 0.0},
}


class Killed(BaseException):
    """What ends a training in these tests, like a signal that cannot be handled."""


@pytest.fixture
def count(monkeypatch):
    """Count the epochs that are trained, and kill the training in one of them."""
    counted = {"epochs": 0, "killed": None}

    def learn(trainer, state):
        if counted["epochs"] == counted["killed"]:
            raise Killed
        counted["epochs"] += 1
        return LEARN(trainer, state)

    monkeypatch.setattr(Trainer, "_learn", learn)
    return counted


def make(folder=None, **params):
    params = {"max_epochs": 6, "random_state": 0, "batch_size": 8, **params}
    return BoltzmannMachine(3, checkpoint=folder, checkpoint_every=1, **params)


def assert_same(machine, expected):
    settings = {*machine.get_params(), "_log_partition"}
    ours, theirs = (
        {name: value for name, value in vars(one).items() if name not in settings}
        for one in (machine, expected)
    )
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert digest_exactly(ours[name]) == digest_exactly(theirs[name]), name
    assert machine.log_partition_ == expected.log_partition_


@pytest.mark.parametrize("name", CASES)
def test_a_killed_fit_continues_to_the_same_model(name, tmp_path, count, capsys):
    params = {"n_iter_no_change": 9, **CASES[name]}
    expected = make(**params).fit(X)
    count["epochs"], count["killed"] = 0, 4
    machine = make(tmp_path, **params)
    with pytest.raises(Killed):
        machine.fit(X)
    count["killed"] = None
    machine = make(tmp_path, verbose=1, **params).fit(X)
    assert count["epochs"] == 6
    assert "[BoltzmannMachine] resumed after epoch 4\n" in capsys.readouterr().out
    assert_same(machine, expected)
    assert_same(machine.set_params(verbose=0).fit(X), expected)
    assert count["epochs"] == 6
    assert len(os.listdir(tmp_path)) == 1
    more = make(tmp_path, max_epochs=8, **params).fit(X)
    assert count["epochs"] == 8
    assert_same(more, make(max_epochs=8, **params).fit(X))


@pytest.mark.parametrize("tol", [0.0, 0.05])
def test_patience_ends_a_fit_where_it_would_have_ended_without_states(
    tmp_path, count, tol
):
    for patience in (3, 5, 1, 2):
        params = {"early_stopping": True, "n_iter_no_change": patience, "tol": tol}
        params |= {"max_epochs": 12, "gradient": "pcd"}
        machine = make(tmp_path, **params).fit(X)
        assert_same(machine, make(**params).fit(X))
    count["epochs"] = 0
    machine.fit(X)
    assert count["epochs"] == 0


def test_partial_fit_writes_no_checkpoint(tmp_path):
    make(tmp_path).partial_fit(X).partial_fit(X)
    assert os.listdir(tmp_path) == []


def test_a_seed_that_changes_is_a_warning(tmp_path):
    with pytest.warns(UserWarning, match="Set random_state to an integer"):
        make(tmp_path, random_state=None, max_epochs=1).fit(X)
    assert os.listdir(tmp_path) == []


def test_a_grid_search_that_was_killed_continues(tmp_path, count):
    grid = {"n_hidden": [2, 3]}
    expected = GridSearchCV(make(max_epochs=3), grid, cv=2).fit(X)
    count["epochs"], count["killed"] = 0, 8
    search = GridSearchCV(make(tmp_path, max_epochs=3), grid, cv=2)
    with pytest.raises(Killed):
        clone(search).fit(X)
    count["epochs"], count["killed"] = 0, None
    search.fit(X)
    assert count["epochs"] == 7
    assert_same(search.best_estimator_, expected.best_estimator_)


FORGERIES = [
    lambda found: found["state"].pop("n_steps"),
    lambda found: found["state"].update(n_epochs=1),
    lambda found: found["state"]["machine"].update(components=np.ones((2, 6))),
    lambda found: found["state"]["chains"].pop("hidden"),
    lambda found: found["state"].update(base_bias=None),
    lambda found: found["gap"].pop("longest_wait"),
    lambda found: found.pop("kept"),
]


@pytest.mark.parametrize("change", FORGERIES)
def test_a_state_that_does_not_fit_is_not_used(tmp_path, count, monkeypatch, change):
    params = {"max_epochs": 2, "early_stopping": True}
    expected = make(tmp_path, **params).fit(X)
    find_states = CheckpointFolder.find_states

    def find_changed(folder, n):
        for entry, found in find_states(folder, n):
            change(found)
            yield entry, found

    monkeypatch.setattr(CheckpointFolder, "find_states", find_changed)
    with pytest.warns(UserWarning, match="is not used"):
        machine = make(tmp_path, **params).fit(X)
    assert count["epochs"] == 4
    assert_same(machine, expected)


# ---------------------------------------------------------------- keys

# Parameters that do not affect the training before its last epoch.
NOT_IN_KEY = {
    *("max_epochs", "n_iter_no_change", "verbose", "checkpoint", "checkpoint_every"),
    "ais_steps",
}
OTHER_VALUES = {
    "average": False,
    "batch_size": 7,
    "binarize": -1.0,
    "connections": "full",
    "early_stopping": True,
    "gradient": "pcd",
    "learning_rate": 0.2,
    "n_gibbs_steps": 2,
    "n_hidden": 4,
    "positive_phase": "gibbs",
    "random_state": 1,
    "tol": {"early_stopping": True, "tol": 0.3},
    "validation_fraction": {"early_stopping": True, "validation_fraction": 0.4},
    "visible": "gaussian",
    "weight_decay": 0.1,
}


@pytest.fixture
def key_of(monkeypatch):
    """Return a function that returns the key of the training of a fit."""
    keys = []

    class Recorder(CheckpointFolder):
        def __init__(self, folder, key, every):
            keys.append(key)
            raise Killed

    monkeypatch.setattr(checkpoints, "CheckpointFolder", Recorder)

    def find(data=X, **params):
        with pytest.raises(Killed):
            make("unused").set_params(**params).fit(data)
        return keys.pop()

    return find


@pytest.mark.parametrize("name", sorted({*make().get_params()} - NOT_IN_KEY))
def test_every_parameter_changes_the_key(key_of, name):
    other = OTHER_VALUES[name]
    params = other if isinstance(other, dict) else {name: other}
    base = {k: v for k, v in params.items() if k != name}
    assert key_of(**params) != key_of(**base) == key_of(**base)


def test_data_and_threads_change_the_key(key_of, monkeypatch):
    first = key_of()
    assert key_of(max_epochs=3, n_iter_no_change=1, ais_steps=3, verbose=1) == first
    assert len({first, key_of(X[::-1]), key_of(X[1:]), key_of(1 - X)}) == 4
    monkeypatch.setattr(threads, "_list_linear_algebra", lambda: [])
    monkeypatch.setattr(checkpoints, "describe_linear_algebra", lambda: ["other"])
    assert key_of() != first
