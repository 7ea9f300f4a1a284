"""RNNRegressor: targets, several outputs, losses, weights, validation scores."""

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.metrics import r2_score

from sklearn_rnn import RNNRegressor
from sklearn_rnn._core.randomness import SPLIT, numpy_generator
from sklearn_rnn._training.holdout import draw_holdout


@pytest.fixture
def model():
    return RNNRegressor("gru", 12, max_epochs=30, random_state=0)


def test_a_sum_is_learned_from_sequences_of_any_length(model, sums):
    X, y = sums
    model.set_params(max_epochs=60).fit(X[:120], y[:120])
    assert model.score(X[120:], y[120:]) > 0.8


def test_several_outputs_are_learned_together(model, sums):
    X, y = sums
    both = np.stack([y, 1000 + 100 * np.array([x[-1] for x in X])], axis=1)
    model.set_params(max_epochs=60).fit(X[:120], both[:120])
    predicted = model.predict(X[120:])
    assert predicted.shape == (40, 2)
    assert (r2_score(both[120:], predicted, multioutput="raw_values") > 0.7).all()


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])
def test_every_loss_learns(model, sums, loss):
    X, y = sums
    assert model.set_params(loss=loss, max_epochs=50).fit(X, y).score(X, y) > 0.8


def test_absolute_error_finds_the_median_of_a_skewed_target(rng):
    X = np.zeros((400, 2))
    y = rng.exponential(size=400)
    common = {"max_epochs": 60, "weight_decay": 0.0, "random_state": 0}
    squared = RNNRegressor("rnn", 4, **common).fit(X, y).predict(X[:1])[0]
    absolute = RNNRegressor("rnn", 4, loss="absolute_error", **common).fit(X, y)
    assert squared == pytest.approx(y.mean(), abs=0.1)
    assert absolute.predict(X[:1])[0] == pytest.approx(np.median(y), abs=0.1)


def test_weights_move_the_answer(rng):
    X = np.zeros((100, 2))
    y = np.repeat([0.0, 1.0], 50)
    model = RNNRegressor("rnn", 4, max_epochs=60, weight_decay=0.0, random_state=0)
    model.fit(X, y, sample_weight=np.where(y == 1, 3.0, 1.0))
    assert model.predict(X[:1])[0] == pytest.approx(0.75, abs=0.05)


def test_validation_scores_are_r2_in_the_unit_of_the_target(model, sums):
    X, y = sums
    model.set_params(early_stopping=True, validation_fraction=0.25).fit(X, 50 * y)
    held = draw_holdout(np.arange(len(y)), 0.25, numpy_generator(0, SPLIT))
    expected = r2_score(50 * y[held], model.predict([X[i] for i in held]))
    assert model.best_validation_score_ == pytest.approx(expected, rel=1e-6)


def test_target_may_be_transformed_outside(model, sums):
    X, y = sums
    logged = TransformedTargetRegressor(model, func=np.log, inverse_func=np.exp)
    assert logged.fit(X, np.exp(y / 4)).predict(X[:5]).min() > 0
