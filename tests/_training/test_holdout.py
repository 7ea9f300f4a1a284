"""Validation rows that are drawn, split by groups or time, or given by the user."""

import pickle

import numpy as np
import pytest
import sklearn
from network_weights import assert_same_weights
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    PredefinedSplit,
    StratifiedShuffleSplit,
    TimeSeriesSplit,
)
from sklearn.pipeline import Pipeline
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_rnn import CharVectorizer, RNNClassifier, RNNForecaster
from sklearn_rnn._training.holdout import draw_holdout, last_split, split_rows


@pytest.fixture
def model():
    return RNNClassifier("gru", 4, early_stopping=True, max_epochs=6, random_state=0)


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_drawn_rows_are_stratified():
    y = np.array(["rare" if i < 4 else "common" for i in range(32)])
    for seed in range(10):
        held = draw_holdout(np.arange(32), 0.5, np.random.default_rng(seed), strata=y)
        assert len(held) == len(set(held)) == 16
        assert (y[held] == "rare").sum() == 2


def test_rows_of_an_indicator_matrix_are_drawn_label_by_label(rng):
    errors, n_missing = {True: [], False: []}, {True: 0, False: 0}
    for seed in range(50):
        y = (rng.random((200, 10)) < 0.1).astype(float)
        for stratified in (True, False):
            held = draw_holdout(
                np.arange(200),
                0.1,
                np.random.default_rng(seed),
                strata=y if stratified else None,
            )
            assert len(held) == len(set(held)) == 20
            counts = y[held].sum(axis=0)
            errors[stratified].append(np.abs(counts - 0.1 * y.sum(axis=0)).mean())
            n_missing[stratified] += np.count_nonzero(counts == 0)
    assert np.mean(errors[True]) < 0.7 * np.mean(errors[False])
    assert n_missing[True] < 0.1 * n_missing[False]


def test_the_only_row_of_a_label_trains():
    y = np.zeros((20, 2))
    y[:10, 0] = y[5, 1] = 1
    for seed in range(30):
        with pytest.warns(UserWarning, match="1 of 2 classes have a single row each"):
            held = draw_holdout(np.arange(20), 0.3, np.random.default_rng(seed), y)
        assert len(held) == 6 and 5 not in held


def test_the_only_row_of_a_class_trains():
    y = np.array([0] * 10 + [1] * 9 + [2])
    for seed in range(30):
        with pytest.warns(UserWarning, match="1 of 3 classes have a single row each"):
            held = draw_holdout(np.arange(20), 0.3, np.random.default_rng(seed), y)
        assert len(held) == 6 and 19 not in held
    with (
        pytest.warns(UserWarning, match="4 of 4 classes"),
        pytest.raises(ValueError, match="leaves no rows to validate on"),
    ):
        draw_holdout(np.arange(4), 0.3, np.random.default_rng(0), np.arange(4))


def test_predefined_folds_of_rows_without_weight_are_refused(model, ragged):
    X, y = ragged
    model.set_params(validation_fraction=PredefinedSplit(np.arange(40) % 4))
    with pytest.raises(
        ValueError, match=r"folds for 40 rows, but only 30 of n_samples"
    ):
        model.fit(X, y, sample_weight=np.arange(40) % 4)


@pytest.fixture
def held(monkeypatch):
    """Record the held-out rows of each fit."""
    held = []

    def record(*args, **kwargs):
        train, valid = split_rows(*args, **kwargs)
        held.append(valid.tolist())
        return train, valid

    monkeypatch.setattr("sklearn_rnn.supervised._base.split_rows", record)
    monkeypatch.setattr("sklearn_rnn.forecasting._windows.split_rows", record)
    return held


def test_a_warm_start_holds_out_the_same_rows(model, ragged, held):
    model.set_params(random_state=None, warm_start=True, max_epochs=1)
    for _ in range(3):
        model.fit(*ragged)
    assert held[0] == held[1] == held[2]
    sklearn.clone(model).fit(*ragged)
    assert held[3] != held[0]


def test_a_warm_start_of_a_forecaster_holds_out_the_same_series(held, rng):
    series = [rng.normal(size=30) for _ in range(20)]
    model = RNNForecaster(
        "rnn",
        4,
        window=4,
        early_stopping=True,
        validation_fraction=0.3,
        warm_start=True,
        max_epochs=1,
    )
    for _ in range(3):
        model.fit(series)
    assert held[0] == held[1] == held[2]
    sklearn.clone(model).fit(series)
    assert held[3] != held[0]


@pytest.mark.parametrize("first", ["no early stopping", "partial_fit", "pickle"])
def test_warm_starts_of_any_origin_hold_out_the_same_rows(model, ragged, held, first):
    model.set_params(random_state=None, warm_start=True, max_epochs=1)
    if first == "partial_fit":
        model.partial_fit(*ragged, classes=["down", "up"])
    else:
        model.set_params(early_stopping=first == "pickle").fit(*ragged)
    again = pickle.loads(pickle.dumps(model))
    for fitted in (model, again):
        fitted.set_params(early_stopping=True).fit(*ragged).fit(*ragged)
    assert len({tuple(rows) for rows in held}) == 1


