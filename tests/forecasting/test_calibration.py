"""Calibration on steps held out of the training of a second network, the twin."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import PredefinedSplit

from sklearn_rnn import RNNForecaster
from sklearn_rnn.forecasting import _calibration
from sklearn_rnn.forecasting._calibration import (
    calibrate,
    calibrate_on_twin,
    estimate_sizes,
    hold_out,
    learn_ranks,
)
from sklearn_rnn.forecasting._windows import HeldOut

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn_rnn.forecasting._skill.ForecastSkillWarning"
)

RNG = np.random.default_rng(0)
NOISY = np.sin(np.arange(160) / 4) + 0.1 * RNG.normal(size=160)
SEVERAL = [NOISY[:n, None] for n in (40, 30, 30, 50, 60)]


def forecaster(**params):
    given = {"hidden_size": 4, "window": 12, "max_epochs": 2, "random_state": 0}
    given |= {"baseline": None}
    return RNNForecaster(**given | params)


@pytest.fixture(scope="module")
def network():
    return forecaster(intervals=None).fit(NOISY)._series_network


def judge(network, values, exog, held_out):
    """Compute intervals from the steps held out."""
    return calibrate(network, values, exog, held_out, True).intervals


def errors_of(network, values, first, n_leads, stride=1):
    """Compute errors (N, n_leads, C), series by series."""
    return np.concatenate(
        [
            next(network.compute_rolling_errors([v], None, first, n_leads, stride))[1]
            for v in values
        ]
    )[:, 0]


# ---------------------------------------------------------------- what is held out


def test_the_last_steps_of_each_series_are_held_out():
    held_out = hold_out([np.zeros((10, 2))], 0.25, 5, 6, None)
    assert (held_out.series.tolist(), held_out.first_steps.tolist()) == ([0], [7])
    held_out = hold_out(SEVERAL, 0.4, 12, 20, None)
    assert held_out.series.tolist() == [0, 3, 4]  # the others keep less than 20 steps
    assert held_out.first_steps.tolist() == [24, 30, 36]
    assert not held_out.whole


def test_whole_series_are_held_out_if_all_are_short():
    rng = np.random.default_rng(0)
    held_out = hold_out([*SEVERAL, NOISY[:12, None]], 0.4, 12, 40, rng)
    assert len(held_out.series) == 2
    assert 5 not in held_out.series  # it has no step after a window
    assert_array_equal(held_out.first_steps, [12, 12])
    assert held_out.whole
    assert not len(hold_out([NOISY[:50]], 0.4, 12, 40, None).series)


# ---------------------------------------------------------------- errors


def test_errors_begin_with_the_first_step_held_out(network):
    values = [NOISY[:, None]]
    held_out = HeldOut(np.array([0]), np.array([150]))
    errors = judge(network, values, None, held_out).calibration.errors
    assert errors.shape == (10, 10, 1)
    assert_allclose(errors, errors_of(network, values, 149, 10), rtol=1e-6)


def test_errors_are_assigned_to_their_series(network):
    held_out = HeldOut(np.array([3, 0]), np.array([30, 24]))
    found = judge(network, SEVERAL, None, held_out).calibration
    assert found.errors.shape == (20 + 16, 20, 1)
    assert found.errors.dtype == np.float32
    for row, first in ((3, 29), (0, 23)):
        expected = errors_of(network, [SEVERAL[row]], first, 20)
        assert_allclose(found.errors[found.owners == row], expected, rtol=1e-6)


def test_series_without_errors_of_their_own_have_estimated_sizes(network):
    values = [*SEVERAL, 100 * NOISY[:5, None]]
    held_out = HeldOut(np.array([3, 0]), np.array([30, 24]))
    found = judge(network, values, None, held_out).calibration
    expected = estimate_sizes(network, values, None, found)
    for row in (1, 2, 4, 5):
        assert_allclose(found.own.sizes[row], expected.sizes[row], rtol=1e-6)
        assert_allclose(found.own.counts[row], expected.counts[row], rtol=1e-6)
    scale = np.abs(np.diff(values[5], axis=0)).mean()
    assert_allclose(expected.sizes[5], found.typical * scale * found.law, rtol=1e-6)
    assert_allclose(expected.counts[5], 2)
    level = np.abs(errors_of(network, [values[1]], 11, 1)).mean() / found.law[0, 0]
    prior = found.typical[0] * np.abs(np.diff(values[1], axis=0)).mean()
    level = (18 * level * found.inflation[0] + 0.5 * prior) / 18.5
    assert_allclose(expected.sizes[1, :, 0], level * found.law[:, 0], rtol=1e-6)


def test_sizes_after_some_steps_use_only_these_steps(network):
    held_out = HeldOut(np.array([3, 0]), np.array([30, 24]))
    calibration = judge(network, SEVERAL, None, held_out).calibration
    two = [NOISY[:60, None], 5 * NOISY[60:120, None]]
    n_known = np.array([5, 30, 60])
    found = estimate_sizes(network, two, None, calibration, n_known)
    for k, n in enumerate(n_known):
        expected = estimate_sizes(network, [v[:n] for v in two], None, calibration)
        part = found.take(np.arange(2 * k, 2 * k + 2))
        assert_allclose(part.sizes, expected.sizes)
        assert_array_equal(part.counts, expected.counts)


def test_sizes_of_a_single_series_are_used_for_all_series(network):
    held_out = HeldOut(np.array([0]), np.array([100]))
    calibration = judge(network, [NOISY[:, None]], None, held_out).calibration
    found = estimate_sizes(network, SEVERAL, None, calibration)
    assert_array_equal(found.sizes, np.repeat(calibration.own.sizes, 5, axis=0))


def test_sizes_are_inflated_if_errors_are_larger_than_in_training(network):
    worse = np.r_[NOISY[:80], NOISY[80:] + 3][:, None]
    held_out = HeldOut(np.array([0, 1]), np.array([80, 80]))
    found = judge(network, [worse, worse], None, held_out).calibration
    assert found.inflation[0] > 1.5
    usual = [NOISY[:, None]] * 2
    found = judge(network, usual, None, held_out).calibration
    assert 1 <= found.inflation[0] < 1.2


def test_leads_are_limited_to_some_windows(network, monkeypatch):
    monkeypatch.setattr(_calibration, "CALIBRATED_WINDOWS", 2)
    held_out = HeldOut(np.array([0]), np.array([100]))
    found = judge(network, [NOISY[:, None]], None, held_out)
    assert found.calibration.errors.shape == (60, 24, 1)


def test_origins_are_left_out_if_errors_would_be_too_many(network, monkeypatch):
    values, held_out = [NOISY[:, None]], HeldOut(np.array([0]), np.array([100]))
    every = judge(network, values, None, held_out).calibration
    monkeypatch.setattr(_calibration, "KEPT_ERRORS", 1000)
    found = judge(network, values, None, held_out).calibration
    assert found.errors.shape == (15, 60, 1)
    assert_array_equal(found.errors, every.errors[::4])
    assert_allclose(found.own.sizes, every.own.sizes, rtol=0.4)
    assert (found.counts <= 15).all()


# ---------------------------------------------------------------- ranks


def test_ranks_are_those_of_the_truth_in_the_forecast_quantiles():
    model = forecaster(intervals="quantile", horizon=3, quantiles=(0.1, 0.5, 0.9))
    different = [NOISY[start : start + n, None] for start, n in ((0, 40), (60, 30))]
    network = model.fit(different)._series_network
    ranks = learn_ranks(network, different, None).ranks
    n_blocks = [len(v) - 3 - 12 + 1 for v in different]
    assert ranks.shape == (sum(n_blocks), 3, 1)
    places = []
    for series in different:
        for t in range(12, len(series) - 2):
            band = model.predict_interval(series[:t], coverage=0.8)
            above = (series[t : t + 3] - band.prediction)[:, 0]
            up, down = band.upper - band.prediction, band.prediction - band.lower
            widths = np.where(above > 0, up[:, 0], down[:, 0])
            places.append(above / widths)
    order = np.array(places).argsort(axis=0).argsort(axis=0)
    assert_allclose(ranks[..., 0], (order + 0.5) / len(order), rtol=1e-5)


def test_the_number_of_ranks_is_limited(monkeypatch):
    model = forecaster(intervals="quantile", horizon=2, quantiles=(0.1, 0.5, 0.9))
    network = model.fit(NOISY)._series_network
    every = learn_ranks(network, [NOISY[:, None]], None).ranks
    assert every.shape == (160 - 2 - 12 + 1, 2, 1)
    monkeypatch.setattr(_calibration, "KEPT_ERRORS", 480)
    assert learn_ranks(network, [NOISY[:, None]], None).ranks.shape == (74, 2, 1)


# ---------------------------------------------------------------- the twin


def test_the_twin_is_trained_on_the_rest(network):
    trained = []

    def train_twin(values, exog):
        trained.append((values, exog))
        return network

    values, exog = [NOISY[:, None]], [np.ones((160, 1))]
    rng = np.random.default_rng(0)
    encoding = network.encoding
    found = calibrate_on_twin(train_twin, values, None, encoding, 0.25, rng, True)
    ((seen, seen_exog),) = trained
    assert_array_equal(seen[0], values[0][:120])
    assert seen_exog is None
    held_out = HeldOut(np.array([0]), np.array([120]))
    expected = judge(network, values, None, held_out).calibration.errors
    assert_array_equal(found.intervals.calibration.errors, expected)
    calibrate_on_twin(train_twin, SEVERAL, None, encoding, 0.5, rng, True)
    assert [len(v) for v in trained[1][0]] == [20, 15, 15, 25, 30]

    def fail(values, exog):
        raise InterruptedError(len(exog[0]))

    with pytest.raises(InterruptedError, match="120"):
        calibrate_on_twin(fail, values, exog, encoding, 0.25, rng, True)


def test_a_series_too_short_to_hold_out_steps_has_no_intervals(network):
    def fail(values, exog):
        raise AssertionError("nothing is left to train on")

    with pytest.warns(UserWarning, match=r"no prediction intervals.* intervals=None"):
        found = calibrate_on_twin(
            fail, [NOISY[:11, None]], None, network.encoding, 0.3, None, True
        ).intervals
    assert found.calibration is None
    assert "calibration_fraction=0.3" in found.reason
    assert "needs 8 steps" in found.reason


# ---------------------------------------------------------------- in fit


def test_the_twin_is_not_trained_on_calibration_steps():
    model = forecaster(calibration_fraction=0.25)
    a = model.fit(NOISY)._intervals.calibration.errors
    other = NOISY.copy()
    other[130:] += 100
    b = clone(model).fit(other)._intervals.calibration.errors
    first = 120 - 1
    assert a.shape == (160 - 1 - first, 40, 1)
    assert_allclose(a[:2, :2], b[:2, :2])  # targets up to step 122: no change


def test_the_twin_differs_from_the_network_in_its_data_only():
    gaps = NOISY.copy()
    gaps[[140, 141]] = np.nan  # the twin is trained without them
    model = forecaster(calibration_fraction=0.25).fit(gaps)
    head = clone(model).set_params(intervals=None).fit(NOISY[:120])
    assert model._encoding.tells_missing
    assert not head._encoding.tells_missing
    twin = model._train_twin(0, False, [NOISY[:120, None]], None)
    assert twin.encoding.tells_missing
    assert_array_equal(twin.encoding.baseline.mean, head._encoding.baseline.mean)
    model = clone(model).fit(NOISY)
    errors = errors_of(head._series_network, [NOISY[:, None]], 119, 40)
    assert_allclose(model._intervals.calibration.errors, errors, rtol=1e-6)


def test_early_stopping_trains_no_twin():
    model = forecaster(early_stopping=True).fit(NOISY)
    errors = errors_of(model._series_network, [NOISY[:, None]], 143, 16)
    assert_allclose(model._intervals.calibration.errors, errors, rtol=1e-6)


def test_a_short_series_has_no_intervals():
    with pytest.warns(UserWarning, match="no prediction intervals or sampled paths"):
        with pytest.warns(UserWarning, match="training uses windows of 10 steps"):
            model = forecaster().fit(NOISY[:11])
    assert model.predict(horizon=3).shape == (3,)
    with pytest.raises(ValueError, match=r"too short to set calibration_fraction=0.3"):
        model.predict_interval(horizon=3)
    late = np.r_[np.full(140, np.nan), NOISY[:60]]
    with pytest.warns(UserWarning, match="no prediction intervals"):
        model = forecaster().fit(late)
    with pytest.raises(ValueError, match="too short"):
        model.sample_paths(horizon=3)


def test_each_series_has_intervals_of_its_own_size():
    rng = np.random.default_rng(0)
    noise = np.resize([0.1, 1.0, 5.0], 9)
    X = [
        s * rng.normal(size=(n, 1)) for s, n in zip(noise, [90] * 8 + [16], strict=True)
    ]
    model = forecaster(horizon=3).fit(X)
    found = model.predict_interval(coverage=0.9)
    width = ((found.upper - found.lower) / 2)[..., 0] / noise[:, None]
    assert_allclose(width[:8], 1.645, rtol=0.5)
    assert (width[8] > 1).all()  # too short for errors of its own
    given = model.predict_interval(X, coverage=0.9)
    assert_array_equal(given.prediction, found.prediction)
    again = ((given.upper - given.lower) / 2)[..., 0] / noise[:, None]
    assert_allclose(again[:8], 1.645, rtol=0.5)
    model.update([x[:2] for x in X])
    later = model.predict_interval(coverage=0.9)
    assert_allclose(later.upper - later.lower, found.upper - found.lower)
    paths = model.sample_paths(n_paths=300, random_state=0)
    assert_allclose(paths.std(axis=(0, 2))[:8, 0] / noise[:8], 1, rtol=0.5)


def test_validation_series_do_not_affect_the_scaling():
    other = NOISY.copy()
    other[-16:] += 100
    model = forecaster(early_stopping=True)
    mean = model.fit(NOISY)._encoding.baseline.mean
    assert_array_equal(mean, [NOISY[:144].mean()])
    assert_array_equal(model.fit(other)._encoding.baseline.mean, mean)
    given = [SEVERAL[0], SEVERAL[4], 1e6 + SEVERAL[3]]
    model.set_params(scaling="global")
    means = {
        model.set_params(random_state=k).fit(given)._encoding.baseline.mean[0]
        for k in range(5)
    }
    assert max(means) > 1e5 > min(means)  # depending on which series validates


def test_nothing_is_held_out_if_a_single_series_can_train():
    """Of two series of a panel, the one long enough to train is not held out."""
    rng = np.random.default_rng(0)
    values = [NOISY[:10, None], NOISY[:8, None]]
    assert not len(hold_out(values, 0.4, 12, 9, rng).series)
    model = forecaster(horizon=2, max_epochs=1)
    with pytest.warns(UserWarning, match="no prediction intervals"):
        with pytest.warns(UserWarning, match="1 of 2 series are left out of training"):
            with pytest.warns(UserWarning, match="training uses windows of 8 steps"):
                model.fit(values)
    with pytest.raises(ValueError, match="too short to set calibration_fraction"):
        model.predict_interval()


def test_series_held_out_without_a_window_have_no_errors():
    """A splitter may hold out series that are too short for a window."""
    values = [NOISY[:n] for n in (60, 60, 60, 60, 7)]
    cv = PredefinedSplit([-1, -1, -1, 0, 0])
    model = forecaster(early_stopping=True, validation_fraction=cv, max_epochs=1)
    with pytest.warns(UserWarning, match="1 of 5 series are left out of training"):
        model.fit(values)
    calibration = model._intervals.calibration
    assert set(calibration.owners.tolist()) == {3}
    assert np.isfinite(model.predict_interval(coverage=0.8).lower).all()
    model.set_params(validation_fraction=PredefinedSplit([-1, -1, -1, -1, 0]))
    with pytest.warns(UserWarning, match="1 of 5 series are left out of training"):
        with pytest.raises(ValueError, match=r"validation_fraction leaves the train"):
            model.fit(values)


def test_ranks_are_those_of_series_with_windows():
    values = [NOISY[:60], NOISY[:7], NOISY[60:150], NOISY[:13]]
    model = forecaster(horizon=3, intervals="quantile", max_epochs=1)
    with pytest.warns(UserWarning, match="1 of 4 series are left out of training"):
        model.fit(values)
    assert len(model._intervals.ranks) == 60 - 14 + 90 - 14
    assert np.isfinite(model.sample_paths(n_paths=3)).all()


def test_only_whole_blocks_calibrate_with_exog():
    """Even if the part that calibrates is shorter than a block."""
    model = forecaster(horizon=30, max_epochs=1).fit(NOISY[:90], exog=NOISY[:90])
    with pytest.raises(ValueError, match="were measured for 0 steps"):
        model.predict_interval(exog=NOISY[90:120])


def test_fewer_steps_may_be_held_out_than_the_horizon():
    model = forecaster(baseline="theta", season=None, horizon=7, window=8)
    series = [NOISY[30 * k :][:n, None] for k, n in enumerate((20, 19, 18))]
    with pytest.raises(ValueError, match="measured for 6 steps ahead only"):
        model.fit(series).predict_interval(series[0])
