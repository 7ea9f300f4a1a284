"""More meta-estimators, sample weights in them, and output settings."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import (
    BaggingClassifier,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    KFold,
    TunedThresholdClassifierCV,
    cross_val_predict,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import (
    MultiOutputClassifier,
    MultiOutputRegressor,
    RegressorChain,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from test_composition import (
    CONTAINERS,
    LABELS,
    SMALL,
    assert_same_bits,
    reads,
    rows_of,
    sequences_of,
)

from sklearn_rnn import CharVectorizer, RNNClassifier, RNNRegressor

Y = np.array(["down", "up"] * 18)
LEVEL = np.where(Y == "up", 1.0, -1.0)
FOLDS = KFold(2)


@pytest.fixture(params=CONTAINERS)
def container(request):
    return request.param


@pytest.fixture
def X(container):
    return sequences_of(Y, container)


@pytest.fixture
def model(container):
    return reads(container, RNNClassifier(**SMALL))


@pytest.fixture
def regressor(container):
    return reads(container, RNNRegressor(**SMALL))


def with_seed(model, seed):
    names = [name for name in model.get_params() if name.endswith("random_state")]
    return clone(model).set_params(**dict.fromkeys(names, seed))


# ------------------------------------------------------------------ classifiers


def test_a_frozen_network_is_calibrated_without_refitting(model, X):
    train, rest = np.arange(20), np.arange(20, 36)
    model.fit(rows_of(X, train), Y[train])
    calibrated = CalibratedClassifierCV(FrozenEstimator(model))
    calibrated.fit(rows_of(X, rest), Y[rest])
    (part,) = calibrated.calibrated_classifiers_
    assert part.estimator.estimator is model
    assert_same_bits(model, clone(model).fit(rows_of(X, train), Y[train]))
    (sigmoid,) = part.calibrators
    up = expit(-(sigmoid.a_ * model.predict_proba(X)[:, 1] + sigmoid.b_))
    assert_allclose(calibrated.predict_proba(X)[:, 1], up)
    assert calibrated.score(X, Y) > 0.8


def test_a_fixed_threshold_requires_a_higher_probability(model, X):
    up = clone(model).fit(X, Y).predict_proba(X)[:, 1]
    threshold = np.median(up[up > 0.5])
    fixed = FixedThresholdClassifier(
        model, threshold=threshold, response_method="predict_proba"
    ).fit(X, Y)
    assert_array_equal(fixed.predict(X), np.where(up >= threshold, "up", "down"))
    assert 0 < np.sum(fixed.predict(X) == "up") < np.sum(up > 0.5)


def test_hard_vote_is_the_majority(model, X):
    seeds = [with_seed(model, seed) for seed in range(3)]
    vote = VotingClassifier([(f"{i}", seed) for i, seed in enumerate(seeds)])
    ups = sum(clone(seed).fit(X, Y).predict(X) == "up" for seed in seeds)
    assert_array_equal(vote.fit(X, Y).predict(X), np.where(ups >= 2, "up", "down"))
    assert vote.score(X, Y) > 0.8


@pytest.mark.parametrize("container", ["ragged", "3-D", "tokens"])
def test_wrappers_train_on_batch_by_batch(model, X):
    y = np.tile(LABELS, 12)
    rest, many = OneVsRestClassifier(model), MultiOutputClassifier(model)
    singles = [clone(model) for _ in LABELS]
    for rows in (np.arange(18), np.arange(18, 36)):
        part, labels = rows_of(X, rows), y[rows]
        rest.partial_fit(part, labels, classes=LABELS)
        of_label = np.column_stack([labels == label for label in LABELS]).astype(int)
        many.partial_fit(part, of_label, classes=[[0, 1]] * 3)
        for single, column in zip(singles, of_label.T, strict=True):
            single.partial_fit(part, column, classes=[0, 1])
    for k, single in enumerate(singles):
        assert_same_bits(rest.estimators_[k], single)
        assert_same_bits(many.estimators_[k], single)


# ------------------------------------------------------------------ regressors


def test_one_regressor_per_column_of_y(regressor, X):
    targets = np.column_stack([LEVEL, 100 - 3 * LEVEL])
    many = MultiOutputRegressor(regressor).fit(X, targets)
    for k in range(2):
        single = clone(regressor).fit(X, targets[:, k])
        assert_array_equal(many.predict(X)[:, k], single.predict(X))
    assert many.score(X, targets) > 0.5


def test_voting_regressor_is_the_mean_of_the_networks(regressor, X):
    parts = [with_seed(regressor, seed) for seed in (0, 1)]
    vote = VotingRegressor([("one", parts[0]), ("other", parts[1])]).fit(X, LEVEL)
    answers = [clone(part).fit(X, LEVEL).predict(X) for part in parts]
    assert not np.array_equal(*answers)
    assert_allclose(vote.predict(X), np.mean(answers, axis=0))
    assert vote.score(X, LEVEL) > 0.5


def test_stacking_regressor_learns_from_held_out_answers(regressor, X):
    stack = StackingRegressor([("rnn", regressor)], Ridge(), cv=FOLDS).fit(X, LEVEL)
    held_out = cross_val_predict(regressor, X, LEVEL, cv=FOLDS)[:, None]
    final = Ridge().fit(held_out, LEVEL)
    answers = clone(regressor).fit(X, LEVEL).predict(X)[:, None]
    assert_allclose(stack.predict(X), final.predict(answers))
    assert stack.score(X, LEVEL) > 0.5


def test_regressor_chain_appends_numbers_to_a_table_only(rng):
    table = rng.normal(size=(36, 4)) + LEVEL[:, None]
    targets = np.column_stack([LEVEL, 3 * LEVEL])
    chain = RegressorChain(RNNRegressor(**SMALL)).fit(table, targets)
    longer = np.column_stack([table, LEVEL])
    second = RNNRegressor(**SMALL).fit(longer, targets[:, 1])
    assert_same_bits(chain.estimators_[1], second)
    assert chain.score(table, targets) > 0.5
    with pytest.raises(ValueError, match="Found array with dim 3"):
        RegressorChain(RNNRegressor()).fit(table[:, :, None], targets)


# ------------------------------------------------------------------ ways to a table


def as_sequences(table):
    """Reshape a table to steps of two features; NaN at the end of a row is padding."""
    return table.reshape(len(table), -1, 2)


def side_by_side(ragged):
    """Return the same sequences in a table, padded with NaN."""
    table = np.full((len(ragged), 2 * max(map(len, ragged))), np.nan)
    for row, steps in zip(table, ragged, strict=True):
        row[: steps.size] = steps.ravel()
    return table


@pytest.fixture
def ragged():
    return sequences_of(Y, "ragged")


@pytest.fixture
def unfolding():
    return make_pipeline(FunctionTransformer(as_sequences), RNNClassifier(**SMALL))


def test_bagging_draws_ragged_sequences_from_a_padded_table(unfolding, ragged):
    padded = side_by_side(ragged)
    bagged = BaggingClassifier(unfolding, n_estimators=2, random_state=0)
    bagged.fit(padded, Y)
    for part, rows in zip(bagged.estimators_, bagged.estimators_samples_, strict=True):
        alone = clone(part[-1]).fit(rows_of(ragged, rows), (Y == "up")[rows])
        assert_same_bits(part, alone)
    assert bagged.score(padded, Y) > 0.8


def test_one_against_one_splits_ragged_sequences_in_a_padded_table(unfolding):
    y = np.tile(LABELS, 12)
    ragged = sequences_of(y, "ragged")
    padded = side_by_side(ragged)
    pairs = OneVsOneClassifier(unfolding).fit(padded, y)
    for part, (low, high) in zip(
        pairs.estimators_, [(0, 1), (0, 2), (1, 2)], strict=True
    ):
        rows = np.flatnonzero(np.isin(y, LABELS[[low, high]]))
        target = (y[rows] == LABELS[high]).astype(int)
        alone = RNNClassifier(**SMALL).fit(rows_of(ragged, rows), target)
        assert_same_bits(part, alone)
    assert pairs.score(padded, y) > 0.7


def test_self_training_labels_ragged_sequences_in_a_padded_table(unfolding, ragged):
    padded = side_by_side(ragged)
    labels = np.where(Y == "up", 1, 0)
    known = np.arange(36) < 20
    self_taught = SelfTrainingClassifier(unfolding, threshold=0.7, max_iter=1)
    self_taught.fit(padded, np.where(known, labels, -1))
    first = RNNClassifier(**SMALL).fit(ragged[:20], labels[:20])
    proba = first.predict_proba(ragged[20:])
    guessed = np.where(proba.max(axis=1) > 0.7, proba.argmax(axis=1), -1)
    assert_array_equal(self_taught.transduction_[20:], guessed)
    assert np.mean(guessed == labels[20:]) > 0.5
    now = np.flatnonzero(self_taught.transduction_ >= 0)
    last = RNNClassifier(**SMALL).fit(
        rows_of(ragged, now), self_taught.transduction_[now]
    )
    assert_same_bits(self_taught.estimator_, last)
    with pytest.raises(ValueError, match="inhomogeneous shape"):
        SelfTrainingClassifier(first).fit(ragged, np.where(known, labels, -1))


# ------------------------------------------------------------------ weights of samples


def weighted(estimator):
    """Return the estimator, with a request for sample weights."""
    return estimator.set_fit_request(sample_weight=True)


ROUTERS = {
    "vote": lambda model: VotingClassifier([("rnn", model)], voting="soft"),
    "stack": lambda model: StackingClassifier(
        [("rnn", model)], weighted(LogisticRegression()), cv=FOLDS
    ),
    "calibrated": lambda model: CalibratedClassifierCV(model, cv=FOLDS),
    "tuned": lambda model: TunedThresholdClassifierCV(
        model,
        cv=FOLDS,
        scoring=make_scorer(accuracy_score).set_score_request(sample_weight=True),
    ),
    "fixed": FixedThresholdClassifier,
    "many": lambda model: MultiOutputClassifier(model),
    "rest": lambda model: OneVsRestClassifier(model),
}


@pytest.mark.parametrize("router", ROUTERS)
@pytest.mark.parametrize("container", ["ragged", "text"])
def test_weights_reach_the_network_through(router, container, X):
    """Labels of weight 0 have no influence; with other weights they have."""
    wrong = np.arange(36) % 9 < 3
    swapped = np.where(wrong, np.where(Y == "up", "down", "up"), Y)
    targets = [Y, swapped]
    if router == "many":
        targets = [np.column_stack([y, y]) for y in targets]
    weight = np.where(wrong, 0.0, 1.0)
    with config_context(enable_metadata_routing=True):
        model = reads(container, weighted(RNNClassifier(**SMALL)))
        meta = ROUTERS[router](model)
        fits = [clone(meta).fit(X, y, sample_weight=weight) for y in targets]
        fits.append(clone(meta).fit(X, targets[1]))
    assert_array_equal(fits[0].predict(X), fits[1].predict(X))
    right, ignoring, misled = (np.array(fit.predict_proba(X)) for fit in fits)
    assert_allclose(ignoring, right, rtol=1e-6)
    assert np.abs(misled - right).max() > 0.01


def test_weights_reach_the_regressor_through_a_transformed_target(container, X):
    wrong = np.arange(36) % 9 < 3
    weight = np.where(wrong, 0.0, 1.0)
    with config_context(enable_metadata_routing=True):
        model = reads(container, weighted(RNNRegressor(**SMALL)))
        meta = TransformedTargetRegressor(model, func=np.exp, inverse_func=np.log)
        fits = [
            clone(meta).fit(X, np.where(wrong, LEVEL * sign, LEVEL), **weights)
            for sign, weights in [
                (1, {"sample_weight": weight}),
                (-1, {"sample_weight": weight}),
                (-1, {}),
            ]
        ]
    right, ignoring, misled = (fit.regressor_.predict(X) for fit in fits)
    assert_array_equal(ignoring, right)
    assert np.abs(misled - right).max() > 0.1


@pytest.mark.parametrize("container", ["text"])
def test_weights_reach_the_last_step_by_its_name_without_routing(model, X):
    weight = np.arange(36) % 3
    named = clone(model).fit(X, Y, rnnclassifier__sample_weight=weight)
    tokens = CharVectorizer().fit_transform(X)
    alone = RNNClassifier(**SMALL).fit(tokens, Y, sample_weight=weight)
    assert_same_bits(named, alone)


def test_weights_without_a_request_are_refused(model, X):
    with config_context(enable_metadata_routing=True):
        search = GridSearchCV(model, {}, cv=FOLDS)
        with pytest.raises(ValueError, match=r"RNNClassifier\.set_fit_request"):
            search.fit(X, Y, sample_weight=np.ones(36))


# ------------------------------------------------------------------ output settings


@pytest.mark.parametrize("output", ["pandas", "polars", "default"])
@pytest.mark.parametrize("container", ["text"])
def test_output_setting_changes_no_answer_from_text(model, X, output):
    plain = clone(model).fit(X, Y)
    framed = model.set_output(transform=output).fit(X, Y)
    assert_same_bits(framed, plain)
    with config_context(transform_output=output):
        assert_array_equal(plain.predict_proba(X), framed.predict_proba(X))
        assert_same_bits(clone(plain).fit(X, Y), plain)


def test_output_setting_names_the_columns_of_a_table(rng):
    frame = pd.DataFrame(rng.normal(size=(36, 2)) + LEVEL[:, None], columns=["a", "b"])
    pipeline = make_pipeline(StandardScaler(), RNNClassifier(**SMALL))
    plain = clone(pipeline).fit(frame, Y)
    framed = pipeline.set_output(transform="pandas").fit(frame, Y)
    assert framed[-1].feature_names_in_.tolist() == ["a", "b"]
    assert_same_bits(framed, plain)
    assert framed.score(frame, Y) > 0.8


def test_a_text_column_stays_codes_where_frames_are_the_rule():
    texts = sequences_of(Y, "text")
    frame = pd.DataFrame({"text": texts})
    columns = make_column_transformer((CharVectorizer(), "text"))
    plain = RNNClassifier(**SMALL).fit(CharVectorizer().fit_transform(texts), Y)
    with config_context(transform_output="pandas"):
        pipeline = make_pipeline(columns.set_output(transform="default"), clone(plain))
        assert_same_bits(pipeline.fit(frame, Y), plain)