@pytest.mark.parametrize("given", ["auto", "0.1", b"x", 1, 0.0])
def test_other_fractions_are_refused_as_every_parameter_is(model, ragged, given):
    message = "'validation_fraction' parameter of RNNClassifier must be"
    with pytest.raises(InvalidParameterError, match=message):
        model.set_params(validation_fraction=given).fit(*ragged)


def test_validation_fraction_that_leaves_nothing_names_the_way_out(model, ragged):
    X, y = ragged
    model.set_params(validation_fraction=0.99)
    with pytest.raises(ValueError, match=r"validation_fraction=0.99.*early_stopping"):
        model.fit(X[:4], y[:4])


# ------------------------------------------------------------------ given to fit


def test_given_data_judge_and_every_row_trains(model, ragged):
    X, y = ragged
    model.fit(X[:30], y[:30], X_val=X[30:], y_val=y[30:])
    assert model.best_validation_score_ == model.score(X[30:], y[30:])
    split = PredefinedSplit(np.repeat([-1, 0], [30, 10]))
    by_splitter = sklearn.clone(model).set_params(validation_fraction=split).fit(X, y)
    assert_same_weights(model, by_splitter)
    assert model.validation_scores_ == by_splitter.validation_scores_


def test_given_data_stop_the_training_and_the_best_weights_are_kept(ragged):
    X, y = ragged
    noise = np.random.default_rng(1).permutation(y[30:])
    model = RNNClassifier(
        "gru",
        16,
        early_stopping=True,
        max_epochs=200,
        n_iter_no_change=5,
        learning_rate=0.05,
        random_state=0,
    ).fit(X[:30], y[:30], X_val=X[30:], y_val=noise)
    losses = model.net_.history[:, "valid_loss"]
    assert len(losses) < 200
    proba = model.predict_proba(X[30:])[
        np.arange(10), np.searchsorted(model.classes_, noise)
    ]
    assert -np.log(proba).mean() == pytest.approx(min(losses), rel=1e-5)


@pytest.mark.parametrize(
    "given, message",
    [
        ({"X_val": 1}, "fit got X_val; pass both X_val and y_val"),
        ({"y_val": 1}, "fit got y_val; pass both X_val and y_val"),
        ({"sample_weight_val": 1}, "fit got sample_weight_val; pass both"),
    ],
)
def test_half_of_the_validation_data_is_refused(model, ragged, given, message):
    X, y = ragged
    given = {name: {"X_val": X}.get(name, y) for name in given}
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, **given)


def test_validation_data_without_early_stopping_are_refused(model, ragged):
    X, y = ragged
    model.set_params(early_stopping=False)
    with pytest.raises(ValueError, match=r"RNNClassifier\(early_stopping=True\)"):
        model.fit(X, y, X_val=X, y_val=y)


def test_validation_data_beside_a_splitter_are_refused(model, ragged):
    X, y = ragged
    model.set_params(validation_fraction=KFold(3))
    with pytest.raises(ValueError, match="Leave out X_val and y_val"):
        model.fit(X, y, X_val=X, y_val=y)


def test_a_pipeline_transforms_the_validation_data_by_its_fitted_steps(
    model, names, routing
):
    X, y = names
    model.set_fit_request(X_val=True, y_val=True)
    pipeline = Pipeline(
        [("characters", CharVectorizer()), ("rnn", model)], transform_input=["X_val"]
    )
    X_val, y_val = ["anno", "lola", "quux"], [1, 0, 0]
    pipeline.fit(X, y, X_val=X_val, y_val=y_val)
    fitted = pipeline["rnn"]
    vectorizer = CharVectorizer().fit(X)
    by_hand = sklearn.clone(model).fit(
        vectorizer.transform(X), y, X_val=vectorizer.transform(X_val), y_val=y_val
    )
    assert_same_weights(fitted, by_hand)
    assert fitted.best_validation_score_ == pipeline.score(X_val, y_val)


def test_a_grid_search_passes_the_same_validation_data_to_every_fit(
    model, names, routing
):
    X, y = names
    model.set_fit_request(X_val=True, y_val=True)
    pipeline = Pipeline(
        [("characters", CharVectorizer()), ("rnn", model)], transform_input=["X_val"]
    )
    search = GridSearchCV(pipeline, {"rnn__hidden_size": [3, 5]}, cv=2)
    search.fit(X, y, X_val=["anno", "lola"], y_val=[1, 0])
    best = search.best_estimator_["rnn"]
    assert best.hidden_size in (3, 5)
    assert best.best_validation_score_ == search.best_estimator_.score(
        ["anno", "lola"], [1, 0]
    )


