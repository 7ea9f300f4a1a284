"""Class weights are learned from the training rows and used in the loss only."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.metrics import f1_score
from sklearn.utils.class_weight import compute_class_weight

from sklearn_rnn import RNNClassifier
from sklearn_rnn._data.sequences import from_ragged
from sklearn_rnn._training.examples import Examples
from sklearn_rnn.supervised._class_weights import (
    ClassWeightedLoss,
    find_weighted_rows,
    learn_class_weights,
)


@pytest.fixture
def classifier():
    return RNNClassifier("gru", 8, max_epochs=3, random_state=0)


def test_class_weight_moves_the_answers(rng):
    X = rng.normal(size=(200, 4))
    y = (rng.random(200) < 0.2).astype(int)
    common = {"max_epochs": 15, "random_state": 0}
    plain = RNNClassifier("gru", 8, **common).fit(X, y).predict(X).mean()
    balanced = RNNClassifier("gru", 8, class_weight="balanced", **common).fit(X, y)
    heavy = RNNClassifier("gru", 8, class_weight={0: 1, 1: 100}, **common).fit(X, y)
    assert plain < 0.25
    assert 0.25 < balanced.predict(X).mean() < 0.75
    assert heavy.predict(X).mean() > 0.9


def test_class_weight_is_sample_weight_by_class(classifier, table):
    X, y = table
    by_class = clone(classifier).set_params(class_weight={0: 1.0, 1: 3.0}).fit(X, y)
    by_row = clone(classifier).fit(X, y, sample_weight=np.where(y == 1, 3.0, 1.0))
    np.testing.assert_allclose(by_class.predict_proba(X), by_row.predict_proba(X))


def test_labels_of_an_indicator_matrix_have_class_weights(rng):
    X, y = rng.normal(size=(90, 4)), (rng.random((90, 2)) < 0.5).astype(int)
    weights = [{0: 1, 1: 30}, {0: 30, 1: 1}]
    model = RNNClassifier("gru", 4, class_weight=weights, max_epochs=20).fit(X, y)
    plain = RNNClassifier("gru", 4, max_epochs=20).fit(X, y)
    assert not np.allclose(model.predict_proba(X), plain.predict_proba(X))


@pytest.mark.parametrize(
    "weight, message",
    [
        ({0: 1, 1: -0.9}, "negative or not finite"),
        ({0: np.nan, 1: 1}, "negative or not finite"),
        ({0: 0, 1: 0}, "gives all classes of y a weight of 0"),
    ],
    ids=["negative", "nan", "zero"],
)
def test_invalid_class_weights_are_refused(classifier, table, weight, message):
    with pytest.raises(ValueError, match=message):
        classifier.set_params(class_weight=weight).fit(*table)


def test_a_class_of_weight_zero_is_not_learned_from(classifier, table):
    X, y = table
    classifier.set_params(batch_size=64, early_stopping=True, max_epochs=40)
    classifier.set_params(class_weight={0: 0, 1: 2.0}).fit(X, y)
    assert (classifier.predict(X) == 1).all()


def test_balanced_counts_a_row_of_weight_two_as_two_rows(classifier, rng):
    X = rng.normal(size=(60, 4))
    y = (np.arange(60) % 5 == 0).astype(int)
    classifier.set_params(class_weight="balanced", batch_size=200)
    weight = 1 + (np.arange(60) % 10 == 0)
    rows = np.repeat(np.arange(60), weight)
    weighted = clone(classifier).fit(X, y, sample_weight=weight)
    repeated = clone(classifier).fit(X[rows], y[rows])
    np.testing.assert_allclose(
        weighted.predict_proba(X), repeated.predict_proba(X), rtol=1e-6
    )


def test_a_batch_may_lack_a_class_that_has_a_weight(classifier, rng):
    X, y = rng.normal(size=(30, 4)), np.arange(30) % 3
    classifier.set_params(class_weight={1: 5.0})
    classifier.partial_fit(X[y == 2], y[y == 2], classes=[0, 1, 2])
    classifier.partial_fit(X, y)
    classifier.set_params(warm_start=True, early_stopping=True)
    classifier.fit(X[y > 0], y[y > 0], X_val=X[y == 0], y_val=y[y == 0])
    assert classifier.n_iter_ == 5


def test_a_weight_of_a_class_that_is_not_there_is_an_error(classifier, table):
    with pytest.raises(ValueError, match="not in class_weight"):
        classifier.set_params(class_weight={0: 2.0, 7: 1.0}).fit(*table)


@pytest.mark.parametrize("weight", ["balanced", {0: 1, 1: 9}], ids=str)
def test_validation_uses_the_weights_of_the_training_rows(classifier, rng, weight):
    X = rng.normal(size=(90, 5))
    y = (X.sum(axis=1) > 0.8).astype(int)
    X_val, y_val = X[60:], y[60:]
    sample_weight = rng.integers(1, 4, size=30)
    classifier.set_params(class_weight=weight, early_stopping=True, max_epochs=8)
    classifier.fit(
        X[:60], y[:60], X_val=X_val, y_val=y_val, sample_weight_val=sample_weight
    )
    assert classifier.best_validation_score_ == pytest.approx(
        classifier.score(X_val, y_val, sample_weight), abs=1e-12
    )
    by_class = compute_class_weight(weight, classes=np.arange(2), y=y[:60])
    by_class /= by_class[y[:60]].mean()
    losses = -classifier.predict_log_proba(X_val)[np.arange(30), y_val]
    assert min(classifier.net_.history[:, "valid_loss"]) == pytest.approx(
        np.average(losses * by_class[y_val], weights=sample_weight)
    )


def test_each_label_of_an_indicator_matrix_is_balanced_by_itself(rng):
    X = rng.normal(size=(600, 4, 3))
    scores = X.mean(axis=1) + 0.1 * rng.normal(size=(600, 3))
    y = (scores > np.quantile(scores, [0.9, 0.1, 0.8], axis=0).diagonal()).astype(int)
    common = {"max_epochs": 15, "class_weight": "balanced", "random_state": 0}
    model = RNNClassifier("gru", 12, **common).fit(X[:400], y[:400])
    shares = model.predict(X[400:]).mean(axis=0)
    assert f1_score(y[400:], model.predict(X[400:]), average="macro") > 0.75
    plain = RNNClassifier("gru", 12, max_epochs=15, random_state=0)
    plain_shares = plain.fit(X[:400], y[:400]).predict(X[400:]).mean(axis=0)
    assert shares[0] > plain_shares[0] and shares[1] < plain_shares[1]


def test_validation_rows_without_class_weight_are_refused(classifier, table):
    X, y = table
    classifier.set_params(class_weight={0: 0, 1: 1}, early_stopping=True)
    with pytest.raises(ValueError, match="gives all validation rows a weight of 0"):
        classifier.fit(X, y, X_val=X[y == 0], y_val=y[y == 0])


@pytest.mark.parametrize("weight", [{0: 1, 1: 2}, [{0: 1, 1: 2}] * 3], ids=str)
def test_weights_of_labels_have_one_dict_per_label(classifier, rng, weight):
    classifier.set_params(class_weight=weight)
    y = np.array([[0, 1], [1, 1]] * 4)
    with pytest.raises(ValueError, match=r"indicator matrix of 2 labels.*one dict per"):
        classifier.fit(rng.normal(size=(8, 3)), y)
    with pytest.raises(
        ValueError, match=r"list, but y has one label per row.*\[0, 1\]"
    ):
        classifier.set_params(class_weight=[{0: 1}]).fit(np.eye(4), [0, 1, 0, 1])


# ------------------------------------------------------------------ alone


def make_examples(targets, weights=None, rows=None):
    n = len(targets)
    return Examples(
        from_ragged([[0.0]] * n),
        torch.tensor(targets),
        None if weights is None else torch.tensor(weights, dtype=torch.float64),
        np.arange(n) if rows is None else np.array(rows),
    )


def test_balanced_counts_the_weights_of_the_rows_that_train():
    examples = make_examples([0, 0, 0, 1, 1, 1], rows=range(4))
    weights = learn_class_weights("balanced", np.arange(3), examples)
    np.testing.assert_allclose(weights, [2 / 3, 2, 1])
    examples = make_examples([0, 1, 1, 1], [5.0, 1, 1, 0])
    weights = learn_class_weights("balanced", np.arange(2), examples)
    np.testing.assert_allclose(weights, [7 / 10, 7 / 4])


def test_labels_have_a_weight_for_absence_and_presence():
    examples = make_examples([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    weights = learn_class_weights("balanced", np.arange(2), examples)
    np.testing.assert_allclose(weights, [[2 / 3, 2], [1, 1]])
    dicts = [{1: 3}, {0: 5, 1: 7}]
    weights = learn_class_weights(dicts, np.arange(2), examples)
    mean = (3 + 3 * 1 + 4 * 5) / 8
    np.testing.assert_allclose(weights, np.array([[1, 3], [5, 7]]) / mean)


def test_rows_of_classes_without_weight_are_found():
    weights = np.array([0.0, 2.0])
    examples = make_examples([0, 1, 1, 0], [1.0, 1, 0, 1], rows=[3, 1, 0])
    assert find_weighted_rows(weights, examples).tolist() == [1]
    steps = Examples(
        from_ragged([[0.0, 0.0], [0.0]]),
        torch.tensor([0, 1, 0]),
        None,
        np.arange(2),
        np.array([0, 2]),
    )
    assert find_weighted_rows(weights, steps).tolist() == [0]


def test_the_loss_is_multiplied_by_the_weight_of_the_true_class():
    outputs = torch.tensor([[0.5, -1.0], [2.0, 0.0]])
    codes, indicators = torch.tensor([1, 0]), torch.tensor([[0.0, 1.0], [1.0, 1.0]])
    plain = torch.nn.CrossEntropyLoss(reduction="none")
    loss = ClassWeightedLoss(plain, np.array([3.0, 5.0]))(outputs, codes)
    torch.testing.assert_close(loss, plain(outputs, codes) * torch.tensor([5.0, 3.0]))
    assert loss.dtype == outputs.dtype
    plain = torch.nn.BCEWithLogitsLoss(reduction="none")
    by_label = np.array([[2.0, 3.0], [5.0, 7.0]])
    loss = ClassWeightedLoss(plain, by_label)(outputs, indicators)
    factors = torch.tensor([[2.0, 7.0], [3.0, 7.0]])
    torch.testing.assert_close(loss, plain(outputs, indicators) * factors)
