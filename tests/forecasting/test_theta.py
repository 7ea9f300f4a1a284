"""ThetaBaseline: closed formulas, and invariances."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from series_encodings import read

from sklearn_rnn.forecasting import _theta
from sklearn_rnn.forecasting._theta import ThetaBaseline
from sklearn_rnn.forecasting._values import UNSETTLED_STEPS

RNG = np.random.default_rng(0)
T = np.arange(96)
SEASON = np.sin(T * 2 * np.pi / 12)
SERIES = np.column_stack(
    [
        5 + SEASON + 0.1 * RNG.normal(size=96),
        20 + 0.3 * T + RNG.normal(size=96),
    ]
)


def theta(*, seasons=(12,), horizon=6, logarithm=False, fill=(5.0, 20.0), **settings):
    return ThetaBaseline(horizon, seasons, logarithm, np.array(fill), **settings)


def forecast(baseline, values):
    """Forecasts (h, C), and their scale (C,)."""
    forecasts, scale = baseline.forecast(read(baseline, values))
    return forecasts[0], scale[0]


def smooth(x, alpha):
    """Levels (T,) and errors (T - 1,) of simple exponential smoothing."""
    levels = [x[0]]
    for value in x[1:]:
        levels.append(levels[-1] + alpha * (value - levels[-1]))
    return np.array(levels), x[1:] - levels[:-1]


def test_level_and_slope_are_those_of_the_theta_method():
    x = SERIES[:, 1]
    weights = _theta.FORGETTING ** np.arange(94, -1, -1)
    errors = {a: np.abs(smooth(x, a)[1]) @ weights for a in _theta.LEVEL_SMOOTHING}
    alpha = min(errors, key=errors.get)
    slope = np.polyfit(T, x, 1)[0]
    size = errors[alpha] / weights.sum()
    variance = np.pi / 2 * size**2 * (alpha**2 / 96 + 12 / 96**3)
    drift = 0.75 * slope * (1 - variance / slope**2)
    forecasts, scale = forecast(theta(seasons=()), SERIES)
    expected = smooth(x, alpha)[0][-1] + drift * np.arange(1, 7)
    assert_allclose(forecasts[:, 1], expected)
    assert_allclose(scale[1], size)


def test_a_random_walk_without_drift_has_little_slope():
    walk = RNG.normal(size=(400, 200)).cumsum(axis=0)
    baseline = theta(seasons=(), fill=np.zeros(200))
    forecasts, _ = forecast(baseline, walk)
    half_slope = np.polyfit(np.arange(400), walk, 1)[0] / 2
    assert np.abs(forecasts[-1] - walk[-1]).mean() < np.abs(6 * half_slope).mean()


@pytest.mark.parametrize("m", [4, 7])
def test_the_season_is_that_of_a_classical_decomposition(m):
    x = RNG.normal(size=m)[np.arange(60) % m] * 5 + RNG.normal(size=60)
    weights = np.full(m + 1, 1 / m) if m % 2 == 0 else np.full(m, 1 / m)
    if m % 2 == 0:
        weights[[0, -1]] /= 2
    half = m // 2
    first = m - half  # the first average needs m + 1 steps
    deviations = (x[half : 60 - half] - np.convolve(x, weights, "valid"))[
        first - half :
    ]
    phases = np.arange(first, 60 - half) % m
    means = np.array([deviations[phases == p].mean() for p in range(m)])
    within = sum(((deviations[phases == p] - means[p]) ** 2).sum() for p in range(m))
    complete = 60 // m - 1
    noise = within / (60 - 2 * m) / complete
    strength = 1 - noise / means.var(ddof=1)
    baseline = theta(seasons=(m,), horizon=m, fill=(0.0,))
    state = read(baseline, x[:, None])
    flat = {name: array[0] for name, array in state.items()}
    found = _theta._seasonal(flat, m, np.arange(m)[None])[0, :, 1]
    assert_allclose(found, strength * (means - means.mean()))


def test_noise_has_hardly_a_season():
    noise = RNG.normal(size=(96, 50))
    baseline = theta(fill=np.zeros(50), horizon=12)
    forecasts, _ = forecast(baseline, noise)
    assert forecasts.std(axis=0).mean() < 0.15


def test_a_season_that_changes_is_followed(monkeypatch):
    growing = SEASON * (1 + T / 20)
    baseline = theta(fill=(0.0,), horizon=12)
    followed, _ = forecast(baseline, growing[:84, None])
    monkeypatch.setattr(_theta, "SEASON_SMOOTHING", np.array([1.0, 0.0]))
    fixed, _ = forecast(baseline, growing[:84, None])
    errors = [np.abs(f[:, 0] - growing[84:]).mean() for f in (followed, fixed)]
    assert errors[0] < 0.6 * errors[1]


def test_two_seasons():
    t = np.arange(8 * 84)
    x = np.sin(t * 2 * np.pi / 12) + 2.0 * (t // 12 % 7 >= 5)
    x += 0.05 * RNG.normal(size=len(x))
    baseline = theta(seasons=(12, 84), horizon=84, fill=(0.0,))
    forecasts, _ = forecast(baseline, x[: 7 * 84, None])
    assert np.abs(forecasts[:, 0] - x[7 * 84 :]).mean() < 0.25


def test_logarithms_make_growth_and_season_multiplicative():
    x = np.exp(0.02 * T) * (2 + SEASON)
    baseline = theta(logarithm=True, fill=(1.0,), horizon=12)
    state = read(baseline, x[:84, None])
    values = baseline.decode(state, np.zeros((1, 12, 1, 1)))[0, :, 0, 0]
    assert np.abs(values / x[84:] - 1).max() < 0.08
    with pytest.raises(ValueError, match=r"X contains -1, but the model forecasts log"):
        baseline.advance(state, np.array([[-1.0]]))


# ---------------------------------------------------------------- laws


def test_reading_step_by_step_is_encoding():
    gaps = SERIES.copy()
    gaps[40:43, 0] = np.nan
    baseline = theta()
    encoded = list(baseline.encode([gaps, SERIES[:50]]))
    for values, (features, targets) in zip([gaps, SERIES[:50]], encoded, strict=True):
        state = baseline.begin()
        for t, row in enumerate(values[:-1]):
            state, step = baseline.advance(state, row[None])
            assert_allclose(step[0], features[t], atol=1e-10)
            if t >= UNSETTLED_STEPS:
                decoded = baseline.decode(state, targets[t][None, ..., None])
                known = values[t + 1 : t + 7]
                assert_allclose(decoded[0, : len(known), :, 0], known)
        assert len(features) == len(values)
        assert np.isnan(targets[:UNSETTLED_STEPS]).all()


def test_a_series_is_read_independently_of_the_others(monkeypatch):
    several = [SERIES, SERIES[:30] * 7, SERIES[10:]]
    together = list(theta().encode(several))
    monkeypatch.setattr(_theta, "VALUES_AT_ONCE", 1)
    alone = list(theta().encode(several))
    for one, other in zip(together, alone, strict=True):
        for a, b in zip(one, other, strict=True):
            assert_array_equal(a, b)


def test_forecasts_are_equivariant_to_unit_and_offset():
    ((features, targets),) = theta().encode([SERIES])
    moved = theta(fill=(2.0, 17.0)).encode([SERIES * 1e6 + 3e7])
    ((others, other_targets),) = moved
    assert_allclose(others, features, atol=1e-8)
    assert_allclose(other_targets, targets, atol=1e-8)


def test_rows_of_different_ages_are_independent():
    baseline = theta()
    old, young = read(baseline, SERIES[:50]), read(baseline, SERIES[:9])
    both = {name: np.concatenate([old[name], young[name]]) for name in old}
    both, features = baseline.advance(both, SERIES[[50, 9]])
    for i, (state, row) in enumerate([(old, SERIES[50]), (young, SERIES[9])]):
        state, expected = baseline.advance(state, row[None])
        assert_array_equal(features[i], expected[0])
        for name in state:
            assert_array_equal(both[name][i], state[name][0])


def test_advancing_does_not_change_the_old_state():
    baseline = theta()
    state = read(baseline, SERIES[:50])
    before = {name: array.copy() for name, array in state.items()}
    baseline.advance(state, SERIES[[50]])
    for name in state:
        assert_array_equal(state[name], before[name])


# ---------------------------------------------------------------- missing values


def test_a_missing_value_is_replaced_by_its_forecast():
    gaps = SERIES.copy()
    gaps[80:86] = np.nan
    baseline = theta()
    state = read(baseline, gaps[:80])
    expected, _ = baseline.forecast(state)
    for t in range(80, 86):
        state, features = baseline.advance(state, gaps[[t]])
        assert_array_equal(features, 0)
    season = np.abs(expected[0, :, 0] - SERIES[80:86, 0]).max()
    assert season < 0.4  # the season continues in the gap
    later, _ = baseline.forecast(state)
    assert np.abs(later[0, :, 0] - SERIES[86:92, 0]).max() < 0.5


def test_nothing_is_learned_from_missing_values():
    state = read(theta(), SERIES[:50])
    later, _ = theta().advance(state, np.full((1, 2), np.nan))
    for name in ("errors", "n_errors", "line", "times", "spread", "season_12"):
        assert_array_equal(later[name], state[name])


def test_values_before_the_first_one_are_the_mean_of_training():
    late = np.concatenate([np.full((20, 2), np.nan), SERIES])
    baseline = theta()
    forecasts, scale = forecast(baseline, late[:20])
    assert_array_equal(forecasts, np.tile([5.0, 20.0], (6, 1)))
    assert_array_equal(scale, [0, 0])
    assert_array_equal(forecast(baseline, late)[0], forecast(baseline, SERIES)[0])


def test_constant_series_and_single_values():
    constant = np.full((30, 2), 7.0)
    forecasts, scale = forecast(theta(), constant)
    assert_array_equal(forecasts, np.full((6, 2), 7.0))
    assert_array_equal(scale, [0, 0])
    ((features, targets),) = theta().encode([constant])
    assert_array_equal(features, 0)
    assert np.isnan(targets).all()
    assert_array_equal(forecast(theta(), SERIES[:1])[0], np.tile(SERIES[:1], (6, 1)))


# ---------------------------------------------------------------- corrections


def test_corrections_are_shrunk_and_quantiles_keep_their_distances():
    outputs = np.tile([-1.0, 2.0, 3.0], (1, 6, 2, 1))
    state = read(theta(), SERIES)
    (forecasts, scale) = theta().forecast(state)
    whole = theta().decode(state, outputs)
    half = theta(shrinkage=0.5).decode(state, outputs)
    none = theta(shrinkage=0.0).decode(state, outputs)
    assert_allclose(whole[..., 1], forecasts + 2 * scale[:, None])
    assert_allclose(half[..., 1], forecasts + scale[:, None])
    assert_allclose(none[..., 1], forecasts)
    for decoded in (half, none):
        assert_allclose(np.diff(decoded), np.diff(whole))


# ---------------------------------------------------------------- robustness


@pytest.mark.parametrize("n_known", [24, 25, 30])
def test_a_season_is_used_from_its_second_period_on(n_known):
    x = 10 + 3 * np.sin(np.arange(60) * 2 * np.pi / 12)
    forecasts, _ = forecast(theta(fill=(0.0,), horizon=12), x[:n_known, None])
    assert_allclose(forecasts[:, 0], x[n_known : n_known + 12], atol=0.05)


def test_an_outlier_does_not_remove_the_season():
    spoilt = SERIES[:, :1].copy()
    spoilt[60] = 1e6
    forecasts, _ = forecast(theta(fill=(5.0,), horizon=12), spoilt[:84])
    expected, _ = forecast(theta(fill=(5.0,), horizon=12), SERIES[:84, :1])
    lead = np.arange(12)  # the outlier still tilts the trend
    seasons = [
        f[:, 0] - np.poly1d(np.polyfit(lead, f[:, 0], 1))(lead)
        for f in (forecasts, expected)
    ]
    assert np.abs(seasons[0] - seasons[1]).max() < 1


@pytest.mark.parametrize("noise", [0, 1e-12, 1e-3])
def test_a_season_without_noise_can_change(noise):
    """However small the noise was, the errors of a new season are not outliers."""
    t = np.arange(360)
    x = 100 + 10 * np.sin(t * 2 * np.pi / 12) + noise * RNG.normal(size=360)
    x[144:] = 100 + 1.5 * (x[144:] - 100)
    forecasts, _ = forecast(theta(fill=(0.0,), horizon=12), x[:240, None])
    assert np.abs(forecasts[:, 0] - x[240:252]).max() < 1


def test_levels_restart_only_when_a_season_becomes_available():
    """Levels that restart at each positive strength would lose most of the past."""
    noise = np.random.default_rng(2).normal(size=(200, 1))
    baseline = theta(fill=(0.0,))
    restarts = []
    state = baseline.begin()
    for t, row in enumerate(noise):
        before = state
        state, _ = baseline.advance(before, row[None])
        if before["strength_12"] == 0 and state["strength_12"] > 0:
            step = np.abs(state["levels"] - before["levels"])[0, 0, 1:, 0]
            restarts += [(t, step.max() > 0.05 * 5)]
    times, moved = np.array(restarts).T
    assert times[0] == 23 and len(times) > 2
    assert not moved[1:].any()


def test_a_sampled_value_near_zero_does_not_remove_the_level():
    """Paths of positive series may be negative, as errors are added to forecasts."""
    values = np.exp(2 + 0.3 * RNG.normal(size=(60, 1)))
    baseline = theta(fill=(2.0,), logarithm=True, seasons=())
    state = read(baseline, values)
    expected, _ = baseline.forecast(state)
    for sampled in (-3.0, 0.0, 1e-12):
        later, _ = baseline.advance(state, np.array([[sampled]]), observed=False)
        forecasts, _ = baseline.forecast(later)
        assert (np.abs(forecasts - expected) < 1.5).all()
        with pytest.raises(ValueError, match="forecasts logarithms"):
            baseline.advance(state, np.array([[min(sampled, 0)]]))


def test_logarithms_are_taken_in_float64():
    x = (1e6 + 10 * SERIES[:, :1]).astype(np.float32)
    found = [
        read(theta(fill=(14.0,), logarithm=True), values)["levels"]
        for values in (x, x.astype(np.float64))
    ]
    assert_array_equal(*found)
