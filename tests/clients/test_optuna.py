"""Optuna: studies, pruning by callbacks, and searches."""

import numpy as np
import optuna
import pytest
from optuna.integration import OptunaSearchCV, SkorchPruningCallback

from sklearn_rnn import RNNClassifier

optuna.logging.set_verbosity(optuna.logging.ERROR)


def run_study(objective, n_trials=12):
    pruner = optuna.pruners.MedianPruner(n_startup_trials=2, n_warmup_steps=1)
    sampler = optuna.samplers.RandomSampler(seed=0)
    study = optuna.create_study(pruner=pruner, sampler=sampler)
    study.optimize(objective, n_trials=n_trials)
    return study.get_trials()


def test_the_callback_of_skorch_reports_and_prunes(ragged, y):
    def objective(trial):
        callback = SkorchPruningCallback(trial, "train_loss")
        model = RNNClassifier(
            hidden_size=4,
            max_epochs=6,
            learning_rate=trial.suggest_float("learning_rate", 1e-5, 0.1, log=True),
            callbacks=[callback],
            random_state=0,
        ).fit(ragged, y)
        return model.loss_curve_[-1]

    trials = run_study(objective)
    assert all(trial.intermediate_values for trial in trials)
    pruned = [t for t in trials if t.state == optuna.trial.TrialState.PRUNED]
    assert 1 <= len(pruned) < 12
    for trial in trials:
        if trial.state == optuna.trial.TrialState.COMPLETE:
            assert len(trial.intermediate_values) == 6


def test_partial_fits_prune(ragged, y):
    def objective(trial):
        rate = trial.suggest_float("learning_rate", 1e-5, 0.1, log=True)
        model = RNNClassifier(hidden_size=4, learning_rate=rate, random_state=0)
        for epoch in range(6):
            model.partial_fit(ragged, y, classes=[0, 1])
            trial.report(1 - model.score(ragged, y), epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        return 1 - model.score(ragged, y)

    states = {trial.state for trial in run_study(objective)}
    assert optuna.trial.TrialState.PRUNED in states
    assert optuna.trial.TrialState.FAIL not in states


@pytest.mark.parametrize("container", ["ragged", "padded", "table"])
def test_search_accepts_every_container(container, request, y):
    X = request.getfixturevalue(container)
    search = OptunaSearchCV(
        RNNClassifier(max_epochs=5, random_state=0),
        {"hidden_size": optuna.distributions.IntDistribution(4, 8)},
        n_trials=2,
        cv=2,
        random_state=0,
    ).fit(X, y)
    assert np.isfinite(search.best_score_)
    assert search.score(X, y) > 0.7


def test_the_guide(run_guide):
    assert run_guide("Optuna") == ["True"]
