"""WindowSplit has no leaks, for steps and for windows."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

from sklearn_rnn import RNNForecaster, RNNRegressor
from sklearn_rnn.model_selection import SeriesPanel, WindowSplit
from sklearn_rnn.preprocessing import sliding_windows

SERIES = np.sin(np.arange(90) / 4)


@pytest.mark.parametrize("window", [1, 5])
@pytest.mark.parametrize("horizon", [1, 4])
@pytest.mark.parametrize("test_size", [None, 6])
def test_no_target_of_a_fold_is_in_a_window_of_its_training(window, horizon, test_size):
    X, _ = sliding_windows(np.arange(60.0), window, horizon)
    steps = [set(range(i, i + window + horizon)) for i in range(len(X))]
    targets = [set(range(i + window, i + window + horizon)) for i in range(len(X))]
    split = WindowSplit(
        3, window=window, horizon=horizon, test_size=test_size, of="windows"
    )
    judged = []
    for train, test in split.split(X):
        known = set().union(*(steps[i] for i in train))
        asked = set().union(*(targets[i] for i in test))
        assert not known & asked
        one_more = steps[train[-1] + 1]
        assert one_more & asked  # the gap is no wider than needed
        judged.extend(test)
    assert judged == list(range(judged[0], len(X)))


@pytest.mark.parametrize("window", [1, 5])
def test_test_parts_of_steps_begin_with_the_steps_that_are_only_read(window):
    split = WindowSplit(3, window=window, horizon=2, test_size=7)
    folds = list(split.split(np.zeros(50)))
    assert len(folds) == split.get_n_splits() == 3
    begins = [29, 36, 43]
    for (train, test), begin in zip(folds, begins, strict=True):
        assert_array_equal(train, np.arange(begin))
        assert_array_equal(test, np.arange(begin - window, begin + 7))


class Recorder(RNNForecaster):
    """Records where forecasts begin."""

    def fit(self, X, y=None):
        self.trained_, self.fitted_ = len(X), True
        return self

    def score(self, X, y=None):
        assert X[0] == self.trained_ - self.window
        return 0.0


def test_a_forecaster_is_scored_from_the_first_step_after_training():
    scores = cross_val_score(
        Recorder(window=5), np.arange(60), cv=WindowSplit(3, window=5)
    )
    assert_array_equal(scores, [0, 0, 0])


def test_searches_of_forecasters_and_of_regressors_on_windows():
    model = RNNForecaster(
        hidden_size=4, window=8, horizon=2, max_epochs=1, intervals=None, random_state=0
    )
    cv = WindowSplit(2, window=8, horizon=2)
    search = GridSearchCV(model, {"cell": ["rnn", "gru"]}, cv=cv).fit(SERIES)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    train, test = next(iter(cv.split(SERIES)))
    fitted = clone(model).set_params(cell="rnn").fit(SERIES[train])
    assert search.cv_results_["split0_test_score"][0] == fitted.score(SERIES[test])
    X, y = sliding_windows(SERIES, 8, 2)
    regressor = RNNRegressor("gru", 4, max_epochs=1, random_state=0)
    cv = WindowSplit(2, window=8, horizon=2, of="windows")
    assert np.isfinite(cross_val_score(regressor, X, y, cv=cv)).all()


def test_the_repr_shows_the_parameters():
    assert "window=5" in repr(WindowSplit(3, window=5))


@pytest.mark.parametrize(
    "params, n, message",
    [
        ({"window": 0}, 50, "window must be an integer of at least 1, got 0"),
        (
            {"window": 3, "horizon": 0},
            50,
            "horizon must be an integer of at least 1, got 0",
        ),
        (
            {"window": 3, "n_splits": 0},
            50,
            "n_splits must be an integer of at least 1, got 0",
        ),
        (
            {"window": 3, "test_size": 1.5},
            50,
            "test_size must be an integer of at least 1, got 1.5",
        ),
        ({"window": 3, "of": "rows"}, 50, "got 'rows'"),
        ({"window": 3, "horizon": 9, "test_size": 5}, 90, "too few for a forecast"),
    ],
)
def test_invalid_parameters_raise_an_error(params, n, message):
    with pytest.raises(ValueError, match=message):
        list(WindowSplit(**params).split(np.zeros(n)))


@pytest.mark.parametrize(
    "params, needed",
    [
        ({"window": 30}, 36),
        ({"window": 4, "horizon": 3}, 4 + 2 + 6 * 3),
        ({"window": 4, "horizon": 3, "test_size": 5}, 4 + 2 + 5 * 5 + 1),
        ({"window": 30, "of": "windows"}, 6),
        ({"window": 30, "horizon": 3, "of": "windows"}, 2 + 6),
        ({"window": 30, "horizon": 3, "test_size": 5, "of": "windows"}, 2 + 25 + 1),
    ],
)
def test_the_error_names_the_smallest_number_of_samples(params, needed):
    split = WindowSplit(**params)
    folds = list(split.split(np.zeros(needed)))
    assert len(folds) == 5 and all(len(train) for train, _ in folds)
    with pytest.raises(ValueError, match=f"{needed - 1} samples.* needs {needed}"):
        list(split.split(np.zeros(needed - 1)))


def test_the_first_training_part_has_as_many_windows_as_a_test_part():
    for n in range(60, 80):
        train, test = next(WindowSplit(4, window=20, horizon=2).split(np.zeros(n)))
        n_windows = len(train) - 20 - 2 + 1
        assert len(test) - 20 <= n_windows < len(test) - 20 + 5


@pytest.mark.parametrize(
    "X",
    [
        np.zeros((9, 5, 1)),
        [np.zeros(20)] * 9,
        pd.Series([np.zeros(20)] * 9),
        [pd.Series(np.zeros(20))] * 9,
        [[1.0, 2.0]] * 9,
    ],
)
def test_a_list_of_series_raises_an_error(X):
    with pytest.raises(ValueError, match=r"X contains 9 series.* SeriesPanel\(X\)"):
        list(WindowSplit(2, window=1).split(X))


def test_a_panel_is_not_split_as_windows():
    panel = SeriesPanel([SERIES, SERIES])
    with pytest.raises(ValueError, match=r"X is a SeriesPanel.*of=\"steps\""):
        list(WindowSplit(2, window=1, of="windows").split(panel))


# ---------------------------------------------------------------- panels


def forecaster(**params):
    given = {"hidden_size": 4, "window": 8, "max_epochs": 1, "intervals": None}
    return RNNForecaster(**given | {"random_state": 0} | params)


@pytest.mark.parametrize("container", [list, np.stack])
def test_panels_are_split_by_time(container):
    several = [SERIES[:, None], 2 * SERIES[::-1, None]]
    X = container(several)
    cv = WindowSplit(3, window=8, test_size=10)
    scores = cross_val_score(forecaster(), SeriesPanel(X), cv=cv)
    for score, begin in zip(scores, (60, 70, 80), strict=True):
        model = forecaster().fit([x[:begin] for x in several])
        assert score == model.score([x[begin - 8 : begin + 10] for x in several])


def test_no_step_of_a_fold_is_in_its_training():
    """This holds for the training parts of all series, which may be correlated."""
    index = pd.date_range("2020", periods=90, freq="D")
    several = [pd.Series(SERIES, index), pd.Series(SERIES[:60], index[:60])]
    several.append(pd.Series(SERIES[30:], index[30:]))
    panel = SeriesPanel(several)
    for train, test in WindowSplit(3, window=8, horizon=2, test_size=9).split(panel):
        last = max(series.index[-1] for series in panel[train].series)
        for series in panel[test].series:
            judged = series.index[8:] if series.index[0] <= last else series.index
            assert (judged > last).all()
        assert any(len(series) == 17 for series in panel[test].series)


def test_searches_of_panels_pass_exog_and_refit():
    exog = [np.cos(np.arange(n) / 3) for n in (90, 70)]
    with config_context(enable_metadata_routing=True):
        model = forecaster(horizon=2).set_fit_request(exog=True)
        search = GridSearchCV(
            model.set_score_request(exog=True),
            {"cell": ["rnn", "gru"]},
            cv=WindowSplit(2, window=8, horizon=2, test_size=10),
            error_score="raise",
        )
        panel = SeriesPanel([SERIES, SERIES[:70]])
        search.fit(panel, exog=SeriesPanel(exog))
    expected = forecaster(horizon=2).fit(
        [SERIES[:70], SERIES[:50]], exog=[exog[0][:70], exog[1][:50]]
    )
    parts = [slice(62, 80), slice(42, 60)]
    score = expected.score(
        [SERIES[parts[0]], SERIES[parts[1]]],
        exog=[exog[0][parts[0]], exog[1][parts[1]]],
    )
    assert search.cv_results_["split0_test_score"][1] == score
    ahead = [np.zeros(2)] * 2
    assert search.best_estimator_.predict(exog=ahead).shape == (2, 2)


def test_init_stores_parameters_unchanged():
    split = WindowSplit(4, window=3, horizon=2, test_size=5, of="windows")
    assert vars(split) == {
        "n_splits": 4,
        "window": 3,
        "horizon": 2,
        "test_size": 5,
        "of": "windows",
    }
