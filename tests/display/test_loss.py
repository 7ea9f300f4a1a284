"""LossDisplay shows the losses that models recorded in training."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import (
    BoltzmannMachine,
    HopfieldDenoiser,
    RNNClassifier,
    RNNForecaster,
    RNNRegressor,
    SequenceGenerator,
    SequenceTranslator,
    StepwiseTransformer,
)
from sklearn_rnn.display import LossDisplay

X = np.random.default_rng(0).normal(size=(24, 6))
Y = X.sum(axis=1) > 0
FEW = {"hidden_size": 3, "max_epochs": 3, "random_state": 0}
SHORT = {"window": 8, **FEW}
WAVE = np.sin(np.arange(60))


@pytest.fixture(scope="module")
def model():
    return RNNClassifier(
        "gru", early_stopping=True, learning_rate=0.05, **FEW | {"max_epochs": 6}
    ).fit(X, Y)


def legend(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_training_and_validation_curves_and_the_epoch_kept_are_drawn(model):
    display = LossDisplay.from_estimator(model, color="red")
    (line,), (validation,) = display.lines_, display.validation_lines_
    assert_array_equal(line.get_xdata(), np.arange(1, model.n_iter_ + 1))
    assert_array_equal(line.get_ydata(), model.loss_curve_)
    assert_array_equal(validation.get_ydata(), model.validation_loss_curve_)
    assert (line.get_color(), validation.get_linestyle()) == ("red", "--")
    (marker,) = display.best_epoch_lines_
    assert marker.get_xdata()[0] == model.best_epoch_
    assert marker.get_ydata()[0] == min(model.validation_loss_curve_)
    assert legend(display) == ["training", "validation", "weights kept"]
    assert display.ax_.get_xlabel() == "epoch"
    assert display.ax_.get_ylabel() == "cross-entropy (nats)"
    assert display.figure_ is display.ax_.figure


def test_several_models_share_a_figure(model):
    plain = RNNClassifier("gru", **FEW).fit(X, Y)
    ax = plt.figure().gca()
    display = LossDisplay.from_estimators({"$a$": plain, "b": model}, ax=ax)
    assert display.ax_ is ax
    assert legend(display) == [
        *("$a$, training", "b, training", "b, validation", "weights kept")
    ]
    assert display.validation_lines_[0] is display.best_epoch_lines_[0] is None
    assert_array_equal(display.lines_[1].get_ydata(), model.loss_curve_)
    listed = LossDisplay.from_estimators([plain, plain])
    assert legend(listed) == ["RNNClassifier 1, training", "RNNClassifier 2, training"]
    assert legend(LossDisplay.from_estimators([plain])) == ["RNNClassifier, training"]
    named = LossDisplay.from_estimator(plain, name="small")
    assert legend(named) == ["small, training"]


def test_the_network_of_a_pipeline_or_search_is_drawn(model):
    pipeline = make_pipeline(StepwiseTransformer(StandardScaler()), RNNRegressor(**FEW))
    pipeline.fit(X, X.sum(axis=1))
    search = GridSearchCV(pipeline, {"rnnregressor__hidden_size": [2]}, cv=2)
    search.fit(X, X.sum(axis=1))
    display = LossDisplay.from_estimators({"pipeline": pipeline, "search": search})
    best = search.best_estimator_[-1]
    assert_array_equal(display.lines_[0].get_ydata(), pipeline[-1].loss_curve_)
    assert_array_equal(display.lines_[1].get_ydata(), best.loss_curve_)
    assert display.ax_.get_ylabel() == "mean squared error (scaled values)"


@pytest.mark.parametrize(
    ("estimator", "data", "ylabel"),
    [
        (
            RNNForecaster(**FEW, window=8, intervals=None, loss="huber"),
            [np.arange(40.0)],
            "Hub",
        ),
        (
            RNNForecaster(**FEW, window=8, intervals="quantile"),
            [np.arange(40.0)],
            "pinball loss",
        ),
        (
            SequenceGenerator(early_stopping=True, **FEW),
            [["abc", "abd"] * 4],
            r"cross-.*\(nats per token\)",
        ),
        (
            SequenceTranslator(early_stopping=True, stop_on="accuracy", **FEW),
            (["ab", "b"] * 6, ["ba", "a"] * 6),
            "error rate",
        ),
        (BoltzmannMachine(2, max_epochs=3), [X > 0], "pseudo-likelihood"),
        (BoltzmannMachine(2, visible="gaussian", max_epochs=3), [X], "reconstruction"),
        (MLPClassifier(2, max_iter=1000, tol=1), (X, Y), "^loss$"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_model_with_losses_is_drawn_with_their_unit(estimator, data, ylabel):
    estimator.fit(*data)
    display = LossDisplay.from_estimator(estimator)
    assert_array_equal(display.lines_[0].get_ydata(), estimator.loss_curve_)
    assert len(estimator.loss_curve_) == estimator.n_iter_
    if not isinstance(estimator, MLPClassifier):
        losses = estimator.loss_curve_ + (estimator.validation_loss_curve_ or [])
        assert {type(loss) for loss in losses} == {float}  # no numpy numbers
    assert re.search(ylabel, display.ax_.get_ylabel())


def test_models_with_different_losses_have_a_plain_label(model):
    machine = BoltzmannMachine(2, max_epochs=3, random_state=0).fit(X > 0)
    display = LossDisplay.from_estimators({"network": model, "machine": machine})
    assert display.ax_.get_ylabel() == "loss"


def test_a_single_epoch_is_a_marker_at_an_integer():
    fitted = RNNClassifier("gru", **FEW | {"max_epochs": 1}).fit(X, Y)
    display = LossDisplay.from_estimator(fitted)
    assert display.lines_[0].get_marker() == "o"
    low, high = display.ax_.get_xlim()
    assert [x for x in display.ax_.get_xticks() if low <= x <= high] == [1]


def test_epochs_without_a_validation_loss_are_left_out():
    model = RNNClassifier("gru", warm_start=True, **FEW).fit(X, Y)
    model.set_params(early_stopping=True).fit(X, Y)
    display = LossDisplay.from_estimator(model)
    drawn = display.validation_lines_[0].get_ydata()
    assert_array_equal(np.isnan(drawn), [True] * 3 + [False] * 3)
    assert display.best_epoch_lines_[0].get_xdata()[0] == model.best_epoch_ > 3


def test_estimators_without_losses_are_refused(model):
    with pytest.raises(NotFittedError):
        LossDisplay.from_estimator(RNNClassifier())
    memory = HopfieldDenoiser().fit(np.sign(X[:1]))
    with pytest.raises(TypeError, match="HopfieldDenoiser records no losses"):
        LossDisplay.from_estimator(memory)
    with pytest.raises(TypeError, match=r"got RNNClassifier.*Use from_estimator"):
        LossDisplay.from_estimators(model)
    with pytest.raises(TypeError, match=r"got list\. Use from_estimators"):
        LossDisplay.from_estimator([model])
    with pytest.raises(ValueError, match="estimators is empty"):
        LossDisplay.from_estimators({})
    for losses in ([1.0, 0.5], []):
        with pytest.raises(ValueError, match="one list of numbers per model"):
            LossDisplay(losses).plot()
    with pytest.raises(ValueError, match=r"names has 2 entries.* 1 models"):
        LossDisplay([[1.0]], names=["a", "b"]).plot()


@pytest.mark.parametrize("best", [0, 3, 2])
def test_best_epochs_without_a_validation_loss_are_refused(best):
    display = LossDisplay(
        [[0.7, 0.5]], validation_losses=[[0.8, np.nan]], best_epochs=[best]
    )
    with pytest.raises(ValueError, match=f"best epoch {best} has no validation loss"):
        display.plot()


def test_the_legend_of_many_curves_stands_outside_the_axes(model):
    few = LossDisplay.from_estimators([model, model])
    many = LossDisplay.from_estimators({f"model {k}": model for k in range(6)})
    for display, is_outside in ((few, False), (many, True)):
        display.figure_.canvas.draw()
        legend, axes = display.ax_.get_legend(), display.ax_.get_window_extent()
        assert (legend.get_window_extent().x0 >= axes.x1) == is_outside
    ax = plt.figure().gca()
    mine = LossDisplay.from_estimators([model] * 6, ax=ax)
    mine.figure_.canvas.draw()
    assert ax.get_legend().get_window_extent().x0 < ax.get_window_extent().x1


def test_curves_with_another_loss_in_the_same_axes_have_a_plain_label(model):
    ax = plt.figure().gca()
    LossDisplay.from_estimator(model, ax=ax)
    LossDisplay.from_estimator(model, ax=ax)
    assert ax.get_ylabel() == "cross-entropy (nats)"
    machine = BoltzmannMachine(2, max_epochs=1, random_state=0).fit(X > 0)
    LossDisplay.from_estimator(machine, ax=ax)
    assert ax.get_ylabel() == "loss"
