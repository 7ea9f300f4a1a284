"""scikit-learn's tools give the same results as explicit loops, on any container."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    StratifiedKFold,
    TimeSeriesSplit,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_rnn import CharVectorizer, RNNClassifier, RNNRegressor

SMALL = {
    "hidden_size": 4,
    "max_epochs": 8,
    "batch_size": 12,
    "learning_rate": 0.05,
    "random_state": 0,
}
LABELS = np.array(["down", "flat", "up"])
ALPHABETS = dict(zip(LABELS, ("abx", "cdx", "efx"), strict=True))
CONTAINERS = ["ragged", "3-D", "tokens", "text"]
FOLDS = StratifiedKFold(2)


def sequences_of(labels, container):
    """Make sequences whose mean or letters depend on the label."""
    rng = np.random.default_rng(0)
    if container in ("tokens", "text"):
        texts = [
            "".join(rng.choice(list(ALPHABETS[label]), size=rng.integers(3, 7)))
            for label in labels
        ]
        return texts if container == "text" else CharVectorizer().fit_transform(texts)
    means = 1.5 * (np.searchsorted(LABELS, labels) - 1)
    if container == "3-D":
        return rng.normal(size=(len(labels), 4, 2)) + means[:, None, None]
    return [rng.normal(size=(rng.integers(3, 7), 2)) + mean for mean in means]


def reads(container, model):
    """Return ``model``, in a pipeline with a vectorizer if X is text."""
    return make_pipeline(CharVectorizer(), model) if container == "text" else model


def rows_of(X, rows):
    return [X[i] for i in rows] if isinstance(X, list) else X[rows]


def weights(model):
    """Return the weights of the network, also of one at the end of a pipeline."""
    module = (model[-1] if hasattr(model, "steps") else model).module_
    return {name: value.numpy() for name, value in module.state_dict().items()}


def assert_same_bits(model, other):
    ours, theirs = weights(model), weights(other)
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        assert_array_equal(value, theirs[name], err_msg=name)


@pytest.fixture(params=CONTAINERS)
def container(request):
    return request.param


@pytest.fixture
def two(container):
    """A model and 36 sequences of two classes."""
    y = np.array(["down", "up"] * 18)
    model = reads(container, RNNClassifier(**SMALL))
    return model, sequences_of(y, container), y


@pytest.fixture
def three(container):
    """A model and 36 sequences of three classes."""
    y = np.tile(LABELS, 12)
    model = reads(container, RNNClassifier(**SMALL | {"max_epochs": 12}))
    return model, sequences_of(y, container), y


def setting(container, name):
    """Return the name of a parameter of the network in a search."""
    return f"rnnclassifier__{name}" if container == "text" else name


# ------------------------------------------------------------------ folds


def fold_models(model, X, y, folds):
    """Loop over splits, and yield a fitted model and its test rows for each fold."""
    for train, test in folds:
        yield clone(model).fit(rows_of(X, train), y[train]), test


def hand_made_scores(model, X, y, folds):
    return [
        accuracy_score(y[test], fitted.predict(rows_of(X, test)))
        for fitted, test in fold_models(model, X, y, folds)
    ]


def test_cross_validate_is_the_loop_over_splits(two):
    model, X, y = two
    result = cross_validate(
        model,
        X,
        y,
        cv=FOLDS,
        scoring=["accuracy", "neg_log_loss"],
        return_estimator=True,
    )
    assert_array_equal(
        result["test_accuracy"], hand_made_scores(model, X, y, FOLDS.split(X, y))
    )
    assert result["test_accuracy"].mean() > 0.8
    assert result["test_neg_log_loss"].mean() > -0.5  # chance: -0.69
    for (fitted, _), estimator in zip(
        fold_models(model, X, y, FOLDS.split(X, y)), result["estimator"], strict=True
    ):
        assert_same_bits(fitted, estimator)


def test_cross_val_predict_is_the_loop_over_splits(three):
    model, X, y = three
    expected = np.empty((len(y), 3))
    for fitted, test in fold_models(model, X, y, FOLDS.split(X, y)):
        expected[test] = fitted.predict_proba(rows_of(X, test))
    proba = cross_val_predict(model, X, y, cv=FOLDS, method="predict_proba")
    assert_array_equal(proba, expected)
    assert accuracy_score(y, LABELS[proba.argmax(axis=1)]) > 0.7


def test_learning_curve_trains_on_the_first_rows_of_each_fold(two):
    model, X, y = two
    sizes, train_scores, test_scores = learning_curve(
        model, X, y, cv=FOLDS, train_sizes=[6, 18]
    )
    assert sizes.tolist() == [6, 18]
    for size, scores in zip(sizes, test_scores, strict=True):
        folds = [(train[:size], test) for train, test in FOLDS.split(X, y)]
        assert_array_equal(scores, hand_made_scores(model, X, y, folds))
    assert test_scores[1].mean() > 0.8 and train_scores[1].mean() > 0.8


@pytest.mark.parametrize("container", ["ragged", "3-D", "tokens"])
def test_learning_curve_can_continue_from_size_to_size(two):
    model, X, y = two
    _, _, scores = learning_curve(
        model, X, y, cv=FOLDS, train_sizes=[6, 18], exploit_incremental_learning=True
    )
    for (train, test), of_fold in zip(FOLDS.split(X, y), scores.T, strict=True):
        grown, expected = clone(model), []
        for rows in (train[:6], train[6:18]):
            grown.partial_fit(rows_of(X, rows), y[rows], classes=["down", "up"])
            expected.append(grown.score(rows_of(X, test), y[test]))
        assert_array_equal(of_fold, expected)


def test_group_k_fold_keeps_groups_of_ragged_sequences_together(two):
    model, X, y = two
    groups = np.repeat(np.arange(6), 6)
    folds = list(GroupKFold(2).split(X, y, groups))
    scores = cross_val_score(model, X, y, cv=GroupKFold(2), groups=groups)
    assert_array_equal(scores, hand_made_scores(model, X, y, folds))
    assert all(not set(groups[train]) & set(groups[test]) for train, test in folds)
    assert scores.mean() > 0.8


def test_time_series_split_trains_on_the_past(container):
    y = np.array(["down", "up"] * 18)
    X, target = sequences_of(y, container), np.where(y == "up", 1.0, -1.0)
    model = reads(container, RNNRegressor(**SMALL))
    expected = [
        fitted.score(rows_of(X, test), target[test])
        for fitted, test in fold_models(model, X, target, TimeSeriesSplit(2).split(X))
    ]
    scores = cross_val_score(model, X, target, cv=TimeSeriesSplit(2))
    assert_array_equal(scores, expected)
    assert scores[-1] > 0.5


# ------------------------------------------------------------------ searches


def test_grid_search_scores_every_candidate_and_refits_the_best(two, container):
    model, X, y = two
    grid = {setting(container, "learning_rate"): [1e-6, 0.05]}
    search = GridSearchCV(model, grid, cv=FOLDS).fit(X, y)
    for params, score in zip(
        search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True
    ):
        candidate = clone(model).set_params(**params)
        expected = hand_made_scores(candidate, X, y, FOLDS.split(X, y))
        assert score == np.mean(expected)
    assert search.best_params_ == {setting(container, "learning_rate"): 0.05}
    assert search.best_score_ > 0.8
    best = clone(model).set_params(**search.best_params_).fit(X, y)
    assert_same_bits(search.best_estimator_, best)


def test_randomized_search_scores_what_it_draws(two, container):
    model, X, y = two
    settings = {
        setting(container, "cell"): ["rnn", "lstm", "gru"],
        setting(container, "hidden_size"): range(2, 6),
    }
    search = RandomizedSearchCV(model, settings, n_iter=2, cv=FOLDS, random_state=0)
    search.fit(X, y)
    scores = [
        np.mean(cross_val_score(clone(model).set_params(**params), X, y, cv=FOLDS))
        for params in search.cv_results_["params"]
    ]
    assert_array_equal(search.cv_results_["mean_test_score"], scores)
    assert len(scores) == 2 and search.best_score_ == max(scores) > 0.8


def test_halving_search_spends_epochs(two, container):
    model, X, y = two
    halving = HalvingGridSearchCV(
        model,
        {setting(container, "learning_rate"): [1e-4, 0.02, 0.05]},
        resource=setting(container, "max_epochs"),
        min_resources=4,
        max_resources=8,
        factor=2,
        cv=FOLDS,
    )
    results = halving.fit(X, y).cv_results_
    assert halving.n_resources_ == [4, 8]
    assert halving.n_candidates_ == [3, 2]
    for params, n_epochs, score in zip(
        results["params"],
        results["n_resources"],
        results["mean_test_score"],
        strict=True,
    ):
        assert params[setting(container, "max_epochs")] == n_epochs
        candidate = clone(model).set_params(**params)
        assert score == cross_val_score(candidate, X, y, cv=FOLDS).mean()
    assert halving.best_score_ > 0.8


@pytest.mark.parametrize("container", ["ragged", "text"])
def test_two_jobs_give_the_same_bits_as_one(two, container):
    model, X, y = two
    grid = {setting(container, "cell"): ["rnn", "gru"]}
    scoring = "neg_log_loss"  # more sensitive than the accuracy
    one, both = (
        GridSearchCV(
            model,
            grid,
            cv=FOLDS,
            scoring=scoring,
            n_jobs=n_jobs,
            return_train_score=True,
        ).fit(X, y)
        for n_jobs in (1, 2)
    )
    compared = [name for name in one.cv_results_ if not name.endswith("_time")]
    assert "split0_test_score" in compared and "split1_train_score" in compared
    for name in compared:
        assert_array_equal(one.cv_results_[name], both.cv_results_[name], err_msg=name)
    assert_same_bits(one.best_estimator_, both.best_estimator_)
    assert_array_equal(one.predict_proba(X), both.predict_proba(X))


# ------------------------------------------------------------------ caches

READ = []


def noted(text):
    READ.append(text)
    return text


def test_cached_pipeline_reads_a_fold_once(tmp_path):
    y = np.array(["down", "up"] * 18)
    X = sequences_of(y, "text")
    plain = make_pipeline(CharVectorizer(preprocessor=noted), RNNClassifier(**SMALL))
    cached = clone(plain).set_params(memory=str(tmp_path))
    grid, n_read, scores = {"rnnclassifier__cell": ["rnn", "gru"]}, [], []
    for model in (plain, cached):
        READ.clear()
        search = GridSearchCV(model, grid, cv=FOLDS, refit=False, n_jobs=1).fit(X, y)
        scores.append(search.cv_results_["mean_test_score"])
        n_read.append(len(READ))
    # of each of 2 folds 18 texts are fitted on, and 18 transformed for the score
    assert n_read == [2 * 2 * (18 + 18), 2 * 18 + 2 * 2 * 18]
    assert_array_equal(scores[0], scores[1])


def test_cached_codes_of_two_vocabularies_are_not_mixed_up(tmp_path):
    texts, y = ["ab", "ba", "aab", "bba"] * 5, [0, 1] * 10
    for vocabulary in ("ab", "abc", "ab"):  # the same codes of texts in both
        steps = (
            CharVectorizer(vocabulary=list(vocabulary)),
            FunctionTransformer(),  # its cache is asked for by the codes
            RNNClassifier(**SMALL, embedding="onehot"),
        )
        cached = make_pipeline(*steps, memory=str(tmp_path)).fit(texts, y)
        plain = make_pipeline(*map(clone, steps)).fit(texts, y)
        assert_same_bits(cached, plain)
        assert_array_equal(cached.predict_proba(["c"]), plain.predict_proba(["c"]))


# ------------------------------------------------------------------ meta-estimators


def test_calibration_fits_one_network_per_fold(two):
    model, X, y = two
    calibrated = CalibratedClassifierCV(model, cv=FOLDS).fit(X, y)
    for (fitted, _), part in zip(
        fold_models(model, X, y, FOLDS.split(X, y)),
        calibrated.calibrated_classifiers_,
        strict=True,
    ):
        assert_same_bits(fitted, part.estimator)
    proba = calibrated.predict_proba(X)
    assert_allclose(proba.sum(axis=1), 1)
    assert accuracy_score(y, calibrated.predict(X)) > 0.8
    assert -np.log(proba[np.arange(36), (y == "up").astype(int)]).mean() < 0.5


def test_tuned_threshold_decides_where_the_score_is_best(container):
    y = np.array(["down", "up", "down", "down"] * 10)
    X, model = sequences_of(y, container), reads(container, RNNClassifier(**SMALL))
    tuned = TunedThresholdClassifierCV(
        model, cv=FOLDS, scoring="balanced_accuracy", store_cv_results=True
    ).fit(X, y)
    proba = clone(model).fit(X, y).predict_proba(X)[:, 1]
    expected = np.where(proba >= tuned.best_threshold_, "up", "down")
    assert_array_equal(tuned.predict(X), expected)
    assert tuned.best_score_ == tuned.cv_results_["scores"].max() > 0.7
    assert balanced_accuracy_score(y, tuned.predict(X)) > 0.8


def test_soft_vote_is_the_mean_of_the_networks(three):
    model, X, y = three
    other = clone(model).set_params(
        **{name: 1 for name in model.get_params() if name.endswith("random_state")}
    )
    vote = VotingClassifier([("one", model), ("other", other)], voting="soft").fit(X, y)
    parts = [clone(m).fit(X, y).predict_proba(X) for m in (model, other)]
    assert not np.array_equal(*parts)
    assert_allclose(vote.predict_proba(X), np.mean(parts, axis=0), rtol=1e-6)
    assert vote.score(X, y) > 0.8


def test_stacked_networks_answer_from_their_probabilities(two):
    model, X, y = two
    stack = StackingClassifier([("rnn", model)], cv=FOLDS).fit(X, y)
    up = clone(model).fit(X, y).predict_proba(X)[:, 1:]
    assert_array_equal(stack.transform(X), up)
    held_out = cross_val_predict(model, X, y, cv=FOLDS, method="predict_proba")[:, 1:]
    final = clone(stack.final_estimator_).fit(held_out, y == "up")
    assert_allclose(stack.predict_proba(X)[:, 1], final.predict_proba(up)[:, 1])
    assert stack.score(X, y) > 0.8


def test_one_network_per_class(three):
    model, X, y = three
    rest = OneVsRestClassifier(model).fit(X, y)
    for label, part in zip(LABELS, rest.estimators_, strict=True):
        assert_same_bits(part, clone(model).fit(X, (y == label).astype(int)))
    assert rest.score(X, y) > 0.6  # chance: 0.33


def test_one_network_per_column_of_y(three):
    model, X, y = three
    Y = np.column_stack([y, np.where(y == "up", "up", "not up")])
    many = MultiOutputClassifier(model).fit(X, Y)
    for k in range(2):
        single = clone(model).fit(X, Y[:, k])
        assert_array_equal(many.predict(X)[:, k], single.predict(X))
        assert_array_equal(many.predict_proba(X)[k], single.predict_proba(X))
    assert many.score(X, Y) > 0.7  # both columns right


def test_targets_can_be_transformed(container):
    y = np.array(["down", "up"] * 18)
    X, target = sequences_of(y, container), np.where(y == "up", 1000.0, 10.0)
    model = reads(container, RNNRegressor(**SMALL))
    transformed = TransformedTargetRegressor(model, func=np.log, inverse_func=np.exp)
    logarithm = clone(model).fit(X, np.log(target)).predict(X)
    assert_array_equal(transformed.fit(X, target).predict(X), np.exp(logarithm))
    assert np.abs(logarithm - np.log(target)).mean() < 1  # 2.3 for the mean


# ------------------------------------------------------------------ weights of samples


@pytest.fixture
def mislabeled(container):
    """A model that requests weights; 18 of 48 labels are wrong and have weight 0."""
    y = np.array(["down", "up"] * 24)
    X = sequences_of(y, container)
    wrong = np.arange(48) % 8 < 3
    y = np.where(wrong, np.where(y == "up", "down", "up"), y)
    model = RNNClassifier(**SMALL)
    with config_context(enable_metadata_routing=True):
        model.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        yield reads(container, model), X, y, np.where(wrong, 0.0, 1.0)


def test_pipeline_and_cross_validate_route_sample_weight(mislabeled):
    model, X, y, weight = mislabeled
    result = cross_validate(
        model, X, y, cv=FOLDS, params={"sample_weight": weight}, return_estimator=True
    )
    right = np.flatnonzero(weight)
    for (train, test), fitted, score in zip(
        FOLDS.split(X, y), result["estimator"], result["test_score"], strict=True
    ):
        alone = clone(model).fit(
            rows_of(X, train), y[train], sample_weight=weight[train]
        )
        assert_same_bits(fitted, alone)
        kept = np.intersect1d(test, right)
        assert score == pytest.approx(fitted.score(rows_of(X, kept), y[kept]))
    assert result["test_score"].mean() > 0.8


def test_grid_search_routes_sample_weight(mislabeled, container):
    model, X, y, weight = mislabeled
    grid = {setting(container, "cell"): ["gru"]}
    search = GridSearchCV(model, grid, cv=FOLDS).fit(X, y, sample_weight=weight)
    params = {"sample_weight": weight}
    expected = cross_val_score(model, X, y, cv=FOLDS, params=params)
    assert search.best_score_ == np.mean(expected)
    assert_same_bits(search.best_estimator_, clone(model).fit(X, y, **params))
    assert accuracy_score(y, search.predict(X), sample_weight=weight) > 0.8
