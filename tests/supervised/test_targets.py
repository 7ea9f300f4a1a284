"""Encoding of labels and numbers, and decoding of outputs."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.metrics import r2_score

from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn._data.labels import check_labels, check_numbers
from sklearn_rnn.supervised._targets import (
    LabelTargets,
    NumberTargets,
    compute_column_scales,
    score_r2,
)


@pytest.fixture
def classifier():
    return RNNClassifier("gru", 8, max_epochs=3, random_state=0)


@pytest.fixture
def regressor():
    return RNNRegressor("gru", 12, max_epochs=30, random_state=0)


@pytest.mark.parametrize(
    "labels", [["no", "yes"], [False, True], [-1, 1], [2.0, 5.0], [0, 7]], ids=str
)
def test_labels_of_any_type_come_back(classifier, table, labels):
    X, y = table
    y = np.array(labels)[y]
    classifier.set_params(max_epochs=40).fit(X, y)
    assert classifier.predict(X).dtype == y.dtype
    assert classifier.classes_.tolist() == sorted(labels)
    assert classifier.score(X, y) > 0.9


def test_probabilities_sum_to_one_and_agree_with_predict(classifier, rng):
    X = [rng.normal(size=n) for n in rng.integers(2, 9, size=30)]
    y = np.array(["a", "b", "c"] * 10)
    classifier.fit(X, y)
    proba = classifier.predict_proba(X)
    assert proba.shape == (30, 3)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_array_equal(
        classifier.predict(X), classifier.classes_[proba.argmax(1)]
    )
    np.testing.assert_allclose(classifier.predict_log_proba(X), np.log(proba))


def test_indicator_matrix_is_learned_label_by_label(rng):
    X = rng.normal(size=(150, 5, 2))
    y = (X.sum(axis=1) > 0).astype(int)
    model = RNNClassifier("gru", 16, max_epochs=40, random_state=0).fit(
        X[:100], y[:100]
    )
    predicted = model.predict(X[100:])
    assert ((predicted == y[100:]).mean(axis=0) > 0.85).all()
    proba = model.predict_proba(X[100:])
    np.testing.assert_array_equal(predicted, proba > 0.5)
    assert model.classes_.tolist() == [0, 1]


def test_the_unit_of_the_target_does_not_matter(regressor, sums):
    X, y = sums
    plain = clone(regressor).fit(X, y).predict(X)
    far = clone(regressor).fit(X, 1e6 * y - 3e8).predict(X)
    np.testing.assert_allclose((far + 3e8) / 1e6, plain, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("unit, offset", [(1e-170, 0), (1e300, 0), (1.0, 1e9)])
def test_extreme_units_of_the_target_come_back(regressor, sums, unit, offset):
    X, y = sums
    X = [x.astype(np.float32) for x in X]
    plain = clone(regressor).fit(X, y).predict(X)
    far = clone(regressor).fit(X, y * unit + offset).predict(X)
    np.testing.assert_allclose((far - offset) / unit, plain, atol=0.02)


@pytest.mark.parametrize("given, answered", [("f4", "f4"), ("f8", "f8"), ("i8", "f8")])
def test_the_number_type_of_the_target_comes_back(regressor, sums, given, answered):
    X, y = sums
    regressor.set_params(max_epochs=1).fit(X, y.astype(given))
    assert regressor.predict(X).dtype == answered


def test_a_constant_target_is_predicted(regressor, sums):
    X, y = sums
    regressor.set_params(max_epochs=50).fit(X, np.full(len(y), 7.0))
    np.testing.assert_allclose(regressor.predict(X), 7.0, atol=0.2)


def test_one_column_of_targets_warns_and_comes_back_flat(regressor, sums):
    from sklearn.exceptions import DataConversionWarning

    X, y = sums
    with pytest.warns(DataConversionWarning):
        regressor.set_params(max_epochs=1).fit(X, y[:, None])
    assert regressor.predict(X).shape == (160,)


def test_partial_fit_keeps_the_unit_of_its_first_call(regressor, sums):
    X, y = sums
    regressor.partial_fit(X, y)
    mean, scale = regressor._targets.mean.copy(), regressor._targets.scale.copy()
    for _ in range(15):
        regressor.partial_fit(X[:80], y[:80] + 3)
    np.testing.assert_array_equal(regressor._targets.mean, mean)
    np.testing.assert_array_equal(regressor._targets.scale, scale)
    assert regressor.predict(X[:80]).mean() > y[:80].mean() + 1.5


def test_partial_fit_with_another_number_of_outputs_is_refused(regressor, sums):
    X, y = sums
    regressor.partial_fit(X, y)
    with pytest.raises(
        ValueError, match="y has 2 outputs, but the fitted network has 1"
    ):
        regressor.partial_fit(X, np.stack([y, y], axis=1))


@pytest.mark.parametrize(
    "y, message",
    [
        (np.array([np.nan] + [1.0] * 159), "Input y contains NaN"),
        (np.array([np.inf] + [1.0] * 159), "Input y contains infinity"),
        (np.ones((160, 2, 2)), "dim 3"),
        (["some"] * 160, "string|numeric"),
    ],
    ids=["nan", "inf", "3-D", "text"],
)
def test_bad_targets_are_refused(regressor, sums, y, message):
    with pytest.raises(ValueError, match=message):
        regressor.fit(sums[0], y)
    assert vars(regressor) == regressor.get_params()


# ------------------------------------------------------------------ labels alone


ALL = np.arange(4)
LABELS = np.array(["b", "a", "b", "c"])


def test_labels_are_places_among_the_sorted_classes(classifier):
    y = check_labels(list(LABELS), classifier)
    targets = LabelTargets.fit(y, ALL)
    assert targets.classes.tolist() == ["a", "b", "c"] and targets.n_outputs == 3
    codes = targets.encode(y, ALL, "float32")
    assert codes.tolist() == [1, 0, 1, 2]
    np.testing.assert_array_equal(targets.decode(np.eye(3)[codes]), LABELS)
    assert targets.strata(codes).tolist() == codes.tolist()


def test_rows_that_do_not_take_part_bring_no_class():
    targets = LabelTargets.fit(LABELS, ALL[:3])
    assert targets.classes.tolist() == ["a", "b"]
    assert targets.encode(LABELS, ALL[:3], "float32")[:3].tolist() == [1, 0, 1]
    with pytest.raises(ValueError, match=r"classes \['c'\], which are not among"):
        targets.encode(LABELS, ALL, "float32")


def test_classes_passed_by_the_user_are_kept():
    targets = LabelTargets.fit(LABELS, ALL, classes=["d", "a", "c", "b", "a"])
    assert targets.classes.tolist() == ["a", "b", "c", "d"]


def test_an_indicator_matrix_has_one_probability_per_label():
    y = np.array([[1, 0], [1, 1], [0, 0], [0, 1]])
    targets = LabelTargets.fit(y, ALL)
    assert targets.multilabel and targets.n_outputs == 2
    encoded = targets.encode(y, ALL, "float32")
    assert encoded.dtype == torch.float32
    logits = 4.0 * (2 * y - 1)
    np.testing.assert_array_equal(targets.decode(logits), y)
    np.testing.assert_allclose(targets.probabilities(logits), 1 / (1 + np.exp(-logits)))
    np.testing.assert_array_equal(targets.strata(encoded), encoded)
    with pytest.raises(ValueError, match=r"y has 3 labels, but .* with 2"):
        targets.encode(np.ones((4, 3), int), ALL, "float32")
    with pytest.raises(ValueError, match="y has one label per row"):
        targets.encode(LABELS, ALL, "float32")


@pytest.mark.parametrize("multilabel", [False, True])
def test_labels_have_a_loss_and_a_score_per_row(multilabel):
    targets = LabelTargets(np.arange(2), multilabel)
    logits = torch.tensor([[0.0, 2.0], [1.0, -1.0]])
    y = torch.tensor([[0.0, 1.0], [0.0, 0.0]]) if multilabel else torch.tensor([1, 1])
    proba = torch.from_numpy(targets.probabilities(logits.numpy()))
    likelihood = torch.where(y > 0, proba, 1 - proba) if multilabel else proba[:, 1]
    torch.testing.assert_close(targets.criterion()(logits, y), -likelihood.log())
    assert targets.score(logits, y, None) == 0.5
    assert targets.score(logits, y, np.array([3.0, 1.0])) == 0.75


def test_scores_need_an_indicator_matrix_of_the_same_values(classifier, rng):
    X, y = rng.normal(size=(20, 4)), rng.integers(0, 2, size=(20, 3))
    classifier.fit(X, y)
    with pytest.raises(ValueError, match="expected 0 and 1"):
        classifier.score(X, 2 * y - 1)


# ------------------------------------------------------------------ numbers alone


def test_numbers_are_standardized_over_the_rows_that_take_part(regressor):
    y = check_numbers([1.0, 3.0, 5.0, 100.0], regressor)
    targets = NumberTargets.fit(y, ALL[:3], None)
    assert targets.mean.tolist() == [3] and targets.n_outputs == 1
    encoded = targets.encode(y, ALL, "float32")
    assert encoded.dtype == torch.float32 and encoded.shape == (4, 1)
    assert encoded[:3].mean() == 0
    assert encoded[:3].std(correction=0).item() == pytest.approx(1)
    np.testing.assert_allclose(targets.decode(encoded.numpy()), y)
    assert targets.strata(encoded) is None


def test_weights_count_in_mean_and_spread():
    y = np.array([[0.0, 5.0], [1.0, 5.0], [9.0, 9.0]])
    targets = NumberTargets.fit(y, np.arange(2), np.array([3.0, 1.0, 7.0]))
    np.testing.assert_allclose(targets.mean, [0.25, 5])
    np.testing.assert_allclose(targets.scale, [np.sqrt(3) / 4, 1])


@pytest.mark.parametrize("value", [0.1, -1 / 3, 1e300, 1e-170, 0.0])
@pytest.mark.parametrize("weights", [None, np.linspace(0.1, 1, 70)], ids=["", "w"])
def test_a_constant_target_has_scale_one(value, weights):
    y = np.full(70, value)
    targets = NumberTargets.fit(y, np.arange(70), weights)
    assert targets.mean.tolist() == [value] and targets.scale.tolist() == [1.0]
    y[::7] = np.nextafter(value, np.inf)
    targets = NumberTargets.fit(y, np.arange(70), weights)
    assert targets.scale.tolist() == [1.0] or value == 0


def test_a_large_mean_leaves_a_small_spread():
    y = 1e9 + np.arange(4.0)
    np.testing.assert_allclose(NumberTargets.fit(y, ALL, None).scale, np.std(y))


def test_partial_fit_continues_from_a_constant_batch(regressor, sums):
    X, y = sums
    regressor.partial_fit(X, np.full(len(y), 0.1))
    for _ in range(20):
        regressor.partial_fit(X, y)
    assert regressor.score(X, y) > 0.5


def test_several_outputs_keep_their_axis():
    y = np.arange(8.0).reshape(4, 2)
    targets = NumberTargets.fit(y, ALL, None)
    encoded = targets.encode(y, ALL, "float64")
    np.testing.assert_allclose(targets.decode(encoded.numpy()), y)
    one = NumberTargets.fit(y[:, 0], ALL, None)
    assert one.decode(encoded[:, :1].numpy()).shape == (4,)


@pytest.mark.parametrize("unit", [1e-200, 1.0, 1e300])
def test_scales_neither_overflow_nor_vanish(unit):
    columns = unit * np.array([[-1.0, 0.0], [1.0, 0.0]])
    np.testing.assert_allclose(compute_column_scales(columns, None), [unit, 1])


def test_log_probabilities_are_finite_where_probabilities_are_0():
    outputs = np.array([[1000.0, -1000.0]], dtype=np.float32)
    for multilabel, expected in ((False, [[0, -2000]]), (True, [[0, -1000]])):
        targets = LabelTargets(np.arange(2), multilabel)
        np.testing.assert_array_equal(targets.log_probabilities(outputs), expected)


def test_a_prediction_that_its_type_cannot_hold_is_an_error():
    targets = NumberTargets.fit(np.array([-1.5e308, 1.5e308]), np.arange(2), None)
    assert np.isfinite(targets.decode(np.ones((1, 1)))).all()
    with pytest.raises(ValueError, match="a prediction is too large for float64"):
        targets.decode(np.full((1, 1), 10.0))


@pytest.mark.parametrize("unit", [1e-300, 1e-200, 1.0, 1e200, 1e300])
def test_r2_depends_on_no_unit(unit, rng):
    y = rng.normal(size=(20, 2))
    predictions = y + rng.normal(size=(20, 2))
    weights = rng.random(20)
    expected = r2_score(y, predictions, sample_weight=weights)
    found = score_r2(y * [unit, 1], predictions * [unit, 1], weights)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert unit != 1 or found == expected


def test_r2_of_whole_numbers_and_of_other_outputs(rng):
    y, predictions = np.arange(-4, 4, dtype=np.int8), rng.normal(size=8) * 1e9
    assert score_r2(y, predictions) == r2_score(y, predictions)
    with pytest.raises(ValueError, match=r"y has entries of shape \(1,\)"):
        score_r2(y[:, None], predictions)