# ------------------------------------------------------------------ splitters


def test_time_series_split_validates_on_the_latest_rows():
    rows, rng = np.arange(20), np.random.default_rng(0)
    train, valid = last_split(rows, TimeSeriesSplit(4, gap=2), np.zeros(20), None, rng)
    assert valid.tolist() == [16, 17, 18, 19]
    assert train.tolist() == list(range(14))


def test_rows_outside_the_split_neither_train_nor_judge(model, ragged):
    X, y = ragged
    gap = TimeSeriesSplit(2, test_size=10, gap=5)
    model.set_params(validation_fraction=gap).fit(X, y)
    by_hand = sklearn.clone(model).set_params(validation_fraction=0.1)
    by_hand.fit(X[:25], y[:25], X_val=X[30:], y_val=y[30:])
    assert_same_weights(model, by_hand)


def test_groups_stay_on_one_side(model, ragged):
    X, y = ragged
    groups = np.arange(40) // 4
    seen = []

    class Watched(GroupShuffleSplit):
        def split(self, X, y=None, groups=None):
            for train, test in super().split(X, y, groups):
                seen.append((set(groups[train]), set(groups[test])))
                yield train, test

    splitter = Watched(1, test_size=0.3, random_state=0)
    model.set_params(validation_fraction=splitter).fit(X, y, groups=groups)
    ((train, test),) = seen
    assert not train & test
    assert len(train | test) == 10
    assert len(test) == 3


def test_a_splitter_of_groups_says_how_to_pass_them(model, ragged):
    model.set_params(validation_fraction=GroupShuffleSplit(1, test_size=0.1))
    message = r"'groups' parameter should not be None\..*fit\(X, y, groups=groups\)"
    with pytest.raises(ValueError, match=message):
        model.fit(*ragged)


def test_groups_reach_the_splitter_row_by_row_when_weights_drop_rows(model, ragged):
    X, y = ragged
    weight = np.where(np.arange(40) % 4 == 0, 0, 1)
    groups = np.arange(40) // 10
    kept = np.flatnonzero(weight)
    model.set_params(validation_fraction=GroupKFold(4))
    model.fit(X, y, sample_weight=weight, groups=groups)
    fewer = sklearn.clone(model).fit([X[i] for i in kept], y[kept], groups=groups[kept])
    assert_same_weights(model, fewer)


def test_groups_that_a_fraction_would_ignore_are_refused(model, ragged):
    X, y = ragged
    with pytest.raises(ValueError, match=r"draws single rows.*GroupShuffleSplit"):
        model.fit(X, y, groups=np.arange(40) // 4)


def test_a_group_splitter_without_groups_says_so(model, ragged):
    X, y = ragged
    model.set_params(validation_fraction=GroupKFold(4))
    with pytest.raises(ValueError, match="'groups' parameter should not be None"):
        model.fit(X, y)


def test_groups_of_another_length_are_refused(model, ragged):
    X, y = ragged
    model.set_params(validation_fraction=GroupKFold(4))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.fit(X, y, groups=np.arange(41) // 4)


def test_a_splitter_that_leaves_one_side_empty_is_refused(model, ragged):
    X, y = ragged

    class Nothing(KFold):
        def split(self, X, y=None, groups=None):
            return iter([(np.arange(len(X)), np.empty(0, dtype=int))])

    model.set_params(validation_fraction=Nothing())
    with pytest.raises(ValueError, match=r"left 40 rows.*and 0 to validate on"):
        model.fit(X, y)


def test_a_splitter_without_a_seed_draws_from_the_estimators(model, ragged):
    X, y = ragged
    splitter = StratifiedShuffleSplit(1, test_size=0.25)
    state = np.random.get_state()[1].copy()
    model.set_params(validation_fraction=splitter).fit(X, y)
    again = sklearn.clone(model).fit(X, y)
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    assert splitter.random_state is None
    assert_same_weights(model, again)
    other = sklearn.clone(model).set_params(random_state=1).fit(X, y)
    assert other.validation_scores_ != model.validation_scores_


def test_a_splitters_own_generator_is_left_as_it_was(model, ragged):
    X, y = ragged
    generator = np.random.RandomState(3)
    splitter = StratifiedShuffleSplit(1, test_size=0.25, random_state=generator)
    before = generator.get_state()[1].copy()
    model.set_params(validation_fraction=splitter).fit(X, y)
    np.testing.assert_array_equal(generator.get_state()[1], before)


def test_groups_are_routed_to_fit(model, names, routing):
    X, y = names
    model.set_params(validation_fraction=GroupShuffleSplit(1, random_state=0))
    pipeline = Pipeline(
        [("characters", CharVectorizer()), ("rnn", model.set_fit_request(groups=True))]
    )
    pipeline.fit(X, y, groups=np.arange(len(X)) // 8)
    assert pipeline["rnn"].validation_scores_
