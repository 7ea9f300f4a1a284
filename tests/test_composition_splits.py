"""More splitters, curves and searches; comparable iterations of halving searches."""

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import (
    GridSearchCV,
    LeaveOneGroupOut,
    RepeatedStratifiedKFold,
    StratifiedGroupKFold,
    cross_val_score,
    permutation_test_score,
    train_test_split,
    validation_curve,
)
from skorch.callbacks import Callback
from test_composition import (
    CONTAINERS,
    FOLDS,
    SMALL,
    assert_same_bits,
    hand_made_scores,
    reads,
    rows_of,
    sequences_of,
    setting,
)

from sklearn_rnn import RNNClassifier, StopTraining, TokenArray

Y = np.array(["down", "up"] * 18)


@pytest.fixture(params=CONTAINERS)
def container(request):
    return request.param


@pytest.fixture
def X(container):
    return sequences_of(Y, container)


@pytest.fixture
def model(container):
    return reads(container, RNNClassifier(**SMALL))


@pytest.mark.parametrize(
    "splitter",
    [
        RepeatedStratifiedKFold(n_splits=2, n_repeats=2, random_state=0),
        StratifiedGroupKFold(2),
        LeaveOneGroupOut(),
    ],
    ids=lambda splitter: type(splitter).__name__,
)
def test_other_splitters_cut_where_they_say(model, X, splitter):
    of_groups = not isinstance(splitter, RepeatedStratifiedKFold)
    groups = np.repeat([0, 1], 18) if of_groups else None
    folds = list(splitter.split(np.zeros(36), Y, groups))
    scores = cross_val_score(model, X, Y, cv=splitter, groups=groups)
    assert_array_equal(scores, hand_made_scores(model, X, Y, folds))
    assert scores.mean() > 0.8


def test_train_test_split_keeps_the_container_and_the_pairs(model, X):
    given = train_test_split(X, Y, np.arange(36), stratify=Y, random_state=0)
    X_train, X_test, y_train, y_test, train, test = given
    for part, rows in [(X_train, train), (X_test, test)]:
        assert type(part) is type(X)
        for ours, theirs in zip(part, rows_of(X, rows), strict=True):
            assert_array_equal(ours, theirs)
    if isinstance(X, TokenArray):
        assert X_test.vocabulary_size == X.vocabulary_size
    assert model.fit(X_train, y_train).score(X_test, y_test) > 0.8


def test_validation_curve_is_a_score_for_each_setting(model, X, container):
    name = setting(container, "max_epochs")
    _, scores = validation_curve(
        model, X, Y, param_name=name, param_range=[1, 10], cv=FOLDS
    )
    for epochs, of_folds in zip([1, 10], scores, strict=True):
        candidate = clone(model).set_params(**{name: epochs})
        expected = hand_made_scores(candidate, X, Y, FOLDS.split(X, Y))
        assert_array_equal(of_folds, expected)
    assert scores[1].mean() > 0.8


def test_permuted_labels_score_worse(model, X):
    score, permuted, p_value = permutation_test_score(
        model, X, Y, cv=FOLDS, n_permutations=4, random_state=0
    )
    assert score == cross_val_score(model, X, Y, cv=FOLDS).mean() > 0.8
    assert permuted.mean() < score - 0.2  # chance: 0.5
    assert p_value == (np.sum(permuted >= score) + 1) / 5


def test_threads_give_the_same_bits_as_one_job(model, X, container):
    grid = {setting(container, "hidden_size"): [3, 4]}
    one = GridSearchCV(model, grid, cv=FOLDS, scoring="neg_log_loss").fit(X, Y)
    with joblib.parallel_config(backend="threading", n_jobs=2):
        both = clone(one).fit(X, Y)
    for name in ("split0_test_score", "split1_test_score"):
        assert_array_equal(one.cv_results_[name], both.cv_results_[name])
    assert_same_bits(one.best_estimator_, both.best_estimator_)


# ------------------------------------------------------------------ rungs


class StopAfterThreeEpochs(Callback):
    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == 3:
            raise StopTraining


@pytest.mark.parametrize("container", ["ragged", "3-D", "tokens"])
@pytest.mark.parametrize("schedule", ["constant", "plateau"])
def test_an_epoch_does_not_depend_on_max_epochs(X, schedule):
    """A halving iteration with ``max_epochs=3`` scores the next one after 3 epochs."""
    rung = RNNClassifier(max_epochs=3, learning_rate_schedule=schedule, random_state=0)
    longer = clone(rung).set_params(max_epochs=20, callbacks=[StopAfterThreeEpochs()])
    assert_same_bits(rung.fit(X, Y), longer.fit(X, Y))
    assert rung.loss_curve_ == longer.loss_curve_


@pytest.mark.parametrize("container", ["ragged"])
def test_a_cosine_schedule_depends_on_max_epochs(X):
    rung = RNNClassifier(max_epochs=3, learning_rate_schedule="cosine", random_state=0)
    longer = clone(rung).set_params(max_epochs=20, callbacks=[StopAfterThreeEpochs()])
    with pytest.raises(AssertionError):
        assert_same_bits(rung.fit(X, Y), longer.fit(X, Y))
