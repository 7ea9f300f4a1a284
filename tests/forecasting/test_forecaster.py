"""RNNForecaster: shapes, recursion with state, intervals, missing values, exog."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from series_encodings import read
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator_cloneable
from skorch.callbacks import Callback

from sklearn_rnn import RNNForecaster, SeasonalNaiveForecaster
from sklearn_rnn.forecasting._skill import measure_shrinkage, set_shrinkage
from sklearn_rnn.forecasting._windows import HeldOut

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn_rnn.forecasting._skill.ForecastSkillWarning"
)

RNG = np.random.default_rng(0)
T = np.arange(160)
WAVE = np.sin(T / 4)
NOISY = WAVE + 0.1 * RNG.normal(size=160)
TWO = np.column_stack([NOISY, np.cos(T / 7)])
SEVERAL = [np.sin(np.arange(n) / 4 + n)[:, None] for n in (30, 30, 41, 50)]


def forecaster(**params):
    given = {"hidden_size": 8, "window": 12, "max_epochs": 4, "batch_size": 16}
    given |= {"intervals": None, "random_state": 0, "baseline": None}
    return RNNForecaster(**given | params)


# ---------------------------------------------------------------- shapes


@pytest.mark.parametrize(
    "X, shape",
    [
        (NOISY, (7,)),
        (NOISY.tolist(), (7,)),
        (NOISY[:, None], (7, 1)),
        (TWO, (7, 2)),
        ([NOISY, WAVE[:50]], (2, 7)),
        ([TWO, TWO[:50]], (2, 7, 2)),
        (np.stack([TWO, TWO]), (2, 7, 2)),
    ],
)
@pytest.mark.parametrize("horizon", [1, 3])
def test_forecasts_have_the_axes_of_x(X, shape, horizon):
    model = forecaster(max_epochs=1, horizon=horizon).fit(X)
    assert model.predict(horizon=7).shape == shape
    assert model.predict(X, horizon=7).shape == shape
    assert model.predict().shape == (
        *shape[: shape.index(7)],
        horizon,
        *shape[shape.index(7) + 1 :],
    )
    assert model.n_features_in_ == (2 if shape[-1] == 2 and 7 in shape[:-1] else 1)


def test_a_series_is_learned_and_continued():
    model = forecaster(hidden_size=16, max_epochs=60, horizon=8).fit(WAVE[:130])
    assert np.abs(model.predict(horizon=16) - WAVE[130:146]).mean() < 0.1


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_every_cell_and_target_runs(cell):
    for target in ("all", "last"):
        model = forecaster(cell=cell, target=target, num_layers=2).fit(NOISY)
        assert np.isfinite(model.predict(horizon=5)).all()


def test_a_custom_cell_and_bfloat16():
    class Cell(torch.nn.Module):
        def __init__(self, n_inputs, n_units):
            super().__init__()
            self.gru = torch.nn.GRU(n_inputs, n_units, batch_first=True)

        def forward(self, x, state):
            return self.gru(x, state)

    assert np.isfinite(forecaster(cell=Cell).fit(NOISY).predict(horizon=3)).all()
    model = forecaster(precision="bfloat16").fit(NOISY)
    assert np.isfinite(model.predict(horizon=3)).all()


# ---------------------------------------------------------------- recursion


def reference(model, series, horizon):
    """Forecast with the module, which reads the whole past for each block."""
    encoding, values = model._encoding, list(series)
    while len(values) < len(series) + horizon:
        past = np.array(values)[:, None]
        baseline = encoding.baseline
        x = past[baseline.lag :] - past[: len(past) - baseline.lag]
        x = ((x if baseline.lag else past) - baseline.mean) / baseline.scale
        inputs = torch.from_numpy(x[:, None])
        with torch.inference_mode():
            outputs = model.module_.head(model.module_.stack(inputs)[0][-1]).numpy()
        steps = outputs[0].astype(float)
        if baseline.residual:
            steps = steps + x[-1, 0]
        steps = steps * baseline.scale[0] + baseline.mean[0]
        for step in steps:
            values.append(step + (values[-encoding.lag] if encoding.lag else 0))
    return np.array(values[len(series) :][:horizon])


@pytest.mark.parametrize("horizon", [1, 3])
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"differencing": 1},
        {"differencing": 5},
        {"residual": True},
        {"differencing": 2, "residual": True},
        {"scaling": False},
        {"target": "last"},
        {"num_layers": 2, "cell": "lstm"},
    ],
)
def test_forecasts_are_fed_back(params, horizon):
    model = forecaster(horizon=horizon, **params).fit(NOISY)
    expected = reference(model, NOISY, 8)
    assert_allclose(model.predict(horizon=8), expected, rtol=1e-9)
    assert_allclose(
        model.predict(NOISY[:90], horizon=8), reference(model, NOISY[:90], 8), rtol=1e-9
    )


def test_the_past_of_fit_is_the_default():
    model = forecaster(differencing=3).fit(NOISY)
    assert_allclose(model.predict(horizon=9), model.predict(NOISY, horizon=9))
    assert_array_equal(model.predict(horizon=9)[:4], model.predict(horizon=4))


@pytest.mark.parametrize("params", [{}, {"differencing": 4}, {"horizon": 3}])
def test_update_equals_reading_the_longer_series(params):
    model = forecaster(**params).fit(NOISY[:100])
    weights = [p.clone() for p in model.module_.parameters()]
    model.update(NOISY[100:103]).update(NOISY[103:130])
    assert_allclose(
        model.predict(horizon=6), model.predict(NOISY[:130], horizon=6), rtol=1e-9
    )
    for before, after in zip(weights, model.module_.parameters(), strict=True):
        assert torch.equal(before, after)


def test_series_of_different_lengths_are_forecast_independently():
    model = forecaster().fit(SEVERAL)
    together = model.predict(SEVERAL, horizon=5)
    assert_allclose(model.predict(horizon=5), together, rtol=1e-9)
    for one, series in zip(together, SEVERAL, strict=True):
        assert_allclose(model.predict(series, horizon=5), one, rtol=1e-7)
    model.update([s[-3:] for s in SEVERAL])
    longer = [np.concatenate([s, s[-3:]]) for s in SEVERAL]
    assert_allclose(
        model.predict(horizon=5), model.predict(longer, horizon=5), rtol=1e-7
    )


def test_prediction_changes_nothing():
    model = forecaster(intervals="conformal").fit(NOISY)
    before = pickle.dumps(model)
    model.predict(horizon=5)
    model.predict(NOISY, horizon=5)
    model.predict_interval(horizon=3, coverage=0.5)
    model.sample_paths(horizon=3, random_state=0)
    model.score(NOISY)
    assert pickle.dumps(model) == before


# ---------------------------------------------------------------- windows


def test_forecasts_are_equivariant_to_unit_and_offset():
    plain = forecaster().fit(NOISY).predict(horizon=5)
    far = forecaster().fit(1e4 * NOISY + 3e6).predict(horizon=5)
    assert_allclose((far - 3e6) / 1e4, plain, rtol=1e-6, atol=1e-6)


def test_float32_series_are_computed_in_float32():
    model = forecaster().fit(NOISY.astype(np.float32))
    assert next(model.module_.parameters()).dtype == torch.float32
    assert next(forecaster().fit(NOISY).module_.parameters()).dtype == torch.float64


# ---------------------------------------------------------------- early stopping


@pytest.mark.parametrize("target", ["all", "last"])
def test_the_latest_steps_validate(target):
    model = forecaster(early_stopping=True, validation_fraction=0.2, target=target)
    model.fit(NOISY)
    other = NOISY.copy()
    other[-20:] = 0
    trained = clone(model).set_params(scaling=False, max_epochs=1).fit(NOISY)
    changed = clone(model).set_params(scaling=False, max_epochs=1).fit(other)
    assert trained.loss_curve_ == changed.loss_curve_
    assert trained.validation_scores_ != changed.validation_scores_
    assert len(model.validation_scores_) == model.n_iter_


def test_the_validation_score_is_minus_the_error_of_the_steps_held_out():
    model = forecaster(
        early_stopping=True, validation_fraction=0.2, target="last", max_epochs=1
    ).fit(NOISY)
    errors = []
    for t in range(128, 160):
        answer = model.predict(NOISY[t - 12 : t], horizon=1)[0]
        errors.append(abs(answer - NOISY[t]) / model._encoding.baseline.scale[0])
    assert_allclose(model.validation_scores_[0], -np.mean(errors), rtol=1e-6)


def test_whole_series_validate_if_there_are_several():
    model = forecaster(early_stopping=True, validation_fraction=0.3).fit(SEVERAL)
    assert model.best_validation_score_ < 0


# ---------------------------------------------------------------- missing values


def test_missing_values_are_not_targets_and_are_read_as_the_last_value():
    gaps = NOISY.copy()
    gaps[[0, 40, 41, 90]] = np.nan
    model = forecaster().fit(gaps)
    assert np.isfinite(model.predict(horizon=4)).all()
    assert np.isfinite(model.loss_curve_).all()
    plain = forecaster().fit(NOISY)
    held = NOISY[:60].copy()
    held[50] = held[49]
    missing = held.copy()
    missing[50] = np.nan
    assert_array_equal(
        plain.predict(missing, horizon=3), plain.predict(held, horizon=3)
    )


def test_missing_truth_is_not_scored():
    model = forecaster().fit(NOISY)
    gaps = NOISY[:40].copy()
    gaps[39] = np.nan
    assert_allclose(model.score(gaps), model.score(NOISY[:39]))


# ---------------------------------------------------------------- exog


def test_exogenous_variables_are_used():
    e = RNG.normal(size=300)
    X = np.r_[0, 2 * e[1:]]  # known only through exog
    model = forecaster(hidden_size=16, max_epochs=30).fit(X[:250], exog=e[:250])
    answers = model.predict(horizon=50, exog=e[250:])
    assert np.abs(answers - X[250:]).mean() < 0.3
    assert_allclose(model.predict(X[:250], horizon=50, exog=e), answers, rtol=1e-9)
    assert model.score(X[200:], exog=e[200:]) > -0.3
    model.update(X[250:270], exog=e[250:270])
    assert_allclose(
        model.predict(horizon=5, exog=e[270:275]),
        model.predict(X[:270], horizon=5, exog=e[:275]),
        rtol=1e-9,
    )


@pytest.mark.parametrize("horizon", [1, 4])
def test_the_score_is_minus_the_error_from_rolling_origins(horizon):
    model = forecaster(horizon=horizon).fit(NOISY)
    X, errors = NOISY[100:], []
    for origin in range(12, 60 - horizon + 1):
        answer = model.predict(X[:origin], horizon=horizon)
        errors.append(np.abs(answer - X[origin : origin + horizon]))
    assert_allclose(model.score(X), -np.mean(errors), rtol=1e-9)


# ---------------------------------------------------------------- intervals


@pytest.mark.parametrize("several", [False, True])
def test_conformal_intervals_have_the_nominal_coverage(several):
    rng = np.random.default_rng(1)
    noise = rng.normal(size=1200)
    X = np.sin(np.arange(1200) / 4) + noise
    given = list(X[:800].reshape(20, 40)) if several else X[:800]
    model = forecaster(intervals="conformal", scaling="global").fit(given)
    hits = []
    for t in range(850, 1150, 5):
        band = model.predict_interval(X[t - 40 : t], horizon=4, coverage=0.8)
        assert (band.lower < band.prediction).all()
        hits.append((X[t : t + 4] >= band.lower) & (X[t : t + 4] <= band.upper))
    assert 0.7 < np.mean(hits) < 0.9


def test_learned_quantiles_have_the_nominal_coverage():
    rng = np.random.default_rng(1)
    X = rng.normal(size=1500)
    model = forecaster(
        intervals="quantile", quantiles=(0.1, 0.5, 0.9), horizon=2, max_epochs=10
    ).fit(X[:1000])
    hits = []
    for t in range(1050, 1490, 4):
        band = model.predict_interval(X[t - 40 : t], coverage=0.8)
        hits.append((X[t : t + 2] >= band.lower) & (X[t : t + 2] <= band.upper))
    assert 0.7 < np.mean(hits) < 0.9
    far = model.predict_interval(X[:100], horizon=6, coverage=0.8)
    assert (far.lower < far.upper).all()
    assert far.lower.shape == (6,)


def test_the_median_of_quantiles_is_predicted():
    model = forecaster(intervals="quantile", max_epochs=1).fit(NOISY)
    band = model.predict_interval(coverage=0.95)
    assert_array_equal(model.predict(), band.prediction)
    assert band.lower < band.prediction < band.upper


@pytest.mark.parametrize("intervals", ["conformal", "quantile"])
def test_paths_scatter_about_the_forecast_and_are_seeded(intervals):
    model = forecaster(intervals=intervals).fit(NOISY)
    paths = model.sample_paths(horizon=5, n_paths=400, random_state=0)
    assert paths.shape == (400, 5)
    assert_array_equal(
        paths, model.sample_paths(horizon=5, n_paths=400, random_state=0)
    )
    assert (paths.std(axis=0) > 0).all()
    low, high = np.quantile(paths[:, 0], [0.2, 0.8])
    assert low < model.predict()[0] < high
    both = forecaster(intervals=intervals).fit([TWO, TWO[:80]])
    assert both.sample_paths(horizon=5, n_paths=3, random_state=0).shape == (3, 2, 5, 2)


@pytest.mark.parametrize("n_channels", [1, 2])
def test_paths_can_be_sampled_if_no_block_of_errors_is_complete(n_channels):
    z = np.random.default_rng(0).normal(size=(300, n_channels))
    for channel in range(n_channels):
        z[2 * channel :: 5, channel] = np.nan
    model = forecaster(intervals="conformal", horizon=12).fit(z)
    paths = model.sample_paths(n_paths=500, random_state=0)
    assert_allclose(paths.std(axis=0), 1, rtol=0.4)
    band = model.predict_interval(coverage=0.9)
    assert_allclose((band.upper - band.lower) / 2, 1.645, rtol=0.4)


def test_paths_from_the_median_alone_raise_an_error():
    model = forecaster(intervals="quantile", quantiles=(0.5,)).fit(NOISY)
    assert model.predict(horizon=3).shape == (3,)
    for ask in (model.sample_paths, lambda: model.predict_interval(horizon=3)):
        with pytest.raises(ValueError, match=r"Set quantiles=\(0.1, 0.5, 0.9\)"):
            ask()


@pytest.mark.parametrize("intervals", ["conformal", "quantile"])
def test_paths_of_a_random_walk_spread_like_it(intervals):
    walk = np.random.default_rng(0).normal(size=1500).cumsum()
    model = forecaster(
        intervals=intervals, hidden_size=4, horizon=6, residual=True, batch_size=64
    ).fit(walk)
    paths = model.sample_paths(horizon=12, n_paths=2000, random_state=0)
    assert_allclose(np.diff(paths, axis=1).std(axis=0), 1, rtol=0.25)
    assert_allclose(paths.std(axis=0), np.sqrt(np.arange(1, 13)), rtol=0.3)


# ---------------------------------------------------------------- bounds


@pytest.mark.parametrize("intervals", ["conformal", "quantile"])
@pytest.mark.parametrize("params", [{}, {"differencing": 3}, {"horizon": 3}])
def test_forecasts_intervals_and_paths_stay_in_their_bounds(intervals, params):
    counts = np.random.default_rng(0).poisson(0.4, size=200).astype(float)
    model = forecaster(intervals=intervals, bounds=(0, 3.5), **params)
    model.fit(counts.clip(max=3))
    band = model.predict_interval(horizon=9, coverage=0.95)
    paths = model.sample_paths(horizon=9, n_paths=200, random_state=0)
    for values in (*band.values(), paths):
        assert values.min() >= 0
        assert values.max() <= 3.5
    assert band.lower.min() == paths.min() == 0
    free = clone(model).set_params(bounds=None).fit(counts.clip(max=3))
    assert free.predict_interval(horizon=9, coverage=0.95).lower.min() < 0


def test_streams_forecast_within_the_bounds():
    falling = 100 - np.arange(100.0)
    model = forecaster(differencing=1, bounds=(0, None), horizon=3).fit(falling)
    stream = model.stream()
    for value in falling:
        block = stream.predict(value)
    assert_array_equal(block[0, 1:], [0, 0])
    assert_allclose(block[0], model.predict(), atol=1e-12)


def test_values_out_of_bounds_raise_an_error():
    model = forecaster(max_epochs=1, bounds=(0, None)).fit(NOISY + 5)
    bad = NOISY + 5
    bad[[30, 40]] = -2, -3
    message = r"X has the value -2.0 at step 30, .* outside bounds=\(0.0, inf\)"
    for ask in (model.fit, model.predict, model.update, model.score):
        with pytest.raises(ValueError, match=message):
            ask(bad)
    with pytest.raises(ValueError, match=r"series 1 of X has the value -2\.0 at"):
        model.predict([NOISY + 5, bad])
    stream = model.stream()
    with pytest.raises(ValueError, match=r"value -2.0.* outside bounds=\(0.0, inf\)"):
        stream.predict(-2.0)
    bad[[30, 40]] = np.nan
    model.predict(bad)


@pytest.mark.parametrize(
    "bounds", [(0,), (0, 1, 2), (1, 1), (2, 1), ("0", 1), (np.nan, 1), (None, True)]
)
def test_bounds_that_are_not_two_increasing_numbers_raise_an_error(bounds):
    with pytest.raises(ValueError, match="bounds must"):
        forecaster(bounds=bounds).fit(NOISY)


def test_parameters_set_after_fit_do_not_change_forecasts():
    for intervals in ("conformal", "quantile"):
        model = forecaster(intervals=intervals).fit(NOISY)
        before = model.predict_interval(horizon=3), model.score(NOISY)
        model.set_params(
            intervals=None,
            window=40,
            horizon=7,
            target="last",
            differencing=2,
            bounds=(5, 6),
        )
        after = model.predict_interval(horizon=3)
        assert_array_equal(after.lower, before[0].lower)
        assert model.score(NOISY) == before[1]
        assert model.predict().shape == (1,)
    model.set_params(window=12, bounds=None).fit(NOISY)
    with pytest.raises(ValueError, match="intervals=None"):
        model.predict_interval()


def test_callbacks_are_called_for_one_training_only():
    epochs = []

    class Counter(Callback):
        def on_epoch_end(self, net, **kwargs):
            epochs.append(len(net.history))

    forecaster(intervals="conformal", callbacks=[Counter()]).fit(NOISY)
    assert epochs == [1, 2, 3, 4]


# ---------------------------------------------------------------- pandas


def test_forecasts_continue_the_index():
    index = pd.date_range("2020-01-31", periods=160, freq="ME", name="month")
    series = pd.Series(NOISY, index=index, name="load")
    model = forecaster().fit(series)
    answer = model.predict(horizon=3)
    assert answer.index.equals(pd.date_range("2033-05-31", periods=3, freq="ME"))
    assert (answer.name, answer.index.name) == ("load", "month")
    later = pd.Series([0.0, 1.0], index=model.predict(horizon=2).index)
    again = model.update(later).predict(horizon=2)
    assert again.index[0] == pd.Timestamp("2033-07-31")
    frame = pd.DataFrame(TWO, index=index, columns=["a", "b"])
    answer = (
        forecaster(intervals="conformal")
        .fit(frame)
        .predict_interval(horizon=2, coverage=0.5)
    )
    assert answer.lower.columns.tolist() == ["a", "b"]
    assert answer.upper.index[0] == pd.Timestamp("2033-05-31")
    assert_array_equal(
        forecaster().fit(frame).predict(horizon=2).to_numpy(),
        forecaster().fit(TWO).predict(horizon=2),
    )


def test_columns_of_several_frames_are_checked():
    frames = [pd.DataFrame(TWO + k, columns=["a", "b"]) for k in range(3)]
    swapped = [frame[["b", "a"]] for frame in frames]
    model = forecaster(max_epochs=1).fit(frames)
    assert model.feature_names_in_.tolist() == ["a", "b"]
    for refuses in (model.predict, model.update):
        with pytest.raises(ValueError, match="same order as they were in fit"):
            refuses(swapped)
    with pytest.raises(ValueError, match="series 2 of X has the columns"):
        model.fit([*frames[:2], swapped[2]])
    model.predict([frame.to_numpy() for frame in frames])


def test_other_columns_than_in_fit_raise_an_error():
    frame = pd.DataFrame(TWO, columns=["a", "b"])
    model = forecaster(max_epochs=1).fit(frame)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame.rename(columns={"b": "c"}))


def make_dated(lengths):
    """Series of these lengths that begin on successive months."""
    return [
        pd.Series(
            NOISY[:n],
            index=pd.date_range(f"2000-{k + 1:02}-28", periods=n, freq="ME"),
            name=f"series {k}",
        )
        for k, n in enumerate(lengths)
    ]


@pytest.mark.parametrize("method", ["predict", "predict_interval"])
def test_forecasts_continue_the_index_of_each_series(method):
    several = make_dated([60, 45])
    model = forecaster(intervals="quantile").fit(several)

    def ask(X=None):
        answer = getattr(model, method)(X, horizon=2)
        return answer if method == "predict" else answer.lower

    arrays = ask([s.to_numpy() for s in several])
    assert arrays.shape == (2, 2)
    for given in (None, several):
        answers = ask(given)
        assert [a.name for a in answers] == ["series 0", "series 1"]
        assert [str(a.index[0].date()) for a in answers] == ["2005-01-31", "2003-11-30"]
        assert_allclose(answers, arrays, rtol=1e-9)
    model.update([pd.Series([0.0], index=a.index[:1]) for a in ask()])
    assert [str(a.index[0].date()) for a in ask()] == ["2005-02-28", "2003-12-31"]
    frames = [pd.DataFrame(TWO[:n], columns=["a", "b"]) for n in (40, 30)]
    answers = forecaster(max_epochs=1).fit(frames).predict(horizon=3)
    assert answers[1].columns.tolist() == ["a", "b"]
    assert answers[1].index.tolist() == [30, 31, 32]


def test_an_update_that_does_not_continue_each_index_raises_an_error():
    several = make_dated([60, 45])
    model = forecaster(max_epochs=1).fit(several)
    before = model.predict(horizon=2)
    right = pd.Series([0.0], index=[several[0].index[-1] + pd.offsets.MonthEnd()])
    late = pd.Series([0.0], index=[several[1].index[-1] + 3 * pd.offsets.MonthEnd()])
    message = r"series 1 of X begins at 2004-01-31 .* step is 2003-11-30"
    with pytest.raises(ValueError, match=message):
        model.update([right, late])
    gap = pd.Series([0.0, 1.0], index=model.predict(horizon=3)[1].index[[0, 2]])
    with pytest.raises(ValueError, match=r"series 1 of X has 2004-01-31 .* after 2003"):
        model.update([right, gap])
    for old, new in zip(before, model.predict(horizon=2), strict=True):
        pd.testing.assert_series_equal(old, new)


@pytest.mark.parametrize("n", [1, 2])
def test_a_short_past_has_the_frequency_of_fit(n):
    (series,) = make_dated([60])
    model = forecaster(max_epochs=1).fit(series)
    plain = series[-n:].set_axis(pd.DatetimeIndex(series.index[-n:].to_numpy()))
    answer = model.predict(plain, horizon=3)
    assert answer.index.equals(model.predict(horizon=3).index)
    coming = model.predict(horizon=n + 1).index
    later = pd.Series(np.zeros(n), index=coming[:n].to_numpy())
    assert model.update(later).predict().index[0] == coming[n]


# ---------------------------------------------------------------- padding


@pytest.mark.parametrize("exog", [False, True])
def test_a_padded_array_is_read_like_a_list(exog):
    rng = np.random.default_rng(0)
    given = [TWO[:60], TWO[20:70], TWO[:33]]
    given[1] = given[1].copy()
    given[1][[4, 49], [0, 1]] = np.nan  # missing values, one of them in the last step
    variables = [rng.normal(size=(len(x), 3)) for x in given]
    ahead = [rng.normal(size=(4, 3)) for _ in given]

    def pad(arrays):
        padded = np.full(
            (len(arrays), max(map(len, arrays)), arrays[0].shape[1]), np.nan
        )
        for row, array in zip(padded, arrays, strict=True):
            row[: len(array)] = array
        return padded

    def ask(change):
        def known(arrays):
            return {"exog": change(arrays)} if exog else {}

        X, past = change(given), known(variables)
        whole = [np.concatenate(both) for both in zip(variables, ahead, strict=True)]
        model = forecaster(horizon=2, intervals="quantile").fit(X, **past)
        yield model.predict(horizon=4, **known(ahead))
        yield model.predict(X, horizon=4, **known(whole))
        yield model.predict_interval(X, horizon=4, coverage=0.8, **known(whole)).lower
        yield model.score(X, **past)
        later = [x[: k + 1] for k, x in enumerate(given)]
        now = [v[: k + 1] for k, v in enumerate(variables)]
        model.update(change(later), **known(now))
        yield model.predict(horizon=4, **known(ahead))

    for a, b in zip(ask(list), ask(pad), strict=True):
        assert_array_equal(a, b)


def test_a_series_without_known_values_raises_an_error():
    gaps = np.full(30, np.nan)
    model = forecaster(max_epochs=1).fit([NOISY, WAVE])
    for method in (model.fit, model.predict, model.score):
        with pytest.raises(ValueError, match="all values of series 1 of X are missing"):
            method([NOISY, gaps])
    with pytest.raises(ValueError, match=r"^all values of X are missing"):
        model.predict(gaps)
    with pytest.raises(ValueError, match=r"series 1 of X has no steps.*padding"):
        model.predict(np.stack([NOISY[:30], gaps])[..., None])
    model.update([gaps[:2], NOISY[:2]])  # missing values of a known series
    with pytest.raises(ValueError, match="X cannot be scored"):
        model.score([np.r_[NOISY[:12], gaps]])


def test_values_too_large_to_compute_with_raise_an_error():
    large = NOISY.copy()
    large[7] = 1e300
    model = forecaster(max_epochs=1).fit(NOISY)
    for method in (model.fit, model.predict, model.score, model.update):
        with pytest.raises(ValueError, match=r"X contains the value 1e\+300 at step 7"):
            method(large)
    with pytest.raises(ValueError, match="exog contains the value"):
        model.fit(NOISY, exog=large)
    with pytest.raises(ValueError, match="x contains the value"):
        model.stream().predict(1e300)


# ---------------------------------------------------------------- the Theta method

MONTHS = pd.date_range("2010-01-31", periods=120, freq="ME")
SEASON = 30 + np.arange(120) / 10 + 5 * np.sin(np.arange(120) * np.pi / 6)
MONTHLY = pd.Series(SEASON + RNG.normal(size=120), index=MONTHS)


def corrector(**params):
    """A forecaster whose network corrects the Theta method."""
    given = {"baseline": "theta", "season": 12, "horizon": 6, "hidden_size": 4}
    return forecaster(**given | params)


def shrink(model, shrinkage):
    """The fitted model with corrections of another size."""
    network = set_shrinkage(model._series_network, shrinkage)
    model._encoding = network.encoding
    return model


def theta_forecasts(model, values):
    """Forecasts (h, C) of the Theta method after values (T, C), by its definition."""
    baseline = model._encoding.baseline
    state = read(baseline, values)
    nothing = np.zeros((1, baseline.horizon, values.shape[1], 1))
    return baseline.decode(state, nothing)[0, ..., 0]


def test_defaults_find_the_season_and_beat_the_naive_forecast():
    model = RNNForecaster(horizon=12, hidden_size=8, max_epochs=8, random_state=0)
    train, truth = MONTHLY[:96], MONTHLY[96:108]
    model.fit(train)
    assert (model.baseline_, model.seasons_) == ("theta", (12,))
    assert 0 <= model.shrinkage_ <= 1
    assert 0.1 < model.skill_ < 1
    naive = SeasonalNaiveForecaster(season=12, horizon=12).fit(train).predict()
    errors = [np.abs(f - truth).mean() for f in (model.predict(), naive)]
    assert errors[0] < 0.9 * errors[1]


def test_choices_are_stored_as_attributes():
    model = forecaster().fit(MONTHLY)
    found = model.baseline_, model.seasons_, model.transform_, model.shrinkage_
    assert found == (None, (), None, None)
    assert model.skill_ is None  # nothing was held out
    model = forecaster(intervals="conformal", scaling="global").fit(MONTHLY)
    assert isinstance(model.skill_, float)
    assert (model.baseline_, model.shrinkage_) == (None, None)
    model = corrector(season=(12, 5), transform="log").fit(MONTHLY)
    assert (model.baseline_, model.seasons_) == ("theta", (5, 12))
    assert model.transform_ == "log"
    assert model.shrinkage_ == model._encoding.baseline.shrinkage
    assert model.skill_ is None
    model.set_params(transform=None, season=np.int64(12)).fit(MONTHLY)
    assert (model.seasons_, model.transform_) == ((12,), None)
    model.set_params(season=None).fit(MONTHLY)
    assert (model.baseline_, model.seasons_) == ("theta", ())
    model.set_params(baseline=None).fit(MONTHLY)
    assert (model.baseline_, model.shrinkage_) == (None, None)


@pytest.mark.parametrize("season", [12, (4, 12), (30,)])
@pytest.mark.parametrize("transform", ["log", None])
def test_without_corrections_forecasts_are_those_of_the_theta_method(season, transform):
    model = corrector(season=season, transform=transform, max_epochs=1).fit(MONTHLY)
    shrink(model, 0.0)
    values = MONTHLY.to_numpy()[:, None]
    expected = theta_forecasts(model, values)[:, 0]
    assert_allclose(model.predict(SEASON * 0 + values[:, 0]), expected)
    shrink(model, 1.0)
    assert np.abs(model.predict(values[:, 0]) / expected - 1).max() > 1e-4


@pytest.mark.parametrize("transform", ["log", None])
def test_corrections_are_those_of_the_network(transform):
    """Outputs of the module are computed from the features of the Theta method."""
    model = corrector(transform=transform).fit(MONTHLY)
    values, encoding = MONTHLY.to_numpy()[:, None], shrink(model, 0.4)._encoding
    state, inputs = encoding.baseline.begin(), []
    for row in values:
        state, features = encoding.baseline.advance(state, row[None])
        inputs.append(features[0])
    module = model.module_
    with torch.inference_mode():
        x = torch.from_numpy(np.array(inputs))[:, None]
        outputs = module.head(module.stack(x)[0][-1]).numpy()[0]
    center, scale = encoding.baseline.forecast(state)
    expected = center[0, :, 0] + 0.4 * scale[0, 0] * outputs
    expected = np.exp(expected) if transform else expected
    assert_allclose(model.predict(values[:, 0]), expected, rtol=1e-9)


def test_early_stopping_measures_the_corrections_on_the_validation_part():
    for intervals in (None, "conformal", "quantile"):
        model = corrector(
            early_stopping=True, validation_fraction=0.25, intervals=intervals
        ).fit(MONTHLY)
        network = set_shrinkage(model._series_network, 1.0)
        held_out = HeldOut(np.array([0]), np.array([90]))
        values = [MONTHLY.to_numpy()[:, None]]
        expected = measure_shrinkage(network, values, None, held_out)
        assert model.shrinkage_ == expected
    several = [MONTHLY.to_numpy() + k for k in range(4)]
    model = corrector(early_stopping=True, validation_fraction=0.5).fit(several)
    assert 0 <= model.shrinkage_ <= 1


def test_corrections_that_help_are_kept():
    """Each value is minus half of the one before, which Theta cannot forecast."""
    noise = np.random.default_rng(0).normal(size=400)
    x = 20 + noise
    x[1::2] = 20 - 3 * noise[::2]
    model = corrector(season=None, horizon=1, hidden_size=8, max_epochs=30)
    model.fit(x[:300])
    assert model.shrinkage_ > 0.5
    other = corrector(season=None, horizon=1, max_epochs=30)
    other.fit(np.random.default_rng(1).normal(size=300).cumsum())
    assert other.shrinkage_ < 0.2
    errors = {0.0: [], model.shrinkage_: []}
    for shrinkage, found in errors.items():
        frame = shrink(model, shrinkage).backtest(x, start=300)
        found.append(np.abs(frame["truth"] - frame["forecast"]).mean())
    assert errors[model.shrinkage_][0] < 0.9 * errors[0.0][0]


@pytest.mark.parametrize("intervals", [None, "conformal", "quantile"])
def test_corrections_are_not_used_if_they_cannot_be_measured(intervals):
    model = corrector(season=None, window=3, intervals=intervals, max_epochs=1)
    short = MONTHLY[:15]
    with pytest.warns(UserWarning, match="Forecasts will be those of the Theta method"):
        with warnings.catch_warnings():
            if intervals == "conformal":
                warnings.filterwarnings("ignore", "There will be no prediction")
            model.fit(short)
    assert model.shrinkage_ == 0
    assert model.skill_ is None
    expected = theta_forecasts(model, short.to_numpy()[:, None])[:, 0]
    assert_allclose(model.predict(), expected)


def test_the_mean_is_forecast_if_corrections_cannot_be_measured():
    noise = np.random.default_rng(0).normal(size=13)
    model = RNNForecaster(
        baseline="mean", window=3, horizon=4, hidden_size=4, max_epochs=1
    )
    model.set_params(intervals=None, random_state=0)
    with pytest.warns(UserWarning, match="Forecasts will be the mean"):
        model.fit(noise)
    assert_allclose(model.predict(), np.full(4, noise.mean()))


def test_corrections_of_a_first_short_part_are_not_shrunk():
    """Otherwise no later ``partial_fit`` would change a forecast."""
    model = corrector(season=None, window=3, intervals=None)
    model.partial_fit(MONTHLY[:15])
    assert model.shrinkage_ == 1


@pytest.mark.parametrize("bounds", [None, (0, None)])
def test_paths_of_logarithms_may_reach_zero(bounds):
    values = np.exp(1 + 0.9 * np.random.default_rng(1).normal(size=150))
    model = corrector(season=None, transform="log", horizon=3, max_epochs=1)
    model.set_params(intervals="conformal", bounds=bounds).fit(values)
    paths = model.sample_paths(horizon=30, n_paths=100, random_state=0)
    assert paths.min() <= 0
    assert np.isfinite(paths).all()
    assert np.median(paths[:, 20:]) > 0.5


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"season": (4, 6), "transform": "log"},
        {"season": None, "intervals": "quantile", "horizon": 1},
    ],
)
def test_streams_of_a_theta_model_forecast_as_predict_at_every_step(params, gaps):
    values = MONTHLY.to_numpy().copy()
    if gaps:
        values[[0, 1, 30, 31, 32, 60]] = np.nan
        values[38:52] = np.nan
    model = shrink(corrector(**params, max_epochs=1).fit(values), 0.7)
    stream = model.stream()
    for t, value in enumerate(values[:66]):
        found = stream.predict(value)
        if t >= 2 or not gaps:
            past = values[: t + 1]
            assert_allclose(found[0], model.predict(past), rtol=1e-7)


@pytest.mark.parametrize("params", [{}, {"transform": "log"}, {"horizon": 1}])
def test_updates_and_longer_forecasts_of_a_theta_model(params):
    values = MONTHLY.to_numpy()
    model = shrink(corrector(**params).fit(values[:80]), 0.5)
    far = model.predict(horizon=40)
    assert_allclose(model.predict(horizon=6), far[:6])
    again = pickle.loads(pickle.dumps(model)).update(values[80:81])
    again.update(values[81:100])
    expected = model.predict(values[:100], horizon=40)
    assert_allclose(again.predict(horizon=40), expected, rtol=1e-9)
    shrink(model, 0.0)  # forecasts that are fed back keep level and season
    steps = SEASON[80:120] - MONTHLY.to_numpy()[68:80].mean()
    assert np.corrcoef(model.predict(horizon=40), steps)[0, 1] > 0.8


@pytest.mark.parametrize("intervals", ["conformal", "quantile"])
def test_theta_models_with_exog_channels_and_intervals(intervals):
    two = np.column_stack([MONTHLY, np.full(120, 3.0)])  # a constant channel
    exog = RNG.normal(size=(126, 2))
    model = corrector(intervals=intervals, horizon=3).fit(two, exog=exog[:120])
    band = model.predict_interval(exog=exog[120:123], coverage=0.8)
    assert band.prediction.shape == (3, 2)
    assert (band.lower <= band.upper).all()
    assert_allclose(band.prediction[:, 1], 3, atol=1e-9)
    paths = model.sample_paths(n_paths=20, exog=exog[120:123], random_state=0)
    assert np.isfinite(paths).all()
    other = model.predict(exog=exog[120:123] + 5)
    again = shrink(model, 1.0).predict(exog=exog[120:123] + 5)
    assert not np.allclose(again, model.predict(exog=exog[120:123]))
    assert other.shape == again.shape == (3, 2)


def test_a_warm_start_keeps_the_theta_method_and_measures_again():
    model = corrector(warm_start=True, max_epochs=2).fit(MONTHLY)
    seasons, fill = model.seasons_, model._encoding.baseline.fill
    model.fit(MONTHLY + 10)
    assert model.n_iter_ == 4
    assert model.seasons_ == seasons
    assert_array_equal(model._encoding.baseline.fill, fill)
    assert model.shrinkage_ == model._encoding.baseline.shrinkage
    with pytest.raises(ValueError, match="season"):
        model.set_params(season=6).fit(MONTHLY)


def test_the_theta_method_is_equivariant_to_the_unit():
    plain = shrink(corrector(transform=None).fit(MONTHLY), 1.0)
    for factor in (1e-6, 1e6):
        other = shrink(corrector(transform=None).fit(factor * MONTHLY), 1.0)
        assert_allclose(other.predict() / factor, plain.predict(), rtol=1e-5)


@pytest.mark.parametrize("params", [{"season": "auto"}, {}, {"baseline": None}])
def test_series_of_different_scales_have_proportional_forecasts(params):
    """Forecasts of a series a million times larger are a million times larger."""
    values = MONTHLY.to_numpy()
    both = [values, 1e6 * values, values[::-1], 1e6 * values[::-1]]
    given = {"intervals": None, "transform": None, "scaling": "auto"} | params
    if params.get("baseline", "theta") is None:
        del given["transform"]
        given["season"] = "auto"
    model = corrector(**given).fit(both)
    if model.baseline_:
        shrink(model, 1.0)
    a, b, c, d = model.predict()
    assert_allclose(b / 1e6, a, rtol=1e-6)
    assert_allclose(d / 1e6, c, rtol=1e-6)
    assert np.abs(a - SEASON.mean()).max() < 30


def test_the_number_of_epochs_follows_from_the_number_of_windows():
    model = forecaster(max_epochs="auto", batch_size=32).fit(NOISY)
    n_batches = -(-(160 - 12) // 32)
    assert model._count_epochs(model._make_windows([NOISY[:, None]], None)) == 120
    assert 600 / n_batches == 120
    assert model.n_iter_ <= 120
    long = np.tile(NOISY, 30)
    windows = model._make_windows([long[:, None]], None)
    assert model._count_epochs(windows) == 8  # the fewest
    assert forecaster(max_epochs=3).fit(NOISY).n_iter_ == 3
    assert RNNForecaster().max_epochs == "auto"


def test_values_that_are_not_positive_have_no_logarithm():
    values = MONTHLY.to_numpy().copy()
    model = corrector(transform="log").fit(values)
    expected = model.predict()
    values[7] = 0
    for ask in (model.predict, model.update, model.score, model.backtest):
        with pytest.raises(ValueError, match=r"X contains 0, .*transform=None"):
            ask(values)
    with pytest.raises(ValueError, match=r"contains -1, .*transform=None"):
        model.stream().predict(-1.0)
    assert_array_equal(model.predict(), expected)


def test_logarithms_of_values_that_are_not_positive_cannot_be_fitted():
    values = MONTHLY.to_numpy().copy()
    values[7] = 0
    with pytest.raises(ValueError, match=r'"log"|transform='):
        corrector(transform="log").fit(values)


# ---------------------------------------------------------------- scikit-learn


def test_cloning_pickling_and_searching():
    check_estimator_cloneable("RNNForecaster", RNNForecaster())
    model = forecaster().fit(NOISY)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict(horizon=3), model.predict(horizon=3))
    search = GridSearchCV(
        forecaster(max_epochs=1), {"cell": ["rnn", "gru"]}, cv=TimeSeriesSplit(3)
    ).fit(NOISY)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.predict(NOISY).shape == (1,)


def test_same_seed_same_bits():
    answers = [
        forecaster(intervals="conformal").fit(NOISY).predict(horizon=4)
        for _ in range(2)
    ]
    assert_array_equal(*answers)
    other = forecaster(random_state=1).fit(NOISY).predict(horizon=4)
    assert not np.array_equal(answers[0], other)


def test_exog_is_routed():
    import sklearn

    e = RNG.normal(size=160)
    with sklearn.config_context(enable_metadata_routing=True):
        model = forecaster(max_epochs=1)
        model.set_fit_request(exog=True).set_score_request(exog=True)
        scores = cross_val_score(
            model, NOISY, cv=TimeSeriesSplit(3), params={"exog": e}
        )
    assert np.isfinite(scores).all()


def test_a_scaler_before_the_forecaster_in_a_pipeline():
    pipeline = make_pipeline(StandardScaler(), forecaster()).fit(TWO)
    scaled = StandardScaler().fit_transform(TWO)
    assert_array_equal(
        pipeline.predict(TWO, horizon=3),
        forecaster().fit(scaled).predict(scaled, horizon=3),
    )


def test_a_warm_start_continues_training():
    model = forecaster(warm_start=True, max_epochs=2).fit(NOISY)
    encoding = model._encoding
    model.fit(NOISY * 2)
    assert model.n_iter_ == 4
    assert_array_equal(model._encoding.baseline.mean, encoding.baseline.mean)
    with pytest.raises(ValueError, match="horizon from 1 to 2"):
        model.set_params(horizon=2).fit(NOISY)


def test_a_warm_start_uses_the_current_window():
    model = forecaster(warm_start=True, max_epochs=1).fit(NOISY)
    kept = clone(model).fit(NOISY)
    model.set_params(window=30).fit(NOISY)
    kept.fit(NOISY)
    assert model._encoding.window == 30
    assert model.loss_curve_[0] == kept.loss_curve_[0]
    assert model.loss_curve_[1] != kept.loss_curve_[1]


# ---------------------------------------------------------------- bad input


def test_unfitted():
    for ask in (
        lambda m: m.predict(NOISY),
        lambda m: m.predict_interval(),
        lambda m: m.score(NOISY),
        lambda m: m.update(NOISY),
        lambda m: m.sample_paths(),
    ):
        with pytest.raises(NotFittedError):
            ask(forecaster())


@pytest.mark.parametrize("method", ["predict", "predict_interval"])
def test_a_horizon_passed_as_x_raises_an_error_with_advice(method):
    model = forecaster(max_epochs=1, intervals="conformal").fit(NOISY)
    with pytest.raises(ValueError, match=r"X is the number 12.* mean horizon=12\?"):
        getattr(model, method)(12)


def test_other_channels_or_series_than_in_fit_raise_an_error():
    model = forecaster(max_epochs=1).fit(NOISY)
    with pytest.raises(
        ValueError, match="2 channels, but RNNForecaster was fitted with 1"
    ):
        model.predict(TWO)
    with pytest.raises(ValueError, match="2 series, but the forecaster was"):
        model.update([NOISY, NOISY])


def test_intervals_that_were_not_fitted_raise_an_error():
    model = forecaster(max_epochs=1).fit(NOISY)
    for ask in (model.predict_interval, model.sample_paths):
        with pytest.raises(ValueError, match="intervals=None"):
            ask()
    model = forecaster(max_epochs=1, intervals="quantile").fit(NOISY)
    with pytest.raises(ValueError, match=r"coverage=0.9 .*\[0.05, 0.95\]"):
        model.predict_interval(coverage=0.9)
    with pytest.raises(ValueError, match="not the quantile of the sum"):
        forecaster(intervals="quantile", differencing=2, horizon=3).fit(NOISY)
    with pytest.raises(ValueError, match=r"0.5 in the middle"):
        forecaster(intervals="quantile", quantiles=(0.1, 0.9)).fit(NOISY)
    model = forecaster(max_epochs=1, intervals="conformal").fit(NOISY)
    with pytest.raises(ValueError, match=r"horizon=100, but .* for 48 steps"):
        model.predict_interval(horizon=100)
    with pytest.raises(ValueError, match=r"coverage=0.999 needs more than"):
        model.predict_interval(horizon=2, coverage=0.999)


@pytest.mark.parametrize("coverage", [0, 1, 2, np.nan, True, "0.9"])
def test_a_coverage_is_a_number_between_0_and_1(coverage):
    model = forecaster(max_epochs=1, intervals="quantile").fit(NOISY)
    message = "coverage must be a number above 0 and below 1, got "
    with pytest.raises(ValueError, match=message):
        model.predict_interval(coverage=coverage)


@pytest.mark.parametrize("n_paths", [0, 2.5, True])
def test_a_number_of_paths_is_a_positive_integer(n_paths):
    model = forecaster(max_epochs=1, intervals="quantile").fit(NOISY)
    with pytest.raises(ValueError, match="n_paths must be an integer of at least 1"):
        model.sample_paths(n_paths=n_paths)


def test_a_failed_fit_or_update_leaves_the_estimator_unchanged():
    model = forecaster(max_epochs=1).fit(NOISY)
    before = model.predict(horizon=3)
    with pytest.raises(ValueError, match="channels"):
        model.update(TWO)
    with pytest.raises(ValueError, match=r"has 5 steps; .* needs at least 8"):
        model.fit(NOISY[:5])
    dates = pd.date_range("2020", periods=160, freq="D")
    dated = forecaster(max_epochs=1).fit(pd.Series(NOISY, index=dates))
    follows = dated.predict().index
    with pytest.raises(ValueError, match="next step is 2020-06-09"):
        dated.update(pd.Series(NOISY, index=dates))
    assert dated.predict().index.equals(follows)
    assert_array_equal(model.predict(horizon=3), before)


def test_the_callers_arrays_are_not_changed():
    X, e = NOISY.copy(), RNG.normal(size=160)
    X[5] = np.nan
    kept = X.copy(), e.copy()
    X.flags.writeable = e.flags.writeable = False
    model = forecaster(intervals="conformal").fit(X, exog=e)
    model.predict(X, horizon=1, exog=np.r_[e, 0])
    model.score(X, exog=e)
    assert_array_equal(X, kept[0])
    assert_array_equal(e, kept[1])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
def test_forecasts_on_a_gpu():
    on_gpu = forecaster(device="cuda").fit(NOISY).predict(horizon=3)
    assert_allclose(
        on_gpu, forecaster(device="cpu").fit(NOISY).predict(horizon=3), rtol=1e-3
    )


def test_a_season_of_any_number_of_steps_is_an_error():
    with pytest.raises(ValueError, match="'season' parameter of RNNForecaster"):
        RNNForecaster(season=2**63).fit(np.sin(np.arange(40.0)))
