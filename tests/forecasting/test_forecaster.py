"""RNNForecaster: shapes, recursion with state, intervals, missing values, exog."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator_cloneable
from skorch.callbacks import Callback

from sklearn_rnn import RNNForecaster

RNG = np.random.default_rng(0)
T = np.arange(160)
WAVE = np.sin(T / 4)
NOISY = WAVE + 0.1 * RNG.normal(size=160)
TWO = np.column_stack([NOISY, np.cos(T / 7)])
SEVERAL = [np.sin(np.arange(n) / 4 + n)[:, None] for n in (30, 30, 41, 50)]


def forecaster(**params):
    given = {"hidden_size": 8, "window": 12, "max_epochs": 4, "batch_size": 16}
    given |= {"intervals": None, "random_state": 0}
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
    """Forecasts by the module, which reads everything anew for each block."""
    encoding, values = model._encoding, list(series)
    while len(values) < len(series) + horizon:
        past = np.array(values)[:, None]
        x = encoding.standardize(past)
        inputs = torch.from_numpy(x[:, None])
        with torch.inference_mode():
            outputs = model.module_.head(model.module_.stack(inputs)[0][-1]).numpy()
        steps = outputs[0].astype(float)
        if encoding.residual:
            steps = steps + x[-1, 0]
        steps = steps * encoding.scale[0] + encoding.mean[0]
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
def test_update_is_reading_on(params):
    model = forecaster(**params).fit(NOISY[:100])
    weights = [p.clone() for p in model.module_.parameters()]
    model.update(NOISY[100:103]).update(NOISY[103:130])
    assert_allclose(
        model.predict(horizon=6), model.predict(NOISY[:130], horizon=6), rtol=1e-9
    )
    for before, after in zip(weights, model.module_.parameters(), strict=True):
        assert torch.equal(before, after)


def test_series_of_several_lengths_do_not_matter_to_each_other():
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


def test_unit_and_offset_of_the_series_do_not_matter():
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
        errors.append(abs(answer - NOISY[t]) / model._encoding.scale[0])
    assert_allclose(model.validation_scores_[0], -np.mean(errors), rtol=1e-6)


def test_whole_series_validate_if_there_are_several():
    model = forecaster(early_stopping=True, validation_fraction=0.3).fit(SEVERAL)
    assert model.best_validation_score_ < 0


# ---------------------------------------------------------------- missing values


def test_missing_values_are_no_targets_and_read_as_the_last_one():
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
def test_conformal_intervals_cover_what_they_say(several):
    rng = np.random.default_rng(1)
    noise = rng.normal(size=1200)
    X = np.sin(np.arange(1200) / 4) + noise
    given = list(X[:800].reshape(20, 40)) if several else X[:800]
    model = forecaster(intervals="conformal").fit(given)
    hits = []
    for t in range(850, 1150, 5):
        band = model.predict_interval(X[t - 40 : t], horizon=4, coverage=0.8)
        assert (band.lower < band.prediction).all()
        hits.append((X[t : t + 4] >= band.lower) & (X[t : t + 4] <= band.upper))
    assert 0.7 < np.mean(hits) < 0.9


def test_quantiles_are_learned_and_cover():
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


def test_what_is_set_after_fit_changes_no_answer():
    for intervals in ("conformal", "quantile"):
        model = forecaster(intervals=intervals).fit(NOISY)
        before = model.predict_interval(horizon=3), model.score(NOISY)
        model.set_params(
            intervals=None, window=40, horizon=7, target="last", differencing=2
        )
        after = model.predict_interval(horizon=3)
        assert_array_equal(after.lower, before[0].lower)
        assert model.score(NOISY) == before[1]
        assert model.predict().shape == (1,)
    model.set_params(window=12).fit(NOISY)
    with pytest.raises(ValueError, match="intervals=None"):
        model.predict_interval()


def test_callbacks_hear_of_one_training():
    epochs = []

    class Counter(Callback):
        def on_epoch_end(self, net, **kwargs):
            epochs.append(len(net.history))

    forecaster(intervals="conformal", callbacks=[Counter()]).fit(NOISY)
    assert epochs == [1, 2, 3, 4]


# ---------------------------------------------------------------- pandas


def test_the_index_goes_on():
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


def test_other_columns_than_in_fit_are_refused():
    frame = pd.DataFrame(TWO, columns=["a", "b"])
    model = forecaster(max_epochs=1).fit(frame)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame.rename(columns={"b": "c"}))


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


def test_a_scaler_in_front():
    pipeline = make_pipeline(StandardScaler(), forecaster()).fit(TWO)
    scaled = StandardScaler().fit_transform(TWO)
    assert_array_equal(
        pipeline.predict(TWO, horizon=3),
        forecaster().fit(scaled).predict(scaled, horizon=3),
    )


def test_a_warm_start_goes_on():
    model = forecaster(warm_start=True, max_epochs=2).fit(NOISY)
    encoding = model._encoding
    model.fit(NOISY * 2)
    assert model.n_iter_ == 4
    assert_array_equal(model._encoding.mean, encoding.mean)
    with pytest.raises(ValueError, match="horizon from 1 to 2"):
        model.set_params(horizon=2).fit(NOISY)


def test_a_warm_start_trains_on_windows_of_the_present_length():
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
def test_a_horizon_given_as_x_is_named(method):
    model = forecaster(max_epochs=1, intervals="conformal").fit(NOISY)
    with pytest.raises(ValueError, match=r"X is the number 12.* mean horizon=12\?"):
        getattr(model, method)(12)


def test_other_channels_or_series_than_in_fit_are_refused():
    model = forecaster(max_epochs=1).fit(NOISY)
    with pytest.raises(
        ValueError, match="2 channels, but RNNForecaster was fitted with 1"
    ):
        model.predict(TWO)
    with pytest.raises(ValueError, match="2 series, but the forecaster knows 1"):
        model.update([NOISY, NOISY])


def test_intervals_that_were_not_asked_for():
    model = forecaster(max_epochs=1).fit(NOISY)
    for ask in (model.predict_interval, model.sample_paths):
        with pytest.raises(ValueError, match="intervals=None"):
            ask()
    model = forecaster(max_epochs=1, intervals="quantile").fit(NOISY)
    with pytest.raises(ValueError, match=r"coverage=0.9 .*\[0.05, 0.95\]"):
        model.predict_interval(coverage=0.9)
    with pytest.raises(ValueError, match="no quantile of the sum"):
        forecaster(intervals="quantile", differencing=2, horizon=3).fit(NOISY)
    with pytest.raises(ValueError, match=r"0.5 in the middle"):
        forecaster(intervals="quantile", quantiles=(0.1, 0.9)).fit(NOISY)
    model = forecaster(max_epochs=1, intervals="conformal").fit(NOISY)
    with pytest.raises(ValueError, match="horizon=100, but errors are known for 48"):
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


def test_a_failed_fit_or_update_leaves_everything():
    model = forecaster(max_epochs=1).fit(NOISY)
    before = model.predict(horizon=3)
    with pytest.raises(ValueError, match="channels"):
        model.update(TWO)
    with pytest.raises(ValueError, match="need 13"):
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
